"""The convolution with a stride, padding and dilation, and its two gradients: what is right.

Images are (N, C_in, H, W), kernels (C_out, C_in, h, w), outputs (N, C_out, rows, columns); any may have a further axis
in front. With a stride of s, a padding of a and a dilation of d a side of H has (H + 2a − d(h−1) − 1) // s + 1 outputs,
and the rest of that division is left over.
"""

import numpy as np

from ...harness.core.limits import Shape
from ...harness.core.values import Array, turned


def reach(side: int, dilation: int) -> int:
    """How many rows or columns a kernel of this side spans."""
    return dilation * (side - 1) + 1


def outputs(image: Shape, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape) -> Shape:
    """The rows and columns of the output."""
    rows, columns = (
        (side + 2 * more - reach(part, spread)) // step + 1
        for side, part, step, more, spread in zip(image, kernel, stride, padding, dilation, strict=True)
    )
    return rows, columns


def framed(image: Array, padding: Shape) -> Array:
    """The image with so many rows of zeros above and below it, and so many columns on its left and on its right."""
    (rows, columns), (above, left) = image.shape[-2:], padding
    whole = np.zeros((*image.shape[:-2], rows + 2 * above, columns + 2 * left))
    whole[..., above : above + rows, left : left + columns] = image
    return whole


def inner(whole: Array, padding: Shape) -> Array:
    """What is framed, without its frame."""
    (rows, columns), (above, left) = whole.shape[-2:], padding
    return whole[..., above : rows - above, left : columns - left]


def spread(array: Array, steps: Shape) -> Array:
    """The array with zeros between its rows and columns, so that these come at every so manieth place."""
    rows, columns = (reach(side, step) for side, step in zip(array.shape[-2:], steps, strict=True))
    wide = np.zeros((*array.shape[:-2], rows, columns))
    wide[..., :: steps[0], :: steps[1]] = array
    return wide


def patches(whole: Array, kernel: Shape, stride: Shape, dilation: Shape) -> Array:
    """What the kernel meets at every output, (…, rows, columns, h, w): a view of `whole`, or of a copy of it."""
    whole = np.ascontiguousarray(whole)
    counts = outputs(whole.shape[-2:], kernel, stride, (0, 0), dilation)
    own = whole.strides[-2:]
    steps = [step * width for some in (stride, dilation) for step, width in zip(some, own, strict=True)]
    shape = (*whole.shape[:-2], *counts, *kernel)
    return np.ndarray(shape, whole.dtype, whole, strides=(*whole.strides[:-2], *steps))


def conv2d(image: Array, kernel: Array, stride: Shape, padding: Shape, dilation: Shape) -> Array:
    """`Σ padded[s i + d a, t j + e b] kernel[a,b]`, summed over channels; the kernel turned first if it is flipped."""
    met = patches(framed(image, padding), kernel.shape[-2:], stride, dilation)
    return np.einsum("...ncijab,...ocab->...noij", met, turned(kernel))


def conv2d_kernel_gradient(
    image: Array, kernel: Shape, upstream: Array, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    """`Σ upstream[i,j] ∂y[i,j]/∂kernel[a,b]`, over all images, for a kernel of these sides."""
    met = patches(framed(image, padding), kernel, stride, dilation)
    return turned(np.einsum("...ncijab,...noij->...ocab", met, upstream))


def conv2d_image_gradient(
    image: Shape, kernel: Array, upstream: Array, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    """`Σ upstream[i,j] ∂y[i,j]/∂image[m,n]`, over all filters, for an image of these sides."""
    forward = turned(kernel)
    sides = (side + 2 * more for side, more in zip(image, padding, strict=True))
    whole = np.zeros((*upstream.shape[:-3], kernel.shape[-3], *sides))
    rows, columns = (reach(count, step) for count, step in zip(upstream.shape[-2:], stride, strict=True))
    for a, b in np.ndindex(*kernel.shape[-2:]):
        top, left = a * dilation[0], b * dilation[1]
        share = np.einsum("...noij,...oc->...ncij", upstream, forward[..., a, b])
        whole[..., top : top + rows : stride[0], left : left + columns : stride[1]] += share
    return inner(whole, padding)
