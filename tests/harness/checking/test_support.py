"""Shapes that a target leaves out by NotImplementedError are found out, and mostly not drawn."""

from types import SimpleNamespace

import hypothesis
import numpy as np
from properties.harness.core.cases import convolution_cases

import reference
from properties.harness.checking.conventions import examined, explored
from properties.harness.checking.trial import on_trial
from properties.harness.core.setting import Conventions
from properties.harness.target.target import make_target


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
    @hypothesis.given(case=convolution_cases)
    def collect(case):
        shapes.append(case.kernel.shape)

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
