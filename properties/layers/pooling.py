"""Non-overlapping max pooling of each image's channels, and its gradient, where maxima are unique and where they tie.

`x` is (N, C, H, W), the window (p, q), outputs and upstream are (N, C, H/p, W/q); any array may have axes in front.
"""

from collections.abc import Iterator
from functools import partial
from itertools import cycle
from math import prod

import numpy as np

from ..harness.core.limits import Limits, Pair, Shape
from ..harness.core.resizing import COLUMNS, ROWS, declared_or, in_order, spans, thinned, without
from ..harness.core.setting import setting
from ..harness.core.sizes import read_shapes
from ..harness.core.tape import GRID, UPSTREAM_SCALES, Case, Tape
from ..harness.core.values import ALLOWED, Array, Kind, Value, exactly, untied
from .base.registry import Layer, Read, Sides, Signature, Stage
from .base.windows import argmax_scatter, blocks, faults, grow, is_tied, max_pool, separated, tie_rule

NAME = "pooling"
_WINDOWS: tuple[Shape, ...] = (
    *((side, side) for side in range(2, 9)),
    *((11, 11), (12, 12), (16, 16), (17, 17), (1, 17), (17, 1), (3, 9), (4, 7), (16, 15), (2, 5), (10, 2)),
)
_GRIDS: tuple[Shape, ...] = ((9, 8), (2, 3), (17, 5), (1, 2), (4, 16), (8, 8), (3, 7), (16, 9), (33, 4), (5, 1), (3, 2))
_MANY_WINDOWS: tuple[Pair, ...] = (
    *(((2, 2), (1, 33_000)), ((3, 3), (65, 65)), ((1, 3), (260, 70))),
    *(((12, 12), (5, 5)), ((17, 17), (6, 5)), ((17, 16), (4, 6))),
)


def _gradient(case: Case) -> tuple[Value]:
    value = argmax_scatter(case.x, case.window, case.upstream)
    return (Value(value, ALLOWED, np.abs(grow(case.upstream, case.window))),)


def read(tape: Tape, maxima: str | None = None, clear: bool = False) -> Case:
    """`x`, `window`, `upstream`: `maxima` "unique" in every window, or "tied" in the first and perhaps in others.

    Without a choice, either. The rest of a window stays below its maximum by 2, 1, 1/16 or, unless `clear`, by
    one unit of rounding.
    """
    if maxima is None:
        maxima = ("unique", "tied")[tape.choose(2)]
    limits = setting().limits
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
    x = tape.dyadic(*shapes.image)
    if sign == 1:
        x = -np.abs(x) - GRID
    elif sign == 2:
        x = np.minimum(x, 0.0)
    # Which entries are maximal is drawn, not left to chance: the `counts` of lowest rank in each window
    chosen = blocks(tape.matrix(*shapes.image), window).reshape(*upstream.shape, -1)
    counts = 1 + tape.matrix(grid, most) % min(chosen.shape[-1], 255)
    first = counts.reshape(*tape.several, -1)[..., 0]
    np.maximum(first, 2, out=first)
    if maxima == "unique":
        counts = np.ones_like(counts)
    ranks = (255 - chosen).argsort(axis=-1, kind="stable").argsort(axis=-1)  # simplest bytes put the first one first
    members = ranks < counts[..., None]
    parted = blocks(x, window)  # a view: what is written into it is written into x
    top = parted.max(axis=(-2, -1), keepdims=True)
    kinds = tape.matrix(grid, most)[..., None, None] % 4
    near = GRID if clear else setting().eps * np.maximum(np.abs(top), 1.0)
    gap = np.where(kinds == 3, near, np.array([1.0, GRID, 2.0, 0.0])[kinds])
    parted[...] = np.where(members.reshape(parted.shape), top, np.minimum(parted, top - gap))
    return Case(x=x * scale, window=window, upstream=upstream)


read_unique, read_tied = partial(read, maxima="unique"), partial(read, maxima="tied")
read_clear = partial(read, maxima="unique", clear=True)


def _larger(limits: Limits) -> Iterator[tuple[Limits, Read]]:
    windows = declared_or(limits.windows, _WINDOWS)
    fits = [*zip(windows, cycle(_GRIDS), strict=False), *(pair for pair in _MANY_WINDOWS if pair[0] in windows)]
    pairs = [(window, (window[0] * grid[0], window[1] * grid[1])) for window, grid in fits]
    for (window, whole), counts in in_order(limits, NAME, pairs, lambda pair: (pair[0], (prod(pair[0]),) * 2)):
        within = Limits(windows=(window,), images=(whole,), counts=counts)
        yield from ((within, one) for one in (read_unique, read_tied))


def _smaller(case: Case) -> Iterator[Case]:
    """An image or channel less; a row or column less of windows, or of each window, if maxima stay as clear or tied."""
    for axis in (0, 1):
        yield from thinned(case, x=axis, upstream=axis)
    for axis in (ROWS, COLUMNS):
        for span in spans(case.upstream.shape[axis]):
            x = without(case.x, axis, span, case.window[axis])
            yield case.changed(x=x, upstream=without(case.upstream, axis, span))
    for axis in (ROWS, COLUMNS):
        for start, stop in spans(side := case.window[axis]):
            window = list(case.window)
            window[axis] -= stop - start
            left = np.arange(case.x.shape[axis]) % side
            x = case.x.compress((left < start) | (left >= stop), axis)
            thinner = case.changed(x=x, window=tuple(window))
            if _as_clear(leads(thinner), leads(case)):
                yield thinner


def leads(case: Case) -> Array:
    """By how much the maximum of each window leads: 0 at a tie."""
    windows = np.sort(blocks(case.x, case.window).reshape(case.upstream.size, -1), axis=1)
    return windows[:, -1] - windows[:, -2] if windows.shape[1] > 1 else np.full(len(windows), np.inf)


def _as_clear(after: Array, before: Array) -> bool:
    """Whether ties stay ties, and every other maximum leads by as much as before, or more."""
    return bool(((after == 0) == (before == 0)).all() and (after >= before).all())


def _fresh(number: int, seed: int) -> Case:
    generator, length = np.random.default_rng([number, seed]), 53 + number % 64
    x = generator.standard_normal((1, 1, 14, 2 * length)).round(4)
    return Case(x=x, window=(7, length), upstream=generator.standard_normal((1, 1, 2, 2)).round(4))


def _plain(pair: Pair) -> Case:
    window, whole = pair
    pooled = whole[0] // window[0], whole[1] // window[1]
    return Case(x=untied((1, 1, *whole)), window=window, upstream=untied((1, 1, *pooled)))


def _stages(case: Case, operation: str) -> Iterator[Stage]:
    yield Stage("x", case.x, window=case.window)
    yield Stage("max_pool(x)", max_pool(case.x, case.window))


def _pooled(case: Case) -> tuple[Sides]:
    *counts, rows, columns = case.x.shape
    return ((*counts, rows // case.window[0], columns // case.window[1]),)


NEUTRAL = {"stride": lambda x, window, *upstream: window, "padding": lambda *arguments: (0, 0)}
_FORWARD = {"x": Kind.IMAGES, "window": Kind.SIDES}
_BACKWARD = {**_FORWARD, "upstream": Kind.IMAGES}
POOLING = Layer(
    NAME,
    operations=(
        Signature(
            "max_pool",
            summary="The maximum of each window (p, q) of x (H, W), which do not overlap: (H/p, W/q).",
            takes=_FORWARD,
            gives=(Kind.IMAGES,),
            shapes=_pooled,
            value=lambda case: (exactly(max_pool(case.x, case.window)),),
            formulas=("`y[i,j] = max[a<p, b<q] x[p i+a, q j+b]`",),
            named_by="pooling.max_pool_is_the_maximum",
            smooth=read_unique,
            kinked=read_tied,
            other_names=("maxpoolforward", "maxpool2d", "pool"),
            neutral=NEUTRAL,
        ),
        Signature(
            "max_pool_gradient",
            summary="The gradient for x, (H, W), of upstream, (H/p, W/q): to the maxima of each window, by weights "
            "of sum 1.",
            takes=_BACKWARD,
            gives=(Kind.IMAGES,),
            shapes=lambda case: (case.x.shape,),
            value=_gradient,
            formulas=(
                "`∂C/∂x[p i+a, q j+b] = g[a,b] upstream[i,j]`",
                "with weights `g[a,b] ≥ 0`, `Σ[a,b] g[a,b] = 1`, and `g[a,b] = 0` off the maxima of the window",
            ),
            named_by="pooling.mask_repeat_is_argmax_scatter",
            smooth=read_unique,
            kinked=read_tied,
            is_kinked=is_tied,
            faults=faults,
            separated=separated,
            faults_tell_all=True,
            parts=("x",),
            other_names=("maxpoolbackward", "maxpoolgrad", "poolbackward"),
            neutral=NEUTRAL,
        ),
    ),
    kinds=_BACKWARD,
    read=read,
    larger=_larger,
    smaller=_smaller,
    fresh=_fresh,
    plain=_plain,
    pairs=lambda limits: limits.poolings(False),
    pair=lambda case: (case.window, case.x.shape[-2:]),
    windows=lambda case: blocks(case.x, case.window).reshape(-1, prod(case.window)),
    stages=_stages,
    finds={"ties": ("max_pool_gradient", tie_rule)},
)
