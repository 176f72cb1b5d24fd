"""Whom to charge when a process ended before it was done.

What was under way is run again, to see the call that does it. Where memory was spoilt it need not be the one in which
the process ends: each operation is tried alone, in a process whose allocator tests every block that is freed.
"""

import signal
from abc import abstractmethod
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import replace

from ...layers import OPERATIONS
from ..checking.properties import all_properties
from ..core.reason import Reason
from ..report.data import Found
from ..report.report import Request
from ..report.results import ended
from ..target.target import CannotLoad
from ..target.timeouts import WATCH, Stuck
from ..why.reproduction import of_one_call
from .processes import environment
from .progress import Called, Done, Event, GivenUp, Loaded, Lost, Progress, Started
from .session import Orders

_FAULTS = tuple(-getattr(signal, name) for name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL") if hasattr(signal, name))
_SPOILT = (
    Reason("it uses memory that is not its own, as code in C does beyond the end of an array", kind="behaviour"),
    Reason("the case shown is the last before the end: an earlier call may have done it", kind="circumstance"),
)
_CHECKING = {"LD_PRELOAD": "libc_malloc_debug.so.0", "MALLOC_CHECK_": "3", "MALLOC_PERTURB_": "165"}
_NOT_AGAIN = "but not when it was tried again"


def checking() -> AbstractContextManager[None]:
    """A process that is started here, not forked, tests its memory, where it has glibc.

    Source: the manual page mallopt(3), MALLOC_CHECK_; glibc's news of version 2.34, for the library that does it since.
    """
    return environment(_CHECKING)


class _Culprit:
    """What is heard of a process that runs some properties alone: which one was under way, and its last call."""

    def __init__(self) -> None:
        self.running = self.how = ""
        self.call: Called | None = None

    def hear(self, event: Event) -> None:
        match event:
            case Started(nodeid):
                self.running = nodeid
            case Called():
                self.call = event

    @property
    def operation(self) -> str:
        """The operation that was called last."""
        return self.call.operation if self.call else ""


class Charging(Progress):
    """Hears children, and knows what was under way when one ended.

    `ran` are the properties that this child has done, `suspect` the one that ended the child before, `spared` the
    operations that ended one in a first look or beside others, `spoilers` those that spoil memory, `lost` the
    properties in which a worker ended. `is_silent` or `is_stopped` say why the parent ended the child, if it did.
    """

    def __init__(self, asked: Request, *bar: str) -> None:
        super().__init__(*bar)
        self.asked, self.is_over = asked, False
        self.found: Found | None = None
        self.suspect, self._how = "", ""
        self.spared, self.spoilers = set[str](), set[str]()
        self.ran: list[str] = []
        self.lost: list[str] = []
        self.call: Called | None = None
        self.is_loaded = self.is_silent = self.is_stopped = False

    @abstractmethod
    def hear_child(self, orders: Orders, hear: Callable[[Event], None]) -> int:
        """Start a child and let it be heard to its end; its exit code."""

    def hear(self, event: Event) -> None:
        """Take one event; what ended a process and does not when it is tried again has not held for that."""
        match event:
            case Loaded():
                self.is_loaded = True
            case Called():  # it may be the last
                self.call = event
            case Lost(nodeid):
                self.lost.append(nodeid)
            case GivenUp(operations):  # nor are later children to call them
                WATCH.stuck |= operations
            case Done(nodeid, result):
                if nodeid == self.suspect and result.outcome == "held":
                    event = Done(nodeid, ended(f"it {self._how}, {_NOT_AGAIN}"))
                if nodeid == self.suspect:
                    self.suspect, self.call = "", None
                self.ran.append(nodeid)
        super().hear(event)

    def charge(self, exitcode: int) -> None:
        """Blame what was under way when a child ended, if it ends another one too, or else what does."""
        operation, timed_out = WATCH.under_way, WATCH.ended_a_process or self.is_silent
        how = "stopped the process" if self.is_stopped else _ended(exitcode)
        self.is_silent = self.is_stopped = False
        WATCH.leave()
        if self.outcomes.interrupted:
            self.is_over = True
        elif self.found is None:
            if operation and operation not in self.spared:
                self.spared.add(operation)
            elif not (self.is_loaded and exitcode in _FAULTS and self._charge_a_spoiler([])):
                raise CannotLoad(f"{self.asked.target} cannot be imported: it {how}")
        elif self.running and operation and operation not in {*_operations(self.running), *self.spared}:
            self.spared.add(operation)  # the property called it beside its own, and is run again without
        elif timed_out and self.running:
            if operation:
                where = all_properties()[self.running].id
                WATCH.stuck[operation] = Stuck(f"it did not come back, nor could be stopped in {where}", {})
            self._record_the_end(operation, "did not come back, nor could be stopped", self.call)
        elif exitcode in _FAULTS:
            self._charge_a_fault(how)
        elif self.running == self.suspect != "":
            self._record_the_end(operation, how, self.call)
        elif self.running:
            self.suspect, self._how = self.running, how
        else:
            self._charge_the_last(how)

    def _charge_a_fault(self, how: str) -> None:
        """Charge the property under way if it spoils memory when it is alone, or else the operation that does."""
        if self.running and (culprit := self._alone([self.running])):
            self._record_the_end(culprit.operation, culprit.how, culprit.call, _SPOILT)
            self._call_no_more(culprit)
        elif self._charge_a_spoiler([*self.ran, *filter(None, [self.running])]) or self.outcomes.interrupted:
            self.is_over = self.outcomes.interrupted or self.asked.fail_fast
        elif self.running:
            self.hear(Done(self.running, ended(f"it {how}, {_NOT_AGAIN}")))
        else:
            self._charge_the_last(how)

    def _charge_a_spoiler(self, ran: list[str]) -> bool:
        """Find and charge the operation that spoils memory when it is alone; the newest that ran are tried first."""
        newest = [all_properties()[nodeid].operation for nodeid in reversed(ran)]
        for operation in dict.fromkeys([*newest, *OPERATIONS]):
            culprit = self._alone([nodeid for nodeid in all_properties() if _operations(nodeid) == (operation,)])
            if culprit and culprit.operation == operation:
                self._call_no_more(culprit)
                about = [nodeid for nodeid in self.outcomes.selected if _operations(nodeid)[0] == operation]
                if about:
                    self.running = culprit.running if culprit.running in about else about[0]
                    self._record_the_end(operation, culprit.how, culprit.call, _SPOILT)
                return True
            if self.outcomes.interrupted:
                return False
        return False

    def _call_no_more(self, culprit: _Culprit) -> None:
        """An operation that spoils memory explains whatever ended before."""
        self.spoilers.add(culprit.operation)
        where = all_properties()[culprit.running].id if culprit.running else "a first look"
        arguments = culprit.call.arguments if culprit.call else {}
        WATCH.stuck[culprit.operation] = Stuck(f"it {culprit.how} in {where}", arguments)

    def _alone(self, nodeids: Collection[str]) -> _Culprit | None:
        """How a process ends in which these properties alone are run and memory is tested; None if it does not."""
        asked = replace(self.asked, keyword="", workers=None, fail_fast=False, known=None, database=None)
        others = (all_properties().keys() | set(self.outcomes.selected)) - set(nodeids)
        unnamed = OPERATIONS.keys() - {name for nodeid in nodeids for name in _operations(nodeid)}
        culprit = _Culprit()
        orders = Orders(asked, others, nodeids, unnamed, dict(WATCH.stuck), is_shaken=True)
        exitcode = self.hear_child(orders, culprit.hear)
        culprit.how = _ended(exitcode)
        return culprit if exitcode in _FAULTS and culprit.call else None

    def charge_the_lost(self) -> None:
        """Charge what ended a worker, and not when it was run again by itself, unless another operation did it."""
        results = self.outcomes.results
        held = [nodeid for nodeid in self.lost if nodeid in results and results[nodeid].outcome == "held"]
        if held and not self.spoilers and not self._charge_a_spoiler(held):
            for nodeid in held:
                results[nodeid] = ended(f"it ended a worker process, {_NOT_AGAIN}")

    def _charge_the_last(self, how: str) -> None:
        """Charge the property before the end, if nothing was under way and nothing ends a process again."""
        results = self.outcomes.results
        left = set(self.outcomes.selected) - results.keys()
        held = [nodeid for nodeid in self.ran if results[nodeid].outcome == "held"]
        if held:
            results[held[-1]] = ended(f"after it the target {how}, {_NOT_AGAIN}")
        elif not self.ran and (left or not self.outcomes.selected):
            raise CannotLoad(f"{self.asked.target} cannot be checked: it {how}, outside any property")
        self.is_over = self.asked.fail_fast or not left

    def _record_the_end(
        self, operation: str | None, what: str, call: Called | None, reasons: Collection[Reason] = ()
    ) -> None:
        message = f"{operation or 'the target'} {what}"
        result = ended(message)
        result.reasons = list(reasons)
        if operation and call and call.operation == operation:
            result.counterexample = call.arguments
            entry = all_properties()[self.running]
            result.scripts = list(of_one_call(entry, self.asked.target, operation, call.arguments, message))
        self.suspect = ""
        self.hear(Done(self.running, result))
        self.is_over = self.asked.fail_fast


def _operations(nodeid: str) -> tuple[str, ...]:
    return all_properties()[nodeid].operations


def _ended(exitcode: int) -> str:
    how = f"with status {exitcode}" if exitcode >= 0 else f"by {signal.Signals(-exitcode).name}"
    return f"ended the process {how}"
