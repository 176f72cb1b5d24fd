"""Non-overlapping max pooling, its gradient, and the notebook's form of the gradient beside it."""

import operator

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array, matrix

Window = tuple[int, int]

__all__ = ["mask_repeat", "max_pool", "max_pool_gradient"]


def max_pool(x: ArrayLike, window: Window) -> Array:
    """The maximum of each (p, q) window: (H, W) to (H/p, W/q).

    Raises `ValueError` if the window does not divide `x` (padding with zeros, as `block_reduce` does, would
    win over negative entries). Source: Boureau, Ponce & LeCun, ICML 2010.
    """
    return np.asarray(_blocks(matrix(x, "x"), window).max(axis=(2, 3)))


def max_pool_gradient(x: ArrayLike, window: Window, upstream: ArrayLike) -> Array:
    """Argmax scatter: each upstream value lands on the first maximum of its window, all else is 0.

    `upstream` is (H/p, W/q), the result (H, W); `ValueError` for any other shape. One maximum with weight 1
    is a subgradient at ties too. Source: Boustany, TMLR 2024, on max pooling's choices.
    """
    x = matrix(x, "x")
    blocks = _blocks(x, window)
    rows, columns, p, q = blocks.shape
    upstream = matrix(upstream, "upstream", (rows, columns))
    winners = blocks.reshape(rows, columns, p * q).argmax(axis=2)
    scattered = np.where(winners[..., None] == np.arange(p * q), upstream[..., None], 0.0)
    return scattered.reshape(blocks.shape).swapaxes(1, 2).reshape(x.shape)


def mask_repeat(x: ArrayLike, window: Window, upstream: ArrayLike) -> Array:
    """The notebook's form: `upstream` repeated over its window, kept wherever `x` equals the maximum.

    Equal to `max_pool_gradient` exactly when each window has one maximum; a tie of m gets m times too much.
    Shapes and errors as there. Source: the notebook; Theano#5404 on the same error.
    """
    x = matrix(x, "x")
    pooled = max_pool(x, window)
    upstream = matrix(upstream, "upstream", (pooled.shape[0], pooled.shape[1]))
    return grow(upstream, window) * (x == grow(pooled, window))


def grow(pooled: Array, window: Window) -> Array:
    """(r, c) to (r·p, c·q): each entry repeated over its window. Source: the notebook's `repeat`, twice."""
    return pooled.repeat(window[0], axis=0).repeat(window[1], axis=1)


def _blocks(x: Array, window: Window) -> Array:
    try:
        p, q = (operator.index(side) for side in window)
    except (TypeError, ValueError):
        p = q = 0
    if p < 1 or q < 1:
        raise ValueError(f"window must be two whole numbers from 1 up, not {window!r}")
    if x.shape[0] % p or x.shape[1] % q:
        raise ValueError(f"window must divide the input, but is {p, q} for an input of {x.shape}")
    rows, columns = x.shape[0] // p, x.shape[1] // q
    return x.reshape(rows, p, columns, q).swapaxes(1, 2)
