"""Which operation spoils the memory of its process: it need not be the one in which the process ends.

Each is tried alone, in a process whose allocator tests every block that is freed.
"""

import signal
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from ...layers import OPERATIONS
from ..checking.properties import Property, all_properties
from ..target.timeouts import Stuck
from .processes import environment

FAULTS = tuple(-getattr(signal, name) for name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL") if hasattr(signal, name))
SPOILT = (
    "it uses memory that is not its own, as code in C does beyond the end of an array",
    "the case shown is the last before the end: an earlier call may have done it",
)
_CHECKING = {"LD_PRELOAD": "libc_malloc_debug.so.0", "MALLOC_CHECK_": "3", "MALLOC_PERTURB_": "165"}
_CACHED, _KEPT = 1024, 16  # bytes of the arrays that NumPy keeps for later, and more of each size than it keeps


def checking() -> AbstractContextManager[None]:
    """A process that is started here, not forked, tests its memory, where it has glibc.

    Source: the manual page mallopt(3), MALLOC_CHECK_; glibc's news of version 2.34, for the library that does it since.
    """
    return environment(_CHECKING)


def shake() -> None:
    """Have all the memory that NumPy keeps of small arrays freed, and so tested."""
    for size in range(8, _CACHED, 8):
        blocks = [np.empty(size, np.uint8) for _ in range(_KEPT)]
        while blocks:
            blocks.pop()


def properties_of(operation: str) -> list[Property]:
    """The statements that speak about this operation and no other."""
    return [entry for entry in all_properties().values() if entry.operations == (operation,)]


def candidates(ran: Iterable[str]) -> list[str]:
    """The operations, those of the properties that ran before the end first, and the newest of these first of all."""
    newest = [all_properties()[nodeid].operation for nodeid in ran]
    return list(dict.fromkeys([*reversed(newest), *OPERATIONS]))


class Alone:
    """What is heard of a process that runs some properties alone: which one was under way, and its last call."""

    def __init__(self) -> None:
        self.running = self.how = ""
        self.call: tuple[str, dict[str, Any]] | None = None

    @property
    def operation(self) -> str:
        """The operation that was called last."""
        return self.call[0] if self.call else ""

    @property
    def stuck(self) -> Stuck:
        """Why that is not called again."""
        where = all_properties()[self.running].id if self.running else "a first look"
        return Stuck(f"it {self.how} in {where}", self.call[1] if self.call else {})

    def hear(self, kind: str, *values: Any) -> None:
        """One thing that is told."""
        if kind == "started":
            self.running = values[0]
        elif kind == "asked":
            self.call = values[0], values[1]
