"""An activation's gradient: upstream times the derivative at the pre-activation."""

import numpy as np
import pytest

from .harness.checking.cases import cases_from
from .harness.checking.comparison import agree, require_legal
from .harness.checking.statement import given
from .harness.core.values import Value
from .layers.activation_gradients import ACTIVATION_GRADIENTS, read_any, read_moderate
from .layers.activations import differences

NAMES = list(ACTIVATION_GRADIENTS.named())
gradient_cases, moderate_cases = cases_from(read_any), cases_from(read_moderate)


@pytest.mark.parametrize("operation", NAMES, indirect=True)
@given(case=gradient_cases)
def test_gradient_is_upstream_times_the_derivative(operation, case):
    """Entry by entry the gradient is upstream times the activation's derivative at x, off ReLU's kink.

    Source: Rumelhart, Hinton & Williams, Nature 323, 1986: the chain rule.
    Proof: proofs/activations.v, relu_derivative_matches_differences, arctan_derivative, logistic_derivative,
    tanh_derivative, softplus_derivative.
    """
    if operation.signature.kinked:
        case["x"] = np.where(case.x == 0, 1.0, case.x)  # what is asked is what a counterexample shows
    agree(operation(case.x, case.upstream), *operation.signature.value(case), f"{operation.name}(x, upstream)")


@given(case=gradient_cases)
def test_relu_gradient_at_zero_is_a_subgradient(relu_gradient, case):
    """At 0 ReLU hands on upstream times a number in [0, 1].

    Source: Bertoin, Bolte, Gerchinovitz & Pauwels, NeurIPS 2021.
    Proof: proofs/activations.v, relu_derivative_at_zero_is_a_subgradient.
    """
    case["x"] = np.where(np.arange(case.x.size).reshape(case.x.shape) == 0, 0.0, case.x)
    require_legal(relu_gradient, relu_gradient(case.x, case.upstream), case)


@pytest.mark.parametrize("operation", NAMES, indirect=True)
@given(case=gradient_cases)
def test_gradient_is_proportional_to_upstream(operation, case):
    """Half the upstream gradient with the other sign gives half the gradient with the other sign.

    Source: a gradient is linear in upstream.
    """
    answer, (bound,) = operation(case.x, case.upstream), operation.signature.value(case)
    halved = operation(case.x, -case.upstream / 2)
    agree(halved, Value(-answer / 2, 2 * bound.units, bound.size, bound.floor), f"{operation.name}(x, −upstream / 2)")


@pytest.mark.parametrize("operation", NAMES, indirect=True)
@given(case=moderate_cases)
def test_gradient_matches_differences(operation, function, case):
    """The gradient is upstream times the limit of the function's own differences, within what these are off.

    Source: Higham, Accuracy and Stability of Numerical Algorithms, section 1.14.
    """
    slope = differences(function, case.x)
    size, floor = slope.size * np.abs(case.upstream), slope.floor * np.abs(case.upstream)
    expected = Value(slope.value * case.upstream, slope.units + 2, size, floor)
    agree(operation(case.x, case.upstream), expected, f"{operation.name}(x, upstream)")
