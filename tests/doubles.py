"""Targets made for a test, and what a statement says of them."""

from contextlib import contextmanager

import pytest

from benchmarks import trials
from properties.harness.checking.properties import arguments_of
from properties.harness.checking.trial import Record


@contextmanager
def trial_of(**offered):
    """A trial of a target with these attributes."""
    with trials.trial_of(offered) as trial:
        trial.record = Record()
        yield trial


def reference_with(**changed):
    """The reference's operations, with some replaced."""
    return trials.reference_with(changed)


def failure_of(statement, operation=None, **changed):
    """How the statement fails on the reference with some operations replaced; None if it holds."""
    with trial_of(**reference_with(**changed)) as trial:
        failure = trials.failure_of(statement, arguments_of(statement, trial.target, operation), trial)
        assert failure or trial.record.comparisons
        return failure


def quick_or_slow(operation, *values):
    """A test's parameter about an operation; those about options and further operations are slow ones."""
    return pytest.param(*values, marks=pytest.mark.slow if trials.is_further(operation) else ())
