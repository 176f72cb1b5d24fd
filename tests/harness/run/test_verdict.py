"""A glance finds what fails on a few examples, and leaves no trace."""

import hypothesis
import numpy as np
import pytest

import reference
from properties.harness.checking.properties import all_properties
from properties.harness.checking.statement import settled
from properties.harness.checking.trial import Record
from properties.harness.run.verdict import fails_at_once
from tests.doubles import trial_of


def glance(identifier, **offered):
    """What a glance at a property of a target says, and the record after it."""
    with trial_of(**offered) as trial:
        entry = next(one for one in all_properties().values() if one.id == identifier)
        settings = hypothesis.settings.default
        statement = settled(entry.function, settings) if entry.is_sampled else entry.function
        return fails_at_once(entry, statement, 60.0), trial.record


@pytest.mark.parametrize("identifier", ["activations.relu_is_the_positive_part", "calls.holds_at_a_larger_size[relu]"])
def test_wrong_formula_fails_at_once(identifier):
    """Sampled or not, what fails on the first cases is seen, and what holds is not."""
    assert glance(identifier, relu=lambda x: np.where(x > 0, x, 0.01 * x))[0]
    assert not glance(identifier, relu=reference.relu)[0]


def test_others_are_left():
    """Not glanced at is what is exhaustive, holds operations against each other, or speaks of what the target lacks."""
    assert not glance("exact.relu_on_its_three_cases", relu=np.abs)[0]
    assert not glance("activations.relu_derivative_matches_differences", relu=np.abs, relu_derivative=np.sign)[0]
    assert not glance("activations.smooth_activation_is_symmetric_and_bounded[arctan]", relu=np.abs)[0]


def test_nothing_is_recorded():
    """The record of the property's own run begins empty."""
    assert glance("activations.relu_is_the_positive_part", relu=np.abs)[1] == Record()
