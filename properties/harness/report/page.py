"""The report as one HTML page that needs nothing else; every word and number from a target is escaped."""

import re
import textwrap
from base64 import b64encode
from collections.abc import Iterator
from difflib import SequenceMatcher
from hashlib import sha256
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from ...layers import OPERATIONS, formulas
from ..core.setting import in_setting
from ..core.text import printable
from ..edits.code import shown
from .certificate import told
from .data import Entry, Report
from .notation import typeset
from .panels import UNMARKED, Marks, Panel, panels
from .pictures import charts_of, heat_map
from .results import by_operation, explanation, grouped, layout_of, outcomes_of, parted, setting_of
from .terminal import hints, notes, summary

TEMPLATES = Path(__file__).parent / "templates"
MOST_READ_OUT = 36  # entries of an array
MOST_AT_A_GLANCE = 5  # failures: more of them can be searched
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_ENVIRONMENT.filters["typeset"] = typeset
_PLAIN, _MARKED = Markup("{}"), Markup("<mark>{}</mark>")


def breakable(name: object) -> Markup:
    """A name or a path, printable and escaped, that may break after its dots, underscores and slashes."""
    return Markup(re.sub(r"([._/])(?=.)", r"\1<wbr>", str(escape(printable(str(name))))))  # noqa: S704  # escaped


_ENVIRONMENT.filters["breakable"] = breakable


def render(report: Report) -> str:
    """The page: no other file, no network, and no script but its own, whose hash its policy names."""
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    digest = b64encode(sha256(script.encode()).digest()).decode()
    own = {"script": Markup(script), "script_hash": f"sha256-{digest}", "filters": _filters(report)}  # noqa: S704  # ours
    return _ENVIRONMENT.get_template("page.html").render(_context(report) | own)


def fragment(report: Report) -> str:
    """What stands on the page, without what makes it a page: to be shown inside another one."""
    return _ENVIRONMENT.get_template("body.html").render(_context(report))


def _context(report: Report) -> dict[str, object]:
    news, consequences = parted(report.properties)
    return {
        "report": report,
        "summary": summary(report),
        "hints": hints(report),
        "notes": notes(report),
        "certificate": told(report.certificate.operations),
        "outcomes": outcomes_of(report),
        "rows": by_operation(report),
        "failing": {entry.operation for entry in news},
        "groups": list(_groups(news, report)),
        "consequences": consequences,
        "panels": lambda entry: panels(entry, report),
        "heat_map": _drawn,
        "numbers": lambda entry: [line for line in explanation(entry) if not line.is_prose],
        "differences": _differences,
        "filters": {},
        "swatches": _swatches(),
        "tried": charts_of(report.tried, layout_of(report)),
    }


def _filters(report: Report) -> dict[str, list[str]]:
    """What the failures can be chosen by, and the choices; nothing where there are few of them."""
    failing = [entry for entries in parted(report.properties) for entry in entries]
    if len(failing) <= MOST_AT_A_GLANCE:
        return {}
    return {name: list(dict.fromkeys(getattr(entry, name) for entry in failing)) for name in ("operation", "outcome")}


def _groups(news: list[Entry], report: Report) -> Iterator[dict[str, object]]:
    """The failures operation by operation, each with what would be right and the target's own lines."""
    found = report.conventions.convolution
    kind = ", for " + ("the cross-correlation" if found == "correlation" else "the true convolution")
    one = ", for one image, channel and filter; sums go over all" if report.layout != "HW" else ""
    for name, (first, *others) in grouped(news).items():
        lines = formulas(name, found)
        own = report.definitions[name].lines if name in report.definitions else []
        depends = any("{" in line for line in OPERATIONS[name].formulas)
        yield {
            "operation": name,
            "first": first,
            "others": others,
            "formulas": lines,
            "code": _code(name, report),
            "lines": textwrap.dedent("\n".join(own)),
            "convention": (kind if depends else "") + one,
        }


def _code(name: str, report: Report) -> str:
    """The right code of an operation, as the target's conventions and declarations have it."""
    with in_setting(setting_of(report)):
        return shown(name, report.conventions.convolution != "correlation")


def _differences(right: str, wrong: str) -> list[tuple[str, Markup]]:
    """Two versions of some lines, each with the words that the other has not marked, and its label."""
    before, after = (re.findall(r"\w+|\s+|.", text) for text in (right, wrong))
    steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    spans = {"Right code": [("".join(before[i:j]), what) for what, i, j, _, _ in steps]}
    spans["Answers like yours"] = [("".join(after[i:j]), what) for what, _, _, i, j in steps]
    return [
        (label, Markup("").join((_PLAIN if what == "equal" else _MARKED).format(text) for text, what in pieces if text))
        for label, pieces in spans.items()
    ]


def _drawn(panel: Panel) -> Markup:
    shades = None if panel.scale is None else np.nan_to_num(panel.values / panel.scale, posinf=1.0, neginf=-1.0)
    return heat_map(panel.values, _read_out(panel), panel.marks, shades=shades)


def _read_out(panel: Panel) -> str:
    """A panel in words: its numbers, or how large they are, and its marks."""
    values, marks = panel.values, panel.marks
    text = f"{panel.title}, {values.shape[0]} by {values.shape[1]}: "
    if values.size <= MOST_READ_OUT:
        text += "; ".join(", ".join(f"{value:g}" for value in row) for row in values.tolist())
    else:
        text += f"from {values.min():g} to {values.max():g}"
    named = {"wrong": marks.wrong, "maxima": marks.winners, "tied": marks.tied, "dead": marks.dead}
    for name, mask in named.items():
        if mask is not None and mask.any():
            places = [f"({i}, {j})" for i, j in np.argwhere(mask)[:MOST_READ_OUT]]
            text += f". {name.capitalize()}: {', '.join(places)}"
    return text


def _swatches() -> dict[str, Markup]:
    on = np.ones((1, 1), bool)
    marks = {
        "wrong": Marks(wrong=on),
        "winner": Marks(winners=on),
        "tied": Marks(winners=on, tied=on),
        "window": Marks(window=(1, 1)),
        "dead": Marks(dead=on),
        "above": UNMARKED,
        "below": UNMARKED,
    }
    shades = {"above": 1.0, "below": -1.0}
    empty = np.zeros((1, 1), int)
    return {name: heat_map(empty, name, mark, shades=empty + shades.get(name, 0.0)) for name, mark in marks.items()}
