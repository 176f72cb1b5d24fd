"""What a target chose is found out, also where it offers little or is limited; and what it leaves out.

Shapes left out by NotImplementedError are mostly not drawn.
"""

from types import SimpleNamespace

import hypothesis
import numpy as np
import pytest
from scipy.signal import correlate2d, fftconvolve

import reference
from properties.harness.checking import conventions
from properties.harness.checking.cases import cases_from
from properties.harness.checking.conventions import examined, explored
from properties.harness.checking.trial import on_trial
from properties.harness.core.setting import Conventions
from properties.harness.target.target import make_target
from properties.layers import convolution
from reference import notebook


def found(**offered):
    """The conventions of a target with these attributes."""
    return conventions.find(make_target(SimpleNamespace(**offered), "double"))


def correlate(image, kernel):
    return correlate2d(image, kernel, "valid")


def correlating_predict(image, kernel, weights):
    return reference.predict(image, np.rot90(kernel, 2), weights)


def correlating_step(image, target, kernel, weights, rate):
    moved, weights = reference.train_step(image, target, np.rot90(kernel, 2), weights, rate)
    return np.rot90(moved, 2), weights


@pytest.mark.parametrize(
    ("offered", "convolution"),
    [
        ({"conv2d": reference.conv2d}, "convolution"),
        ({"conv2d": correlate}, "correlation"),
        ({"conv2d": lambda x, k: fftconvolve(x, k, "valid")}, "convolution"),
        ({"conv2d": correlate, "KERNEL_SHAPES": [(3, 3)], "IMAGE_SHAPES": [(6, 6)]}, "correlation"),
        ({"conv2d": correlate, "KERNEL_SHAPES": [(1, 1)]}, None),
        ({"conv2d_kernel_gradient": lambda x, k, u: correlate2d(x, u, "valid")}, "correlation"),
        ({"conv2d_image_gradient": reference.conv2d_image_gradient}, "convolution"),
        ({"predict": correlating_predict}, "correlation"),
        ({"gradients": reference.gradients}, "convolution"),
        ({"cost": lambda x, t, k, w: reference.cost(x, t, np.rot90(k, 2), w)}, "correlation"),
        ({"cost": reference.cost}, "convolution"),
        ({"train_step": correlating_step}, "correlation"),
        ({"train_step": reference.train_step}, "convolution"),
        ({"cost": lambda x, t, k, w: 2 * reference.cost(x, t, np.rot90(k, 2), w)}, "correlation"),
        ({"conv2d": lambda x, k: -correlate(x, k)}, "correlation"),
        ({"conv2d": lambda x, k: x}, None),
        ({"conv2d": lambda x, k: 1 / 0, "predict": correlating_predict}, "correlation"),
        ({"relu": reference.relu}, None),
    ],
)
def test_convolution(offered, convolution):
    """The first operation that agrees with one of the two decides; none means none was found."""
    assert found(**offered).convolution == convolution


def middle(x, window, upstream):
    """The second of the tied maxima, or the only one."""
    later = x - reference.max_pool_gradient(x, window, np.ones_like(upstream))
    tied = reference.mask_repeat(x, window, np.ones_like(upstream)).sum() > upstream.size
    return reference.max_pool_gradient(later if tied else x, window, upstream)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (reference.max_pool_gradient, "first"),
        (lambda x, w, u: np.flip(reference.max_pool_gradient(np.flip(x), w, np.flip(u))), "last"),
        (reference.mask_repeat, "all"),
        (notebook.max_pool_gradient, "all"),
        (middle, "other"),
        (lambda x, w, u: 1 / 0, None),
    ],
)
def test_ties(rule, name):
    """The rule is recognised from how windows with several maxima share their gradient."""
    assert found(max_pool_gradient=rule).ties == name


def test_even_split():
    """Sharing alike among the maxima is an even split."""

    def split(x, window, upstream):
        weights = reference.mask_repeat(x, window, np.ones_like(upstream))
        sums = weights.reshape(upstream.shape[0], window[0], upstream.shape[1], window[1]).sum(axis=(1, 3))
        return reference.mask_repeat(x, window, upstream / sums)

    assert found(max_pool_gradient=split).ties == "even split"


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_relu_derivative_at_zero(value):
    """The value at 0 is reported as it is."""
    assert found(relu_derivative=lambda x: np.where(x == 0, value, x > 0)).relu_derivative_at_zero == value


def test_nothing_offered_nothing_found():
    """Without the operations there is nothing to find."""
    assert found(arctan=np.arctan) == Conventions()


def only_square(image, kernel):
    """A convolution of square kernels alone."""
    if kernel.shape[0] != kernel.shape[1]:
        raise NotImplementedError
    return reference.conv2d(image, kernel)


def test_what_is_implemented_everywhere_is_asked_little():
    """A target that leaves nothing out keeps its limits, after a few calls."""
    calls = []

    def counting(image, kernel):
        calls.append(kernel.shape)
        return reference.conv2d(image, kernel)

    target = make_target(SimpleNamespace(conv2d=counting), "double")
    assert explored(target) is target
    assert len(calls) <= 25


def test_most_cases_are_within_what_is_implemented():
    """Of a hundred cases about one in nine is left out, where nearly all were without asking."""
    target = explored(make_target(SimpleNamespace(conv2d=only_square), "double"))
    shapes = []

    @hypothesis.settings(phases=[hypothesis.Phase.generate], database=None)
    @hypothesis.given(case=cases_from(convolution.read))
    def collect(case):
        shapes.append(case.first.kernel.shape[2:])

    with on_trial(target, Conventions()):
        collect()
    left_out = sum(height != width for height, width in shapes)
    assert 0 < left_out < 30


def test_grown_shapes_are_asked_for_too():
    """Of the larger shapes of a later round those that are not implemented are mostly not drawn either."""
    target, found = examined(make_target(SimpleNamespace(conv2d=only_square), "double"), growth=2)
    pairs = target.limits.convolutions()
    assert found.convolution == "convolution"
    assert ((6, 6), (12, 12)) in pairs
    assert sum(kernel[0] != kernel[1] for kernel, _ in pairs) < len(pairs) / 4


def test_a_shape_that_one_operation_implements_is_kept():
    """What the gradient implements is drawn, though the convolution leaves it out."""
    offered = SimpleNamespace(conv2d=only_square, conv2d_kernel_gradient=reference.conv2d_kernel_gradient)
    target = make_target(offered, "double")
    assert explored(target) is target


def test_crash_is_not_taken_for_left_out():
    """An operation that raises anything else is left for the properties to judge."""
    target = make_target(SimpleNamespace(conv2d=lambda image, kernel: np.zeros(3)[4]), "double")
    assert explored(target) is target


def test_operation_that_is_nowhere_implemented_is_not_offered():
    """One that raises NotImplementedError whatever it is asked is lacking; one that leaves some shapes out is not."""

    def later(*arguments):
        raise NotImplementedError

    offered = {"relu": later, "dense": later, "max_pool": later, "predict": later, "conv2d": only_square}
    target = make_target(SimpleNamespace(**offered, arctan=np.arctan), "double")
    assert explored(target).operations.keys() == {"conv2d", "arctan"}


@pytest.mark.parametrize(("least", "offered"), [(0.5, {"dense_with_options"}), (np.inf, set())], ids=["one", "none"])
def test_operation_that_is_implemented_with_an_option_alone_is_offered(least, offered):
    """Without its options, or with others, it leaves every case out; it is offered if with some it does not."""

    def dense(features, weights, bias):
        if not np.abs(bias).max() >= least:
            raise NotImplementedError
        return features @ weights + bias

    target = make_target(SimpleNamespace(dense=dense), "double")
    assert explored(target).operations.keys() == offered
    assert explored(target).limits == target.limits
