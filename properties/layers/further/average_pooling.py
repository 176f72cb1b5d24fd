"""Average pooling of each image's channels, and its gradient, with a stride and a padding of zeros.

`x` is (N, C, H, W), window (p, q), stride (s, t), padding (a, b): rows above and below, columns left and right. Outputs
and upstream are (N, C, (H + 2a − p) // s + 1, (W + 2b − q) // t + 1). Arrays may have axes in front. Whether padding
counts in the mean is the target's choice.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from math import ceil, prod

import numpy as np

from ...harness.core.limits import Limits, NotApplicable, Pair, Shape
from ...harness.core.resizing import COLUMNS, ROWS, cropped, declared_or, in_order, spans, thinned
from ...harness.core.setting import Conventions, setting, with_setting
from ...harness.core.sizes import read_shapes
from ...harness.core.tape import SEED, UPSTREAM_SCALES, Case, Tape
from ...harness.core.values import Array, Kind, Value, untied
from ..base.registry import Ask, Layer, Read, Sides, Signature, Stage
from .averages import (
    COUNTED,
    LEFT_OUT,
    NAME,
    PADDING,
    Axis,
    axes_of,
    counts_padding,
    gradient_units,
    means,
    pairs_of,
    shares,
    units,
)

_PROBES = 24
_WINDOWS: tuple[Shape, ...] = (
    *((side, side) for side in range(1, 9)),
    *((11, 11), (12, 12), (16, 16), (17, 17), (1, 17), (17, 1), (3, 9), (4, 7), (16, 15), (2, 5), (10, 2)),
)
_GRIDS: tuple[Shape, ...] = (
    (9, 8),
    (2, 3),
    (17, 5),
    (1, 2),
    (4, 16),
    (8, 8),
    (3, 7),
    (16, 9),
    (33, 4),
    (5, 1),
    (32, 2),
)


def _value(case: Case) -> tuple[Value]:
    return (Value(means(case, case.x), units(case), means(case, np.abs(case.x))),)


def _gradient(case: Case) -> tuple[Value]:
    size = shares(case, np.abs(case.upstream))
    return (Value(shares(case, case.upstream), gradient_units(case), size),)


def _joined(part: Shape, fits: Shape, kind: str) -> Shape:
    """An input for a window: with a stride of any side, else so many windows."""
    if not setting().uses("stride"):
        return part[0] * fits[0], part[1] * fits[1]
    more = 1 if kind == "left over" else 0
    if setting().uses("padding") and kind not in ("left over", "full"):
        return fits
    return part[0] - 1 + fits[0] + more, part[1] - 1 + fits[1] + more


def _axes(side: int, part: int, kind: str) -> list[Axis]:
    """The poolings of a side that cases may use, the simplest first; without strides the side may become another."""
    pads = setting().uses("padding") and not (kind == "full" and counts_padding())
    paddings = sorted({0, min(1, part - 1), min(2, part - 1), part // 2, part - 1}) if pads else [0]
    if not setting().uses("stride"):
        if setting().limits.any_shape:
            sides = {padding: side - 2 * padding for padding in paddings}
            return [Axis(one if one > 0 else one + part, part, part, a) for a, one in sides.items()]
        return [one for a in paddings if (one := Axis(side, part, part, a)).is_used]
    strides = dict.fromkeys((part, 1, 2, 3, part + 1, ceil(part / 2)))
    if kind == "left over" and side > part:
        strides |= {side - part + 1: None}
        return [one for a in paddings for s in strides if (one := Axis(side, part, s, a)).is_used and one.leaves_some]
    return [one for a in paddings for s in strides if (one := Axis(side, part, s, a)).is_used]


def read(tape: Tape, kind: str = "", second: bool = False) -> Case:
    """`x`, `window`, `stride`, `padding`, `upstream`; with `second`, also `other` in the shape of `x`.

    Of a `kind`: "full" counts no padding in a mean, "left over" has entries that no window holds, "single" windows of
    one entry. `NotApplicable` where the target has no such case.
    """
    limits = setting().limits
    if kind == "left over" and not setting().uses("stride"):
        raise NotApplicable("without a stride no entry is left over")
    sides = limits.largest.window, limits.largest.windows
    if setting().uses("stride"):
        sides = sides[0], sum(sides) + 1
    if kind == "single":
        sides = 1, sides[1]

    def supported() -> tuple[Pair, ...]:
        found = pairs_of(limits)
        kinds = {"left over": lambda pair: pair[0] != pair[1], "single": lambda pair: pair[0] == (1, 1)}
        return tuple(filter(kinds[kind], found)) if kind in kinds else found

    shapes = read_shapes(tape, supported, sides, lambda p, n: _joined(p, n, kind), lambda part, whole: whole)
    both = [_axes(*pair, kind) for pair in zip(shapes.whole, shapes.part, strict=True)]
    rows, columns = (one[tape.choose(len(one))] for one in both)
    (shape, extent), most_part = shapes.image, shapes.largest_part
    shape = *shape[:2], rows.side, columns.side
    outputs = *shape[:2], rows.outputs, columns.outputs
    most_outputs = *extent[:2], *(side + part - 1 for side, part in zip(extent[2:], most_part, strict=True))
    scale = tape.scale()
    case = Case(
        x=tape.dyadic(shape, extent, scale),
        window=shapes.part,
        stride=(rows.stride, columns.stride),
        padding=(rows.padding, columns.padding),
        upstream=tape.dyadic(outputs, most_outputs, tape.scale(UPSTREAM_SCALES)),
    )
    if second:
        case["other"] = tape.dyadic(shape, extent, scale)
    return case


def _larger(limits: Limits) -> Iterator[tuple[Limits, Read]]:
    def whole(window: Shape, grid: Shape) -> Shape:
        if setting().uses("stride"):
            return window[0] + 2 * grid[0], window[1] + 2 * grid[1]
        return window[0] * grid[0], window[1] * grid[1]

    def squared(pair: Pair) -> Pair:
        window, inputs = pair
        return window, (max(inputs),) * 2 if setting().uses("stride") else (prod(window),) * 2

    windows = declared_or(limits.windows, _WINDOWS)
    pairs = [(window, whole(window, grid)) for window, grid in zip(windows, cycle(_GRIDS), strict=False)]
    for (window, inputs), counts in in_order(limits, NAME, pairs, squared):
        yield Limits(windows=(window,), images=(inputs,), counts=counts), read


def _smaller(case: Case) -> Iterator[Case]:
    """An image or channel less; along an axis fewer entries, a smaller window, stride or padding, or several such."""
    for axis in (0, 1):
        yield from thinned(case, x=axis, other=axis, upstream=axis)
    for number, along in enumerate((ROWS, COLUMNS)):
        now = axes_of(case)[number]
        side, part, stride, padding = now
        cuts = [
            stop * step
            for count, step in ((side, 1), (now.outputs, stride))
            for start, stop in spans(count)
            if not start
        ]
        shorter = [now._replace(side=side - cut) for cut in cuts]
        thinner = [Axis(side - cut, part - 1, s, padding) for cut in (0, 1, now.outputs) for s in (stride, stride - 1)]
        nearer = [Axis(side, part, stride, padding - 1), Axis(side, part, stride - 1, padding)]
        nearer += [Axis(side - 1, part, stride - 1, padding), Axis(side - now.outputs + 1, part, stride - 1, padding)]
        for one in (*shorter, *thinner, *nearer):
            if min(one) >= 0 and one.stride and one.is_used and one.outputs <= now.outputs:
                yield from (_along(case, number, along, one, first) for first in (True, False))


def _along(case: Case, number: int, along: int, one: Axis, first: bool) -> Case:
    """The case with another axis, without its `first` or its last entries and outputs."""
    changed = {name: list(case[name]) for name in ("window", "stride", "padding")}
    for sides, value in zip(changed.values(), one[1:], strict=True):
        sides[number] = value
    arrays = {name: case[name] for name in ("x", "other", "upstream") if name in case}
    wanted = {"upstream": one.outputs}
    cut = {
        name: cropped(array, along, first, array.shape[along] - wanted.get(name, one.side))
        for name, array in arrays.items()
    }
    return case.changed(**{name: tuple(sides) for name, sides in changed.items()}, **cut)


def _fresh(number: int, seed: int) -> Case:
    generator, length = np.random.default_rng([number, seed]), 53 + number % 64
    x = generator.standard_normal((1, 1, 14, 2 * length)).round(4)
    upstream = generator.standard_normal((1, 1, 2, 2)).round(4)
    return Case(x=x, window=(7, length), stride=(7, length), padding=(0, 0), upstream=upstream)


def _plain(pair: Pair) -> Case:
    window, (rows, columns) = pair
    upstream = untied((1, 1, rows // window[0], columns // window[1]))
    return Case(x=untied((1, 1, rows, columns)), window=window, stride=window, padding=(0, 0), upstream=upstream)


def _outputs(case: Case) -> tuple[Sides]:
    return ((*case.x.shape[:-2], *(axis.outputs for axis in axes_of(case))),)


def _stages(case: Case, operation: str) -> Iterator[Stage]:
    yield Stage("average_pool(x)", means(case, case.x))


def _rule(ask: Ask, gradient: bool) -> str | None:
    """Whether padding counts, as most cases say that tell; None where none does. A common factor plays no part."""
    generator, votes = np.random.default_rng(SEED), Counter[str]()
    for _ in range(_PROBES if setting().uses("padding") else 0):
        try:
            case = read(Tape(generator.bytes(2**12)))
        except NotApplicable:
            return None
        if (answer := ask(case)) is not None:
            fits = [rule for rule in (COUNTED, LEFT_OUT) if _is_multiple(answer, _expected(case, rule, gradient))]
            votes.update(fits if len(fits) == 1 else [])
    most = votes.most_common(2)
    return most[0][0] if most and len({count for _, count in most}) == len(most) else None


def _expected(case: Case, rule: str, gradient: bool) -> Array:
    with with_setting(conventions=Conventions(further=((PADDING, rule),))):
        return shares(case, case.upstream) if gradient else means(case, case.x)


def _is_multiple(answer: Array, expected: Array) -> bool:
    factor = (answer * expected).sum() / ((expected * expected).sum() or 1.0)
    return bool(factor and (np.abs(answer - factor * expected) <= 1e-4 * np.abs(answer).max()).all())


_FORWARD = {"x": Kind.IMAGES, "window": Kind.SIDES, "stride": Kind.SIDES, "padding": Kind.SIDES}
_BACKWARD = {
    "x": Kind.IMAGES,
    "window": Kind.SIDES,
    "upstream": Kind.IMAGES,
    "stride": Kind.SIDES,
    "padding": Kind.SIDES,
}
_OPTIONS = ("stride", "padding")


def _found(pool: Ask, gradient: Ask) -> str | None:
    return _rule(pool, gradient=False) or _rule(gradient, gradient=True)


AVERAGE_POOLING = Layer(
    NAME,
    operations=(
        Signature(
            "average_pool",
            summary="The mean of each window (p, q) of x (H, W), which do not overlap without a stride: (H/p, W/q).",
            takes=_FORWARD,
            gives=(Kind.IMAGES,),
            shapes=_outputs,
            value=_value,
            formulas=(
                "`y[i,j] = Σ[m<p, n<q] x[s i + m − a, t j + n − b] / (p q)`",
                "or divided by the number of entries of `x` in the window, where padding is left out",
            ),
            named_by="average_pooling.average_pool_is_the_mean",
            smooth=read,
            other_names=("avgpool", "avgpool2d", "meanpool", "avgpoolforward", "averagepooling", "meanpooling"),
            options=_OPTIONS,
        ),
        Signature(
            "average_pool_gradient",
            summary="The gradient for x, (H, W), of upstream, (H/p, W/q): equal shares to the entries of each window.",
            takes=_BACKWARD,
            gives=(Kind.IMAGES,),
            shapes=lambda case: (case.x.shape,),
            value=_gradient,
            formulas=("`∂C/∂x[k,l] = Σ[i,j] upstream[i,j] / (p q)` over all windows that hold `x[k,l]`",),
            named_by="average_pooling.gradient_hands_out_equal_shares",
            smooth=read,
            parts=("x",),
            other_names=("avgpoolbackward", "avgpoolgrad", "meanpoolbackward", "averagepoolingbackward"),
            options=_OPTIONS,
        ),
    ),
    kinds={**_BACKWARD, "other": Kind.IMAGES},
    read=read,
    larger=_larger,
    smaller=_smaller,
    fresh=_fresh,
    plain=_plain,
    pairs=lambda limits: limits.poolings(False, NAME),
    pair=lambda case: (case.window, case.x.shape[-2:]),
    stages=_stages,
    finds={PADDING: (("average_pool", "average_pool_gradient"), _found)},
)
