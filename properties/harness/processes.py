"""What is seen of other processes from outside; on Linux alone."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def stopped(process: int, *, with_children: bool) -> list[int]:
    """Which of a process and, if wanted, its children are stopped, as by SIGSTOP, and wait to be woken.

    Source: the manual page proc(5), on the state in `stat`.
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
