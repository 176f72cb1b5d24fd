"""The valid two-dimensional convolution and its two gradients, which are its adjoints."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.signal import convolve2d, correlate2d

from .arrays import Array, matrix

__all__ = ["conv2d", "conv2d_image_gradient", "conv2d_kernel_gradient"]


def conv2d(image: ArrayLike, kernel: ArrayLike) -> Array:
    """The true convolution: `y[i,j] = Σ image[i+h-1-a, j+w-1-b] kernel[a,b]`.

    `image` is (H, W), `kernel` (h, w), the result (H-h+1, W-w+1). Raises `ValueError` if the kernel does not
    fit in the image (SciPy would swap the two). Source: Dumoulin & Visin, arXiv:1603.07285, for the shapes.
    """
    image, kernel = matrix(image, "image"), matrix(kernel, "kernel")
    _output_shape(image, kernel)
    return np.asarray(convolve2d(image, kernel, mode="valid"))


def conv2d_kernel_gradient(image: ArrayLike, kernel: ArrayLike, upstream: ArrayLike) -> Array:
    """`rot90(convolve2d(image, rot90(upstream, 2), "valid"), 2)`, the rot90 identity; a half turn reverses both axes.

    `upstream` has the shape of the output, the result that of `kernel`; `ValueError` for any other shape.
    Source: the derivative `∂y[i,j]/∂kernel[a,b] = image[i+h-1-a, j+w-1-b]`, summed against `upstream`.
    """
    image, kernel = matrix(image, "image"), matrix(kernel, "kernel")
    upstream = matrix(upstream, "upstream", _output_shape(image, kernel))
    return np.asarray(convolve2d(image, upstream[::-1, ::-1], mode="valid"))[::-1, ::-1]


def conv2d_image_gradient(image: ArrayLike, kernel: ArrayLike, upstream: ArrayLike) -> Array:
    """`correlate2d(upstream, kernel, "full")`.

    `upstream` has the shape of the output, the result that of `image`; `ValueError` for any other shape.
    Source: the adjoint of `conv2d` in its first argument, `⟨conv2d(x, k), u⟩ = ⟨x, gradient⟩`.
    """
    image, kernel = matrix(image, "image"), matrix(kernel, "kernel")
    upstream = matrix(upstream, "upstream", _output_shape(image, kernel))
    return np.asarray(correlate2d(upstream, kernel, mode="full"))


def _output_shape(image: Array, kernel: Array) -> tuple[int, int]:
    (rows, columns), (height, width) = image.shape, kernel.shape
    if height > rows or width > columns:
        raise ValueError(f"kernel must fit in the image, but is {kernel.shape} for an image of {image.shape}")
    return rows - height + 1, columns - width + 1
