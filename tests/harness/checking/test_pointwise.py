"""Points are cases of their own, and the oracle that takes them all at once says of each what the other one says."""

from functools import partial

import numpy as np
import pytest
from properties.harness.core.cases import (
    points,
    read_activation,
    read_convolution,
    read_dense,
    read_moderate,
    read_pooling,
)
from properties.layers.oracles import conv2d

from properties.harness.checking import pointwise
from properties.harness.checking.trial import on_trial
from properties.harness.core.setting import Conventions
from properties.harness.core.tape import Tape
from properties.layers import bounds
from properties.layers.network_cases import is_smooth, read_kinked, read_smooth
from tests.doubles import trial_of

COUNT = 64
READERS = (
    read_activation,
    read_moderate,
    read_convolution,
    partial(read_convolution, second=True),
    read_pooling,
    partial(read_pooling, maxima="tied"),
    partial(read_pooling, maxima="unique", clear=True),
    read_dense,
    read_smooth,
    partial(read_smooth, lively=True),
    read_kinked,
)
SEEDS = range(40)


def points_of(read):
    """Points of many shapes and scales, for the true convolution."""
    generator = np.random.default_rng(0)
    with trial_of(relu=np.abs):
        for _ in SEEDS:
            yield points(read, generator.bytes(600), COUNT)


@pytest.fixture
def drawn():
    """Points of the smooth network."""
    return list(points_of(read_smooth))


@pytest.mark.parametrize("read", READERS)
def test_each_point_is_the_case_of_its_tape(read):
    """What is read of all tapes at once is what is read of each alone, to the bit."""
    for of_one in points_of(read):
        for number, tape in enumerate(of_one.tapes):
            alone, case = read(Tape(tape.tobytes())), of_one.case(number)
            assert alone.keys() == case.keys()
            for name, value in alone.items():
                assert type(case[name]) is type(value)
                np.testing.assert_array_equal(case[name], value, err_msg=name)


def test_first_point_is_the_one_that_was_drawn():
    """The first tape is the one that Hypothesis shrinks; the others are the same every time, and others than it."""
    with trial_of(relu=np.abs):
        data = np.random.default_rng(1).bytes(400)
        once, again = (points(read_smooth, data, 3) for _ in range(2))
        assert once.tapes[0].tobytes() == data
        np.testing.assert_array_equal(once.tapes, again.tapes)
        assert len({tape.tobytes() for tape in once.tapes}) == 3


def test_points_lie_off_kinks(drawn):
    """Each of them is settled off ties and zeros, as a case that comes alone is."""
    cases = [of_one.case(number) for of_one in drawn for number in range(COUNT)]
    assert all(is_smooth(conv2d(case.image, case.kernel)) for case in cases)


@pytest.mark.parametrize("operation", pointwise.OF)
@pytest.mark.parametrize("convention", ["convolution", "correlation"])
def test_values_and_bounds_are_those_of_each_point(operation, convention):
    """At every point the answer is what the oracle for one case gives, and so is its bound."""
    for of_one in points_of(read_smooth if operation == "gradients" else read_convolution):
        with trial_of(relu=np.abs) as trial, on_trial(trial.target, Conventions(convolution=convention)):
            together = pointwise.OF[operation](of_one.together)
            for number in range(0, COUNT, 9):
                for several, one in zip(together, bounds.of(operation, of_one.case(number)), strict=True):
                    allowed = np.broadcast_to(several.allowed, several.value.shape)[number]
                    assert (np.abs(several.value[number] - one.value) <= allowed / 4).all()
                    np.testing.assert_allclose(allowed, np.broadcast_to(one.allowed, allowed.shape), rtol=1e-9)
