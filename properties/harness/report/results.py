"""What came of one property, as plain data that JSON, other processes and every kind of report can take."""

import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from ...layers import OPERATIONS
from ..checking.coverage import as_plain
from ..checking.trial import Record, current
from ..core.text import encoded, last_line, printable, shown_encoded
from ..target import memory
from ..target.frames import frames_of, lines_of
from ..target.operation import Crashed, Refuted, told

NO_LONGER_FAILS = "this known deviation no longer fails: take it off the list"
OUTCOMES = ("held", "refuted", "crashed", "not applicable", "known", "not run")
HELD_AGAINST = "it is held against the target's own"
_PARTS = re.compile(r"(?:^|\s)(Why|Mend|Seen): ")
FAILING = ("refuted", "crashed")
PARAGRAPHS = ("because", "diagnosis")  # of an explanation: sentences, where the rest is numbers


def finished(
    record: Record, error: BaseException | None, seconds: float, operations: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The result of one property: its record, its outcome by what it raised, and both sides if it failed.

    Of the counterexample it keeps what is no parameter of an operation, or one of these `operations`.
    """
    result: dict[str, Any] = {
        "outcome": "held",
        "examples": record.examples,
        "left_out": record.left_out,
        "comparisons": record.comparisons,
        "largest_error": record.largest_error,
        "seconds": round(seconds, 4),
        "seconds_in_target": round(record.seconds_in_target, 4),
        "tried": as_plain(record.tried),
        "proof": record.proof,
        "counterexample": None,
        "yours": None,
        "expected": None,
        "wrong": [],
        "diagnosis": [],
        "mistakes": [],
        "follows_from": [],
        "message": None,
        "scripts": [],
        "script": None,
        "listed": None,
        "frames": [],
    }
    if error is None:
        return result
    if isinstance(error, pytest.skip.Exception):
        return {**result, "outcome": "not applicable", "message": str(error)}
    if record.refutation is not None and not isinstance(error, Refuted | Crashed):
        error = record.refutation
        result["diagnosis"] = ["tried again on the same case it gave another answer: it is random or keeps state"]
    result["scripts"] = list(getattr(error, "scripts", ()))
    sides = told(error, operations[0], current().target.layout) if operations else error
    if isinstance(error, Refuted):
        result.update(
            outcome="refuted",
            yours=encoded(sides.yours),
            expected=encoded(sides.expected),
            wrong=np.argwhere(sides.wrong).tolist() if np.ndim(sides.wrong) else [],
            diagnosis=[*error.diagnosis, *result["diagnosis"]],
            mistakes=list(error.mistakes),
            follows_from=list(error.follows_from),
            message=error.message,
        )
    elif isinstance(error, Crashed):
        result.update(outcome="crashed", message=str(error), expected="an answer, or NotImplementedError")
        result["frames"] = frames_of(error.error)
        result["diagnosis"] = [*error.diagnosis, *result["diagnosis"]]
    else:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = printable(f"{place.name}, {Path(place.filename).name}, line {place.lineno}")
        message = f"the statement itself failed, in {where}: {last_line(error)}"
        if no_memory := memory.why_refused(error):
            message, result["diagnosis"] = "the target has left no memory", list(no_memory)
        result.update(outcome="crashed", message=message)
    case = getattr(sides, "case", {})
    parameters = {name: set(signature.parameters) for name, signature in OPERATIONS.items()}
    unused = set[str]().union(*parameters.values()) - set[str]().union(*(parameters[name] for name in operations))
    shown = {name: encoded(value) for name, value in case.items() if name not in unused and name[0] != "_"}
    return {**result, "counterexample": shown or None}


def ended(message: str) -> dict[str, Any]:
    """The result of a property whose process ended."""
    return finished(Record(), Crashed("the target", RuntimeError(message)), 0.0) | {"message": message}


def parted(entries: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The failures that are news, and those that follow from operations of which the former speak."""
    failing = [entry for entry in entries if entry["outcome"] in FAILING]
    told = {entry["operation"] for entry in failing if not entry["follows_from"]}
    follows = [bool(entry["follows_from"]) and told.issuperset(entry["follows_from"]) for entry in failing]
    pairs = list(zip(failing, follows, strict=True))
    return [entry for entry, follow in pairs if not follow], [entry for entry, follow in pairs if follow]


def grouped(entries: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The entries of each operation, in the order in which they first come."""
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        found.setdefault(entry["operation"], []).append(entry)
    return found


class Row(NamedTuple):
    """What came of all the properties of an operation: how many had each outcome, and their sums."""

    operation: str
    totals: dict[str, int]
    examples: int
    comparisons: int
    largest_error: float

    @property
    def error(self) -> str:
        """The largest error as a table shows it: a dash where failures were no measurements, and left out of it."""
        fails = any(self.totals[outcome] for outcome in (*FAILING, "known"))
        return "–" if fails else f"{self.largest_error:.2g}"


class Fault(NamedTuple):
    """What is wrong with an operation in a few words: what, how to mend it, and where; the latter two may be empty."""

    operation: str
    what: str
    mend: str
    place: str


def overview(report: dict[str, Any]) -> list[Fault]:
    """What is wrong with each operation of which a failure is news, by its most telling failure."""
    faults: list[Fault] = []
    for operation, entries in grouped(parted(report["properties"])[0]).items():
        entry = min(entries, key=lambda one: bool(_causes(one)))
        reason = entry["diagnosis"][0] if entry["diagnosis"] and entry["outcome"] == "refuted" else entry["message"]
        parts = dict(parts_of(reason))
        what, mend = printable(parts["What"]), printable(parts.get("Mend", ""))
        place = (entry["frames"] or [report["definitions"].get(operation)])[-1]
        where = printable(f"{place['file']}:{place['line']}") if place else ""
        first = next((fault.operation for fault in faults if fault.what == what), None)
        if first or (causes := _causes(entry)):
            what, mend, where = (
                f"as {first}" if first else f"held against the target's own {causes}: mend that first",
                "",
                "",
            )
        faults.append(Fault(operation, what, mend, where))
    return faults


def _causes(entry: dict[str, Any]) -> str:
    """The operations of the target, refuted themselves, that this failure may come from; none if it is empty."""
    found = [line for line in entry["diagnosis"] if line.startswith(HELD_AGAINST)]
    return found[0].removeprefix(f"{HELD_AGAINST} ").partition(":")[0] if found else ""


def parts_of(reason: str) -> list[tuple[str, str]]:
    """A diagnosis in its parts: what is wrong, why people write it, how to mend it, where it was seen."""
    first, *rest = _PARTS.split(reason)
    return [("What", first), *zip(rest[::2], rest[1::2], strict=True)]


def by_operation(report: dict[str, Any]) -> list[Row]:
    """A row for each operation that the target offers and a property speaks of, in the contract's order."""
    rows = []
    for name in OPERATIONS:
        mine = [entry for entry in report["properties"] if entry["operation"] == name]
        if mine and name not in report["lacking"]:
            totals = {outcome: sum(entry["outcome"] == outcome for entry in mine) for outcome in OUTCOMES}
            examples, comparisons = (sum(entry[key] for entry in mine) for key in ("examples", "comparisons"))
            rows.append(Row(name, totals, examples, comparisons, max(entry["largest_error"] for entry in mine)))
    return rows


def outcomes_of(report: dict[str, Any]) -> list[str]:
    """The outcomes that a table of the report has columns for: `held`, and whatever else there was."""
    return [outcome for outcome in OUTCOMES if outcome == "held" or report["totals"][outcome]]


def plain_lines(statement: str, result: dict[str, Any]) -> list[str]:
    """A failure as lines of plain text: the statement, then what a person reads of it."""
    return [statement, *(f"{label:12}{text}" for label, text in explanation(result))]


def explanation(result: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a person reads of a failure, label by label: the counterexample, both sides, and the reasons."""
    values = {**(result["counterexample"] or {}), "yours": result["yours"], "expected": result["expected"]}
    for name, value in values.items():
        if value is not None:
            yield printable(name), shown_encoded(value, result["wrong"] if name == "yours" else ())
    yield "because", printable(result["message"])
    if result["frames"]:
        yield "raised at", lines_of(result["frames"])
    for reason in result["diagnosis"]:
        yield "diagnosis", printable(reason)
