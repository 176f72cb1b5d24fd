"""What a function shares with all others of its process, and should leave as it found it."""

import os
import random
from collections.abc import Callable
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from .probes import SEED
from .trial import current


class Surrounding(NamedTuple):
    """One thing that is shared: how it was seen, in words, and what puts it back."""

    seen: str
    put_back: Callable[[], Any]


def surroundings() -> dict[str, Surrounding]:
    """NumPy's error state, both random states and the working directory, as they are now."""
    errors, folder, state, legacy = np.geterr(), os.getcwd(), random.getstate(), np.random.get_state(legacy=False)  # noqa: NPY002
    return {
        "NumPy's error state": Surrounding(str(errors), lambda: np.seterr(**errors)),
        "NumPy's random state": Surrounding(_digest(legacy), lambda: np.random.set_state(legacy)),  # noqa: NPY002
        "Python's random state": Surrounding(_digest(state), lambda: random.setstate(state)),
        "the working directory": Surrounding(folder, lambda: os.chdir(folder)),
    }


def settle_down() -> dict[str, Surrounding]:
    """Surroundings that no call has left behind: random states of their own, and the folder that it was loaded in."""
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002
    os.chdir(current().target.folder)
    return surroundings()


def put_back(before: dict[str, Surrounding]) -> None:
    """Make everything as it was."""
    for one in before.values():
        one.put_back()


def _digest(state: Any) -> str:
    with np.printoptions(threshold=1_000_000):
        return f"the state with checksum {crc32(repr(state).encode()):08x}"
