"""What is wrong with a declared network is told, in the terminal and on the page, whatever the network is made of."""

from types import SimpleNamespace

import numpy as np
import pytest
from msgspec import convert

from properties import verify
from properties.harness.core.setting import with_setting
from properties.harness.report.data import Report
from properties.harness.report.page import render
from properties.layers.chains import chain
from properties.layers.plain import ways
from tests.reports import valid

pytestmark = pytest.mark.slow


def squares(times):
    """A dense layer with half the mean squared error, whose gradient is so many times that of the sum."""

    def predict(image, parameters):
        return image.reshape(len(image), -1) @ parameters[0]

    def cost(image, target, parameters):
        return ((predict(image, parameters) - target) ** 2).sum() / 2 / len(image)

    def gradients(image, target, parameters):
        errors = predict(image, parameters) - target
        return [image.reshape(len(image), -1).T @ errors * times(len(image))]

    network = ["flatten", ("dense", {}), "squared_error"]
    return SimpleNamespace(LAYOUT="NCHW", NETWORK=network, predict=predict, cost=cost, gradients=gradients)


def classes(derivative):
    """One filter, an activation of its pre-activations and classes, with this derivative of the hyperbolic tangent."""

    def forward(image, parameters):
        kernel, weights = parameters
        patches = np.lib.stride_tricks.sliding_window_view(image, kernel.shape[2:], axis=(2, 3))
        active = np.tanh(np.einsum("ncijab,ocab->noij", patches, kernel))
        return patches, active, active.reshape(len(image), -1) @ weights

    def predict(image, parameters):
        return forward(image, parameters)[-1]

    def probabilities(scores):
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def cost(image, target, parameters):
        scores = predict(image, parameters)
        scores = scores - scores.max(axis=1, keepdims=True)
        return (np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(scores)), target]).mean()

    def gradients(image, target, parameters):
        patches, active, scores = forward(image, parameters)
        delta = probabilities(scores)
        delta[np.arange(len(scores)), target] -= 1
        delta /= len(scores)
        upstream = (delta @ parameters[1].T).reshape(active.shape) * derivative(active)
        return [np.einsum("ncijab,noij->ocab", patches, upstream), active.reshape(len(scores), -1).T @ delta]

    network = [("conv2d", {}), "tanh", "flatten", "dense", "softmax_cross_entropy"]
    return SimpleNamespace(LAYOUT="NCHW", NETWORK=network, predict=predict, cost=cost, gradients=gradients)


RIGHT = {"squares": squares(lambda count: 1 / count), "classes": classes(lambda active: 1 - active**2)}
WRONG = {"squares": squares(lambda count: 1.0), "classes": classes(lambda active: 1 - active)}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_network_is_told_and_drawn(name):
    """It is refuted with reasons, none of which is a failure of the diagnosis; the page shows its network."""
    report = valid(convert(verify(WRONG[name], keyword="declared_network", examples=20).data, Report))
    assert report.verdict == "refuted"
    assert not [entry.id for entry in report.properties if "itself failed" in str((entry.reasons, entry.message))]
    assert [stage[0] for stage in report.declared.network][-1] in ("squared_error", "softmax_cross_entropy")
    assert "declared_gradients" in render(report)


@pytest.mark.parametrize("name", RIGHT)
def test_right_network_holds(name):
    """The same code with the right factor and the right derivative holds."""
    assert verify(RIGHT[name], keyword="declared_network", examples=20).holds


def test_code_of_one_network_is_not_shown_for_another():
    """The plain code is that of one network, and right for it alone."""
    assert ways("declared_gradients")
    with with_setting(network=chain.LENET):
        assert ways("declared_gradients")
    with with_setting(network=chain.parsed_network(["flatten", ("dense", {}), "squared_error"])):
        assert not ways("declared_gradients")
