"""Making a counterexample smaller where Hypothesis stops: at a size that can only shrink together with a move.

Hypothesis shrinks a size or moves an entry, never both at once, nor two sizes. Here a whole window, feature, row or
column, image, channel or filter is taken out of a case. What a case was built for stays: maxima keep their windows,
ties stay ties, and a network stays off its kinks, or on one.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...layers import oracles
from ...layers.network_cases import is_smooth
from ..core.cases import Case, blocks
from ..core.limits import POOL
from ..core.sizes import is_supported
from ..core.trial import current

Span = tuple[int, int]  # from here up to there
MOST_SINGLY, MOST_PARTS = 4, 64  # that are taken out one by one from the start, and that are tried of one width


def reductions(case: Case) -> Iterator[Case]:
    """Every case that has one part less, or half the parts, within what the target supports."""
    return filter(is_supported, _smaller(case))


def _smaller(case: Case) -> Iterator[Case]:
    if "window" in case:
        yield from _pooling(case)
    elif "features" in case:
        for span in _parts(len(case.features)):
            yield _changed(case, features=_without(case.features, 0, span), upstream=_without(case.upstream, 0, span))
        for span in _parts(case.features.shape[1]):
            yield _changed(case, features=_without(case.features, 1, span), weights=_without(case.weights, 0, span))
    elif "target" in case:
        yield from _network(case)
    elif "kernel" in case:
        yield from _convolution(case)
    elif case.x.size > 1:
        for value in case.x.ravel():
            yield _changed(case, x=np.array([value]))


def _widths(count: int) -> Iterator[int]:
    """How many of so many are taken out at once: about half, a quarter and so on, then one, or a sixty-fourth."""
    fewest = max(count // MOST_PARTS, 1)
    width = count // 2
    while width > max(fewest, MOST_SINGLY):
        yield width
        width //= 2
    if count > 1:
        yield fewest


def _parts(count: int) -> Iterator[Span]:
    return ((start, start + width) for width in _widths(count) for start in range(0, count - width + 1, width))


def _ends(count: int) -> list[Span]:
    return [span for width in _widths(count) for span in ((0, width), (count - width, count))]


def _without(array: Any, axis: int, span: Span, width: int = 1) -> Any:
    return np.delete(array, np.s_[span[0] * width : span[1] * width], axis)


def _changed(case: Case, **arrays: Any) -> Case:
    return Case({**case, **arrays})


def _axes() -> Iterator[tuple[int, int]]:
    """The axis of rows, and of columns, of images; with their number, 0 and 1."""
    return ((axis, number) for number, axis in enumerate(current().target.layout.axes))


def _thinned(case: Case, letter: str, **axes: int) -> Iterator[Case]:
    """An image or a channel less (N or C), and with it an entry of these further arrays along their own axes."""
    layout = current().target.layout
    if letter in layout.name:
        places = {name: layout.name.index(letter) if axis < 0 else axis for name, axis in axes.items() if name in case}
        name, axis = next(iter(places.items()))
        for span in _parts(case[name].shape[axis]):
            yield _changed(case, **{name: _without(case[name], axis, span) for name, axis in places.items()})


_HERE = -1  # the axis of what is taken out of an array of images


def _pooling(case: Case) -> Iterator[Case]:
    """An image or channel less; a row or column less of windows, or of each window, if maxima stay as clear or tied."""
    for letter in "NC":
        yield from _thinned(case, letter, x=_HERE, upstream=_HERE)
    for axis, number in _axes():
        for span in _parts(case.upstream.shape[axis]):
            x = _without(case.x, axis, span, case.window[number])
            yield _changed(case, x=x, upstream=_without(case.upstream, axis, span))
    for axis, number in _axes():
        for start, stop in _parts(side := case.window[number]):
            window = tuple(length - (stop - start) * (place == number) for place, length in enumerate(case.window))
            left = np.arange(case.x.shape[axis]) % side
            thinner = _changed(case, x=case.x.compress((left < start) | (left >= stop), axis), window=window)
            if _as_clear(_leads(thinner), _leads(case)):
                yield thinner


def _leads(case: Case) -> Any:
    """By how much the maximum of each window leads: 0 at a tie."""
    windows = np.sort(blocks(case.x, case.window).reshape(case.upstream.size, -1), axis=1)
    return windows[:, -1] - windows[:, -2] if windows.shape[1] > 1 else np.full(len(windows), np.inf)


def _as_clear(after: Any, before: Any) -> bool:
    """Whether ties stay ties, and every other maximum leads by as much as before, or more."""
    return bool(((after == 0) == (before == 0)).all() and (after >= before).all())


def _network(case: Case) -> Iterator[Case]:
    """An image, channel or filter less; a row or column less of windows; or of the kernel and of what it met, if that
    makes or mends no kink.

    First of all, the pre-activations themselves as the image, with the kernel 1.
    """
    layout = current().target.layout
    before = oracles.conv2d(case.image, case.kernel)
    if case.kernel.shape[-2:] != (1, 1):
        filters = case.kernel.shape[0] if layout.channelled else 1
        one = np.eye(filters).reshape(layout.kernel_shape((1, 1), filters, filters))
        yield _changed(case, image=before, kernel=one)
    pooled = case.weights.reshape(oracles.max_pool(before, POOL).shape[layout.batched :])
    for smaller in (*_thinned(case, "N", image=_HERE, target=0), *_thinned(case, "C", image=_HERE, kernel=1)):
        if _alike(oracles.conv2d(smaller.image, smaller.kernel), before):
            yield smaller
    for span in _parts(case.kernel.shape[0] if layout.channelled else 1):
        kernel = _without(case.kernel, 0, span)
        if _alike(oracles.conv2d(case.image, kernel), before):
            weights = _without(pooled, layout.name.index("C") - layout.batched, span).reshape(-1, 1)
            yield _changed(case, kernel=kernel, weights=weights)
    for axis, number in _axes():
        for start, stop in _ends(pooled.shape[axis - layout.batched]):
            weights = _without(pooled, axis - layout.batched, (start, stop)).reshape(-1, 1)
            image = _cropped(case.image, axis, start == 0, POOL[number] * (stop - start))
            yield _changed(case, image=image, weights=weights)
        for start, stop in _ends(case.kernel.shape[number - 2]):
            image = _cropped(case.image, axis, (start == 0) != current().flips, stop - start)
            kernel = _without(case.kernel, number - 2, (start, stop))
            if _alike(oracles.conv2d(image, kernel), before):
                yield _changed(case, image=image, kernel=kernel)


def _alike(after: Any, before: Any) -> bool:
    """Whether there is a kink in both or in neither, and so for an entry that is positive."""
    return bool(is_smooth(after) == is_smooth(before) and (after > 0).any() == (before > 0).any())


def _cropped(image: Any, axis: int, first: bool, width: int) -> Any:
    """The image without its first or its last `width` rows or columns."""
    return image[(slice(None),) * axis + (np.s_[width:] if first else np.s_[:-width],)]


def _convolution(case: Case) -> Iterator[Case]:
    """An image, channel or filter less, or one of both; a row, a column or both less of the kernel, or of the output,
    and of the image with either.
    """
    yield from _thinned(case, "N", image=_HERE, other_image=_HERE, upstream=_HERE)
    yield from _thinned(case, "C", image=_HERE, other_image=_HERE, kernel=1, other_kernel=1)
    yield from _thinned(case, "C", upstream=_HERE, kernel=0, other_kernel=0)
    if current().target.layout.channelled and case.kernel.shape[0] == case.kernel.shape[1]:
        for thinner in _thinned(case, "C", image=_HERE, other_image=_HERE, kernel=1, other_kernel=1):
            yield from _thinned(thinner, "C", upstream=_HERE, kernel=0, other_kernel=0)
    for part in ("kernel", "upstream"):
        for axis, number in _axes():
            yield from _narrower(case, part, axis, number)
        rows, columns = _axes()
        for lower in _narrower(case, part, *rows):  # what is wrong for squares alone stays one
            yield from _narrower(lower, part, *columns)


def _narrower(case: Case, part: str, axis: int, number: int) -> Iterator[Case]:
    """A row or column less of the kernel or of the output, at either end, and of the image at either end."""
    others = [("kernel", number - 2), ("other_kernel", number - 2)] if part == "kernel" else [("upstream", axis)]
    length = case.image.shape[axis]
    for start, stop in _ends(case[part].shape[others[0][1]]):
        width = stop - start
        for image_end in ((0, width), (length - width, length)):
            ends = [(name, axis, image_end) for name in ("image", "other_image")]
            ends += [(name, along, (start, stop)) for name, along in others]
            smaller = {name: _without(case[name], along, span) for name, along, span in ends if name in case}
            yield _changed(case, **smaller)
