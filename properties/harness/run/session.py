"""One pytest session over the statements, in this process, and what is told of it as it goes."""

import os
from collections.abc import Callable, Collection
from math import inf
from pathlib import Path
from typing import Any
from warnings import WarningMessage

import pytest

from ..checking.properties import FOLDER, MODULES, PACKAGE, all_properties
from ..core.shards import name_of
from ..core.text import printable
from ..core.trial import current
from ..report.known import KNOWN
from ..report.report import Asked
from ..report.results import ended, finished
from ..target import memory
from ..target.timeouts import WATCH
from .database import NotShared
from .processes import environment
from .rehearsal import FAILED_LAST, fails_at_once

ENVIRONMENT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTEST_CURRENT_TEST": ""}
# plugins of pytest's own: they take time to import, and the session is not theirs to show, keep or end
UNUSED = (
    *("cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "legacypath", "logging", "monkeypatch"),
    *("pastebin", "recwarn", "setuponly", "setupplan", "stepwise", "subtests", "terminal", "tmpdir", "unittest"),
    "warnings",
)
KEPT = (0, 1, 5)  # pytest's exit statuses: all passed, some failed, none collected
Tell = Callable[..., None]


class _Listener:
    """Takes pytest's reports, from this process or from workers, and tells them; leaves out what is `done`."""

    def __init__(self, asked: Asked, tell: Tell, done: Collection[str], suspects: Collection[str]) -> None:
        self._asked_for, self.tell, self._done, self._suspects = asked, tell, done, suspects
        self._running, self._much = "", inf
        self._session: pytest.Session | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid not in self._done]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if not self._asked_for.fail_fast and WATCH.may_end_the_process:
            self._session, self._much = session, (memory.taken() + memory.allowed()) / 2
        if session.items:
            self.tell("selected", [item.nodeid for item in session.items])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Where the first failure ends the run, begin with a property that fails at once; workers take their own.

        What failed the last time runs first in any case.
        """
        if not self._asked_for.fail_fast or self._asked_for.workers or session.config.stash[FAILED_LAST]:
            return
        for item in list(session.items):
            entry = all_properties()[item.nodeid]
            self.pytest_runtest_logstart(item.nodeid)
            timeout = self._asked_for.timeout
            if entry.id not in session.config.stash[KNOWN] and fails_at_once(entry, item.obj, timeout):  # type: ignore[attr-defined]
                session.items.remove(item)
                session.items.insert(0, item)
                return

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        self.tell("selected", list(ids))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._running = nodeid
        WATCH.told = self._asked if nodeid in self._suspects else None
        self.tell("started", nodeid)

    def _asked(self, operation: str, call: dict[str, Any]) -> None:
        self.tell("asked", operation, call)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        result = getattr(report, "backproof", None)
        if str(report.when) == "???":  # which is how xdist tells of a worker that died
            self.tell("lost", report.nodeid)
        elif result is None and report.failed:  # a defect outside the statement
            result = ended(printable(report.longreprtext.strip().splitlines()[-1]))
        if result is not None:
            self.tell("result", report.nodeid, result)
        if told := getattr(report, "warned", None):
            self.tell("warnings", told)
        if self._session and memory.taken() > self._much:
            self._session.shouldstop = "the next process has more memory"
            self.tell("full")

    def pytest_warning_recorded(self, warning_message: WarningMessage) -> None:
        if issubclass(warning_message.category, NotShared):
            self.tell("not_shared", printable(str(warning_message.message)))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Keep the failure that was being shrunk when the user interrupted."""
        if excinfo.type is not KeyboardInterrupt:
            return  # a kind of it is how xdist stops at the first failure
        record = current().record
        kept = finished(record, record.refutation, 0.0) if record.refutation is not None else None
        self.tell("interrupted", self._running, kept)


def run_session(asked: Asked, tell: Tell, done: Collection[str] = (), suspects: Collection[str] = ()) -> int:
    """Run the statements that are asked for on the target on trial; pytest's exit status.

    Properties that are `done` are left out; of the `suspects` each call is told before it is made.
    """
    with environment(ENVIRONMENT):  # without the user's own plugins and options of pytest
        return int(pytest.main(_arguments(asked), plugins=[_Listener(asked, tell, done, suspects)]))


def _arguments(asked: Asked) -> list[str]:
    arguments = ["-c", os.devnull, f"--rootdir={FOLDER}", f"--confcutdir={FOLDER}", "--noconftest", "--capture=no"]
    arguments.append("--assert=plain")  # statements assert nothing that pytest would have to explain
    for plugin in (*(f"no:{name}" for name in UNUSED), "_hypothesis_pytestplugin", f"{PACKAGE}.harness.run.plugin"):
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
    return arguments + [str(FOLDER / f"{name}.py") for name in MODULES]
