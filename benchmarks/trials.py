"""Statements run directly on targets made in Python, without pytest: for measurements and for the suite's own tests."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hypothesis

import reference
from properties import further
from properties.harness.checking.conventions import examined
from properties.harness.checking.properties import Property, all_properties, arguments_of
from properties.harness.checking.statement import FailedElsewhere, reduced, replayed, settled
from properties.harness.checking.trial import DEFAULT_EXAMPLES, Record, Trial, on_trial
from properties.harness.core.limits import NotApplicable
from properties.harness.core.setting import with_setting
from properties.harness.run.plugin import PROFILE, register_profile
from properties.harness.target.operation import Failure, options_of
from properties.harness.target.target import make_target
from properties.layers import LAYERS, OPERATIONS
from properties.mistakes.right import single

FURTHER_LAYERS = {file.stem for file in Path(further.__file__).parent.glob("*.py")}
_seed = 0


def is_further(operation: str) -> bool:
    """Whether an operation is one with options, or a further one."""
    layer = LAYERS[OPERATIONS[operation].layer]
    return (layer.statements or layer.name) in FURTHER_LAYERS


def settle(examples: int = 100, seed: int = 0, shrinks: bool = True) -> None:
    """Give statements so many examples of this seed, without a database; `shrinks` or stop at the first failure.

    Other Hypothesis tests that are defined after it get the same examples every time.
    """
    global _seed
    register_profile(examples)
    phases = [hypothesis.Phase.generate, *([hypothesis.Phase.shrink] if shrinks else [])]
    base = hypothesis.settings.get_profile(PROFILE)
    hypothesis.settings.register_profile("trials", base, database=None, derandomize=True, phases=phases)
    hypothesis.settings.load_profile("trials")
    _seed = seed


def reference_with(changed: Mapping[str, Any]) -> dict[str, Any]:
    """The reference's operations, or else right ones, with some replaced and some attributes added."""
    return {name: getattr(reference, name, None) or single(name) for name in OPERATIONS} | dict(changed)


@contextmanager
def trial_of(offered: Mapping[str, Any], examples: int = DEFAULT_EXAMPLES) -> Iterator[Trial]:
    """A trial of a target with these attributes, examined as the command does, of so many examples a property."""
    with on_trial(*examined(make_target(SimpleNamespace(**offered), "double")), examples, seed=_seed) as trial:
        yield trial


def failure_of(statement: Callable[..., None], arguments: dict[str, Any], trial: Trial) -> Failure | None:
    """How a statement fails, on the smallest case that can be found; None if it holds or does not apply."""
    trial.record = Record()
    if getattr(statement, "is_hypothesis_test", False):
        statement = settled(statement, hypothesis.settings.default)
    try:
        with with_setting(options=options_of(arguments.values())):
            try:
                try:
                    statement(**arguments)
                except FailedElsewhere as elsewhere:
                    replayed(statement, arguments, elsewhere.tape)
            except Failure as failure:
                return reduced(statement, arguments, failure)
    except NotApplicable:
        return None
    except hypothesis.errors.Unsatisfiable:
        if not trial.record.left_out:
            raise
    return None


def failures(
    trial: Trial, changed: Iterable[str], wanted: Callable[[Property], bool] = lambda entry: True
) -> Iterator[tuple[Property, Failure | None]]:
    """Each wanted property that names a changed operation and applies, and how it fails, one after the other."""
    names = set(changed)
    for entry in all_properties().values():
        arguments = arguments_of(entry.function, trial.target, entry.operation)
        if names.intersection(entry.operations) and wanted(entry) and arguments is not None:
            yield entry, failure_of(entry.function, arguments, trial)
