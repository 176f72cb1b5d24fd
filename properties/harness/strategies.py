"""Cases, built and never filtered: short dyadic numbers in shapes within the target's limits.

A case is decoded from one string of bytes whose length depends on the target's limits alone. Sizes come first,
and every array has a region laid out for its largest shape: as a size shrinks no entry changes its place, so
that counterexamples end at the smallest size, and smaller bytes mean simpler numbers. Entries are k/16 with
|k| ≤ 64, times one scale for the whole array, mostly a power of two: sums of their products are exact, and
finite differences of piecewise-linear operations too.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from properties.harness.limits import (
    LARGEST_KERNEL,
    LARGEST_OUTPUT,
    LARGEST_WINDOW,
    MOST_WINDOWS,
    Limits,
    NotApplicable,
    Pair,
    Shape,
)
from properties.harness.target import Array
from properties.harness.trial import current

GRID = 1 / 16
FINE = 1 + 2.0**-30
MIXED = 2.0**-27
SCALES = (1.0, FINE, 256.0, 2.0**-14)
FACTOR_SCALES = (*SCALES, MIXED)
UPSTREAM_SCALES = (1.0, FINE, MIXED)
MOST_FEATURES = 9
_SIMPLEST_FIRST = sorted((Fraction(k, 16) for k in range(-64, 65)), key=lambda v: (v.denominator, abs(v), v < 0))
_DYADIC = np.array([float(value) for value in _SIMPLEST_FIRST])
_EXPONENTS = {
    "float64": np.array([*sorted(range(1023, -1075, -34), key=abs), *[1023, -1074] * 8]),
    "float32": np.array([*sorted(range(127, -150, -5), key=abs), *[127, -149] * 8]),
}
_ANY_SHAPE = ((1,), (1, 1), (2,), (1, 2), (3, 2), (2, 1, 2))
_REGION_LIMIT = 1024


class Case(dict[str, Any]):
    """One input to a property: arrays by the names that the contract gives them."""

    def __getattr__(self, name: str) -> Any:
        """The entry of this name."""
        return self[name]

    def arguments(self, *names: str) -> tuple[Any, ...]:
        """The entries of these names, in this order."""
        return tuple(self[name] for name in names)


class Tape:
    """Bytes that a case is read from, region by region."""

    def __init__(self, data: bytes | None) -> None:
        self.data, self.position = data, 0

    def take(self, count: int) -> Any:
        """The next `count` bytes, last first; a very large region repeats 1024.

        Hypothesis moves what is not 0 towards the end while it shrinks: so the first entry is read from there.
        """
        taken = min(count, _REGION_LIMIT)
        start, self.position = self.position, self.position + taken
        if self.data is None:
            return np.zeros(count, np.uint8)
        region = np.frombuffer(self.data, np.uint8, taken, start)[::-1]
        return region if taken == count else np.resize(region, count)

    def choose(self, count: int) -> int:
        """A number from 0 up to but without `count`."""
        high, low = self.take(2).tolist() if count > 256 else (0, self.take(1).item())
        return int(high * 256 + low) % count

    def matrix(self, shape: Shape, extent: Shape) -> Any:
        """Bytes in this shape out of a region for `extent`, the largest."""
        return self.take(extent[0] * extent[1]).reshape(extent)[: shape[0], : shape[1]]

    def dyadic(self, shape: Shape, extent: Shape, scale: float = 1.0) -> Array:
        """A matrix of short dyadic numbers times `scale`; if that is `MIXED`, only about half of them are."""
        drawn = self.matrix(shape, extent)
        numbers = _DYADIC.take(drawn, mode="wrap")
        return np.where(drawn < _DYADIC.size, numbers, numbers * MIXED) if scale == MIXED else numbers * scale

    def scale(self, scales: tuple[float, ...] = SCALES) -> float:
        """A power of two, `MIXED` for one beside 1, or 1 + 2^-30, whose multiples single precision does not hold."""
        scale = scales[self.choose(len(scales))]
        return 1.0 if scale == FINE and current().target.dtype == "float32" else scale


Build = Callable[[Tape], Case]


def decoded(build: Build) -> st.SearchStrategy[Case]:
    """The cases that `build` reads off a tape of the length that it takes."""

    @st.composite
    def strategy(draw: Callable[[st.SearchStrategy[bytes]], bytes]) -> Case:
        trial = current()
        return build(Tape(draw(_bytes(_length(build, trial.target.limits, trial.target.dtype)))))

    return strategy()


@cache
def _bytes(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


@cache
def _length(build: Build, limits: Limits, dtype: str) -> int:
    build(tape := Tape(None))
    return tape.position


class Shapes(NamedTuple):
    """Shapes read off a tape: a part (kernel, window), how often it fits (outputs, windows), the whole that they
    make (image, input), and the largest of each that could have been read.
    """

    part: Shape
    fits: Shape
    whole: Shape
    largest_part: Shape
    largest_fits: Shape
    largest_whole: Shape


def read_shapes(
    tape: Tape,
    supported: Callable[[], tuple[Pair, ...]],
    largest: Pair,
    join: Callable[[Shape, Shape], Shape],
    fit: Callable[[Shape, Shape], Shape],
) -> Shapes:
    """Shapes within the target's limits. `NotApplicable` if they leave nothing.

    Without declared limits the sides of the part and the count go up to `largest`, and `join` makes the whole;
    else a supported (part, whole) pair is read, and `fit` says how often the one fits in the other.
    """
    if current().target.limits == Limits():
        part = tape.choose(largest[0][0]) + 1, tape.choose(largest[0][1]) + 1
        # one output alone, as of a kernel as large as the image, would else be rare
        count = tape.choose(largest[1][0] + 1) % largest[1][0] + 1, tape.choose(largest[1][1] + 1) % largest[1][1] + 1
        return Shapes(part, count, join(part, count), *largest, join(*largest))
    pairs = supported()
    if not pairs:
        raise NotApplicable("within the declared shapes there is no such case")
    part, whole = pairs[tape.choose(len(pairs))]
    parts, wholes, counts = [p for p, _ in pairs], [w for _, w in pairs], [fit(p, w) for p, w in pairs]
    return Shapes(part, fit(part, whole), whole, _hull(parts), _hull(counts), _hull(wholes))


def _hull(shapes: list[Shape]) -> Shape:
    return max(rows for rows, _ in shapes), max(columns for _, columns in shapes)


def joined_valid(kernel: Shape, output: Shape) -> Shape:
    """The image of which a kernel makes this output, or the other way round: valid mode is symmetric so."""
    return kernel[0] + output[0] - 1, kernel[1] + output[1] - 1


def fit_valid(kernel: Shape, image: Shape) -> Shape:
    """The output's shape in valid mode."""
    return image[0] - kernel[0] + 1, image[1] - kernel[1] + 1


def blocks(x: Array, window: Shape) -> Array:
    """A view of `x` as (rows, columns, p, q) windows."""
    rows, columns = x.shape[0] // window[0], x.shape[1] // window[1]
    return x.reshape(rows, window[0], columns, window[1]).swapaxes(1, 2)


def read_convolution(tape: Tape, second: bool = False) -> Case:
    """`image`, `kernel`, `upstream`; with `second`, also `other_image` and `other_kernel` of the same shapes."""
    shapes = read_shapes(
        tape, current().target.limits.convolutions, (LARGEST_KERNEL, LARGEST_OUTPUT), joined_valid, fit_valid
    )
    image_scale, kernel_scale = tape.scale(FACTOR_SCALES), tape.scale(FACTOR_SCALES)
    case = Case(
        image=tape.dyadic(shapes.whole, shapes.largest_whole, image_scale),
        kernel=tape.dyadic(shapes.part, shapes.largest_part, kernel_scale),
        upstream=tape.dyadic(shapes.fits, shapes.largest_fits, tape.scale(UPSTREAM_SCALES)),
    )
    if second:
        case["other_image"] = tape.dyadic(shapes.whole, shapes.largest_whole, image_scale)
        case["other_kernel"] = tape.dyadic(shapes.part, shapes.largest_part, kernel_scale)
    return case


def read_pooling(tape: Tape, maxima: str | None = None, clear: bool = False) -> Case:
    """`x`, `window`, `upstream`: `maxima` "unique" in every window, or "tied" in the first and perhaps in others.

    Without a choice, either. The rest of a window stays below its maximum by 2, 1, 1/16 or, unless `clear`, by
    one unit of rounding.
    """
    if maxima is None:
        maxima = ("unique", "tied")[tape.choose(2)]
    supported = current().target.limits.poolings
    window, grid, shape, _, most, extent = read_shapes(
        tape,
        lambda: supported(maxima == "tied"),
        (LARGEST_WINDOW, MOST_WINDOWS),
        lambda part, count: (part[0] * count[0], part[1] * count[1]),
        lambda part, whole: (whole[0] // part[0], whole[1] // part[1]),
    )
    if maxima == "tied" and window == (1, 1):
        window, shape = (1, 2), (shape[0], 2 * shape[1])
    scale, sign = tape.scale(), tape.choose(4)
    upstream, x = tape.dyadic(grid, most, tape.scale(UPSTREAM_SCALES)), tape.dyadic(shape, extent)
    if sign == 1:
        x = -np.abs(x) - GRID
    elif sign == 2:
        x = np.minimum(x, 0.0)
    chosen = blocks(tape.matrix(shape, extent), window).reshape(*grid, -1)
    counts = 1 + tape.matrix(grid, most) % chosen.shape[2]
    counts[0, 0] = max(counts[0, 0], 2)
    if maxima == "unique":
        counts = np.ones(grid)
    ranks = (255 - chosen).argsort(axis=2, kind="stable").argsort(axis=2)
    members = ranks < counts[..., None]
    parted = blocks(x, window)
    top = parted.max(axis=(2, 3), keepdims=True)
    kinds = tape.matrix(grid, most)[..., None, None] % 4
    near = GRID if clear else current().target.eps * np.maximum(np.abs(top), 1.0)
    gap = np.where(kinds == 3, near, np.array([1.0, GRID, 2.0, 0.0])[kinds])
    parted[...] = np.where(members.reshape(parted.shape), top, np.minimum(parted, top - gap))
    return Case(x=x * scale, window=window, upstream=upstream)


def read_dense(tape: Tape) -> Case:
    """`features`, `weights`, `upstream`, of 1 to 9 features."""
    count = tape.choose(MOST_FEATURES) + 1
    return Case(
        features=tape.dyadic((1, count), (1, MOST_FEATURES), tape.scale(FACTOR_SCALES)),
        weights=tape.dyadic((count, 1), (MOST_FEATURES, 1), tape.scale(FACTOR_SCALES)),
        upstream=tape.dyadic((1, 1), (1, 1), tape.scale(UPSTREAM_SCALES)),
    )


def read_activation(tape: Tape) -> Case:
    """`x` of one to three dimensions, of any finite numbers: every second entry on average is a short dyadic
    number, one in sixteen 0, the others run from subnormal to the largest.
    """
    shape = _ANY_SHAPE[tape.choose(len(_ANY_SHAPE))]
    kinds, details = tape.matrix((1, 6), (1, 6))[0], tape.matrix((1, 6), (1, 6))[0]
    exponents = _EXPONENTS[current().target.dtype]
    size = (1 + (details // 2) / 128) * np.where(details % 2, -1.0, 1.0)
    extreme = np.ldexp(size, exponents[kinds // 2 % exponents.size]).astype(current().target.dtype)
    x = np.where(kinds % 2, extreme.astype(np.float64), _DYADIC.take(details, mode="wrap"))
    x[kinds % 16 == 14] = 0.0
    return Case(x=x[: np.prod(shape)].reshape(shape))


def read_moderate(tape: Tape) -> Case:
    """`x` of one to three dimensions, of dyadic numbers other than 0, up to 4 or 16 in size."""
    shape = _ANY_SHAPE[tape.choose(len(_ANY_SHAPE))]
    x = tape.dyadic((1, 6), (1, 6), tape.scale((1.0, 4.0)))[0, : np.prod(shape)]
    return Case(x=np.where(x == 0, GRID, x).reshape(shape))


activation_cases, moderate_cases = decoded(read_activation), decoded(read_moderate)
convolution_cases, dense_cases = decoded(read_convolution), decoded(read_dense)
convolution_pairs = decoded(partial(read_convolution, second=True))
pooling_cases, tied_cases = decoded(read_pooling), decoded(partial(read_pooling, maxima="tied"))
unique_cases = decoded(partial(read_pooling, maxima="unique"))
clear_cases = decoded(partial(read_pooling, maxima="unique", clear=True))
