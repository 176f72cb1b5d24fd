"""Every case of a kind, and what a certificate may say once all of them held."""

from collections.abc import Iterator
from functools import cache
from itertools import product
from math import ceil, floor, prod
from typing import Any

import numpy as np

from ...layers.bounds import Value
from ..core.cases import GRID, Case, blocks
from ..core.limits import POOL, Limits, NotApplicable, Pair, Shape
from ..core.shards import WHOLE, in_words
from ..core.single import widened
from ..core.sizes import fit_valid
from ..core.trial import current
from ..target.target import Array, Operation
from .comparison import agree, agree_at
from .fixed_cases import SEED

LARGEST_IMAGE, LARGEST_KERNEL = (6, 6), (4, 4)
LARGEST_IMAGE_OF_TWO, LARGEST_KERNEL_OF_TWO = (3, 3), (2, 2)  # with two channels, two filters and two images
WINDOW_ENTRIES = 9  # a window of so many has 511 sets of maxima
HALF_GRID = 64  # uniform points: k/16 with |k| ≤ 64, that is 129 values a variable
PATTERN_KERNEL, PATTERN_IMAGE = (3, 3), (6, 6)
NOTEBOOK_WINDOWS, ALL_PATTERNS = 4, 625
_OF_IMAGE, _OF_OUTPUT = {"N": "x", "C": "c", "H": "m", "W": "n"}, {"N": "y", "C": "e", "H": "o", "W": "p"}
_LEVELS = (-1.0, 1.0, 3.0)  # a dead entry, one that is positive but does not win, and the winner


def noted(what: str, where: str, **numbers: Any) -> None:
    """Note what the certificate is to say of this statement if it holds; `numbers` go with it.

    Of a target with limits it says no more than that the supported shapes were tried, of a shard which part it is.
    """
    if not current().target.limits.any_shape:
        where += ", as far as the target supports these"
    number, shards = current().shard
    part = {} if (number, shards) == WHOLE else {"part": in_words([number], shards)}
    current().record.proof = {"what": what, "where": where, **numbers, **part}


def basis(shape: tuple[int, ...]) -> Array:
    """Every basis vector of this shape, (size, *shape), read-only."""
    units = np.eye(prod(shape)).reshape(-1, *shape)
    units.flags.writeable = False
    return units


def _largest() -> tuple[Shape, Shape]:
    """The largest image and kernel: with channels smaller ones, since there are two of everything."""
    if current().target.layout.channelled:
        return LARGEST_IMAGE_OF_TWO, LARGEST_KERNEL_OF_TWO
    return LARGEST_IMAGE, LARGEST_KERNEL


def _shapes() -> tuple[list[Pair], int]:
    """The supported (kernel, image) pairs that are tried, smallest first, and how many there are in all."""
    fitting = _fitting(current().target.limits, *_largest())
    return fitting[: ceil(len(fitting) * current().share)], len(fitting)


@cache
def _fitting(limits: Limits, image: Shape, kernel: Shape) -> list[Pair]:
    most = kernel + image
    pairs = limits.convolutions()
    return [pair for pair in pairs if all(side <= limit for side, limit in zip(pair[0] + pair[1], most, strict=True))]


def convolution_shapes(**_: Any) -> Iterator[Case]:
    """A case for every supported kernel up to 4×4 and image up to 6×6, smallest first: their first basis vectors.

    With channels up to 2×2 and 3×3, with two channels and two filters, and two images where there are batches. With
    fewer examples a property than usual, as much fewer of them.
    """
    layout, (pairs, _count) = current().target.layout, _shapes()
    for kernel, image in pairs:
        shapes = layout.shape(image, 2, 2), layout.kernel_shape(kernel, 2, 2)
        output = layout.shape(fit_valid(kernel, image), 2, 2)
        yield Case(image=basis(shapes[0])[0], kernel=basis(shapes[1])[0], upstream=basis(output)[0])
    if not pairs:
        within = ["×".join(map(str, sides)) for sides in _largest()]
        raise NotApplicable(f"no supported image is within {within[0]} and no kernel within {within[1]}")


def convolution_tensor(case: Case) -> Array:
    """`∂²y[o] / ∂image[m] ∂kernel[a]`, (image, kernel, output), each flattened in C order: it is 0 or 1.

    It is 1 where a row and a column of the three go together, and their images, channels and filters are the same.
    """
    layout, sides = current().target.layout, []
    numbers = [layout.numbers(case.image), layout.numbers(case.upstream)]
    for axis, letter in enumerate("HW"):
        lengths = numbers[0][letter], case.kernel.shape[axis - 2], numbers[1][letter]
        entry, weight, output = np.ix_(*map(range, lengths))
        reach = lengths[1] - 1 - weight if current().flips else weight
        sides.append((entry == output + reach) * 1.0)
    same = [np.eye(numbers[0]["N"]), np.eye(numbers[0]["C"]), np.eye(numbers[1]["C"])]
    images, outputs = ("".join(names[letter] for letter in layout.name) for names in (_OF_IMAGE, _OF_OUTPUT))
    kernels = "fdab" if layout.channelled else "ab"
    joined = np.einsum(f"mao,nbp,xy,cd,ef->{images}{kernels}{outputs}", *sides, *same)
    return joined.reshape(case.image.size, case.kernel.size, case.upstream.size)


def bilinear(operation: Operation, case: Case, names: tuple[str, str], tensor: Array, units: float) -> None:
    """Hold an operation against its tensor, (left, right, answer), on every pair of basis vectors of two arguments.

    The first pair that is wrong becomes the case.
    """
    noted("on every pair of basis vectors", where(case))
    left, right = (basis(case[name].shape) for name in names)
    arguments = dict(case)
    answers = []
    for one, other in product(left, right):
        arguments[names[0]], arguments[names[1]] = one, other
        answers.append(operation.raw(*(arguments[name] for name in operation.signature.parameters)))
    expected = tensor.reshape(len(answers), -1)
    try:
        given = np.array(answers, dtype=np.float64).reshape(expected.shape)
    except (TypeError, ValueError):
        given = np.full(expected.shape, np.nan)
    bound = Value(expected, units, 1.0)
    wrong = ~(np.abs(given - expected) <= bound.allowed)
    if wrong.any():
        number = int(np.argwhere(wrong)[0][0])
        case.update({names[0]: left[number // len(right)], names[1]: right[number % len(right)]})
        answer = operation(*case.arguments(*operation.signature.parameters))
        agree(answer, Value(expected[number].reshape(answer.shape), units, 1.0), operation.name)
    agree(given, bound, operation.name)
    counted(len(answers))


def where(case: Case) -> str:
    """For which shapes the cases of convolutions and of the dense layer are all there are."""
    layout = current().target.layout
    if "kernel" not in case:
        return "for up to 9 features" + " and 2 images" * layout.batched
    image, kernel = ("×".join(map(str, sides)) for sides in _largest())
    several = "2 channels and 2 filters"
    several = f", with 2 images, {several}" if layout.batched else f", with {several}" if layout.channelled else ""
    pairs, count = _shapes()
    which = f"the {len(pairs)} smallest of {count} pairs of " if len(pairs) < count else ""
    return f"for {which}images up to {image} and kernels up to {kernel}{several}"


def counted(examples: int) -> None:
    """Count a case as so many, since `ran` counts it as one."""
    if current().record.refutation is None:
        current().record.examples += examples - 1


def _grid(case: Case) -> dict[str, Any]:
    """Of each array the centre, the step and the reach of a grid: the case's own box, or k/16 with |k| ≤ 64."""
    arrays = {name: value for name, value in case.items() if isinstance(value, np.ndarray)}
    return case.get("_box") or {name: (np.zeros(value.shape), GRID, HALF_GRID) for name, value in arrays.items()}


def uniform(case: Case, count: int) -> list[Case]:
    """Points drawn uniformly from a grid around the case."""
    grid = _grid(case)
    sizes = [side for value in case.values() if isinstance(value, np.ndarray) for side in value.shape]
    generator = np.random.default_rng([SEED, case.get("_number", 0), *sizes])
    points = []
    for _ in range(count):
        drawn = {
            name: centre + step * generator.integers(-reach, reach + 1, centre.shape)
            for name, (centre, step, reach) in grid.items()
        }
        points.append(Case({**case, **drawn}))
    return points


def polynomial(operation: Operation, case: Case, count: int, degree: int) -> None:
    """Hold an operation, a polynomial of this degree, at so many points drawn uniformly from a grid around the case.

    The chance that a wrong one agrees at all of them is at most (degree / values)^count.
    """
    agree_at(operation, case, uniform(case, count))
    counted(count)
    half = min(reach for _, _, reach in _grid(case).values())
    numbers = {"degree": degree, "values": 2 * half + 1, "points": count, "seed": SEED}
    if "_box" in case:
        covered = 1 + (current().record.proof or {}).get("covered", 0)
        what = f"at {count} uniform points of each activation pattern"
        alone = " with one channel, one filter and one image" if current().target.layout.channelled else ""
        noted(what, f"of the notebook's network{alone}", covered=covered, of=ALL_PATTERNS, **numbers)
    else:
        noted(f"at {count} uniform points of each shape", where(case), **numbers)


def patterns(**_: Any) -> Iterator[Case]:
    """A case for each of the 625 patterns of a 6×6 image, a 3×3 kernel and four weights, with a box inside it.

    The kernel is 1 in its centre and within 1/64 of 0 elsewhere, so that pre-activations are the inner 4×4 entries
    to within 0.72: those are -1, 1 or 3 to within 1/4, less than 1 from the nearest kink. With fewer examples a
    property than usual, as much fewer patterns, spread evenly. `NotApplicable` where the target does not support
    these shapes.
    """
    if (PATTERN_KERNEL, PATTERN_IMAGE) not in current().target.limits.networks():
        raise NotApplicable("the notebook's shapes, 6×6 with 3×3, are not supported")
    reach = 128
    kernel = np.zeros(PATTERN_KERNEL)
    kernel[1, 1] = 1.0
    weights = np.array([[0.25], [-0.125], [0.125], [-0.25]])
    layout, share = current().target.layout, current().share
    for number, winners in enumerate(product(range(POOL[0] * POOL[1] + 1), repeat=NOTEBOOK_WINDOWS)):
        if floor((number + 1) * share) == floor(number * share):
            continue
        inner = np.full((4, 4), _LEVELS[1])
        parted = blocks(inner, POOL)
        for (i, j), winner in zip(np.ndindex(2, 2), winners, strict=True):
            if winner == POOL[0] * POOL[1]:
                parted[i, j] = _LEVELS[0]
            else:
                parted[i, j].flat[winner] = _LEVELS[2]
        image = np.zeros(PATTERN_IMAGE)
        image[1:5, 1:5] = inner
        centres = {name: widened(layout, name, value) for name, value in (("image", image), ("kernel", kernel))}
        yield Case(
            **centres,
            target=widened(layout, "target", 0.5),
            weights=weights,
            _number=number,
            _box={
                "image": (centres["image"], 2.0**-9, reach),
                "kernel": (centres["kernel"], 2.0**-13, reach),
                "weights": (weights, 2.0**-11, reach),
            },
        )


def pattern_of(windows: Array) -> tuple[int, ...]:
    """Which entry wins in each window of pre-activations, (windows, 4); 4 if none is positive."""
    return tuple(np.where(windows.max(axis=1) > 0, windows.argmax(axis=1), windows.shape[1]).tolist())


def _tiled(window: Array, whole: Shape) -> Case:
    """The window over and over; two images and two channels of it, where the layout has them."""
    layout = current().target.layout
    tiles = whole[0] // window.shape[0], whole[1] // window.shape[1]
    x = layout.outward(np.broadcast_to(np.tile(window, tiles), layout.inner_shape(whole, 2, 2)).copy())
    shape = layout.shape(tiles, 2, 2)
    return Case(x=x, window=window.shape, upstream=np.arange(1.0, prod(shape) + 1).reshape(shape))


def _smallest_inputs() -> dict[Shape, Shape]:
    """The smallest supported input of each supported window that can tie, smallest window first."""
    pairs = current().target.limits.poolings(tied=True)
    shapes = sorted({window for window, _ in pairs if np.prod(window) <= WINDOW_ENTRIES}, key=np.prod)
    return {shape: next(whole for window, whole in pairs if window == shape) for shape in shapes}


def sets_of_maxima(**_: Any) -> Iterator[Case]:
    """For every window of up to nine entries, every set of entries that can be its maxima."""
    inputs = _smallest_inputs()
    if not inputs:
        raise NotApplicable(f"no supported window has 2 to {WINDOW_ENTRIES} entries")
    for shape, whole in inputs.items():
        for members in product((1.0, 0.0), repeat=int(np.prod(shape))):
            if any(members):
                yield _tiled(np.reshape(members, shape), whole)


def weak_orderings(**_: Any) -> Iterator[Case]:
    """A 2×2 window in each of the 75 weak orders of its entries, the lowest of them −1."""
    if POOL not in (inputs := _smallest_inputs()):
        raise NotApplicable("the 2×2 window is not supported")
    for ranks in product(range(4), repeat=4):
        if set(ranks) == set(range(len(set(ranks)))):
            yield _tiled(np.reshape(ranks, POOL) - 1.0, inputs[POOL])
