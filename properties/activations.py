"""ReLU, arctan, the logistic function, and their derivatives at the pre-activation."""

import numpy as np
import pytest

from .harness.checking.cases import cases_from
from .harness.checking.comparison import agree, require
from .harness.checking.statement import given
from .harness.core.values import elementary, elementwise, exactly
from .layers.activations import differences, read_any, read_moderate
from .layers.base.smooth import BY_NAME

activation_cases, moderate_cases = cases_from(read_any), cases_from(read_moderate)


@given(case=activation_cases)
def test_relu_is_the_positive_part(relu, case):
    """ReLU keeps what is positive and gives 0 for all else, from subnormal to the largest numbers.

    Source: Nair & Hinton, ICML 2010.
    """
    expected = elementwise(lambda value: value if value > 0 else 0.0, case.x)
    agree(relu(case.x), exactly(expected), "relu(x)")


@given(case=activation_cases)
def test_relu_parts_its_argument(relu, case):
    """`relu(x) − relu(−x) = x`, and one of the two is 0.

    Source: the positive and the negative part of a number.
    Proof: proofs/activations.v, relu_parts_its_argument.
    """
    positive, negative = relu(case.x), relu(-case.x)
    agree(positive - negative, exactly(case.x), "relu(x) − relu(−x)")
    agree(np.minimum(positive, negative), exactly(np.zeros(case.x.shape)), "the smaller of relu(x) and relu(−x)")


@given(case=activation_cases)
def test_relu_derivative_is_the_step(relu_derivative, case):
    """ReLU's derivative is 1 above 0 and 0 below, however near to 0 or far from it.

    Source: Nair & Hinton, ICML 2010.
    """
    case["x"] = np.where(case.x == 0, 1.0, case.x)  # what is asked is what a counterexample shows
    agree(relu_derivative(case.x), exactly((case.x > 0) * 1.0), "relu_derivative(x)")


@given(case=activation_cases)
def test_relu_derivative_at_zero_is_a_subgradient(relu_derivative, case):
    """At 0 ReLU's derivative is a number in [0, 1], the set of its subgradients there.

    Source: Bertoin, Bolte, Gerchinovitz & Pauwels, NeurIPS 2021.
    Proof: proofs/activations.v, relu_derivative_at_zero_is_a_subgradient.
    """
    case["x"] = np.where(np.arange(case.x.size).reshape(case.x.shape) == 0, 0.0, case.x)
    at_zero = float(np.ravel(relu_derivative(case.x))[0])
    require(0 <= at_zero <= 1, "relu_derivative(0) is outside [0, 1]", yours=at_zero, expected="a number in [0, 1]")


@given(case=moderate_cases)
def test_relu_derivative_matches_differences(relu_derivative, relu, case):
    """Off 0 ReLU is linear, so its central difference with a short step is its derivative, without error.

    Source: Higham, Accuracy and Stability of Numerical Algorithms, section 1.14, on differences.
    Proof: proofs/activations.v, relu_derivative_matches_differences.
    """
    agree(relu_derivative(case.x), differences(relu, case.x), "relu_derivative(x)")


DERIVATIVES = [f"{name}_derivative" for name in BY_NAME]


@pytest.mark.parametrize("operation", list(BY_NAME), indirect=True)
@given(case=activation_cases)
def test_smooth_activation_is_its_definition(operation, case):
    """A smooth activation is what its name says, as arctan the angle whose tangent is x and the logistic function
    `1 / (1 + exp(−x))`, from subnormal to the largest numbers and without overflow at either end.

    Source: NIST Digital Library of Mathematical Functions, 4.23, here by the C library; Cox, Journal of the Royal
    Statistical Society B 20, 1958.
    """
    agree(operation(case.x), BY_NAME[operation.name].value(case.x), f"{operation.name}(x)")


@pytest.mark.parametrize("operation", list(BY_NAME), indirect=True)
@given(case=activation_cases)
def test_smooth_activation_is_symmetric_and_bounded(operation, case):
    """f(−x) is −f(x) for arctan and tanh, 1 − f(x) for the logistic function, f(x) − x for softplus; f keeps its range.

    Source: NIST Digital Library of Mathematical Functions, 4.23; the symmetry of the logistic distribution.
    Proof: proofs/activations.v, smooth_activation_is_symmetric_and_bounded.
    """
    known = BY_NAME[operation.name]
    value = operation(case.x)
    agree(operation(-case.x), known.mirrored(case.x, value), f"{operation.name}(−x)")
    beyond = value - np.clip(value, *known.range)
    agree(beyond, elementary(np.zeros(case.x.shape), known.largest), f"what {operation.name}(x) exceeds its range by")


@pytest.mark.parametrize("operation", DERIVATIVES, indirect=True)
@given(case=activation_cases)
def test_smooth_derivative_is_the_complex_step(operation, case):
    """The derivative is `1 / (1 + x²)` for arctan, `σ(x) σ(−x)` for the logistic function, `1 − tanh(x)²`, and `σ(x)`
    for softplus, of the input and not of the output, as the complex step `Im f(x + ih) / h` has it.

    Source: Squire & Trapp, SIAM Review 40, 1998, for the complex step; the quotient is exact to rounding.
    Proof: proofs/activations.v, arctan_derivative, logistic_derivative, tanh_derivative, softplus_derivative.
    """
    agree(operation(case.x), BY_NAME[operation.signature.of].stepped(case.x), f"{operation.name}(x)")


@pytest.mark.parametrize("operation", DERIVATIVES, indirect=True)
@given(case=moderate_cases)
def test_smooth_derivative_matches_differences(operation, function, case):
    """The derivative is the limit of the function's own differences.

    The central difference is off by at most h²/6 · max|f'''|, h²/3 for arctan and tanh, h²/48 for the logistic
    function, and by the rounding of the values over h. Source: Higham, Accuracy and Stability of Numerical
    Algorithms, section 1.14.
    """
    agree(operation(case.x), differences(function, case.x), "the derivative")
