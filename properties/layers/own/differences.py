"""Derivatives by differences, each with an error that it claims: from both sides together, and from either alone.

Steps are halved and the quotients extrapolated; a table's entry is taken to be off by as much as it differs from the
two that it was made of, and by what rounding puts on it. Sources: Ridders, Advances in Engineering Software 4, 1982,
for the choice; Moré & Wild, SIAM J. Sci. Comput. 33, 2011, for the noise that a function's own values have.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

Along = Callable[[float], tuple[float, float]]  # along a line: a value, NaN where there is none, and what rounds it

FIRST = 2.0**-3  # step, of lines along which the largest entry moves by 1
LEVELS = 26  # steps at most: the last is 2^-28, beyond which rounding is all there is
FEWEST = 4
SAFETY = 8.0  # times what the table claims
LUCK = 8.0  # how much nearer than the entries before it one may be taken to be: more is chance
GOAL = 2.0**-44  # of the size of what was summed: no finer estimate is sought


class Estimate(NamedTuple):
    """A value, and how far off it may be."""

    value: float
    error: float

    def excludes(self, other: float, beside: float = 0.0) -> bool:
        """Whether another value is further off than both may err."""
        return abs(other - self.value) > self.error + beside


ANYTHING = Estimate(0.0, math.inf)


class Slopes(NamedTuple):
    """The derivative along a line: from both sides together, and from the left and the right alone."""

    central: Estimate
    left: Estimate
    right: Estimate

    @property
    def is_kink(self) -> bool:
        """Whether the one-sided derivatives differ by more than they may err."""
        return self.left.excludes(self.right.value, self.right.error)

    @property
    def ends(self) -> tuple[float, float]:
        """The smaller and the larger of the one-sided derivatives."""
        return min(self.left.value, self.right.value), max(self.left.value, self.right.value)


class _Table:
    """Quotients for halved steps, extrapolated by powers of the step that go up by `order`; the best entry so far."""

    def __init__(self, order: int) -> None:
        self._base, self._row, self._aparts = 2.0**order, list[float](), list[float]()
        self.best = ANYTHING

    def add(self, quotient: float, rounding: float) -> None:
        """Take the quotient of the next step, which rounding may put off by so much."""
        if not math.isfinite(quotient):
            self._row = []  # what is beyond the domain says nothing
            return
        row, aparts, amplified = [quotient], [0.0], rounding
        for column, before in enumerate(self._row, start=1):
            factor = self._base**column
            value = (factor * row[-1] - before) / (factor - 1)
            amplified *= (factor + 1) / (factor - 1)
            aparts.append(max(abs(value - row[-1]), abs(value - before)))
            row.append(value)
            lucky = max(aparts[-2], self._aparts[column] if column < len(self._aparts) else 0.0) / LUCK
            error = SAFETY * (max(aparts[-1], lucky) + amplified)
            if error < self.best.error:
                self.best = Estimate(value, error)
        self._row, self._aparts = row, aparts


def slopes(along: Along, noise: float, size: float, first: float = FIRST) -> Slopes:
    """The derivatives at 0 of a function along a line, whose values are off by `noise` and by what each says of itself.

    Steps are halved until the error is far below the `size` of what the derivative is a sum of, or rounding outweighs
    the rest, or `LEVELS` were tried.
    """
    tables = _Table(2), _Table(1), _Table(1)
    middle, rounds = along(0.0)
    for level in range(LEVELS):
        step = first * 0.5**level
        (after, one), (before, other) = along(step), along(-step)
        noisy = noise + max(rounds, one, other)
        tables[0].add((after - before) / (2 * step), noisy / step)
        tables[1].add((middle - before) / step, 2 * noisy / step)
        tables[2].add((after - middle) / step, 2 * noisy / step)
        if level >= FEWEST - 1 and tables[0].best.error <= max(GOAL * size, 4 * SAFETY * noisy / step):
            break
    return Slopes(*(table.best for table in tables))
