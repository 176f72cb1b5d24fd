"""Known deviations: failures that are expected, each with its reason, and that must go on failing."""

from pathlib import Path
from typing import Any

import pytest

from .catalogue import all_properties
from .results import NO_LONGER_FAILS
from .trial import current

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
    ids = {entry.id for entry in all_properties().values()}
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


def held_to(reason: str | None, result: dict[str, Any]) -> None:
    """Turn a failure that is known, with a reason, into "known", and one that did not come into a refutation.

    The latter not in a part of a campaign, since another may see it fail: of shards it is told when they are merged.
    """
    if reason is None:
        return
    result["listed"] = reason
    if result["outcome"] in ("refuted", "crashed"):
        result.update(outcome="known", message=reason)
    elif result["outcome"] == "held" and current().is_whole:
        result.update(
            outcome="refuted",
            message=NO_LONGER_FAILS,
            expected=f"a failure, because: {reason}",
        )
