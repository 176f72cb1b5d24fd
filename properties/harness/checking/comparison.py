"""Comparing what a target gave with what is right, entry by entry, within a derived bound."""

from typing import Any

import numpy as np

from ...layers import bounds
from ..core.reason import Difference, Reason
from ..core.tape import Case
from ..core.text import encoded
from ..core.values import Value, parts
from ..target.operation import Failure, Operation, Refuted
from . import pointwise
from .trial import current

ONCE = "the answer was wrong, and right when it was asked for again"
LEAST_ERROR = -6  # of the powers of two that errors are counted by


def agree(yours: Any, expected: Value, what: str) -> None:
    """Hold `yours` against `expected`; `Refuted` says how many entries differ, where first, and the bound.

    `what` names the quantity. NaN and infinities never agree. Raises `AssertionError` of its own kind,
    `Refuted`, with both sides; records the comparison and the error in units of rounding.
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
        raise Refuted(difference, yours=yours, expected=expected.value, wrong=wrong)
    _count(error - expected.floor, unit)


def agreeing(operation: Operation, points: Case) -> Any:
    """At which of these points, taken together, every part of the operation's answer is right; those are recorded."""
    names = operation.signature.parameters
    arguments = zip(*(_each(value) for value in points.arguments(*names)), strict=True)
    answers = [parts(operation(*one)) for one in arguments]
    agree = np.ones(len(answers), bool)
    compared = []
    for number, value in enumerate(pointwise.OF[operation.name](points)):
        error = np.abs(np.stack([answer[number] for answer in answers]) - value.value)
        agree &= (error <= value.allowed).reshape(len(error), -1).all(axis=1)
        compared.append((error - value.floor, np.broadcast_to(value.unit, error.shape)))
    for excess, unit in compared:
        current().record.comparisons += excess[agree].size
        _count(excess[agree], unit[agree])
    return agree


def _each(value: Any) -> Any:
    return value.tolist() if value.ndim == 1 else value


def agree_at(operation: Operation, case: Case, points: list[Case]) -> None:
    """Hold an operation's answers at several cases of one shape; the first that is wrong becomes the case."""
    seen: Failure | None = None
    if operation.name in pointwise.OF and not operation.layout.channelled:
        names = operation.signature.parameters
        together = Case({name: np.stack([np.asarray(point[name]) for point in points]) for name in names})
        record, seen, before = current().record, Refuted(ONCE), current().record.comparisons
        try:
            if agreeing(operation, together).all():
                return
        except Failure as failure:
            seen = failure
        record.comparisons = before
    for point in points:
        case.update(point)
        agree_throughout(operation, point)
    if seen:
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
    answer = operation(*case.arguments(*operation.signature.parameters))
    for number, (yours, value) in enumerate(zip(parts(answer), bounds.of(operation.name, case), strict=True)):
        agree(yours, value, operation.name if len(parts(answer)) == 1 else f"{operation.name}[{number}]")


def require(
    holds: bool, message: str, *, yours: Any, expected: Any, wrong: Any = None, diagnosis: tuple[Reason, ...] = ()
) -> None:
    """Count one comparison and raise `Refuted` with both sides unless it `holds`; `wrong` says in which entries.

    `diagnosis` says what may mend it, where that is known.
    """
    current().record.comparisons += 1
    if not holds:
        refuted = Refuted(message, yours=yours, expected=expected, wrong=wrong)
        refuted.diagnosis = diagnosis
        raise refuted
