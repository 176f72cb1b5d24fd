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
from hashlib import blake2b
from math import prod
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ..target.target import Array
from .layout import Layout
from .limits import Limits, Shape
from .sizes import fit_valid, joined_valid, read_counts, read_shapes
from .trial import current

GRID = 1 / 16
FINE = 1 + 2.0**-30
MIXED = 2.0**-27
SCALES = (1.0, FINE, 256.0, 2.0**-14)
FACTOR_SCALES = (*SCALES, MIXED)
UPSTREAM_SCALES = (1.0, FINE, MIXED)
_SIMPLEST_FIRST = sorted((Fraction(k, 16) for k in range(-64, 65)), key=lambda v: (v.denominator, abs(v), v < 0))
_DYADIC = np.array([float(value) for value in _SIMPLEST_FIRST])
_EXPONENTS = {
    "float64": np.array([*sorted(range(1023, -1075, -34), key=abs), *[1023, -1074] * 8]),
    "float32": np.array([*sorted(range(127, -150, -5), key=abs), *[127, -149] * 8]),
}
_ANY_SHAPE = ((1,), (), (1, 1), (2,), (1, 2), (3, 2), (2, 1, 2), (1, 2, 1, 3))
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
    """Bytes that a case is read from, region by region; or as many rows of them as there are points.

    Points are cases of one shape, read at once: their arrays have an axis for the points in front, and what is chosen
    is the first one's choice, which is written into the other rows too, so that each is the tape of its own case.
    """

    def __init__(self, data: Any, longest: int = _REGION_LIMIT) -> None:
        self.data = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else data
        self.position, self.longest = 0, longest

    @property
    def several(self) -> tuple[int, ...]:
        """The axis in front of every array: how many points there are, or none for a case alone."""
        return () if self.data is None else self.data.shape[:-1]

    def take(self, count: int) -> Any:
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
            drawn = drawn[0]
            self.data[1:, start : self.position] = self.data[0, start : self.position]
        return int.from_bytes(drawn.tobytes(), "big") % count

    def matrix(self, shape: tuple[int, ...], extent: tuple[int, ...]) -> Any:
        """Bytes in this shape out of a region for `extent`, the largest."""
        taken = self.take(prod(extent))
        return taken.reshape(*taken.shape[:-1], *extent)[(..., *map(slice, shape))]

    def dyadic(self, shape: tuple[int, ...], extent: tuple[int, ...], scale: float = 1.0) -> Array:
        """An array of short dyadic numbers times `scale`; if that is `MIXED`, only about half of them are."""
        drawn = self.matrix(shape, extent)
        numbers = _DYADIC.take(drawn, mode="wrap")
        return np.where(drawn < _DYADIC.size, numbers, numbers * MIXED) if scale == MIXED else numbers * scale

    def scale(self, scales: tuple[float, ...] = SCALES) -> float:
        """A power of two, `MIXED` for one beside 1, or 1 + 2^-30, whose multiples single precision does not hold."""
        scale = scales[self.choose(len(scales))]
        return 1.0 if scale == FINE and current().target.dtype == "float32" else scale


Build = Callable[[Tape], Case]


class Points(NamedTuple):
    """Cases of one shape: all at once, with an axis for the points in front, and the tape of each."""

    together: Case
    tapes: Any

    def case(self, number: int) -> Case:
        """One of them, as it would be drawn alone."""
        return Case({name: _of(name, value, number) for name, value in self.together.items()})

    def some(self, numbers: Any) -> Case:
        """Those of these numbers together."""
        return Case({name: _of(name, value, numbers) for name, value in self.together.items()})


def _of(name: str, value: Any, number: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value  # chosen: the same for all
    if name == "x":
        return np.asarray(value[number])  # an array of no dimensions stays one
    return value[number] if np.ndim(number) or value.ndim > 1 else float(value[number])


def decoded(build: Build, *, alone: bool = False) -> st.SearchStrategy[Any]:
    """The cases that `build` reads off a tape of the length that it takes.

    If the budget is large an example carries `Points` in place of one case: that of the tape that was drawn, and others
    that are derived from it; not if each comes `alone`, as the strategy's own attribute of that name gives them.
    """

    @st.composite
    def strategy(draw: Callable[[st.SearchStrategy[bytes]], bytes]) -> Case | Points:
        trial = current()
        target = trial.target
        data = draw(_bytes(_length(build, target.limits, target.dtype, target.layout)))
        if trial.points > 1 and not alone:
            return points(build, data, trial.points)
        return build(Tape(data))

    cases = strategy()
    cases.build, cases.alone = build, cases if alone else decoded(build, alone=True)  # type: ignore[attr-defined]
    return cases


def points(build: Build, data: bytes, count: int) -> Points:
    """The case of this tape, and behind it as many others of its shape as make `count`: always the same ones."""
    seed = int.from_bytes(blake2b(data, digest_size=16).digest())
    derived = np.random.Generator(np.random.SFC64(seed)).bytes((count - 1) * len(data))
    tapes = np.frombuffer(bytearray(data + derived), np.uint8).reshape(count, -1)
    return Points(build(Tape(tapes)), tapes)


@cache
def _bytes(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


@cache
def _length(build: Build, limits: Limits, dtype: str, layout: Layout) -> int:
    build(tape := Tape(None))
    return tape.position


def blocks(x: Array, window: Shape) -> Array:
    """A view of `x` as (…, rows, columns, p, q) windows, behind its images and channels if it has them."""
    x = current().target.layout.inward(x)
    rows, columns = x.shape[-2] // window[0], x.shape[-1] // window[1]
    return x.reshape(*x.shape[:-2], rows, window[0], columns, window[1]).swapaxes(-3, -2)


def read_convolution(tape: Tape, second: bool = False) -> Case:
    """`image`, `kernel`, `upstream`; with `second`, also `other_image` and `other_kernel` of the same shapes."""
    own, limits = current().target.layout.outward, current().target.limits
    sides = limits.largest.kernel, limits.largest.output
    shapes = read_shapes(tape, limits.convolutions, sides, joined_valid, fit_valid)
    image_scale, kernel_scale = tape.scale(FACTOR_SCALES), tape.scale(FACTOR_SCALES)
    case = Case(
        image=own(tape.dyadic(*shapes.image, image_scale)),
        kernel=tape.dyadic(*shapes.kernel, kernel_scale),
        upstream=own(tape.dyadic(*shapes.output, tape.scale(UPSTREAM_SCALES))),
    )
    if second:
        case["other_image"] = own(tape.dyadic(*shapes.image, image_scale))
        case["other_kernel"] = tape.dyadic(*shapes.kernel, kernel_scale)
    return case


def read_pooling(tape: Tape, maxima: str | None = None, clear: bool = False) -> Case:
    """`x`, `window`, `upstream`: `maxima` "unique" in every window, or "tied" in the first and perhaps in others.

    Without a choice, either. The rest of a window stays below its maximum by 2, 1, 1/16 or, unless `clear`, by
    one unit of rounding.
    """
    if maxima is None:
        maxima = ("unique", "tied")[tape.choose(2)]
    layout, limits = current().target.layout, current().target.limits
    shapes = read_shapes(
        tape,
        lambda: limits.poolings(maxima == "tied"),
        (limits.largest.window, limits.largest.windows),
        lambda part, count: (part[0] * count[0], part[1] * count[1]),
        lambda part, whole: (whole[0] // part[0], whole[1] // part[1]),
    )
    if maxima == "tied" and shapes.part == (1, 1):
        shapes = shapes._replace(part=(1, 2), whole=(shapes.whole[0], 2 * shapes.whole[1]))
    window, (grid, most) = shapes.part, shapes.pooled
    scale, sign = tape.scale(), tape.choose(4)
    upstream = tape.dyadic(grid, most, tape.scale(UPSTREAM_SCALES))
    x = layout.outward(tape.dyadic(*shapes.image))
    if sign == 1:
        x = -np.abs(x) - GRID
    elif sign == 2:
        x = np.minimum(x, 0.0)
    chosen = blocks(layout.outward(tape.matrix(*shapes.image)), window).reshape(*upstream.shape, -1)
    counts = 1 + tape.matrix(grid, most) % min(chosen.shape[-1], 255)
    first = counts.reshape(*tape.several, -1)[..., 0]
    np.maximum(first, 2, out=first)
    if maxima == "unique":
        counts = np.ones_like(counts)
    ranks = (255 - chosen).argsort(axis=-1, kind="stable").argsort(axis=-1)
    members = ranks < counts[..., None]
    parted = blocks(x, window)
    top = parted.max(axis=(-2, -1), keepdims=True)
    kinds = tape.matrix(grid, most)[..., None, None] % 4
    near = GRID if clear else current().target.eps * np.maximum(np.abs(top), 1.0)
    gap = np.where(kinds == 3, near, np.array([1.0, GRID, 2.0, 0.0])[kinds])
    parted[...] = np.where(members.reshape(parted.shape), top, np.minimum(parted, top - gap))
    return Case(x=x * scale, window=window, upstream=layout.outward(upstream))


def read_dense(tape: Tape, count: int = 0) -> Case:
    """`features`, `weights`, `upstream`, of so many features, else of at first 1 to 9; in batches, of 1 to 3 images."""
    counts, most_counts = read_counts(tape)
    images, most = counts.images, most_counts.images
    most_features = count or current().target.limits.largest.features
    count = count or tape.choose(most_features) + 1
    return Case(
        features=tape.dyadic((images, count), (most, most_features), tape.scale(FACTOR_SCALES)),
        weights=tape.dyadic((count, 1), (most_features, 1), tape.scale(FACTOR_SCALES)),
        upstream=tape.dyadic((images, 1), (most, 1), tape.scale(UPSTREAM_SCALES)),
    )


def read_activation(tape: Tape) -> Case:
    """`x` of up to four dimensions, of any finite numbers: every second entry on average is a short dyadic
    number, one in sixteen 0, the others run from subnormal to the largest.
    """
    shape = _ANY_SHAPE[tape.choose(len(_ANY_SHAPE))]
    kinds, details = tape.matrix((6,), (6,)), tape.matrix((6,), (6,))
    exponents = _EXPONENTS[current().target.dtype]
    size = (1 + (details // 2) / 128) * np.where(details % 2, -1.0, 1.0)
    extreme = np.ldexp(size, exponents[kinds // 2 % exponents.size]).astype(current().target.dtype)
    x = np.where(kinds % 2, extreme.astype(np.float64), _DYADIC.take(details, mode="wrap"))
    x[kinds % 16 == 14] = 0.0
    return Case(x=x[..., : prod(shape)].reshape((*tape.several, *shape)))


def read_moderate(tape: Tape) -> Case:
    """`x` of up to four dimensions, of dyadic numbers other than 0, up to 4 or 16 in size."""
    shape = _ANY_SHAPE[tape.choose(len(_ANY_SHAPE))]
    scale = tape.scale((1.0, 4.0))
    x = tape.dyadic((6,), (6,), scale)[..., : prod(shape)]
    return Case(x=np.where(x == 0, GRID, x).reshape((*tape.several, *shape)))


activation_cases, moderate_cases = decoded(read_activation), decoded(read_moderate)
convolution_cases, dense_cases = decoded(read_convolution), decoded(read_dense)
convolution_pairs = decoded(partial(read_convolution, second=True))
pooling_cases, tied_cases = decoded(read_pooling), decoded(partial(read_pooling, maxima="tied"))
unique_cases = decoded(partial(read_pooling, maxima="unique"))
clear_cases = decoded(partial(read_pooling, maxima="unique", clear=True))
