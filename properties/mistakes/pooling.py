"""Mistakes in max pooling and its gradient."""

from typing import Any

import numpy as np

from ..harness.core.limits import Shape
from ..harness.core.values import Array
from ..layers.windows import argmax_scatter, blocks, grow, max_pool, maxima
from ..layers.windows import mask_repeat as on_every_maximum
from . import mistake
from .activations import SURVEY

AT_TIES = "pooling.gradient_at_ties_is_a_subgradient"


def _counts(members: Any, window: Shape) -> Array:
    return grow(blocks(members, window).sum(axis=(2, 3)), window)


def _near(x: Array, window: Shape) -> Array:
    return np.where(np.isclose(x, grow(max_pool(x, window), window)), 1.0, 0.0)


@mistake("max_pool", "zero padding takes part", "pad with −∞, or not at all", seen="block_reduce's padding; " + SURVEY)
def zero_beats_negative_entries(x: Array, window: Shape) -> Array:
    """Where all entries are negative it gives 0."""
    return np.maximum(max_pool(x, window), 0.0)


@mistake("max_pool", "average pooling is copied", "the maximum of each window")
def mean_for_maximum(x: Array, window: Shape) -> Array:
    """It gives the mean of each window."""
    return blocks(x, window).mean(axis=(2, 3))


def _soft(x: Array, window: Shape) -> Array:
    """Weights of the entries by softmax, in each window."""
    powers = np.exp(x - grow(max_pool(x, window), window))
    return powers / grow(blocks(powers, window).sum(axis=(2, 3)), window)


@mistake("max_pool", "a smooth maximum has a gradient everywhere", "the maximum of each window")
def softmax_for_maximum(x: Array, window: Shape) -> Array:
    """It gives the mean of each window, weighted by softmax."""
    return blocks(x * _soft(x, window), window).sum(axis=(2, 3))


@mistake("max_pool", "the largest is taken to be the strongest", "compare the entries with their signs")
def largest_in_size(x: Array, window: Shape) -> Array:
    """It gives the largest absolute value."""
    return max_pool(np.abs(x), window)


@mistake("max_pool", "the window's sides are read in the wrong order", "p rows by q columns", seen=SURVEY)
def window_axes_swapped(x: Array, window: Shape) -> Array:
    """It pools q by p where that divides the input, and so mixes windows."""
    pooled = x.shape[0] // window[0], x.shape[1] // window[1]
    if x.shape[0] % window[1] or x.shape[1] % window[0]:
        return max_pool(x, window)
    return np.resize(max_pool(x, window[::-1]), pooled)


@mistake("max_pool", "a slice ends one too early", "x[i*p:(i+1)*p]")
def last_row_of_each_window_lost(x: Array, window: Shape) -> Array:
    """The last row of each window is left out, unless it is the only one."""
    return blocks(x, window)[:, :, : max(window[0] - 1, 1)].max(axis=(2, 3))


@mistake("max_pool", "a reshape without its transpose", "reshape(H/p, p, W/q, q).max(axis=(1, 3))")
def reshaped_without_swapping_axes(x: Array, window: Shape) -> Array:
    """It takes runs of p · q entries in memory for windows."""
    return x.reshape(x.shape[0] // window[0], x.shape[1] // window[1], -1).max(axis=2)


@mistake(
    "max_pool_gradient",
    "a mask of the maxima is the easiest to write, and data without ties hide it",
    "give it to one of them (argmax), or divide by their number",
    seen="Theano#5404, #5248, #4761; mxnet#1272; 17 of 44 in " + SURVEY,
    named_by=AT_TIES,
)
def mask_repeat(x: Array, window: Shape, upstream: Array) -> Array:
    """Every tied maximum gets the whole upstream value, as mask repeat does, so a tie of m counts m times."""
    return on_every_maximum(x, window, upstream)


@mistake("max_pool_gradient", "ties are thought to be pairs", "divide by their number", named_by=AT_TIES)
def ties_halved_whatever_their_number(x: Array, window: Shape, upstream: Array) -> Array:
    """Tied maxima get one half each, be they two or more."""
    counts = _counts(maxima(x, window), window)
    return on_every_maximum(x, window, upstream) / np.where(counts > 1, 2, 1)


@mistake("max_pool_gradient", "a special case for equal windows", "one rule for every tie", named_by=AT_TIES)
def whole_windows_alone_split(x: Array, window: Shape, upstream: Array) -> Array:
    """Only windows whose entries are all equal are split evenly; in other ties each maximum gets all."""
    counts, size = _counts(maxima(x, window), window), window[0] * window[1]
    return on_every_maximum(x, window, upstream) / np.where(counts == size, size, 1)


@mistake("max_pool_gradient", "the split is made twice", "divide by their number once", named_by=AT_TIES)
def split_twice(x: Array, window: Shape, upstream: Array) -> Array:
    """Tied maxima get 1/m² each, so that too little is handed out."""
    return on_every_maximum(x, window, upstream) / _counts(maxima(x, window), window) ** 2


@mistake("max_pool_gradient", "a maximum is thought to beat all others", "argmax, which finds one", named_by=AT_TIES)
def ties_get_nothing(x: Array, window: Shape, upstream: Array) -> Array:
    """Where maxima tie nothing is handed out."""
    return on_every_maximum(x, window, upstream) * (_counts(maxima(x, window), window) == 1)


@mistake("max_pool_gradient", "softer than a choice", "weights in [0, 1] that sum to 1", named_by=AT_TIES)
def two_to_the_first_and_minus_one_to_the_next(x: Array, window: Shape, upstream: Array) -> Array:
    """Of tied maxima the first gets twice the upstream value and another loses it: sum 1, but not in [0, 1]."""
    first = argmax_scatter(x, window, upstream)
    last = argmax_scatter(x[::-1, ::-1], window, upstream[::-1, ::-1])[::-1, ::-1]
    return 2 * first - last


@mistake("max_pool_gradient", "floats are compared with a tolerance", "argmax, which finds one and no other")
def near_ties_taken_for_ties(x: Array, window: Shape, upstream: Array) -> Array:
    """What equals the maximum, or is within np.isclose of it, gets the whole upstream value."""
    return _near(x, window) * grow(upstream, window)


@mistake("max_pool_gradient", "floats are compared with a tolerance", "==, or argmax: pooling rounds nothing")
def near_ties_split(x: Array, window: Shape, upstream: Array) -> Array:
    """What is within np.isclose of the maximum shares the upstream value."""
    return _near(x, window) * grow(upstream, window) / _counts(_near(x, window), window)


@mistake("max_pool_gradient", "the stride is left at 1", "windows begin at p · i and q · j", seen=SURVEY)
def stride_ignored(x: Array, window: Shape, upstream: Array) -> Array:
    """The windows on the way back begin at every row and column, and overlap."""
    gradient = np.zeros(x.shape)
    for i, j in np.ndindex(upstream.shape):
        patch = x[i : i + window[0], j : j + window[1]]
        row, column = np.unravel_index(patch.argmax(), patch.shape)
        gradient[i + row, j + column] += upstream[i, j]
    return gradient


@mistake("max_pool_gradient", "np.tile reads like np.repeat", "np.repeat(…, p, axis=0), then q on axis 1")
def tile_for_repeat(x: Array, window: Shape, upstream: Array) -> Array:
    """Upstream is tiled over the input in place of being repeated within each window."""
    return np.where(maxima(x, window), np.tile(upstream, window), 0.0)


@mistake("max_pool_gradient", "upstream is flattened column by column", "C order on both sides")
def upstream_in_column_order(x: Array, window: Shape, upstream: Array) -> Array:
    """Upstream values are handed to the windows column by column."""
    return argmax_scatter(x, window, upstream.ravel(order="F").reshape(upstream.shape))


@mistake("max_pool_gradient", "average pooling's is copied", "the maximum alone gets the upstream value")
def spread_over_the_window(x: Array, window: Shape, upstream: Array) -> Array:
    """It is average pooling's: each entry gets upstream over p · q."""
    return grow(upstream, window) / (window[0] * window[1])


@mistake("max_pool_gradient", "a smooth maximum has a gradient everywhere", "the maximum alone gets it")
def shared_by_softmax(x: Array, window: Shape, upstream: Array) -> Array:
    """Upstream is shared out in each window by softmax."""
    return _soft(x, window) * grow(upstream, window)


@mistake("max_pool_gradient", "one size is read for both sides", "as many columns as upstream has")
def columns_counted_by_the_rows(x: Array, window: Shape, upstream: Array) -> Array:
    """Of the columns of windows only as many are served as there are rows of them."""
    return argmax_scatter(x, window, upstream * (np.arange(upstream.shape[1]) < len(upstream)))


@mistake("max_pool_gradient", "the window's sides are read in the wrong order", "divmod(place, q): q entries to a row")
def place_divided_by_the_rows(x: Array, window: Shape, upstream: Array) -> Array:
    """The place of the maximum in its window is divided by the window's rows in place of its columns."""
    gradient = np.zeros(x.shape)
    places = blocks(x, window).reshape(*upstream.shape, -1).argmax(axis=2)
    for i, j in np.ndindex(upstream.shape):
        row, column = i * window[0] + places[i, j] // window[0], j * window[1] + places[i, j] % window[0]
        if row >= x.shape[0] or column >= x.shape[1]:
            return np.array(np.nan)  # a crash
        gradient[row, column] = upstream[i, j]
    return gradient


@mistake("max_pool_gradient", "the mean's factor is left", "the upstream value itself", seen="reversed in " + SURVEY)
def divided_by_the_windows_size(x: Array, window: Shape, upstream: Array) -> Array:
    """The maximum gets upstream over p · q: a mean in place of a sum."""
    return argmax_scatter(x, window, upstream) / (window[0] * window[1])


@mistake("max_pool_gradient", "upstream is only repeated", "the maximum alone gets it", seen="pytorch/glow#1559")
def mask_missing(x: Array, window: Shape, upstream: Array) -> Array:
    """Every entry of the window gets the upstream value."""
    return grow(upstream, window)


@mistake("max_pool_gradient", "argmax without an axis", "the argmax of each window")
def one_maximum_of_all(x: Array, window: Shape, upstream: Array) -> Array:
    """Only the window that holds the maximum of the whole input is served."""
    scattered = argmax_scatter(x, window, upstream)
    return scattered * (np.arange(x.size).reshape(x.shape) == x.argmax())


@mistake("max_pool_gradient", "the masked input is taken for the mask", "upstream times the mask alone")
def multiplied_by_the_maximum(x: Array, window: Shape, upstream: Array) -> Array:
    """The upstream value is multiplied by the maximum itself."""
    return argmax_scatter(x, window, upstream) * x


@mistake("max_pool_gradient", "the running maximum starts at 0", "start at −∞")
def negative_maxima_get_nothing(x: Array, window: Shape, upstream: Array) -> Array:
    """Where the maximum is not positive nothing is handed out."""
    return argmax_scatter(x, window, upstream) * (x > 0)


@mistake("max_pool_gradient", "`return` stands inside the loop", "return after the loop", seen=SURVEY)
def first_window_alone(x: Array, window: Shape, upstream: Array) -> Array:
    """Only the first window is served."""
    return argmax_scatter(x, window, upstream * (np.arange(upstream.size).reshape(upstream.shape) == 0))


@mistake(
    "max_pool_gradient",
    "the mask is written through a reshape, which is a copy there",
    "np.zeros(x.shape), which np.zeros_like(x) is not for Fortran order",
    seen=SURVEY,
    named_by="calls.keeps_the_contract[max_pool_gradient]",
)
def nothing_for_fortran_order(x: Array, window: Shape, upstream: Array) -> Array:
    """For an input in Fortran order it is 0 throughout."""
    return argmax_scatter(x, window, upstream) * (not x.flags.fnc)
