"""What is heard of a session as it goes: the outcomes so far, and the progress that a person sees of them."""

import sys
from threading import RLock
from typing import Any

from tqdm import tqdm

from ..checking.properties import all_properties
from ..report.report import Outcomes
from ..report.results import FAILING
from .warned import add

_OFTEN = 1.0 if "ipykernel" in sys.modules else 0.1  # seconds: a notebook keeps every line
_BAR = "{n_fmt} of {total_fmt} after {elapsed}{postfix}"  # no time left: properties are too unlike for one


class Hearing:
    """Takes what a session tells. Progress is shown on a terminal and in a notebook, nowhere else, in this format."""

    def __init__(self, bar_format: str = _BAR) -> None:
        self.outcomes = Outcomes()
        self.running = self._not_shared = ""
        tqdm.monitor_interval = 0  # no thread: processes are forked from this one
        tqdm.set_lock(RLock())  # its own is made by multiprocessing, whose start method a target may still want to set
        hidden = False if "ipykernel" in sys.modules else None  # None: unless it is a terminal
        self.bar = tqdm(bar_format=bar_format, disable=hidden, mininterval=_OFTEN, leave=False, dynamic_ncols=True)

    def hear(self, kind: str, *values: Any) -> None:
        """One thing that is told: selected, started, asked, result, warnings or interrupted, and what goes with it."""
        getattr(self, f"on_{kind}")(*values)

    def on_selected(self, nodeids: list[str]) -> None:
        """These properties are going to run; the first such list counts, later ones are what is left of it."""
        if not self.outcomes.selected:
            self.outcomes.selected = nodeids
            self.bar.reset(total=len(nodeids))

    def on_started(self, nodeid: str) -> None:
        """A property runs now."""
        self.running = nodeid
        failing = sum(result["outcome"] in FAILING for result in self.outcomes.results.values())
        name = all_properties()[nodeid].id
        self.bar.set_postfix_str(f"{failing} failing: {name}" if failing else name)

    def on_asked(self, operation: str, call: dict[str, Any]) -> None:
        """An operation is about to be called; told of a suspect property alone."""

    def on_result(self, nodeid: str, result: dict[str, Any]) -> None:
        """A property is done."""
        self.outcomes.results[nodeid] = result
        self.running = ""
        self.bar.update()

    def on_warnings(self, counts: dict[str, int]) -> None:
        """The target, or what it calls, warned so many times."""
        add(self.outcomes.warnings, counts)

    def on_full(self) -> None:
        """The process has not much memory left, and comes to its end; told where another one goes on."""

    def on_not_shared(self, why: str) -> None:
        """Failures are not shared with other machines: that is said once, before the warnings of others."""
        self._not_shared = self._not_shared or why
        self.outcomes.warnings = {self._not_shared: 1} | self.outcomes.warnings

    def on_interrupted(self, nodeid: str, kept: dict[str, Any] | None) -> None:
        """The user interrupted; `kept` is the result of the property under way, if it was failing."""
        self.outcomes.interrupted = True
        if kept and nodeid not in self.outcomes.results:
            self.outcomes.results[nodeid] = kept
