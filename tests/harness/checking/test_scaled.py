"""Cases at every scale reach what they claim, and refute what is decided by values that are seldom drawn."""

import hypothesis
import numpy as np
import pytest

import properties.calls
import reference
from properties.harness.checking.scaled import scaled_cases
from properties.harness.core.tape import REACH
from properties.harness.target.operation import Refuted
from tests.doubles import failure_of, trial_of

SCALE = properties.calls.test_holds_at_every_scale


def drawn(layer, count=300, **declared):
    """So many cases of a layer."""
    cases = []

    @hypothesis.settings(max_examples=count, database=None, phases=[hypothesis.Phase.generate])
    @hypothesis.given(scaled_cases[layer])
    def gather(case):
        cases.append(case.first)

    with trial_of(relu=reference.relu, **declared):
        gather()
    return cases


def sizes(cases, name):
    """The largest magnitude of an argument in each case, where it is not 0."""
    found = np.array([np.abs(case[name]).max() for case in cases])
    return found[found > 0]


NAMES = [("convolution", name) for name in ("image", "kernel", "upstream")]
NAMES += [("pooling", name) for name in ("x", "upstream")]
NAMES += [("dense", name) for name in ("features", "weights", "upstream")]


@pytest.mark.parametrize(("layer", "name"), NAMES)
def test_arrays_come_at_every_scale(layer, name):
    """Each array of a layer is drawn far beyond single precision's range, on both sides, and near 1 too."""
    found = sizes(drawn(layer), name)
    assert found.max() > 2.0**600
    assert found.min() < 2.0**-600
    assert ((found > 2**-8) & (found < 2**8)).any()


@pytest.mark.parametrize("name", ["image", "kernel", "weights", "target", "learning_rate"])
def test_arguments_of_the_network_come_at_every_scale(name):
    """Those of the network too, and rates of both signs."""
    cases = drawn("network")
    found = sizes(cases, name)
    assert found.max() > 2.0**100
    assert found.min() < 2.0**-100
    assert {np.sign(case.learning_rate) for case in cases} == {-1.0, 1.0}


@pytest.mark.parametrize(("layer", "name"), [*NAMES, *(("network", name) for name in ("weights", "target", "kernel"))])
def test_arguments_are_not_what_single_precision_holds(layer, name):
    """Some entries of each are no number of single precision, at a scale that it reaches."""
    near = [case[name] for case in drawn(layer) if 2.0**-90 < np.abs(case[name]).max() < 2.0**90]
    assert any(np.any(value != np.float64(np.float32(value))) for value in near)


def test_single_precision_stays_within_its_range():
    """For a target in single precision every product of two arrays is in its range."""
    for case in drawn("convolution", DTYPE="float32"):
        product = np.abs(case.image).max() * np.abs(case.kernel).max() * np.abs(case.upstream).max() ** 0
        assert product <= 2.0 ** (REACH["float32"] + 30)


def clipped(at):
    """The right convolution of an upstream that is cut off."""
    return lambda image, kernel, upstream: reference.conv2d_kernel_gradient(image, kernel, np.clip(upstream, -at, at))


def running_maximum(x, window):
    """Pooling whose running maximum starts at −9999."""
    return np.maximum(reference.max_pool(x, window), -9999.0)


def small_weights_dropped(features, weights):
    """A dense layer without the weights that are next to nothing."""
    return reference.dense(features, np.where(np.abs(weights) < 1e-12, 0.0, weights))


def error_capped(image, target, kernel, weights):
    """Gradients whose error is at most 4."""
    prediction = reference.predict(image, kernel, weights)
    return reference.gradients(image, prediction - np.clip(prediction - target, -4, 4), kernel, weights)


def rate_in_single_precision(image, target, kernel, weights, rate):
    """A step whose rate is in single precision."""
    with np.errstate(all="ignore"):  # where it overflows
        return reference.train_step(image, target, kernel, weights, float(np.float32(rate)))


def weights_in_single_precision(image, kernel, weights):
    """A prediction by weights in single precision."""
    with np.errstate(over="ignore"):
        return reference.predict(image, kernel, np.float64(np.float32(weights)))


def size_of_the_rate(image, target, kernel, weights, rate):
    """A step that goes downhill whatever the sign of the rate."""
    return reference.train_step(image, target, kernel, weights, abs(rate))


def ties_of_small_upstream(x, window, upstream):
    """A pooling gradient that drops an upstream value below 1e-30."""
    return reference.max_pool_gradient(x, window, np.where(np.abs(upstream) < 1e-30, 0.0, upstream))


WRONG = {
    "clipped at 5": ("conv2d_kernel_gradient", clipped(5.0)),
    "clipped at 1000": ("conv2d_kernel_gradient", clipped(1000.0)),
    "clipped at 1e12": ("conv2d_kernel_gradient", clipped(1e12)),
    "maximum from -9999": ("max_pool", running_maximum),
    "small weights dropped": ("dense", small_weights_dropped),
    "error capped at 4": ("gradients", error_capped),
    "rate in float32": ("train_step", rate_in_single_precision),
    "weights in float32": ("predict", weights_in_single_precision),
    "size of the rate": ("train_step", size_of_the_rate),
    "small upstream dropped": ("max_pool_gradient", ties_of_small_upstream),
}


@pytest.mark.parametrize(("operation", "wrong"), WRONG.values(), ids=WRONG)
def test_what_depends_on_the_scale_is_refuted(operation, wrong):
    """A formula that is right at the scales of the other statements is refuted at another one."""
    assert isinstance(failure_of(SCALE, operation, **{operation: wrong}), Refuted)
