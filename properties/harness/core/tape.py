"""Cases are read from a tape of bytes, built and never filtered: short dyadic numbers.

A tape's length depends on the setting alone. Sizes come first, and every array has a region laid out for its largest
shape: as a size shrinks no entry changes its place, so that counterexamples end at the smallest size, and smaller
bytes mean simpler numbers. Entries are k/16 with |k| ≤ 64, times one scale for the whole array, mostly a power of
two: sums of their products are exact, and finite differences of piecewise-linear operations too.
"""

from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .setting import setting
from .values import Array

Bytes = NDArray[np.uint8]

SEED = 7839  # of whatever is drawn alike in every run: the notebook's
GRID = 1 / 16
FINE = 1 + 2.0**-30
MIXED = 2.0**-27
SCALES = (1.0, FINE, 256.0, 2.0**-14)
FACTOR_SCALES = (*SCALES, MIXED)
UPSTREAM_SCALES = (1.0, FINE, MIXED)
REACH = {"float64": 900, "float32": 60}  # the exponents of two that a product of scales stays within
_SIMPLEST_FIRST = sorted((Fraction(k, 16) for k in range(-64, 65)), key=lambda v: (v.denominator, abs(v), v < 0))
DYADIC = np.array([float(value) for value in _SIMPLEST_FIRST])
_REGION_LIMIT = 1024


class Case(dict[str, Any]):
    """One input to a property: arrays by the names that the contract gives them."""

    def __getattr__(self, name: str) -> Any:
        """The entry of this name."""
        return self[name]

    def arguments(self, *names: str) -> tuple[Any, ...]:
        """The entries of these names, in this order."""
        return tuple(self[name] for name in names)

    def taken(self, index: Any) -> "Case":
        """Of points together the one of this number, or those that a mask picks: this of every array."""
        return Case(
            {name: np.asarray(value[index]) if isinstance(value, np.ndarray) else value for name, value in self.items()}
        )

    def changed(self, **entries: Any) -> "Case":
        """The same case but for these entries."""
        return Case({**self, **entries})


class Tape:
    """Bytes that a case is read from, region by region; or as many rows of them as there are points.

    Points are cases of one shape, read at once: their arrays have an axis for the points in front, and what is chosen
    is the first one's choice, which is written into the other rows too, so that each is the tape of its own case.
    """

    def __init__(self, data: bytes | Bytes | None, longest: int = _REGION_LIMIT) -> None:
        self.data = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else data
        self.position, self.longest = 0, longest

    @property
    def several(self) -> tuple[int, ...]:
        """The axis in front of every array: how many points there are, or none for a case alone."""
        return () if self.data is None else self.data.shape[:-1]

    def take(self, count: int) -> Bytes:
        """The next `count` bytes, last first; a very large region repeats the `longest`, 1024.

        Hypothesis moves what is not 0 towards the end while it shrinks: so the first entry is read from there.
        """
        taken = min(count, self.longest)
        start, self.position = self.position, self.position + taken
        if self.data is None:
            return np.zeros(count, np.uint8)
        region = self.data[..., start : start + taken][..., ::-1]
        return region if taken == count else region.take(np.arange(count), axis=-1, mode="wrap")

    def choose(self, count: int) -> int:
        """A number from 0 up to but without `count`."""
        start, drawn = self.position, self.take(2 if count > 256 else 1)
        if drawn.ndim > 1:
            assert self.data is not None
            drawn = drawn[0]
            self.data[1:, start : self.position] = self.data[0, start : self.position]
        return int.from_bytes(drawn.tobytes(), "big") % count

    def matrix(self, shape: tuple[int, ...], extent: tuple[int, ...]) -> Bytes:
        """Bytes in this shape out of a region for `extent`, the largest."""
        taken = self.take(prod(extent))
        place: tuple[Any, ...] = (..., *map(slice, shape))
        return taken.reshape(*taken.shape[:-1], *extent)[place]

    def dyadic(self, shape: tuple[int, ...], extent: tuple[int, ...], scale: float = 1.0) -> Array:
        """An array of short dyadic numbers times `scale`; if that is `MIXED`, only about half of them are."""
        drawn = self.matrix(shape, extent)
        numbers = DYADIC.take(drawn, mode="wrap")
        return np.where(drawn < DYADIC.size, numbers, numbers * MIXED) if scale == MIXED else numbers * scale

    def scale(self, scales: tuple[float, ...] = SCALES) -> float:
        """A power of two, `MIXED` for one beside 1, or 1 + 2^-30, whose multiples single precision does not hold."""
        scale = scales[self.choose(len(scales))]
        return 1.0 if scale == FINE and setting().dtype == "float32" else scale
