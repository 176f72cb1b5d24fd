"""Correct variants of average pooling and its gradient, for each choice of whether padding counts."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.ndimage
import scipy.signal
from numpy.lib.stride_tricks import sliding_window_view

Offered = dict[str, Callable[..., Any]]


def _padded(x: Any, padding: Any, value: float = 0.0) -> Any:
    return np.pad(x, [(side, side) for side in padding], constant_values=value)


def _held(x: Any, window: Any, stride: Any, padding: Any) -> Any:
    """How many entries of x each window holds."""
    inside = sliding_window_view(_padded(np.ones(x.shape), padding), window)
    return inside[:: stride[0], :: stride[1]].sum(axis=(2, 3))


def _size(x: Any, window: Any, stride: Any, padding: Any) -> Any:
    return window[0] * window[1]


def _windows(x: Any, window: Any, stride: Any, padding: Any) -> Any:
    return sliding_window_view(_padded(x, padding), window)[:: stride[0], :: stride[1]]


def _matrix(side: int, part: int, step: int, pad: int) -> Any:
    """Which window holds which entry, along one axis."""
    rows = (side + 2 * pad - part) // step + 1
    return np.array([[i * step - pad <= k < i * step - pad + part for k in range(side)] for i in range(rows)]) * 1.0


def _matrices(x: Any, window: Any, stride: Any, padding: Any) -> Any:
    return [_matrix(*sides) for sides in zip(x.shape, window, stride, padding, strict=True)]


def _by_matrices(count: Callable[..., Any]) -> Offered:
    """Two products with matrices of 0 and 1."""

    def forward(x: Any, window: Any, stride: Any, padding: Any) -> Any:
        rows, columns = _matrices(x, window, stride, padding)
        return rows @ x @ columns.T / count(x, window, stride, padding)

    def backward(x: Any, window: Any, upstream: Any, stride: Any, padding: Any) -> Any:
        rows, columns = _matrices(x, window, stride, padding)
        return rows.T @ (upstream / count(x, window, stride, padding)) @ columns

    return {"average_pool": forward, "average_pool_gradient": backward}


def _by_columns(count: Callable[..., Any]) -> Offered:
    """Windows as rows of a matrix, and np.add.at on the way back."""

    def forward(x: Any, window: Any, stride: Any, padding: Any) -> Any:
        windows = _windows(x, window, stride, padding)
        flat = windows.reshape(*windows.shape[:2], -1)
        return flat @ np.ones(flat.shape[2]) / count(x, window, stride, padding)

    def backward(x: Any, window: Any, upstream: Any, stride: Any, padding: Any) -> Any:
        shares = upstream / count(x, window, stride, padding)
        places = _windows(np.arange(1, x.size + 1).reshape(x.shape), window, stride, padding)  # padding is place 0
        gradient = np.zeros(x.size + 1)
        np.add.at(gradient, places, shares[..., None, None])
        return gradient[1:].reshape(x.shape)

    return {"average_pool": forward, "average_pool_gradient": backward}


def _by_convolution(count: Callable[..., Any]) -> Offered:
    """SciPy's convolution with ones, and the transposed one of upstream with zeros between its entries."""

    def forward(x: Any, window: Any, stride: Any, padding: Any) -> Any:
        sums = scipy.signal.convolve2d(_padded(x, padding), np.ones(window), "full")
        valid = sums[window[0] - 1 : x.shape[0] + 2 * padding[0], window[1] - 1 : x.shape[1] + 2 * padding[1]]
        return valid[:: stride[0], :: stride[1]] / count(x, window, stride, padding)

    def backward(x: Any, window: Any, upstream: Any, stride: Any, padding: Any) -> Any:
        spread = np.zeros([side + 2 * pad - part + 1 for side, pad, part in zip(x.shape, padding, window, strict=True)])
        spread[:: stride[0], :: stride[1]] = upstream / count(x, window, stride, padding)
        full = scipy.signal.convolve2d(spread, np.ones(window), "full")
        return full[padding[0] : padding[0] + x.shape[0], padding[1] : padding[1] + x.shape[1]]

    return {"average_pool": forward, "average_pool_gradient": backward}


def _by_filter(count: Callable[..., Any]) -> Offered:
    """A correlation of scipy.ndimage, which is centred; on the way back upstream times each window's mask."""

    def forward(x: Any, window: Any, stride: Any, padding: Any) -> Any:
        centred = scipy.ndimage.correlate(_padded(x, padding), np.ones(window), mode="constant")
        ends = [
            slice(part // 2, side + 2 * pad - (part - 1 - part // 2), step)
            for part, side, pad, step in zip(window, x.shape, padding, stride, strict=True)
        ]
        return centred[tuple(ends)] / count(x, window, stride, padding)

    def backward(x: Any, window: Any, upstream: Any, stride: Any, padding: Any) -> Any:
        rows, columns = _matrices(x, window, stride, padding)
        return np.einsum("ij,ik,jm->km", upstream / count(x, window, stride, padding), rows, columns)

    return {"average_pool": forward, "average_pool_gradient": backward}


def _by_reciprocal(count: Callable[..., Any]) -> Offered:
    """Every term multiplied by the reciprocal, the windows from the last to the first."""

    def forward(x: Any, window: Any, stride: Any, padding: Any) -> Any:
        factors = 1 / (count(x, window, stride, padding) * np.ones(1))
        windows = _windows(x, window, stride, padding)
        total = np.zeros(windows.shape[:2])
        for k in reversed(range(window[0])):
            for m in reversed(range(window[1])):
                total += windows[:, :, k, m] * factors
        return total

    def backward(x: Any, window: Any, upstream: Any, stride: Any, padding: Any) -> Any:
        factors = np.broadcast_to(1 / (count(x, window, stride, padding) * np.ones(1)), upstream.shape)
        padded = _padded(np.zeros(x.shape), padding)
        for i in reversed(range(upstream.shape[0])):
            for j in reversed(range(upstream.shape[1])):
                top, left = i * stride[0], j * stride[1]
                padded[top : top + window[0], left : left + window[1]] += upstream[i, j] * factors[i, j]
        return padded[padding[0] : padding[0] + x.shape[0], padding[1] : padding[1] + x.shape[1]]

    return {"average_pool": forward, "average_pool_gradient": backward}


def _one_after_the_other(x: Any, window: Any, stride: Any, padding: Any) -> Any:
    """The mean of the rows' means."""
    down = sliding_window_view(_padded(x, padding), window[0], axis=0)[:: stride[0]].mean(axis=-1)
    return sliding_window_view(down, window[1], axis=1)[:, :: stride[1]].mean(axis=-1)


def _by_blocks(x: Any, window: Any) -> Any:
    p, q = window
    return x.reshape(x.shape[0] // p, p, x.shape[1] // q, q).mean(axis=(1, 3))


def _by_kron(x: Any, window: Any, upstream: Any) -> Any:
    return np.kron(upstream, np.full(window, 1 / (window[0] * window[1])))


def _by_repeat(x: Any, window: Any, upstream: Any) -> Any:
    return upstream.repeat(window[0], axis=0).repeat(window[1], axis=1) / (window[0] * window[1])


def _padded_blocks(x: Any, window: Any, padding: Any) -> Any:
    return _by_blocks(_padded(x, padding), window)


def _padded_blocks_of_entries(x: Any, window: Any, padding: Any) -> Any:
    p, q = window
    padded = _padded(x, padding, np.nan)
    return np.nanmean(padded.reshape(padded.shape[0] // p, p, padded.shape[1] // q, q), axis=(1, 3))


def _padded_repeat(x: Any, window: Any, upstream: Any, padding: Any) -> Any:
    grown = _by_repeat(x, window, upstream)
    return grown[padding[0] : padding[0] + x.shape[0], padding[1] : padding[1] + x.shape[1]]


def _fractions(x: Any, window: Any, stride: Any = None, padding: Any = (0, 0)) -> Any:
    """A stride that is the window's where none is given, as frameworks have it; sums without rounding."""
    windows = _windows(x, window, stride or window, padding)
    return np.longdouble(windows).mean(axis=(2, 3)).astype(float)


_WAYS = {
    "two matrix products": _by_matrices,
    "rows of a matrix, and np.add.at": _by_columns,
    "convolution with ones": _by_convolution,
    "a filter of scipy.ndimage": _by_filter,
    "reciprocals, from the last to the first": _by_reciprocal,
}
VARIANTS: dict[str, Offered] = {
    **{f"averages by {name}, padding counted": make(_size) for name, make in _WAYS.items()},
    **{f"averages by {name}, padding left out": make(_held) for name, make in _WAYS.items()},
    "averages of the rows' averages": {"average_pool": _one_after_the_other},
    "averages by blocks, without options": {"average_pool": _by_blocks, "average_pool_gradient": _by_kron},
    "averages' gradient by repeat": {"average_pool": _by_blocks, "average_pool_gradient": _by_repeat},
    "averages with padding alone": {"average_pool": _padded_blocks, "average_pool_gradient": _padded_repeat},
    "averages with padding alone, left out": {
        "average_pool": _padded_blocks_of_entries,
        "average_pool_gradient": lambda x, window, upstream, padding: _by_matrices(_held)["average_pool_gradient"](
            x, window, upstream, window, padding
        ),
    },
    "averages in long doubles": {"average_pool": _fractions},
}
