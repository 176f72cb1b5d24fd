"""What tells a wrong answer from all that are right, where many are."""

import numpy as np
import pytest
from properties.layers.membership import wrong

from properties.harness.core.tape import Case
from properties.layers.subgradients import separated

UPSTREAM = np.array([[2.0, -1.0]])
TIED = Case(x=np.array([[3.0, 3.0, 1.0, 1.0], [0.0, 3.0, 1.0, 0.0]]), window=(2, 2), upstream=UPSTREAM)
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
    assert wrong("max_pool_gradient", TIED, np.array(gradient)) is None


@pytest.mark.parametrize("gradient", WRONG.values(), ids=WRONG)
def test_direction_tells_a_wrong_gradient_from_every_right_one(gradient):
    """Its inner product with the direction is less than that of any right one, by more than what is allowed."""
    found = separated("max_pool_gradient", np.array(gradient), TIED)
    assert np.sum(found.direction * gradient) < found.least - found.allowed
    for right in [*RIGHT.values(), found.expected]:
        assert np.sum(found.direction * right) >= found.least


def test_gradient_of_nothing_is_nothing():
    """Where upstream is 0 a gradient of sum 0 is wrong too unless it is 0."""
    case = Case(x=np.array([[1.0, 1.0]]), window=(1, 2), upstream=np.array([[0.0]]))
    assert separated("max_pool_gradient", np.array([[1.0, -1.0]]), case)
    assert separated("max_pool_gradient", np.array([[0.0, 0.0]]), case) is None
