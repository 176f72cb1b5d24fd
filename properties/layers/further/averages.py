"""Where averages are taken, axis by axis: which window holds which entry, and by what its sum is divided."""

from collections.abc import Iterator
from functools import cache
from itertools import product
from math import ceil, prod
from typing import NamedTuple

import numpy as np

from ...harness.core.limits import Limits, NotApplicable, Pair
from ...harness.core.setting import setting
from ...harness.core.tape import Case
from ...harness.core.values import Array, inner_product
from ..exhaustive import two

NAME = "average_pooling"
PADDING, COUNTED, LEFT_OUT = "padding in averages", "counted", "left out"
LARGEST, LARGEST_OF_SEVERAL = 3, 2  # sides of all small poolings, and of those with channels


class Axis(NamedTuple):
    """One axis of a pooling: the input's side, the window's, the stride and the padding on either side."""

    side: int
    part: int
    stride: int
    padding: int = 0

    @property
    def outputs(self) -> int:
        """How many windows there are."""
        return (self.side + 2 * self.padding - self.part) // self.stride + 1

    @property
    def is_used(self) -> bool:
        """Whether it is a pooling that cases may use: no window lies in the padding alone."""
        fits = self.side >= 1 and self.padding < self.part <= self.side + 2 * self.padding
        return fits and (setting().uses("stride") or self.divides)

    @property
    def divides(self) -> bool:
        """Whether windows stand side by side, and leave nothing over."""
        return self.stride == self.part and not (self.side + 2 * self.padding) % self.part

    @property
    def covers(self) -> Array:
        """Which window holds which entry: 1 or 0, (outputs, side)."""
        starts = self.stride * np.arange(self.outputs)[:, None] - self.padding
        places = np.arange(self.side)
        return np.asarray((starts <= places) & (places < starts + self.part), np.float64)

    @property
    def leaves_some(self) -> bool:
        """Whether there are entries that no window holds."""
        return not self.covers.any(axis=0).all()


def axes_of(case: Case) -> tuple[Axis, Axis]:
    """The rows and the columns."""
    rows, columns = zip(case.x.shape[-2:], case.window, case.stride, case.padding, strict=True)
    return Axis(*rows), Axis(*columns)


def counts_padding() -> bool:
    """Whether padding counts in the mean, as it does where nothing could be found."""
    return bool(setting().conventions.chosen(PADDING) != LEFT_OUT)


def divisors(case: Case) -> Array:
    """By how many entries the sum of each window is divided, (rows, columns) of outputs."""
    rows, columns = (axis.covers.sum(axis=1) for axis in axes_of(case))
    held = np.outer(rows, columns)
    return np.full(held.shape, float(prod(case.window))) if counts_padding() else held


def means(case: Case, x: Array) -> Array:
    """The mean of each window of `x`."""
    rows, columns = axes_of(case)
    return np.asarray(rows.covers @ x @ columns.covers.T / divisors(case))


def shares(case: Case, upstream: Array) -> Array:
    """The shares of upstream that each entry gets from all windows that hold it."""
    rows, columns = axes_of(case)
    return np.asarray(rows.covers.T @ (upstream / divisors(case)) @ columns.covers)


def units(case: Case) -> float:
    """Those of a mean of so many terms: a rounding for each addition, one for the quotient and one for a reciprocal in
    its place; in turn over rows and columns they are no more. The oracle's own come beside.
    """
    return inner_product(prod(case.window))


def gradient_units(case: Case) -> float:
    """Those of a sum over the windows that hold an entry, each with a quotient."""
    return inner_product(prod(min(ceil(one.part / one.stride), one.outputs) for one in axes_of(case)))


def pairs_of(limits: Limits) -> tuple[Pair, ...]:
    """Every supported pair of a window and an input: that it divides, where there is no stride."""
    if not setting().uses("stride"):
        return limits.poolings(False, NAME)
    return limits.windowed(NAME, limits.largest.window * limits.largest.windows)


@cache
def _small(limits: Limits, largest: int, uses_stride: bool, uses_padding: bool) -> list[tuple[Axis, Axis]]:
    """All poolings of sides up to the largest, for rows and for columns, smallest first."""
    sides = range(1, largest + 1)
    paddings = range(largest if uses_padding else 1)
    strides = range(1, LARGEST + 1)
    along = [one for axis in product(sides, sides, strides, paddings) if (one := Axis(*axis)).is_used]
    found = list(product(along, along))
    if not limits.any_shape:
        pairs = {((p, q), (rows, columns)) for (p, q), (rows, columns) in pairs_of(limits)}
        found = [both for both in found if (tuple(one.part for one in both), tuple(one.side for one in both)) in pairs]
    return sorted(found, key=lambda both: (prod(one.side for one in both), sum(map(sum, both)), both))


def _every_small(share: float) -> tuple[list[tuple[Axis, Axis]], int]:
    largest = LARGEST_OF_SEVERAL if setting().most.channels > 1 else LARGEST
    found = _small(setting().limits, largest, setting().uses("stride"), setting().uses("padding"))
    return found[: ceil(len(found) * share)], len(found)


def every_small(share: float) -> Iterator[Case]:
    """A case for each of them, or of such a share of them the smallest, of zeros."""
    some, _ = _every_small(share)
    if not some:
        raise NotApplicable("no supported input and window are as small as the poolings that are all tried")
    for rows, columns in some:
        counts = two()[:2]
        yield Case(
            x=np.zeros((*counts, rows.side, columns.side)),
            window=(rows.part, columns.part),
            stride=(rows.stride, columns.stride),
            padding=(rows.padding, columns.padding),
            upstream=np.zeros((*counts, rows.outputs, columns.outputs)),
        )


def where_small(share: float) -> str:
    """For which poolings these are all there are."""
    some, count = _every_small(share)
    counts = two()
    several = (
        ", with 2 images and 2 channels" if counts.images > 1 else ", with 2 channels" if counts.channels > 1 else ""
    )
    side = LARGEST_OF_SEVERAL if several else LARGEST
    steps = " and strides up to 3" if setting().uses("stride") else ""
    steps += ", with every padding" if setting().uses("padding") else ""
    which = f"the {len(some)} smallest of {count} poolings of " if len(some) < count else ""
    return f"for {which}inputs and windows up to {side}×{side}{steps}{several}"
