"""The convolution with a bias, a stride, padding and dilation, and its gradients."""

import numpy as np

from ....harness.core.limits import Shape
from ....harness.core.values import Array, turned
from ..lazily import correlate2d
from ..turns import mirrored, unturned


def conv2d_with_options(
    image: Array, kernel: Array, bias: Array, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    (s, t), (top, left), (d, e) = stride, padding, dilation
    height, width = d * (kernel.shape[0] - 1) + 1, e * (kernel.shape[1] - 1) + 1
    padded = np.pad(image, ((top, top), (left, left)))
    rows = (padded.shape[0] - height) // s + 1
    columns = (padded.shape[1] - width) // t + 1
    flipped = turned(kernel)
    output = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[i * s : i * s + height : d, j * t : j * t + width : e]
            output[i, j] = np.sum(patch * flipped) + bias[0]
    return output


def conv2d_with_options_by_entries(
    image: Array, kernel: Array, bias: Array, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    (height, width), (rows, columns) = kernel.shape, image.shape
    high = (rows + 2 * padding[0] - dilation[0] * (height - 1) - 1) // stride[0] + 1
    wide = (columns + 2 * padding[1] - dilation[1] * (width - 1) - 1) // stride[1] + 1
    output = np.full((high, wide), bias[0])
    for i in range(high):
        for j in range(wide):
            for a in range(height):
                for b in range(width):
                    m = i * stride[0] + mirrored(a, height) * dilation[0] - padding[0]
                    n = j * stride[1] + mirrored(b, width) * dilation[1] - padding[1]
                    if 0 <= m < rows and 0 <= n < columns:
                        output[i, j] += image[m, n] * kernel[a, b]
    return output


def conv2d_with_options_by_im2col(
    image: Array, kernel: Array, bias: Array, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    (s, t), (top, left), (d, e) = stride, padding, dilation
    padded = np.zeros((image.shape[0] + 2 * top, image.shape[1] + 2 * left))
    padded[top : top + image.shape[0], left : left + image.shape[1]] = image
    rows = (padded.shape[0] - d * (kernel.shape[0] - 1) - 1) // s + 1
    columns = (padded.shape[1] - e * (kernel.shape[1] - 1) - 1) // t + 1
    m = s * np.arange(rows)[:, None, None, None] + d * np.arange(kernel.shape[0])[:, None]
    n = t * np.arange(columns)[:, None, None] + e * np.arange(kernel.shape[1])
    patches = padded[m, n].reshape(rows * columns, kernel.size)
    return (patches @ turned(kernel).ravel() + bias).reshape(rows, columns)


def conv2d_with_options_by_scipy(
    image: Array, kernel: Array, bias: Array, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    (rows, columns), (height, width) = image.shape, kernel.shape
    (s, t), (top, left), (d, e) = stride, padding, dilation
    padded = np.zeros((rows + 2 * top, columns + 2 * left))
    padded[top : top + rows, left : left + columns] = image
    dilated = np.zeros((d * (height - 1) + 1, e * (width - 1) + 1))
    dilated[::d, ::e] = turned(kernel)
    return correlate2d(padded, dilated, mode="valid")[::s, ::t] + bias


def conv2d_kernel_gradient_with_options(
    image: Array, kernel: Array, upstream: Array, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    (s, t), (top, left), (d, e) = stride, padding, dilation
    height, width = d * (kernel.shape[0] - 1) + 1, e * (kernel.shape[1] - 1) + 1
    padded = np.pad(image, ((top, top), (left, left)))
    gradient = np.zeros(kernel.shape)
    for i in range(upstream.shape[0]):
        for j in range(upstream.shape[1]):
            gradient += upstream[i, j] * padded[i * s : i * s + height : d, j * t : j * t + width : e]
    return turned(gradient)


def conv2d_kernel_gradient_with_options_by_entries(
    image: Array, kernel: Array, upstream: Array, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    (height, width), (rows, columns) = kernel.shape, image.shape
    gradient = np.zeros((height, width))
    for i in range(upstream.shape[0]):
        for j in range(upstream.shape[1]):
            for a in range(height):
                for b in range(width):
                    m = i * stride[0] + mirrored(a, height) * dilation[0] - padding[0]
                    n = j * stride[1] + mirrored(b, width) * dilation[1] - padding[1]
                    if 0 <= m < rows and 0 <= n < columns:
                        gradient[a, b] += upstream[i, j] * image[m, n]
    return gradient


def conv2d_kernel_gradient_with_options_by_shifts(
    image: Array, kernel: Array, upstream: Array, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    (s, t), (top, left), (d, e) = stride, padding, dilation
    height, width = s * (upstream.shape[0] - 1) + 1, t * (upstream.shape[1] - 1) + 1
    padded = np.zeros((image.shape[0] + 2 * top, image.shape[1] + 2 * left))
    padded[top : top + image.shape[0], left : left + image.shape[1]] = image
    gradient = np.zeros(kernel.shape)
    for a in range(kernel.shape[0]):
        for b in range(kernel.shape[1]):
            patch = padded[a * d : a * d + height : s, b * e : b * e + width : t]
            gradient[a, b] = np.sum(patch * upstream)
    return turned(gradient)


def conv2d_kernel_gradient_with_options_by_scipy(
    image: Array, kernel: Array, upstream: Array, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    (rows, columns), (height, width) = image.shape, kernel.shape
    (s, t), (top, left), (d, e) = stride, padding, dilation
    padded = np.zeros((rows + 2 * top, columns + 2 * left))
    padded[top : top + rows, left : left + columns] = image
    spread = np.zeros((s * (upstream.shape[0] - 1) + 1, t * (upstream.shape[1] - 1) + 1))
    spread[::s, ::t] = upstream
    gradient = correlate2d(padded, spread, mode="valid")[::d, ::e]
    return turned(gradient[:height, :width])


def conv2d_image_gradient_with_options(
    image: Array, kernel: Array, upstream: Array, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    (s, t), (top, left), (d, e) = stride, padding, dilation
    height, width = d * (kernel.shape[0] - 1) + 1, e * (kernel.shape[1] - 1) + 1
    rows, columns = image.shape
    flipped = turned(kernel)
    gradient = np.zeros((rows + 2 * top, columns + 2 * left))
    for i in range(upstream.shape[0]):
        for j in range(upstream.shape[1]):
            gradient[i * s : i * s + height : d, j * t : j * t + width : e] += upstream[i, j] * flipped
    return gradient[top : top + rows, left : left + columns]


def conv2d_image_gradient_with_options_by_entries(
    image: Array, kernel: Array, upstream: Array, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    (height, width), (rows, columns) = kernel.shape, image.shape
    gradient = np.zeros((rows, columns))
    for i in range(upstream.shape[0]):
        for j in range(upstream.shape[1]):
            for a in range(height):
                for b in range(width):
                    m = i * stride[0] + mirrored(a, height) * dilation[0] - padding[0]
                    n = j * stride[1] + mirrored(b, width) * dilation[1] - padding[1]
                    if 0 <= m < rows and 0 <= n < columns:
                        gradient[m, n] += upstream[i, j] * kernel[a, b]
    return gradient


def conv2d_image_gradient_with_options_by_shifts(
    image: Array, kernel: Array, upstream: Array, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    (s, t), (top, left), (d, e) = stride, padding, dilation
    height, width = s * (upstream.shape[0] - 1) + 1, t * (upstream.shape[1] - 1) + 1
    rows, columns = image.shape
    flipped = turned(kernel)
    gradient = np.zeros((rows + 2 * top, columns + 2 * left))
    for a in range(kernel.shape[0]):
        for b in range(kernel.shape[1]):
            gradient[a * d : a * d + height : s, b * e : b * e + width : t] += flipped[a, b] * upstream
    return gradient[top : top + rows, left : left + columns]


def conv2d_image_gradient_with_options_by_scipy(
    image: Array, kernel: Array, upstream: Array, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    (rows, columns), (high, wide) = image.shape, upstream.shape
    (s, t), (top, left), (d, e) = stride, padding, dilation
    spread = np.zeros((s * (high - 1) + 1, t * (wide - 1) + 1))
    spread[::s, ::t] = upstream
    dilated = np.zeros((d * (kernel.shape[0] - 1) + 1, e * (kernel.shape[1] - 1) + 1))
    dilated[::d, ::e] = unturned(kernel)
    full = correlate2d(spread, dilated, mode="full")
    gradient = np.zeros((rows + 2 * top, columns + 2 * left))
    gradient[: full.shape[0], : full.shape[1]] = full
    return gradient[top : top + rows, left : left + columns]


def conv2d_bias_gradient(image: Array, kernel: Array, upstream: Array) -> Array:
    return np.array([np.sum(upstream)])


def conv2d_bias_gradient_by_entries(image: Array, kernel: Array, upstream: Array) -> Array:
    gradient = np.zeros(1)
    for i in range(upstream.shape[0]):
        for j in range(upstream.shape[1]):
            gradient[0] += upstream[i, j]
    return gradient


def conv2d_bias_gradient_by_rows(image: Array, kernel: Array, upstream: Array) -> Array:
    return np.reshape(upstream.sum(axis=1).sum(axis=0), 1)
