"""The report of one run: the contract's JSON, its verdict, and the exit status that goes with it."""

import json
import platform
import shlex
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ...layers import OPERATIONS
from ..checking.coverage import SIZED, sides, summed
from ..checking.properties import Property, all_properties
from ..checking.trial import DEFAULT_EXAMPLES
from ..core.setting import Conventions
from ..core.shards import LEFT_TO_OTHERS, WHOLE, Shard, in_words, name_of
from ..core.text import printable
from ..target import memory
from ..target.definitions import definitions, digest
from ..target.layout import Layout
from ..target.target import Target
from ..target.timeouts import DEFAULT_TIMEOUT
from .certificate import certificate, counted_rounds, not_proved
from .known import cover_consequences
from .results import FAILING, HELD_AGAINST, OUTCOMES, parted

PACKAGES = ("backproof", "numpy", "scipy", "scikit-image", "hypothesis", "pytest")
Found = dict[str, Any]
HELD, REFUTED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
LONGEST, SHORTEST_NAME = 140, 20  # characters of the summary, and of the target's name in it


@dataclass(frozen=True)
class Asked:
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
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)
    interrupted: bool = False


def found(target: Target, conventions: Conventions) -> Found:
    """What a report says of the target itself: its conventions and limits, what it lacks, and where it is defined."""
    return {
        "conventions": {
            "convolution": conventions.convolution,
            "ties": conventions.ties,
            "relu_derivative_at_zero": conventions.relu_derivative_at_zero,
            "dtype": target.dtype,
        },
        "layout": target.layout.name,
        "limits": {"kernels": target.limits.kernels, "windows": target.limits.windows, "images": target.limits.images},
        "lacking": [name for name in OPERATIONS if name not in target.operations],
        "near_misses": target.near_misses,
        "definitions": (places := definitions({name: one.function for name, one in target.operations.items()})),
        "digest": digest(target.name, places),
    }


def make_report(asked: Asked, found: Found, outcomes: Outcomes, seconds: float) -> dict[str, Any]:
    """The report as the contract has it, with what was asked for and the warnings beside."""
    catalogue = all_properties()
    selected = [entry for nodeid, entry in catalogue.items() if nodeid in outcomes.selected]
    gathered = {
        "target": asked.target,
        **found,
        "tried": _tried(selected, outcomes.results),
        "properties": [_entry(asked, entry, outcomes.results.get(entry.nodeid)) for entry in selected],
        "warnings": outcomes.warnings,
        "interrupted": outcomes.interrupted,
        "seed": asked.seed,
        "examples": asked.examples,
        "round": asked.round_number,
        "shard": list(asked.shard) if asked.shard != WHOLE else None,
        "merged": None,
        "campaign": None,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
    }
    return completed(gathered)


def completed(gathered: dict[str, Any]) -> dict[str, Any]:
    """The report of what was gathered, in one run or in several: with its verdict, totals, certificate and summary."""
    entries, shapes = gathered["properties"], gathered["tried"]["shapes"]
    merged, campaign = gathered["merged"], gathered["campaign"]
    incomplete = gathered["interrupted"] or (merged and merged["missing"]) or (campaign and not campaign["finished"])
    cover_consequences(entries)
    operations = certificate(entries, campaign["rounds"] if campaign else 1)
    _name_causes(entries)
    totals = {outcome: sum(entry["outcome"] == outcome for entry in entries) for outcome in OUTCOMES}
    report = {
        "schema_version": 1,
        "target": gathered["target"],
        "verdict": _verdict(totals, bool(incomplete)),
        "totals": totals,
        "shapes": {name: [sides(key) for key in shapes[name]] for name in sorted(shapes)},
        "certificate": {"operations": operations, "not_proved": not_proved(Layout(gathered["layout"]))},
        **gathered,
    }
    return {**report, "summary": one_line(report)}


def one_line(report: dict[str, Any], *more: str) -> str:
    """The verdict in one line that fits a commit status: what is less needed goes first, then the front of the name.

    Source: GitHub's REST API refuses a status: "description is too long (maximum is 140 characters)".
    """
    counts = ", ".join(f"{count} {outcome}" for outcome, count in report["totals"].items() if count)
    follow = len(parted(report["properties"])[1])
    follows = f", {follow} of them as {'a consequence' if follow == 1 else 'consequences'} of others" if follow else ""
    examples = sum(entry["examples"] for entry in report["properties"])
    counted = f"{examples:,} example{'s' * (examples != 1)}"
    how = "; " + ", ".join([counted, f"seed {report['seed']}", *_parts(report), *more])
    name = printable(report["target"])
    rests = [f": {report['verdict']} ({counts}{words})" for words in (follows + how, how, "")]
    rest = next(one for one in rests if len(one) + min(len(name), SHORTEST_NAME) <= LONGEST or one is rests[-1])
    room = LONGEST - len(rest)
    return (name if len(name) <= room else f"…{name[len(name) - room + 1 :]}") + rest


def _parts(report: dict[str, Any]) -> list[str]:
    """Which part of a campaign a report is of, and of how many rounds, in a few words; of a run that is all none."""
    rounds = [counted_rounds(report["campaign"]["rounds"])] if report["campaign"] else []
    if report["shard"]:
        number, shards = report["shard"]
        return [*rounds, in_words([number], shards)]
    if not report["merged"]:
        return rounds
    shards, missing = report["merged"]["shards"], report["merged"]["missing"]
    return [*rounds, f"without {in_words(missing, shards)}" if missing else f"{shards} shards"]


def exit_status(report: dict[str, Any]) -> int:
    """The contract's exit status of a report: whatever is refuted, an interrupted run says so.

    A part of a campaign to which nothing to compare falls has nothing against the target: its verdict is incomplete.
    """
    if report["interrupted"]:
        return INTERRUPTED
    nothing = not any(report["totals"][outcome] for outcome in ("held", *FAILING, "known", "not run"))
    return HELD if report["verdict"] == "holds" or (report["shard"] and nothing) else REFUTED


def applied(report: dict[str, Any]) -> bool:
    """Whether any property applied to the target at all, if only in other shards."""
    entries = report["properties"]
    return any(entry["outcome"] != "not applicable" or entry["message"] == LEFT_TO_OTHERS for entry in entries)


def as_json(report: dict[str, Any]) -> str:
    """The report as strict JSON."""
    return json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _entry(asked: Asked, entry: Property, result: dict[str, Any] | None) -> dict[str, Any]:
    blank = {"outcome": "not run", **dict.fromkeys(("examples", "left_out", "comparisons"), 0)}
    blank |= dict.fromkeys(("largest_error", "seconds", "seconds_in_target"), 0.0)
    nothing = ("proof", "counterexample", "yours", "expected", "message", "script", "listed")
    empty: dict[str, Any] = dict.fromkeys(nothing)
    empty |= {"wrong": [], "diagnosis": [], "mistakes": [], "follows_from": [], "frames": []}
    result = {**blank, **empty, **(result or {})}
    return {
        "id": entry.id,
        "operation": entry.operation,
        "operations": list(entry.operations),
        "statement": entry.statement,
        "source": entry.source,
        **{key: value for key, value in result.items() if key not in ("tried", "scripts")},
        "reproduce": asked.reproduce(entry),
        "script": result["script"] if result["outcome"] in FAILING else None,
    }


def _tried(selected: list[Property], results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What all cases together were, and the errors seen in each operation."""
    pairs = [(entry.operation, results[entry.nodeid]["tried"]) for entry in selected if entry.nodeid in results]

    def all_of(kind: str, operation: str = "") -> dict[str, int]:
        return summed(tried.get(kind, {}) for name, tried in pairs if operation in ("", name))

    shapes = {name: all_of(name) for name in SIZED}
    errors = {name: all_of("errors", name) for name in OPERATIONS}
    return {
        "shapes": {name: counts for name, counts in shapes.items() if counts},
        **{kind: all_of(kind) for kind in ("maxima", "margins", "patterns")},
        "errors": {name: counts for name, counts in errors.items() if counts},
    }


def _name_causes(entries: list[dict[str, Any]]) -> None:
    """Say of a failure that compares with other operations of the target which of them are refuted themselves."""
    alone = {e["operation"] for e in entries if e["outcome"] in FAILING and len(e["operations"]) == 1}
    for entry in entries:
        causes = sorted(alone & set(entry["operations"][1:]))
        if entry["outcome"] in FAILING and causes:
            why = f"{HELD_AGAINST} {', '.join(causes)}: mend first what is said of that"
            found = [line for line in entry["diagnosis"] if not line.startswith(HELD_AGAINST)]  # in a shard alone
            entry["diagnosis"] = [*found, why]


def _verdict(totals: dict[str, int], incomplete: bool) -> str:
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
