"""Softmax: what its cases reach, that its oracle is another library's, and what its bounds let through."""

import numpy as np
import pytest
import scipy.special

from properties.harness.core.setting import with_setting
from properties.harness.core.tape import Case, Tape
from properties.layers import LAYERS, OPERATIONS
from properties.layers.further.softmax import FURTHEST, gradient_of, read, read_scaled, smaller, softmax_of, value_of

COUNT = 300


@pytest.fixture(scope="module", name="drawn")
def _drawn():
    generator = np.random.default_rng(0)
    return [read(Tape(generator.bytes(4096))) for _ in range(COUNT)]


def test_cases_reach_every_size_and_spread(drawn):
    """One to three rows of one to six classes, square ones too; logits that overflow, and rows far from each other."""
    shapes = {case.x.shape for case in drawn}
    assert {rows for rows, _ in shapes} == {1, 2, 3}
    assert {classes for _, classes in shapes} == set(range(1, 7))
    assert {(2, 2), (3, 3)} <= shapes
    assert sum(case.x.max() > np.log(np.finfo(float).max) for case in drawn) > COUNT / 8
    assert sum(np.ptp(case.x.max(axis=1)) > 1e3 for case in drawn) > COUNT / 8
    assert any((value_of(case).value == 0).any() for case in drawn)
    assert max(np.abs(case.x).max() for case in drawn) > FURTHEST


def test_upstream_comes_at_every_scale():
    """From 2^-900 to 2^900, of which 1 is the simplest."""
    generator = np.random.default_rng(0)
    sizes = [np.abs(read_scaled(Tape(generator.bytes(4096))).upstream).max() for _ in range(COUNT)]
    assert min(filter(None, sizes)) < 1e-270
    assert max(sizes) > 1e270


def test_oracle_is_scipys(drawn):
    """SciPy's softmax, and its Jacobian as a matrix, agree with the oracle and within its bound."""
    for case in drawn:
        softmax = scipy.special.softmax(case.x, axis=1)
        assert (np.abs(softmax - value_of(case).value) <= value_of(case).allowed).all()
        gradient = [(np.diag(row) - np.outer(row, row)) @ u for row, u in zip(softmax, case.upstream, strict=True)]
        assert (np.abs(np.array(gradient) - gradient_of(case).value) <= gradient_of(case).allowed).all()


def test_long_doubles_are_within_the_bound(drawn):
    """What rounds less is within half the bound."""
    for case in drawn:
        exact = scipy.special.softmax(np.longdouble(case.x), axis=1)
        assert (np.abs(exact - value_of(case).value) <= value_of(case).allowed / 2).all()


def test_logarithms_of_the_sum_are_allowed_and_single_precision_is_not(drawn):
    """`exp(x − log Σ exp)` rounds in units of x, which the bound lets through; float32 is refused in most cases."""
    refused = 0
    for case in drawn:
        by_logarithms = np.exp(case.x - scipy.special.logsumexp(case.x, axis=1, keepdims=True))
        value = value_of(case)
        assert (np.abs(by_logarithms - value.value) <= value.allowed).all()
        single = scipy.special.softmax(np.float32(case.x), axis=1)
        refused += (np.abs(single - value.value) > value.allowed).any()
    assert refused > COUNT / 2
    with with_setting(dtype="float32"):
        single = [scipy.special.softmax(np.float32(case.x), axis=1) for case in drawn]
        values = map(value_of, drawn)
        assert all((np.abs(s - value.value) <= value.allowed).all() for s, value in zip(single, values, strict=True))


def test_oracles_take_points():
    """With a further axis in front, values and bounds are those of each point alone."""
    x, upstream = np.random.default_rng(0).normal(size=(2, 4, 3, 5))
    for name in LAYERS["softmax"].named():
        (together,) = OPERATIONS[name].value(Case(x=x, upstream=upstream))
        for number in range(len(x)):
            (alone,) = OPERATIONS[name].value(Case(x=x[number], upstream=upstream[number]))
            np.testing.assert_array_equal(together.value[number], alone.value)
            np.testing.assert_allclose(together.allowed[number], alone.allowed, rtol=1e-12)


def test_smaller_cases_lose_a_row_or_a_class(drawn):
    """Every array of a smaller case has the same shape, with fewer entries."""
    case = next(case for case in drawn if case.x.shape == (3, 5))
    shapes = {one.x.shape for one in smaller(case)}
    assert shapes == {(2, 5), (3, 4)}
    assert all(one.x.shape == one.upstream.shape for one in smaller(case))


def test_rows_far_apart_sum_to_one():
    """A row 10⁴ below another one is a distribution still."""
    np.testing.assert_allclose(softmax_of(np.array([[0.0, 1.0], [1e4, 1e4]])).sum(axis=1), 1.0)
