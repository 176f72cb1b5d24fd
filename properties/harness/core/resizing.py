"""Cases made smaller, and sizes with a long tail: what several layers need for these.

Hypothesis shrinks a size or moves an entry, never both at once, nor two sizes. So a whole window, feature, row or
column, image, channel or filter is taken out of a case. What code decides by its sizes shows at large ones: a branch
for one kernel, tiles whose rest is lost, positions kept in a byte. So every side up to 11 comes as a square kernel, and
outputs are tiles of 4, 8, 16, 32 and 64, and one more or less.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import cycle

import numpy as np

from .limits import Declared, Limits, Pair, Shape
from .setting import Counts
from .sizes import joined_valid
from .tape import Case
from .values import Array

Span = tuple[int, int]  # from here up to there
MOST_SINGLY, MOST_PARTS = 4, 64  # that are taken out one by one from the start, and that are tried of one width
ROWS, COLUMNS = -2, -1  # the axes of images and kernels

_KERNELS: tuple[Shape, ...] = (
    *((side, side) for side in range(1, 12)),
    *((1, 11), (11, 1), (2, 9), (9, 2), (7, 6), (3, 10), (10, 7), (5, 3), (4, 5), (6, 11), (2, 5)),
)
_OUTPUTS: tuple[Shape, ...] = (
    *((3, 5), (8, 17), (5, 2), (16, 4), (1, 9), (17, 8), (4, 16), (33, 3), (9, 12), (2, 33), (12, 31)),
    *((7, 7), (65, 3), (6, 15), (15, 6), (1, 65), (64, 2), (13, 13), (5, 64), (10, 1), (60, 60), (11, 21)),
)
COUNTS = ((1, 1, 1), (2, 4, 3), (5, 3, 4), (3, 5, 9), (9, 2, 5), (4, 9, 8), (8, 8, 2), (1, 7, 6), (2, 1, 7))
_A_FEW = (2, 2, 3)  # images, channels and filters of a case of large sides
_LARGE = 256  # entries of an output or a window that is so


def _widths(count: int) -> Iterator[int]:
    """How many of so many are taken out at once: about half, a quarter and so on, then one, or a sixty-fourth."""
    fewest = max(count // MOST_PARTS, 1)
    width = count // 2
    while width > max(fewest, MOST_SINGLY):
        yield width
        width //= 2
    if count > 1:
        yield fewest


def spans(count: int) -> Iterator[Span]:
    """The parts of so many that are taken out, the widest first."""
    return ((start, start + width) for width in _widths(count) for start in range(0, count - width + 1, width))


def ends(count: int) -> list[Span]:
    """Those of them that lie at either end."""
    return [span for width in _widths(count) for span in ((0, width), (count - width, count))]


def without(array: Array, axis: int, span: Span, width: int = 1) -> Array:
    """The array without this part along an axis, where each entry of the span stands for `width` of them."""
    return np.delete(array, np.s_[span[0] * width : span[1] * width], axis)


def thinned(case: Case, **axes: int) -> Iterator[Case]:
    """An image, channel or filter less: a part taken out of each of these arrays, along its own axis."""
    axes = {name: axis for name, axis in axes.items() if name in case}
    name, axis = next(iter(axes.items()))
    for span in spans(case[name].shape[axis]):
        yield case.changed(**{name: without(case[name], axis, span) for name, axis in axes.items()})


def cropped(image: Array, axis: int, first: bool, width: int) -> Array:
    """The image without its first or its last `width` rows or columns."""
    return np.delete(image, np.s_[:width] if first else np.s_[image.shape[axis] - width :], axis)


def declared_or(declared: Declared, shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """The shapes that are declared, or else these."""
    return declared if isinstance(declared, tuple) else shapes


def large_pairs(limits: Limits, pool: Shape = (1, 1)) -> Iterator[Pair]:
    """Pairs of a kernel and an image beyond what is sampled, whose outputs `pool` divides."""
    outputs = [(pool[0] * max(rows // pool[0], 1), pool[1] * max(columns // pool[1], 1)) for rows, columns in _OUTPUTS]
    kernels = declared_or(limits.kernels, _KERNELS)
    turned = outputs[len(outputs) // 3 :] + outputs[: len(outputs) // 3]
    for some in (outputs, turned):
        for kernel, output in zip(cycle(kernels), some, strict=False):
            yield kernel, joined_valid(kernel, output)


def in_order(
    limits: Limits, layer: str, pairs: Iterable[Pair], squared: Callable[[Pair], Pair]
) -> Iterator[tuple[Pair, Counts]]:
    """The pairs that are supported, smaller ones first, each with how many there are of what is counted."""
    if isinstance(limits.images, tuple):
        return  # what is declared is sampled
    found = list(pairs)
    if limits.images == "square":
        found += [squared(pair) for pair in found]
    supported = {pair for pair in found if limits.supports(layer, pair)}
    ordered = sorted(supported, key=lambda pair: (pair[1][0] * pair[1][1], pair))
    for number, (part, whole) in enumerate(ordered):
        entries = max(whole[0] * whole[1] // (part[0] * part[1]), part[0] * part[1])
        yield (part, whole), Counts(*(_A_FEW if entries > _LARGE else COUNTS[number % len(COUNTS)]))
