"""The convolution and its two gradients."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ...harness.core.values import Array, turned
from .lazily import convolve2d, correlate2d
from .turns import mirrored, unturned


def conv2d(image: Array, kernel: Array) -> Array:
    height, width = kernel.shape
    rows, columns = image.shape[0] - height + 1, image.shape[1] - width + 1
    flipped = turned(kernel)
    output = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = image[i : i + height, j : j + width]
            output[i, j] = np.sum(patch * flipped)
    return output


def conv2d_by_entries(image: Array, kernel: Array) -> Array:
    height, width = kernel.shape
    rows, columns = image.shape[0] - height + 1, image.shape[1] - width + 1
    output = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            for a in range(height):
                for b in range(width):
                    output[i, j] += image[i + mirrored(a, height), j + mirrored(b, width)] * kernel[a, b]
    return output


def conv2d_by_totals(image: Array, kernel: Array) -> Array:
    height, width = kernel.shape
    rows, columns = image.shape[0] - height + 1, image.shape[1] - width + 1
    output = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            total = 0.0
            for a in range(height):
                for b in range(width):
                    total += image[i + a, j + b] * kernel[mirrored(a, height), mirrored(b, width)]
            output[i, j] = total
    return output


def conv2d_by_places(image: Array, kernel: Array) -> Array:
    height, width = kernel.shape
    rows, columns = image.shape[0] - height + 1, image.shape[1] - width + 1
    flat = image.ravel()
    flipped = turned(kernel)
    output = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            for a in range(height):
                for b in range(width):
                    output[i, j] += flat[(i + a) * image.shape[1] + (j + b)] * flipped[a, b]
    return output


def conv2d_by_shifts(image: Array, kernel: Array) -> Array:
    height, width = kernel.shape
    rows, columns = image.shape[0] - height + 1, image.shape[1] - width + 1
    output = np.zeros((rows, columns))
    for a in range(height):
        for b in range(width):
            output += kernel[mirrored(a, height), mirrored(b, width)] * image[a : a + rows, b : b + columns]
    return output


def conv2d_by_im2col(image: Array, kernel: Array) -> Array:
    height, width = kernel.shape
    rows, columns = image.shape[0] - height + 1, image.shape[1] - width + 1
    patches = [image[i : i + height, j : j + width].ravel() for i in range(rows) for j in range(columns)]
    return (np.array(patches) @ turned(kernel).ravel()).reshape(rows, columns)


def conv2d_by_crop(image: Array, kernel: Array) -> Array:
    height, width = kernel.shape
    full = correlate2d(image, turned(kernel), mode="full")
    return full[height - 1 : image.shape[0], width - 1 : image.shape[1]]


def conv2d_by_scipy(image: Array, kernel: Array) -> Array:
    return correlate2d(image, turned(kernel), mode="valid")


def conv2d_by_windows(image: Array, kernel: Array) -> Array:
    return np.einsum("ijab,ab->ij", sliding_window_view(image, kernel.shape), turned(kernel))


def conv2d_kernel_gradient(image: Array, kernel: Array, upstream: Array) -> Array:
    height, width = kernel.shape
    rows, columns = upstream.shape
    gradient = np.zeros((height, width))
    for i in range(rows):
        for j in range(columns):
            gradient += upstream[i, j] * image[i : i + height, j : j + width]
    return turned(gradient)


def conv2d_kernel_gradient_by_entries(image: Array, kernel: Array, upstream: Array) -> Array:
    height, width = kernel.shape
    rows, columns = upstream.shape
    gradient = np.zeros((height, width))
    for i in range(rows):
        for j in range(columns):
            for a in range(height):
                for b in range(width):
                    gradient[a, b] += upstream[i, j] * image[i + mirrored(a, height), j + mirrored(b, width)]
    return gradient


def conv2d_kernel_gradient_by_totals(image: Array, kernel: Array, upstream: Array) -> Array:
    height, width = kernel.shape
    rows, columns = upstream.shape
    gradient = np.zeros((height, width))
    for a in range(height):
        for b in range(width):
            total = 0.0
            for i in range(rows):
                for j in range(columns):
                    total += upstream[i, j] * image[i + a, j + b]
            gradient[mirrored(a, height), mirrored(b, width)] = total
    return gradient


def conv2d_kernel_gradient_by_places(image: Array, kernel: Array, upstream: Array) -> Array:
    height, width = kernel.shape
    rows, columns = upstream.shape
    flat = image.ravel()
    gradient = np.zeros((height, width))
    for i in range(rows):
        for j in range(columns):
            for a in range(height):
                for b in range(width):
                    gradient[a, b] += upstream[i, j] * flat[(i + a) * image.shape[1] + (j + b)]
    return turned(gradient)


def conv2d_kernel_gradient_by_shifts(image: Array, kernel: Array, upstream: Array) -> Array:
    height, width = kernel.shape
    rows, columns = upstream.shape
    gradient = np.zeros((height, width))
    for a in range(height):
        for b in range(width):
            patch = image[a : a + rows, b : b + columns]
            gradient[mirrored(a, height), mirrored(b, width)] = np.sum(patch * upstream)
    return gradient


def conv2d_kernel_gradient_by_im2col(image: Array, kernel: Array, upstream: Array) -> Array:
    height, width = kernel.shape
    rows, columns = upstream.shape
    patches = [image[i : i + height, j : j + width].ravel() for i in range(rows) for j in range(columns)]
    gradient = np.array(patches).T @ upstream.ravel()
    return turned(gradient.reshape(height, width))


def conv2d_kernel_gradient_by_rot90(image: Array, kernel: Array, upstream: Array) -> Array:
    gradient = convolve2d(image, np.rot90(upstream, 2), mode="valid")
    return turned(gradient)


def conv2d_kernel_gradient_by_scipy(image: Array, kernel: Array, upstream: Array) -> Array:
    return turned(correlate2d(image, upstream, mode="valid"))


def conv2d_kernel_gradient_by_windows(image: Array, kernel: Array, upstream: Array) -> Array:
    return turned(np.einsum("ijab,ij->ab", sliding_window_view(image, kernel.shape), upstream))


def conv2d_image_gradient(image: Array, kernel: Array, upstream: Array) -> Array:
    height, width = kernel.shape
    rows, columns = upstream.shape
    flipped = turned(kernel)
    gradient = np.zeros(image.shape)
    for i in range(rows):
        for j in range(columns):
            gradient[i : i + height, j : j + width] += upstream[i, j] * flipped
    return gradient


def conv2d_image_gradient_by_entries(image: Array, kernel: Array, upstream: Array) -> Array:
    height, width = kernel.shape
    rows, columns = upstream.shape
    gradient = np.zeros(image.shape)
    for i in range(rows):
        for j in range(columns):
            for a in range(height):
                for b in range(width):
                    gradient[i + mirrored(a, height), j + mirrored(b, width)] += upstream[i, j] * kernel[a, b]
    return gradient


def conv2d_image_gradient_by_shifts(image: Array, kernel: Array, upstream: Array) -> Array:
    height, width = kernel.shape
    rows, columns = upstream.shape
    gradient = np.zeros(image.shape)
    for a in range(height):
        for b in range(width):
            gradient[a : a + rows, b : b + columns] += kernel[mirrored(a, height), mirrored(b, width)] * upstream
    return gradient


def conv2d_image_gradient_by_padding(image: Array, kernel: Array, upstream: Array) -> Array:
    height, width = kernel.shape
    flipped = unturned(kernel)
    padded = np.pad(upstream, ((height - 1, height - 1), (width - 1, width - 1)))
    gradient = np.zeros(image.shape)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            gradient[i, j] = np.sum(padded[i : i + height, j : j + width] * flipped)
    return gradient


def conv2d_image_gradient_by_frame(image: Array, kernel: Array, upstream: Array) -> Array:
    height, width = kernel.shape
    rows, columns = upstream.shape
    padded = np.zeros((rows + 2 * (height - 1), columns + 2 * (width - 1)))
    for i in range(rows):
        for j in range(columns):
            padded[i + height - 1, j + width - 1] = upstream[i, j]
    return correlate2d(padded, unturned(kernel), mode="valid")


def conv2d_image_gradient_by_gathering(image: Array, kernel: Array, upstream: Array) -> Array:
    rows, columns = upstream.shape
    flipped = turned(kernel)
    gradient = np.zeros(image.shape)
    for m in range(image.shape[0]):
        for n in range(image.shape[1]):
            for a in range(kernel.shape[0]):
                for b in range(kernel.shape[1]):
                    i, j = m - a, n - b
                    if i >= 0 and i < rows and j >= 0 and j < columns:
                        gradient[m, n] += upstream[i, j] * flipped[a, b]
    return gradient


def conv2d_image_gradient_by_col2im(image: Array, kernel: Array, upstream: Array) -> Array:
    height, width = kernel.shape
    rows, columns = upstream.shape
    patches = np.outer(upstream.ravel(), turned(kernel).ravel())
    gradient = np.zeros(image.shape)
    for i in range(rows):
        for j in range(columns):
            gradient[i : i + height, j : j + width] += patches[i * columns + j].reshape(height, width)
    return gradient


def conv2d_image_gradient_by_places(image: Array, kernel: Array, upstream: Array) -> Array:
    height, width = kernel.shape
    rows, columns = image.shape
    flipped = turned(kernel)
    gradient = np.zeros(rows * columns)
    for i in range(rows - height + 1):
        for j in range(columns - width + 1):
            for a in range(height):
                for b in range(width):
                    gradient[(i + a) * columns + (j + b)] += upstream[i, j] * flipped[a, b]
    return gradient.reshape(rows, columns)


def conv2d_image_gradient_by_scipy(image: Array, kernel: Array, upstream: Array) -> Array:
    return correlate2d(upstream, unturned(kernel), mode="full")


def conv2d_image_gradient_by_windows(image: Array, kernel: Array, upstream: Array) -> Array:
    height, width = kernel.shape
    padded = np.pad(upstream, ((height - 1, height - 1), (width - 1, width - 1)))
    return np.einsum("ijab,ab->ij", sliding_window_view(padded, kernel.shape), unturned(kernel))
