"""What a function shares with all others of its process, and should leave as it found it; and the warnings it gives."""

import linecache
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from sysconfig import get_paths
from types import FrameType
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from ..core.reason import Reason
from ..core.tape import SEED
from ..core.text import LONGEST_LINE, printable

_OWN_GENERATOR = Reason(
    "draw from a generator of your own, numpy.random.default_rng(seed) or random.Random(seed)", kind="behaviour"
)
_OF_A_LAYER = Reason(
    "initial weights are drawn as a layer is built: backproof.adapters.from_layer and kept put the state back",
    kind="behaviour",
)
MENDS = {
    "NumPy's error state": (Reason("set it for as long as it is wanted: with np.errstate(…)", kind="behaviour"),),
    "NumPy's random state": (_OWN_GENERATOR, _OF_A_LAYER),
    "Python's random state": (_OWN_GENERATOR, _OF_A_LAYER),
    "the working directory": (Reason("use whole paths, or contextlib.chdir", kind="behaviour"),),
}
MOST_WARNINGS, OTHERS = 20, "other warnings"  # different ones that are told, and what the rest is called
LIBRARIES = tuple(get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))


class State(NamedTuple):
    """One thing that is shared: how it was seen, in words, and what puts it back."""

    seen: str
    put_back: Callable[[], Any]


def process_state() -> dict[str, State]:
    """NumPy's error state, both random states and the working directory, as they are now."""
    errors, folder, state, legacy = np.geterr(), os.getcwd(), random.getstate(), np.random.get_state(legacy=False)  # noqa: NPY002
    numbers = {name: np.asarray(value).tolist() for name, value in legacy["state"].items()}
    return {
        "NumPy's error state": State(str(errors), lambda: np.seterr(**errors)),
        "NumPy's random state": State(_digest({**legacy, "state": numbers}), lambda: np.random.set_state(legacy)),  # noqa: NPY002
        "Python's random state": State(_digest(state), lambda: random.setstate(state)),
        "the working directory": State(folder, lambda: os.chdir(folder)),
    }


def settle_down(folder: str) -> dict[str, State]:
    """States that no call has left behind: random states of their own, and the folder that it was loaded in."""
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002
    os.chdir(folder)
    return process_state()


def put_back(before: dict[str, State]) -> None:
    """Make everything as it was."""
    for one in before.values():
        one.put_back()


def where_changed(what: str, call: Callable[[], Any], folder: str) -> str:
    """The line of code that changes one of the surroundings, seen by making the call line by line; "" if none is.

    What a library does is told by the line that calls it.
    """
    found, before = process_state(), settle_down(folder)[what].seen
    line: tuple[str, int] | None = None
    is_over = False

    def look(frame: FrameType, *_: Any) -> Any:
        nonlocal line, is_over
        is_over = is_over or process_state()[what].seen != before
        if is_over:
            return None
        if not frame.f_code.co_filename.startswith(LIBRARIES):
            line = frame.f_code.co_filename, frame.f_lineno
        return look

    theirs = sys.gettrace()
    sys.settrace(look)
    try:
        with suppress(Exception):
            call()
    finally:
        sys.settrace(theirs)
        put_back(found)
    if not is_over or not line:
        return ""
    return printable(f", in {Path(line[0]).name}, line {line[1]}: {linecache.getline(*line).strip()}")


def _digest(state: Any) -> str:
    return f"the state with checksum {crc32(repr(state).encode()):08x}"


@contextmanager
def counted() -> Iterator[dict[str, int]]:
    """Count the warnings that are given here, by what they say; they go nowhere else.

    The user's filters hold, and of those of Python those that leave something out, but for deprecations. No warning is
    kept to be left out the next time, as Python does by default.
    """
    found: dict[str, int] = {}

    def count(message: Warning | str, category: type[Warning], *_: Any) -> None:
        add(found, {printable(f"{category.__name__}: {message}", LONGEST_LINE): 1})

    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.filterwarnings("always", category=DeprecationWarning)
            warnings.filterwarnings("always", category=PendingDeprecationWarning)
        warnings.simplefilter("always", append=True)
        warnings.showwarning = count  # type: ignore[assignment]
        yield found


def add(counts: dict[str, int], more: Mapping[str, int]) -> None:
    """Add to the numbers of warnings; of too many different ones the last count together."""
    for text, number in more.items():
        known = text if text in counts or len(counts) < MOST_WARNINGS else OTHERS
        counts[known] = counts.get(known, 0) + number
