"""The report as one HTML page that needs nothing else; every word and number from a target is escaped."""

from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from properties.harness.certificate import told
from properties.harness.results import explanation, parted
from properties.harness.terminal import hints, notes, summary

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>backproof: {{ report.target }}: {{ report.verdict }}</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; border-bottom: 1px solid #8886; }
pre { margin: 0; overflow-x: auto; white-space: pre-wrap; }
</style>
</head>
<body>
{{ body }}
</body>
</html>
"""


BODY = """<h1>{{ report.target }}: {{ report.verdict }}</h1>
<p>{{ summary }}</p>
<ul>{% for note in notes if note %}<li>{{ note }}</li>{% endfor %}</ul>
{% for entry in news %}
<h2>{{ entry.outcome }}: {{ entry.id }}</h2>
<p>{{ entry.statement }} Source: {{ entry.source }}</p>
<table>
{% for label, text in explanation(entry) %}
<tr><th scope="row">{{ label }}</th><td><pre>{{ text }}</pre></td></tr>
{% endfor %}
<tr><th scope="row">again with</th><td><pre>{{ entry.reproduce }}</pre></td></tr>
</table>
{% endfor %}
{% for entry in consequences %}
<h2>{{ entry.outcome }}: {{ entry.id }}</h2>
<p>{{ entry.statement }}
This follows from {{ entry.follows_from | join(" and ") }}: a right network with that in it answers just so.</p>
{% endfor %}
<h2>Certificate</h2>
<table>
{% for operation, lines in certificate %}
<tr><th scope="row">{{ operation }}</th><td>{% for line in lines %}{{ line }}<br>{% endfor %}</td></tr>
{% endfor %}
</table>
<p>Not proved: {{ report.certificate.not_proved | join("; ") }}.</p>
<h2>All properties</h2>
<table>
<thead><tr><th scope="col">operation</th><th scope="col">statement</th><th scope="col">outcome</th>
<th scope="col">examples</th><th scope="col">comparisons</th><th scope="col">largest error</th></tr></thead>
<tbody>
{% for entry in report.properties %}
<tr><td>{{ entry.operation }}</td><td>{{ entry.statement }}</td><td>{{ entry.outcome }}</td>
<td>{{ entry.examples }}</td><td>{{ entry.comparisons }}</td><td>{{ "%.2g" % entry.largest_error }}</td></tr>
{% endfor %}
</tbody>
</table>
"""

_ENVIRONMENT = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def render(report: dict[str, Any]) -> str:
    """The page."""
    return _ENVIRONMENT.from_string(PAGE).render(report=report, body=Markup(fragment(report)))  # noqa: S704  # escaped there


def fragment(report: dict[str, Any]) -> str:
    """What stands on the page, without what makes it a page: to be shown inside another one."""
    news, consequences = parted(report["properties"])
    return _ENVIRONMENT.from_string(BODY).render(
        report=report,
        summary=summary(report),
        notes=[*hints(report), *notes(report)],
        news=news,
        consequences=consequences,
        explanation=explanation,
        certificate=told(report["certificate"]["operations"]),
    )
