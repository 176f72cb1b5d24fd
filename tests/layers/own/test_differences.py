"""A derivative by differences is as near as it says, off kinks, and says where there is a kink."""

import math

import numpy as np
import pytest

from properties.layers.own.differences import slopes

EPS = float(np.finfo(np.float64).eps)
FUNCTIONS = {
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    "exponential": (np.exp, np.exp),
    "waves": (lambda x: np.sin(20 * x), lambda x: 20 * np.cos(20 * x)),
    "a narrow well": (lambda x: np.log(x * x + 1e-3), lambda x: 2 * x / (x * x + 1e-3)),
    "a steep step": (lambda x: x / np.sqrt(x * x + 1e-5), lambda x: 1e-5 / (x * x + 1e-5) ** 1.5),
    "a cube": (lambda x: x**3, lambda x: 3 * x * x),
    "cancellation": (lambda x: (1 + 1e-6 * x) ** 2 - 1, lambda x: 2e-6 * (1 + 1e-6 * x)),
    "a saturated sigmoid": (lambda x: 1 / (1 + np.exp(-8 * x)), lambda x: 8 / (2 + np.exp(8 * x) + np.exp(-8 * x))),
}


def found_at(function, x):
    """The slopes of a function at x, with a noise of a few units of what it adds up."""

    def along(step):
        value = float(function(np.float64(x + step)))
        return value, 8 * EPS * abs(value)

    ends = (x, x + 0.125, x - 0.125)
    noise = 4 * max(abs(float(function(end)) - float(function(end * (1 + EPS)))) for end in ends) + 4 * EPS
    return slopes(along, noise, 1.0)


@pytest.mark.parametrize(("function", "derivative"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_error_is_no_larger_than_it_says(function, derivative):
    """At a thousand points, near 0 and far from it, the derivative lies within the error that is claimed."""
    generator = np.random.default_rng(1)
    for number in range(1000):
        x = float(generator.normal() * 10.0 ** generator.integers(-4, 1)) if number % 2 else number % 64 / 16 - 2
        found = found_at(function, x)
        assert found.is_kink or not found.central.excludes(float(derivative(x)), 1e-300)


@pytest.mark.parametrize("name", ["tanh", "exponential", "waves", "a cube", "a saturated sigmoid"])
def test_error_is_small(name):
    """For smooth functions the claim is below 1e-9 of what is added up, for nineteen points of twenty."""
    claims = [found_at(FUNCTIONS[name][0], x).central.error for x in np.linspace(-2, 2, 101)]
    assert np.quantile(claims, 0.95) < 1e-9 * 8


@pytest.mark.parametrize("slope", [1.0, 1e-3, 1e6])
def test_kink_is_seen_from_both_sides(slope):
    """At a kink the two one-sided derivatives are given; next to it there is none."""
    found = found_at(lambda x: slope * np.maximum(x, 0), 0.0)
    assert found.is_kink
    assert found.ends == pytest.approx((0, slope), rel=1e-6)
    assert not found_at(lambda x: slope * np.maximum(x, 0), 0.3).is_kink


def test_beyond_the_domain_nothing_is_taken():
    """Where a function has no value, smaller steps are taken."""

    def along(step):
        x = 0.01 + step
        return (math.log(x), 8 * EPS * abs(math.log(x))) if x > 0 else (math.nan, 0.0)

    found = slopes(along, 8 * EPS * 5, 100.0).central
    assert not found.excludes(100.0)
    assert found.error < 1e-6
