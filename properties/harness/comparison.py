"""Comparing what a target gave with what is right, entry by entry, within a derived bound."""

from typing import Any

import numpy as np

from properties.harness import bounds
from properties.harness.bounds import Value
from properties.harness.strategies import Case
from properties.harness.target import Operation, Refuted, parts
from properties.harness.trial import current

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
        place = f", first at {first}" if right.ndim and right.size > 1 else ""
        raise Refuted(
            f"{what}: {wrong.sum()} of {right.size} {'entry differs' if right.size == 1 else 'entries differ'}{place}: "
            f"off by {error[first]:.3g}, allowed {allowed[first]:.3g}",
            yours=yours,
            expected=expected.value,
            wrong=wrong,
        )
    _count(error - expected.floor, unit)


def agreeing(yours: list[Any], expected: Value) -> Any:
    """At which points answers agree with what is expected at all of them, along its first axis; those are recorded."""
    error, unit = np.abs(np.stack(yours) - expected.value), np.broadcast_to(expected.unit, expected.value.shape)
    wrong = ~(error <= expected.units * unit + expected.floor)
    agree = ~wrong.reshape(len(wrong), -1).any(axis=1)
    current().record.comparisons += error[agree].size
    _count((error - expected.floor)[agree], unit[agree])
    return agree


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


def require(holds: bool, message: str, *, yours: Any, expected: Any, wrong: Any = None) -> None:
    """Count one comparison and raise `Refuted` with both sides unless it `holds`; `wrong` says in which entries."""
    current().record.comparisons += 1
    if not holds:
        raise Refuted(message, yours=yours, expected=expected, wrong=wrong)
