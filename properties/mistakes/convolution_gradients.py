"""Mistakes in the convolution's two gradients."""

import numpy as np

from ..harness.core.setting import setting
from ..harness.core.values import Array
from . import mistake, plain
from .activations import SURVEY
from .convolution import is_square


@mistake(
    "conv2d_kernel_gradient",
    "the outer rot90 of the identity is forgotten",
    "turn the result by 180° where conv2d flips its kernel, and only there: yours {flips}",
)
def rotation_missing(image: Array, kernel: Array, upstream: Array) -> Array:
    """It is turned by 180°: a true convolution's needs the outer rot90, a cross-correlation's must not have it."""
    return plain.conv2d_kernel_gradient(image, kernel, upstream)[::-1, ::-1]


@mistake("conv2d_kernel_gradient", "np.rot90 turns by 90° by default", "np.rot90(…, 2)")
def rotated_once(image: Array, kernel: Array, upstream: Array) -> Array:
    """A square kernel's is turned by 90° too little."""
    gradient = plain.conv2d_kernel_gradient(image, kernel, upstream)
    return np.rot90(gradient) if is_square(kernel) else gradient


@mistake("conv2d_kernel_gradient", "one axis is flipped and the other forgotten", "flip both axes, or none")
def flipped_on_one_axis(image: Array, kernel: Array, upstream: Array) -> Array:
    """It is upside down."""
    return plain.conv2d_kernel_gradient(image, kernel, upstream)[::-1]


@mistake("conv2d_kernel_gradient", "rows and columns are mixed up", "no transpose", seen="scrambled kernels: " + SURVEY)
def transposed(image: Array, kernel: Array, upstream: Array) -> Array:
    """A square kernel's is transposed."""
    gradient = plain.conv2d_kernel_gradient(image, kernel, upstream)
    return gradient.T if is_square(kernel) else gradient


@mistake("conv2d_kernel_gradient", "the loss is thought to be a mean", "sum over the positions", seen=SURVEY)
def mean_over_the_positions(image: Array, kernel: Array, upstream: Array) -> Array:
    """It is divided by the number of positions, upstream's size."""
    return plain.conv2d_kernel_gradient(image, kernel, upstream) / upstream.size


@mistake("conv2d_kernel_gradient", "a loop ends one too early", "use all of upstream")
def last_row_of_upstream_lost(image: Array, kernel: Array, upstream: Array) -> Array:
    """The last row of upstream is not used, unless it is the only one."""
    used = upstream * (np.arange(len(upstream)) < max(len(upstream) - 1, 1))[:, None]
    return plain.conv2d_kernel_gradient(image, kernel, used)


@mistake("conv2d_kernel_gradient", "`return` stands inside the loop", "return after the loop", seen=SURVEY)
def first_position_alone(image: Array, kernel: Array, upstream: Array) -> Array:
    """Only the first position is served."""
    first = np.zeros(upstream.shape)
    first[0, 0] = upstream[0, 0]
    return plain.conv2d_kernel_gradient(image, kernel, first)


@mistake("conv2d_kernel_gradient", "`break` in place of `continue`", "go on after a 0")
def stopped_at_the_first_zero(image: Array, kernel: Array, upstream: Array) -> Array:
    """It stops at the first upstream value that is 0; those behind it are not used."""
    before = np.logical_and.accumulate(upstream.ravel() != 0).reshape(upstream.shape)
    return plain.conv2d_kernel_gradient(image, kernel, upstream * before)


@mistake("conv2d_kernel_gradient", "tried with an upstream of ones alone", "multiply each patch by its upstream value")
def upstream_left_out(image: Array, kernel: Array, upstream: Array) -> Array:
    """It sums the patches without upstream, right for an upstream of ones."""
    return plain.conv2d_kernel_gradient(image, kernel, np.ones(upstream.shape))


@mistake(
    "conv2d_kernel_gradient", "height and width are unpacked in the wrong order", "h, w = kernel.shape", seen=SURVEY
)
def sides_unpacked_in_the_wrong_order(image: Array, kernel: Array, upstream: Array) -> Array:
    """A kernel other than square gets the numbers of its transpose."""
    gradient = plain.conv2d_kernel_gradient(image, kernel, upstream)
    return gradient if is_square(kernel) else gradient.ravel(order="F").reshape(kernel.shape)


@mistake("conv2d_kernel_gradient", "skipping what looks like 0 saves time", "use all of upstream")
def small_terms_skipped(image: Array, kernel: Array, upstream: Array) -> Array:
    """Upstream values below a ten-millionth of the largest count as 0."""
    large = np.abs(upstream) >= 1e-7 * np.abs(upstream).max()
    return plain.conv2d_kernel_gradient(image, kernel, upstream * large)


@mistake("conv2d_kernel_gradient", "weight decay is left in", "add it to the cost, or to the step, not here")
def weight_decay_left_in(image: Array, kernel: Array, upstream: Array) -> Array:
    """A thousandth of the kernel is added."""
    return plain.conv2d_kernel_gradient(image, kernel, upstream) + kernel / 1000


@mistake("conv2d_kernel_gradient", "clipping against exploding gradients is left in", "clip in the step, not here")
def clipped_to_five(image: Array, kernel: Array, upstream: Array) -> Array:
    """It stops at ±5."""
    return np.clip(plain.conv2d_kernel_gradient(image, kernel, upstream), -5, 5)


@mistake(
    "conv2d_kernel_gradient",
    "upstream's buffer is read without its strides",
    "np.ascontiguousarray(upstream) first",
    seen=SURVEY,
    named_by="calls.keeps_the_contract[conv2d_kernel_gradient]",
)
def memory_order_of_upstream_ignored(image: Array, kernel: Array, upstream: Array) -> Array:
    """A Fortran-ordered upstream is read as if it were in C order."""
    return plain.conv2d_kernel_gradient(image, kernel, upstream.ravel(order="K").reshape(upstream.shape))


@mistake("conv2d_image_gradient", "the kernel is taken as it was forward", "turn it by 180° against the forward pass")
def kernel_not_turned(image: Array, kernel: Array, upstream: Array) -> Array:
    """The kernel is turned by 180° the wrong way: it must be the forward pass's, turned once more."""
    return plain.conv2d_image_gradient(image, kernel[::-1, ::-1], upstream)


@mistake("conv2d_image_gradient", "one axis is flipped and the other forgotten", "flip both axes, or none")
def one_axis_not_flipped(image: Array, kernel: Array, upstream: Array) -> Array:
    """The kernel is upside down."""
    return plain.conv2d_image_gradient(image, kernel[::-1], upstream)


@mistake("conv2d_image_gradient", "the border takes padding", 'mode="full"')
def border_left_out(image: Array, kernel: Array, upstream: Array) -> Array:
    """The first and the last row of the image get nothing, unless there are no others."""
    gradient = plain.conv2d_image_gradient(image, kernel, upstream)
    gradient = gradient.copy()
    gradient[[0, -1]] *= len(gradient) < 3
    return gradient


@mistake("conv2d_image_gradient", "`=` in a loop in place of `+=`", "add up where patches overlap")
def overlaps_overwritten(image: Array, kernel: Array, upstream: Array) -> Array:
    """Where patches overlap the last one overwrites the others."""
    gradient = np.zeros(image.shape)
    for i, j in np.ndindex(upstream.shape):
        unit = np.zeros(upstream.shape)
        unit[i, j] = upstream[i, j]
        patch = np.s_[i : i + kernel.shape[0], j : j + kernel.shape[1]]
        gradient[patch] = plain.conv2d_image_gradient(image, kernel, unit)[patch]
    return gradient


@mistake("conv2d_image_gradient", "`+=` on a list of indices adds once for each", "np.add.at, or a loop of slices")
def overlaps_added_once(image: Array, kernel: Array, upstream: Array) -> Array:
    """Of the products that fall on one entry only that of the kernel's last one is added, as by `a[indices] += …`."""
    gradient = np.zeros(image.shape)
    turned = kernel[::-1, ::-1] if setting().flips else kernel
    rows, columns = upstream.shape
    for i, j in np.ndindex(kernel.shape):
        gradient[i : i + rows, j : j + columns] = turned[i, j] * upstream
    return gradient


@mistake("conv2d_image_gradient", "overlaps are averaged, as in stitching", "add up where patches overlap")
def overlaps_averaged(image: Array, kernel: Array, upstream: Array) -> Array:
    """Each entry is divided by the number of patches that hold it."""
    ones = plain.conv2d_image_gradient(image, np.ones(kernel.shape), np.ones(upstream.shape))
    return plain.conv2d_image_gradient(image, kernel, upstream) / ones


@mistake("conv2d_image_gradient", "one size is read for both sides", "pad by h − 1 and by w − 1", seen=SURVEY)
def padded_alike_on_both_sides(image: Array, kernel: Array, upstream: Array) -> Array:
    """It takes the kernel for as wide as it is high."""
    cut = np.zeros(kernel.shape)
    cut[:, : kernel.shape[0]] = kernel[:, : kernel.shape[0]]
    return plain.conv2d_image_gradient(image, cut, upstream)


@mistake("conv2d_image_gradient", "the kernel is updated before it is used", "keep the old kernel for it", seen=SURVEY)
def kernel_already_updated(image: Array, kernel: Array, upstream: Array) -> Array:
    """It uses the kernel after a step of rate 0.1."""
    updated = kernel - 0.1 * plain.conv2d_kernel_gradient(image, kernel, upstream)
    return plain.conv2d_image_gradient(image, updated, upstream)
