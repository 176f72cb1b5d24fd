"""Cases that are the same in every run, where Hypothesis would draw: of larger sizes, and to tell formulas apart."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from .limits import POOL, Limits, NotApplicable
from .network_cases import read_kinked, read_smooth
from .strategies import (
    Case,
    Tape,
    read_activation,
    read_convolution,
    read_dense,
    read_moderate,
    read_pooling,
)
from .trial import current, on_trial

SEED = 7839
LARGER_KERNEL, LARGER_WINDOW, LARGER_IMAGE, LARGER_COUNT, LARGER_ACTIVATION = (7, 6), (5, 3), (20, 33), 40, (11, 13)
_MOST_BYTES = 2**14
_SHAPED = ("convolution", "pooling", "network")  # what declared shapes concern
READERS: dict[str, Callable[[Tape], Case]] = {
    "activations": read_activation,
    "convolution": read_convolution,
    "pooling": read_pooling,
    "dense": read_dense,
    "network": read_smooth,
}


def _read_larger_dense(tape: Tape) -> Case:
    return Case(
        features=tape.dyadic((1, LARGER_COUNT), (1, LARGER_COUNT)),
        weights=tape.dyadic((LARGER_COUNT, 1), (LARGER_COUNT, 1)),
        upstream=tape.dyadic((1, 1), (1, 1)),
    )


_LARGER: dict[str, Callable[[Tape], Case]] = {
    **READERS,
    "activations": lambda tape: Case(x=np.resize(read_moderate(tape).x, LARGER_ACTIVATION)),
    "pooling": partial(read_pooling, maxima="unique"),
    "dense": _read_larger_dense,
}
_SMOOTH: dict[str, Callable[[Tape], Case]] = {**READERS, "pooling": partial(read_pooling, maxima="unique")}
_KINKED: dict[str, Callable[[Tape], Case]] = {
    "activations": read_activation,
    "pooling": partial(read_pooling, maxima="tied"),
    "network": read_kinked,
}


def larger(layer: str, count: int) -> list[Case]:
    """Cases beyond the sizes that are sampled. `NotApplicable` where the target declares the shapes of the layer."""
    trial = current()
    if layer in _SHAPED and not trial.target.limits.any_shape:
        raise NotApplicable("the target does not support every shape")
    window = POOL if layer == "network" else LARGER_WINDOW
    limits = Limits(kernels=(LARGER_KERNEL,), windows=(window,), images=(LARGER_IMAGE,))
    with on_trial(replace(trial.target, limits=limits), trial.conventions):
        return _read(_LARGER[layer], count)


def smooth(layer: str, count: int) -> list[Case]:
    """Cases at which every operation of the layer is differentiable."""
    return _read(_SMOOTH[layer], count)


def kinked(layer: str, count: int) -> list[Case]:
    """Cases with ties or zeros; none for a layer without kinks."""
    return _read(_KINKED[layer], count) if layer in _KINKED else []


def _read(reader: Callable[[Tape], Case], count: int) -> list[Case]:
    generator = np.random.default_rng(SEED)
    return [reader(Tape(generator.bytes(_MOST_BYTES))) for _ in range(count)]
