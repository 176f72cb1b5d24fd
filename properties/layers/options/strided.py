"""The convolution with a stride, padding and dilation, and its two gradients: what is right.

Images are (N, C_in, H, W), kernels (C_out, C_in, h, w), outputs (N, C_out, rows, columns); any may have a further axis
in front. What the stride leaves over of an image gets no gradient.
"""

import numpy as np

from ...harness.core.limits import Shape
from ...harness.core.values import Array, turned
from ..base.unfolding import folded, reach, unfolded


def spread(array: Array, steps: Shape) -> Array:
    """The array with zeros between its rows and columns, so that these come at every so manieth place."""
    rows, columns = (reach(side, step) for side, step in zip(array.shape[-2:], steps, strict=True))
    wide = np.zeros((*array.shape[:-2], rows, columns))
    wide[..., :: steps[0], :: steps[1]] = array
    return wide


def conv2d(image: Array, kernel: Array, stride: Shape, padding: Shape, dilation: Shape) -> Array:
    """`Σ padded[s i + d a, t j + e b] kernel[a,b]`, summed over channels; the kernel turned first if it is flipped."""
    met = unfolded(image, kernel.shape[-2:], stride, padding, dilation)
    return np.einsum("...ncijab,...ocab->...noij", met, turned(kernel))


def conv2d_kernel_gradient(
    image: Array, kernel: Shape, upstream: Array, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    """`Σ upstream[i,j] ∂y[i,j]/∂kernel[a,b]`, over all images, for a kernel of these sides."""
    met = unfolded(image, kernel, stride, padding, dilation)
    return turned(np.einsum("...ncijab,...noij->...ocab", met, upstream))


def conv2d_image_gradient(
    image: Shape, kernel: Array, upstream: Array, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    """`Σ upstream[i,j] ∂y[i,j]/∂image[m,n]`, over all filters, for an image of these sides."""
    forward = turned(kernel)

    def share(a: int, b: int) -> Array:
        return np.einsum("...noij,...oc->...ncij", upstream, forward[..., a, b])

    return folded(share, kernel.shape[-2:], image, stride, padding, dilation)
