"""Max pooling with a stride and a padding of −∞, and its gradient: windows may overlap, lie apart or leave a rest over.

`x` is (N, C, H, W), the window (p, q), the stride (s, t), the padding (a, b) with a ≤ p/2 and b ≤ q/2, as libraries
have it: every window then holds an entry of `x`. Outputs and upstream have `(H + 2a − p) // s + 1` rows.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from math import prod

import numpy as np

from ...harness.core.limits import Limits, Pair, Shape
from ...harness.core.resizing import COLUMNS, ROWS, declared_or, in_order, spans, thinned, without
from ...harness.core.setting import setting, with_setting
from ...harness.core.sizes import Region, read_counts
from ...harness.core.tape import GRID, UPSTREAM_SCALES, Case, Tape
from ...harness.core.values import Array, Kind, Value, exactly, untied
from ..base.arrangements import Axis, arranged, fits, read_arrangement, supported
from ..base.overlapping import faults, gradient, is_tied, leads, max_pool, reach, separated, units, windows
from ..base.registry import Layer, Read, Sides, Signature, Stage

NAME = "pooling_options"
_NEITHER: frozenset[str] = frozenset()
_LEVELS = (2, 3, 4, 6)  # how many different numbers there are where maxima tie; in large cases how often there is each
_LONGEST = 70  # side of a square
_LARGE = 64  # more entries than so many
_WINDOWS: tuple[Shape, ...] = (
    *((side, side) for side in range(2, 10)),
    *((11, 11), (12, 12), (16, 16), (17, 17), (1, 17), (17, 1), (3, 9), (4, 7), (2, 5), (10, 2)),
)
_ROOMS: tuple[Shape, ...] = (
    (9, 8),
    (2, 3),
    (17, 5),
    (1, 2),
    (4, 16),
    (8, 8),
    (3, 33),
    (16, 9),
    (33, 4),
    (5, 1),
    (20, 21),
)
_MANY_WINDOWS: tuple[Pair, ...] = (((2, 2), (2, 2_000)), ((3, 3), (65, 66)), ((1, 3), (260, 7)), ((1, 2), (1, 33_000)))


def _levels(tape: Tape, sides: Shape, clear: bool) -> Array:
    """As many increasing numbers as there are entries: the next is 1, 1/16 or 2 above or, unless `clear`, a unit."""
    kinds = tape.matrix((prod(sides),), (prod(sides),)) % 4
    is_near = (kinds == 3) & (not clear)
    steps = np.array([1.0, GRID, 2.0, GRID])[kinds] * ~is_near
    steps[..., 0] = 0.0
    levels = steps.cumsum(axis=-1)
    run = np.arange(kinds.shape[-1])
    since = run - np.maximum.accumulate(np.where(is_near, 0, run), axis=-1)
    return np.stack([levels, since * setting().eps])


def read(tape: Tape, maxima: str | None = None, clear: bool = False) -> Case:
    """`x`, `window`, `stride`, `padding`, `upstream`: `maxima` "unique" in every window, or "tied" in one at least.

    Without a choice, either. Where they are unique no two entries of a channel are equal, where they tie there are only
    a few different ones, so that windows share tied entries too. What differs does so by 1, 1/16, 2 or, unless `clear`,
    by one unit of rounding. A quarter of the inputs is negative throughout.
    """
    if maxima is None:
        maxima = ("unique", "tied")[tape.choose(2)]
    counts, most = read_counts(tape)
    rows, columns, longest = read_arrangement(tape, NAME, maxima == "tied")
    sides, outputs = (rows.side, columns.side), (rows.outputs, columns.outputs)
    image: Region = (*counts[:2], *sides), (*most[:2], *longest)
    pooled: Region = (*counts[:2], *outputs), (*most[:2], longest[0] + 1, longest[1] + 1)
    scale, sign, few = tape.scale(), tape.choose(4), _LEVELS[tape.choose(len(_LEVELS))]
    places = [tape.choose(256), tape.choose(256)]
    upstream = tape.dyadic(*pooled, tape.scale(UPSTREAM_SCALES))
    drawn = tape.matrix(*image)
    values, units_above = _levels(tape, longest, clear)
    flat = drawn.reshape(*drawn.shape[:-2], -1)
    if maxima == "unique":
        top = prod(sides) - 1
        ranks = flat.argsort(axis=-1, kind="stable").argsort(axis=-1)
    else:
        top = (few if prod(sides) <= _LARGE else prod(sides) // few) - 1
        ranks = (flat + 256 * np.roll(flat.astype(np.intp), 1, axis=-1) * (top > 255)) % (top + 1)
        inside = [sides[1] * i + j for i in rows.fullest for j in columns.fullest]
        one = places[0] % len(inside)
        ranks[..., [inside[one], inside[(one + 1 + places[1] % (len(inside) - 1)) % len(inside)]]] = top
    highest = values[..., top, None]
    values = values - (0.0, highest + GRID, highest, values[..., top // 2, None])[sign]
    values = values + units_above * 2.0 ** np.ceil(np.log2(np.maximum(np.abs(values), 1.0)))
    values = values.reshape(*tape.several, 1, 1, -1)
    x = np.take_along_axis(np.broadcast_to(values, (*ranks.shape[:-1], values.shape[-1])), ranks, -1)
    x = x.reshape(drawn.shape) * scale
    window, stride, padding = ((rows[number], columns[number]) for number in range(3))
    return Case(x=x, window=window, upstream=upstream, stride=stride, padding=padding)


read_unique, read_tied = partial(read, maxima="unique"), partial(read, maxima="tied")
read_clear = partial(read, maxima="unique", clear=True)


def read_neutral(tape: Tape) -> Case:
    """A case whose stride is the window and whose padding is none: windows part the input."""
    with with_setting(options=_NEITHER):
        return read(tape)


def _larger(limits: Limits) -> Iterator[tuple[Limits, Read]]:
    shapes = declared_or(limits.windows, _WINDOWS)
    fitting = [*zip(shapes, cycle(_ROOMS), strict=False), *_MANY_WINDOWS]
    pairs = [(window, _whole(window, room)) for window, room in fitting]
    for (window, whole), counts in in_order(limits, NAME, pairs, _squared):
        within = Limits(windows=(window,), images=(whole,), counts=counts)
        if supported(within, NAME):
            yield from ((within, one) for one in (read_unique, read_tied))


def _squared(pair: Pair) -> Pair:
    side = max(min(max(pair[1]), _LONGEST), *pair[0])
    return pair[0], (side, side)


def _whole(window: Shape, room: Shape) -> Shape:
    """An input with so much room beside a window; one that windows part where there is no stride."""
    sides = zip(window, room, strict=True)
    rows, columns = (w + r if setting().uses("stride") else w * (1 + r // w) for w, r in sides)
    return rows, columns


def _smaller(case: Case) -> Iterator[Case]:
    """An image or channel less; rows or columns less, of what is pooled or of each window; less padding, or more for
    fewer entries; the window for a stride. Ties stay, and what leads goes on leading by as much.
    """
    for axis in (0, 1):
        yield from thinned(case, x=axis, upstream=axis)
    before = leads(case)
    for changed in _changed(case):
        axes = arranged(changed)
        allowed = all(axis.side > 0 and axis.padding <= axis.width // 2 and fits(axis) for axis in axes)
        if allowed and all(axis.outputs <= side for axis, side in zip(axes, changed.upstream.shape[-2:], strict=True)):
            cropped = changed.changed(upstream=changed.upstream[..., : axes[0].outputs, : axes[1].outputs])
            if _as_clear(leads(cropped), before):
                yield cropped


def _changed(case: Case) -> Iterator[Case]:
    for number, axis in enumerate((ROWS, COLUMNS)):
        way = arranged(case)[number]
        for start, stop in spans(way.outputs):  # windows, and with them what leads from one to the next
            rows = max(start * way.stride - way.padding, 0), max(stop * way.stride - way.padding, 0)
            x = without(case.x, axis, rows)
            yield case.changed(x=x, upstream=without(case.upstream, axis, (start, stop)))
        for span in spans(way.side):
            x = without(case.x, axis, span)
            yield case.changed(x=x)
            narrower = _with(case, number, width=way.width - span[1] + span[0])
            if narrower.window[number] > 0:
                yield narrower.changed(x=x)
        if way.side > 2 and setting().uses("padding"):  # for the first and the last entry
            x = without(without(case.x, axis, (way.side - 1, way.side)), axis, (0, 1))
            yield _with(case, number, padding=way.padding + 1).changed(x=x)
        if way.padding:
            yield _with(case, number, padding=way.padding - 1)
        if way.stride != way.width:
            yield _with(case, number, stride=way.width)


def _with(case: Case, number: int, **changes: int) -> Case:
    """The case with another width, stride or padding on this axis; a stride that is the width stays so."""
    axes = list(arranged(case))
    is_neutral = axes[number].stride == axes[number].width
    axes[number] = axes[number]._replace(**changes)
    if is_neutral and "width" in changes:
        axes[number] = axes[number]._replace(stride=changes["width"])
    window, stride, padding = ((axes[0][field], axes[1][field]) for field in range(3))
    return case.changed(window=window, stride=stride, padding=padding)


def _as_clear(after: Array, before: Array) -> bool:
    """Whether there are ties if there were, and the least lead else is as large as before, or larger."""
    clear = [some[some > 0].min(initial=np.inf) for some in (after, before)]
    return (after == 0).any() == (before == 0).any() and bool(clear[0] >= clear[1])


def _made(pair: Pair, stride: Shape, padding: Shape, draw: Callable[[Sides], Array]) -> Case:
    axes = [Axis(*one) for one in zip(pair[0], stride, padding, pair[1], strict=True)]
    x, upstream = draw((1, 1, *pair[1])), draw((1, 1, *(axis.outputs for axis in axes)))
    return Case(x=x, window=pair[0], upstream=upstream, stride=stride, padding=padding)


def _fresh(number: int, seed: int) -> Case:
    generator, length = np.random.default_rng([number, seed]), 53 + number % 64
    stride = (3, 20) if setting().uses("stride") else (4, length)
    padding = (2, 5) if setting().uses("padding") else (0, 0)
    pair = (4, length), (16 - 2 * padding[0], 2 * length - 2 * padding[1])
    return _made(pair, stride, padding, lambda shape: generator.standard_normal(shape).round(4))


def _plain(pair: Pair) -> Case:
    return _made(pair, pair[0], (0, 0), untied)


def _stages(case: Case, operation: str) -> Iterator[Stage]:
    are_parts = all((way.stride, way.padding, way.side % way.width) == (way.width, 0, 0) for way in arranged(case))
    yield Stage("x", case.x, window=case.window if are_parts else None)
    yield Stage("max_pool(x)", max_pool(case))


def _whole_windows(case: Case) -> Array:
    """The windows that have no padding, (count, entries)."""
    every = windows(case).reshape(-1, prod(case.window))
    return every[np.isfinite(every).all(axis=1)]


def _gradient(case: Case) -> tuple[Value]:
    return (Value(gradient(case), units(case), reach(case)),)


def _pooled(case: Case) -> tuple[Sides]:
    return ((*case.x.shape[:-2], *(axis.outputs for axis in arranged(case))),)


_OPTIONS = {"stride": Kind.SIDES, "padding": Kind.SIDES}
_ARRAYS = {"x": Kind.IMAGES, "window": Kind.SIDES}
_BACKWARD = {**_ARRAYS, "upstream": Kind.IMAGES, **_OPTIONS}
POOLING_OPTIONS = Layer(
    NAME,
    operations=(
        Signature(
            "max_pool_with_options",
            summary="The maximum of each window (p, q) of x (H, W) with a stride (s, t) and a padding (a, b) of −∞: "
            "((H+2a−p)//s+1, (W+2b−q)//t+1).",
            takes={**_ARRAYS, **_OPTIONS},
            gives=(Kind.IMAGES,),
            shapes=_pooled,
            value=lambda case: (exactly(max_pool(case)),),
            formulas=("`y[i,j] = max[m<p, n<q] x[s i+m−a, t j+n−b]`, over the entries that there are",),
            named_by="pooling_options.max_pool_with_options_is_the_maximum",
            smooth=read_unique,
            kinked=read_tied,
            function="max_pool",
            options=tuple(_OPTIONS),
        ),
        Signature(
            "max_pool_gradient_with_options",
            summary="The gradient for x, (H, W), of upstream, shaped like the maxima: to those of each window, by "
            "weights of sum 1, and added up over the windows.",
            takes=_BACKWARD,
            gives=(Kind.IMAGES,),
            shapes=lambda case: (case.x.shape,),
            value=_gradient,
            formulas=(
                "`∂C/∂x[k,l] = Σ[i,j] g[i,j,k−s i+a,l−t j+b] upstream[i,j]`, over the windows that hold `x[k,l]`",
                "with weights `g[i,j] ≥ 0` of sum 1, and 0 off the maxima of the window",
            ),
            named_by="pooling_options.gradient_with_options_is_the_sum_of_argmax_scatters",
            smooth=read_unique,
            kinked=read_tied,
            is_kinked=is_tied,
            faults=faults,
            separated=separated,
            faults_tell_all=True,
            parts=("x",),
            function="max_pool_gradient",
            options=tuple(_OPTIONS),
        ),
    ),
    kinds=_BACKWARD,
    read=read,
    larger=_larger,
    smaller=_smaller,
    fresh=_fresh,
    plain=_plain,
    pairs=lambda limits: limits.windowed(NAME),
    pair=lambda case: (case.window, case.x.shape[-2:]),
    windows=_whole_windows,
    stages=_stages,
)
