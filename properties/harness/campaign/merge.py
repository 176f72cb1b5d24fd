"""Joining the reports of a campaign's parts into one: its shards', in whatever order they come, and its rounds'."""

import re
from collections import Counter
from collections.abc import Iterable
from glob import glob
from math import inf, prod

from msgspec import UNSET
from msgspec.structs import replace

from ..checking.trial import DEFAULT_EXAMPLES
from ..core.shards import in_words
from ..report.data import Campaign, Entry, Merged, Proof, Report
from ..report.known import held_to
from ..report.report import completed, summed_up
from ..run.verdict import COMPARED_NOTHING, TOO_FEW
from .parts import read_campaign

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
    too_few = reports[0].examples < DEFAULT_EXAMPLES * shards  # for each of them to have what a whole run has
    columns = zip(*(report.properties for report in reports), strict=True)
    campaigns = [report.campaign for report in reports if report.campaign]
    rounds = Campaign(
        rounds=sum(one.rounds for one in campaigns),
        minutes=sum(one.minutes for one in campaigns),
        finished=all(one.finished for one in campaigns),
        resume=None,
    )
    whole = _of_all(reports, [_entry(column, part, too_few) for column in columns])
    whole.shard, whole.merged, whole.campaign = None, Merged(shards, missing), rounds if campaigns else None
    return completed(whole)


def joined(before: Report, newest: Report) -> Report:
    """The report of a campaign's rounds with one more; what did not run in that adds nothing."""
    later = {entry.id: entry for entry in newest.properties if entry.outcome != "not run"}
    entries = [_strongest((entry, later[entry.id])) if entry.id in later else entry for entry in before.properties]
    return completed(_of_all([before, newest], entries))


def _of_all(reports: list[Report], entries: list[Entry]) -> Report:
    """The one report of several, to be completed, with these entries; of the target it says what the first one says."""
    versions = {name: {str(report.versions.get(name)) for report in reports} for name in reports[0].versions}
    return replace(
        reports[0],
        tried=summed_up(report.tried for report in reports),
        properties=entries,
        warnings=dict(sum((Counter(report.warnings) for report in reports), Counter())),
        interrupted=any(report.interrupted for report in reports),
        date=max(report.date for report in reports),
        seconds=round(sum(report.seconds for report in reports), 3),
        versions={name: ", ".join(sorted(found)) for name, found in versions.items()},
    )


def _strongest(of: tuple[Entry, ...]) -> Entry:
    """One property's entry of several parts: the strongest outcome, on the smallest case, and the sums of figures."""
    outcome = next(one for one in _STRONGEST if any(entry.outcome == one for entry in of))
    return replace(
        min((entry for entry in of if entry.outcome == outcome), key=_rank),
        **{name: sum(getattr(one, name) for one in of) for name in ("examples", "left_out", "comparisons")},
        **{name: round(sum(getattr(one, name) for one in of), 4) for name in ("seconds", "seconds_in_target")},
        largest_error=max(one.largest_error for one in of),
        proof=next((one.proof for one in of if one.proof), None),
    )


def _entry(of: tuple[Entry, ...], part: str | None, too_few: bool) -> Entry:
    """One property's entry, of all shards or of that part of them."""
    entry = _strongest(of)
    entry.proof = _proof([one.proof for one in of if one.proof], part)
    if entry.outcome not in ("refuted", "crashed", "known"):
        entry.reproduce = re.sub(r" --shard \d+/\d+(?= -k \S+$)", "", entry.reproduce)
    if part is None and entry.outcome == "held":
        held_to(entry.listed, entry)
    left = [one for one in of if one.note == "left to other parts"]
    unseen = entry.outcome == "not applicable" and (of[0] in left or any(one.examples for one in left))
    if part is None and unseen and too_few:
        entry.message, entry.note = TOO_FEW, None
    elif part is None and unseen:
        entry.outcome, entry.message, entry.note = "crashed", COMPARED_NOTHING, None
    return entry


def _rank(entry: Entry) -> tuple[bool, float]:
    """The entry that tells most comes first: of an applicable property the smallest case."""
    values = (entry.counterexample or {}).values()
    sizes = [prod(value["shape"]) if isinstance(value, dict) else 1 for value in values]
    return entry.note == "left to other parts", sum(sizes) if sizes else inf


def _proof(proofs: list[Proof], part: str | None) -> Proof | None:
    if not proofs:
        return None
    covered = [proof.covered for proof in proofs if proof.covered is not UNSET]
    return replace(proofs[0], covered=sum(covered) if covered else UNSET, part=part or UNSET)
