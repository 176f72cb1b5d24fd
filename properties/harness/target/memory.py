"""How much memory a target's process may take, so that what takes more fails and not the machine; on Linux alone."""

import argparse
import os
import re
import sys
from math import inf
from pathlib import Path

from ..core.reason import Reason

LEAST = 2**28  # bytes: the suite itself takes half of that
_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def size_of(text: str) -> int:
    """The bytes of a size such as 4G or 500M. Raises `argparse.ArgumentTypeError`."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([KMGT])", text, re.ASCII | re.IGNORECASE)
    size = int(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
    if size < LEAST:
        raise argparse.ArgumentTypeError(f"a size from {in_words(LEAST)} up, such as 4G, is wanted, not {text!r}")
    return size


def in_words(size: int) -> str:
    """A size as `size_of` takes it: to the byte where that can be said."""
    unit = next((name for name in "TGM" if not size % _UNITS[name]), "K")
    return f"{size / _UNITS[unit]:.10g}{unit}"


def limit(size: int | None) -> None:
    """Let this process, and each that it starts, take so many bytes, or half of the machine's.

    Counted is what it may write to and shares with nobody. Source: the manual page setrlimit(2), RLIMIT_DATA.
    """
    if sys.platform == "linux":
        import resource

        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        wanted = size or max(machine // 2 // _UNITS["M"] * _UNITS["M"], LEAST)
        resource.setrlimit(resource.RLIMIT_DATA, (min(wanted, hard) if hard >= 0 else wanted, hard))


def allowed() -> float:
    """The bytes that this process may take; infinite without a limit."""
    if sys.platform != "linux":
        return inf
    import resource

    soft = resource.getrlimit(resource.RLIMIT_DATA)[0]
    return inf if soft == resource.RLIM_INFINITY else soft


def taken() -> int:
    """The bytes that it has taken of that. Source: the manual page proc(5), the sixth number of `statm`."""
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5]) * os.sysconf("SC_PAGE_SIZE")


def why_refused(error: BaseException) -> tuple[Reason, ...]:
    """That memory was refused for the limit, if it was."""
    if not isinstance(error, MemoryError) or allowed() == inf:
        return ()
    why = f"its process may take {in_words(int(allowed()))} of memory, and no more: --memory allows more or less"
    return (Reason(why, kind="circumstance"),)
