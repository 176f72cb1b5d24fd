"""The valid convolution, true or cross-correlation as the target has it, and its two gradients.

Images are (N, C_in, H, W), kernels (C_out, C_in, h, w), outputs and upstream (N, C_out, H−h+1, W−w+1). Any array
may have a further axis in front, for points.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..harness.core.limits import Limits, Pair
from ..harness.core.resizing import COLUMNS, ROWS, ends, in_order, large_pairs, thinned, without
from ..harness.core.setting import setting
from ..harness.core.sizes import fit_valid, joined_valid, read_shapes
from ..harness.core.tape import FACTOR_SCALES, UPSTREAM_SCALES, Case, Tape
from ..harness.core.values import ALLOWED, Array, Kind, Value, norms, turned, untied
from .base.registry import Layer, Read, Sides, Signature, Stage
from .base.unfolding import unfolded

NAME = "convolution"


def correlation(x: Array, kernel: Array) -> Array:
    """`y[n,o,i,j] = Σ x[n,c,i+a,j+b] kernel[o,c,a,b]`, wherever the kernel fits."""
    return np.einsum("...ncijab,...ocab->...noij", unfolded(x, kernel.shape[-2:]), kernel)


def conv2d(image: Array, kernel: Array) -> Array:
    """`Σ image[i+h−1−a, j+w−1−b] kernel[a,b]`, summed over channels; a cross-correlation has `image[i+a, j+b]`."""
    return correlation(image, turned(kernel))


def paired_correlation(image: Array, upstream: Array) -> Array:
    """The correlation of every channel of the image with every filter's upstream, summed over the images."""
    return np.einsum("...ncabij,...noij->...ocab", unfolded(image, upstream.shape[-2:]), upstream)


def conv2d_kernel_gradient(image: Array, upstream: Array) -> Array:
    """`Σ upstream[i,j] ∂y[i,j]/∂kernel[a,b]`, over all images: (C_out, C_in, h, w)."""
    return turned(paired_correlation(image, upstream))


def each_kernel_gradient(image: Array, upstream: Array) -> Array:
    """The same of each image by itself, (N, C_out, C_in, h, w)."""
    return turned(np.einsum("...ncabij,...noij->...nocab", unfolded(image, upstream.shape[-2:]), upstream))


def conv2d_image_gradient(kernel: Array, upstream: Array) -> Array:
    """`Σ upstream[i,j] ∂y[i,j]/∂image[m,n]`, over all filters: (N, C_in, H, W)."""
    (height, width), (rows, columns) = kernel.shape[-2:], upstream.shape[-2:]
    padded = np.zeros((*upstream.shape[:-2], rows + 2 * height - 2, columns + 2 * width - 2))
    padded[..., height - 1 : height - 1 + rows, width - 1 : width - 1 + columns] = upstream
    return correlation(padded, turned(kernel)[..., ::-1, ::-1].swapaxes(-4, -3))


def units(image: Array, terms: int, summed: int = 1) -> float:
    """The units of a convolution's sums, taken directly or through the FFT, and of the oracle's own.

    The `terms` are those of one entry; they come as `summed` convolutions of one channel. An inner product of n terms
    may be summed in any order: n eps/2 to first order times the sum of the absolute terms (Higham, Accuracy and
    Stability of Numerical Algorithms, section 3.1), which Cauchy and Schwarz bound by the product of the norms. Through
    the FFT, with L = log2 of the padded size, the error is at most (3L + (3L + 1)√5 + 3L) eps/2 times the product of
    the norms (Percival, Mathematics of Computation 72, 2003, theorem 5.1, with twiddle factors right to eps/2). Where m
    such convolutions are summed, as over channels, their errors add up to no more than that, by Cauchy and Schwarz
    again, and the sum itself rounds by (m − 1) eps/2. The norms are those of whole arrays, all images, channels and
    filters: no smaller than those of the part that an entry is summed from.
    """
    levels = math.log2(4 * math.prod(image.shape[-4:]))
    fft = (6 * levels + (3 * levels + 1) * math.sqrt(5) + summed - 1) / 2
    return ALLOWED + max(terms / 2, fft) + terms / 2


def forward_units(image: Array, kernel: Array) -> float:
    """Those of the output: each entry sums as many products as one of the filters has entries."""
    return units(image, math.prod(kernel.shape[-3:]), kernel.shape[-3])


def kernel_units(image: Array, upstream: Array) -> float:
    """Those of the kernel's gradient: each entry sums as many products as upstream has entries, for one filter."""
    images, _, *sides = upstream.shape[-4:]
    return units(image, images * math.prod(sides), images)


def image_units(image: Array, kernel: Array) -> float:
    """Those of the image's gradient: as many products as the kernel has entries, for one channel."""
    filters, _, *sides = kernel.shape[-4:]
    return units(image, filters * math.prod(sides), filters)


def most_summed(image: Array, kernel: Array) -> int:
    """How many convolutions of one channel are summed at most, in the forward pass or for either gradient."""
    return max(len(image), *kernel.shape[:2])


def _output(case: Case) -> tuple[Value]:
    image, kernel = case.image, case.kernel
    return (Value(conv2d(image, kernel), forward_units(image, kernel), norms(image, 4) * norms(kernel, 4)),)


def _kernel_gradient(case: Case) -> tuple[Value]:
    image, upstream = case.image, case.upstream
    value = conv2d_kernel_gradient(image, upstream)
    return (Value(value, kernel_units(image, upstream), norms(image, 4) * norms(upstream, 4)),)


def _image_gradient(case: Case) -> tuple[Value]:
    kernel, upstream = case.kernel, case.upstream
    value = conv2d_image_gradient(kernel, upstream)
    return (Value(value, image_units(case.image, kernel), norms(kernel, 4) * norms(upstream, 4)),)


def read(tape: Tape, second: bool = False) -> Case:
    """`image`, `kernel`, `upstream`; with `second`, also `other_image` and `other_kernel` of the same shapes."""
    limits = setting().limits
    sides = limits.largest.kernel, limits.largest.output
    shapes = read_shapes(tape, limits.convolutions, sides, joined_valid, fit_valid)
    image_scale, kernel_scale = tape.scale(FACTOR_SCALES), tape.scale(FACTOR_SCALES)
    case = Case(
        image=tape.dyadic(*shapes.image, image_scale),
        kernel=tape.dyadic(*shapes.kernel, kernel_scale),
        upstream=tape.dyadic(*shapes.output, tape.scale(UPSTREAM_SCALES)),
    )
    if second:
        case["other_image"] = tape.dyadic(*shapes.image, image_scale)
        case["other_kernel"] = tape.dyadic(*shapes.kernel, kernel_scale)
    return case


def _larger(limits: Limits) -> Iterator[tuple[Limits, Read]]:
    def squared(pair: Pair) -> Pair:
        return pair[0], (max(pair[1]),) * 2

    for (kernel, image), counts in in_order(limits, NAME, large_pairs(limits), squared):
        yield Limits(kernels=(kernel,), images=(image,), counts=counts), read


def _smaller(case: Case) -> Iterator[Case]:
    """An image, channel or filter less, or one of both; a row, a column or both less of the kernel, or of the output,
    and of the image with either.
    """
    channels = {"image": -3, "other_image": -3, "kernel": -3, "other_kernel": -3}
    filters = {"upstream": -3, "kernel": -4, "other_kernel": -4}
    yield from thinned(case, image=0, other_image=0, upstream=0)
    yield from thinned(case, **channels)
    yield from thinned(case, **filters)
    if case.kernel.shape[0] == case.kernel.shape[1]:
        for thinner in thinned(case, **channels):
            yield from thinned(thinner, **filters)
    for part in ("kernel", "upstream"):
        for axis in (ROWS, COLUMNS):
            yield from _narrower(case, part, axis)
        for lower in _narrower(case, part, ROWS):  # what is wrong for squares alone stays one
            yield from _narrower(lower, part, COLUMNS)


def _narrower(case: Case, part: str, axis: int) -> Iterator[Case]:
    """A row or column less of the kernel or of the output, at either end, and of the image at either end."""
    others = ("kernel", "other_kernel") if part == "kernel" else ("upstream",)
    length = case.image.shape[axis]
    for span in ends(case[part].shape[axis]):
        width = span[1] - span[0]
        for image_end in ((0, width), (length - width, length)):
            taken = dict.fromkeys(("image", "other_image"), image_end) | dict.fromkeys(others, span)
            yield case.changed(**{name: without(case[name], axis, cut) for name, cut in taken.items() if name in case})


def _fresh(number: int, seed: int) -> Case:
    generator, length = np.random.default_rng([number, seed]), 53 + number % 64
    shapes = {"kernel": (5, length), "image": (7, length + 2), "upstream": (3, 3)}
    # so that next to no neighbour prints otherwise
    drawn = {name: generator.standard_normal((1, 1, *shape)).round(4) for name, shape in shapes.items()}
    return Case({name: drawn[name] for name in ("image", "kernel", "upstream")})


def _plain(pair: Pair) -> Case:
    shapes = {"image": pair[1], "kernel": pair[0], "upstream": fit_valid(*pair)}
    return Case({name: untied((1, 1, *shape)) for name, shape in shapes.items()})


def pair_of(case: Case) -> Pair:
    """The kernel's and the image's rows and columns."""
    return case.kernel.shape[-2:], case.image.shape[-2:]


def _shape(case: Case) -> tuple[Sides]:
    kernel, image = pair_of(case)
    return ((len(case.image), len(case.kernel), *fit_valid(kernel, image)),)


def _stages(case: Case, operation: str) -> Iterator[Stage]:
    yield Stage("conv2d(image, kernel)", conv2d(case.image, case.kernel))


def _mode_of(shapes: Sequence[tuple[Case, Sides]]) -> str | None:
    """That all answers of `conv2d`, (case, shape), have the shape of another mode, or of one side taken for both."""
    rows_and_columns = ((case, shape) for case, shape in shapes if len(shape) > 1 and set(shape[:-2]) <= {1})
    sized = [(*reversed(pair_of(case)), shape[-2:]) for case, shape in rows_and_columns]  # all else is a crash
    sizes = np.array([[*image, *kernel, *answer] for image, kernel, answer in sized]).reshape(-1, 6)
    image, kernel, answer = sizes[:, :2], sizes[:, 2:4], sizes[:, 4:]
    if (answer == image - kernel + 1).all():
        return None
    found = {
        "this is the shape of mode 'same': the contract has 'valid'": image,
        "this is the shape of mode 'full': the contract has 'valid'": image + kernel - 1,
        "it takes the kernel for as wide as it is high: h, w = kernel.shape": image - kernel[:, :1] + 1,
        "it takes the kernel for as high as it is wide: h, w = kernel.shape": image - kernel[:, 1:] + 1,
    }
    return next((words for words, sides in found.items() if np.array_equal(answer, np.maximum(sides, 0))), None)


def _no_bias(image: Array, kernel: Array, *upstream: Array) -> Array:
    return np.zeros(len(kernel))


NEUTRAL: Mapping[str, Callable[..., Any]] = {
    "bias": _no_bias,
    "stride": lambda *arrays: (1, 1),
    "padding": lambda *arrays: (0, 0),
    "dilation": lambda *arrays: (1, 1),
}
_BACKWARD = {"image": Kind.IMAGES, "kernel": Kind.KERNEL, "upstream": Kind.IMAGES}
CONVOLUTION = Layer(
    NAME,
    operations=(
        Signature(
            "conv2d",
            summary="The valid convolution of image (H, W) with kernel (h, w), flipped or not: (H−h+1, W−w+1).",
            takes={"image": Kind.IMAGES, "kernel": Kind.KERNEL},
            gives=(Kind.IMAGES,),
            shapes=_shape,
            value=_output,
            formulas=("`y[i,j] = Σ[a,b] image[{output}] kernel[a,b]`",),
            named_by="convolution.conv2d_is_the_defining_sum",
            smooth=read,
            follows="convolution",
            misshapen=_mode_of,
            other_names=("convolve", "convolve2d", "convforward", "conv"),
            neutral=NEUTRAL,
        ),
        Signature(
            "conv2d_kernel_gradient",
            summary="The gradient for the kernel, (h, w), of upstream, (H−h+1, W−w+1).",
            takes=_BACKWARD,
            gives=(Kind.KERNEL,),
            shapes=lambda case: (case.kernel.shape,),
            value=_kernel_gradient,
            formulas=("`∂C/∂kernel[a,b] = Σ[i,j] upstream[i,j] image[{output}]`",),
            named_by="convolution.kernel_gradient_is_the_rot90_form",
            smooth=read,
            follows="convolution",
            parts=("kernel",),
            neutral=NEUTRAL,
            part_of=("conv2d_gradients", 1),
        ),
        Signature(
            "conv2d_image_gradient",
            summary="The gradient for the image, (H, W), of upstream, (H−h+1, W−w+1).",
            takes=_BACKWARD,
            gives=(Kind.IMAGES,),
            shapes=lambda case: (case.image.shape,),
            value=_image_gradient,
            formulas=("`∂C/∂image[m,n] = Σ[i,j] upstream[i,j] kernel[{image}]`",),
            named_by="convolution.image_gradient_is_the_full_correlation",
            smooth=read,
            follows="convolution",
            parts=("image",),
            neutral=NEUTRAL,
            part_of=("conv2d_gradients", 0),
        ),
    ),
    kinds={**_BACKWARD, "other_image": Kind.IMAGES, "other_kernel": Kind.KERNEL},
    read=read,
    larger=_larger,
    smaller=_smaller,
    fresh=_fresh,
    plain=_plain,
    pairs=lambda limits: limits.convolutions(),
    pair=pair_of,
    stages=_stages,
)
read_pairs = partial(read, second=True)
