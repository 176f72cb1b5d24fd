"""The convolution with a bias, a stride, padding and dilation, each for rows and columns, and its gradients.

Images are (N, C_in, H, W), kernels (C_out, C_in, h, w), the bias (C_out,). Any array may have a further axis in front,
for points. With no more than what `convolution` takes, each is what that layer has.
"""

from collections.abc import Callable, Iterator, Sequence
from math import prod

import numpy as np

from ...harness.core.limits import Limits, Pair, Shape
from ...harness.core.resizing import in_order, large_pairs
from ...harness.core.setting import setting
from ...harness.core.sizes import fit_valid
from ...harness.core.tape import Case
from ...harness.core.values import Array, Kind, Value, inner_product, norms, untied
from ..base.registry import Layer, Read, Sides, Signature, Stage
from ..base.unfolding import framed, sides_after
from ..convolution import NEUTRAL, image_units, kernel_units, units
from . import strided
from .convolution_sides import NAME, NONE, Side, options_in, pair_of, read, smaller


def padded(case: Case) -> Array:
    """The case's image, with its padding."""
    return framed(case.image, case.padding)


def output_of(case: Case) -> Value:
    """The output. The bias is one more term of each sum, and may be added after all others: one rounding more.

    The units are those of the convolution of the padded image, as if its sums had a term more: the size has it too.
    """
    image, kernel, bias = case.image, case.kernel, case.bias[..., None, :, None, None]
    terms, channels = prod(kernel.shape[-3:]) + 1, kernel.shape[-3]
    size = norms(image, 4) * norms(kernel, 4) + np.abs(bias)
    value = strided.conv2d(image, kernel, *options_in(case)) + bias
    return Value(value, units(padded(case), terms, channels) + 1, size)


def kernel_gradient_of(case: Case) -> Value:
    """The kernel's gradient, a part of a convolution of the padded image with upstream that has zeros in it."""
    image, upstream = case.image, case.upstream
    value = strided.conv2d_kernel_gradient(image, case.kernel.shape[-2:], upstream, *options_in(case))
    return Value(value, kernel_units(padded(case), upstream), norms(image, 4) * norms(upstream, 4))


def image_gradient_of(case: Case) -> Value:
    """The image's gradient, a part of a convolution that has the padded image's sides."""
    kernel, upstream = case.kernel, case.upstream
    value = strided.conv2d_image_gradient(case.image.shape[-2:], kernel, upstream, *options_in(case))
    return Value(value, image_units(padded(case), kernel), norms(kernel, 4) * norms(upstream, 4))


def bias_gradient_of(case: Case) -> Value:
    """`Σ upstream[n,o,i,j]` over images and positions, (C_out,)."""
    upstream, axes = case.upstream, (-4, -2, -1)
    terms = upstream.shape[-4] * upstream.shape[-2] * upstream.shape[-1]
    return Value(upstream.sum(axis=axes), inner_product(terms), np.abs(upstream).sum(axis=axes))


def _larger(limits: Limits) -> Iterator[tuple[Limits, Read]]:
    def squared(pair: Pair) -> Pair:
        return pair[0], (max(pair[1]),) * 2

    for (kernel, image), counts in in_order(limits, NAME, large_pairs(limits), squared):
        yield Limits(kernels=(kernel,), images=(image,), counts=counts), read


def _fresh(number: int, seed: int) -> Case:
    generator, length = np.random.default_rng([number, seed]), 53 + number % 64
    wanted = {"stride": (2, 1 + number % 3), "padding": (1, 2), "dilation": (1 + number % 2, 2)}
    options = {name: option if setting().uses(name) else NONE[name] for name, option in wanted.items()}
    stride, padding, dilation = options.values()
    sides = ((5, 3, 1), (length, 3, 0))  # of the kernel, of the output, left over
    rows, columns = (
        Side(kernel, output, step, more, spread, rest if step > rest else 0)
        for (kernel, output, rest), step, more, spread in zip(sides, stride, padding, dilation, strict=True)
    )
    shapes = {"image": (rows.image, columns.image), "kernel": (5, length), "upstream": (3, 3)}
    drawn = {name: generator.standard_normal((1, 1, *shape)).round(4) for name, shape in shapes.items()}
    bias = generator.standard_normal(1).round(4) if setting().uses("bias") else np.zeros(1)
    return Case(**drawn, bias=bias, **options)


def _plain(pair: Pair) -> Case:
    shapes = {"image": pair[1], "kernel": pair[0], "upstream": fit_valid(*pair)}
    return Case({name: untied((1, 1, *shape)) for name, shape in shapes.items()}, bias=np.zeros(1), **NONE)


def _output_sides(case: Case) -> Shape:
    kernel, image = pair_of(case)
    return sides_after(image, kernel, *options_in(case))


def _shape(case: Case) -> tuple[Sides]:
    return ((len(case.image), len(case.kernel), *_output_sides(case)),)


def _stages(case: Case, operation: str) -> Iterator[Stage]:
    if operation in _STRIDED:
        yield Stage("the padded image", padded(case))


def _output_by(shapes: Sequence[tuple[Case, Sides]]) -> str | None:
    """Of what options all answers, (case, shape), have the sides, if not of those that they were given."""
    found = [(case, shape[-2:]) for case, shape in shapes if len(shape) > 1]

    def fits(other: Callable[[Case], Case]) -> bool:
        return all(sides == tuple(max(side, 0) for side in _output_sides(other(case))) for case, sides in found)

    if fits(lambda case: case):
        return None
    return next((words for words, other in _TAKEN_FOR.items() if fits(other)), None)


def _rounded_up(case: Case) -> Case:
    """A case whose image has the rows and columns that what is left over lacks."""
    sides = (side + step - 1 for side, step in zip(case.image.shape[-2:], case.stride, strict=True))
    return case.changed(image=np.zeros((1, 1, *sides)))


def _without(name: str) -> Callable[[Case], Case]:
    return lambda case: case.changed(**{name: NONE[name]})


def _of_rows(name: str) -> Callable[[Case], Case]:
    return lambda case: case.changed(**{name: case[name][:1] * 2})


def _swapped(case: Case) -> Case:
    return case.changed(**{name: case[name][::-1] for name in NONE})


_TAKEN_FOR: dict[str, Callable[[Case], Case]] = {
    **{f"this is the shape without the {name}": _without(name) for name in NONE},
    **{
        f"it takes the rows' {name} for that of the columns too: it is (rows, columns)": _of_rows(name) for name in NONE
    },
    "it takes the rows' options for the columns', and the columns' for the rows': they are (rows, columns)": _swapped,
    "it rounds the number of outputs up: what does not fill a stride is left over": _rounded_up,
}
_BACKWARD = {"image": Kind.IMAGES, "kernel": Kind.KERNEL, "upstream": Kind.IMAGES}
_OPTIONS = dict.fromkeys(NONE, Kind.SIDES)
_STRIDED = ("conv2d_with_options", "conv2d_kernel_gradient_with_options", "conv2d_image_gradient_with_options")
_NO_BIAS = {"bias": NEUTRAL["bias"]}
CONVOLUTION_OPTIONS = Layer(
    NAME,
    operations=(
        Signature(
            "conv2d_with_options",
            summary="The convolution of the padded image with the dilated kernel, at every stride, and the bias added.",
            takes={"image": Kind.IMAGES, "kernel": Kind.KERNEL, "bias": Kind.BIAS, **_OPTIONS},
            gives=(Kind.IMAGES,),
            shapes=_shape,
            value=lambda case: (output_of(case),),
            formulas=(
                "`y = conv2d(padded image, dilated kernel)[::s, ::t] + bias`",
                "`rows = ⌊(H + 2a − d(h−1) − 1) / s⌋ + 1`",
            ),
            named_by="convolution_options.conv2d_with_options_is_the_defining_sum",
            smooth=read,
            follows="convolution",
            misshapen=_output_by,
            function="conv2d",
            options=("bias", *NONE),
        ),
        Signature(
            "conv2d_kernel_gradient_with_options",
            summary="The gradient for the kernel, (h, w), of upstream, shaped like the output.",
            takes={**_BACKWARD, **_OPTIONS},
            gives=(Kind.KERNEL,),
            shapes=lambda case: (case.kernel.shape,),
            value=lambda case: (kernel_gradient_of(case),),
            formulas=("`∂C/∂kernel[a,b] = Σ[i,j] upstream[i,j] ∂y[i,j]/∂kernel[a,b]`",),
            named_by="convolution_options.kernel_gradient_is_the_rot90_form_with_options",
            smooth=read,
            follows="convolution",
            parts=("kernel",),
            function="conv2d_kernel_gradient",
            options=tuple(NONE),
            neutral=_NO_BIAS,
            part_of=("conv2d_gradients", 1),
        ),
        Signature(
            "conv2d_image_gradient_with_options",
            summary="The gradient for the image, (H, W), of upstream, shaped like the output.",
            takes={**_BACKWARD, **_OPTIONS},
            gives=(Kind.IMAGES,),
            shapes=lambda case: (case.image.shape,),
            value=lambda case: (image_gradient_of(case),),
            formulas=("`∂C/∂image[m,n] = Σ[i,j] upstream[i,j] ∂y[i,j]/∂image[m,n]`",),
            named_by="convolution_options.image_gradient_is_the_full_correlation_cropped",
            smooth=read,
            follows="convolution",
            parts=("image",),
            function="conv2d_image_gradient",
            options=tuple(NONE),
            neutral=_NO_BIAS,
            part_of=("conv2d_gradients", 0),
        ),
        Signature(
            "conv2d_bias_gradient",
            summary="The gradient for the bias, a number for each filter, of upstream, shaped like the output.",
            takes=_BACKWARD,
            gives=(Kind.BIAS,),
            shapes=lambda case: (case.kernel.shape[:1],),
            value=lambda case: (bias_gradient_of(case),),
            formulas=("`∂C/∂bias = Σ[i,j] upstream[i,j]`",),
            named_by="convolution_options.bias_gradient_is_the_sum_of_upstream",
            smooth=read,
            parts=("bias",),
            neutral=NEUTRAL,
            part_of=("conv2d_gradients", 2),
            needs=("upstream",),
        ),
    ),
    kinds={**_BACKWARD, "bias": Kind.BIAS, **_OPTIONS},
    read=read,
    larger=_larger,
    smaller=smaller,
    fresh=_fresh,
    plain=_plain,
    pairs=lambda limits: limits.convolutions(NAME),
    pair=pair_of,
    stages=_stages,
)
