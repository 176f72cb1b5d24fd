"""Other correct ways to pool with a stride and a padding, and every kind of choice at ties. All must pass."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.ndimage
import scipy.sparse

Choose = Callable[[Any, Any, Any], Any]


def _padded(x: Any, padding: Any) -> Any:
    return np.pad(x, [(side, side) for side in padding], constant_values=-np.inf)


def _sides(x: Any, window: Any, stride: Any, padding: Any) -> tuple[int, int]:
    sides = zip(x.shape, window, stride, padding, strict=True)
    rows, columns = ((side + 2 * pad - width) // step + 1 for side, width, step, pad in sides)
    return rows, columns


def _at_the_edge(x: Any, window: Any, stride: Any, padding: Any) -> Any:
    """Padding repeats the edge, which is in the window anyway, as padding is at most half of it."""
    padded = np.pad(x, [(side, side) for side in padding], mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, window)[:: stride[0], :: stride[1]].max(axis=(2, 3))


def _below_the_least(x: Any, window: Any, stride: Any, padding: Any) -> Any:
    """Padding is of the smallest entry, which wins nowhere that it is not right."""
    padded = np.pad(x, [(side, side) for side in padding], constant_values=x.min())
    output = np.empty(_sides(x, window, stride, padding))
    for i, j in np.ndindex(output.shape):
        top, left = i * stride[0], j * stride[1]
        output[i, j] = padded[top : top + window[0], left : left + window[1]].max()
    return output


def _rows_first(x: Any, window: Any, stride: Any, padding: Any) -> Any:
    padded, (rows, columns) = _padded(x, padding), _sides(x, window, stride, padding)
    tall = np.array([padded[i * stride[0] : i * stride[0] + window[0]].max(axis=0) for i in range(rows)])
    return np.array([tall[:, j * stride[1] : j * stride[1] + window[1]].max(axis=1) for j in range(columns)]).T


def _strided(x: Any, window: Any, stride: Any, padding: Any) -> Any:
    padded = np.ascontiguousarray(_padded(x, padding))
    down, across = padded.strides
    shape = (*_sides(x, window, stride, padding), *window)
    steps = (down * stride[0], across * stride[1], down, across)
    return np.lib.stride_tricks.as_strided(padded, shape, steps, writeable=False).max(axis=(2, 3))


def _by_filter(x: Any, window: Any, stride: Any, padding: Any) -> Any:
    centred = (-(window[0] // 2), -(window[1] // 2))
    every = scipy.ndimage.maximum_filter(_padded(x, padding), window, mode="constant", cval=-np.inf, origin=centred)
    rows, columns = _sides(x, window, stride, padding)
    return every[:: stride[0], :: stride[1]][:rows, :columns]


def _unfolded(x: Any, window: Any, stride: Any, padding: Any) -> tuple[Any, Any]:
    """The windows as rows of a matrix, and the place in the padded input of each entry."""
    padded, (rows, columns) = _padded(x, padding), _sides(x, window, stride, padding)
    place = np.arange(padded.size).reshape(padded.shape)
    corner = place[: rows * stride[0] : stride[0], : columns * stride[1] : stride[1]][:rows, :columns].reshape(-1, 1)
    places = corner + place[: window[0], : window[1]].reshape(1, -1)
    return padded.ravel()[places], places


def _by_unfolding(x: Any, window: Any, stride: Any, padding: Any) -> Any:
    return _unfolded(x, window, stride, padding)[0].max(axis=1).reshape(_sides(x, window, stride, padding))


def _gradient(choose: Choose) -> Callable[..., Any]:
    """A gradient by weights that are chosen of (windows, entries) flags, upstream and the windows' numbers."""

    def gradient(x: Any, window: Any, upstream: Any, stride: Any, padding: Any) -> Any:
        values, places = _unfolded(x, window, stride, padding)
        tied = values == values.max(axis=1, keepdims=True)
        weights = choose(tied, upstream.reshape(-1, 1), np.arange(len(tied))[:, None]) * 1.0
        shares = weights / weights.sum(axis=1, keepdims=True) * upstream.reshape(-1, 1)
        shape = [side + 2 * pad for side, pad in zip(x.shape, padding, strict=True)]
        total = np.bincount(places.ravel(), shares.ravel(), shape[0] * shape[1]).reshape(shape)
        return total[padding[0] : padding[0] + x.shape[0], padding[1] : padding[1] + x.shape[1]]

    return gradient


def _first(tied: Any, *_: Any) -> Any:
    return tied & (tied.cumsum(axis=1) == 1)


def _last(tied: Any, *_: Any) -> Any:
    return _first(tied[:, ::-1])[:, ::-1]


def _by_sign(tied: Any, upstream: Any, numbers: Any) -> Any:
    return np.where(upstream < 0, _last(tied), _first(tied))


def _in_turns(tied: Any, upstream: Any, numbers: Any) -> Any:
    return np.where(numbers % 3 == 0, _first(tied), np.where(numbers % 3 == 1, _last(tied), tied))


def _any_one(tied: Any, upstream: Any, numbers: Any) -> Any:
    """One of the maxima, another in every window."""
    return tied & (tied.cumsum(axis=1) == 1 + numbers * 7 % tied.sum(axis=1, keepdims=True))


def _uneven(tied: Any, *_: Any) -> Any:
    return tied * np.arange(1, tied.shape[1] + 1)


def _as_a_matrix(x: Any, window: Any, upstream: Any, stride: Any, padding: Any) -> Any:
    """The transposed derivative, a sparse matrix, times upstream."""
    values, places = _unfolded(x, window, stride, padding)
    best = np.take_along_axis(places, values.argmax(axis=1)[:, None], 1).ravel()
    inside = np.pad(np.arange(x.size).reshape(x.shape), [(side, side) for side in padding]).ravel()[best]
    derivative = scipy.sparse.coo_array((np.ones(len(best)), (np.arange(len(best)), inside)), (len(best), x.size))
    return (derivative.T @ upstream.ravel()).reshape(x.shape)


def _from_the_last_window(x: Any, window: Any, upstream: Any, stride: Any, padding: Any) -> Any:
    """The windows from the last to the first, each cut down to what there is of it."""
    gradient = np.zeros(x.shape)
    for i, j in reversed(list(np.ndindex(upstream.shape))):
        top, left = (max(n * step - pad, 0) for n, step, pad in zip((i, j), stride, padding, strict=True))
        patch = x[top : i * stride[0] - padding[0] + window[0], left : j * stride[1] - padding[1] + window[1]]
        down, across = divmod(int(patch.argmax()), patch.shape[1])
        gradient[top + down, left + across] += upstream[i, j]
    return gradient


_FORWARD, _BACKWARD = "max_pool_with_options", "max_pool_gradient_with_options"
VARIANTS: dict[str, dict[str, Callable[..., Any]]] = {
    "pooling padded with the edge": {_FORWARD: _at_the_edge},
    "pooling padded with the smallest entry": {_FORWARD: _below_the_least},
    "pooling rows first": {_FORWARD: _rows_first},
    "pooling over strided views": {_FORWARD: _strided},
    "pooling by SciPy's filter": {_FORWARD: _by_filter},
    "pooling over unfolded windows": {_FORWARD: _by_unfolding, _BACKWARD: _gradient(_first)},
    "overlapping windows, the last of tied maxima": {_BACKWARD: _gradient(_last)},
    "overlapping windows, tied maxima share evenly": {_BACKWARD: _gradient(lambda tied, *_: tied)},
    "overlapping windows, tied maxima share unevenly": {_BACKWARD: _gradient(_uneven)},
    "overlapping windows, ties by the sign of upstream": {_BACKWARD: _gradient(_by_sign)},
    "overlapping windows, first, last and even in turns": {_BACKWARD: _gradient(_in_turns)},
    "overlapping windows, any of tied maxima": {_BACKWARD: _gradient(_any_one)},
    "overlapping windows as a sparse matrix": {_BACKWARD: _as_a_matrix},
    "overlapping windows from the last to the first": {_BACKWARD: _from_the_last_window},
    "overlapping windows in Fortran order": {
        _BACKWARD: lambda *arguments: np.asfortranarray(_gradient(_first)(*arguments))
    },
}
