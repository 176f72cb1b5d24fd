"""Known deviations: failures that are expected, each with its reason, and that must go on failing."""

from pathlib import Path

import pytest

from ..checking.properties import all_properties, properties_of
from ..checking.trial import current
from .data import Entry
from .results import NO_LONGER_FAILS

KNOWN = pytest.StashKey[dict[str, str]]()  # of a session: what was read of its list


def read_known(path: str | None) -> dict[str, str]:
    """The reason of each known deviation by its property's id; none without a path.

    A line is an id, then its reason; a colon after the id, empty lines and lines that begin with # are
    allowed. Raises `ValueError`, with one line, for a file that cannot be read or a line that does not fit.
    """
    if path is None:
        return {}
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"--known {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    known: dict[str, str] = {}
    ids = {entry.id for entry in properties_of(current().target).values()}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, reason = line.strip().partition(" ")
        name, reason = name.rstrip(":"), reason.strip()
        if name not in ids:
            raise ValueError(f"--known {path}, line {number}: there is no property {name!a}")
        if not reason:
            raise ValueError(f"--known {path}, line {number}: a reason must follow {name}")
        known[name] = reason
    return known


def held_to(reason: str | None, result: Entry) -> None:
    """Turn a failure that is known, with a reason, into "known", and one that did not come into a refutation.

    The latter not in a part of a campaign, since another may see it fail: of shards it is told when they are merged.
    """
    if reason is None:
        return
    result.listed = reason
    if result.fails:
        result.outcome, result.message = "known", reason
    elif result.outcome == "held" and current().is_whole:
        result.outcome, result.message, result.note = "refuted", NO_LONGER_FAILS, "no longer fails"
        result.expected = f"a failure, because: {reason}"


def may_follow(result: Entry, known: dict[str, str]) -> bool:
    """Whether a failure may be a consequence of what is known: each operation that explains it has a listed failure."""
    listed = {entry.operation for entry in all_properties().values() if entry.id in known}
    return bool(result.follows_from) and listed.issuperset(result.follows_from)


def cover_consequences(entries: list[Entry]) -> None:
    """Make a failure known that follows from operations alone all of whose own failures are known; so for chains.

    It need not be listed, nor go on failing: its cause must.
    """
    reasons: dict[str, list[str]] = {}
    for entry in entries:
        if entry.outcome == "known":
            reasons.setdefault(entry.operation, []).append(entry.message or "")
    failing = [entry for entry in entries if entry.fails]
    while True:
        told = reasons.keys() - {entry.operation for entry in failing}
        follow = [entry for entry in failing if entry.follows_from and told.issuperset(entry.follows_from)]
        if not follow:
            return
        failing = [entry for entry in failing if entry not in follow]
        for entry in follow:
            why = "; ".join(dict.fromkeys(reason for name in entry.follows_from for reason in reasons[name]))
            entry.message = f"a consequence of {' and '.join(entry.follows_from)}, known: {why}"
            entry.outcome, entry.script = "known", None
            reasons.setdefault(entry.operation, []).append(entry.message)
