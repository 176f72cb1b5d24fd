"""Making a counterexample smaller where Hypothesis stops: at a size that can only shrink together with a move.

Hypothesis shrinks a size or moves an entry, never both at once. Here a whole window, feature, row or column is
taken out of a case. What a case was built for stays: maxima keep their windows, and a network stays off its kinks,
or on one.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from properties.harness import oracles
from properties.harness.limits import POOL, Limits
from properties.harness.network_cases import is_smooth
from properties.harness.strategies import Case
from properties.harness.trial import current


def reductions(case: Case) -> Iterator[Case]:
    """Every case that has one part less; none where the target's limits fix the shapes."""
    if current().target.limits == Limits():
        if "window" in case:
            yield from _pooling(case)
        elif "features" in case:
            for index in _parts(case.features.size):
                yield _changed(
                    case, features=_without(case.features, 1, index), weights=_without(case.weights, 0, index)
                )
        elif "target" in case:
            yield from _network(case)
        elif "kernel" in case:
            yield from _convolution(case)
        elif case.x.size > 1:
            for value in case.x.ravel():
                yield _changed(case, x=np.array([value]))


def _parts(count: int) -> range:
    return range(count if count > 1 else 0)


def _ends(count: int) -> list[int]:
    return [0, count - 1] if count > 1 else []


def _without(array: Any, axis: int, index: int, width: int = 1) -> Any:
    return np.delete(array, np.s_[index * width : (index + 1) * width], axis)


def _changed(case: Case, **arrays: Any) -> Case:
    return Case({**case, **arrays})


def _pooling(case: Case) -> Iterator[Case]:
    for axis in (0, 1):
        for index in _parts(case.upstream.shape[axis]):
            x = _without(case.x, axis, index, case.window[axis])
            yield _changed(case, x=x, upstream=_without(case.upstream, axis, index))


def _network(case: Case) -> Iterator[Case]:
    """A row or column less of windows; or of the kernel and of what it met, if that makes or mends no kink.

    First of all, the pre-activations themselves as the image, with the kernel 1.
    """
    before = oracles.conv2d(case.image, case.kernel)
    if case.kernel.size > 1:
        yield _changed(case, image=before, kernel=np.ones((1, 1)))
    grid = [(case.image.shape[axis] - case.kernel.shape[axis] + 1) // POOL[axis] for axis in (0, 1)]
    for axis in (0, 1):
        for index in _ends(grid[axis]):
            weights = _without(case.weights.reshape(grid), axis, index).reshape(-1, 1)
            yield _changed(case, image=_cropped(case.image, axis, index == 0, POOL[axis]), weights=weights)
        for index in _ends(case.kernel.shape[axis]):
            image = _cropped(case.image, axis, (index == 0) != current().flips, 1)
            kernel = _without(case.kernel, axis, index)
            after = oracles.conv2d(image, kernel)
            if is_smooth(after) == is_smooth(before) and (after > 0).any() == (before > 0).any():
                yield _changed(case, image=image, kernel=kernel)


def _cropped(image: Any, axis: int, first: bool, width: int) -> Any:
    """The image without its first or its last `width` rows or columns."""
    kept = np.s_[width:] if first else np.s_[:-width]
    return image[kept] if axis == 0 else image[:, kept]


def _convolution(case: Case) -> Iterator[Case]:
    """A row or column less of the kernel, or of the output, and of the image with either."""
    for axis in (0, 1):
        for images, others in (
            (("image", "other_image"), name) for name in (("kernel", "other_kernel"), ("upstream",))
        ):
            for image_end in _ends(case.image.shape[axis]):
                for end in _ends(case[others[0]].shape[axis]):
                    ends = [(name, image_end) for name in images] + [(name, end) for name in others]
                    smaller = {name: _without(case[name], axis, index) for name, index in ends if name in case}
                    yield _changed(case, **smaller)
