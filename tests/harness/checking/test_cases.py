"""Points are cases of their own, and the oracle that takes them all at once says of each what the other one says."""

from itertools import islice

import numpy as np
import pytest

from properties.harness.checking.cases import Points
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
        yield Points(read, generator.bytes(600)).together("", COUNT)


@pytest.fixture
def drawn():
    """Points of the smooth network."""
    return list(many_points(read_smooth))


@pytest.mark.parametrize("read", READERS)
def test_each_point_is_the_case_of_its_tape(read):
    """What is read of all tapes at once is what is read of each alone, to the bit."""
    for together, tapes in many_points(read):
        for number, tape in enumerate(tapes):
            alone, case = read(Tape(tape.tobytes())), together.taken(number)
            assert alone.keys() == case.keys()
            for name, value in alone.items():
                assert type(case[name]) is type(value)
                np.testing.assert_array_equal(case[name], value, err_msg=name)


def test_first_point_is_the_one_that_was_drawn():
    """The first tape is the one that Hypothesis shrinks; the others are the same every time, and others than it."""
    points = Points(read_smooth, np.random.default_rng(1).bytes(400))
    once, again = (list(islice(points.tapes(""), 3)) for _ in range(2))
    assert once[0] == points.drawn
    assert once == again
    assert len(set(once)) == 3


def test_other_streams_have_other_points():
    """Another property or seed derives other tapes, also from the zeros that each run of Hypothesis begins with."""
    points = Points(read_smooth, bytes(400))
    one, other = (list(islice(points.tapes(stream), 3)) for stream in ("seed 0", "seed 1"))
    assert one[0] == other[0]
    assert not set(one[1:]) & set(other)


def test_points_lie_off_kinks(drawn):
    """Each of them is settled off ties and zeros, as a case that comes alone is."""
    cases = [together.taken(number) for together, _ in drawn for number in range(COUNT)]
    assert all(is_smooth(conv2d(case.image, case.kernel)) for case in cases)


ALONE = [name for name, one in OPERATIONS.items() if one.where]  # a declared network's cases never come several at once


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name not in ALONE])
@pytest.mark.parametrize("convention", ["convolution", "correlation"])
def test_values_and_bounds_are_those_of_each_point(operation, convention):
    """At every point the answer is what it is for the case alone, and so is its bound."""
    value = OPERATIONS[operation].value
    for cases, _ in many_points(layer_of(operation).read):
        with with_setting(conventions=Conventions(convention)):
            together = value(cases)
            for number in range(0, COUNT, 9):
                for several, one in zip(together, value(cases.taken(number)), strict=True):
                    allowed = np.broadcast_to(several.allowed, several.value.shape)[number]
                    assert (np.abs(several.value[number] - one.value) <= allowed / 4).all()
                    np.testing.assert_allclose(allowed, np.broadcast_to(one.allowed, allowed.shape), rtol=1e-9)
