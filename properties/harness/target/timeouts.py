"""The watch on a target's calls: which operation is under way, and an end to what does not come back.

A timer looks every now and then whether a call, or the property that makes it, takes too long, and raises `OutOfTime`
in its midst. Code that never returns to Python, or swallows that, is ended with its process by a second timer, which
the first one pushes back for as long as it gets to run.
"""

import faulthandler
import mmap
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from ...layers import OPERATIONS
from ..core.streams import scratch
from ..core.text import encoded

DEFAULT_TIMEOUT = 600.0
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 0.1, 1e8
CALL_SHARE = 0.1
LONGEST_TICK = 1.0
_LONGEST_NAME = 200  # bytes of the name of an operation


class OutOfTime(BaseException):  # no Exception: neither Hypothesis nor a target's `except` is to go on with it
    """A call or a property took too long; the message says which. `call` has the arguments of the call, encoded."""

    def __init__(self, message: str, call: dict[str, Any] | None = None) -> None:
        self.call = call
        super().__init__(message)


class Stuck(NamedTuple):
    """Why an operation is not called again, and the arguments of the call that showed it, encoded."""

    why: str
    call: dict[str, Any]


class Watch:
    """Which operation is under way, in memory that a process forked from this one shares.

    `told` gets each call before it is made, where one wants to know what ends the process. `stuck` are operations
    that are not called again, `spared` those that end the process, which are not called beside others. `inside` are
    the seconds spent in calls. A process that somebody else lives in too may not be ended.
    """

    def __init__(self) -> None:
        self.told: Callable[[str, dict[str, Any]], None] | None = None
        self.stuck: dict[str, Stuck] = {}
        self.spared: set[str] = set()
        self.inside = 0.0
        self.may_end_the_process = False
        self._interrupted = False
        self._arguments: tuple[Any, ...] = ()
        self._shared = mmap.mmap(-1, 1 + _LONGEST_NAME)  # how long the name is, and the name
        self._since = 0.0
        self._dump = scratch()

    def enter(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Note that an operation is called. Raises `OutOfTime` if it did not come back before."""
        if name in self.stuck:
            raise OutOfTime(f"{name} is not called again: {self.stuck[name].why}", self.stuck[name].call)
        self._arguments = arguments
        if self.told:
            self.told(name, self._call(name))
        self._since = time.monotonic()
        known = name.encode()[:_LONGEST_NAME]
        self._shared[1 : 1 + len(known)] = known
        self._shared[0] = len(known)  # last: before, nothing is under way

    def interrupt(self, *_: Any) -> None:
        """Raise the user's `KeyboardInterrupt`, and know it from one that a target raises."""
        self._interrupted = True
        raise KeyboardInterrupt

    def is_users(self, error: BaseException) -> bool:
        """Whether an exception is the user's interruption; in a process of others each one is taken for that."""
        return isinstance(error, KeyboardInterrupt) and (self._interrupted or not self.may_end_the_process)

    def leave(self) -> None:
        """Note that it came back."""
        self._shared[0] = 0
        self.inside += time.monotonic() - self._since

    def _call(self, name: str) -> dict[str, Any]:
        named = zip(OPERATIONS[name].parameters, self._arguments, strict=True)
        return {parameter: encoded(value) for parameter, value in named}

    @property
    def under_way(self) -> str | None:
        """The operation that is being called; after the end of the process that called it, the last one."""
        length = self._shared[0]
        return self._shared[1 : 1 + length].decode() if length else None

    @property
    def ended_a_process(self) -> bool:
        """Whether the second timer ran out, in this process or in one forked from it; asked once."""
        dumped = os.fstat(self._dump).st_size > 0
        os.truncate(self._dump, 0)
        return dumped

    @contextmanager
    def over(self, what: str, seconds: float) -> Iterator[None]:
        """Let what is done here take so many seconds, and each call in it a tenth of that.

        In a thread that gets no signals, or where there are no timers, it may take any time.
        """
        if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
            yield
            return
        longest, ends, raised = seconds * CALL_SHARE, time.monotonic() + seconds, False
        tick = min(longest / 4, LONGEST_TICK)

        def push_back() -> None:
            if self.may_end_the_process:
                faulthandler.dump_traceback_later(longest + 2 * tick, exit=True, file=self._dump)

        def look(*_: Any) -> None:
            nonlocal raised
            if raised:
                return
            push_back()
            now, name = time.monotonic(), self.under_way
            if name and now - self._since > longest:
                raised = True
                self.stuck[name] = Stuck(f"it did not come back within {longest:g} s in {what}", self._call(name))
                raise OutOfTime(f"{name} did not come back within {longest:g} s", self.stuck[name].call)
            if now > ends:
                raised = True
                raise OutOfTime(f"not done after {seconds:g} s: give it a longer --timeout, or fewer --examples")

        before = signal.signal(signal.SIGALRM, look)
        signal.setitimer(signal.ITIMER_REAL, tick, tick)
        push_back()
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            faulthandler.cancel_dump_traceback_later()
            signal.signal(signal.SIGALRM, before)
            self._shared[0] = 0


WATCH = Watch()
