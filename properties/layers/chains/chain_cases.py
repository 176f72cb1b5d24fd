"""Cases of a declared network: off every kink, or at kinks of its convolution, its ReLU and its pooling.

Sizes are read from the outputs back to the image, so that every window fits. A case that lies on a kink, or so near to
one that rounding might cross it, is moved off it, all its arrays by another pattern of numbers each time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import product
from math import prod

import numpy as np

from ...harness.core.limits import Limits, NotApplicable, Pair, Shape
from ...harness.core.resizing import COUNTS, spans, without
from ...harness.core.setting import Setting, setting
from ...harness.core.sizes import read_counts
from ...harness.core.tape import GRID, Case, Tape
from ...harness.core.values import Array, Kind, untied
from ..base.registry import Read, Sides
from ..base.unfolding import sides_after
from .chain import OF_IMAGES, Layered, forward, kinks, label_kind, network, parameters

NAME = "declared_network"
MOST_KERNEL, MOST_OUTPUTS, MOST_SIDE = 3, 3, 2
MOST_MOVES = 60
CLEAR = GRID / 2**14  # how far from a kink cases lie at least
WEIGHT_SCALES, IMAGE_SCALES, RATES = (1 / 16, 1 / 4, 1.0, 1024.0), (1.0, 1 / 4), (1.0, 1 / 16, 1 / 4, 2.0, 0.0)
_LARGER = (
    ((3, 3), (5, 7), 10),
    ((5, 2), (9, 4), 7),
    ((7, 7), (3, 3), 17),
    ((2, 11), (16, 5), 3),
    ((1, 1), (20, 33), 5),
)


def _along(axis: int, stages: Sequence[Layered], kernels: list[int], after: int) -> int | None:
    """How long an image's side must be for this many entries to be left of it; None where padding would make it 0."""
    side, rest = after, list(kernels)
    for one in reversed(stages):
        if one.name not in OF_IMAGES:
            continue
        length = rest.pop() if one.name == "conv2d" else one.options["window"][axis]
        default = 1 if one.name == "conv2d" else length
        stride = one.options["stride"][axis] if "stride" in one.options else default
        reach = one.options.get("dilation", (1, 1))[axis] * (length - 1) + 1
        padding = one.options.get("padding", (0, 0))[axis]
        side = (side - 1) * stride + reach - 2 * padding
        if side < 1 or (one.name != "conv2d" and padding >= length):
            return None
    return side


def _sides(axis: int, stages: Sequence[Layered], kernels: list[int], after: int) -> int:
    """The same for so many entries, or for the fewest more that there can be."""
    return next(side for more in range(9) if (side := _along(axis, stages, kernels, after + more)) is not None)


def shapes_of(
    kernels: list[Shape], filters: list[int], outputs: list[int], left: Shape, images: int, channels: int
) -> dict[str, Sides]:
    """The shapes of the image, the target and every parameter of the network that is declared."""
    stages = network()[0]
    sides = _sides(0, stages, [k[0] for k in kernels], left[0]), _sides(1, stages, [k[1] for k in kernels], left[1])
    shapes: dict[str, Sides] = {"image": (images, channels, *sides)}
    shape: Sides = shapes["image"]
    kernels, filters, outputs = list(kernels), list(filters), list(outputs)
    for one in stages:
        geometry = {name: one.options[name] for name in ("stride", "padding", "dilation") if name in one.options}
        own: dict[str, Sides] = {}
        if one.name == "conv2d":
            window, count = kernels.pop(0), filters.pop(0)
            own = {"kernel": (count, shape[1], *window), "bias": (count,)}
            shape = (images, count, *sides_after((shape[2], shape[3]), window, **geometry))
        elif one.name in OF_IMAGES:
            window = one.options["window"]
            shape = (*shape[:2], *sides_after((shape[2], shape[3]), window, **{"stride": window, **geometry}))
        elif one.name == "flatten":
            shape = (images, prod(shape[1:]))
        elif one.name == "dense":
            shape = (images, prod(shape[1:]))
            count = outputs.pop(0)
            own, shape = {"weights": (shape[1], count), "bias": (count,)}, (images, count)
        shapes |= {name: own[name.rstrip("0123456789")] for name in one.parameters}
    return {"image": shapes.pop("image"), "target": shape, **shapes}


def _counted(name: str) -> int:
    return sum(one.name == name for one in network()[0])


def _read_shapes(tape: Tape) -> tuple[dict[str, Sides], dict[str, Sides]]:
    """Shapes read off a tape, and the largest that could have been read. `NotApplicable` if none is supported."""
    counts, most = read_counts(tape)
    convolutions, dense, kernel = _counted("conv2d"), _counted("dense"), MOST_KERNEL
    if setting().limits.any_shape:
        drawn = [(tape.choose(kernel) + 1, tape.choose(kernel) + 1) for _ in range(convolutions)]
        left = tape.choose(MOST_SIDE) + 1, tape.choose(MOST_SIDE) + 1
    else:
        supported = _supported(setting(), kernel)
        if not supported:
            raise NotApplicable("within the declared shapes there is no such case")
        drawn, left = supported[tape.choose(len(supported))]
    filters = [tape.choose(most.filters) + 1 if most.filters > 1 else 1 for _ in range(convolutions)]
    outputs = [tape.choose(MOST_OUTPUTS) + 1 for _ in range(dense)]
    outputs[-1] += label_kind() is Kind.LABELS  # of one class nothing is to be learnt
    shapes = shapes_of(drawn, filters, outputs, left, counts.images, counts.channels)
    return shapes, _hull(setting(), kernel, (*most[:2], most.filters), MOST_OUTPUTS + 1)


def _sized(kernel: int) -> Iterator[tuple[list[Shape], Shape]]:
    """Every choice of kernels up to this side, and of what is left of the image behind the last pooling."""
    along = list(product(product(range(1, kernel + 1), repeat=_counted("conv2d")), range(1, MOST_SIDE + 1)))
    for (rows, down), (columns, across) in product(along, along):
        yield list(zip(rows, columns, strict=True)), (down, across)


@cache
def _supported(within: Setting, kernel: int) -> list[tuple[list[Shape], Shape]]:
    """Those of them that are within what the target declares; `within` is the setting in force."""
    found = []
    for windows, left in _sized(kernel):
        counted = [1] * len(windows)
        image = shapes_of(windows, counted, [1] * _counted("dense"), left, 1, 1)["image"]
        if all(within.limits.supports(NAME, (window, (image[2], image[3]))) for window in windows or [(1, 1)]):
            found.append((windows, left))
    return found


@cache
def _hull(within: Setting, kernel: int, most: tuple[int, int, int], outputs: int) -> dict[str, Sides]:
    """The largest shape of each array, for kernels up to this side; `within` is the setting in force."""
    found: dict[str, Sides] = {}
    for windows, left in _sized(kernel):
        shapes = shapes_of(windows, [most[2]] * len(windows), [outputs] * _counted("dense"), left, *most[:2])
        found = {name: tuple(map(max, shape, found.get(name, shape))) for name, shape in shapes.items()}
    return found


def read(tape: Tape, few_valued: bool = False) -> Case:
    """`image`, `target`, every parameter, `learning_rate`; off kinks, or with entries of few values, which tie."""
    return _case(tape, *_read_shapes(tape), few_valued)


def _case(tape: Tape, shapes: dict[str, Sides], largest: dict[str, Sides], few_valued: bool) -> Case:
    image_scale, weight_scale = tape.scale(IMAGE_SCALES), tape.scale(WEIGHT_SCALES)
    case = Case()
    for name, shape in shapes.items():
        scale = image_scale if name == "image" else 1.0 if name.startswith("kernel") else weight_scale
        if few_valued and not name.startswith(("target", "weights")):
            case[name] = np.array([0.0, 1.0, -1.0]).take(tape.matrix(shape, largest[name]), mode="wrap")
        else:
            case[name] = tape.dyadic(shape, largest[name], scale)
    case["target"] = _targets(tape, case.target, largest["target"])
    case["learning_rate"] = tape.scale(RATES)
    return case if few_valued else settled(case)


def _targets(tape: Tape, drawn: Array, largest: Sides) -> Array:
    """The drawn numbers, or for each image one class of those that there are."""
    if label_kind() is not Kind.LABELS:
        return drawn
    chosen = tape.matrix((len(drawn),), largest[:1]) % drawn.shape[1]
    return (chosen[:, None] == np.arange(drawn.shape[1])) * 1.0


read_kinked = partial(read, few_valued=True)


def settled(case: Case) -> Case:
    """The case, or one near it that lies off every kink by more than rounding may bridge."""
    for move in range(1, MOST_MOVES):
        if is_smooth(case):
            return case
        case = case.changed(
            **{
                name: case[name] + GRID * move * (_pattern(case[name].shape, move) - 0.5)
                for name in ("image", *parameters())
            }
        )
    return case


def _pattern(shape: Sides, number: int) -> Array:
    return np.roll(untied(shape).ravel(), number).reshape(shape) if prod(shape) else np.zeros(shape)


def is_smooth(case: Case) -> bool:
    """Whether nothing that a stage decides is within rounding of being decided otherwise."""
    return all(bool((one.room > CLEAR).all()) for one in kinks(forward(case)))


def larger(limits: Limits) -> Iterator[tuple[Limits, Read]]:
    """Networks of larger images, kernels and dense layers."""
    for number, (kernel, left, outputs) in enumerate(_LARGER):
        counts = COUNTS[number + 1]
        if limits.any_shape:
            yield replace(limits, counts=counts), partial(_read_larger, kernel, left, outputs)


def _read_larger(kernel: Shape, left: Shape, outputs: int, tape: Tape) -> Case:
    counts, _ = read_counts(tape)
    convolutions, dense = _counted("conv2d"), _counted("dense")
    shapes = shapes_of([kernel] * convolutions, [counts.filters] * convolutions, [outputs] * dense, left, *counts[:2])
    return _case(tape, shapes, shapes, False)


def smaller(case: Case) -> Iterator[Case]:
    """An image less; or every array with its numbers rounded."""
    for span in spans(len(case.image)):
        yield case.changed(image=without(case.image, 0, span), target=without(case.target, 0, span))


def fresh(number: int, seed: int) -> Case:
    """Gaussian values, in shapes by the number."""
    generator = np.random.default_rng([number, seed])
    convolutions, dense = _counted("conv2d"), _counted("dense")
    left = 1 + number % 5, 1 + number // 5 % 7
    shapes = shapes_of([(3, 2)] * convolutions, [1] * convolutions, [3] * dense, left, 1, 1)
    case = Case({name: generator.standard_normal(shape).round(4) / 4 for name, shape in shapes.items()})
    if label_kind() is Kind.LABELS:
        case["target"] = np.eye(3)[[number % 3]]
    return case.changed(learning_rate=0.5)


def pairs(limits: Limits) -> tuple[Pair, ...]:
    """Kernels that are no square, each with the image that the network needs for it, as far as they are supported."""
    found: list[Pair] = []
    for kernel in ((2, 3), (3, 2), (2, 2), (1, 1)):
        *_, rows, columns = shapes_of([kernel] * _counted("conv2d"), [1] * 9, [1] * 9, (1, 1), 1, 1)["image"]
        if limits.any_shape or limits.supports(NAME, (kernel, (rows, columns))):
            found.append((kernel, (rows, columns)))
    return tuple(found)


def plain(pair: Pair) -> Case:
    """A small case without ties, with kernels of this shape."""
    convolutions, dense = _counted("conv2d"), _counted("dense")
    shapes = shapes_of([pair[0]] * convolutions, [1] * convolutions, [2] * dense, (1, 1), 1, 1)
    case = Case({name: untied(shape) for name, shape in shapes.items()})
    if label_kind() is Kind.LABELS:
        case["target"] = np.array([[1.0, 0.0]])
    return case.changed(learning_rate=0.5)
