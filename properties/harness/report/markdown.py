"""The report in Markdown, as GitHub shows it; no name, message or array from a target is Markdown or HTML in it."""

import re
import string
from collections.abc import Iterator
from typing import Any

from ..core.text import printable
from .certificate import told
from .results import PARAGRAPHS, by_operation, explanation, outcomes_of, parted
from .terminal import consequence_lines, hints, notes

_ESCAPES = {ord(mark): f"\\{mark}" for mark in string.punctuation} | str.maketrans(
    {"<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "\\@<!-- -->"}  # a comment: or addresses and names become links
)


def as_markdown(report: dict[str, Any], room: int) -> str:
    """The report in at most `room` bytes of UTF-8: if need be without the last failures, or the verdict, or nothing.

    Source: GitHub Flavored Markdown Spec, 2.4 "Backslash escapes", 4.5 "Fenced code blocks" and 4.10 "Tables".
    """
    news, consequences = parted(report["properties"])
    verdict = f"## backproof: {report['verdict']}\n\n{escaped(report['summary'])}"
    lines = [f"- {escaped(line)}" for line in (*hints(report), *notes(report)) if line]
    certificate = _folded("certificate", "\n".join(_certificate(report["certificate"])))
    parts = [verdict, _table(report), "\n".join(lines), certificate]
    tail = [_fenced("\n".join(consequence_lines(consequences)).strip(), "text")] if consequences else []
    left_out = "Not shown, for want of room: the last {} of {} failures. The other reports have them."
    left = room - sum(map(_size, [*parts, *tail, left_out]))
    for number, entry in enumerate(news):
        part = "\n\n".join(_failure(entry))
        left -= _size(part)
        if left < 0:
            parts.append(left_out.format(len(news) - number, len(news)))
            break
        parts.append(part)
    whole = "\n\n".join([*parts, *tail])
    return next((f"{text}\n" for text in (whole, verdict) if _size(text) <= room), "")


def escaped(text: str) -> str:
    """Words that Markdown shows as they are, on one line."""
    return " ".join(printable(text).split()).translate(_ESCAPES)


def _size(text: str) -> int:
    return len(text.encode(errors="backslashreplace")) + 2


def _table(report: dict[str, Any]) -> str:
    used = outcomes_of(report)
    rows = [["operation", *used, "examples", "comparisons", "max error"], ["---", *["---:"] * (len(used) + 3)]]
    for row in by_operation(report):
        counts = [*(row.totals[outcome] for outcome in used), row.examples, row.comparisons]
        rows.append([f"`{row.operation}`", *(f"{count:,}" for count in counts), row.error])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _failure(entry: dict[str, Any]) -> Iterator[str]:
    yield f"### {entry['outcome']}: `{entry['operation']}`, `{entry['id']}`"
    yield escaped(entry["statement"])
    labelled = list(explanation(entry))
    values = [f"{label:13}{text}" for label, text in labelled if label not in PARAGRAPHS]
    if values:
        yield _fenced("\n".join(value.replace("\n", "\n" + " " * 13) for value in values), "text")
    for label, text in labelled:
        if label in PARAGRAPHS:
            yield f"**{label}**: {escaped(text)}"
    yield f"**again with**\n\n{_fenced(entry['reproduce'], 'sh')}"
    if entry["script"]:
        yield _folded("script", _fenced(entry["script"].rstrip("\n"), "python"))


def _certificate(certificate: dict[str, Any]) -> Iterator[str]:
    for operation, lines in told(certificate["operations"]):
        yield f"- `{operation}`: {escaped('; '.join(lines))}"
    yield f"- not proved: {escaped('; '.join(certificate['not_proved']))}"


def _fenced(text: str, language: str) -> str:
    """Text as code, between fences longer than what is in it."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return "\n".join([f"{fence}{language}", *(printable(line) for line in text.split("\n")), fence])


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"
