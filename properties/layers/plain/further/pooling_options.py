"""Max pooling with a stride and a padding, and its gradient."""

import numpy as np

from ....harness.core.limits import Shape
from ....harness.core.values import Array


def max_pool_with_options(x: Array, window: Shape, stride: Shape, padding: Shape) -> Array:
    (p, q), (s, t), (a, b) = window, stride, padding
    padded = np.pad(x, ((a, a), (b, b)), constant_values=-np.inf)
    rows, columns = (padded.shape[0] - p) // s + 1, (padded.shape[1] - q) // t + 1
    output = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            output[i, j] = np.max(padded[i * s : i * s + p, j * t : j * t + q])
    return output


def max_pool_with_options_by_running_maximum(x: Array, window: Shape, stride: Shape, padding: Shape) -> Array:
    (p, q), (s, t), (a, b) = window, stride, padding
    rows, columns = (x.shape[0] + 2 * a - p) // s + 1, (x.shape[1] + 2 * b - q) // t + 1
    output = np.full((rows, columns), -np.inf)
    for i in range(rows):
        for j in range(columns):
            for m in range(i * s - a, i * s - a + p):
                for n in range(j * t - b, j * t - b + q):
                    if 0 <= m < x.shape[0] and 0 <= n < x.shape[1]:
                        output[i, j] = max(output[i, j], x[m, n])
    return output


def max_pool_with_options_by_clipped_windows(x: Array, window: Shape, stride: Shape, padding: Shape) -> Array:
    (p, q), (s, t), (a, b) = window, stride, padding
    rows, columns = (x.shape[0] + 2 * a - p) // s + 1, (x.shape[1] + 2 * b - q) // t + 1
    output = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            top, left = i * s - a, j * t - b
            output[i, j] = x[max(top, 0) : top + p, max(left, 0) : left + q].max()
    return output


def max_pool_with_options_by_slices(x: Array, window: Shape, stride: Shape, padding: Shape) -> Array:
    (p, q), (s, t), (a, b) = window, stride, padding
    padded = np.full((x.shape[0] + 2 * a, x.shape[1] + 2 * b), -np.inf)
    padded[a : a + x.shape[0], b : b + x.shape[1]] = x
    rows, columns = padded.shape[0] - p + 1, padded.shape[1] - q + 1
    return np.max([padded[i : i + rows : s, j : j + columns : t] for i in range(p) for j in range(q)], axis=0)


def max_pool_with_options_by_sliding_windows(x: Array, window: Shape, stride: Shape, padding: Shape) -> Array:
    (s, t), (a, b) = stride, padding
    padded = np.pad(x, ((a, a), (b, b)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, window)[::s, ::t]
    return windows.max(axis=(2, 3))


def max_pool_gradient_with_options(x: Array, window: Shape, upstream: Array, stride: Shape, padding: Shape) -> Array:
    (p, q), (s, t), (a, b) = window, stride, padding
    padded = np.pad(x, ((a, a), (b, b)), constant_values=-np.inf)
    gradient = np.zeros(padded.shape)
    for i in range(upstream.shape[0]):
        for j in range(upstream.shape[1]):
            patch = padded[i * s : i * s + p, j * t : j * t + q]
            m, n = np.unravel_index(np.argmax(patch), patch.shape)
            gradient[i * s + m, j * t + n] += upstream[i, j]
    return gradient[a : a + x.shape[0], b : b + x.shape[1]]


def max_pool_gradient_with_options_by_running_maximum(
    x: Array, window: Shape, upstream: Array, stride: Shape, padding: Shape
) -> Array:
    (p, q), (s, t), (a, b) = window, stride, padding
    gradient = np.zeros(x.shape)
    for i in range(upstream.shape[0]):
        for j in range(upstream.shape[1]):
            best = -np.inf
            for m in range(max(i * s - a, 0), min(i * s - a + p, x.shape[0])):
                for n in range(max(j * t - b, 0), min(j * t - b + q, x.shape[1])):
                    if x[m, n] > best:
                        best, row, column = x[m, n], m, n
            gradient[row, column] += upstream[i, j]
    return gradient


def max_pool_gradient_with_options_by_last_place(
    x: Array, window: Shape, upstream: Array, stride: Shape, padding: Shape
) -> Array:
    (p, q), (s, t), (a, b) = window, stride, padding
    gradient = np.zeros(x.shape)
    for i in range(upstream.shape[0]):
        for j in range(upstream.shape[1]):
            top, left = max(i * s - a, 0), max(j * t - b, 0)
            patch = x[top : i * s - a + p, left : j * t - b + q]
            m, n = np.argwhere(patch == patch.max())[-1]
            gradient[top + m, left + n] += upstream[i, j]
    return gradient


def max_pool_gradient_with_options_by_masked_patches(
    x: Array, window: Shape, upstream: Array, stride: Shape, padding: Shape
) -> Array:
    (p, q), (s, t), (a, b) = window, stride, padding
    padded = np.pad(x, ((a, a), (b, b)), constant_values=-np.inf)
    gradient = np.zeros(padded.shape)
    for i in range(upstream.shape[0]):
        for j in range(upstream.shape[1]):
            patch = padded[i * s : i * s + p, j * t : j * t + q]
            mask = patch == np.max(patch)
            gradient[i * s : i * s + p, j * t : j * t + q] += mask * upstream[i, j] / np.sum(mask)
    return gradient[a : a + x.shape[0], b : b + x.shape[1]]


def max_pool_gradient_with_options_by_mask(
    x: Array, window: Shape, upstream: Array, stride: Shape, padding: Shape
) -> Array:
    (p, q), (s, t), (a, b), (rows, columns) = window, stride, padding, upstream.shape
    padded = np.pad(x, ((a, a), (b, b)), constant_values=-np.inf)
    places = [np.s_[i : i + s * rows : s, j : j + t * columns : t] for i in range(p) for j in range(q)]
    windows = np.array([padded[place][:rows, :columns] for place in places])
    mask = windows == windows.max(axis=0)
    gradient = np.zeros(padded.shape)
    for place, share in zip(places, mask * (upstream / mask.sum(axis=0)), strict=True):
        gradient[place][:rows, :columns] += share
    return gradient[a : a + x.shape[0], b : b + x.shape[1]]


def max_pool_gradient_with_options_by_flat_places(
    x: Array, window: Shape, upstream: Array, stride: Shape, padding: Shape
) -> Array:
    (p, q), (s, t), (a, b), (rows, columns) = window, stride, padding, upstream.shape
    padded = np.pad(x, ((a, a), (b, b)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, window)[::s, ::t]
    m, n = np.divmod(windows.reshape(rows, columns, p * q).argmax(axis=2), q)
    gradient = np.zeros(padded.shape)
    np.add.at(gradient, (m + s * np.arange(rows)[:, None], n + t * np.arange(columns)), upstream)
    return gradient[a : a + x.shape[0], b : b + x.shape[1]]
