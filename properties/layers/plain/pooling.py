"""Max pooling and its gradient."""

import numpy as np

from ...harness.core.limits import Shape
from ...harness.core.values import Array


def max_pool(x: Array, window: Shape) -> Array:
    p, q = window
    rows, columns = x.shape[0] // p, x.shape[1] // q
    output = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            output[i, j] = np.max(x[i * p : (i + 1) * p, j * q : (j + 1) * q])
    return output


def max_pool_by_running_maximum(x: Array, window: Shape) -> Array:
    p, q = window
    rows, columns = x.shape[0] // p, x.shape[1] // q
    output = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            best = -np.inf
            for a in range(p):
                for b in range(q):
                    if x[i * p + a, j * q + b] > best:
                        best = x[i * p + a, j * q + b]
            output[i, j] = best
    return output


def max_pool_by_first_entry(x: Array, window: Shape) -> Array:
    p, q = window
    rows, columns = x.shape[0] // p, x.shape[1] // q
    output = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            output[i, j] = x[i * p, j * q]
            for a in range(p):
                for b in range(q):
                    output[i, j] = max(output[i, j], x[i * p + a, j * q + b])
    return output


def max_pool_by_reshape(x: Array, window: Shape) -> Array:
    p, q = window
    return x.reshape(x.shape[0] // p, p, x.shape[1] // q, q).max(axis=(1, 3))


def max_pool_by_blocks(x: Array, window: Shape) -> Array:
    p, q = window
    rows, columns = x.shape[0] // p, x.shape[1] // q
    blocks = x.reshape(rows, p, columns, q).transpose(0, 2, 1, 3)
    return blocks.reshape(rows, columns, p * q).max(axis=2)


def max_pool_by_slices(x: Array, window: Shape) -> Array:
    p, q = window
    return np.max([x[a::p, b::q] for a in range(p) for b in range(q)], axis=0)


def max_pool_gradient(x: Array, window: Shape, upstream: Array) -> Array:
    p, q = window
    rows, columns = upstream.shape
    gradient = np.zeros(x.shape)
    for i in range(rows):
        for j in range(columns):
            patch = x[i * p : (i + 1) * p, j * q : (j + 1) * q]
            a, b = np.unravel_index(np.argmax(patch), patch.shape)
            gradient[i * p + a, j * q + b] = upstream[i, j]
    return gradient


def max_pool_gradient_by_running_maximum(x: Array, window: Shape, upstream: Array) -> Array:
    p, q = window
    gradient = np.zeros(x.shape)
    for i in range(upstream.shape[0]):
        for j in range(upstream.shape[1]):
            best = -np.inf
            for a in range(p):
                for b in range(q):
                    if x[i * p + a, j * q + b] > best:
                        best = x[i * p + a, j * q + b]
                        row, column = i * p + a, j * q + b
            gradient[row, column] += upstream[i, j]
    return gradient


def max_pool_gradient_by_first_entry(x: Array, window: Shape, upstream: Array) -> Array:
    p, q = window
    gradient = np.zeros(x.shape)
    for i in range(upstream.shape[0]):
        for j in range(upstream.shape[1]):
            row, column = i * p, j * q
            for a in range(p):
                for b in range(q):
                    if x[i * p + a, j * q + b] > x[row, column]:
                        row, column = i * p + a, j * q + b
            gradient[row, column] += upstream[i, j]
    return gradient


def max_pool_gradient_by_flat_place(x: Array, window: Shape, upstream: Array) -> Array:
    p, q = window
    rows, columns = upstream.shape
    gradient = np.zeros(x.shape)
    for i in range(rows):
        for j in range(columns):
            place = np.argmax(x[i * p : (i + 1) * p, j * q : (j + 1) * q])
            gradient[i * p + place // q, j * q + place % q] = upstream[i, j]
    return gradient


def max_pool_gradient_by_divmod(x: Array, window: Shape, upstream: Array) -> Array:
    p, q = window
    rows, columns = upstream.shape
    gradient = np.zeros(x.shape)
    for i in range(rows):
        for j in range(columns):
            place = np.argmax(x[i * p : (i + 1) * p, j * q : (j + 1) * q])
            a, b = divmod(place, q)
            gradient[i * p + a, j * q + b] += upstream[i, j]
    return gradient


def max_pool_gradient_by_mask(x: Array, window: Shape, upstream: Array) -> Array:
    p, q = window
    rows, columns = upstream.shape
    pooled = x.reshape(rows, p, columns, q).max(axis=(1, 3))
    mask = x == pooled.repeat(p, axis=0).repeat(q, axis=1)
    counts = mask.reshape(rows, p, columns, q).sum(axis=(1, 3))
    shares = upstream / counts
    return np.where(mask, shares.repeat(p, axis=0).repeat(q, axis=1), 0)


def max_pool_gradient_by_masked_patches(x: Array, window: Shape, upstream: Array) -> Array:
    p, q = window
    rows, columns = upstream.shape
    gradient = np.zeros(x.shape)
    for i in range(rows):
        for j in range(columns):
            patch = x[i * p : (i + 1) * p, j * q : (j + 1) * q]
            mask = patch == np.max(patch)
            gradient[i * p : (i + 1) * p, j * q : (j + 1) * q] = mask * upstream[i, j] / np.sum(mask)
    return gradient


def max_pool_gradient_by_blocks(x: Array, window: Shape, upstream: Array) -> Array:
    p, q = window
    rows, columns = upstream.shape
    blocks = x.reshape(rows, p, columns, q).transpose(0, 2, 1, 3).reshape(-1, p * q)
    scattered = np.zeros(blocks.shape)
    scattered[np.arange(rows * columns), blocks.argmax(axis=1)] = upstream.ravel()
    return scattered.reshape(rows, columns, p, q).transpose(0, 2, 1, 3).reshape(x.shape)
