"""Comparisons pass what is within the bound, refuse the next number beyond it, and say so in these words."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from properties.harness.checking.comparison import agree, agree_at, agreeing, require
from properties.harness.core.reason import Difference
from properties.harness.core.tape import Case
from properties.harness.core.text import encoded
from properties.harness.core.values import Value, exactly
from properties.harness.target.operation import Refuted
from properties.harness.target.target import make_target
from properties.layers import OPERATIONS
from tests.doubles import trial_of

EPS = np.finfo(np.float64).eps


@pytest.fixture
def trial():
    """A trial of a target in double precision."""
    with trial_of(relu=np.abs) as trial:
        yield trial


def test_error_within_the_bound_passes_and_is_recorded(trial):
    """Four units of rounding off one entry pass, count as comparisons, and are the largest error."""
    agree(np.array([1.0, 2.0 + 8 * EPS]), exactly(np.array([1.0, 2.0])), "the gradient")
    assert trial.record.comparisons == 2
    assert trial.record.largest_error == 4.0


def test_error_beyond_the_bound_is_refused(trial):
    """Five units are refused, with the count of entries, the first of them, the error and the bound."""
    yours = np.array([[1.0, 2.0], [3.0, 8.0]])
    with pytest.raises(Refuted) as caught:
        agree(yours, exactly(np.array([[1.0, 2.0], [4.0, 4.0]])), "the gradient")
    assert str(caught.value) == "the gradient: 2 of 4 entries differ, first at (1, 0): off by 1, allowed 3.55e-15"
    assert caught.value.yours is yours
    with pytest.raises(Refuted, match=r"off by 1\.11e-15, allowed 8\.88e-16"):
        agree(np.array([1.0 + 5 * EPS]), exactly(np.array([1.0])), "the gradient")


def test_wrong_entries_are_told(trial):
    """A refusal says in which entries the answer is wrong; those that are off by no more than allowed are not."""
    yours = np.array([[1.0, 2.0 + EPS], [3.0, np.nan]])
    with pytest.raises(Refuted) as caught:
        agree(yours, exactly(np.array([[1.0, 2.0], [4.0, 4.0]])), "the gradient")
    np.testing.assert_array_equal(caught.value.wrong, [[False, False], [True, True]])


def test_errors_are_counted_by_powers_of_two(trial):
    """Every entry compared counts: as exact, or by the power of two of units that its error is below."""
    right = np.ones(5)
    agree(right + EPS * np.array([0.0, 0.0, 1.0, -0.5, 3.0]), exactly(right), "the gradient")
    assert trial.record.tried["errors"] == {0.0: 2, 1.0: 1, 2.0: 1, 4.0: 1}


def test_scalars_are_compared_alike(trial):
    """A number is one entry, and has no place to name."""
    with pytest.raises(Refuted) as caught:
        agree(1.5, Value(1.0, 4, 1.0), "the cost")
    assert str(caught.value) == "the cost: 1 of 1 entry differs: off by 0.5, allowed 8.88e-16"
    assert caught.value.difference == Difference("the cost", 1, 1, (), 0.5, 4 * 2.0**-52)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_never_agrees(trial, bad):
    """NaN and infinities are refused, whatever the bound."""
    with pytest.raises(Refuted, match="1 of 1 entry differs") as caught:
        agree(np.array([bad]), Value(np.array([1.0]), 1e300, 1.0), "the gradient")
    assert caught.value.difference.off == encoded(abs(bad))


def test_shapes_are_never_broadcast(trial):
    """A row that would broadcast to the matrix is refused."""
    with pytest.raises(Refuted, match=r"the gradient has shape \(1, 2\), not \(2, 2\)"):
        agree(np.ones((1, 2)), exactly(np.ones((2, 2))), "the gradient")


def test_bound_scales_with_the_precision():
    """What float64 refuses passes for a target that says float32, up to its own four units."""
    with trial_of(relu=np.abs, DTYPE="float32"):
        agree(np.array([1.0 + 4 * 2.0**-23]), exactly(np.array([1.0])), "the gradient")
        with pytest.raises(Refuted):
            agree(np.array([1.0 + 5 * 2.0**-23]), exactly(np.array([1.0])), "the gradient")


def test_underflow_may_lose_the_floor(trial):
    """An error as large as the floor passes and is not counted as rounding."""
    agree(np.array([0.0]), Value(np.array([1e-310]), 4, 0.0, 1e-308), "the value")
    assert trial.record.largest_error == 0.0


def test_require_counts_and_refuses(trial):
    """A requirement is one comparison, and its failure has both sides."""
    require(True, "holds", yours=1, expected=1)
    with pytest.raises(Refuted, match="does not hold") as caught:
        require(False, "does not hold", yours=1, expected=2)
    assert (trial.record.comparisons, caught.value.yours, caught.value.expected) == (2, 1, 2)


ONE = Case(image=np.ones((1, 1, 1, 2)), kernel=np.ones((1, 1, 1, 1)))
POINTS = Case(image=np.ones((3, 1, 1, 1, 2)), kernel=np.ones((3, 1, 1, 1, 1)))


def answering(*answers):
    """A convolution that gives these answers, one after the other, then right ones."""
    given = iter(answers)
    return lambda image, kernel: next(given, image * kernel)


def operation_of(function):
    """The operation that a function is."""
    return make_target(SimpleNamespace(conv2d=function), "double").operations["conv2d"]


ALLOWED = float(OPERATIONS["conv2d"].value(ONE)[0].allowed)


def test_points_that_agree_are_told_and_recorded(trial):
    """Of answers at three points the second is beyond its bound: the other two agree, and they alone are recorded."""
    ones = np.ones((1, 2))
    wrong = answering(*(ones + np.array([0.0, share * ALLOWED]) for share in (0.9, 1.1, 0.0)))
    np.testing.assert_array_equal(agreeing(operation_of(wrong), POINTS), [True, False, True])
    assert trial.record.comparisons == 4
    assert trial.record.largest_error == pytest.approx(0.9 * ALLOWED / (EPS * np.sqrt(2)), rel=0.05)
    assert sum(trial.record.tried["errors"].values()) == 4
    assert trial.record.tried["errors"][0.0] == 3


@pytest.mark.parametrize("form", [list, lambda answer: answer.astype(object), lambda answer: answer[None]])
def test_answers_of_another_form_are_told_as_alone(trial, form):
    """What is no array of the right shape is judged at each point as it is alone: lists pass, others are refuted."""
    operation = operation_of(lambda image, kernel: form(image * kernel))
    try:
        alone = operation.at(POINTS.taken(0)).shape
    except Refuted as refuted:
        with pytest.raises(Refuted, match=re.escape(str(refuted))):
            agreeing(operation, POINTS)
    else:
        assert alone == (1, 1, 1, 2)
        np.testing.assert_array_equal(agreeing(operation, POINTS), [True, True, True])


def test_points_of_a_shape_are_held_together_or_one_by_one(trial):
    """Right answers hold, a wrong one is refuted on its own case, and one that is wrong once does not pass."""
    case = Case(ONE)
    images = [np.full((1, 1, 1, 2), value) for value in (1.0, 2.0)]
    points = Case({name: np.stack([value, value]) for name, value in ONE.items()}, image=np.stack(images))
    agree_at(operation_of(lambda image, kernel: image * kernel), case, points, 2)
    assert trial.record.comparisons == 4
    with pytest.raises(Refuted, match="conv2d: 2 of 2 entries differ"):
        agree_at(operation_of(lambda image, kernel: np.ones((1, 2))), case, points, 2)
    np.testing.assert_array_equal(case.image, [[[[2.0, 2.0]]]])
    with pytest.raises(Refuted, match="right when it was asked for again"):
        agree_at(operation_of(answering(np.zeros((1, 2)))), case, points, 2)
