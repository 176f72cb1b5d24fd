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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from multiprocessing.connection import Connection
from typing import Any

from .catalogue import all_properties
from .conventions import examined
from .hearing import Hearing
from .report import Asked, Found, Outcomes, found, make_report
from .reproduction import of_one_call
from .results import ended
from .session import KEPT, run_session
from .target import CannotLoad, load
from .trial import on_trial
from .watch import WATCH, Stuck

_GLANCE, _GRACE, _PATIENCE = 0.2, 5.0, 60.0  # seconds: between two looks, to end by itself, beyond a property's time
_CAMPAIGN_BAR = "{desc}{n_fmt} of {total_fmt} properties{postfix}"
_CONTEXT: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


class CannotRun(Exception):
    """pytest refused the call, and the message is what it said; or it failed."""


class TimeIsOver(CannotRun):
    """The time was over before any property ran."""


@dataclass(frozen=True)
class Frame:
    """What a run in a campaign keeps to: it ends in order at the time `until`, of `time.monotonic`.

    `check` may refuse what is found of the target, by raising `CannotRun`; `heading` stands before its progress.
    """

    until: float = inf
    check: Callable[[Found], None] | None = None
    heading: Callable[[Outcomes], str] | None = None


def run(asked: Asked, frame: Frame = Frame()) -> dict[str, Any]:
    """The report on a target; at the end of its time what did not run is not run, which is no interruption.

    Raises `CannotLoad` for a target that cannot be tested, `CannotRun` for a wrong call.
    """
    started = time.perf_counter()
    children = _Children(asked, frame)
    try:
        while not children.is_over:
            children.hear_one()
    finally:
        children.bar.close()
    if children.found is None:
        raise TimeIsOver("the time is over before any property ran") if children.is_late else KeyboardInterrupt
    if children.is_late:
        children.outcomes.interrupted = False
    return make_report(asked, children.found, children.outcomes, time.perf_counter() - started)


class _Children(Hearing):
    """Hears one child after the other, and what was under way when one ended."""

    def __init__(self, asked: Asked, frame: Frame) -> None:
        super().__init__(*([_CAMPAIGN_BAR] if frame.heading else []))
        self.asked, self.frame, self.is_over, self.is_late = asked, frame, False, False
        self.found: Found | None = None
        self._suspect, self._spared = "", set[str]()
        self._call: tuple[str, dict[str, Any]] | None = None
        self._silent, self._how = False, ""

    def hear_one(self) -> None:
        """Start a child and hear it to its end; if that came too early, charge what was under way."""
        ours, theirs = _CONTEXT.Pipe(duplex=False)
        orders = self.asked, sorted(self.outcomes.results), self._suspect, sorted(self._spared), dict(WATCH.stuck)
        process = _CONTEXT.Process(target=_child, args=(theirs, ours, *orders))
        process.start()
        theirs.close()
        try:
            with self._interrupting(process):
                self._hear_out(ours, process)
        finally:
            self._end(process)
        if not self.is_over:
            self._charge(process.exitcode)

    def _hear_out(self, ours: Connection, process: Any) -> None:
        """Hear a child until it has said its last, has ended, or has been silent for longer than a property may take.

        What it started may hold the pipe open after it.
        """
        heard = time.monotonic()
        while not self.is_over:
            self._keep_to_the_time(process)
            if ours.poll(_GLANCE):
                if not self._heard(ours):
                    return
                heard = time.monotonic()
            elif not process.is_alive() and not ours.poll(0):
                return
            elif time.monotonic() - heard > 1.5 * self.asked.timeout + _PATIENCE:
                self._silent = True
                return
            else:
                self._head()
                self.bar.refresh()

    def _keep_to_the_time(self, process: Any) -> None:
        late = time.monotonic() - self.frame.until
        if late > 0 and not self.outcomes.interrupted:
            self.is_late = True
            self._interrupt(process)
        elif late > _GRACE and self.is_late:
            process.kill()

    def _interrupt(self, process: Any) -> None:
        """Have the child end in order the first time, and at once the second."""
        if self.outcomes.interrupted:
            process.kill()
        else:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGINT)
        self.outcomes.interrupted = True

    def _head(self) -> None:
        if self.frame.heading:
            self.bar.set_description_str(self.frame.heading(self.outcomes), refresh=False)

    def _end(self, process: Any) -> None:
        """See a child and all that it started to their end."""
        process.join(0 if self._silent else _GRACE)
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join()

    @contextmanager
    def _interrupting(self, process: Any) -> Iterator[None]:
        """Hand the user's interruptions on to the child."""

        def hand_on(*_: Any) -> None:
            self.is_late = False
            self._interrupt(process)

        before = signal.signal(signal.SIGINT, hand_on)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _heard(self, ours: Connection) -> bool:
        try:
            kind, *values = json.loads(ours.recv_bytes())
        except (EOFError, OSError, ValueError):  # the end, or what the target wrote into the pipe
            return False
        self.hear(kind, *values)
        return True

    def on_unloadable(self, message: str) -> None:
        """The target cannot be tested."""
        raise CannotLoad(message)

    def on_found(self, found: Found) -> None:
        """The target was loaded and looked at."""
        if self.frame.check:
            self.frame.check(found)
        self.found = found

    def on_started(self, nodeid: str) -> None:
        """A property runs now."""
        self._head()
        super().on_started(nodeid)

    def on_asked(self, operation: str, call: dict[str, Any]) -> None:
        """Keep the newest call: it may be the last."""
        self._call = operation, call

    def on_result(self, nodeid: str, result: dict[str, Any]) -> None:
        """A property is done; what ended a process and does not when it is tried again has not held for that."""
        if nodeid == self._suspect:
            if result["outcome"] == "held":
                result = ended(f"it ended the process {self._how}, but not when it was tried again")
            self._suspect, self._call = "", None
        super().on_result(nodeid, result)

    def on_stuck(self, stuck: dict[str, Any]) -> None:
        """These operations are not to be called again, by later children neither."""
        WATCH.stuck |= {name: Stuck(*one) for name, one in stuck.items()}

    def on_ended(self, status: int, refused: str) -> None:
        """The session came to its end with this exit status of pytest's, having said this on standard error."""
        self.is_over = True
        if status not in KEPT and not self.outcomes.interrupted and not (self.asked.fail_fast and status == 2):
            raise CannotRun(refused or f"pytest ended with status {status}: a defect of the suite")

    def _charge(self, exitcode: int) -> None:
        """Blame what was under way when a child ended; the first time it is run again, to see the call that does it."""
        operation, timed_out = WATCH.under_way, WATCH.ended_a_process or self._silent
        self._silent = False
        WATCH.leave()
        how = f"with status {exitcode}" if exitcode >= 0 else f"by {signal.Signals(-exitcode).name}"
        if self.outcomes.interrupted:
            self.is_over = True
        elif self.found is None:
            if not operation or operation in self._spared:
                raise CannotLoad(f"{self.asked.target} cannot be imported: it ends the process, {how}")
            self._spared.add(operation)
        elif not self.running:
            raise CannotRun(f"the process ended {how}, outside any property")
        elif operation and operation not in all_properties()[self.running].operations and operation not in self._spared:
            self._spared.add(operation)  # the property called it beside its own, and is run again without
        elif timed_out or self.running == self._suspect:
            self._record_the_end(operation, "did not come back, nor could be stopped" if timed_out else "", how)
        else:
            self._suspect, self._how = self.running, how

    def _record_the_end(self, operation: str | None, stuck: str, how: str) -> None:
        if operation and stuck:
            WATCH.stuck[operation] = Stuck(f"it {stuck} in {self.running}", {})
        what = stuck or f"ended the process {how}"
        message = f"{operation or 'the target'} {what}"
        result = ended(message)
        if operation and self._call and self._call[0] == operation:
            result["counterexample"] = self._call[1]
            entry = all_properties()[self.running]
            result["script"] = of_one_call(entry, self.asked.target, operation, self._call[1], message)
        self.on_result(self.running, result)
        self.is_over = self.asked.fail_fast
        self._suspect, self._call = "", None


def _child(
    pipe: Connection,
    parents: Connection,
    asked: Asked,
    done: list[str],
    suspect: str,
    spared: list[str],
    stuck: dict[str, Stuck],
) -> None:
    """Load the target, run what is not `done`, and tell of it; what the target prints goes nowhere."""

    def tell(kind: str, *values: Any) -> None:
        if kind == "started":
            os.dup2(nowhere, 2)
        pipe.send_bytes(json.dumps([kind, *values]).encode())
        if kind == "result" and WATCH.stuck:
            tell("stuck", WATCH.stuck)

    parents.close()  # with this end of the pipe open here too, nobody would miss a parent that was killed
    WATCH.may_end_the_process = True
    signal.signal(signal.SIGINT, WATCH.interrupt)
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # a terminal interrupts the parent alone, which hands it on once
    multiprocessing.set_start_method(None, force=True)  # the target's to choose
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    with tempfile.TemporaryFile() as errors:
        os.dup2(errors.fileno(), 2)
        try:
            WATCH.stuck = {**dict.fromkeys(spared, Stuck("it ended the process", {})), **stuck}
            with WATCH.over("its import", asked.timeout):
                target = load(asked.target)
            with WATCH.over("a first look", asked.timeout):
                target, conventions = examined(target, asked.round_number - 1)
            WATCH.stuck = {name: one for name, one in WATCH.stuck.items() if name not in spared or name in stuck}
            WATCH.spared = set(spared)
            tell("found", found(target, conventions))
            with on_trial(target, conventions, asked.examples, asked.shard):
                status = run_session(asked, tell, done, suspect)
            errors.seek(0)
            tell("ended", status, errors.read().decode(errors="replace").strip())
        except CannotLoad as error:
            tell("unloadable", str(error))
        except KeyboardInterrupt:
            tell("interrupted", "", None)
