"""What GitHub Actions shows of a run: annotations on the target's lines, and a job summary in Markdown.

No name, message or array from a target is a command, Markdown or HTML in it. Source: GitHub Docs, "Workflow commands
for GitHub Actions", what is escaped as in actions/toolkit, `command.ts`; GitHub Flavored Markdown Spec, 2.4 "Backslash
escapes", 4.5 "Fenced code blocks" and 4.10 "Tables".
"""

import os
import re
import string
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.text import printable
from ..target.definitions import in_repository
from .certificate import told
from .data import Certificate, Entry, Report
from .results import by_operation, explanation, grouped, outcomes_of, parted

MOST = 10  # annotations that GitHub shows of a step
ROOM = 2**20  # bytes of a step's job summary
_LONGEST = 1000  # characters of what one property says
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})
_ESCAPES = {ord(mark): f"\\{mark}" for mark in string.punctuation} | str.maketrans(
    {"<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "\\@<!-- -->"}  # a comment: or addresses and names become links
)


def is_here() -> bool:
    """Whether this is a step in GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def annotations(report: Report) -> list[str]:
    """An annotation on each operation of which a failure is news, at most `MOST`; the last one counts the rest."""
    failing = grouped(parted(report.properties)[0])
    lines = []
    for operation, entries in failing.items():
        places = [_own_place(report.target)]
        if defined := report.definitions.get(operation):
            places.insert(0, {"file": defined.file, "line": str(defined.line)})
        known = [place for place in places if place and _is_file(place["file"])]
        place = min(known, key=lambda one: os.path.isabs(one["file"]), default={})  # in the repository, if one is
        said = [_clipped(f"{entry.outcome}: {entry.id}: {entry.message}") for entry in entries]
        lines.append(_error("\n".join(said), **place, title=f"backproof: {operation}"))
    if len(lines) > MOST:
        rest = list(failing)[MOST - 1 :]
        lines[MOST - 1 :] = [_error(f"and {len(rest)} more operations: {', '.join(rest)}", title="backproof")]
    return lines


def unusable(target: str, message: str) -> str:
    """The annotation that says why nothing could be checked."""
    return _error(_clipped(message), **_own_place(target), title="backproof: nothing could be checked")


@contextmanager
def commands_stopped() -> Iterator[None]:
    """Print what cannot be a workflow command, even if a line of it looks like one."""
    token = uuid.uuid4().hex
    print(f"::stop-commands::{token}")
    try:
        yield
    finally:
        print(f"::{token}::")


def write_summary(report: Report) -> str | None:
    """Add the report to the step's job summary, if there is one; the line that says why it cannot be."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return None
    try:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write("\n" + as_markdown(report, ROOM - file.tell() - 1))
    except OSError as error:
        return f"cannot write the job summary to {printable(path)}: {error.strerror or error}"
    return None


def as_markdown(report: Report, room: int) -> str:
    """The report in at most `room` bytes of UTF-8: if need be without the last failures, or the verdict, or nothing."""
    from .terminal import consequence_lines, hints, notes  # which takes time

    news, consequences = parted(report.properties)
    verdict = f"## backproof: {report.verdict}\n\n{escaped(report.summary)}"
    lines = [f"- {escaped(line)}" for line in (*hints(report), *notes(report)) if line]
    certificate = _folded("certificate", "\n".join(_certificate(report.certificate)))
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


def _table(report: Report) -> str:
    used = outcomes_of(report)
    rows = [["operation", *used, "examples", "comparisons", "max error"], ["---", *["---:"] * (len(used) + 3)]]
    for row in by_operation(report):
        counts = [*(row.totals[outcome] for outcome in used), row.examples, row.comparisons]
        rows.append([f"`{row.operation}`", *(f"{count:,}" for count in counts), row.error])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _failure(entry: Entry) -> Iterator[str]:
    yield f"### {entry.outcome}: `{entry.operation}`, `{entry.id}`"
    yield escaped(entry.statement)
    lines = list(explanation(entry))
    values = [f"{line.label:13}{line.text}" for line in lines if not line.is_prose]
    if values:
        yield _fenced("\n".join(value.replace("\n", "\n" + " " * 13) for value in values), "text")
    for line in lines:
        if line.is_prose:
            yield f"**{line.label}**: {escaped(line.text)}"
    yield f"**again with**\n\n{_fenced(entry.reproduce, 'sh')}"
    if entry.script:
        yield _folded("script", _fenced(entry.script.rstrip("\n"), "python"))


def _certificate(certificate: Certificate) -> Iterator[str]:
    for operation, lines in told(certificate.operations):
        yield f"- `{operation}`: {escaped('; '.join(lines))}"
    yield f"- not proved: {escaped('; '.join(certificate.not_proved))}"


def _fenced(text: str, language: str) -> str:
    """Text as code, between fences longer than what is in it."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return "\n".join([f"{fence}{language}", *(printable(line) for line in text.split("\n")), fence])


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"


def _error(message: str, **properties: str) -> str:
    said = ",".join(f"{name}={value.translate(_PROPERTY)}" for name, value in properties.items())
    return f"::error {said}::{message.translate(_DATA)}"


def _clipped(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _is_file(name: str) -> bool:
    """Whether this is a file and no notebook's cell, in the repository or wherever."""
    return Path(os.environ.get("GITHUB_WORKSPACE") or ".", name).is_file()


def _own_place(target: str) -> dict[str, str]:
    """The file that the target is, if it is one."""
    named = re.fullmatch(r"(.+?\.(?:py|ipynb))(?::.*)?", target, re.DOTALL)
    return {"file": in_repository(Path(named[1]))} if named and os.path.isfile(named[1]) else {}
