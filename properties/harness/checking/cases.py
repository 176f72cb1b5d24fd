"""Hypothesis strategies: cases drawn as tapes of bytes, several for an example."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from hashlib import blake2b
from itertools import islice
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from hypothesis import strategies as st

from ...layers import LAYERS
from ...layers.base.registry import Layer
from ..core.setting import Setting, setting
from ..core.tape import Bytes, Case, Tape

Read = Callable[[Tape], Case]


class Points:
    """What one example carries: the case that is read off the tape drawn, and others off tapes derived from it."""

    def __init__(self, read: Read, drawn: bytes) -> None:
        self.read, self.drawn = read, drawn

    @property
    def first(self) -> Case:
        """The case that was drawn."""
        return self.read(Tape(self.drawn))

    def tapes(self, stream: str) -> Iterator[bytes]:
        """The tape that was drawn, and then as many others as are wanted: always the same ones in the same stream."""
        yield self.drawn
        seed = blake2b(self.drawn, digest_size=16, key=blake2b(stream.encode()).digest())
        generator = np.random.Generator(np.random.SFC64(int.from_bytes(seed.digest())))
        while True:
            yield generator.bytes(len(self.drawn))

    def together(self, stream: str, count: int) -> tuple[Case, Bytes]:
        """So many of them at once, of one shape, with an axis for them in front; and the tape of each."""
        tapes = np.frombuffer(bytearray().join(islice(self.tapes(stream), count)), np.uint8).reshape(count, -1)
        return self.read(Tape(tapes)), tapes


def cases_from(read: Read) -> st.SearchStrategy[Points]:
    """The cases that `read` reads off a tape of the length that it takes."""

    @st.composite
    def strategy(draw: Callable[[st.SearchStrategy[bytes]], bytes]) -> Points:
        return Points(read, draw(_bytes(_length(read, setting()))))

    cases = strategy()
    cases.read = read  # type: ignore[attr-defined]
    return cases


class _OfLayers(dict[str, st.SearchStrategy[Points]]):
    """Strategies by the layers' names, each made when it is asked for: a target's own layers are not known before."""

    def __init__(self, read: Callable[[Layer, Tape], Case]) -> None:
        self._read = read
        self._of_own: WeakKeyDictionary[Any, dict[str, st.SearchStrategy[Points]]] = WeakKeyDictionary()

    def __missing__(self, name: str) -> st.SearchStrategy[Points]:
        known = self if name in LAYERS else self._of_own.setdefault(setting().own_layers, {})
        if name not in known:
            known[name] = cases_from(partial(self._read, LAYERS[name]))
        return known[name]


def cases_of_layers(read: Callable[[Layer, Tape], Case]) -> dict[str, st.SearchStrategy[Points]]:
    """For each layer the cases that `read` reads of it."""
    return _OfLayers(read)


@cache
def _bytes(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


@cache
def _length(read: Read, within: Setting) -> int:
    """How many bytes a tape has for this reader; `within` is the setting in force."""
    read(tape := Tape(None))
    return tape.position
