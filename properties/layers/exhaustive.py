"""Every case of a kind, layer by layer: what an exhaustive proof goes through.

Convolution and the dense layer are bilinear, a window's gradient depends on which entries are maximal alone, and the
network is a polynomial before arctan on each pattern of winners.
"""

from collections.abc import Iterator
from functools import cache
from itertools import product
from math import ceil, floor, prod

import numpy as np

from ..harness.core.limits import FIRST, POOL, Limits, NotApplicable, Pair, Shape
from ..harness.core.resizing import COLUMNS, ROWS
from ..harness.core.setting import SINGLE, Counts, setting
from ..harness.core.sizes import fit_valid
from ..harness.core.tape import Case
from ..harness.core.values import Array
from .base.windows import blocks

LARGEST_IMAGE, LARGEST_KERNEL = (6, 6), (4, 4)
LARGEST_IMAGE_OF_TWO, LARGEST_KERNEL_OF_TWO = (3, 3), (2, 2)  # with two channels, two filters and two images
WINDOW_ENTRIES = 9  # a window of so many has 511 sets of maxima
PATTERN_KERNEL, PATTERN_IMAGE = (3, 3), (6, 6)
NOTEBOOK_WINDOWS, ALL_PATTERNS = 4, 625
_LEVELS = (-1.0, 1.0, 3.0)  # a dead entry, one that is positive but does not win, and the winner


def basis(shape: tuple[int, ...]) -> Array:
    """Every basis vector of this shape, (size, *shape), read-only."""
    units = np.eye(prod(shape)).reshape(-1, *shape)
    units.flags.writeable = False
    return units


def two() -> Counts:
    """Two images, channels and filters, of what there may be several of."""
    return Counts(*(min(count, 2) for count in setting().most))


def _largest() -> tuple[Shape, Shape]:
    """The largest image and kernel: with channels smaller ones, since there are two of everything."""
    several = setting().most.channels > 1
    return (LARGEST_IMAGE_OF_TWO, LARGEST_KERNEL_OF_TWO) if several else (LARGEST_IMAGE, LARGEST_KERNEL)


def _pairs(share: float) -> tuple[list[Pair], int]:
    """The supported (kernel, image) pairs that are tried, smallest first, and how many there are in all."""
    fitting = _fitting(setting().limits, *_largest())
    return fitting[: ceil(len(fitting) * share)], len(fitting)


@cache
def _fitting(limits: Limits, image: Shape, kernel: Shape) -> list[Pair]:
    most = kernel + image
    pairs = limits.convolutions()
    return [pair for pair in pairs if all(side <= limit for side, limit in zip(pair[0] + pair[1], most, strict=True))]


def convolution_shapes(share: float) -> Iterator[Case]:
    """A case for every supported kernel up to 4×4 and image up to 6×6, smallest first: their first basis vectors.

    With channels up to 2×2 and 3×3, with two channels and two filters, and two images where there are batches. Of a
    `share` below 1 so much fewer of them.
    """
    counts, (pairs, _) = two(), _pairs(share)
    for kernel, image in pairs:
        shapes = {
            "image": (counts.images, counts.channels, *image),
            "kernel": (counts.filters, counts.channels, *kernel),
            "upstream": (counts.images, counts.filters, *fit_valid(kernel, image)),
        }
        yield Case({name: basis(shape)[0] for name, shape in shapes.items()})
    if not pairs:
        within = ["×".join(map(str, sides)) for sides in _largest()]
        raise NotApplicable(f"no supported image is within {within[0]} and no kernel within {within[1]}")


def where_convolved(share: float) -> str:
    """For which shapes these are all there are."""
    image, kernel = ("×".join(map(str, sides)) for sides in _largest())
    counts, several = two(), "2 channels and 2 filters"
    several = f", with 2 images, {several}" if counts.images > 1 else f", with {several}" if counts.channels > 1 else ""
    pairs, count = _pairs(share)
    which = f"the {len(pairs)} smallest of {count} pairs of " if len(pairs) < count else ""
    return f"for {which}images up to {image} and kernels up to {kernel}{several}"


def convolution_tensor(case: Case) -> Array:
    """`∂²y[o] / ∂image[m] ∂kernel[a]`, (image, kernel, output), each flattened in C order: it is 0 or 1.

    It is 1 where a row and a column of the three go together, and their images, channels and filters are the same.
    """
    sides = []
    for axis in (ROWS, COLUMNS):
        lengths = case.image.shape[axis], case.kernel.shape[axis], case.upstream.shape[axis]
        entry, weight, output = np.ix_(*map(range, lengths))
        reach = lengths[1] - 1 - weight if setting().flips else weight
        sides.append((entry == output + reach) * 1.0)
    same = [np.eye(count) for count in (len(case.image), case.kernel.shape[1], len(case.kernel))]
    joined = np.einsum("mao,nbp,xy,cd,ef->xcmnfdabyeop", *sides, *same)
    return joined.reshape(case.image.size, case.kernel.size, case.upstream.size)


def feature_counts() -> Iterator[Case]:
    """A case for up to nine features, of one image or two: their first basis vectors."""
    images = two().images
    for count in range(1, FIRST.features + 1):
        yield Case(features=basis((images, count))[0], weights=basis((count, 1))[0], upstream=basis((images, 1))[0])


def where_dense() -> str:
    """For which shapes these are all there are."""
    return "for up to 9 features" + " and 2 images" * (two().images > 1)


def tiled(window: Array, whole: Shape, counts: Counts = SINGLE) -> Case:
    """The window over and over, in so many images and channels."""
    tiles = whole[0] // window.shape[0], whole[1] // window.shape[1]
    x = np.broadcast_to(np.tile(window, tiles), (*counts[:2], *whole)).copy()
    shape = (*counts[:2], *tiles)
    return Case(x=x, window=window.shape, upstream=np.arange(1.0, prod(shape) + 1).reshape(shape))


def _smallest_inputs() -> dict[Shape, Shape]:
    """The smallest supported input of each supported window that can tie, smallest window first."""
    pairs = setting().limits.poolings(tied=True)
    shapes = sorted({window for window, _ in pairs if prod(window) <= WINDOW_ENTRIES}, key=prod)
    return {shape: next(whole for window, whole in pairs if window == shape) for shape in shapes}


def sets_of_maxima() -> Iterator[Case]:
    """For every window of up to nine entries, every set of entries that can be its maxima."""
    inputs = _smallest_inputs()
    if not inputs:
        raise NotApplicable(f"no supported window has 2 to {WINDOW_ENTRIES} entries")
    for shape, whole in inputs.items():
        for members in product((1.0, 0.0), repeat=prod(shape)):
            if any(members):
                yield tiled(np.reshape(members, shape), whole, two())


def weak_orderings() -> Iterator[Case]:
    """A 2×2 window in each of the 75 weak orders of its entries, the lowest of them −1."""
    if POOL not in (inputs := _smallest_inputs()):
        raise NotApplicable("the 2×2 window is not supported")
    for ranks in product(range(4), repeat=4):
        if set(ranks) == set(range(len(set(ranks)))):
            yield tiled(np.reshape(ranks, POOL) - 1.0, inputs[POOL], two())


def pattern_of(windows: Array) -> tuple[int, ...]:
    """Which entry wins in each window of pre-activations, (windows, 4); 4 if none is positive."""
    return tuple(np.where(windows.max(axis=1) > 0, windows.argmax(axis=1), windows.shape[1]).tolist())


def patterns(share: float) -> Iterator[Case]:
    """A case for each of the 625 patterns of a 6×6 image, a 3×3 kernel and four weights, with a box inside it.

    The kernel is 1 in its centre and within 1/64 of 0 elsewhere, so that pre-activations are the inner 4×4 entries
    to within 0.72: those are -1, 1 or 3 to within 1/4, less than 1 from the nearest kink. Of a `share` below 1 so much
    fewer patterns, spread evenly. `NotApplicable` where the target does not support these shapes.
    """
    if (PATTERN_KERNEL, PATTERN_IMAGE) not in setting().limits.networks():
        raise NotApplicable("the notebook's shapes, 6×6 with 3×3, are not supported")
    reach = 128
    kernel = np.zeros((1, 1, *PATTERN_KERNEL))
    kernel[..., 1, 1] = 1.0
    weights = np.array([[0.25], [-0.125], [0.125], [-0.25]])
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
        image = np.zeros((1, 1, *PATTERN_IMAGE))
        image[..., 1:5, 1:5] = inner
        arrays, steps = {"image": image, "kernel": kernel, "weights": weights}, (2.0**-9, 2.0**-13, 2.0**-11)
        box = {name: (array, step, reach) for (name, array), step in zip(arrays.items(), steps, strict=True)}
        yield Case(arrays, target=np.array([0.5]), _number=number, _box=box)
