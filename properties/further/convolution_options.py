"""The convolution with a bias, a stride, padding and dilation, each for rows and columns, and its gradients."""

from functools import partial

import numpy as np

from ..harness.checking.cases import cases_from
from ..harness.checking.comparison import agree, agreeing
from ..harness.checking.exhaustive import bilinear
from ..harness.checking.reduction import is_supported
from ..harness.checking.statement import each, given
from ..harness.checking.trial import current
from ..harness.core.limits import NotApplicable
from ..harness.core.setting import setting
from ..harness.core.values import Value, norm
from ..layers import convolution
from ..layers.base.unfolding import inner, reach
from ..layers.options import convolution_bases as every
from ..layers.options import strided
from ..layers.options.convolution_options import CONVOLUTION_OPTIONS, padded
from ..layers.options.convolution_sides import NONE, read

option_cases = cases_from(read)
cases_left_over = cases_from(partial(read, leaves=True))
plain_cases = cases_from(partial(read, options=()))


@given(case=option_cases, at_once=agreeing)
def test_conv2d_with_options_is_the_defining_sum(conv2d_with_options, case):
    """The output is every s-th row and t-th column of the convolution of the padded image with the dilated kernel, and
    the bias.

    Source: Dumoulin & Visin, arXiv:1603.07285; Yu & Koltun, arXiv:1511.07122, for the dilation.
    """
    convolved = convolution.conv2d(padded(case), strided.spread(case.kernel, case.dilation))
    taken = convolved[..., :: case.stride[0], :: case.stride[1]]
    (bound,) = conv2d_with_options.signature.value(case)
    expected = Value(taken + case.bias[:, None, None], bound.units, bound.size)
    agree(conv2d_with_options.at(case), expected, "conv2d(image, kernel)")


@given(case=option_cases)
def test_bias_is_added_to_each_channel(conv2d_with_options, case):
    """With the bias and without it the outputs differ by the bias, one number for each channel of the output.

    Source: Goodfellow et al., Deep Learning, section 9.5.
    """
    _needs("bias")
    without = conv2d_with_options.at(case.changed(bias=np.zeros_like(case.bias)))
    _agree_with(conv2d_with_options, case, without + case.bias[:, None, None], case)


@given(case=option_cases)
def test_padding_is_a_frame_of_zeros(conv2d_with_options, case):
    """With padding the output is that of the image in a frame of zeros, without padding.

    Source: Dumoulin & Visin, arXiv:1603.07285, section 2.2.
    """
    _needs("padding")
    _same_as(conv2d_with_options, case, case.changed(image=padded(case), padding=NONE["padding"]))


@given(case=option_cases)
def test_stride_takes_every_so_manieth_output(conv2d_with_options, case):
    """With strides s and t the output is every s-th row and every t-th column of the output without.

    Source: Dumoulin & Visin, arXiv:1603.07285, section 2.3.
    """
    _needs("stride")
    (rows, columns), other = case.stride, case.changed(stride=NONE["stride"])
    _agree_with(conv2d_with_options, case, conv2d_with_options.at(other)[..., ::rows, ::columns], other)


@given(case=option_cases)
def test_dilation_puts_zeros_between(conv2d_with_options, case):
    """With a dilation the output is that of the kernel with zeros between its rows and columns.

    Source: Yu & Koltun, arXiv:1511.07122.
    """
    _needs("dilation")
    wide = strided.spread(case.kernel, case.dilation)
    _same_as(conv2d_with_options, case, case.changed(kernel=wide, dilation=NONE["dilation"]))


@given(case=plain_cases)
def test_options_that_change_nothing_give_conv2d(conv2d_with_options, conv2d, case):
    """With a stride and a dilation of 1 and no padding the output is `conv2d`'s, but for the bias.

    Source: the definition of the options.
    """
    output = conv2d(case.image, case.kernel) + case.bias[:, None, None]
    _agree_with(conv2d_with_options, case, output, case)


@given(case=option_cases)
def test_kernel_gradient_is_the_rot90_form_with_options(conv2d_kernel_gradient_with_options, case):
    """The kernel's gradient is the rot90 form of the padded image, without what is left over, and of upstream with
    s − 1 zeros between its entries; of that every d-th row and e-th column.

    A cross-correlation's is that without the outer rotation. Source: Dumoulin & Visin, arXiv:1603.07285.
    """
    wide = strided.spread(case.upstream, case.stride)
    dilated = strided.spread(case.kernel, case.dilation)
    rows, columns = (sum(sides) - 1 for sides in zip(dilated.shape[-2:], wide.shape[-2:], strict=True))
    turned = np.rot90(wide, 2, (-2, -1))
    convolved = convolution.paired_correlation(padded(case)[..., :rows, :columns], turned[..., ::-1, ::-1])
    rot90_form = np.rot90(convolved, 2, (-2, -1)) if setting().flips else convolved
    (bound,) = conv2d_kernel_gradient_with_options.signature.value(case)
    expected = Value(rot90_form[..., :: case.dilation[0], :: case.dilation[1]], bound.units, bound.size)
    agree(conv2d_kernel_gradient_with_options.at(case), expected, "the kernel's gradient")


@given(case=option_cases)
def test_image_gradient_is_the_full_correlation_cropped(conv2d_image_gradient_with_options, case):
    """The image's gradient is the full cross-correlation of the dilated kernel and upstream with s − 1 zeros between
    its entries, without the padding; a cross-correlation's is the full convolution.

    Source: Dumoulin & Visin, arXiv:1603.07285, section 4.
    """
    wide, dilated = strided.spread(case.upstream, case.stride), strided.spread(case.kernel, case.dilation)
    full, whole = convolution.conv2d_image_gradient(dilated, wide), np.zeros_like(padded(case))
    whole[..., : full.shape[-2], : full.shape[-1]] = full
    (bound,) = conv2d_image_gradient_with_options.signature.value(case)
    expected = Value(inner(whole, case.padding), bound.units, bound.size)
    agree(conv2d_image_gradient_with_options.at(case), expected, "the image's gradient")


@given(case=cases_left_over)
def test_what_a_stride_leaves_over_gets_no_gradient(conv2d_image_gradient_with_options, case):
    """Rows and columns of the image that no output is made of, at the end or between, get a gradient of 0.

    Source: Dumoulin & Visin, arXiv:1603.07285, section 4.6.
    """
    _needs("stride")
    sides = zip(padded(case).shape[-2:], case.kernel.shape[-2:], case.stride, case.dilation, strict=True)
    rows, columns = (_used(*side) for side in sides)
    is_used = inner(np.outer(rows, columns), case.padding)
    gradient = conv2d_image_gradient_with_options.at(case)
    (bound,) = conv2d_image_gradient_with_options.signature.value(case)
    agree(gradient, Value(gradient * is_used, bound.units, bound.size), "the image's gradient")


@given(case=option_cases)
def test_kernel_gradient_with_options_is_the_adjoint(conv2d_kernel_gradient_with_options, conv2d_with_options, case):
    """`⟨conv2d without bias, upstream⟩ = ⟨kernel, kernel gradient⟩`, with the target's own two operations.

    Source: Claerbout, Earth Soundings Analysis, 1992: the dot-product test.
    """
    gradient = conv2d_kernel_gradient_with_options.at(case)
    _adjoint(conv2d_with_options, case, (case.kernel * gradient).sum(), "⟨kernel, kernel gradient⟩")


@given(case=option_cases)
def test_image_gradient_with_options_is_the_adjoint(conv2d_image_gradient_with_options, conv2d_with_options, case):
    """`⟨conv2d without bias, upstream⟩ = ⟨image, image gradient⟩`, with the target's own two operations.

    Source: Claerbout, Earth Soundings Analysis, 1992: the dot-product test.
    """
    gradient = conv2d_image_gradient_with_options.at(case)
    _adjoint(conv2d_with_options, case, (case.image * gradient).sum(), "⟨image, image gradient⟩")


@given(case=option_cases)
def test_kernel_gradient_with_options_matches_differences(
    conv2d_kernel_gradient_with_options, conv2d_with_options, case
):
    """Entry by entry the kernel's gradient is the difference of `⟨conv2d, upstream⟩` as that entry moves.

    The convolution is linear in its kernel, so a central difference is exact for any step. Source: linearity of the
    defining sum.
    """
    answer = conv2d_kernel_gradient_with_options.at(case)
    _differences(answer, conv2d_with_options, case, "kernel", norm(case.image))


@given(case=option_cases)
def test_image_gradient_with_options_matches_differences(conv2d_image_gradient_with_options, conv2d_with_options, case):
    """Entry by entry the image's gradient is the difference of `⟨conv2d, upstream⟩` as that entry moves.

    The convolution is linear in its image, so a central difference is exact for any step. Source: linearity of the
    defining sum.
    """
    answer = conv2d_image_gradient_with_options.at(case)
    _differences(answer, conv2d_with_options, case, "image", norm(case.kernel))


@given(case=plain_cases)
def test_bias_gradient_is_the_sum_of_upstream(conv2d_bias_gradient, case):
    """The bias is added at every position, so its gradient is upstream summed over positions and images.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 9.5.
    """
    (expected,) = conv2d_bias_gradient.signature.value(case)
    agree(conv2d_bias_gradient.at(case), expected, "the bias's gradient")


@given(case=plain_cases)
def test_bias_gradient_is_the_adjoint(conv2d_bias_gradient, conv2d_with_options, case):
    """`⟨conv2d of an image of zeros, upstream⟩ = ⟨bias, bias gradient⟩`, with the target's own two operations.

    Source: Claerbout, Earth Soundings Analysis, 1992: the dot-product test.
    """
    _needs("bias")
    output = conv2d_with_options.at(case.changed(image=np.zeros_like(case.image)))
    product = (case.bias * conv2d_bias_gradient.at(case)).sum()
    (bound,) = conv2d_bias_gradient.signature.value(case)
    units, size = 2 * bound.units + 2 * case.upstream.size, norm(case.bias) * norm(bound.size)
    agree(product, Value((output * case.upstream).sum(), units, size), "⟨bias, bias gradient⟩")


def _every_option(**_):
    return every.every_option(current().share)


@each(_every_option)
def test_conv2d_with_options_on_every_pair_of_basis_vectors(conv2d_with_options, case):
    """With every stride and padding up to 3, and every dilation, a small convolution is right on every pair of basis
    vectors.

    Source: a bilinear map is determined by its values on pairs of basis vectors.
    """
    _bilinear(conv2d_with_options, case, ("image", "kernel"), (0, 1, 2))


@each(_every_option)
def test_kernel_gradient_with_options_on_every_pair_of_basis_vectors(conv2d_kernel_gradient_with_options, case):
    """With every stride and padding up to 3, and every dilation, the kernel's gradient is right on every pair of basis
    vectors.

    The pairs are of image and upstream. Source: a bilinear map is determined by its values on pairs of basis vectors.
    """
    _bilinear(conv2d_kernel_gradient_with_options, case, ("image", "upstream"), (0, 2, 1))


@each(_every_option)
def test_image_gradient_with_options_on_every_pair_of_basis_vectors(conv2d_image_gradient_with_options, case):
    """With every stride and padding up to 3, and every dilation, the image's gradient is right on every pair of basis
    vectors.

    The pairs are of kernel and upstream. Source: a bilinear map is determined by its values on pairs of basis vectors.
    """
    _bilinear(conv2d_image_gradient_with_options, case, ("kernel", "upstream"), (1, 2, 0))


def _needs(option):
    if not setting().uses(option):
        raise NotApplicable(f"the target has no {option}")


def _used(count, kernel, stride, dilation):
    """Which of so many padded rows or columns an output is made of."""
    outputs = np.arange((count - reach(kernel, dilation)) // stride + 1)
    used = np.zeros(count)
    used[np.add.outer(outputs * stride, np.arange(kernel) * dilation)] = 1.0
    return used


def _same_as(operation, case, other):
    if is_supported(CONVOLUTION_OPTIONS, other):
        _agree_with(operation, case, operation.at(other), other)


def _agree_with(operation, case, value, other):
    """Hold the answer on a case against what the answer on another one makes it."""
    bounds = [operation.signature.value(one)[0] for one in (case, other)]
    expected = Value(value, sum(bound.units for bound in bounds) + 1, bounds[0].size)
    agree(operation.at(case), expected, "conv2d(image, kernel)")


def _adjoint(conv2d_with_options, case, product, what):
    case["bias"] = np.zeros_like(case.bias)
    output = conv2d_with_options.at(case)
    most = max(case.image.size, case.kernel.size, case.upstream.size)
    units = 2 * convolution.units(padded(case), most + 1, convolution.most_summed(case.image, case.kernel)) + most
    size = norm(case.image) * norm(case.kernel) * norm(case.upstream) * np.sqrt(most)
    agree(product, Value((output * case.upstream).sum(), units, size), what)


def _differences(answer, conv2d_with_options, case, name, factor):
    case["bias"] = np.zeros_like(case.bias)
    moved = case[name]
    step = 2.0 ** np.ceil(np.log2(np.abs(moved).max() or 1.0))
    quotient = np.empty(moved.shape)
    for index in np.ndindex(moved.shape):
        nudge = np.zeros(moved.shape)
        nudge[index] = step
        outputs = [conv2d_with_options.at(case.changed(**{name: moved + sign * nudge})) for sign in (1, -1)]
        quotient[index] = ((outputs[0] - outputs[1]) * case.upstream).sum() / (2 * step)
    most = max(case.image.size, case.kernel.size, case.upstream.size)
    units = 3 * convolution.units(padded(case), most + 1, convolution.most_summed(case.image, case.kernel))
    size = factor * norm(case.upstream) * (norm(moved) / step + 1) * np.sqrt(case.upstream.size)
    agree(answer, Value(quotient, units + case.upstream.size, size), "the gradient")


def _bilinear(operation, case, names, axes):
    tensor = every.tensor(case).transpose(axes)
    bilinear(operation, case, names, tensor, convolution.units(padded(case), 2) + 1, every.where(current().share))
