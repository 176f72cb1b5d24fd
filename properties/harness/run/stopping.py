"""What a user stops a command with: Ctrl-C, a signal to end, or closing the terminal."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

if sys.platform == "linux":
    import fcntl

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def stopping_by(handler: Callable[..., Any]) -> Iterator[None]:
    """Have this handler called in here when the user stops the command. Only the main thread gets signals.

    Where a hangup was ignored before, as under nohup, it still is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.getsignal(one) for one in _SIGNALS}
    if before.get(getattr(signal, "SIGHUP", None)) is signal.SIG_IGN:
        del before[signal.SIGHUP]
    for one in before:
        signal.signal(one, handler)
    try:
        yield
    finally:
        for one, then in before.items():
            signal.signal(one, then)


def unheard(*_: Any) -> None:
    """A handler that lets what is under way go on to its end."""


def by_default() -> None:
    """Let each of these signals end this process, as it does by default; a hangup that is ignored still is."""
    for one in _SIGNALS:
        if signal.getsignal(one) is not signal.SIG_IGN:
            signal.signal(one, signal.SIG_DFL)


def end_with_the_parent(ours: Connection, parents: Connection) -> None:
    """Have the system kill this process's group once the parent is gone, whatever it does then.

    These are the ends of a pipe, of which the parent keeps its own open for as long as it lives, and writes nothing.
    Source: fcntl(2), F_SETSIG. Linux alone has that; elsewhere a child ends when it next tells its parent something.
    """
    parents.close()
    if sys.platform == "linux":
        fcntl.fcntl(ours, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(ours, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(ours, fcntl.F_SETFL, fcntl.fcntl(ours, fcntl.F_GETFL) | os.O_ASYNC)
        if ours.poll(0):  # it was gone already
            os.killpg(0, signal.SIGKILL)
