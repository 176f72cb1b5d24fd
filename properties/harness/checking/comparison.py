"""Comparing what a target gave with what is right, entry by entry, within a derived bound."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.reason import Difference, Reason
from ..core.tape import Case
from ..core.text import encoded
from ..core.values import Array, Kind, Value, parts
from ..target.operation import Failure, Operation, Refuted
from .trial import current

ONCE = "the answer was wrong, and right when it was asked for again"
LEAST_ERROR = -6  # of the powers of two that errors are counted by


def agree(yours: Any, expected: Value, what: str, kind: Kind | None = None) -> None:
    """Hold `yours` against `expected`; `Refuted` says how many entries differ, where first, and the bound.

    `what` names the quantity, `kind` what it is if it is no answer of the statement's first operation. NaN and
    infinities never agree. Raises `AssertionError` of its own kind, `Refuted`, with both sides; records the comparison
    and the error in units of rounding.
    """
    mine, right = np.asarray(yours, dtype=np.float64), np.asarray(expected.value, dtype=np.float64)
    if mine.shape != right.shape:
        raise Refuted(f"{what} has shape {mine.shape}, not {right.shape}", yours=yours, expected=expected.value)
    error, unit = np.abs(mine - right), expected.unit
    allowed = expected.units * unit + expected.floor
    wrong = ~(error <= allowed)
    record = current().record
    record.comparisons += right.size
    if wrong.any():
        allowed = np.broadcast_to(allowed, right.shape)
        first = tuple(int(i) for i in np.argwhere(wrong)[0]) if right.ndim else ()
        off, most = (encoded(float(size[first])) for size in (error, allowed))
        difference = Difference(what, int(wrong.sum()), right.size, first, off, most)
        raise Refuted(difference, yours=yours, expected=expected.value, wrong=wrong, kind=kind)
    _count(error - expected.floor, unit)


def agreeing(operation: Operation, points: Case) -> NDArray[np.bool_]:
    """At which of these points, taken together, every part of the operation's answer is right; those are recorded."""
    given = operation.signature.arguments(points)
    count = next(len(value) for value in given if isinstance(value, np.ndarray))
    answers = _together(operation, points, count)
    if answers is None:
        each = [parts(operation.at(points.taken(number))) for number in range(count)]
        answers = [np.stack(part) for part in zip(*each, strict=True)]
    agree = np.ones(count, bool)
    compared = []
    for answer, value in zip(answers, operation.signature.value(points), strict=True):
        error = np.abs(answer - value.value)
        agree &= (error <= value.allowed).reshape(count, -1).all(axis=1)
        compared.append((error - value.floor, np.broadcast_to(value.unit, error.shape)))
    for excess, unit in compared:
        current().record.comparisons += excess[agree].size
        _count(excess[agree], unit[agree])
    return agree


def _together(operation: Operation, points: Case, count: int) -> list[Array] | None:
    """The parts of the answers at these points, checked together; None where that is to be done one by one."""
    signature, layout, first = operation.signature, operation.layout, points.taken(0)
    kinds, shapes = signature.gives, operation.shapes(first)
    if Kind.NUMBERS in kinds or (Kind.POOLED_WEIGHTS in kinds and layout.channels_last):
        return None
    given = [
        [np.array(layout.outward(kind, one, first)) for one in points[name]]
        if isinstance(points[name], np.ndarray)
        else [points[name]] * count
        for name, kind in signature.takes.items()
    ]
    answers = list[list[Array]]()
    for own in zip(*given, strict=True):
        answer = operation.raw(*own)
        several = answer if len(kinds) > 1 else (answer,)
        if not isinstance(several, tuple) or len(several) != len(kinds):
            return None
        try:
            answers.append([np.array(part) for part in several])  # at once: a later call may change it
        except ValueError:  # ragged
            return None
    found = []
    for number, (kind, shape) in enumerate(zip(kinds, shapes, strict=True)):
        parts_of = [answer[number] for answer in answers]
        if any(part.shape != shape or part.dtype.kind not in "biuf" for part in parts_of):
            return None
        stacked = np.array(parts_of, dtype=np.float64)
        if not np.isfinite(stacked).all():
            return None
        found.append(operation.inward(kind, stacked, first))
    return found


def agree_at(operation: Operation, case: Case, points: Case, count: int) -> None:
    """Hold an operation's answers at so many points, taken together; the first that is wrong becomes the case."""
    seen = Refuted(ONCE)
    record, before = current().record, current().record.comparisons
    try:
        if agreeing(operation, points).all():
            return
    except Failure as failure:
        seen = failure  # type: ignore[assignment]
    record.comparisons = before
    for number in range(count):
        case.update(points.taken(number))
        agree_throughout(operation, case)
    raise seen


def _count(excess: Any, unit: Any) -> None:
    """Record the errors beyond what underflow may lose, in units of rounding."""
    record, inexact = current().record, excess > 0
    if inexact.any():
        shares = np.broadcast_to(excess / np.where(unit > 0, unit, np.inf), excess.shape)[inexact]
        record.largest_error = max(record.largest_error, float(shares.max()))
        record.tried["errors"].update(np.ldexp(1.0, np.maximum(np.frexp(shares)[1], LEAST_ERROR)).tolist())
    record.tried["errors"][0.0] += int(excess.size - inexact.sum())


def agree_throughout(operation: Operation, case: Case) -> None:
    """Hold every part of an operation's answer on a case against what is right; off kinks, where one answer is."""
    answers = parts(operation.at(case))
    values, kinds = operation.signature.value(case), operation.signature.gives
    for number, (yours, value, kind) in enumerate(zip(answers, values, kinds, strict=True)):
        agree(yours, value, operation.name if len(answers) == 1 else f"{operation.name}[{number}]", kind)


def require_legal(operation: Operation, answer: Any, case: Case) -> None:
    """Hold an answer that may be one of several against what is legal. `Refuted` if it is not."""
    assert operation.signature.faults
    kind = operation.signature.gives[0]
    for fault in operation.signature.faults(answer, case):
        message, expected, wrong = fault or ("", None, None)
        yours = next(part for part in parts(answer) if wrong is None or np.shape(part) == wrong.shape)
        require(not fault, message, yours=yours, expected=expected, wrong=wrong, kind=kind)


def require_right(operation: Operation, case: Case) -> None:
    """Hold the answer on a case against what is right there, one answer or several. `Refuted` if it is not."""
    if operation.signature.faults and (operation.signature.faults_tell_all or operation.signature.is_kinked(case)):
        require_legal(operation, operation.at(case), case)
    else:
        agree_throughout(operation, case)


def require(
    holds: bool,
    message: str,
    *,
    yours: Any,
    expected: Any,
    wrong: Any = None,
    diagnosis: tuple[Reason, ...] = (),
    kind: Kind | None = None,
) -> None:
    """Count one comparison and raise `Refuted` with both sides unless it `holds`; `wrong` says in which entries.

    `diagnosis` says what may mend it, where that is known.
    """
    current().record.comparisons += 1
    if not holds:
        refuted = Refuted(message, yours=yours, expected=expected, wrong=wrong, kind=kind)
        refuted.diagnosis = diagnosis
        raise refuted
