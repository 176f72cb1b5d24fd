"""The kinds of arrays that there are, exact values, and how far from them a correct answer may lie.

An array of a kind has one form everywhere but in a target: only the door, `Operation`, knows of layouts.

A bound is a number of units of rounding times the size of what was summed: `units · eps · size`, plus the smallest
normal number for what underflows (`eps` and that number belong to the target's precision). Arrays may have a further
axis in front, for several points of one shape; sizes then have it too.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .setting import setting

Array = NDArray[np.float64]
Size = float | Array

ALLOWED = 4  # units that every operation may be off, whatever its formula: the contract's
LIBRARY = 4  # units that a mathematical library's arctan or exp may be off


class Kind(Enum):
    """What an argument or a part of an answer is; the value says its axes."""

    IMAGES = "(N, C, H, W)"
    KERNEL = "(C_out, C_in, h, w)"
    NUMBERS = "(N,)"  # one for each image
    SCALAR = "()"
    FEATURES = "(N, n)"
    WEIGHTS = "(n, 1)"
    POOLED_WEIGHTS = "(C h w, 1)"  # one for each pooled entry, in the order of (C, h, w)
    BIAS = "(m,)"  # one for each filter, or output
    PROBABILITIES = "(N, m) of sum 1"  # a distribution over the classes for each image
    LABELS = "(N, m)"  # likewise, what is right; a target may have the number of a class for each image
    ROW = "(rows,)"  # one for each image, in every layout
    TRUTHS = "(rows,) of 0 and 1"  # likewise, what is right
    SIDES = "(rows, columns)"  # whole numbers: a window, a stride, a padding, a dilation
    RATE = "a learning rate"
    NUMBER = "a number"  # that is part of a function's definition, as a slope
    ANY = "any shape"

    @property
    def axes(self) -> int | None:
        """How many axes such an array has; None for one of any number, or what is no array."""
        if self is Kind.ANY or not self.is_array:
            return None
        return 0 if self is Kind.SCALAR else self.value.count(",") + (self not in _ONE_AXIS)

    @property
    def is_parameter(self) -> bool:
        """Whether it is what training moves."""
        return self in (Kind.KERNEL, Kind.WEIGHTS, Kind.POOLED_WEIGHTS, Kind.BIAS)

    @property
    def is_array(self) -> bool:
        """Whether it is an array: neither sides nor a number."""
        return self not in (Kind.SIDES, Kind.RATE, Kind.NUMBER)


_ONE_AXIS = (Kind.NUMBERS, Kind.BIAS, Kind.ROW, Kind.TRUTHS)
FIXED = (Kind.SIDES, Kind.PROBABILITIES, Kind.LABELS, Kind.TRUTHS)  # what is not multiplied


def turned(kernel: Array) -> Array:
    """A kernel, by its last two axes, as a correlation takes it: by 180° where the target's convolution flips it."""
    return kernel[..., ::-1, ::-1] if setting().flips else kernel


@dataclass(frozen=True)
class Value:
    """An exact value, and how far from it a correct answer may lie: `units` times eps times `size`, plus `floor`."""

    value: Any
    units: float
    size: Any
    floor: float | Array = 0.0

    @property
    def unit(self) -> Array:
        """One unit of rounding of this value."""
        return setting().eps * np.asarray(self.size, dtype=np.float64)

    @property
    def allowed(self) -> Array:
        """The largest error that a correct answer may have, entry by entry."""
        return self.units * self.unit + self.floor


def exactly(value: Array) -> Value:
    """A value that takes no sum: only the units that are allowed throughout, of each entry's own size."""
    return Value(value, ALLOWED, np.abs(value))


def elementary(value: Array, size: Size) -> Value:
    """A value of a library function, of sums and quotients of terms of `size`: four roundings beside."""
    return Value(value, ALLOWED + LIBRARY + 4, size, setting().tiny)


def within(value: Any, error: Any) -> Value:
    """A value whose allowed error was found by propagation, counted in eighths of it as units."""
    units = ALLOWED + LIBRARY
    return Value(value, units, error / (units * setting().eps), setting().tiny)


def inner_product(terms: int) -> float:
    """The units of an inner product of so many terms, in any order, and of the one that it is held against.

    γ_n = n eps/2 to first order times the sum of the absolute terms, for either of the two. Source: Higham, Accuracy
    and Stability of Numerical Algorithms, section 3.1.
    """
    return ALLOWED + terms


def norm(array: Array) -> float:
    """The Euclidean norm of all entries, also where their squares would overflow or underflow."""
    flat = array.ravel()
    largest = float(np.abs(flat).max(initial=0.0))
    if 1e-100 < largest < 1e100 or largest in (0.0, math.inf):
        return math.sqrt(float(flat @ flat))
    return largest * norm(flat / largest)


def norms(array: Array, axes: int, beside: int | None = None) -> Size:
    """The norm of an array with so many axes; of one with a further axis for points, the norm of each, to be
    multiplied with arrays that have as many axes, or so many, for each point.
    """
    if array.ndim == axes:
        return norm(array)
    flat = array.reshape(len(array), -1)
    return np.sqrt(np.einsum("pi,pi->p", flat, flat)).reshape(-1, *(1,) * (axes if beside is None else beside))


def untied(shape: tuple[int, ...]) -> Array:
    """Numbers from 1/n to 1 in this shape, no two of them equal, in an order that seems random but never changes."""
    return _in_a_row(math.prod(shape)).reshape(shape).copy()


@cache
def _in_a_row(size: int) -> Array:
    return (1 + np.random.default_rng(size).permutation(size)) / size


def elementwise(function: Callable[[float], float], x: Array) -> Array:
    """A scalar function applied entry by entry, on Python floats."""
    return np.array([function(value) for value in x.ravel().tolist()]).reshape(x.shape)


def parts(answer: Any) -> tuple[Any, ...]:
    """An answer's arrays: those of a pair, or the one that it is."""
    return tuple(answer) if isinstance(answer, tuple | list) else (answer,)


def changed_parts(change: Callable[[Any], Any], answer: Any) -> Any:
    """An answer with every array of it changed."""
    return tuple(change(part) for part in answer) if isinstance(answer, tuple) else change(answer)
