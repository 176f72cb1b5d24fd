"""A declared network is read as it is written, its cases reach what they claim, and its gradients are its cost's."""

from types import SimpleNamespace

import numpy as np
import pytest

from properties.harness.checking.fixed_cases import kinked, larger, smooth
from properties.harness.core.setting import Counts, with_setting
from properties.harness.target.operation import Malformed
from properties.harness.target.target import CannotLoad, make_target
from properties.layers import OPERATIONS
from properties.layers.chains import chain
from properties.layers.chains.choices import gradient_faults, is_kinked

GRADIENTS = OPERATIONS["declared_gradients"]
NETWORKS = {
    "convolution, pooling, softmax": chain.LENET,
    "two convolutions, averages, squares": chain.parsed_network(
        [
            ("conv2d", {"stride": (2, 1)}),
            "relu",
            ("conv2d", {"bias": True, "padding": (0, 1), "dilation": (1, 2)}),
            ("average_pool", {"window": (2, 1)}),
            "tanh",
            "flatten",
            ("dense", {}),
            ("leaky_relu", {"slope": 0.1}),
            ("dense", {"bias": True}),
            "squared_error",
        ]
    ),
    "dense alone": chain.parsed_network(["flatten", ("dense", {}), "squared_error"]),
}
WRONG = {
    "no list": ("relu", "must be a list of layers"),
    "no loss": (["flatten", "dense"], "must end with its loss"),
    "no such layer": (["flatten", "dens", "squared_error"], "there is no layer 'dens'"),
    "no such option": (["flatten", ("dense", {"stride": (1, 1)}), "squared_error"], "dense has the options bias"),
    "no window": (["max_pool", "flatten", "dense", "squared_error"], "of which it must have window"),
    "one number": ([("conv2d", {"stride": 2}), "flatten", "dense", "squared_error"], "must be (rows, columns)"),
    "images behind features": (["flatten", "conv2d", "dense", "squared_error"], "need a flatten behind them"),
}


@pytest.mark.parametrize(("declared", "words"), WRONG.values(), ids=WRONG)
def test_nonsense_is_told_in_a_line(declared, words):
    """What is wrong with a declaration is one line, before anything is run."""
    with pytest.raises(CannotLoad) as caught:
        make_target(SimpleNamespace(NETWORK=declared, predict=lambda image, parameters: image), "mine")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_gradients_are_those_of_the_cost(network):
    """Every entry of every gradient is a central difference of the cost, on cases off kinks."""
    with with_setting(network=network, most=Counts(2, 2, 2)):
        for case in smooth(GRADIENTS, 6):
            for name, value in zip(chain.parameters(), GRADIENTS.value(case), strict=True):
                for index in np.ndindex(case[name].shape):
                    ends = []
                    for sign in (1, -1):
                        moved = case[name].copy()
                        moved[index] += sign * 1e-6
                        walk = chain.forward(case.changed(**{name: moved}))
                        ends.append(float(chain.cost_of(walk.outputs, case.target).value))
                    scale = 1 + abs(ends[0]) + abs(value.value[index])
                    assert abs((ends[0] - ends[1]) / 2e-6 - value.value[index]) < 1e-5 * scale


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_cases_lie_off_kinks_or_at_them(network):
    """Cases off kinks are off all of them; of the others most lie at one, where the network has any."""
    with with_setting(network=network):
        assert not any(map(is_kinked, smooth(GRADIENTS, 30) + larger(GRADIENTS.layer)))
        at_kinks = sum(map(is_kinked, kinked(GRADIENTS, 30)))
        assert (at_kinks > 15) == any(one.name in ("relu", "leaky_relu") for one in chain.network()[0])


def test_every_choice_at_a_kink_is_legal_and_no_other():
    """At kinks the chain rule's own gradients are let through; moved a little they are refused."""
    refused = 0
    for case in kinked(GRADIENTS, 30):
        right = tuple(np.asarray(value.value) for value in GRADIENTS.value(case))
        assert not any(gradient_faults(right, case))
        moved = (*right[:-1], right[-1] + 1e-6)
        refused += any(gradient_faults(moved, case))
    assert refused == 30


@pytest.mark.parametrize(("network", "count"), [(NETWORKS["dense alone"], 2), (chain.LENET, 3)], ids=["one", "four"])
def test_another_number_of_arrays_is_told(network, count):
    """A list of one array is taken where there is one parameter; any other number of them is refused in words."""
    arrays = [np.zeros((1, 1))] * count
    declared = [(name, dict(options)) if options else name for name, options in network]
    offered = SimpleNamespace(NETWORK=declared, gradients=lambda *arguments: arrays)
    target = make_target(offered, "mine")
    with with_setting(network=target.network):
        case = smooth(GRADIENTS, 1)[0]
        with pytest.raises(Malformed) as caught:
            target.operations["declared_gradients"].at(case)
    assert "must return" in str(caught.value)


def test_list_of_one_array_is_a_gradient():
    """Of a network with one parameter the gradients are a list too."""
    offered = SimpleNamespace(
        NETWORK=["flatten", ("dense", {}), "squared_error"],
        gradients=lambda image, target, parameters: [np.zeros(parameters[0].shape)],
    )
    target = make_target(offered, "mine")
    with with_setting(network=target.network):
        case = smooth(GRADIENTS, 1)[0]
        assert target.operations["declared_gradients"].at(case).shape == case.weights1.shape
