"""The pytest plugin: hands a target's operations to the statements that name them, and keeps what came of each.

`python -m backproof` loads it; plain pytest does with `-p backproof.harness.run.plugin --target TARGET`.
"""

import gc
import inspect
import os
import time
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack
from typing import Any
from warnings import WarningMessage

import hypothesis
import pytest
from hypothesis.database import (
    BackgroundWriteDatabase,
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    MultiplexedDatabase,
)
from msgspec import to_builtins

from ...layers import OPERATIONS, layer_of
from ..checking.conventions import examined, look_of, with_look
from ..checking.properties import PACKAGE, Property, all_properties, names_about, nodeid_of, siblings_of
from ..checking.statement import settled
from ..checking.trial import DEFAULT_EXAMPLES, Record, current, on_trial
from ..core.shards import WHOLE, examples_of, name_of, shard_of
from ..core.text import last_line
from ..report.known import KNOWN, held_to, may_follow, read_known
from ..report.results import finished, plain_lines
from ..target.operation import Operation
from ..target.process_state import counted
from ..target.target import CannotLoad, load
from ..target.timeouts import CALL_SHARE, DEFAULT_TIMEOUT, WATCH
from .database import FAILED, IN_ALL, SharedDatabase, SharingTrouble, address_of, storage
from .verdict import FAILED_LAST, judged

PROFILE = "backproof"
_STACK = pytest.StashKey[ExitStack]()
_STARTED = pytest.StashKey[float]()
_LOOK = "backproof look"
_WARNED = pytest.StashKey[dict[str, int]]()
_SHARED = pytest.StashKey[SharedDatabase]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("backproof")
    group.addoption("--target", metavar="TARGET", help="module, module:attribute or path to a .py file to check")
    group.addoption("--examples", type=int, default=DEFAULT_EXAMPLES, metavar="N", help="examples per property")
    group.addoption("--seed", type=int, metavar="N", help="seed of every property; failures kept are still tried first")
    group.addoption(
        "--property-timeout", type=float, default=DEFAULT_TIMEOUT, metavar="S", help="seconds that a property may take"
    )
    group.addoption("--shard", type=shard_of, default=WHOLE, metavar="I/N", help="this part of the campaign alone")
    group.addoption("--round", type=int, default=1, metavar="K", help="this round of the campaign alone")
    group.addoption("--known", metavar="FILE", help="known deviations: one id and its reason per line")
    group.addoption("--database", type=address_of, metavar="URL", help="share failures on this Redis server")


def pytest_configure(config: pytest.Config) -> None:
    examples, shard = config.getoption("--examples"), config.getoption("--shard")
    if shard[1] > examples:
        raise pytest.UsageError(f"--shard {name_of(shard)}: {examples} examples are too few for {shard[1]} shards")
    spec = config.getoption("--target")
    if spec and current().target.name != spec:
        try:
            with WATCH.over("a first look", config.getoption("--property-timeout")):
                look = getattr(config, "workerinput", {}).get(_LOOK)
                target, conventions = (
                    with_look(load(spec), look) if look else examined(load(spec), config.getoption("--round") - 1)
                )
        except CannotLoad as error:
            raise pytest.UsageError(str(error)) from None
        stack = config.stash[_STACK] = ExitStack()
        carried = 1 if config.option.collectonly else examples  # a fuzzer calls a statement for one case at a time
        stack.enter_context(on_trial(target, conventions, carried, shard, config.getoption("--seed")))
    try:
        config.stash[KNOWN] = read_known(config.getoption("--known"))
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    if address := config.getoption("--database"):
        patience = min(config.getoption("--property-timeout") * CALL_SHARE, IN_ALL)
        target = current().target  # of a size of cases: one of another would be taken for none
        name = f"{target.name}:{target.limits.growth}" if target.limits.growth else target.name
        config.stash[_SHARED] = SharedDatabase(address, name, patience)
    register_profile(examples_of(shard, examples), config.stash.get(_SHARED, None))
    if config.option.collectonly:  # as a fuzzer does, which calls the statements after the session
        hypothesis.settings.load_profile(PROFILE)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Let no worker look at the target for itself: it may end the process."""
    trial = current()
    node.workerinput[_LOOK] = look_of(trial.target, trial.conventions)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    shared = session.config.stash.get(_SHARED, None)
    if shared:
        list(_database().fetch(FAILED))  # waits until all is written
    if shared and shared.trouble:  # told without `warnings.warn`, whose filters may raise
        told = WarningMessage(SharingTrouble(shared.trouble), SharingTrouble, __file__, 0)
        arguments = {"warning_message": told, "when": "runtest", "nodeid": "", "location": None}
        session.config.hook.pytest_warning_recorded.call_historic(kwargs=arguments)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    gc.unfreeze()  # last: pytest collects several times at its end
    if (stack := config.stash.get(_STACK, None)) and not config.option.collectonly:
        stack.close()


def register_profile(examples: int, shared: SharedDatabase | None = None) -> None:
    """Hypothesis's settings for statements: no deadline, since targets may be slow; nothing is printed.

    Failures are kept for each target by itself, so that none decides what is tried on another, and for each size of
    cases, since one of another size would be taken for none; and `shared` too.
    """
    target = current().target
    growth = target.limits.growth
    kept = DirectoryBasedExampleDatabase(
        storage(f"examples-larger-{growth}" if growth else "examples", target.name, target.folder)
    )
    hypothesis.settings.register_profile(
        PROFILE,
        hypothesis.settings.get_profile("default"),  # not the profile that Hypothesis loads where CI is set
        database=MultiplexedDatabase(kept, BackgroundWriteDatabase(shared)) if shared else kept,
        max_examples=examples,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.reuse, hypothesis.Phase.generate, hypothesis.Phase.shrink],
        # a test that suppresses `nested_given` is left out by HypoFuzz
        suppress_health_check=[check for check in hypothesis.HealthCheck if check.name != "nested_given"],
    )


def _database() -> ExampleDatabase:
    database = hypothesis.settings.get_profile(PROFILE).database
    assert database is not None
    return database


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
def function(operation: Operation) -> Operation:
    """The function whose derivative the operation is."""
    return _offered(operation.signature.of)


@pytest.fixture(scope="session")
def siblings(operation: Operation) -> list[Operation]:
    """All operations of the same layer that the target offers."""
    return siblings_of(operation, current().target)


def _property(item: pytest.Item) -> Property | None:
    """The property that a test is; None for any other test of the session."""
    module = getattr(getattr(item, "module", None), "__name__", "")
    if not module.startswith(f"{PACKAGE}."):
        return None
    try:
        return all_properties()[nodeid_of(module, item.name)]
    except KeyError:
        return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Hand a statement about several operations each of them in turn."""
    if hasattr(metafunc.function, "about") and (names := names_about(metafunc.function, current().target)):
        metafunc.parametrize("operation", names, indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the first statement about every operation, the layers' before the network's that rests on them, then the
    second of each, so that a failure shows early. What failed the last time runs first of all.

    `-k` may name a property by its id. A round after the first leaves out what is exhaustive. Statements about a
    target's own layers are left out where it has none.
    """
    several = [item for item in items if hasattr(getattr(item, "function", None), "about")]
    lacking = [item for item in several if not hasattr(item, "callspec")]
    items[:] = [item for item in items if item not in lacking]
    own = config.getoption("--hypothesis-profile", None)
    settings = hypothesis.settings.get_profile(own or PROFILE)
    failed, offered = set(_database().fetch(FAILED)), current().target.operations.keys()
    told: Counter[str] = Counter()
    ranks = {}
    for item in items:
        if entry := _property(item):
            item.extra_keyword_matches.add(entry.id)
            rests = layer_of(entry.operation).rests_on_others
            ranks[item.nodeid] = entry.id.encode() not in failed, told[entry.operation], rests
            told[entry.operation] += 1
            if entry.is_sampled and set(entry.operations) <= offered:
                item.obj = settled(item.obj, settings)  # type: ignore[attr-defined]
                # HypoFuzz keeps the failures of every test by its node id, Hypothesis those of parametrized ones alone
                item.add_marker("parametrize")
    if config.getoption("--round") > 1:
        items[:] = [item for item in items if not (entry := _property(item)) or entry.is_sampled]
    items.sort(key=lambda item: ranks.get(item.nodeid, (False, 0, False)))
    config.stash[FAILED_LAST] = any(not is_new for is_new, _, _ in ranks.values())


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.freeze()  # what was imported stays: collections while properties run then skip it
    if hasattr(session.config, "workerinput"):  # what a target prints there comes out of the controller
        WATCH.may_end_the_process = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for descriptor in (1, 2):
            os.dup2(nowhere, descriptor)


def pytest_runtest_setup() -> None:
    current().record = Record()  # a skip at setup is told by it


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    entry = _property(item)
    if not entry:
        return (yield)
    item.stash[_STARTED] = time.perf_counter()
    operations = {name: item.funcargs[name] for name in inspect.signature(item.obj).parameters}  # type: ignore[attr-defined]
    with ExitStack() as stack:
        if not item.config.pluginmanager.hasplugin("warnings"):
            item.stash[_WARNED] = stack.enter_context(counted())
        stack.enter_context(judged(entry, item.obj, operations, item.config.getoption("--property-timeout")))  # type: ignore[attr-defined]
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    try:
        report = yield
    except Exception as unshowable:  # the target's exception cannot be shown
        assert call.when != "collect"
        report = pytest.TestReport(item.nodeid, item.location, {}, "failed", last_line(unshowable), call.when)
    entry = _property(item)
    if entry and (call.when == "call" or (call.when == "setup" and not report.passed)):
        seconds = time.perf_counter() - item.stash.get(_STARTED, time.perf_counter())
        error = call.excinfo.value if call.excinfo else None
        result = finished(current().record, error, seconds, entry.operations)
        held_to(item.config.stash[KNOWN].get(entry.id), result)
        (_database().save if result.fails else _database().delete)(FAILED, entry.id.encode())
        report.backproof = to_builtins(result)  # type: ignore[attr-defined]  # for a worker to send
        report.warned = item.stash.get(_WARNED, {})  # type: ignore[attr-defined]
        if result.outcome == "known":
            report.outcome, report.wasxfail = "skipped", result.message or ""
        elif may_follow(result, item.config.stash[KNOWN]):  # the report decides, when all has run
            report.outcome, report.wasxfail = "skipped", "it may follow from what is known"
        elif result.fails:
            report.outcome, report.longrepr = "failed", "\n".join(plain_lines(entry.statement, result))
    return report
