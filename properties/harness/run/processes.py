"""What other processes are started with, and what is seen of them from outside; the latter on Linux alone."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path


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
