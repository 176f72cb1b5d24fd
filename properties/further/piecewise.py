"""Leaky ReLU and ELU, which have a kink at 0 and a parameter, their derivatives and their gradients."""

import numpy as np
import pytest

from ..harness.checking.cases import cases_from
from ..harness.checking.comparison import agree, require_legal
from ..harness.checking.statement import given
from ..harness.core.values import ALLOWED, Value
from ..layers.further.piecewise import BY_NAME, differences, read_any, read_moderate

FUNCTIONS = list(BY_NAME)
DERIVATIVES, GRADIENTS = ([f"{name}_{what}" for name in BY_NAME] for what in ("derivative", "gradient"))
any_cases, moderate_cases = cases_from(read_any), cases_from(read_moderate)


def _asked(operation, case):
    """The activation, and its parameter; the case keeps what the operation takes, which is what is shown of it."""
    for name in case.keys() - operation.signature.takes.keys():
        del case[name]
    known = BY_NAME[operation.signature.of or operation.name]
    return known, case[known.parameter]


def _off_zero(case):
    case["x"] = np.where(case.x == 0, 1.0, case.x)


def _first_at_zero(case):
    case["x"] = np.where(np.arange(case.x.size).reshape(case.x.shape) == 0, 0.0, case.x)


@pytest.mark.parametrize("operation", FUNCTIONS, indirect=True)
@given(case=any_cases)
def test_piecewise_activation_is_its_definition(operation, case):
    """Above 0 it is x; below it is `slope · x` for leaky ReLU and `alpha (exp(x) − 1)` for ELU, from subnormal to the
    largest numbers.

    Source: Maas, Hannun & Ng, ICML 2013; Clevert, Unterthiner & Hochreiter, ICLR 2016.
    """
    known, parameter = _asked(operation, case)
    agree(operation.at(case), known.value(case.x, parameter), f"{operation.name}(x)")


@pytest.mark.parametrize("operation", FUNCTIONS, indirect=True)
@given(case=any_cases)
def test_piecewise_activation_of_twice_its_argument(operation, case):
    """f(2x) is 2 f(x) above 0, and for leaky ReLU, which is positively homogeneous, below it too; for ELU it is
    `f(x) (2 + f(x) / alpha)` there.

    Source: the definition of a positively homogeneous function, and `exp(2x) = exp(x)²`.
    """
    known, parameter = _asked(operation, case)
    half = np.asarray(case.x / 2)
    case["x"] = np.asarray(2 * half)  # what is subnormal has no half
    value, bound = operation(half, parameter), known.value(case.x, parameter)
    with np.errstate(over="ignore"):  # of what is wrong
        twice = np.where(half > 0, 2 * value, known.doubled(np.where(half > 0, 0.0, value), parameter))
    expected = Value(twice, 3 * bound.units + ALLOWED, bound.size, 4 * bound.floor)
    agree(operation.at(case), expected, f"{operation.name}(x), from {operation.name}(x / 2)")


@pytest.mark.parametrize("operation", FUNCTIONS, indirect=True)
@given(case=any_cases)
def test_piecewise_activation_is_continuous_at_zero(operation, case):
    """It keeps the sign of x, and |f(x)| is at most the larger of 1 and the parameter times |x|: so f(0) is 0, and f is
    continuous there.

    Source: the slopes on both sides are from 0 to 1 and to the parameter.
    """
    known, parameter = _asked(operation, case)
    value, bound = operation.at(case), known.value(case.x, parameter)
    with np.errstate(over="ignore"):
        most = max(1.0, parameter) * case.x
    beyond = value - np.clip(value, np.minimum(most, 0.0), np.maximum(most, 0.0))
    expected = Value(np.zeros(case.x.shape), bound.units, bound.size, bound.floor)
    agree(beyond, expected, f"what {operation.name}(x) exceeds its range by")


@given(case=any_cases)
def test_leaky_relu_folds_its_argument(leaky_relu, case):
    """`leaky_relu(x) + leaky_relu(−x) = (1 − slope) |x|`.

    Source: the positive and the negative part of a number.
    """
    known, slope = _asked(leaky_relu, case)
    bound = known.value(case.x, slope)
    with np.errstate(over="ignore"):  # of what is wrong
        total = leaky_relu.at(case) + leaky_relu(-case.x, slope)
    expected = Value((1 - slope) * np.abs(case.x), 2 * bound.units + ALLOWED, bound.size, 2 * bound.floor)
    agree(total, expected, "leaky_relu(x) + leaky_relu(−x)")


@pytest.mark.parametrize("operation", DERIVATIVES, indirect=True)
@given(case=any_cases)
def test_piecewise_derivative_is_its_formula(operation, case):
    """The derivative is 1 above 0; below it is the slope for leaky ReLU and `alpha exp(x)` for ELU, however near to 0
    or far from it, of the input and not of the output.

    Source: Maas, Hannun & Ng, ICML 2013; Clevert, Unterthiner & Hochreiter, ICLR 2016.
    """
    known, parameter = _asked(operation, case)
    _off_zero(case)
    agree(operation.at(case), known.slope(case.x, parameter), f"{operation.name}(x)")


@pytest.mark.parametrize("operation", DERIVATIVES, indirect=True)
@given(case=any_cases)
def test_piecewise_derivative_at_zero_is_a_subgradient(operation, case):
    """At 0 the derivative is a number between the parameter and 1, the slopes on either side of it.

    Source: Clarke, Optimization and Nonsmooth Analysis, 1983: the generalised gradient.
    """
    _asked(operation, case)
    _first_at_zero(case)
    require_legal(operation, operation.at(case), case)


@pytest.mark.parametrize("operation", DERIVATIVES, indirect=True)
@given(case=moderate_cases)
def test_piecewise_derivative_matches_differences(operation, function, case):
    """The derivative is the limit of the function's own differences off 0.

    Leaky ReLU's central differences are exact but for rounding; ELU's are off by at most h²/6 · alpha.
    Source: Higham, Accuracy and Stability of Numerical Algorithms, section 1.14.
    """
    known, _ = _asked(operation, case)
    agree(operation.at(case), differences(function, known, case), "the derivative")


@pytest.mark.parametrize("operation", GRADIENTS, indirect=True)
@given(case=any_cases)
def test_piecewise_gradient_is_upstream_times_the_derivative(operation, case):
    """Entry by entry the gradient is upstream times the derivative at x, off the kink.

    Source: Rumelhart, Hinton & Williams, Nature 323, 1986: the chain rule.
    """
    _asked(operation, case)
    _off_zero(case)
    agree(operation.at(case), *operation.signature.value(case), f"{operation.name}(x, upstream)")


@pytest.mark.parametrize("operation", GRADIENTS, indirect=True)
@given(case=any_cases)
def test_piecewise_gradient_at_zero_is_a_subgradient(operation, case):
    """At 0 it hands on upstream times a number between the parameter and 1.

    Source: Clarke, Optimization and Nonsmooth Analysis, 1983: the generalised gradient.
    """
    _asked(operation, case)
    _first_at_zero(case)
    require_legal(operation, operation.at(case), case)


@pytest.mark.parametrize("operation", GRADIENTS, indirect=True)
@given(case=any_cases)
def test_piecewise_gradient_is_proportional_to_upstream(operation, case):
    """Half the upstream gradient with the other sign gives half the gradient with the other sign.

    Source: a gradient is linear in upstream.
    """
    _, parameter = _asked(operation, case)
    answer, (bound,) = operation.at(case), operation.signature.value(case)
    halved = operation(case.x, -case.upstream / 2, parameter)
    agree(halved, Value(-answer / 2, 2 * bound.units, bound.size, bound.floor), f"{operation.name}(x, −upstream / 2)")


@pytest.mark.parametrize("operation", GRADIENTS, indirect=True)
@given(case=moderate_cases)
def test_piecewise_gradient_matches_differences(operation, function, case):
    """The gradient is upstream times the limit of the function's own differences, within what these are off.

    Source: Higham, Accuracy and Stability of Numerical Algorithms, section 1.14.
    """
    known, _ = _asked(operation, case)
    slope = differences(function, known, case)
    size, floor = slope.size * np.abs(case.upstream), slope.floor * np.abs(case.upstream)
    expected = Value(slope.value * case.upstream, slope.units + 2, size, floor)
    agree(operation.at(case), expected, f"{operation.name}(x, upstream)")
