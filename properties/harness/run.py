"""Running the statements on a target: pytest does it, and this gathers what it reports."""

import os
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

from properties.harness.catalogue import FOLDER, MODULES
from properties.harness.conventions import examined
from properties.harness.report import Asked, Outcomes, make_report
from properties.harness.results import FAILING, finished
from properties.harness.text import printable
from properties.harness.trial import current

ENVIRONMENT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
_KEPT = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


class CannotRun(Exception):
    """pytest refused the call or failed; it has said why on standard error."""


class Gatherer:
    """Takes pytest's reports, from this process or from workers, and shows the progress on a terminal."""

    def __init__(self, stream: Any) -> None:
        self.outcomes = Outcomes()
        self._bar = tqdm(desc="checking", unit="property", file=stream, disable=None, leave=False)
        self._running = ""

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._select([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        self._select(ids)

    def _select(self, nodeids: list[str]) -> None:
        if nodeids:
            self.outcomes.selected = list(nodeids)
            self._bar.reset(total=len(nodeids))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._running = nodeid

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        result = getattr(report, "backproof", None)
        if result is None and report.failed:  # a worker that died, or a defect outside the statement
            result = finished(current().record, RuntimeError(report.longreprtext), 0.0)
            result["message"] = printable(report.longreprtext.strip().splitlines()[-1])
        if result is not None:
            self.outcomes.results[report.nodeid] = result
            failing = sum(r["outcome"] in FAILING for r in self.outcomes.results.values())
            self._bar.set_postfix_str(f"{failing} failing" if failing else "")
            self._bar.update()

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage, nodeid: str) -> None:
        text = printable(f"{warning_message.category.__name__}: {warning_message.message}")
        self.outcomes.warnings[text] = self.outcomes.warnings.get(text, 0) + 1

    def pytest_keyboard_interrupt(self) -> None:
        """Keep the failure that was being shrunk when the user interrupted."""
        self.outcomes.interrupted = True
        record = current().record
        if record.refutation is not None and self._running not in self.outcomes.results:
            self.outcomes.results[self._running] = finished(record, record.refutation, 0.0)

    def close(self) -> None:
        """Take the progress bar off the terminal."""
        self._bar.close()


def run(asked: Asked) -> dict[str, Any]:
    """The report on a target. Raises `CannotLoad` for a target that cannot be tested, `CannotRun` for a wrong call."""
    started = time.perf_counter()
    target, conventions = examined(asked.target)
    # pytest captures what is written to standard error itself while properties run
    with os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8") as stream, _environment():
        gatherer = Gatherer(stream)
        try:
            status = pytest.main(_arguments(asked), plugins=[gatherer])
        finally:
            gatherer.close()
    gatherer.outcomes.interrupted |= status == pytest.ExitCode.INTERRUPTED and not asked.fail_fast
    if status not in _KEPT and not gatherer.outcomes.interrupted:
        raise CannotRun
    return make_report(asked, target, conventions, gatherer.outcomes, time.perf_counter() - started)


def _arguments(asked: Asked) -> list[str]:
    arguments = ["-c", os.devnull, f"--rootdir={FOLDER}", f"--confcutdir={FOLDER}", "--noconftest"]
    for plugin in ("no:cacheprovider", "no:terminal", "_hypothesis_pytestplugin", "properties.harness.plugin"):
        arguments += ["-p", plugin]
    arguments += [f"--target={asked.target}", f"--examples={asked.examples}", f"--seed={asked.seed}"]
    if asked.workers:
        arguments += ["-p", "xdist.plugin", "-n", str(asked.workers)]
    if asked.fail_fast:
        arguments.append("-x")
    if asked.keyword:
        arguments += ["-k", asked.keyword]
    for option, value in (("--known", asked.known), ("--junitxml", asked.junit)):
        if value:
            arguments.append(f"{option}={Path(value).resolve()}")
    return arguments + [str(FOLDER / f"{name}.py") for name in MODULES]


@contextmanager
def _environment() -> Iterator[None]:
    """Keep the user's own pytest plugins and options out of the run."""
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
