"""What came of one property, what a person reads of it, and what several come to together."""

import textwrap
import traceback
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_origin

import numpy as np
import pytest
from msgspec import convert
from msgspec.structs import fields, replace

from ...layers import OPERATIONS, in_order
from ..checking.coverage import as_plain
from ..checking.trial import Record, current
from ..core.reason import Reason
from ..core.setting import Conventions, Setting
from ..core.text import decoded, encoded, last_line, printable, shown_encoded
from ..core.values import parts
from ..target import memory
from ..target.definitions import frames_of
from ..target.layout import Layout
from ..target.operation import Crashed, Failure, Refuted, Told, told
from .data import OUTCOMES, Definition, Entry, Found, Frame, Outcome, Proof, Report, Result, Value

NO_LONGER_FAILS = "this known deviation no longer fails: take it off the list"
FLAKY = Reason("tried again on the same case it gave another answer: it is random or keeps state", kind="circumstance")
MOST_OWN_LINES = 12  # of a function that is shown whole beside the lines that answer like it
_KINDS = {one.name: get_origin(one.type) or one.type for one in fields(Result)}


def blank() -> Result:
    """The result of a property that did not run: no words, zeros, and nothing where there may be none."""
    empty = {name: kind() if kind in (str, int, float, list, dict) else None for name, kind in _KINDS.items()}
    return convert({**empty, "outcome": "not run"}, Result)


def finished(record: Record, error: BaseException | None, seconds: float, operations: tuple[str, ...] = ()) -> Result:
    """The result of one property: its record, its outcome by what it raised, and both sides if it failed.

    Of the counterexample it keeps what is no parameter of an operation, or one of these `operations`.
    """
    result = blank()
    result.outcome = "held"
    result.examples, result.left_out, result.comparisons = record.examples, record.left_out, record.comparisons
    result.largest_error = record.largest_error
    result.seconds, result.seconds_in_target = round(seconds, 4), round(record.seconds_in_target, 4)
    result.tried = as_plain(record.tried)
    result.proof = convert(record.proof, Proof | None)
    if error is None:
        return result
    if isinstance(error, pytest.skip.Exception):
        result.outcome, result.message = "not applicable", str(error)
        result.note = "left to other parts" if record.is_left else None
        return result
    if record.refutation is not None and not isinstance(error, Refuted | Crashed):
        error = record.refutation
        result.reasons = [FLAKY]
    result.outcome = "crashed"
    case: dict[str, object] = {}
    if isinstance(error, Failure):
        nothing = Told({}, None, None, None, None, str(error))
        sides = told(error, operations[0], current().target.layout) if operations else nothing
        case = sides.case
        result.reasons = [*error.diagnosis, *result.reasons]
        result.scripts = list(error.scripts)
    if isinstance(error, Refuted):
        result.outcome = "refuted"
        result.message, result.difference = sides.message, sides.difference
        result.yours, result.expected = encoded(sides.yours), encoded(sides.expected)
        result.wrong = np.argwhere(sides.wrong).tolist() if np.ndim(sides.wrong) else []
        result.mistakes, result.follows_from = list(error.mistakes), list(error.follows_from)
    elif isinstance(error, Crashed):
        result.message, result.expected = str(error), "an answer, or NotImplementedError"
        result.frames = convert(frames_of(error.error), list[Frame])
    elif no_memory := memory.why_refused(error):
        result.message, result.reasons = "the target has left no memory", list(no_memory)
    else:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = printable(f"{place.name}, {Path(place.filename).name}, line {place.lineno}")
        result.message = f"the statement itself failed, in {where}: {last_line(error)}"
    known = {name for signature in OPERATIONS.values() for name in signature.parameters}
    used = {name for operation in operations for name in OPERATIONS[operation].parameters}
    shown = {name: encoded(value) for name, value in case.items() if name not in known - used and name[0] != "_"}
    result.counterexample = shown or None
    return result


def ended(message: str) -> Result:
    """The result of a property whose process ended."""
    result = finished(Record(), Crashed("the target", RuntimeError(message)), 0.0)
    result.message = message
    return result


def parted(entries: list[Entry]) -> tuple[list[Entry], list[Entry]]:
    """The failures that are news, and those that follow from operations of which the former speak."""
    failing = [entry for entry in entries if entry.fails]
    told = {entry.operation for entry in failing if not entry.follows_from}

    def follows(entry: Entry) -> bool:
        return bool(entry.follows_from) and told.issuperset(entry.follows_from)

    return [entry for entry in failing if not follows(entry)], [entry for entry in failing if follows(entry)]


def grouped(entries: list[Entry]) -> dict[str, list[Entry]]:
    """The entries of each operation, in the order in which they first come."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.operation, []).append(entry)
    return found


class Row(NamedTuple):
    """What came of all the properties of an operation: how many had each outcome, and their sums."""

    operation: str
    totals: dict[Outcome, int]
    examples: int
    comparisons: int
    largest_error: float

    @property
    def error(self) -> str:
        """The largest error as a table shows it: a dash where failures were no measurements, and left out of it."""
        fails = any(self.totals[outcome] for outcome in ("refuted", "crashed", "known"))
        return "–" if fails else f"{self.largest_error:.2g}"


class Fault(NamedTuple):
    """What is wrong with an operation in a few words: what, how to mend it, and where; the latter two may be empty."""

    operation: str
    what: str
    mend: str = ""
    place: str = ""


def overview(report: Report) -> list[Fault]:
    """What is wrong with each operation of which a failure is news, by its most telling failure."""
    faults: list[Fault] = []
    for operation, entries in grouped(parted(report.properties)[0]).items():
        entry = min(entries, key=lambda one: bool(_held_against(one)))
        told = {"What": entry.message or ""}
        if entry.reasons and entry.outcome == "refuted":
            first = entry.reasons[0]
            told = ({"Mend": first.right} if first.right and "\n" not in first.right else {}) | dict(first.parts())
        what, mend = printable(told["What"]), printable(told.get("Mend", ""))
        place = entry.frames[-1] if entry.frames else report.definitions.get(operation)
        fault = Fault(operation, what, mend, printable(f"{place.file}:{place.line}") if place else "")
        if other := next((one.operation for one in faults if one.what == what), None):
            fault = Fault(operation, f"as {other}")
        elif others := _held_against(entry):
            fault = Fault(operation, f"held against the target's own {', '.join(others)}: mend that first")
        faults.append(fault)
    return faults


def _held_against(entry: Entry) -> tuple[str, ...]:
    """The operations of the target, refuted themselves, that this failure may come from."""
    return next((reason.causes for reason in entry.reasons if reason.kind == "held against"), ())


def totals_of(entries: list[Entry]) -> dict[Outcome, int]:
    """How many had each outcome."""
    return {outcome: sum(entry.outcome == outcome for entry in entries) for outcome in OUTCOMES}


def by_operation(report: Report) -> list[Row]:
    """A row for each operation that the target offers and a property speaks of, in the contract's order."""
    found, rows = grouped(report.properties), []
    for name in in_order(found):
        if name not in report.lacking:
            entries = found[name]
            examples, comparisons = sum(one.examples for one in entries), sum(one.comparisons for one in entries)
            error = max(one.largest_error for one in entries)
            rows.append(Row(name, totals_of(entries), examples, comparisons, error))
    return rows


def outcomes_of(report: Report) -> list[Outcome]:
    """The outcomes that a table of the report has columns for: `held`, and whatever else there was."""
    return [outcome for outcome in OUTCOMES if outcome == "held" or report.totals[outcome]]


class Line(NamedTuple):
    """A label and what stands beside it: a value, lines that are kept as they are, the message or a reason."""

    label: str
    text: str
    form: Literal["value", "lines", "message", "reason", "code"] = "value"

    @property
    def is_prose(self) -> bool:
        """Whether it is a sentence."""
        return self.form in ("message", "reason")


def explanation(entry: Entry, definitions: Mapping[str, Definition] | None = None) -> Iterator[Line]:
    """What a person reads of a failure: the counterexample, both sides, and the reasons.

    Of a reason that has lines of code those follow it, and beside them the target's own, where these are defined.
    """
    for name, value in values_of(entry).items():
        text = shown_encoded(value, entry.wrong if name == "yours" else ())
        yield Line(printable(name), text, "lines" if _has_axes(value) else "value")
    yield Line("because", printable(entry.message or ""), "message")
    if entry.frames:
        yield Line("raised at", "\n".join(map(str, entry.frames)), "lines")
    for reason in entry.reasons:
        yield Line("diagnosis", printable(str(replace(reason, right="", wrong=""))), "reason")
        if reason.right or reason.wrong:
            yield Line("right code", reason.right, "code")
            yield Line("like yours", reason.wrong, "code")
            place = (definitions or {}).get(reason.about or entry.operation)
            if place and (own := _nearest(place.lines, reason.wrong)):
                yield Line("your code", own, "code")


def _nearest(lines: list[str], wrong: str) -> str:
    """Of a function's lines those that are most like these, with their neighbours; all of a short one."""
    kept = lines
    if len(lines) > MOST_OWN_LINES:
        wanted = wrong.splitlines()[0].strip() if wrong else ""
        likeness = [SequenceMatcher(None, wanted, line.strip()).ratio() for line in lines]
        place = likeness.index(max(likeness))
        kept = lines[max(place - 2, 0) : place + 3]
    return textwrap.dedent("\n".join(kept))


def layout_of(report: Found | Report) -> Layout:
    """The target's layout, as it was declared."""
    labels = report.declared.labels
    return Layout(report.layout, kernel=report.kernel_layout, gradients_are=report.gradients_are, labels=labels)


def setting_of(report: Found | Report) -> Setting:
    """What right values and right code of the target hang on: what it chose, and what it declares."""
    found, declared = report.conventions, report.declared
    chosen = Conventions(found.convolution, further=tuple(found.further.items()))
    return Setting(
        conventions=chosen,
        most=layout_of(report).most,
        reduction=declared.reduction,
        labels=declared.labels,
        network=_in_tuples(declared.network),
        channels_last=layout_of(report).channels_last,
    )


def _in_tuples(value: Any) -> Any:
    return tuple(map(_in_tuples, value)) if isinstance(value, list | tuple) else value


def values_of(entry: Entry) -> dict[str, Value]:
    """The counterexample and both sides by name, as far as there are any."""
    values = {**(entry.counterexample or {}), "yours": entry.yours, "expected": entry.expected}
    return {name: value for name, value in values.items() if value is not None}


def _has_axes(value: Value) -> bool:
    return any(np.ndim(part) > 0 for part in parts(decoded(value)))


def plain_lines(statement: str, result: Entry) -> list[str]:
    """A failure as lines of plain text: the statement, then what a person reads of it."""
    return [statement, *(f"{line.label:12}{line.text}" for line in explanation(result))]
