"""Points are cases of their own, and the oracle that takes them all at once says of each what the other one says."""

import numpy as np
import pytest

from properties.harness.checking.cases import points_of
from properties.harness.core.setting import Conventions, with_setting
from properties.harness.core.tape import Tape
from properties.layers import OPERATIONS, activations, convolution, dense, layer_of, network_cases, pooling
from properties.layers.convolution import conv2d
from properties.layers.network_cases import is_smooth, read_smooth

COUNT = 64
READERS = (
    activations.read_any,
    activations.read_moderate,
    convolution.read,
    convolution.read_pairs,
    pooling.read,
    pooling.read_tied,
    pooling.read_clear,
    dense.read,
    read_smooth,
    network_cases.read_lively,
    network_cases.read_kinked,
)
SEEDS = range(40)


def many_points(read):
    """Points of many shapes and scales, for the true convolution."""
    generator = np.random.default_rng(0)
    for _ in SEEDS:
        yield points_of(read, generator.bytes(600), COUNT)


@pytest.fixture
def drawn():
    """Points of the smooth network."""
    return list(many_points(read_smooth))


@pytest.mark.parametrize("read", READERS)
def test_each_point_is_the_case_of_its_tape(read):
    """What is read of all tapes at once is what is read of each alone, to the bit."""
    for of_one in many_points(read):
        for number, tape in enumerate(of_one.tapes):
            alone, case = read(Tape(tape.tobytes())), of_one.case(number)
            assert alone.keys() == case.keys()
            for name, value in alone.items():
                assert type(case[name]) is type(value)
                np.testing.assert_array_equal(case[name], value, err_msg=name)


def test_first_point_is_the_one_that_was_drawn():
    """The first tape is the one that Hypothesis shrinks; the others are the same every time, and others than it."""
    data = np.random.default_rng(1).bytes(400)
    once, again = (points_of(read_smooth, data, 3) for _ in range(2))
    assert once.tapes[0].tobytes() == data
    np.testing.assert_array_equal(once.tapes, again.tapes)
    assert len({tape.tobytes() for tape in once.tapes}) == 3


def test_points_lie_off_kinks(drawn):
    """Each of them is settled off ties and zeros, as a case that comes alone is."""
    cases = [of_one.case(number) for of_one in drawn for number in range(COUNT)]
    assert all(is_smooth(conv2d(case.image, case.kernel)) for case in cases)


ALONE = [name for name, one in OPERATIONS.items() if one.where]  # a declared network's cases never come several at once


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name not in ALONE])
@pytest.mark.parametrize("convention", ["convolution", "correlation"])
def test_values_and_bounds_are_those_of_each_point(operation, convention):
    """At every point the answer is what it is for the case alone, and so is its bound."""
    value = OPERATIONS[operation].value
    for of_one in many_points(layer_of(operation).read):
        with with_setting(conventions=Conventions(convention)):
            together = value(of_one.together)
            for number in range(0, COUNT, 9):
                for several, one in zip(together, value(of_one.case(number)), strict=True):
                    allowed = np.broadcast_to(several.allowed, several.value.shape)[number]
                    assert (np.abs(several.value[number] - one.value) <= allowed / 4).all()
                    np.testing.assert_allclose(allowed, np.broadcast_to(one.allowed, allowed.shape), rtol=1e-9)
