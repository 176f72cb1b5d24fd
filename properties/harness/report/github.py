"""What GitHub Actions shows of a run: annotations on the target's lines, and a job summary.

Source: GitHub Docs, "Workflow commands for GitHub Actions"; what is escaped is as in actions/toolkit, `command.ts`.
"""

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core.text import printable
from ..target.definitions import in_repository
from .results import grouped, parted

MOST = 10  # annotations that GitHub shows of a step
ROOM = 2**20  # bytes of a step's job summary
_LONGEST = 1000  # characters of what one property says
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def is_here() -> bool:
    """Whether this is a step in GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def annotations(report: dict[str, Any]) -> list[str]:
    """An annotation on each operation of which a failure is news, at most `MOST`; the last one counts the rest."""
    failing = grouped(parted(report["properties"])[0])
    lines = []
    for operation, entries in failing.items():
        places = report["definitions"].get(operation), _own_place(report["target"])
        known: list[dict[str, Any]] = [place for place in places if place and _is_file(place["file"])]
        place = min(known, key=lambda one: os.path.isabs(one["file"]), default={})  # in the repository, if one is
        place = {name: value for name, value in place.items() if name != "lines"}
        said = [_clipped(f"{entry['outcome']}: {entry['id']}: {entry['message']}") for entry in entries]
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


def write_summary(report: dict[str, Any]) -> str | None:
    """Add the report to the step's job summary, if there is one; the line that says why it cannot be."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return None
    from .markdown import as_markdown

    try:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write("\n" + as_markdown(report, ROOM - file.tell() - 1))
    except OSError as error:
        return f"cannot write the job summary to {printable(path)}: {error.strerror or error}"
    return None


def _error(message: str, **properties: Any) -> str:
    said = ",".join(f"{name}={str(value).translate(_PROPERTY)}" for name, value in properties.items())
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
