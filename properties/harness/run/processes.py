"""The processes of a run: how a user stops them, how one ends with another, and what is seen of them from outside."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path

if sys.platform == "linux":
    import fcntl

_STOPS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def stopping_by(handler: Callable[..., object]) -> Iterator[None]:
    """Have this handler called in here when the user stops the command: by Ctrl-C, a signal, or closing the terminal.

    Where a hangup was ignored before, as under nohup, it still is.
    """
    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield
        return
    before = {one: signal.getsignal(one) for one in _STOPS}
    if before.get(getattr(signal, "SIGHUP", None)) is signal.SIG_IGN:
        del before[signal.SIGHUP]
    for one in before:
        signal.signal(one, handler)
    try:
        yield
    finally:
        for one, then in before.items():
            signal.signal(one, then)


def unheard(*_: object) -> None:
    """A handler that lets what is under way go on to its end."""


def by_default() -> None:
    """Let each of these signals end this process, as it does by default; a hangup that is ignored still is."""
    for one in _STOPS:
        if signal.getsignal(one) is not signal.SIG_IGN:
            signal.signal(one, signal.SIG_DFL)


def end_with_the_parent(ours: Connection, parents: Connection) -> None:
    """Have the system kill this process's group once the parent is gone, whatever this process does then.

    These are the ends of a pipe, of which the parent keeps its own open for as long as it lives, and writes nothing.
    The system then signals its closing, also where Python never runs again, as in a loop in C.
    Source: fcntl(2), F_SETSIG. Linux alone has that; elsewhere a child ends when it next tells its parent something.
    """
    parents.close()
    if sys.platform == "linux":
        fcntl.fcntl(ours, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(ours, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(ours, fcntl.F_SETFL, fcntl.fcntl(ours, fcntl.F_GETFL) | os.O_ASYNC)
        if ours.poll(0):  # it was gone already
            os.killpg(0, signal.SIGKILL)


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Environment variables that have these values in here."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def stopped(process: int, *, with_children: bool) -> list[int]:
    """Which of a process and, if wanted, its children are stopped, as by SIGSTOP, and wait to be woken.

    Source: the manual page proc(5), on the state in `stat`. Linux alone has that; elsewhere none is seen.
    """
    family = [process, *(_children(process) if with_children else [])]
    return [one for one in family if _state(one) == "T"]


def _children(process: int) -> Iterator[int]:
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            yield from map(int, path.read_text(encoding="ascii").split())


def _state(process: int) -> str:
    """The letter of a process's state, which stands after its name in parentheses; "" of one that is not seen."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return ""
