"""The valid convolution, true or cross-correlation as the target has it, and its two gradients."""

import numpy as np

from .harness.checking.cases import cases_from
from .harness.checking.comparison import agree, agreeing
from .harness.checking.reduction import is_supported
from .harness.checking.statement import given
from .harness.core.resizing import COLUMNS, ROWS
from .harness.core.setting import setting
from .harness.core.tape import Case
from .harness.core.values import Value, norm
from .layers import convolution as right

convolution_cases, convolution_pairs = cases_from(right.read), cases_from(right.read_pairs)


@given(case=convolution_cases, at_once=agreeing)
def test_conv2d_is_the_defining_sum(conv2d, case):
    """Each output is `Σ image[i+h−1−a, j+w−1−b] kernel[a,b]`; a cross-correlation has `image[i+a, j+b]`.

    Source: Dumoulin & Visin, arXiv:1603.07285; Goodfellow et al., Deep Learning, section 9.1.
    """
    agree(conv2d(case.image, case.kernel), *conv2d.signature.value(case), "conv2d(image, kernel)")


@given(case=convolution_pairs)
def test_conv2d_is_bilinear(conv2d, case):
    """`conv2d(x + x', k) = conv2d(x, k) + conv2d(x', k)`, likewise in the kernel, and a factor comes out.

    Source: bilinearity of the defining sum.
    Proof: proofs/convolution.v, conv2d_is_bilinear.
    """
    image, other, kernel, other_kernel = case.arguments("image", "other_image", "kernel", "other_kernel")
    (bound,) = conv2d.signature.value(case)
    size = (norm(image) + norm(other)) * (norm(kernel) + norm(other_kernel))

    def equal(left, right, what):
        agree(left, Value(right, 3 * bound.units, size), what)

    equal(conv2d(image + other, kernel), conv2d(image, kernel) + conv2d(other, kernel), "conv2d(image + other, kernel)")
    equal(
        conv2d(image, kernel + other_kernel),
        conv2d(image, kernel) + conv2d(image, other_kernel),
        "conv2d(image, kernel + other)",
    )
    equal(conv2d(-0.5 * image, kernel), -0.5 * conv2d(image, kernel), "conv2d(−image/2, kernel)")


@given(case=convolution_cases)
def test_conv2d_commutes_with_shifts(conv2d, case):
    """An image rolled by one row or column gives the output moved by one, but for the entries that wrapped.

    Source: translation equivariance; Goodfellow et al., Deep Learning, section 9.2.
    Proof: proofs/convolution.v, conv2d_commutes_with_shifts, conv2d_commutes_with_column_shifts.
    """
    (bound,) = conv2d.signature.value(case)
    output = conv2d(case.image, case.kernel)
    for axis, way, line in ((ROWS, "down", "row"), (COLUMNS, "right", "column")):
        rolled = conv2d(np.roll(case.image, 1, axis=axis), case.kernel)
        agree(
            np.delete(rolled, 0, axis),
            Value(np.delete(output, -1, axis), 2 * bound.units, bound.size),
            f"conv2d of the image rolled {way}, but for its first {line}",
        )


@given(case=convolution_cases)
def test_conv2d_commutes_with_transposition(conv2d, case):
    """The transposed image and the transposed kernel give the transposed output.

    Source: the defining sum, which treats rows and columns alike.
    Proof: proofs/convolution.v, conv2d_commutes_with_transposition.
    """
    (bound,) = conv2d.signature.value(case)
    output = conv2d(case.image, case.kernel)
    transposed = Case(image=case.image.swapaxes(-2, -1), kernel=case.kernel.swapaxes(-2, -1))
    if not is_supported(right.CONVOLUTION, transposed):
        return
    answer = conv2d(transposed.image, transposed.kernel)
    agree(answer, Value(output.swapaxes(-2, -1), 2 * bound.units, bound.size), "conv2d of the transposed")


@given(case=convolution_cases)
def test_kernel_gradient_is_the_rot90_form(conv2d_kernel_gradient, case):
    """The kernel's gradient is `rot90(convolve(image, rot90(upstream, 2)), 2)`: `Σ upstream[i,j] ∂y[i,j]/∂kernel`. A
    cross-correlation's is that without the outer rotation.

    Source: the chain rule on the defining sum.
    Proof: proofs/convolution.v, kernel_gradient_is_the_rot90_form.
    """
    (expected,) = conv2d_kernel_gradient.signature.value(case)
    turned = np.rot90(case.upstream, 2, (-2, -1))
    convolved = right.paired_correlation(case.image, turned[..., ::-1, ::-1])  # a convolution flips what it is given
    rot90_form = np.rot90(convolved, 2, (-2, -1)) if setting().flips else convolved
    answer = conv2d_kernel_gradient(case.image, case.kernel, case.upstream)
    agree(answer, Value(rot90_form, expected.units, expected.size), "conv2d_kernel_gradient(image, kernel, upstream)")


@given(case=convolution_cases)
def test_image_gradient_is_the_full_correlation(conv2d_image_gradient, case):
    """The image's gradient is the full cross-correlation of upstream and kernel: `Σ upstream[i,j] ∂y[i,j]/∂image`. A
    cross-correlation's is the full convolution.

    Source: the chain rule on the defining sum.
    Proof: proofs/convolution.v, image_gradient_is_the_full_correlation.
    """
    answer = conv2d_image_gradient(case.image, case.kernel, case.upstream)
    (expected,) = conv2d_image_gradient.signature.value(case)
    agree(answer, expected, "conv2d_image_gradient(image, kernel, upstream)")


@given(case=convolution_cases)
def test_kernel_gradient_is_the_adjoint(conv2d_kernel_gradient, conv2d, case):
    """`⟨conv2d(image, kernel), upstream⟩ = ⟨kernel, kernel gradient⟩`, with the target's own two operations.

    Source: Claerbout, Earth Soundings Analysis, 1992: the dot-product test.
    Proof: proofs/convolution.v, kernel_gradient_is_the_adjoint.
    """
    gradient = conv2d_kernel_gradient(case.image, case.kernel, case.upstream)
    _adjoint(conv2d, case, (case.kernel * gradient).sum(), "⟨kernel, kernel gradient⟩")


@given(case=convolution_cases)
def test_image_gradient_is_the_adjoint(conv2d_image_gradient, conv2d, case):
    """`⟨conv2d(image, kernel), upstream⟩ = ⟨image, image gradient⟩`, with the target's own two operations.

    Source: Claerbout, Earth Soundings Analysis, 1992: the dot-product test.
    Proof: proofs/convolution.v, image_gradient_is_the_adjoint.
    """
    gradient = conv2d_image_gradient(case.image, case.kernel, case.upstream)
    _adjoint(conv2d, case, (case.image * gradient).sum(), "⟨image, image gradient⟩")


@given(case=convolution_cases)
def test_kernel_gradient_matches_differences(conv2d_kernel_gradient, conv2d, case):
    """Entry by entry the kernel's gradient is the difference of `⟨conv2d, upstream⟩` as that entry moves.

    The convolution is linear in its kernel, so a central difference is exact for any step; the step is the
    kernel's own size. Source: linearity of the defining sum.
    """
    answer = conv2d_kernel_gradient(case.image, case.kernel, case.upstream)
    _differences(answer, lambda kernel: conv2d(case.image, kernel), case.kernel, case, norm(case.image))


@given(case=convolution_cases)
def test_image_gradient_matches_differences(conv2d_image_gradient, conv2d, case):
    """Entry by entry the image's gradient is the difference of `⟨conv2d, upstream⟩` as that entry moves.

    The convolution is linear in its image, so a central difference is exact for any step; the step is the
    image's own size. Source: linearity of the defining sum.
    """
    answer = conv2d_image_gradient(case.image, case.kernel, case.upstream)
    _differences(answer, lambda image: conv2d(image, case.kernel), case.image, case, norm(case.kernel))


def _adjoint(conv2d, case, product, what):
    output = conv2d(case.image, case.kernel)
    most = max(case.image.size, case.kernel.size, case.upstream.size)
    units = 2 * right.units(case.image, most, right.most_summed(case.image, case.kernel)) + most
    size = norm(case.image) * norm(case.kernel) * norm(case.upstream) * np.sqrt(most)
    agree(product, Value((output * case.upstream).sum(), units, size), what)


def _differences(answer, function, moved, case, factor):
    step = 2.0 ** np.ceil(np.log2(np.abs(moved).max() or 1.0))
    quotient = np.empty(moved.shape)
    for index in np.ndindex(moved.shape):
        nudge = np.zeros(moved.shape)
        nudge[index] = step
        change = function(moved + nudge) - function(moved - nudge)
        quotient[index] = (change * case.upstream).sum() / (2 * step)
    summed = right.most_summed(case.image, case.kernel)
    units = 3 * right.units(case.image, moved.size, summed) + case.upstream.size
    size = factor * norm(case.upstream) * (norm(moved) / step + 1) * np.sqrt(case.upstream.size)
    agree(answer, Value(quotient, units, size), "the gradient")
