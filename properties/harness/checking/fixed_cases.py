"""Cases that are the same in every run, where Hypothesis would draw: to tell formulas apart."""

from collections.abc import Callable
from functools import partial

import numpy as np

from ...layers.network_cases import read_kinked, read_smooth
from ..core.cases import Case, Tape, read_activation, read_convolution, read_dense, read_pooling

SEED = 7839
MOST_BYTES = 2**14
READERS: dict[str, Callable[[Tape], Case]] = {
    "activations": read_activation,
    "convolution": read_convolution,
    "pooling": read_pooling,
    "dense": read_dense,
    "network": read_smooth,
}


_SMOOTH: dict[str, Callable[[Tape], Case]] = {**READERS, "pooling": partial(read_pooling, maxima="unique")}
_KINKED: dict[str, Callable[[Tape], Case]] = {
    "activations": read_activation,
    "pooling": partial(read_pooling, maxima="tied"),
    "network": read_kinked,
}


def smooth(layer: str, count: int) -> list[Case]:
    """Cases at which every operation of the layer is differentiable."""
    return _read(_SMOOTH[layer], count)


def kinked(layer: str, count: int) -> list[Case]:
    """Cases with ties or zeros; none for a layer without kinks."""
    return _read(_KINKED[layer], count) if layer in _KINKED else []


def _read(reader: Callable[[Tape], Case], count: int) -> list[Case]:
    generator = np.random.default_rng(SEED)
    return [reader(Tape(generator.bytes(MOST_BYTES))) for _ in range(count)]
