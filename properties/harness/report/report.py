"""The report of one run: the contract's JSON, its verdict, and the exit status that goes with it."""

import platform
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Literal
from xml.etree import ElementTree

from msgspec import convert, to_builtins
from msgspec.structs import asdict

from ...layers import OPERATIONS
from ..checking.coverage import SIZED, sides, summed
from ..checking.properties import Property, in_their_order
from ..checking.trial import DEFAULT_EXAMPLES
from ..core.reason import Reason
from ..core.setting import Conventions
from ..core.shards import WHOLE, Shard, in_words, name_of
from ..core.text import printable
from ..target import memory
from ..target.definitions import definitions, digest
from ..target.layout import Layout
from ..target.target import Target
from ..target.timeouts import DEFAULT_TIMEOUT
from .certificate import certificate, counted_rounds, not_proved
from .data import Certificate, Counts, Entry, Found, Outcome, Report, Result, Tried
from .known import cover_consequences
from .results import blank, parted, plain_lines, totals_of

PACKAGES = ("backproof", "numpy", "scipy", "scikit-image", "hypothesis", "pytest")
HELD, REFUTED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
SKIPPED: tuple[Outcome, ...] = ("not applicable", "known", "not run")
COUNTED = ("maxima", "margins", "patterns")
LONGEST, SHORTEST_NAME = 140, 20  # characters of the summary, and of the target's name in it


@dataclass(frozen=True)
class Request:
    """What the command was asked for: the target by name, and how to check it."""

    target: str
    examples: int
    seed: int
    keyword: str = ""
    workers: int | None = None
    fail_fast: bool = False
    known: str | None = None
    timeout: float = DEFAULT_TIMEOUT
    in_python: bool = False
    shard: Shard = WHOLE
    database: str | None = None
    runs_scripts: bool = False
    round_number: int = 1
    memory: int | None = None

    def reproduce(self, entry: Property) -> str:
        """The command, or the call, that runs one property again as it ran here."""
        if self.in_python:
            return f"backproof.verify(…, examples={self.examples}, seed={self.seed}, keyword={entry.id!r})"
        return shlex.join([*self.command, "-k", entry.id])

    @property
    def command(self) -> list[str]:
        """The command but for the choice of properties."""
        command = ["python", "-m", "backproof", self.target]
        options = (
            ("--seed", self.seed, 0),
            ("--examples", self.examples, DEFAULT_EXAMPLES),
            ("--timeout", self.timeout, DEFAULT_TIMEOUT),
            ("--round", self.round_number, 1),
            ("--memory", memory.in_words(self.memory) if self.memory else "", ""),
        )
        for option, value, default in options:
            command += [option, f"{value:.10g}" if isinstance(value, float) else str(value)] if value != default else []
        return [*command, "--shard", name_of(self.shard)] if self.shard != WHOLE else command


@dataclass
class Outcomes:
    """What a run gathered: the result of each property that ran, which were selected, and the warnings."""

    selected: list[str] = field(default_factory=list)
    results: dict[str, Result] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)
    interrupted: bool = False


def found(target: Target, conventions: Conventions) -> Found:
    """What a report says of the target itself: its conventions and limits, what it lacks, and where it is defined."""
    places = definitions({name: one.function for name, one in target.operations.items()})
    said = {
        "conventions": {**vars(conventions), "dtype": target.dtype, "further": dict(conventions.further)},
        "layout": target.layout.name,
        "kernel_layout": target.layout.kernel,
        "gradients_are": target.layout.gradients_are,
        "declared": {"reduction": target.reduction, "labels": target.labels, "network": to_builtins(target.network)},
        "limits": {kind: getattr(target.limits, kind) for kind in ("kernels", "windows", "images")},
        "lacking": [name for name in OPERATIONS if name not in target.operations],
        "near_misses": target.near_misses,
        "definitions": places,
        "digest": digest(target.name, places),
    }
    return convert(said, Found)


def make_report(asked: Request, found: Found, outcomes: Outcomes, seconds: float) -> Report:
    """The report as the contract has it, with what was asked for and the warnings beside."""
    selected = in_their_order(outcomes.selected)
    return completed(
        Report(
            **asdict(found),
            target=asked.target,
            tried=_tried(selected, outcomes.results),
            properties=[_entry(asked, entry, outcomes.results.get(entry.nodeid) or blank()) for entry in selected],
            warnings=outcomes.warnings,
            interrupted=outcomes.interrupted,
            seed=asked.seed,
            examples=asked.examples,
            round=asked.round_number,
            shard=list(asked.shard) if asked.shard != WHOLE else None,
            merged=None,
            campaign=None,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=round(seconds, 3),
            versions={"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
            schema_version=1,
            verdict="incomplete",
            totals={},
            shapes={},
            certificate=Certificate([], []),
            summary="",
        )
    )


def completed(report: Report) -> Report:
    """The report of what was gathered, in one run or in several: with its verdict, totals, certificate and summary."""
    entries, shapes = report.properties, report.tried.shapes
    cover_consequences(entries)
    rounds = report.campaign.rounds if report.campaign else 1
    operations = certificate(entries, rounds, report.tried.precisions)
    _name_causes(entries)
    for entry in entries:
        entry.diagnosis = list(map(str, entry.reasons))
    report.totals = totals_of(entries)
    report.verdict = _verdict(report)
    report.shapes = {name: [sides(key) for key in shapes[name]] for name in sorted(shapes)}
    report.certificate = Certificate(operations, not_proved(Layout(report.layout)))
    report.summary = one_line(report)
    return report


def one_line(report: Report, *more: str) -> str:
    """The verdict in one line that fits a commit status: what is less needed goes first, then the front of the name.

    Source: GitHub's REST API refuses a status: "description is too long (maximum is 140 characters)".
    """
    counts = ", ".join(f"{count} {outcome}" for outcome, count in report.totals.items() if count)
    follow = len(parted(report.properties)[1])
    follows = f", {follow} of them as {'a consequence' if follow == 1 else 'consequences'} of others" if follow else ""
    examples = sum(entry.examples for entry in report.properties)
    counted = f"{examples:,} example{'s' * (examples != 1)}"
    how = "; " + ", ".join([counted, f"seed {report.seed}", *_parts(report), *more])
    name = printable(report.target)
    rests = [f": {report.verdict} ({counts}{words})" for words in (follows + how, how, "")]
    rest = next(one for one in rests if len(one) + min(len(name), SHORTEST_NAME) <= LONGEST or one is rests[-1])
    room = LONGEST - len(rest)
    return (name if len(name) <= room else f"…{name[len(name) - room + 1 :]}") + rest


def _parts(report: Report) -> list[str]:
    """Which part of a campaign a report is of, and of how many rounds, in a few words; of a run that is all none."""
    rounds = [counted_rounds(report.campaign.rounds)] if report.campaign else []
    if report.shard:
        number, shards = report.shard
        return [*rounds, in_words([number], shards)]
    if not report.merged:
        return rounds
    shards, missing = report.merged.shards, report.merged.missing
    return [*rounds, f"without {in_words(missing, shards)}" if missing else f"{shards} shards"]


def exit_status(report: Report) -> int:
    """The contract's exit status of a report: whatever is refuted, an interrupted run says so.

    A part of a campaign to which nothing to compare falls has nothing against the target: its verdict is incomplete.
    """
    if report.interrupted:
        return INTERRUPTED
    nothing = all(entry.outcome == "not applicable" for entry in report.properties)
    return HELD if report.verdict == "holds" or (report.shard and nothing) else REFUTED


def applied(report: Report) -> bool:
    """Whether any property applied to the target at all, if only in other shards."""
    return any(entry.outcome != "not applicable" or entry.note == "left to other parts" for entry in report.properties)


def as_junit(report: Report) -> bytes:
    """The report as JUnit XML, UTF-8: for each property, what failed with what a person would read of it.

    A refuted property is a failure, a crashed one an error; what did not run is skipped. Source: `junit-10.xsd`, the
    schema by which the xUnit plugin of Jenkins takes a report or refuses it.
    """
    totals = report.totals
    counts = {"tests": len(report.properties), "failures": totals["refuted"], "errors": totals["crashed"]}
    attributes = {name: str(count) for name, count in counts.items()} | {"time": f"{report.seconds:.3f}"}
    root = ElementTree.Element("testsuites", {"name": "backproof", **attributes})
    skipped = str(sum(totals[outcome] for outcome in SKIPPED))  # which the schema has on a suite alone
    name = _of_xml(report.target)
    suite = ElementTree.SubElement(root, "testsuite", {"name": name, **attributes, "skipped": skipped})
    for entry in report.properties:
        module, _, name = entry.id.partition(".")
        place = {"classname": f"backproof.{module}", "name": name, "time": f"{entry.seconds:.3f}"}
        case = ElementTree.SubElement(suite, "testcase", place)
        message = _of_xml(entry.message or entry.outcome)
        if entry.fails:
            kind = "failure" if entry.outcome == "refuted" else "error"
            told = ElementTree.SubElement(case, kind, message=message, type=entry.outcome)
            told.text = _of_xml(
                "\n".join([*plain_lines(entry.statement, entry), f"{'again with':12}{entry.reproduce}"])
            )
        elif entry.outcome in SKIPPED:
            ElementTree.SubElement(case, "skipped", message=message)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _of_xml(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return "".join(one if one in "\t\n" or one.isprintable() else ascii(one)[1:-1] for one in text)


def _entry(asked: Request, about: Property, result: Result) -> Entry:
    names = {
        name: getattr(about, name) for name in ("id", "operation", "operations", "statement", "source", "theorems")
    }
    script = result.script if result.fails else None
    return convert({**asdict(result), **names, "script": script, "reproduce": asked.reproduce(about)}, Entry)


def _tried(selected: list[Property], results: dict[str, Result]) -> Tried:
    """What the cases of all properties together were, and the errors seen in each operation."""
    ran = [(entry.operation, results[entry.nodeid].tried) for entry in selected if entry.nodeid in results]
    return summed_up(
        Tried(
            shapes={name: tried[name] for name in SIZED if name in tried},
            errors={operation: tried.get("errors", {})},
            precisions={operation: tried.get("precisions", {})},
            **{kind: tried.get(kind, {}) for kind in COUNTED},
        )
        for operation, tried in ran
    )


def summed_up(several: Iterable[Tried]) -> Tried:
    """What several sets of cases together were."""
    every = list(several)

    def by_name(counted: list[dict[str, Counts]]) -> dict[str, Counts]:
        names = dict.fromkeys(name for counts in counted for name in counts)
        sums = {name: summed(counts.get(name, {}) for counts in counted) for name in names}
        return {name: counts for name, counts in sums.items() if counts}

    named = {kind: by_name([getattr(tried, kind) for tried in every]) for kind in ("shapes", "errors", "precisions")}
    return convert(named | {kind: summed(getattr(tried, kind) for tried in every) for kind in COUNTED}, Tried)


def _name_causes(entries: list[Entry]) -> None:
    """Say of a failure that compares with other operations of the target which of them are refuted themselves."""
    alone = {entry.operation for entry in entries if entry.fails and len(entry.operations) == 1}
    for entry in entries:
        causes = tuple(sorted(alone & set(entry.operations[1:])))
        if entry.fails and causes:
            why = f"it is held against the target's own {', '.join(causes)}: mend first what is said of that"
            found = [reason for reason in entry.reasons if reason.kind != "held against"]  # in a shard alone
            entry.reasons = [*found, Reason(why, kind="held against", causes=causes)]


def _verdict(report: Report) -> Literal["holds", "refuted", "broken", "incomplete"]:
    missing, campaign = report.merged and report.merged.missing, report.campaign
    incomplete = report.interrupted or missing or (campaign and not campaign.finished)
    totals = report.totals
    if totals["refuted"]:
        return "refuted"
    if totals["crashed"] and not incomplete:
        return "broken"
    return "incomplete" if incomplete or not (totals["held"] or totals["known"]) else "holds"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
