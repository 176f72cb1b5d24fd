"""Joining the reports of a campaign's parts into one: its shards', in whatever order they come, and its rounds'."""

import re
from collections import Counter
from collections.abc import Iterable
from glob import glob
from math import inf, prod
from typing import Any

from ...layers import OPERATIONS
from ..checking.coverage import SIZED, summed
from ..checking.trial import DEFAULT_EXAMPLES
from ..core.shards import LEFT_TO_OTHERS, in_words
from ..report.known import held_to
from ..report.report import completed
from ..report.results import FAILING
from ..run.verdict import COMPARED_NOTHING, TOO_FEW
from .parts import FIELDS, SUMS, Report, read_campaign

Entry = dict[str, Any]
_STRONGEST = ("refuted", "crashed", "known", "not run", "held", "not applicable")


def merge(paths: Iterable[str]) -> Report:
    """The report of the campaign whose shards' reports these are; `incomplete` if some are missing.

    A path that is a pattern, as `part-*/report.json` is where no shell expands it, stands for the files that fit it.
    Figures are summed, errors are the largest, and of a property that fails in several shards the counterexample
    with the fewest entries is kept. Raises `CannotMerge`.
    """
    by_number, shards = read_campaign(file for path in paths for file in sorted(glob(path)) or [path])
    missing = [number for number in range(1, shards + 1) if number not in by_number]
    part = in_words(list(by_number), shards) if missing else None
    reports = list(by_number.values())
    too_few = reports[0]["examples"] < DEFAULT_EXAMPLES * shards  # for each of them to have what a whole run has
    columns = zip(*(report["properties"] for report in reports), strict=True)
    campaigns = [report["campaign"] for report in reports if report["campaign"]]
    rounds = {
        "rounds": sum(one["rounds"] for one in campaigns),
        "minutes": sum(one["minutes"] for one in campaigns),
        "finished": all(one["finished"] for one in campaigns),
        "resume": None,
    }
    return together(
        reports,
        [_entry(column, part, too_few) for column in columns],
        shard=None,
        merged={"shards": shards, "missing": missing},
        campaign=rounds if campaigns else None,
    )


def joined(before: Report, newest: Report) -> Report:
    """The report of a campaign's rounds with one more; what did not run in that adds nothing."""
    later = {entry["id"]: entry for entry in newest["properties"] if entry["outcome"] != "not run"}
    entries = [
        summed_up((entry, later[entry["id"]])) if entry["id"] in later else entry for entry in before["properties"]
    ]
    return together([before, newest], entries)


def together(reports: list[Report], entries: list[Entry], **more: Any) -> Report:
    """The one report of several, with these entries; what it says of the target is what the first one says."""
    names = reports[0]["versions"]
    versions = {name: {str(report["versions"].get(name)) for report in reports} for name in names}
    return completed(
        {
            **{name: reports[0][name] for name in FIELDS},
            "tried": _tried([report["tried"] for report in reports]),
            "properties": entries,
            "warnings": dict(sum((Counter(report["warnings"]) for report in reports), Counter())),
            "interrupted": any(report["interrupted"] for report in reports),
            "date": max(report["date"] for report in reports),
            "seconds": round(sum(report["seconds"] for report in reports), 3),
            "versions": {name: ", ".join(sorted(found)) for name, found in versions.items()},
            **more,
        }
    )


def _tried(every: list[dict[str, Any]]) -> dict[str, Any]:
    def by_name(kind: str, names: Iterable[str]) -> dict[str, dict[str, int]]:
        sums = {name: summed(tried[kind].get(name, {}) for tried in every) for name in names}
        return {name: counts for name, counts in sums.items() if counts}

    plain = {kind: summed(tried[kind] for tried in every) for kind in ("maxima", "margins", "patterns")}
    return {"shapes": by_name("shapes", SIZED), **plain, "errors": by_name("errors", OPERATIONS)}


def summed_up(of: tuple[Entry, ...]) -> Entry:
    """One property's entry of several parts: the strongest outcome, on the smallest case, and the sums of figures."""
    outcome = next(one for one in _STRONGEST if any(entry["outcome"] == one for entry in of))
    entry = min((entry for entry in of if entry["outcome"] == outcome), key=_rank).copy()
    entry |= {name: sum(one[name] for one in of) for name in SUMS}
    entry["largest_error"] = max(one["largest_error"] for one in of)
    for name in ("seconds", "seconds_in_target"):
        entry[name] = round(sum(one[name] for one in of), 4)
    entry["proof"] = next((one["proof"] for one in of if one["proof"]), None)
    return entry


def _entry(of: tuple[Entry, ...], part: str | None, too_few: bool) -> Entry:
    """One property's entry, of all shards or of that part of them."""
    entry = summed_up(of)
    entry["proof"] = _proof([one["proof"] for one in of if one["proof"]], part)
    if entry["outcome"] not in (*FAILING, "known"):
        entry["reproduce"] = re.sub(r" --shard \d+/\d+(?= -k \S+$)", "", entry["reproduce"])
    if part is None and entry["outcome"] == "held":
        held_to(entry["listed"], entry)
    left = [one for one in of if one["message"] == LEFT_TO_OTHERS]
    unseen = entry["outcome"] == "not applicable" and (of[0] in left or any(one["examples"] for one in left))
    if part is None and unseen and too_few:
        entry["message"] = TOO_FEW
    elif part is None and unseen:
        entry.update(outcome="crashed", message=COMPARED_NOTHING)
    return entry


def _rank(entry: Entry) -> tuple[bool, float]:
    """The entry that tells most comes first: of an applicable property the smallest case."""
    values = (entry["counterexample"] or {}).values()
    sizes = [prod(value["shape"]) if isinstance(value, dict) else 1 for value in values]
    return entry["message"] == LEFT_TO_OTHERS, sum(sizes) if sizes else inf


def _proof(proofs: list[dict[str, Any]], part: str | None) -> dict[str, Any] | None:
    if not proofs:
        return None
    joined = {name: value for name, value in proofs[0].items() if name != "part"}
    joined |= {"covered": sum(proof["covered"] for proof in proofs)} if "covered" in joined else {}
    return joined | ({"part": part} if part else {})
