"""Running the statements on a target in a process of its own, so that nothing that one does costs the report.

The child loads the target and runs pytest; it tells what comes of it, line by line as JSON. If it ends before it is
done, the property under way is charged with it, and another child does the rest.
"""

import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from typing import Any

from tqdm import tqdm

from properties.harness.catalogue import all_properties
from properties.harness.conventions import examined
from properties.harness.report import Asked, Found, Outcomes, found, make_report
from properties.harness.reproduction import of_one_call
from properties.harness.results import FAILING, finished
from properties.harness.session import run_session
from properties.harness.target import CannotLoad, Crashed, load
from properties.harness.trial import Record, on_trial
from properties.harness.watch import WATCH, Stuck

_KEPT = (0, 1, 5)  # pytest's exit statuses: all passed, some failed, none collected
_BAR = "{n_fmt} of {total_fmt} properties after {elapsed}, about {remaining} left{postfix}"
_CONTEXT: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


class CannotRun(Exception):
    """pytest refused the call, and the message is what it said; or it failed."""


def run(asked: Asked) -> dict[str, Any]:
    """The report on a target. Raises `CannotLoad` for a target that cannot be tested, `CannotRun` for a wrong call."""
    started = time.perf_counter()
    hearing = _Hearing(asked)
    try:
        while not hearing.is_over:
            hearing.of_one_child()
    finally:
        hearing.bar.close()
    if hearing.found is None:
        raise KeyboardInterrupt
    return make_report(asked, hearing.found, hearing.outcomes, time.perf_counter() - started)


class _Hearing:
    """What is heard from the children: what they found out, the outcomes, and what was under way at an end."""

    def __init__(self, asked: Asked) -> None:
        self.asked, self.outcomes, self.is_over = asked, Outcomes(), False
        self.found: Found | None = None
        tqdm.monitor_interval = 0  # no thread: processes are forked from this one
        self.bar = tqdm(bar_format=_BAR, disable=None, leave=False)
        self._running, self._suspect, self._spared = "", "", set[str]()
        self._call: tuple[Any, ...] | None = None

    def of_one_child(self) -> None:
        """Start a child and hear it to its end; if that came too early, charge what was under way."""
        ours, theirs = _CONTEXT.Pipe(duplex=False)
        orders = self.asked, sorted(self.outcomes.results), self._suspect, sorted(self._spared), dict(WATCH.stuck)
        process = _CONTEXT.Process(target=_child, args=(theirs, *orders))
        process.start()
        theirs.close()
        while self._heard(ours, process):
            pass
        process.join()
        if not self.is_over:
            self._charge(process.exitcode)

    def _heard(self, ours: Connection, process: Any) -> bool:
        try:
            if ours.poll(1.0):
                kind, *values = json.loads(ours.recv_bytes())
                getattr(self, f"_on_{kind}")(*values)
            else:
                self.bar.refresh()
        except EOFError:
            return False
        except KeyboardInterrupt:
            os.kill(process.pid, signal.SIGKILL if self.outcomes.interrupted else signal.SIGINT)
            self.outcomes.interrupted = True
        return True

    def _on_unloadable(self, message: str) -> None:
        raise CannotLoad(message)

    def _on_found(self, found: Found) -> None:
        self.found = found

    def _on_selected(self, nodeids: list[str]) -> None:
        if not self.outcomes.selected:
            self.outcomes.selected = nodeids
            self.bar.reset(total=len(nodeids))

    def _on_started(self, nodeid: str) -> None:
        self._running = nodeid
        self._show_progress()

    def _on_asked(self, *call: Any) -> None:
        self._call = call

    def _on_result(self, nodeid: str, result: dict[str, Any], stuck: dict[str, Any]) -> None:
        self.outcomes.results[nodeid] = result
        self._running = ""
        WATCH.stuck |= {name: Stuck(*one) for name, one in stuck.items()}
        self.bar.update()

    def _show_progress(self) -> None:
        failing = sum(result["outcome"] in FAILING for result in self.outcomes.results.values())
        self.bar.set_postfix_str(f"{failing} failing" if failing else "")

    def _on_warning(self, text: str) -> None:
        self.outcomes.warnings[text] = self.outcomes.warnings.get(text, 0) + 1

    def _on_interrupted(self, nodeid: str, kept: dict[str, Any] | None) -> None:
        self.outcomes.interrupted = True
        if kept and nodeid not in self.outcomes.results:
            self.outcomes.results[nodeid] = kept

    def _on_ended(self, status: int, refused: str) -> None:
        self.is_over = True
        if status not in _KEPT and not self.outcomes.interrupted and not (self.asked.fail_fast and status == 2):
            raise CannotRun(refused)

    def _charge(self, exitcode: int) -> None:
        """Blame what was under way when a child ended; the first time it is run again, to see the call that does it."""
        operation, timed_out = WATCH.under_way, WATCH.ended_a_process
        WATCH.leave()
        how = f"with status {exitcode}" if exitcode >= 0 else f"by {signal.Signals(-exitcode).name}"
        if self.outcomes.interrupted:
            self.is_over = True
        elif self.found is None:
            if not operation or operation in self._spared:
                raise CannotLoad(f"{self.asked.target} cannot be imported: it ends the process, {how}")
            self._spared.add(operation)
        elif not self._running:
            raise CannotRun(f"the process ended {how}, outside any property")
        elif timed_out or self._running == self._suspect:
            self._record_the_end(operation, "did not come back, nor could be stopped" if timed_out else "", how)
        else:
            self._suspect = self._running

    def _record_the_end(self, operation: str | None, stuck: str, how: str) -> None:
        if operation and stuck:
            WATCH.stuck[operation] = Stuck(f"it {stuck} in {self._running}", {})
        what = stuck or f"ended the process {how}"
        result = finished(Record(), Crashed(operation or "the target", RuntimeError(what)), 0.0)
        result["message"] = f"{operation or 'the target'} {what}"
        if operation and self._call and self._call[0] == operation:
            result["counterexample"] = self._call[1]
            entry = all_properties()[self._running]
            result["script"] = of_one_call(entry, self.asked.target, operation, self._call[1], result["message"])
        self._on_result(self._running, result, {})
        self.is_over = self.asked.fail_fast
        self._suspect, self._call = "", None


def _child(
    pipe: Connection, asked: Asked, done: list[str], suspect: str, spared: list[str], stuck: dict[str, Stuck]
) -> None:
    """Load the target, run what is not `done`, and tell of it; what the target prints goes nowhere."""

    def tell(kind: str, *values: Any) -> None:
        if kind == "started":
            os.dup2(nowhere, 2)
        if kind == "result":
            values = *values, WATCH.stuck
        pipe.send_bytes(json.dumps([kind, *values]).encode())

    os.setpgid(0, 0)  # a terminal interrupts the parent alone, which hands it on once
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    with tempfile.TemporaryFile() as errors:
        os.dup2(errors.fileno(), 2)
        try:
            WATCH.stuck = {**stuck, **dict.fromkeys(spared, Stuck("it ended the process", {}))}
            with WATCH.over("its import", asked.timeout):
                target = load(asked.target)
            with WATCH.over("a first look", asked.timeout):
                target, conventions = examined(target)
            for name in spared:
                WATCH.stuck.pop(name, None)
            tell("found", found(target, conventions))
            with on_trial(target, conventions):
                status = run_session(asked, tell, done, suspect)
            errors.seek(0)
            tell("ended", status, errors.read().decode(errors="replace").strip())
        except CannotLoad as error:
            tell("unloadable", str(error))
        except KeyboardInterrupt:
            tell("interrupted", "", None)
