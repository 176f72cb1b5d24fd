"""Hypothesis strategies: cases drawn as tapes of bytes, one for an example, or several points of one shape."""

from collections.abc import Callable
from functools import cache, partial
from hashlib import blake2b
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from hypothesis import strategies as st

from ...layers import LAYERS
from ...layers.base.registry import Layer
from ..core.setting import Setting, setting
from ..core.tape import Bytes, Case, Tape
from .trial import current

Read = Callable[[Tape], Case]


class Points(NamedTuple):
    """Cases of one shape: all at once, with an axis for the points in front, and the tape of each."""

    together: Case
    tapes: Bytes

    def case(self, number: int) -> Case:
        """One of them, as it would be drawn alone."""
        return self.together.taken(number)


def cases_from(read: Read, *, alone: bool = False) -> st.SearchStrategy[Any]:
    """The cases that `read` reads off a tape of the length that it takes.

    If the budget is large an example carries `Points` in place of one case: that of the tape that was drawn, and others
    that are derived from it; not if each comes `alone`, as the strategy's own attribute of that name gives them.
    """

    @st.composite
    def strategy(draw: Callable[[st.SearchStrategy[bytes]], bytes]) -> Case | Points:
        data, points = draw(_bytes(_length(read, setting()))), current().points
        return points_of(read, data, points) if points > 1 and not alone else read(Tape(data))

    cases = strategy()
    cases.read, cases.alone = read, cases if alone else cases_from(read, alone=True)  # type: ignore[attr-defined]
    return cases


class _OfLayers(dict[str, st.SearchStrategy[Any]]):
    """Strategies by the layers' names, each made when it is asked for: a target's own layers are not known before."""

    def __init__(self, read: Callable[[Layer, Tape], Case]) -> None:
        self._read = read
        self._of_own: WeakKeyDictionary[Any, dict[str, st.SearchStrategy[Any]]] = WeakKeyDictionary()

    def __missing__(self, name: str) -> st.SearchStrategy[Any]:
        known = self if name in LAYERS else self._of_own.setdefault(setting().own_layers, {})
        if name not in known:
            known[name] = cases_from(partial(self._read, LAYERS[name]))
        return known[name]


def cases_of_layers(read: Callable[[Layer, Tape], Case]) -> dict[str, st.SearchStrategy[Any]]:
    """For each layer the cases that `read` reads of it."""
    return _OfLayers(read)


def points_of(read: Read, data: bytes, count: int) -> Points:
    """The case of this tape, and behind it as many others of its shape as make `count`: always the same ones."""
    seed = int.from_bytes(blake2b(data, digest_size=16).digest())
    derived = np.random.Generator(np.random.SFC64(seed)).bytes((count - 1) * len(data))
    tapes = np.frombuffer(bytearray(data + derived), np.uint8).reshape(count, -1)
    return Points(read(Tape(tapes)), tapes)


@cache
def _bytes(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


@cache
def _length(read: Read, within: Setting) -> int:
    """How many bytes a tape has for this reader; `within` is the setting in force."""
    read(tape := Tape(None))
    return tape.position
