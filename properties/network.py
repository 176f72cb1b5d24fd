"""The whole network: its prediction and cost, and its gradients off kinks and at them."""

import math

from .harness.checking.cases import cases_from
from .harness.checking.comparison import agree, agreeing, require_legal
from .harness.checking.statement import given
from .harness.core.values import Value, elementwise
from .layers import network as right
from .layers.declared import composed
from .layers.network_cases import read_kinked, read_smooth
from .layers.subgradients import cost_differences

smooth_network_cases, kinked_network_cases = cases_from(read_smooth), cases_from(read_kinked)


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
    Proof: proofs/pooling.v, predict_grows_weights_over_windows.
    """
    stages = right.forward(case.image, case.kernel, case.weights)
    grown = right.grown_sum(stages.preactivation, stages.pooled, case.weights)
    bound = _values(case).prediction
    answer = predict(case.image, case.kernel, case.weights)
    agree(
        answer,
        Value(elementwise(math.atan, grown), bound.units, bound.size, bound.floor),
        "predict(image, kernel, weights)",
    )


@given(case=smooth_network_cases)
def test_predict_agrees_with_layers(predict, conv2d, relu, max_pool, dense, arctan, case):
    """The prediction is the composition of the target's own layers.

    Source: the contract's definition of `predict`.
    """
    own = {one.name: one for one in (conv2d, relu, max_pool, dense, arctan)}
    value = composed("predict", lambda name, *arguments: own[name](*arguments))(case.image, case.kernel, case.weights)
    bound = _values(case).prediction
    answer = predict(case.image, case.kernel, case.weights)
    agree(answer, Value(value, 2 * bound.units, bound.size, bound.floor), "predict(image, kernel, weights)")


@given(case=smooth_network_cases, at_once=agreeing)
def test_gradients_are_the_chain_rule(gradients, case):
    """Off kinks both gradients are those of the chain rule, to the rounding that it cannot avoid.

    `δ = (p − t) / (1 + s²)`; `δ · pooled` for the weights, `Σ δ w ∂y/∂kernel` over the positive winners for the
    kernel. Source: Rumelhart, Hinton & Williams, Nature 323, 1986.
    Proof: proofs/network.v, gradients_are_the_chain_rule, preactivation_is_the_convolution.
    """
    for name, answer, value in zip(
        ("kernel", "weights"), gradients(*_point(case)), right.gradient_values(*_point(case)), strict=True
    ):
        agree(answer, value, f"the gradient for the {name}")


@given(case=smooth_network_cases)
def test_gradients_match_differences(gradients, cost, case):
    """Off kinks every entry of both gradients is the limit of the differences of the target's own cost.

    The step crosses no kink, and truncation and rounding are bounded for each entry. Source: Higham, Accuracy
    and Stability of Numerical Algorithms, section 1.14.
    """
    answers, values = gradients(*_point(case)), right.gradient_values(*_point(case))
    for name, answer, value in zip(("kernel", "weights"), answers, values, strict=True):
        agree(answer, cost_differences(cost, case, name, value), f"the gradient for the {name}")


@given(case=kinked_network_cases)
def test_gradients_at_kinks_are_conservative(gradients, case):
    """At ties and zeros the gradients are those of some choice of the layers' subgradients, by the chain rule.

    Tied positive maxima share `δ w` by weights in [0, 1] of sum 1, maxima at 0 by weights of sum at most 1.
    Source: Bolte & Pauwels, Mathematical Programming, 2021: conservative gradients.
    """
    require_legal(gradients, gradients(*_point(case)), case)


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
    forth, back = (conv2d, relu, max_pool, dense, arctan), (relu_derivative, arctan_derivative, max_pool_gradient)
    own = {one.name: one for one in (*forth, *back, dense_gradients, conv2d_kernel_gradient)}
    expected = composed("gradients", lambda name, *arguments: own[name](*arguments))(*_point(case))
    for name, answer, value, bound in zip(
        ("kernel", "weights"), gradients(*_point(case)), expected, right.gradient_values(*_point(case)), strict=True
    ):
        agree(answer, Value(value, 2 * bound.units, bound.size, bound.floor), f"the gradient for the {name}")


def _point(case):
    return case.arguments(*right.POINT)


def _values(case):
    return right.values_of(case)
