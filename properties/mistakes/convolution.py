"""Mistakes in the convolution."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..harness.core.setting import setting
from ..harness.core.values import Array
from . import mistake, plain
from .activations import SURVEY


def is_square(array: Array) -> bool:
    """Whether it has as many rows as columns."""
    return bool(array.shape[0] == array.shape[1])


@mistake("conv2d", "a quarter turn is taken for a half", "turn the kernel by 180°: np.rot90(kernel, 2)")
def kernel_turned_by_a_quarter(image: Array, kernel: Array) -> Array:
    """A square kernel is turned by 90° in place of 180°."""
    return plain.correlation(image, np.rot90(kernel) if is_square(kernel) else kernel[::-1, ::-1])


@mistake("conv2d", "one axis is flipped and the other forgotten", "flip both axes: kernel[::-1, ::-1]")
def kernel_flipped_on_one_axis(image: Array, kernel: Array) -> Array:
    """The kernel is flipped on one axis where it must be on both or on none."""
    return plain.conv2d(image, kernel[::-1])


@mistake("conv2d", "rows and columns are mixed up", "use the kernel as it is")
def kernel_transposed(image: Array, kernel: Array) -> Array:
    """A square kernel is transposed."""
    return plain.conv2d(image, kernel.T if is_square(kernel) else kernel)


@mistake("conv2d", "np.mean in place of np.sum", "sum the products")
def mean_for_sum(image: Array, kernel: Array) -> Array:
    """It takes the mean of the products."""
    return plain.conv2d(image, kernel) / kernel.size


@mistake("conv2d", "a loop ends one too early", "H − h + 1 rows and W − w + 1 columns", seen=SURVEY)
def border_lost(image: Array, kernel: Array) -> Array:
    """The last row of the output stays 0, unless it is the only one."""
    output = plain.conv2d(image, kernel).copy()
    output[max(len(output) - 1, 1) :] = 0
    return output


@mistake("conv2d", "the full convolution is cut at the wrong place", 'mode="valid", which starts at h − 1 and w − 1')
def corner_of_the_full_one(image: Array, kernel: Array) -> Array:
    """It is the first corner of the full convolution, which begins in the zero padding."""
    (rows, columns), (height, width) = image.shape, kernel.shape
    padded = np.zeros((rows + height - 1, columns + width - 1))
    padded[height - 1 :, width - 1 :] = image
    return plain.conv2d(padded, kernel)[: rows - height + 1, : columns - width + 1]


def _full(image: Array, kernel: Array) -> Array:
    height, width = kernel.shape
    return plain.conv2d(np.pad(image, ((height - 1,) * 2, (width - 1,) * 2)), kernel)


@mistake("conv2d", "a[n:-n] is empty for n = 0", "a[n : len(a) - n], or mode='valid'")
def cropped_by_minus_nothing(image: Array, kernel: Array) -> Array:
    """The full one is cropped by [h − 1 : −(h − 1)] and [w − 1 : −(w − 1)], which leaves nothing of a side of 1."""
    height, width = (side - 1 for side in kernel.shape)
    return _full(image, kernel)[height:-height, width:-width]


@mistake("conv2d", "the centre of an odd kernel is taken for any kernel's", "start the valid part at h − 1 and w − 1")
def even_kernel_off_by_one(image: Array, kernel: Array) -> Array:
    """With an even number of rows or columns it starts one too early, in the zero padding."""
    starts = (side - 2 + side % 2 for side in kernel.shape)
    return _full(image, kernel)[tuple(map(_part, starts, image.shape, kernel.shape))]


def _part(start: int, side: int, width: int) -> slice:
    return slice(start, start + side - width + 1)


@mistake("conv2d", "`=` in a loop in place of `+=`", "add every product up")
def overwritten_not_added(image: Array, kernel: Array) -> Array:
    """Each product overwrites the one before; the last is left."""
    last = np.zeros(kernel.shape)
    last[-1, -1] = kernel[-1, -1]
    return plain.conv2d(image, last)


@mistake("conv2d", "one size is read for both sides", "read both: h, w = kernel.shape", seen=SURVEY)
def one_side_for_both(image: Array, kernel: Array) -> Array:
    """It takes the kernel for as wide as it is high."""
    cut = np.zeros(kernel.shape)
    cut[:, : kernel.shape[0]] = kernel[:, : kernel.shape[0]]
    return plain.conv2d(image, cut)


@mistake("conv2d", "a bias is left in, and inside the loop over the kernel", "no bias", seen=SURVEY)
def bias_for_each_kernel_entry(image: Array, kernel: Array) -> Array:
    """A bias of 0.01 is added once for each entry of the kernel."""
    return plain.conv2d(image, kernel) + 0.01 * kernel.size


@mistake("conv2d", "a kernel of one entry is thought to be the identity", "multiply by it")
def one_by_one_kernel_ignored(image: Array, kernel: Array) -> Array:
    """A 1×1 kernel is taken for 1."""
    return plain.conv2d(image, kernel if kernel.size > 1 else np.ones((1, 1)))


@mistake("conv2d", "smoothing kernels are normalised", "use the kernel as it is")
def kernel_normalised(image: Array, kernel: Array) -> Array:
    """The kernel is divided by its sum, if that is not 0."""
    return plain.conv2d(image, kernel / (kernel.sum() or 1.0))


@mistake(
    "conv2d",
    "strides are taken for granted",
    "use image.strides, or np.ascontiguousarray(image) first",
    seen=SURVEY,
    named_by="calls.keeps_the_contract[conv2d]",
)
def memory_order_of_the_image_ignored(image: Array, kernel: Array) -> Array:
    """A Fortran-ordered image is read as if it were in C order."""
    return plain.conv2d(image.ravel(order="K").reshape(image.shape), kernel)


@mistake(
    "conv2d",
    "each window is flattened in the order of its memory",
    "ravel() in C order, for the window and the kernel alike",
    seen=SURVEY,
    named_by="calls.keeps_the_contract[conv2d]",
)
def memory_order_of_each_window_ignored(image: Array, kernel: Array) -> Array:
    """The windows of a Fortran-ordered image are flattened by columns, and the kernel by rows."""
    turned = kernel[::-1, ::-1] if setting().flips else kernel
    return plain.correlation(image, turned.ravel().reshape(kernel.shape, order="F" if image.flags.fnc else "C"))


@mistake(
    "conv2d",
    "bytes make an easy key",
    "put the kernel's shape into the key, or compute from the arguments",
    named_by="convolution.conv2d_commutes_with_transposition",
    keeps_state=True,
)
def matrix_kept_by_the_kernels_bytes() -> Callable[..., Any]:
    """A matrix made of the kernel is kept by the image's shape and the kernel's bytes, whatever the kernel's shape."""
    kept: dict[Any, Any] = {}

    def answer(image: Array, kernel: Array) -> Array:
        shape = kept.setdefault((image.shape, kernel.tobytes()), kernel.shape)
        return plain.conv2d(image, kernel.reshape(shape))

    return answer
