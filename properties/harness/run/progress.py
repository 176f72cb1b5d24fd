"""What a session tells as it goes, event by event; the outcomes so far, and the progress that a person sees of them."""

import json
import sys
from threading import RLock
from typing import Any, Union

import msgspec
from tqdm import tqdm

from ..checking.properties import all_properties
from ..report.data import Found, Result
from ..report.report import Outcomes
from ..target.process_state import add
from ..target.timeouts import Stuck

_OFTEN = 1.0 if "ipykernel" in sys.modules else 0.1  # seconds: a notebook keeps every line
_BAR = "{n_fmt} of {total_fmt} after {elapsed}{postfix}"  # no time left: properties are too unlike for one


class Event(msgspec.Struct, frozen=True, tag=True):
    """Something that is told: as JSON an object whose `type` is the name of its class."""


class Loaded(Event, frozen=True):
    """The target was imported."""


class Unloadable(Event, frozen=True):
    """The target cannot be tested."""

    message: str


class Examined(Event, frozen=True):
    """The target was looked at."""

    found: Found


class Selected(Event, frozen=True):
    """These properties are going to run."""

    nodeids: list[str]


class Started(Event, frozen=True):
    """A property runs now."""

    nodeid: str


class Called(Event, frozen=True):
    """An operation is about to be called with these arguments, encoded; told of suspect properties alone."""

    operation: str
    arguments: dict[str, Any]


class Done(Event, frozen=True):
    """A property is done."""

    nodeid: str
    result: Result


class Lost(Event, frozen=True):
    """A worker ended in this property, which is to be run again by itself."""

    nodeid: str


class GivenUp(Event, frozen=True):
    """These operations are not to be called again."""

    operations: dict[str, Stuck]


class Warned(Event, frozen=True):
    """The target, or what it calls, warned so many times."""

    counts: dict[str, int]


class NotShared(Event, frozen=True):
    """Failures are not shared with other machines."""

    why: str


class Full(Event, frozen=True):
    """The process has not much memory left, and comes to its end: another one is to go on."""


class Interrupted(Event, frozen=True):
    """The user interrupted; `kept` is the result of the property under way, if it was failing."""

    nodeid: str = ""
    kept: Result | None = None


class Ended(Event, frozen=True):
    """The session came to its end with this exit status of pytest's, having said this on standard error."""

    status: int
    refused: str


def as_bytes(event: Event) -> bytes:
    """The event as JSON."""
    return json.dumps(msgspec.to_builtins(event)).encode()


def as_event(data: bytes) -> Event:
    """The event that this JSON is of. Raises `ValueError` if it is none."""
    # msgspec's own JSON knows neither NaN nor paths that are no UTF-8, which Python has as lone surrogates
    return msgspec.convert(json.loads(data), Union[tuple(Event.__subclasses__())])  # noqa: UP007  # no other way


class Progress:
    """Collects a session's outcomes, and shows progress on a terminal and in a notebook, in this format."""

    def __init__(self, bar_format: str = _BAR) -> None:
        self.outcomes = Outcomes()
        self.running = self._not_shared = ""
        tqdm.monitor_interval = 0  # no thread: processes are forked from this one
        tqdm.set_lock(RLock())  # its own is made by multiprocessing, whose start method a target may still want to set
        hidden = False if "ipykernel" in sys.modules else None  # None: unless it is a terminal
        self.bar = tqdm(bar_format=bar_format, disable=hidden, mininterval=_OFTEN, leave=False, dynamic_ncols=True)

    def hear(self, event: Event) -> None:
        """Take one event; those that tell nothing of an outcome are left to others."""
        outcomes = self.outcomes
        match event:
            case Selected(nodeids) if not outcomes.selected:  # later lists are what is left of the first
                outcomes.selected = nodeids
                self.bar.reset(total=len(nodeids))
            case Started(nodeid):
                self.running = nodeid
                failing = sum(result.fails for result in outcomes.results.values())
                name = all_properties()[nodeid].id
                self.bar.set_postfix_str(f"{failing} failing: {name}" if failing else name)
            case Done(nodeid, result):
                outcomes.results[nodeid] = result
                self.running = ""
                self.bar.update()
            case Warned(counts):
                add(outcomes.warnings, counts)
            case NotShared(why):  # said once, before the warnings of others
                self._not_shared = self._not_shared or why
                outcomes.warnings = {self._not_shared: 1} | outcomes.warnings
            case Interrupted(nodeid, kept):
                outcomes.interrupted = True
                if kept:
                    outcomes.results.setdefault(nodeid, kept)
