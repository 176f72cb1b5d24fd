"""Whom to charge when a process ended before it was done.

What was under way is run again, to see the call that does it; where memory was spoilt, it may have been another.
"""

import signal
from abc import abstractmethod
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from ...layers import OPERATIONS
from ..checking.properties import all_properties
from ..report.report import Asked, Found
from ..report.results import ended
from ..target.target import CannotLoad
from ..target.timeouts import WATCH, Stuck
from ..why.reproduction import of_one_call
from .child import Orders
from .inquiry import FAULTS, SPOILT, Alone, candidates, properties_of
from .progress import Hearing

NOT_AGAIN = "but not when it was tried again"


class Charging(Hearing):
    """Hears children, and knows what was under way when one ended.

    `ran` are the properties that this child has done, `suspect` the one that ended the child before, `spared` the
    operations that ended one in a first look or beside others, `spoilers` those that spoil memory, `lost` the
    properties in which a worker ended.
    """

    def __init__(self, asked: Asked, *bar: str) -> None:
        super().__init__(*bar)
        self.asked, self.is_over = asked, False
        self.found: Found | None = None
        self.suspect, self.spared, self.spoilers = "", set[str](), set[str]()
        self.ran: list[str] = []
        self.lost: list[str] = []
        self.call: tuple[str, dict[str, Any]] | None = None
        self.is_loaded, self.is_silent, self.is_stopped, self._how = False, False, False, ""

    @abstractmethod
    def hear_child(self, orders: Orders, hearer: Hearing | Alone) -> int:
        """Start a child and let it be heard to its end; its exit code."""

    def on_asked(self, operation: str, call: dict[str, Any]) -> None:
        """Keep the newest call: it may be the last."""
        self.call = operation, call

    def on_result(self, nodeid: str, result: dict[str, Any]) -> None:
        """A property is done; what ended a process and does not when it is tried again has not held for that."""
        if nodeid == self.suspect:
            if result["outcome"] == "held":
                result = ended(f"it {self._how}, {NOT_AGAIN}")
            self.suspect, self.call = "", None
        self.ran.append(nodeid)
        super().on_result(nodeid, result)

    def on_lost(self, nodeid: str) -> None:
        """A worker ended in this property, which is to be run again by itself."""
        self.lost.append(nodeid)

    def on_stuck(self, stuck: dict[str, Any]) -> None:
        """These operations are not to be called again, by later children neither."""
        WATCH.stuck |= {name: Stuck(*one) for name, one in stuck.items()}

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
            elif not (self.is_loaded and exitcode in FAULTS and self.culprit([])):
                raise CannotLoad(f"{self.asked.target} cannot be imported: it {how}")
        elif self.running and operation and operation not in {*_operations(self.running), *self.spared}:
            self.spared.add(operation)  # the property called it beside its own, and is run again without
        elif timed_out and self.running:
            if operation:
                where = all_properties()[self.running].id
                WATCH.stuck[operation] = Stuck(f"it did not come back, nor could be stopped in {where}", {})
            self._record_the_end(operation, "did not come back, nor could be stopped", self.call)
        elif exitcode in FAULTS:
            self._inquire(how)
        elif self.running == self.suspect != "":
            self._record_the_end(operation, how, self.call)
        elif self.running:
            self.suspect, self._how = self.running, how
        else:
            self._charge_the_last(how)

    def _inquire(self, how: str) -> None:
        """Charge the property under way if it spoils memory when it is alone, or else the operation that does."""
        if self.running and (guilty := self._alone([self.running])):
            self._record_the_end(guilty.operation, guilty.how, guilty.call, SPOILT)
            self._call_no_more(guilty)
        elif self.culprit([*self.ran, *filter(None, [self.running])]) or self.outcomes.interrupted:
            self.is_over = self.outcomes.interrupted or self.asked.fail_fast
        elif self.running:
            self.on_result(self.running, ended(f"it {how}, {NOT_AGAIN}"))
        else:
            self._charge_the_last(how)

    def culprit(self, ran: list[str]) -> bool:
        """Find and charge the operation that spoils memory when it is alone; those of the properties that ran first."""
        for operation in candidates(ran):
            guilty = self._alone([entry.nodeid for entry in properties_of(operation)])
            if guilty and guilty.operation == operation:
                self._call_no_more(guilty)
                about = [nodeid for nodeid in self.outcomes.selected if _operations(nodeid)[0] == operation]
                if about:
                    self.running = guilty.running if guilty.running in about else about[0]
                    self._record_the_end(operation, guilty.how, guilty.call, SPOILT)
                return True
            if self.outcomes.interrupted:
                return False
        return False

    def _call_no_more(self, guilty: Alone) -> None:
        """An operation that spoils memory explains whatever ended before."""
        self.spoilers.add(guilty.operation)
        WATCH.stuck[guilty.operation] = guilty.stuck

    def _alone(self, nodeids: Collection[str]) -> Alone | None:
        """How a process ends in which these properties alone are run and memory is tested; None if it does not."""
        asked = replace(self.asked, keyword="", workers=None, fail_fast=False, known=None, database=None)
        named = {name for nodeid in nodeids for name in _operations(nodeid)}
        heard = Alone()
        orders = Orders(
            asked,
            all_properties().keys() - nodeids,
            nodeids,
            OPERATIONS.keys() - named,
            dict(WATCH.stuck),
            is_shaken=True,
        )
        exitcode = self.hear_child(orders, heard)
        heard.how = _ended(exitcode)
        return heard if exitcode in FAULTS and heard.call else None

    def charge_the_lost(self) -> None:
        """Charge what ended a worker, and not when it was run again by itself, unless another operation did it."""
        held = [nodeid for nodeid in self.lost if self.outcomes.results.get(nodeid, {}).get("outcome") == "held"]
        if held and not self.spoilers and not self.culprit(held):
            for nodeid in held:
                self.outcomes.results[nodeid] = ended(f"it ended a worker process, {NOT_AGAIN}")

    def _charge_the_last(self, how: str) -> None:
        """Charge the property before the end, if nothing was under way and nothing ends a process again."""
        left = set(self.outcomes.selected) - self.outcomes.results.keys()
        held = [nodeid for nodeid in self.ran if self.outcomes.results[nodeid]["outcome"] == "held"]
        if held:
            self.outcomes.results[held[-1]] = ended(f"after it the target {how}, {NOT_AGAIN}")
        elif not self.ran and (left or not self.outcomes.selected):
            raise CannotLoad(f"{self.asked.target} cannot be checked: it {how}, outside any property")
        self.is_over = self.asked.fail_fast or not left

    def _record_the_end(
        self,
        operation: str | None,
        what: str,
        call: tuple[str, dict[str, Any]] | None,
        diagnosis: Collection[str] = (),
    ) -> None:
        message = f"{operation or 'the target'} {what}"
        result = ended(message) | {"diagnosis": list(diagnosis)}
        if operation and call and call[0] == operation:
            result["counterexample"] = call[1]
            entry = all_properties()[self.running]
            result["scripts"] = of_one_call(entry, self.asked.target, operation, call[1], message)
        self.suspect = ""
        self.on_result(self.running, result)
        self.is_over = self.asked.fail_fast


def _operations(nodeid: str) -> tuple[str, ...]:
    return all_properties()[nodeid].operations


def _ended(exitcode: int) -> str:
    return "ended the process " + (
        f"with status {exitcode}" if exitcode >= 0 else f"by {signal.Signals(-exitcode).name}"
    )
