"""Running the statements on a target in a process of its own, so that nothing that one does costs the report.

The child loads the target and runs pytest, and tells what comes of it. If it ends before it is done, the property under
way is charged with it, and another child does the rest.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from math import inf
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from ..report.data import Found, Report
from ..report.report import Outcomes, Request, make_report
from ..target.target import CannotLoad
from ..target.timeouts import WATCH
from .charging import Charging, checking
from .processes import stopped, stopping_by
from .progress import Done, Ended, Event, Examined, Full, Started, Unloadable, as_event
from .scripts import settle_scripts
from .session import KEPT, Orders, child

_GLANCE, _GRACE, _PATIENCE = 0.2, 5.0, 60.0  # seconds: between two looks, to end by itself, beyond a property's time
_STOPPED = 2.0  # seconds until a process that is stopped counts as ended; a batch system wakes it at once
_CAMPAIGN_BAR = "{desc}{n_fmt} of {total_fmt} properties{postfix}"
_START = "fork" if sys.platform == "linux" else "spawn"  # a forked child need not import the harness again


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


def run(asked: Request, frame: Frame = Frame()) -> Report:
    """The report on a target; at the end of its time what did not run is not run, which is no interruption.

    Raises `CannotLoad` for a target that cannot be tested, `CannotRun` for a wrong call.
    """
    children = _Children(asked, frame)
    outcomes = children.outcomes
    with stopping_by(children.interrupt):
        try:
            while not (children.is_over or outcomes.interrupted):
                children.hear_one()
        finally:
            children.bar.close()
        if children.found is None:
            raise TimeIsOver("the time is over before any property ran") if children.is_late else KeyboardInterrupt
        if children.is_late:
            outcomes.interrupted = False
        tried = asked.target if asked.runs_scripts and not outcomes.interrupted else None
        settle_scripts(outcomes.results.values(), tried, lambda: outcomes.interrupted)
        return make_report(asked, children.found, outcomes, children.seconds)


class _Children(Charging):
    """Starts and hears one child after the other, until all has run; and ends them in time, or when the user asks."""

    def __init__(self, asked: Request, frame: Frame) -> None:
        super().__init__(asked, *([_CAMPAIGN_BAR] if frame.heading else []))
        self.frame, self.is_late = frame, False
        self._workers, self._is_done, self._is_full = asked.workers, False, False
        self._process: BaseProcess | None = None
        self._told_to_end = inf
        self._started, self._is_first = time.perf_counter(), True
        # of which nothing is ever heard but the closing of our end: a child learns by it that we are gone
        self._lifeline = multiprocessing.get_context(_START).Pipe(duplex=False)

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return time.perf_counter() - self._started

    def hear_one(self) -> None:
        """Start a child and hear it to its end; if that came too early, charge what was under way."""
        self.running, self.ran, self.call = "", [], None
        self.is_loaded = self._is_done = self._is_full = False
        asked = replace(self.asked, workers=self._workers)
        done, suspects = sorted(self.outcomes.results), [self.suspect] if self.suspect else []
        exitcode = self.hear_child(Orders(asked, done, suspects, sorted(self.spared), dict(WATCH.stuck)), self.hear)
        if not self._is_done and not self.is_over:
            self.charge(exitcode)
        elif self.lost and not self.outcomes.interrupted:
            # what ended a worker is run again, without workers; if nothing ends then, it is found out what did it
            self.is_over = not self._workers
            if not self._workers:
                self.charge_the_lost()
            self._workers = None

    def hear(self, event: Event) -> None:
        """Take one event of a child."""
        match event:
            case Unloadable(message):
                raise CannotLoad(message)
            case Examined(found):
                if self.frame.check:
                    self.frame.check(found)
                self.found = found
            case Started():
                self._show_heading()
            case Full():
                self._is_full = True
            case Ended(status, refused):
                self._end_session(status, refused)
        super().hear(event)
        if isinstance(event, Done) and event.result.fails:
            self._show_first(event)

    def _show_first(self, done: Done) -> None:
        """Show the first failure above the bar as soon as it is there, to whoever watches a run that goes on."""
        goes_on = not self.asked.fail_fast or self.asked.runs_scripts
        if self._is_first and goes_on and self.found and not self.asked.known and sys.stderr.isatty():
            from ..report.terminal import first_failure

            alone = Outcomes(selected=[done.nodeid], results={done.nodeid: done.result})
            told = first_failure(make_report(self.asked, self.found, alone, self.seconds))
            self.bar.write(told, file=sys.stderr, end="")
        self._is_first = False

    def _end_session(self, status: int, refused: str) -> None:
        self._is_done = True
        if self._is_full and not self.outcomes.interrupted:
            return
        self.is_over = True
        if status not in KEPT and not self.outcomes.interrupted and not (self.asked.fail_fast and status == 2):
            raise CannotRun(refused or f"pytest ended with status {status}: a defect of the suite")

    def hear_child(self, orders: Orders, hear: Callable[[Event], None]) -> int:
        """Start a child and let it be heard to its end; its exit code. One that is shaken is not forked from this."""
        context: Any = multiprocessing.get_context("spawn" if orders.is_shaken else _START)
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=child, args=(theirs, ours, self._lifeline, orders))
        with checking() if orders.is_shaken else nullcontext():
            process.start()
        self._process = process
        theirs.close()
        try:
            self._hear_out(ours, process, hear)
        finally:
            self._process = None
            self._end(process)
        return int(process.exitcode)

    def _hear_out(self, ours: Connection, process: BaseProcess, hear: Callable[[Event], None]) -> None:
        """Hear a child until it has said its last, has ended, is stopped, or has been silent for longer than it may.

        What it started may hold the pipe open after it.
        """
        assert process.pid
        heard = awake = time.monotonic()
        while not self.is_over:
            self._keep_to_the_time(process)
            if ours.poll(_GLANCE):
                try:
                    event = as_event(ours.recv_bytes())
                except (EOFError, OSError, ValueError):  # the end, or written by the target
                    return
                hear(event)
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
                self._show_heading()
                self.bar.refresh()

    def _keep_to_the_time(self, process: BaseProcess) -> None:
        now = time.monotonic()
        if now > self.frame.until and not self.outcomes.interrupted:
            self.interrupt()
            self.is_late = True
        elif now > self._told_to_end + _GRACE:
            process.kill()

    def interrupt(self, *_: object) -> None:
        """Have the child end in order the first time, and at once the second; no further one is started."""
        self.is_late = False
        if self._process and self.outcomes.interrupted:
            self._process.kill()
        elif self._process and self._process.pid:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGINT)
        self.outcomes.interrupted = True
        self._told_to_end = min(self._told_to_end, time.monotonic())

    def _show_heading(self) -> None:
        if self.frame.heading:
            self.bar.set_description_str(self.frame.heading(self.outcomes), refresh=False)

    def _end(self, process: BaseProcess) -> None:
        """See a child and all that it started to their end."""
        process.join(0 if self.is_silent else _GRACE)
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid or 0, signal.SIGKILL)
        process.kill()
        process.join()
