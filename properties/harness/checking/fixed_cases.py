"""Cases that are the same in every run, where Hypothesis would draw: to tell formulas apart, and at large sizes."""

from contextlib import suppress
from functools import cache

import numpy as np

from ...layers import LAYERS
from ...layers.base.registry import Read, Signature
from ..core.limits import NotApplicable
from ..core.setting import Setting, setting, with_setting
from ..core.tape import SEED, Case, Tape

MOST_BYTES, PATIENCE = 2**14, 8
LONGEST = 2**17  # bytes of one array of a large case


def smooth(signature: Signature, count: int) -> list[Case]:
    """Cases at which the operation is differentiable."""
    return read_off(signature.smooth, count)


def kinked(signature: Signature, count: int) -> list[Case]:
    """Cases with ties or zeros; none for an operation without kinks."""
    return read_off(signature.kinked, count) if signature.kinked else []


def read_off(read: Read, count: int) -> list[Case]:
    """So many cases of a reader, the same in every run; fewer where it leaves most of them out."""
    generator, cases = np.random.default_rng(SEED), list[Case]()
    for _ in range(PATIENCE * count):
        with suppress(NotImplementedError):  # a target's own layer is asked while its cases are made
            cases.append(read(Tape(generator.bytes(MOST_BYTES))))
        if len(cases) == count:
            break
    return cases


def larger(layer: str, count: int | None = None) -> list[Case]:
    """Cases beyond the sizes that are sampled, all of them or so many, spread evenly, within what the target declares.

    `NotApplicable` where that leaves none.
    """
    cases = _larger(layer, setting())
    if not cases:
        raise NotApplicable("the target does not support every shape")
    step = 1 if count is None else max(len(cases) // count, 1)
    return [Case(case) for case in cases[::step][:count]]


@cache
def _larger(layer: str, within: Setting) -> list[Case]:
    generator = np.random.default_rng(SEED)
    cases = []
    for limits, read in LAYERS[layer].larger(within.limits):
        with with_setting(limits=limits):
            cases.append(read(Tape(generator.bytes(2**20), LONGEST)))
    return cases
