"""One pytest session over the statements, in this process or in a child of it, and what is told of it as it goes."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from math import inf
from multiprocessing.connection import Connection
from pathlib import Path
from warnings import WarningMessage

import numpy as np
import pytest
from msgspec import convert

from ..checking.conventions import examined
from ..checking.properties import FILES, FOLDER, PACKAGE, all_properties
from ..checking.trial import current, on_trial
from ..core.shards import name_of
from ..core.streams import scratch
from ..core.text import printable
from ..report.data import Result
from ..report.known import KNOWN
from ..report.report import Request, found
from ..report.results import ended, finished
from ..target import memory
from ..target.process_state import counted
from ..target.target import CannotLoad, load
from ..target.timeouts import WATCH, Stuck
from . import progress
from .database import SharingTrouble
from .processes import by_default, end_with_the_parent, environment
from .verdict import FAILED_LAST, fails_at_once

_ENVIRONMENT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTEST_CURRENT_TEST": ""}
# plugins of pytest's own: they take time to import, and the session is not theirs to show, keep or end
_UNUSED = (
    *("cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "legacypath", "logging", "monkeypatch"),
    *("pastebin", "recwarn", "setuponly", "setupplan", "stepwise", "subtests", "terminal", "tmpdir", "unittest"),
    "warnings",
)
_CACHED, _KEPT = 1024, 16  # bytes of the arrays that NumPy keeps for later, and more of each size than it keeps
KEPT = (0, 1, 5)  # pytest's exit statuses: all passed, some failed, none collected
Tell = Callable[[progress.Event], None]


@dataclass(frozen=True)
class Orders:
    """What a child is to do: all that is asked for but what is `done`.

    Of the `suspects` each call is told before it is made; operations that are `spared` are not called for a first look
    nor beside others, those that are `stuck` not at all. With `is_shaken` memory is tested from call to call.
    """

    asked: Request
    done: Collection[str] = ()
    suspects: Collection[str] = ()
    spared: Collection[str] = ()
    stuck: Mapping[str, Stuck] = field(default_factory=dict)
    is_shaken: bool = False


def child(pipe: Connection, parents: Connection, lifeline: tuple[Connection, Connection], orders: Orders) -> None:
    """Load the target in this process of its own, run what is ordered, and tell of it as JSON."""

    def tell(event: progress.Event) -> None:
        if isinstance(event, progress.Started):
            os.dup2(nowhere, 2)
        if orders.is_shaken and isinstance(event, progress.Called | progress.Ended):
            _shake()
        pipe.send_bytes(progress.as_bytes(event))
        if isinstance(event, progress.Done) and WATCH.stuck:
            tell(progress.GivenUp(WATCH.stuck))

    asked = orders.asked
    parents.close()  # with this end of the pipe open here too, nobody would miss a parent that was killed
    WATCH.may_end_the_process = True
    by_default()
    signal.signal(signal.SIGINT, WATCH.interrupt)
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # a group of its own: a terminal interrupts the parent alone, which hands it on once,
        # and the parent can end all that the target started with it
    end_with_the_parent(*lifeline)
    multiprocessing.set_start_method(None, force=True)  # the target's to choose
    memory.limit(asked.memory)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):  # what the target prints goes nowhere
        os.dup2(nowhere, descriptor)
    with open(scratch(), "r+b") as errors:
        try:
            WATCH.stuck = {**dict.fromkeys(orders.spared, Stuck("it ended the process", {})), **orders.stuck}
            with WATCH.over("its import", asked.timeout):
                target = load(asked.target)
            tell(progress.Loaded())
            if orders.suspects:
                WATCH.told = lambda *call: tell(progress.Called(*call))
            with WATCH.over("a first look", asked.timeout), counted():  # the properties are to tell of warnings
                target, conventions = examined(target, asked.round_number - 1)
            for name in orders.spared:
                if name not in orders.stuck:
                    del WATCH.stuck[name]
            WATCH.spared = set(orders.spared)
            tell(progress.Examined(found(target, conventions)))
            os.dup2(errors.fileno(), 2)
            with on_trial(target, conventions, asked.examples, asked.shard, asked.seed):
                status = run_session(asked, tell, orders.done, orders.suspects)
            errors.seek(0)
            tell(progress.Ended(status, errors.read().decode(errors="replace").strip()))
        except CannotLoad as error:
            tell(progress.Unloadable(str(error)))
        except KeyboardInterrupt:
            tell(progress.Interrupted())


def _shake() -> None:
    """Have all the memory that NumPy keeps of small arrays freed, and so tested."""
    for size in range(8, _CACHED, 8):
        blocks = [np.empty(size, np.uint8) for _ in range(_KEPT)]
        while blocks:
            blocks.pop()


class _Listener:
    """Takes pytest's reports, from this process or from workers, and tells them; leaves out what is `done`."""

    def __init__(self, asked: Request, tell: Tell, done: Collection[str], suspects: Collection[str]) -> None:
        self._asked, self._tell, self._done, self._suspects = asked, tell, done, suspects
        self._running, self._much = "", inf
        self._session: pytest.Session | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        config.option.tbstyle = "no"  # `--tb` without the plugin that has it: nobody sees a traceback

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid not in self._done]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if not self._asked.fail_fast and WATCH.may_end_the_process:
            self._session, self._much = session, (memory.taken() + memory.allowed()) / 2
        if session.items:
            self._tell(progress.Selected([item.nodeid for item in session.items]))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Where the first failure ends the run, begin with a property that fails at once; workers take their own.

        What failed the last time runs first in any case.
        """
        if not self._asked.fail_fast or self._asked.workers or session.config.stash[FAILED_LAST]:
            return
        for item in list(session.items):
            entry = all_properties()[item.nodeid]
            self.pytest_runtest_logstart(item.nodeid)
            is_known = entry.id in session.config.stash[KNOWN]
            if not is_known and fails_at_once(entry, item.obj, self._asked.timeout):  # type: ignore[attr-defined]
                session.items.remove(item)
                session.items.insert(0, item)
                return

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self._tell(progress.Selected(list(ids)))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._running = nodeid
        WATCH.told = (lambda *call: self._tell(progress.Called(*call))) if nodeid in self._suspects else None
        self._tell(progress.Started(nodeid))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        result = convert(getattr(report, "backproof", None), Result | None)
        if str(report.when) == "???":  # which is how xdist tells of a worker that died
            self._tell(progress.Lost(report.nodeid))
        elif result is None and report.failed:  # a defect outside the statement
            result = ended(printable(report.longreprtext.strip().splitlines()[-1]))
        if result is not None:
            self._tell(progress.Done(report.nodeid, result))
        if warned := getattr(report, "warned", None):
            self._tell(progress.Warned(warned))
        if self._session and memory.taken() > self._much:
            self._session.shouldstop = "the next process has more memory"
            self._tell(progress.Full())

    def pytest_warning_recorded(self, warning_message: WarningMessage) -> None:
        if issubclass(warning_message.category, SharingTrouble):
            self._tell(progress.NotShared(printable(str(warning_message.message))))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Keep the failure that was being shrunk when the user interrupted."""
        if excinfo.type is not KeyboardInterrupt:
            return  # a kind of it is how xdist stops at the first failure
        record = current().record
        kept = finished(record, record.refutation, 0.0) if record.refutation is not None else None
        self._tell(progress.Interrupted(self._running, kept))


def run_session(asked: Request, tell: Tell, done: Collection[str] = (), suspects: Collection[str] = ()) -> int:
    """Run the statements that are asked for on the target on trial; pytest's exit status.

    Properties that are `done` are left out; of the `suspects` each call is told before it is made.
    """
    with environment(_ENVIRONMENT):  # without the user's own plugins and options of pytest
        return int(pytest.main(_arguments(asked), plugins=[_Listener(asked, tell, done, suspects)]))


def _arguments(asked: Request) -> list[str]:
    arguments = ["-c", os.devnull, f"--rootdir={FOLDER}", f"--confcutdir={FOLDER}", "--noconftest", "--capture=no"]
    arguments.append("--assert=plain")  # statements assert nothing that pytest would have to explain
    for plugin in (*(f"no:{name}" for name in _UNUSED), "_hypothesis_pytestplugin", f"{PACKAGE}.harness.run.plugin"):
        arguments += ["-p", plugin]
    arguments += [f"--target={asked.target}", f"--examples={asked.examples}", f"--seed={asked.seed}"]
    arguments += [f"--shard={name_of(asked.shard)}", f"--round={asked.round_number}"]
    arguments.append(f"--property-timeout={asked.timeout}")
    if asked.database:
        arguments.append(f"--database={asked.database}")
    if asked.workers:
        arguments += ["-p", "xdist.plugin", "-n", str(asked.workers), "--max-worker-restart=1000"]
    if asked.fail_fast:
        arguments.append("-x")
    if asked.keyword:
        arguments += ["-k", asked.keyword]
    if asked.known:
        arguments.append(f"--known={Path(asked.known).resolve()}")
    return arguments + [str(FOLDER / file) for file in FILES]
