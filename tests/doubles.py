"""Targets made for a test, and what a statement says of them."""

import inspect
from contextlib import contextmanager
from types import SimpleNamespace

import reference
from properties.harness import conventions
from properties.harness.contract import OPERATIONS
from properties.harness.statement import reduced
from properties.harness.target import Failure, make_target
from properties.harness.trial import Record, on_trial


@contextmanager
def trial_of(**offered):
    """A trial of a target with these attributes."""
    target = make_target(SimpleNamespace(**offered), "double")
    with on_trial(target, conventions.find(target)) as trial:
        trial.record = Record()
        yield trial


def reference_with(**changed):
    """The reference's operations, with some replaced."""
    return {name: getattr(reference, name) for name in OPERATIONS} | changed


def failure_of(statement, operation=None, **changed):
    """How the statement fails on the reference with some operations replaced; None if it holds."""
    with trial_of(**reference_with(**changed)) as trial:
        offered = trial.target.operations
        named = {name: offered[name] for name in inspect.signature(statement).parameters if name in offered}
        if operation:
            layer = OPERATIONS[operation].layer
            siblings = [other for other in offered.values() if other.signature.layer == layer]
            named = {"operation": offered[operation], "siblings": siblings}
            named = {name: named[name] for name in inspect.signature(statement).parameters}
        try:
            statement(**named)
        except Failure as failure:
            return reduced(statement, named, failure)
        assert trial.record.comparisons
        return None
