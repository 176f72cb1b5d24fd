"""ReLU, arctan and the logistic function, and their derivatives at the pre-activation."""

import math

import numpy as np

from .harness.checking.comparison import agree, require
from .harness.checking.statement import given
from .harness.core.cases import activation_cases, moderate_cases
from .harness.core.trial import current
from .layers import bounds, oracles
from .layers.bounds import ALLOWED, Value, elementary, exactly, tiny

COMPLEX_STEP = 1e-100
DIFFERENCE_STEP = {"float64": 2.0**-13, "float32": 2.0**-6}


@given(case=activation_cases)
def test_relu_is_the_positive_part(relu, case):
    """ReLU keeps what is positive and gives 0 for all else, from subnormal to the largest numbers.

    Source: Nair & Hinton, ICML 2010.
    """
    expected = oracles.elementwise(lambda value: value if value > 0 else 0.0, case.x)
    agree(relu(case.x), exactly(expected), "relu(x)")


@given(case=activation_cases)
def test_relu_parts_its_argument(relu, case):
    """`relu(x) − relu(−x) = x`, and one of the two is 0.

    Source: the positive and the negative part of a number.
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
    """
    case["x"] = np.where(np.arange(case.x.size).reshape(case.x.shape) == 0, 0.0, case.x)
    at_zero = float(np.ravel(relu_derivative(case.x))[0])
    require(0 <= at_zero <= 1, "relu_derivative(0) is outside [0, 1]", yours=at_zero, expected="a number in [0, 1]")


@given(case=moderate_cases)
def test_relu_derivative_matches_differences(relu_derivative, relu, case):
    """Off 0 ReLU is linear, so its central difference with a short step is its derivative, without error.

    Source: Higham, Accuracy and Stability of Numerical Algorithms, section 1.14, on differences.
    """
    step = 2.0**-6
    difference = (relu(case.x + step) - relu(case.x - step)) / (2 * step)
    agree(relu_derivative(case.x), Value(difference, 2 * ALLOWED, np.abs(case.x) / step + 1), "relu_derivative(x)")


@given(case=activation_cases)
def test_arctan_is_the_inverse_tangent(arctan, case):
    """Arctan is the angle whose tangent is x, from subnormal to the largest numbers.

    Source: NIST Digital Library of Mathematical Functions, 4.23; here by the C library.
    """
    expected = oracles.elementwise(math.atan, case.x)
    agree(arctan(case.x), elementary(expected, np.abs(expected)), "arctan(x)")


@given(case=activation_cases)
def test_arctan_is_odd_and_bounded(arctan, case):
    """`arctan(−x) = −arctan(x)`, and both lie within ±π/2.

    Source: NIST Digital Library of Mathematical Functions, 4.23.
    """
    value = arctan(case.x)
    agree(arctan(-case.x), elementary(-value, np.abs(value)), "arctan(−x)")
    beyond = np.maximum(np.abs(value) - math.pi / 2, 0.0)
    agree(beyond, elementary(np.zeros(case.x.shape), math.pi / 2), "what |arctan(x)| exceeds π/2 by")


@given(case=activation_cases)
def test_arctan_derivative_is_the_complex_step(arctan_derivative, case):
    """Arctan's derivative is `Im arctan(x + ih) / h = 1 / (1 + x²)`, of the input and not of the output.

    Source: Squire & Trapp, SIAM Review 40, 1998, for the complex step; the quotient is exact to rounding.
    """
    expected = bounds.arctan_slope(case.x)
    moderate = np.abs(case.x) < 1e6
    stepped = np.arctan(np.where(moderate, case.x, 0.0) + 1j * COMPLEX_STEP).imag / COMPLEX_STEP
    value = np.where(moderate, stepped, expected.value)
    agree(
        arctan_derivative(case.x),
        Value(value, 2 * expected.units, expected.size, expected.floor),
        "arctan_derivative(x)",
    )


@given(case=moderate_cases)
def test_arctan_derivative_matches_differences(arctan_derivative, arctan, case):
    """Arctan's derivative is the limit of arctan's own differences.

    The central difference is off by at most h²/6 · max|f'''| = h²/3, and by the rounding of arctan over h.
    Source: Higham, Accuracy and Stability of Numerical Algorithms, section 1.14.
    """
    _matches_differences(arctan_derivative, arctan, case.x, third=2.0, largest=math.pi / 2)


@given(case=activation_cases)
def test_logistic_is_its_definition(logistic, case):
    """The logistic function is `1 / (1 + exp(−x))`, without overflow at either end.

    Source: Cox, Journal of the Royal Statistical Society B 20, 1958.
    """
    agree(logistic(case.x), elementary(oracles.elementwise(oracles.logistic, case.x), 1.0), "logistic(x)")


@given(case=activation_cases)
def test_logistic_of_both_signs_sums_to_one(logistic, case):
    """`logistic(x) + logistic(−x) = 1`, and both lie in [0, 1].

    Source: the symmetry of the logistic distribution.
    """
    value = logistic(case.x)
    agree(value + logistic(-case.x), elementary(np.ones(case.x.shape), 2.0), "logistic(x) + logistic(−x)")
    agree(value, elementary(np.clip(value, 0.0, 1.0), 1.0), "logistic(x), clipped to [0, 1],")


@given(case=activation_cases)
def test_logistic_derivative_is_the_complex_step(logistic_derivative, case):
    """The logistic derivative is `Im logistic(x + ih) / h = σ(x) σ(−x)`, of the input and not of the output.

    Source: Squire & Trapp, SIAM Review 40, 1998, for the complex step.
    """
    folded = np.minimum(np.abs(case.x), 700.0)
    stepped = (1 / (1 + np.exp(-(folded + 1j * COMPLEX_STEP)))).imag / COMPLEX_STEP
    agree(logistic_derivative(case.x), elementary(stepped, 1.0), "logistic_derivative(x)")


@given(case=moderate_cases)
def test_logistic_derivative_matches_differences(logistic_derivative, logistic, case):
    """The logistic derivative is the limit of the logistic function's own differences.

    The central difference is off by at most h²/6 · max|f'''| = h²/48, and by the rounding of the values over h.
    Source: Higham, Accuracy and Stability of Numerical Algorithms, section 1.14.
    """
    _matches_differences(logistic_derivative, logistic, case.x, third=1 / 8, largest=1.0)


def _matches_differences(derivative, function, x, third, largest):
    step = DIFFERENCE_STEP[current().target.dtype]
    difference = (function(x + step) - function(x - step)) / (2 * step)
    rounding = elementary(difference, largest / step)
    truncation = step**2 / 6 * third
    agree(derivative(x), Value(difference, 2 * rounding.units, rounding.size, truncation + tiny()), "the derivative")
