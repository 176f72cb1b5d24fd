"""Running the statements on a target in a process of its own, so that nothing that one does costs the report.

The child loads the target and runs pytest; it tells what comes of it, line by line as JSON. If it ends before it is
done, the property under way is charged with it, and another child does the rest.
"""

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from math import inf
from multiprocessing.connection import Connection
from typing import Any

from ..report.report import Asked, Found, Outcomes, make_report
from ..target.target import CannotLoad
from ..target.timeouts import WATCH
from .charging import Charging
from .child import CONTEXT, Orders, child
from .inquiry import Alone, checking
from .processes import stopped
from .progress import Hearing
from .scripts import settle_scripts
from .session import KEPT
from .stopping import stopping_by

_GLANCE, _GRACE, _PATIENCE = 0.2, 5.0, 60.0  # seconds: between two looks, to end by itself, beyond a property's time
_CAMPAIGN_BAR = "{desc}{n_fmt} of {total_fmt} properties{postfix}"
_STOPPED = 2.0  # seconds until a process that is stopped counts as ended; a batch system wakes it at once


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
    with stopping_by(children.interrupt):
        try:
            while not (children.is_over or children.outcomes.interrupted):
                children.hear_one()
        finally:
            children.bar.close()
        if children.found is None:
            raise TimeIsOver("the time is over before any property ran") if children.is_late else KeyboardInterrupt
        if children.is_late:
            children.outcomes.interrupted = False
        tried = asked.runs_scripts and not children.outcomes.interrupted
        settle_scripts(
            children.outcomes.results.values(), asked.target if tried else None, lambda: children.outcomes.interrupted
        )
        return make_report(asked, children.found, children.outcomes, time.perf_counter() - started)


class _Children(Charging):
    """Hears one child after the other, and what was under way when one ended."""

    def __init__(self, asked: Asked, frame: Frame) -> None:
        super().__init__(asked, *([_CAMPAIGN_BAR] if frame.heading else []))
        self.frame, self.is_late = frame, False
        self._workers, self._is_done, self._is_full = asked.workers, False, False
        self._process: Any = None
        self._told_to_end = inf
        self._lifeline = CONTEXT.Pipe(duplex=False)  # of which nothing is ever heard but our end

    def hear_one(self) -> None:
        """Start a child and hear it to its end; if that came too early, charge what was under way."""
        self.running, self.ran, self.is_loaded, self.call, self._is_done = "", [], False, None, False
        self._is_full = False
        asked = replace(self.asked, workers=self._workers)
        done, suspects = sorted(self.outcomes.results), [self.suspect] if self.suspect else []
        exitcode = self.hear_child(Orders(asked, done, suspects, sorted(self.spared), dict(WATCH.stuck)), self)
        if not self._is_done and not self.is_over:
            self.charge(exitcode)
        elif self.lost and not self.outcomes.interrupted:
            self._see_to_the_lost()

    def _see_to_the_lost(self) -> None:
        """Run what ended a worker again, without workers; of what ends nothing then, find out what did."""
        self.is_over = False
        if not self._workers:
            self.charge_the_lost()
            self.is_over = True
        self._workers = None

    def hear_child(self, orders: Orders, hearer: Hearing | Alone) -> int:
        """Start a child and let it be heard to its end; its exit code. One that is shaken is not forked from this."""
        context: Any = multiprocessing.get_context("spawn") if orders.is_shaken else CONTEXT
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=child, args=(theirs, ours, self._lifeline, orders))
        with checking() if orders.is_shaken else nullcontext():
            process.start()
        self._process = process
        theirs.close()
        try:
            self._hear_out(ours, process, hearer)
        finally:
            self._process = None
            self._end(process)
        return int(process.exitcode)

    def _hear_out(self, ours: Connection, process: Any, hearer: Hearing | Alone) -> None:
        """Hear a child until it has said its last, has ended, is stopped, or has been silent for longer than it may.

        What it started may hold the pipe open after it.
        """
        heard = awake = time.monotonic()
        while not self.is_over:
            self._keep_to_the_time(process)
            if ours.poll(_GLANCE):
                if not self._heard(ours, hearer):
                    return
                heard = awake = time.monotonic()
                continue
            now, asleep = time.monotonic(), stopped(process.pid, with_children=bool(self._workers))
            awake = awake if asleep else now
            if now - awake > _STOPPED:
                self.is_stopped = process.pid in asleep
                for one in asleep:
                    with suppress(ProcessLookupError):
                        os.kill(one, signal.SIGKILL)
            elif not process.is_alive() and not ours.poll(0):
                return
            elif now - heard > 1.5 * self.asked.timeout + _PATIENCE:
                self.is_silent = True
                return
            else:
                self._head()
                self.bar.refresh()

    def _keep_to_the_time(self, process: Any) -> None:
        now = time.monotonic()
        if now > self.frame.until and not self.outcomes.interrupted:
            self.interrupt()
            self.is_late = True
        elif now > self._told_to_end + _GRACE:
            process.kill()

    def interrupt(self, *_: Any) -> None:
        """Have the child end in order the first time, and at once the second; no further one is started."""
        self.is_late = False
        if self._process and self.outcomes.interrupted:
            self._process.kill()
        elif self._process:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGINT)
        self.outcomes.interrupted = True
        self._told_to_end = min(self._told_to_end, time.monotonic())

    def _head(self) -> None:
        if self.frame.heading:
            self.bar.set_description_str(self.frame.heading(self.outcomes), refresh=False)

    def _end(self, process: Any) -> None:
        """See a child and all that it started to their end."""
        process.join(0 if self.is_silent else _GRACE)
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join()

    def _heard(self, ours: Connection, hearer: Hearing | Alone) -> bool:
        try:
            kind, *values = json.loads(ours.recv_bytes())
        except (EOFError, OSError, ValueError):  # the end, or what the target wrote into the pipe
            return False
        hearer.hear(kind, *values)
        return True

    def on_unloadable(self, message: str) -> None:
        """The target cannot be tested."""
        raise CannotLoad(message)

    def on_loaded(self) -> None:
        """The target was imported."""
        self.is_loaded = True

    def on_found(self, found: Found) -> None:
        """The target was loaded and looked at."""
        if self.frame.check:
            self.frame.check(found)
        self.found = found

    def on_started(self, nodeid: str) -> None:
        """A property runs now."""
        self._head()
        super().on_started(nodeid)

    def on_full(self) -> None:
        """The child has not much memory left: when it has ended, another one goes on."""
        self._is_full = True

    def on_ended(self, status: int, refused: str) -> None:
        """The session came to its end with this exit status of pytest's, having said this on standard error."""
        self._is_done = True
        if self._is_full and not self.outcomes.interrupted:
            return
        self.is_over = True
        if status not in KEPT and not self.outcomes.interrupted and not (self.asked.fail_fast and status == 2):
            raise CannotRun(refused or f"pytest ended with status {status}: a defect of the suite")
