"""The whole network: its prediction and cost, and its gradients off kinks and at them."""

import math

import numpy as np

from .harness.checking.comparison import agree, agreeing, require
from .harness.checking.statement import given
from .harness.core.limits import POOL
from .layers import bounds, membership, oracles
from .layers.bounds import Value
from .layers.network_cases import kinked_network_cases, smooth_network_cases


@given(case=smooth_network_cases)
def test_predict_is_the_composition(predict, case):
    """The prediction is `arctan(max_pool(relu(conv2d(image, kernel))), flattened in C order, · weights)`.

    Source: the notebook's forward pass.
    """
    agree(predict(case.image, case.kernel, case.weights), _values(case).prediction, "predict(image, kernel, weights)")


@given(case=kinked_network_cases)
def test_predict_holds_at_kinks(predict, case):
    """Ties and zeros do not disturb the prediction, which is continuous there.

    Source: the notebook's forward pass.
    """
    agree(predict(case.image, case.kernel, case.weights), _values(case).prediction, "predict(image, kernel, weights)")


@given(case=smooth_network_cases)
def test_cost_is_half_the_squared_error(cost, case):
    """The cost is `(predict − target)² / 2`, summed over the images of a batch.

    Source: the notebook.
    """
    agree(cost(*_point(case)), _values(case).cost, "cost(image, target, kernel, weights)")


@given(case=smooth_network_cases)
def test_predict_grows_weights_over_windows(predict, case):
    """Off ties `pooled · weights = Σ relu(y) ⊙ mask ⊙ repeat(weights)`: the 4×1 weights grown to 4×4.

    So the prediction is the arctan of the latter. Source: the notebook's last claim.
    """
    stages = oracles.forward(case.image, case.kernel, case.weights)
    grown = oracles.grown_sum(stages.preactivation, stages.pooled, case.weights)
    bound = _values(case).prediction
    answer = predict(case.image, case.kernel, case.weights)
    agree(
        answer,
        Value(oracles.mapped(math.atan, grown), bound.units, bound.size, bound.floor),
        "predict(image, kernel, weights)",
    )


@given(case=smooth_network_cases)
def test_predict_agrees_with_layers(predict, conv2d, relu, max_pool, dense, arctan, case):
    """The prediction is the composition of the target's own layers.

    Source: the contract's definition of `predict`.
    """
    pooled = max_pool(relu(conv2d(case.image, case.kernel)), POOL)
    value = arctan(dense(pooled.reshape(-1, case.weights.size), case.weights))
    bound = _values(case).prediction
    answer = predict(case.image, case.kernel, case.weights)
    agree(
        answer,
        Value(value.reshape(np.shape(answer)), 2 * bound.units, bound.size, bound.floor),
        "predict(image, kernel, weights)",
    )


@given(case=smooth_network_cases, at_once=agreeing)
def test_gradients_are_the_chain_rule(gradients, case):
    """Off kinks both gradients are those of the chain rule, to the rounding that it cannot avoid.

    `δ = (p − t) / (1 + s²)`; `δ · pooled` for the weights, `Σ δ w ∂y/∂kernel` over the winners for the kernel.
    Source: Rumelhart, Hinton & Williams, Nature 323, 1986.
    """
    for name, answer, value in zip(
        ("kernel", "weights"), gradients(*_point(case)), bounds.gradients(*_point(case)), strict=True
    ):
        agree(answer, value, f"the gradient for the {name}")


@given(case=smooth_network_cases)
def test_gradients_match_differences(gradients, cost, case):
    """Off kinks every entry of both gradients is the limit of the differences of the target's own cost.

    The step crosses no kink, and truncation and rounding are bounded for each entry. Source: Higham, Accuracy
    and Stability of Numerical Algorithms, section 1.14.
    """
    answers, values = gradients(*_point(case)), bounds.gradients(*_point(case))
    for name, answer, value in zip(("kernel", "weights"), answers, values, strict=True):
        agree(answer, membership.cost_differences(cost, case, name, value), f"the gradient for the {name}")


@given(case=kinked_network_cases)
def test_gradients_at_kinks_are_conservative(gradients, case):
    """At ties and zeros the gradients are those of some choice of the layers' subgradients, by the chain rule.

    Tied positive maxima share `δ w` by weights in [0, 1] of sum 1, maxima at 0 by weights of sum at most 1.
    Source: Bolte & Pauwels, Mathematical Programming, 2021: conservative gradients.
    """
    kernel_gradient, weights_gradient = gradients(*_point(case))
    values = _values(case)
    one_choice, weights_expected = bounds.gradients(*_point(case))
    agree(weights_gradient, weights_expected, "the gradient for the weights")
    distance, allowed = membership.distance(kernel_gradient, case, values)
    require(
        distance <= allowed,
        f"the gradient for the kernel is {distance:.3g} from the nearest that any choice of subgradients gives "
        f"(one of them is shown), allowed {allowed:.3g}",
        yours=kernel_gradient,
        expected=one_choice.value,
    )


@given(case=smooth_network_cases)
def test_gradients_agree_with_layers(
    gradients,
    conv2d,
    conv2d_kernel_gradient,
    relu,
    relu_derivative,
    max_pool,
    max_pool_gradient,
    dense,
    dense_gradients,
    arctan,
    arctan_derivative,
    case,
):
    """Off kinks both gradients are the chain rule through the target's own layers.

    Source: Rumelhart, Hinton & Williams, Nature 323, 1986.
    """
    convolved = conv2d(case.image, case.kernel)
    activated = relu(convolved)
    pooled = max_pool(activated, POOL)
    features = pooled.reshape(-1, case.weights.size)
    weighted = dense(features, case.weights)
    delta = (arctan(weighted) - np.reshape(case.target, (-1, 1))) * arctan_derivative(weighted)
    features_gradient, weights_expected = dense_gradients(features, case.weights, delta)
    upstream = max_pool_gradient(activated, POOL, features_gradient.reshape(pooled.shape))
    kernel_expected = conv2d_kernel_gradient(case.image, case.kernel, upstream * relu_derivative(convolved))
    expected = kernel_expected, weights_expected
    for name, answer, value, bound in zip(
        ("kernel", "weights"), gradients(*_point(case)), expected, bounds.gradients(*_point(case)), strict=True
    ):
        agree(answer, Value(value, 2 * bound.units, bound.size, bound.floor), f"the gradient for the {name}")


def _point(case):
    return case.arguments("image", "target", "kernel", "weights")


def _values(case):
    return bounds.forward(*_point(case))
