"""The properties as a class of tests, for a pytest suite of one's own."""

import re
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest

from ..checking.conventions import examined
from ..checking.properties import Property, all_properties, arguments_of
from ..checking.statement import settled
from ..core.trial import Conventions, on_trial
from ..report.results import finished, plain_lines
from ..target.target import Failure, Target
from ..target.timeouts import DEFAULT_TIMEOUT
from .verdict import judged
from .verify import target_of


def suite(target: Any, *, timeout: float = DEFAULT_TIMEOUT) -> type:
    """A class with a test for each property of this target, named after its id: `test_calls_keeps_the_contract_relu`.

    Dots and brackets become underscores: pytest's `--lf` does not find a name with brackets that are no parameter's.
    `-k` takes the id itself too.

    Two lines in a test module are enough, and pytest's and Hypothesis's own options hold (`-k`, `-x`, `-n`,
    `--lf`, `--hypothesis-profile`, `--hypothesis-seed`)::

        import backproof, my_network
        TestMyNetwork = backproof.suite(my_network)

    `target` is what `verify` takes; a property that does not apply to it is skipped. Raises `CannotLoad`.
    """
    offered, conventions = examined(target_of(target))
    tests = {_name(entry.id): _test(entry, offered, conventions, timeout) for entry in all_properties().values()}
    return type("TestBackpropagation", (), {"__doc__": f"Properties of {offered.name}.", **tests})


def _name(identifier: str) -> str:
    return "test_" + re.sub(r"\W+", "_", identifier).strip("_")


def _test(entry: Property, target: Target, conventions: Conventions, timeout: float) -> Callable[[Any], None]:
    def test(self: Any) -> None:
        arguments = arguments_of(entry.function, target, entry.operation)
        if arguments is None:
            pytest.skip("the target has no " + ", ".join(sorted(set(entry.operations) - target.operations.keys())))
        settings = _settings()
        with on_trial(target, conventions, settings.max_examples) as trial:
            statement = settled(entry.function, settings, None) if entry.is_sampled else entry.function
            try:
                with judged(entry, statement, arguments, timeout):
                    statement(**arguments)
            except Failure as failure:
                result = finished(trial.record, failure, 0.0, entry.operations)
                told = "\n".join(plain_lines(entry.statement, result))
            else:
                return
        pytest.fail(told, pytrace=False)

    test.__doc__ = entry.statement
    setattr(test, entry.id, True)  # where pytest looks for what `-k` may name
    return test


def _settings() -> hypothesis.settings:
    """The user's settings in force; targets may be slow, and a failure is told once, in our words."""
    return hypothesis.settings(
        hypothesis.settings.default,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
