"""The pytest plugin: hands a target's operations to the statements that name them, and keeps what came of each.

`python -m properties` loads it; plain pytest does with `-p properties.harness.plugin --target TARGET`.
"""

import gc
import inspect
import os
import re
import time
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis.database import DirectoryBasedExampleDatabase

from properties.harness.catalogue import Property, all_properties
from properties.harness.contract import OPERATIONS
from properties.harness.conventions import examined
from properties.harness.diagnosis import explained
from properties.harness.known import held_to, read_known
from properties.harness.limits import Limits, NotApplicable
from properties.harness.report import DEFAULT_EXAMPLES
from properties.harness.results import FAILING, explanation, finished
from properties.harness.statement import reduced
from properties.harness.target import CannotLoad, Failure, Operation
from properties.harness.trial import Record, current, on_trial

PROFILE = "backproof"
_STACK = pytest.StashKey[ExitStack]()
_STARTED = pytest.StashKey[float]()
_KNOWN = pytest.StashKey[dict[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("backproof")
    group.addoption("--target", metavar="TARGET", help="module, module:attribute or path to a .py file to check")
    group.addoption("--examples", type=int, default=DEFAULT_EXAMPLES, metavar="N", help="examples per property")
    group.addoption("--seed", type=int, metavar="N", help="seed of every property; failures kept are still tried first")
    group.addoption("--known", metavar="FILE", help="known deviations: one id and its reason per line")


def pytest_configure(config: pytest.Config) -> None:
    register_profile(config.getoption("--examples"), config.getoption("--target"))
    if not config.getoption("--hypothesis-profile", None):
        hypothesis.settings.load_profile(PROFILE)
    try:
        config.stash[_KNOWN] = read_known(config.getoption("--known"))
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    if spec := config.getoption("--target"):
        try:
            target, conventions = examined(spec)
        except CannotLoad as error:
            raise pytest.UsageError(str(error)) from None
        stack = config.stash[_STACK] = ExitStack()
        stack.enter_context(on_trial(target, conventions))


def pytest_unconfigure(config: pytest.Config) -> None:
    if stack := config.stash.get(_STACK, None):
        stack.close()


def register_profile(examples: int, target: str | None) -> None:
    """Hypothesis's settings for statements: no deadline, since targets may be slow; nothing is printed.

    Failures are kept for each target by itself, so that none decides what is tried on another.
    """
    home = Path(os.environ.get("HYPOTHESIS_STORAGE_DIRECTORY", ".hypothesis"))
    folder = home / "examples" / re.sub(r"\W+", "-", target or "none")
    hypothesis.settings.register_profile(
        PROFILE,
        hypothesis.settings.get_profile("default"),  # not the profile that Hypothesis loads where CI is set
        database=DirectoryBasedExampleDatabase(folder),
        max_examples=examples,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.reuse, hypothesis.Phase.generate, hypothesis.Phase.shrink],
        suppress_health_check=list(hypothesis.HealthCheck),
    )


def _offered(name: str) -> Operation:
    operations = current().target.operations
    if name not in operations:
        pytest.skip(f"the target has no {name}")
    return operations[name]


def _fixture(name: str) -> Any:
    @pytest.fixture(scope="session", name=name)
    def operation() -> Operation:
        return _offered(name)

    return operation


globals().update({f"_{name}": _fixture(name) for name in OPERATIONS})


@pytest.fixture(scope="session")
def operation(request: pytest.FixtureRequest) -> Operation:
    """Each operation in turn, for the statements about all."""
    return _offered(request.param)


@pytest.fixture(scope="session")
def siblings(operation: Operation) -> list[Operation]:
    """All operations of the same layer that the target offers."""
    offered = current().target.operations.values()
    return [other for other in offered if other.signature.layer == operation.signature.layer]


def _property(item: pytest.Item) -> Property | None:
    """The property that a test is; None for any other test of the session."""
    package, _, stem = getattr(getattr(item, "module", None), "__name__", "").rpartition(".")
    return all_properties().get(f"{stem}.py::{item.name}") if package == "properties" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the first statement about every operation, then the second of each, so that a failure shows early.

    `-k` may name a property by its id.
    """
    seed = config.getoption("--seed")
    told: Counter[str] = Counter()
    ranks = {}
    for item in items:
        if entry := _property(item):
            item.extra_keyword_matches.add(entry.id)
            ranks[item.nodeid] = told[entry.operation]
            told[entry.operation] += 1
            if seed is not None and getattr(item.obj, "is_hypothesis_test", False):  # type: ignore[attr-defined]
                # what hypothesis.seed sets, without its side effect: that one turns the database off
                item.obj._hypothesis_internal_use_seed = seed  # type: ignore[attr-defined]
    items.sort(key=lambda item: ranks.get(item.nodeid, 0))


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()  # what was imported stays: collections while properties run then skip it


def pytest_runtest_setup() -> None:
    current().record = Record()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    if not _property(item):
        return (yield)
    record = current().record
    item.stash[_STARTED] = time.perf_counter()
    try:
        yield
    except Failure as failure:
        operations = {name: item.funcargs[name] for name in inspect.signature(item.obj).parameters}  # type: ignore[attr-defined]
        raise explained(reduced(item.obj, operations, failure), operations.values()) from None  # type: ignore[attr-defined]
    except NotApplicable as error:
        pytest.skip(str(error))
    except hypothesis.errors.Unsatisfiable:
        if not record.left_out:
            raise
    if record.left_out and not record.examples:
        pytest.skip("the target leaves out every case")
    if not record.comparisons and current().target.limits != Limits():
        pytest.skip("the supported shapes leave nothing to compare")
    if not record.comparisons:
        raise AssertionError("this property compared nothing: a defect of the suite")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    entry = _property(item)
    if entry and (call.when == "call" or (call.when == "setup" and not report.passed)):
        seconds = time.perf_counter() - item.stash.get(_STARTED, time.perf_counter())
        error = call.excinfo.value if call.excinfo else None
        result = finished(current().record, error, seconds, entry.operations)
        held_to(item.config.stash[_KNOWN].get(entry.id), result)
        report.backproof = result  # type: ignore[attr-defined]
        if result["outcome"] == "known":
            report.outcome, report.wasxfail = "skipped", result["message"]
        elif result["outcome"] in FAILING:
            lines = [f"{label:12}{text}" for label, text in explanation(result)]
            report.outcome, report.longrepr = "failed", "\n".join([entry.statement, *lines])
    return report
