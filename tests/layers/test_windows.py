"""What tells a wrong answer from all that are right, where many are."""

import numpy as np
import pytest

from properties.harness.core.tape import Case
from properties.layers.base.windows import faults, separated

UPSTREAM = np.array([[[[2.0, -1.0]]]])
TIED = Case(x=np.array([[[[3.0, 3.0, 1.0, 1.0], [0.0, 3.0, 1.0, 0.0]]]]), window=(2, 2), upstream=UPSTREAM)
RIGHT = {
    "the first": [[2.0, 0.0, -1.0, 0.0], [0.0, 0.0, 0.0, 0.0]],
    "even": [[0.5, 0.5, -0.5, -0.25], [0.0, 1.0, -0.25, 0.0]],
}
WRONG = {
    "off the maxima": [[2.0, 0.0, -1.0, 0.0], [2.0**-30, 0.0, 0.0, 0.0]],
    "the whole to each": [[2.0, 2.0, -1.0, 0.0], [0.0, 2.0, 0.0, 0.0]],
    "nothing": [[0.0, 0.0, -1.0, 0.0], [0.0, 0.0, 0.0, 0.0]],
    "a weight below 0": [[3.0, -1.0, -1.0, 0.0], [0.0, 0.0, 0.0, 0.0]],
    "weights beyond 1": [[2.0, 0.0, -2.0, 2.0], [0.0, 0.0, -1.0, 0.0]],
}


@pytest.mark.parametrize("gradient", RIGHT.values(), ids=RIGHT)
def test_subgradient_is_not_separated(gradient):
    """Any way to share a window's upstream value out among its maxima is right."""
    assert separated(np.array([[gradient]]), TIED) is None
    assert not any(faults(np.array([[gradient]]), TIED))


@pytest.mark.parametrize("gradient", WRONG.values(), ids=WRONG)
def test_direction_tells_a_wrong_gradient_from_every_right_one(gradient):
    """Its inner product with the direction is less than that of any right one, by more than what is allowed."""
    assert any(faults(np.array([[gradient]]), TIED))
    found = separated(np.array([[gradient]]), TIED)
    assert np.sum(found.direction * gradient) < found.least - found.allowed
    for right in [*RIGHT.values(), found.expected]:
        assert np.sum(found.direction * right) >= found.least


def test_gradient_of_nothing_is_nothing():
    """Where upstream is 0 a gradient of sum 0 is wrong too unless it is 0."""
    case = Case(x=np.ones((1, 1, 1, 2)), window=(1, 2), upstream=np.zeros((1, 1, 1, 1)))
    for gradient, is_legal in (([[[[1.0, -1.0]]]], False), ([[[[0.0, 0.0]]]], True)):
        assert (separated(np.array(gradient), case) is None) == is_legal
        assert any(faults(np.array(gradient), case)) != is_legal
