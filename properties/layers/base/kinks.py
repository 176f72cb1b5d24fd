"""Slopes at a kink: any number between those on either side of it, where one answer of many is right."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ...harness.core.tape import Case
from ...harness.core.values import Array
from .registry import Fault, Wrong


class Legal(NamedTuple):
    """The least and the largest answer that is right, entry by entry, and what rounding may add to either."""

    low: Array
    high: Array
    slack: Array


def faults_of(legal: Callable[[Case], Legal], message: str) -> Callable[[Any, Case], Iterator[Fault | None]]:
    """Which entries of an answer are not legal, in these words."""

    def faults(answer: Any, case: Case) -> Iterator[Fault | None]:
        right = legal(case)
        wrong = ~((answer >= right.low - right.slack) & (answer <= right.high + right.slack))
        yield Fault(message, right.high, wrong) if wrong.any() else None

    return faults


def separated_from(legal: Callable[[Case], Legal]) -> Callable[[Any, Case], Wrong | None]:
    """What tells an answer that is not legal from all that are."""

    def separated(answer: Any, case: Case) -> Wrong | None:
        right = legal(case)
        above, below = answer > right.high + right.slack, answer < right.low - right.slack
        direction = np.where(below, 1.0, 0.0) - np.where(above, 1.0, 0.0)
        if not direction.any():
            return None
        least = float(np.sum(direction * np.where(direction > 0, right.low, right.high)))
        allowed = float(np.sum(np.abs(direction) * right.slack))
        return Wrong(0, right.low, allowed, direction=direction, least=least)

    return separated
