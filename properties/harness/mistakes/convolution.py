"""Mistakes in the convolution and its two gradients."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import oracles
from . import mistake
from .activations import SURVEY


def _square(array: Any) -> bool:
    return bool(array.shape[0] == array.shape[1])


@mistake("conv2d", "a quarter turn is taken for a half", "turn the kernel by 180°: np.rot90(kernel, 2)")
def kernel_turned_by_a_quarter(image: Any, kernel: Any) -> Any:
    """A square kernel is turned by 90° in place of 180°."""
    return oracles.correlation(image, np.rot90(kernel) if _square(kernel) else kernel[::-1, ::-1])


@mistake("conv2d", "one axis is flipped and the other forgotten", "flip both axes: kernel[::-1, ::-1]")
def kernel_flipped_on_one_axis(image: Any, kernel: Any) -> Any:
    """The kernel is flipped on one axis where it must be on both or on none."""
    return oracles.conv2d(image, kernel[::-1])


@mistake("conv2d", "rows and columns are mixed up", "use the kernel as it is")
def kernel_transposed(image: Any, kernel: Any) -> Any:
    """A square kernel is transposed."""
    return oracles.conv2d(image, kernel.T if _square(kernel) else kernel)


@mistake("conv2d", "np.mean in place of np.sum", "sum the products")
def mean_for_sum(image: Any, kernel: Any) -> Any:
    """It takes the mean of the products."""
    return oracles.conv2d(image, kernel) / kernel.size


@mistake("conv2d", "a loop ends one too early", "H − h + 1 rows and W − w + 1 columns", seen=SURVEY)
def border_lost(image: Any, kernel: Any) -> Any:
    """The last row of the output stays 0, unless it is the only one."""
    output = oracles.conv2d(image, kernel).copy()
    output[max(len(output) - 1, 1) :] = 0
    return output


@mistake("conv2d", "the full convolution is cut at the wrong place", 'mode="valid", which starts at h − 1 and w − 1')
def corner_of_the_full_one(image: Any, kernel: Any) -> Any:
    """It is the first corner of the full convolution, which begins in the zero padding."""
    (rows, columns), (height, width) = image.shape, kernel.shape
    padded = np.zeros((rows + height - 1, columns + width - 1))
    padded[height - 1 :, width - 1 :] = image
    return oracles.conv2d(padded, kernel)[: rows - height + 1, : columns - width + 1]


@mistake("conv2d", "`=` in a loop in place of `+=`", "add every product up")
def overwritten_not_added(image: Any, kernel: Any) -> Any:
    """Each product overwrites the one before; the last is left."""
    last = np.zeros(kernel.shape)
    last[-1, -1] = kernel[-1, -1]
    return oracles.conv2d(image, last)


@mistake("conv2d", "one size is read for both sides", "read both: h, w = kernel.shape", seen=SURVEY)
def one_side_for_both(image: Any, kernel: Any) -> Any:
    """It takes the kernel for as wide as it is high."""
    cut = np.zeros(kernel.shape)
    cut[:, : kernel.shape[0]] = kernel[:, : kernel.shape[0]]
    return oracles.conv2d(image, cut)


@mistake("conv2d", "a bias is left in, and inside the loop over the kernel", "no bias", seen=SURVEY)
def bias_for_each_kernel_entry(image: Any, kernel: Any) -> Any:
    """A bias of 0.01 is added once for each entry of the kernel."""
    return oracles.conv2d(image, kernel) + 0.01 * kernel.size


@mistake("conv2d", "a kernel of one entry is thought to be the identity", "multiply by it")
def one_by_one_kernel_ignored(image: Any, kernel: Any) -> Any:
    """A 1×1 kernel is taken for 1."""
    return oracles.conv2d(image, kernel if kernel.size > 1 else np.ones((1, 1)))


@mistake("conv2d", "smoothing kernels are normalised", "use the kernel as it is")
def kernel_normalised(image: Any, kernel: Any) -> Any:
    """The kernel is divided by its sum, if that is not 0."""
    return oracles.conv2d(image, kernel / (kernel.sum() or 1.0))


@mistake(
    "conv2d",
    "strides are taken for granted",
    "use image.strides, or np.ascontiguousarray(image) first",
    seen=SURVEY,
    named_by="calls.keeps_the_contract[conv2d]",
)
def memory_order_of_the_image_ignored(image: Any, kernel: Any) -> Any:
    """A Fortran-ordered image is read as if it were in C order."""
    return oracles.conv2d(image.ravel(order="K").reshape(image.shape), kernel)


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

    def answer(image: Any, kernel: Any) -> Any:
        shape = kept.setdefault((image.shape, kernel.tobytes()), kernel.shape)
        return oracles.conv2d(image, kernel.reshape(shape))

    return answer


@mistake(
    "conv2d_kernel_gradient",
    "the outer rot90 of the identity is forgotten",
    "turn the result by 180° where conv2d flips its kernel, and only there: yours {flips}",
)
def rotation_missing(image: Any, kernel: Any, upstream: Any) -> Any:
    """It is turned by 180°: a true convolution's needs the outer rot90, a cross-correlation's must not have it."""
    return oracles.conv2d_kernel_gradient(image, kernel, upstream)[::-1, ::-1]


@mistake("conv2d_kernel_gradient", "np.rot90 turns by 90° by default", "np.rot90(…, 2)")
def rotated_once(image: Any, kernel: Any, upstream: Any) -> Any:
    """A square kernel's is turned by 90° too little."""
    gradient = oracles.conv2d_kernel_gradient(image, kernel, upstream)
    return np.rot90(gradient) if _square(kernel) else gradient


@mistake("conv2d_kernel_gradient", "one axis is flipped and the other forgotten", "flip both axes, or none")
def flipped_on_one_axis(image: Any, kernel: Any, upstream: Any) -> Any:
    """It is upside down."""
    return oracles.conv2d_kernel_gradient(image, kernel, upstream)[::-1]


@mistake("conv2d_kernel_gradient", "rows and columns are mixed up", "no transpose", seen="scrambled kernels: " + SURVEY)
def transposed(image: Any, kernel: Any, upstream: Any) -> Any:
    """A square kernel's is transposed."""
    gradient = oracles.conv2d_kernel_gradient(image, kernel, upstream)
    return gradient.T if _square(kernel) else gradient


@mistake("conv2d_kernel_gradient", "the loss is thought to be a mean", "sum over the positions", seen=SURVEY)
def mean_over_the_positions(image: Any, kernel: Any, upstream: Any) -> Any:
    """It is divided by the number of positions, upstream's size."""
    return oracles.conv2d_kernel_gradient(image, kernel, upstream) / upstream.size


@mistake("conv2d_kernel_gradient", "a loop ends one too early", "use all of upstream")
def last_row_of_upstream_lost(image: Any, kernel: Any, upstream: Any) -> Any:
    """The last row of upstream is not used, unless it is the only one."""
    used = upstream * (np.arange(len(upstream)) < max(len(upstream) - 1, 1))[:, None]
    return oracles.conv2d_kernel_gradient(image, kernel, used)


@mistake("conv2d_kernel_gradient", "`return` stands inside the loop", "return after the loop", seen=SURVEY)
def first_position_alone(image: Any, kernel: Any, upstream: Any) -> Any:
    """Only the first position is served."""
    first = np.zeros(upstream.shape)
    first[0, 0] = upstream[0, 0]
    return oracles.conv2d_kernel_gradient(image, kernel, first)


@mistake("conv2d_kernel_gradient", "tried with an upstream of ones alone", "multiply each patch by its upstream value")
def upstream_left_out(image: Any, kernel: Any, upstream: Any) -> Any:
    """It sums the patches without upstream, right for an upstream of ones."""
    return oracles.conv2d_kernel_gradient(image, kernel, np.ones(upstream.shape))


@mistake(
    "conv2d_kernel_gradient", "height and width are unpacked in the wrong order", "h, w = kernel.shape", seen=SURVEY
)
def sides_unpacked_in_the_wrong_order(image: Any, kernel: Any, upstream: Any) -> Any:
    """A kernel other than square gets the numbers of its transpose."""
    gradient = oracles.conv2d_kernel_gradient(image, kernel, upstream)
    return gradient if _square(kernel) else gradient.ravel(order="F").reshape(kernel.shape)


@mistake("conv2d_kernel_gradient", "skipping what looks like 0 saves time", "use all of upstream")
def small_terms_skipped(image: Any, kernel: Any, upstream: Any) -> Any:
    """Upstream values below a ten-millionth of the largest count as 0."""
    large = np.abs(upstream) >= 1e-7 * np.abs(upstream).max()
    return oracles.conv2d_kernel_gradient(image, kernel, upstream * large)


@mistake("conv2d_kernel_gradient", "weight decay is left in", "add it to the cost, or to the step, not here")
def weight_decay_left_in(image: Any, kernel: Any, upstream: Any) -> Any:
    """A thousandth of the kernel is added."""
    return oracles.conv2d_kernel_gradient(image, kernel, upstream) + kernel / 1000


@mistake("conv2d_kernel_gradient", "clipping against exploding gradients is left in", "clip in the step, not here")
def clipped_to_five(image: Any, kernel: Any, upstream: Any) -> Any:
    """It stops at ±5."""
    return np.clip(oracles.conv2d_kernel_gradient(image, kernel, upstream), -5, 5)


@mistake(
    "conv2d_kernel_gradient",
    "upstream's buffer is read without its strides",
    "np.ascontiguousarray(upstream) first",
    seen=SURVEY,
    named_by="calls.keeps_the_contract[conv2d_kernel_gradient]",
)
def memory_order_of_upstream_ignored(image: Any, kernel: Any, upstream: Any) -> Any:
    """A Fortran-ordered upstream is read as if it were in C order."""
    return oracles.conv2d_kernel_gradient(image, kernel, upstream.ravel(order="K").reshape(upstream.shape))


@mistake("conv2d_image_gradient", "the kernel is taken as it was forward", "turn it by 180° against the forward pass")
def kernel_not_turned(image: Any, kernel: Any, upstream: Any) -> Any:
    """The kernel is turned by 180° the wrong way: it must be the forward pass's, turned once more."""
    return oracles.conv2d_image_gradient(image, kernel[::-1, ::-1], upstream)


@mistake("conv2d_image_gradient", "one axis is flipped and the other forgotten", "flip both axes, or none")
def one_axis_not_flipped(image: Any, kernel: Any, upstream: Any) -> Any:
    """The kernel is upside down."""
    return oracles.conv2d_image_gradient(image, kernel[::-1], upstream)


@mistake("conv2d_image_gradient", "the border takes padding", 'mode="full"')
def border_left_out(image: Any, kernel: Any, upstream: Any) -> Any:
    """The first and the last row of the image get nothing, unless there are no others."""
    gradient = oracles.conv2d_image_gradient(image, kernel, upstream)
    gradient = gradient.copy()
    gradient[[0, -1]] *= len(gradient) < 3
    return gradient


@mistake("conv2d_image_gradient", "`=` in a loop in place of `+=`", "add up where patches overlap")
def overlaps_overwritten(image: Any, kernel: Any, upstream: Any) -> Any:
    """Where patches overlap the last one overwrites the others."""
    gradient = np.zeros(image.shape)
    for i, j in np.ndindex(upstream.shape):
        unit = np.zeros(upstream.shape)
        unit[i, j] = upstream[i, j]
        patch = np.s_[i : i + kernel.shape[0], j : j + kernel.shape[1]]
        gradient[patch] = oracles.conv2d_image_gradient(image, kernel, unit)[patch]
    return gradient


@mistake("conv2d_image_gradient", "overlaps are averaged, as in stitching", "add up where patches overlap")
def overlaps_averaged(image: Any, kernel: Any, upstream: Any) -> Any:
    """Each entry is divided by the number of patches that hold it."""
    ones = oracles.conv2d_image_gradient(image, np.ones(kernel.shape), np.ones(upstream.shape))
    return oracles.conv2d_image_gradient(image, kernel, upstream) / ones


@mistake("conv2d_image_gradient", "one size is read for both sides", "pad by h − 1 and by w − 1", seen=SURVEY)
def padded_alike_on_both_sides(image: Any, kernel: Any, upstream: Any) -> Any:
    """It takes the kernel for as wide as it is high."""
    cut = np.zeros(kernel.shape)
    cut[:, : kernel.shape[0]] = kernel[:, : kernel.shape[0]]
    return oracles.conv2d_image_gradient(image, cut, upstream)


@mistake("conv2d_image_gradient", "the kernel is updated before it is used", "keep the old kernel for it", seen=SURVEY)
def kernel_already_updated(image: Any, kernel: Any, upstream: Any) -> Any:
    """It uses the kernel after a step of rate 0.1."""
    updated = kernel - 0.1 * oracles.conv2d_kernel_gradient(image, kernel, upstream)
    return oracles.conv2d_image_gradient(image, updated, upstream)
