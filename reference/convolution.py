"""The valid two-dimensional convolution and its two gradients, which are its adjoints."""

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import ArrayLike

from .arrays import Array, matrix

__all__ = ["conv2d", "conv2d_image_gradient", "conv2d_kernel_gradient"]


def conv2d(image: ArrayLike, kernel: ArrayLike) -> Array:
    """The true convolution: `y[i,j] = Σ image[i+h-1-a, j+w-1-b] kernel[a,b]`.

    `image` is (H, W), `kernel` (h, w), the result (H-h+1, W-w+1). Raises `ValueError` if the kernel does not
    fit in the image. Source: Dumoulin & Visin, arXiv:1603.07285, for the shapes.
    """
    image, kernel = matrix(image, "image"), matrix(kernel, "kernel")
    _output_shape(image, kernel)
    return _correlated(image, kernel[::-1, ::-1])


def conv2d_kernel_gradient(image: ArrayLike, kernel: ArrayLike, upstream: ArrayLike) -> Array:
    """`rot90(conv2d(image, rot90(upstream, 2)), 2)`, the rot90 identity; a half turn reverses both axes.

    `upstream` has the shape of the output, the result that of `kernel`; `ValueError` for any other shape.
    Source: the derivative `∂y[i,j]/∂kernel[a,b] = image[i+h-1-a, j+w-1-b]`, summed against `upstream`.
    """
    image, kernel = matrix(image, "image"), matrix(kernel, "kernel")
    upstream = matrix(upstream, "upstream", _output_shape(image, kernel))
    return _correlated(image, upstream)[::-1, ::-1]  # two half turns of the upstream cancel


def conv2d_image_gradient(image: ArrayLike, kernel: ArrayLike, upstream: ArrayLike) -> Array:
    """`dx[m,n] = Σ upstream[m-h+1+a, n-w+1+b] kernel[a,b]`, the full correlation of the two.

    `upstream` has the shape of the output, the result that of `image`; `ValueError` for any other shape.
    Source: the adjoint of `conv2d` in its first argument, `⟨conv2d(x, k), u⟩ = ⟨x, gradient⟩`.
    """
    image, kernel = matrix(image, "image"), matrix(kernel, "kernel")
    upstream = matrix(upstream, "upstream", _output_shape(image, kernel))
    height, width = kernel.shape
    padded = np.zeros((len(image) + height - 1, image.shape[1] + width - 1))
    padded[height - 1 : len(image), width - 1 : image.shape[1]] = upstream
    return _correlated(padded, kernel)


def _correlated(image: Array, kernel: Array) -> Array:
    """`y[i,j] = Σ image[i+a, j+b] kernel[a,b]`, wherever the kernel fits."""
    shape = _output_shape(image, kernel) + kernel.shape
    windows = as_strided(image, shape, image.strides * 2, writeable=False)  # a view of each place's window
    return np.asarray(np.einsum("ijab,ab->ij", windows, kernel))


def _output_shape(image: Array, kernel: Array) -> tuple[int, int]:
    (rows, columns), (height, width) = image.shape, kernel.shape
    if height > rows or width > columns:
        raise ValueError(f"kernel must fit in the image, but is {kernel.shape} for an image of {image.shape}")
    return rows - height + 1, columns - width + 1
