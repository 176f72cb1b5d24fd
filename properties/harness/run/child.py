"""The process in which a target is loaded and checked: it tells of it, line by line as JSON."""

import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from ..checking.conventions import examined
from ..checking.trial import on_trial
from ..core.streams import scratch
from ..report.report import Asked, found
from ..target import memory
from ..target.target import CannotLoad, load
from ..target.timeouts import WATCH, Stuck
from .inquiry import shake
from .session import run_session
from .stopping import by_default, end_with_the_parent
from .warned import counted

CONTEXT: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


@dataclass(frozen=True)
class Orders:
    """What a child is to do: all that is asked for but what is `done`.

    Of the `suspects` each call is told before it is made; operations that are `spared` are not called for a first look
    nor beside others, those that are `stuck` not at all. With `is_shaken` memory is tested from call to call.
    """

    asked: Asked
    done: Collection[str] = ()
    suspects: Collection[str] = ()
    spared: Collection[str] = ()
    stuck: Mapping[str, Stuck] = field(default_factory=dict)
    is_shaken: bool = False


def child(pipe: Connection, parents: Connection, lifeline: tuple[Connection, Connection], orders: Orders) -> None:
    """Load the target, run what is ordered, and tell of it; what the target prints goes nowhere."""
    asked = orders.asked

    def tell(kind: str, *values: Any) -> None:
        if kind == "started":
            os.dup2(nowhere, 2)
        if orders.is_shaken and kind in ("asked", "ended"):
            shake()
        pipe.send_bytes(json.dumps([kind, *values]).encode())
        if kind == "result" and WATCH.stuck:
            tell("stuck", WATCH.stuck)

    parents.close()  # with this end of the pipe open here too, nobody would miss a parent that was killed
    WATCH.may_end_the_process = True
    by_default()
    signal.signal(signal.SIGINT, WATCH.interrupt)
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # a terminal interrupts the parent alone, which hands it on once
    end_with_the_parent(*lifeline)
    multiprocessing.set_start_method(None, force=True)  # the target's to choose
    memory.limit(asked.memory)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    with open(scratch(), "r+b") as errors:
        try:
            WATCH.stuck = {**dict.fromkeys(orders.spared, Stuck("it ended the process", {})), **orders.stuck}
            with WATCH.over("its import", asked.timeout):
                target = load(asked.target)
            tell("loaded")
            if orders.suspects:
                WATCH.told = lambda *call: tell("asked", *call)
            with WATCH.over("a first look", asked.timeout), counted():  # the properties are to tell of warnings
                target, conventions = examined(target, asked.round_number - 1)
            WATCH.stuck = {
                name: one for name, one in WATCH.stuck.items() if name not in orders.spared or name in orders.stuck
            }
            WATCH.spared = set(orders.spared)
            tell("found", found(target, conventions))
            os.dup2(errors.fileno(), 2)
            with on_trial(target, conventions, asked.examples, asked.shard):
                status = run_session(asked, tell, orders.done, orders.suspects)
            errors.seek(0)
            tell("ended", status, errors.read().decode(errors="replace").strip())
        except CannotLoad as error:
            tell("unloadable", str(error))
        except KeyboardInterrupt:
            tell("interrupted", "", None)
