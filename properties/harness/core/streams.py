"""Standard streams that are closed, full or gone: what cannot be written is known at the end, and never a traceback."""

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_STREAMS = ("stdin", "stdout", "stderr")


class Steady(io.RawIOBase):
    """A stream's raw end that takes what cannot be written as if it were; `error` is the first reason."""

    def __init__(self, raw: Any, error: OSError | None) -> None:
        self._raw, self.error = raw, error

    def write(self, data: Any) -> int | None:
        """Write what can be written."""
        try:
            return len(data) if self.error else self._raw.write(data)
        except OSError as error:
            self.error = error
            return len(data)

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """The number of the stream's descriptor."""
        return int(self._raw.fileno())

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return bool(self._raw.isatty())


@contextmanager
def steady() -> Iterator[Steady | None]:
    """Let no writing to standard output or error raise in here; gives the raw end of the output, if it has one."""
    closed = _open_closed()
    before = sys.stdout, sys.stderr
    ends: list[Steady | None] = []
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        raw = getattr(stream, "buffer", None)
        raw = getattr(raw, "raw", raw)  # there is no buffer between where Python is told so
        if not isinstance(raw, io.FileIO):
            ends.append(None)
            continue
        end = Steady(raw, OSError(0, "it is closed") if name in closed else None)
        text = io.TextIOWrapper(
            io.BufferedWriter(end),
            encoding=stream.encoding,
            errors="backslashreplace",  # × and ∂ are not in every encoding
            line_buffering=stream.line_buffering or stream.write_through,
        )
        stream.flush()
        setattr(sys, name, text)
        ends.append(end)
    try:
        yield ends[0]
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before


def scratch() -> int:
    """The descriptor of a new file without a name: in memory, where that can be, so that a full disk does not matter.

    It is none of the standard streams', whose numbers are free where they are closed.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("backproof")
    else:
        descriptor, path = tempfile.mkstemp()
        os.unlink(path)
    while descriptor < len(_STREAMS):
        descriptor = os.dup(descriptor)  # the number that it had stays taken, until `steady` gives it away
    return descriptor


def _open_closed() -> list[str]:
    """Open the standard streams that are closed, to nowhere: else the next file opened takes their place."""
    closed = [name for name in _STREAMS if getattr(sys, name) is None]
    for name in closed:
        number = _STREAMS.index(name)
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)
        os.set_inheritable(number, True)
        setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115
    return closed
