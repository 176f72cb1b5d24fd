"""Average pooling and its gradient, with a stride and a padding; whether padding counts is the target's choice."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ....harness.core.limits import Shape
from ....harness.core.values import Array
from ..choices import if_chosen


def average_pool(x: Array, window: Shape, stride: Shape, padding: Shape) -> Array:
    (p, q), (s, t), (a, b) = window, stride, padding
    rows = (x.shape[0] + 2 * a - p) // s + 1
    columns = (x.shape[1] + 2 * b - q) // t + 1
    output = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            top, left = i * s - a, j * t - b
            patch = x[max(top, 0) : top + p, max(left, 0) : left + q]
            output[i, j] = np.sum(patch) / if_chosen("padding in averages", "left out", patch.size, p * q)
    return output


def average_pool_by_padding(x: Array, window: Shape, stride: Shape, padding: Shape) -> Array:
    (p, q), (s, t), (a, b) = window, stride, padding
    padded = np.full(
        (x.shape[0] + 2 * a, x.shape[1] + 2 * b), if_chosen("padding in averages", "left out", np.nan, 0.0)
    )
    padded[a : a + x.shape[0], b : b + x.shape[1]] = x
    rows, columns = (padded.shape[0] - p) // s + 1, (padded.shape[1] - q) // t + 1
    output = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[i * s : i * s + p, j * t : j * t + q]
            output[i, j] = if_chosen("padding in averages", "left out", np.nanmean, np.mean)(patch)
    return output


def average_pool_by_entries(x: Array, window: Shape, stride: Shape, padding: Shape) -> Array:
    (p, q), (s, t), (a, b) = window, stride, padding
    rows, columns = (x.shape[0] + 2 * a - p) // s + 1, (x.shape[1] + 2 * b - q) // t + 1
    output = np.zeros((rows, columns))
    for i in range(rows):
        down = range(max(i * s - a, 0), min(i * s - a + p, x.shape[0]))
        for j in range(columns):
            along = range(max(j * t - b, 0), min(j * t - b + q, x.shape[1]))
            for k in down:
                for m in along:
                    output[i, j] += x[k, m]
            output[i, j] /= if_chosen("padding in averages", "left out", len(down) * len(along), p * q)
    return output


def average_pool_by_windows(x: Array, window: Shape, stride: Shape, padding: Shape) -> Array:
    (s, t), (a, b) = stride, padding
    empty = if_chosen("padding in averages", "left out", np.nan, 0.0)
    windows = sliding_window_view(np.pad(x, ((a, a), (b, b)), constant_values=empty), window)[::s, ::t]
    return if_chosen("padding in averages", "left out", np.nanmean, np.mean)(windows, axis=(2, 3))


def average_pool_gradient(x: Array, window: Shape, upstream: Array, stride: Shape, padding: Shape) -> Array:
    (p, q), (s, t), (a, b) = window, stride, padding
    rows, columns = upstream.shape
    gradient = np.zeros(x.shape)
    for i in range(rows):
        for j in range(columns):
            top, left = i * s - a, j * t - b
            patch = gradient[max(top, 0) : top + p, max(left, 0) : left + q]
            patch += upstream[i, j] / if_chosen("padding in averages", "left out", patch.size, p * q)
    return gradient


def average_pool_gradient_by_padding(x: Array, window: Shape, upstream: Array, stride: Shape, padding: Shape) -> Array:
    (p, q), (s, t), (a, b) = window, stride, padding
    empty = if_chosen("padding in averages", "left out", np.nan, 0.0)
    padded = np.pad(np.zeros(x.shape), ((a, a), (b, b)), constant_values=empty)
    for i in range(upstream.shape[0]):
        for j in range(upstream.shape[1]):
            patch = padded[i * s : i * s + p, j * t : j * t + q]
            patch += upstream[i, j] / if_chosen("padding in averages", "left out", np.isfinite(patch).sum(), p * q)
    return padded[a : a + x.shape[0], b : b + x.shape[1]]


def average_pool_gradient_by_entries(x: Array, window: Shape, upstream: Array, stride: Shape, padding: Shape) -> Array:
    (p, q), (s, t), (a, b) = window, stride, padding
    gradient = np.zeros(x.shape)
    for i in range(upstream.shape[0]):
        for j in range(upstream.shape[1]):
            places = [(i * s - a + k, j * t - b + m) for k in range(p) for m in range(q)]
            inside = [(k, m) for k, m in places if 0 <= k < x.shape[0] and 0 <= m < x.shape[1]]
            for k, m in inside:
                gradient[k, m] += upstream[i, j] / if_chosen("padding in averages", "left out", len(inside), p * q)
    return gradient


def average_pool_gradient_by_shifts(x: Array, window: Shape, upstream: Array, stride: Shape, padding: Shape) -> Array:
    (p, q), (s, t), (a, b) = window, stride, padding
    empty = if_chosen("padding in averages", "left out", np.nan, 0.0)
    padded = np.pad(np.zeros(x.shape), ((a, a), (b, b)), constant_values=empty)
    windows = sliding_window_view(padded, window, writeable=True)[::s, ::t]
    shares = upstream / if_chosen("padding in averages", "left out", np.isfinite(windows).sum(axis=(2, 3)), p * q)
    for k in range(p):
        for m in range(q):
            windows[:, :, k, m] += shares
    return padded[a : a + x.shape[0], b : b + x.shape[1]]
