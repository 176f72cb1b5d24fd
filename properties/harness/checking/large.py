"""Sizes with a long tail: kernels to 11, windows to 17, sides to 70, counts to 9, and positions beyond 16 bits.

What code decides by its sizes shows here: a branch for one kernel, tiles whose rest is lost, positions kept in a byte.
So every side up to 11 comes as a square kernel, and outputs are tiles of 4, 8, 16, 32 and 64, and one more or less.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from itertools import cycle

import numpy as np

from ...layers.network_cases import read_smooth
from ..core.cases import GRID, Case, Tape, read_convolution, read_dense, read_pooling
from ..core.layout import Layout
from ..core.limits import POOL, Declared, Limits, NotApplicable, Pair, Shape
from ..core.sizes import joined_valid
from ..core.trial import Conventions, current, on_trial
from ..target.target import Target
from .fixed_cases import SEED

LONGEST = 2**17  # bytes of one array of a case
_KERNELS: tuple[Shape, ...] = (
    *((side, side) for side in range(1, 12)),
    *((1, 11), (11, 1), (2, 9), (9, 2), (7, 6), (3, 10), (10, 7), (5, 3), (4, 5), (6, 11), (2, 5)),
)
_OUTPUTS: tuple[Shape, ...] = (
    *((3, 5), (8, 17), (5, 2), (16, 4), (1, 9), (17, 8), (4, 16), (33, 3), (9, 12), (2, 33), (12, 31)),
    *((7, 7), (65, 3), (6, 15), (15, 6), (1, 65), (64, 2), (13, 13), (5, 64), (10, 1), (60, 60), (11, 21)),
)
_WINDOWS: tuple[Shape, ...] = (
    *((side, side) for side in range(2, 9)),
    *((11, 11), (12, 12), (16, 16), (17, 17), (1, 17), (17, 1), (3, 9), (4, 7), (16, 15), (2, 5), (10, 2)),
)
_GRIDS: tuple[Shape, ...] = ((9, 8), (2, 3), (17, 5), (1, 2), (4, 16), (8, 8), (3, 7), (16, 9), (33, 4), (5, 1), (3, 2))
_MANY_WINDOWS: tuple[Pair, ...] = (
    *(((2, 2), (1, 33_000)), ((3, 3), (65, 65)), ((1, 3), (260, 70))),
    *(((12, 12), (5, 5)), ((17, 17), (6, 5)), ((17, 16), (4, 6))),
)
_COUNTS = ((1, 1, 1), (2, 4, 3), (5, 3, 4), (3, 5, 9), (9, 2, 5), (4, 9, 8), (8, 8, 2), (1, 7, 6), (2, 1, 7))
_AFEW = (2, 2, 3)  # images, channels and filters of a case of large sides
_LARGE = 256  # entries of an output or a window that is so
_FEATURES = (10, 16, 17, 32, 33, 40, 64, 65, 128, 129, 257, 1000)
_ACTIVATIONS: tuple[tuple[int, ...], ...] = ((11, 13), (3, 4, 5, 6), (17,), (64, 65), (257, 256), (1, 1000))


def larger(layer: str, count: int | None = None) -> list[Case]:
    """Cases beyond the sizes that are sampled, all of them or so many, spread evenly, within what the target declares.

    `NotApplicable` where that leaves none.
    """
    trial = current()
    target = trial.target
    cases = _larger(layer, target.limits, target.dtype, target.layout, trial.conventions.convolution)
    if not cases:
        raise NotApplicable("the target does not support every shape")
    step = 1 if count is None else max(len(cases) // count, 1)
    return [Case(case) for case in cases[::step][:count]]


@cache
def _larger(layer: str, limits: Limits, dtype: str, layout: Layout, convolution: str | None) -> list[Case]:
    generator = np.random.default_rng(SEED)
    target = Target("", {}, limits, dtype, layout=layout)
    cases = []
    with on_trial(target, Conventions(convolution)) as trial:
        for within, read in _readers(layer, limits):
            trial.target = replace(target, limits=within)
            cases.append(read(Tape(generator.bytes(2**20), LONGEST)))
    return cases


def _readers(layer: str, limits: Limits) -> Iterator[tuple[Limits, Callable[[Tape], Case]]]:
    """The limits that leave one size, smaller ones first, and what reads a case within them."""
    if layer == "activations":
        yield from ((limits, partial(_read_activation, shape)) for shape in _ACTIVATIONS)
        return
    if layer == "dense":
        for count, counts in zip(_FEATURES, cycle(_COUNTS)):
            yield replace(limits, counts=counts), partial(read_dense, count=count)
        return
    for number, (part, whole) in enumerate(_pairs(layer, limits)):
        entries = max(whole[0] * whole[1] // (part[0] * part[1]), part[0] * part[1])
        counts = _AFEW if entries > _LARGE else _COUNTS[number % len(_COUNTS)]
        if layer == "pooling":
            within = Limits(windows=(part,), images=(whole,), counts=counts)
            yield from ((within, partial(read_pooling, maxima=maxima)) for maxima in ("unique", "tied"))
        else:
            read = read_convolution if layer == "convolution" else read_smooth
            yield Limits(kernels=(part,), images=(whole,), counts=counts), read


def _pairs(layer: str, limits: Limits) -> list[Pair]:
    """The (kernel, image) or (window, input) pairs that are supported, smaller ones first."""
    if isinstance(limits.images, tuple) or (layer == "network" and not limits.networks()):
        return []  # what is declared is sampled
    if layer == "pooling":
        windows = _declared(limits.windows, _WINDOWS)
        fits = [*zip(windows, cycle(_GRIDS)), *(pair for pair in _MANY_WINDOWS if pair[0] in windows)]
        pairs = [(window, (window[0] * grid[0], window[1] * grid[1])) for window, grid in fits]
    else:
        pool = POOL if layer == "network" else (1, 1)
        outputs = [
            (pool[0] * max(rows // pool[0], 1), pool[1] * max(columns // pool[1], 1)) for rows, columns in _OUTPUTS
        ]
        kernels = _declared(limits.kernels, _KERNELS)
        turned = outputs[len(outputs) // 3 :] + outputs[: len(outputs) // 3]
        fits = [pair for some in (outputs, turned) for pair in zip(cycle(kernels), some)]
        pairs = [(kernel, joined_valid(kernel, output)) for kernel, output in fits]
    if limits.images == "square":
        pairs += [(part, (part[0] * part[1] if layer == "pooling" else max(whole),) * 2) for part, whole in pairs]
    supported = {pair for pair in pairs if limits.supports(layer, pair)}
    return sorted(supported, key=lambda pair: (pair[1][0] * pair[1][1], pair))


def _declared(declared: Declared, shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
    return declared if isinstance(declared, tuple) else shapes


def _read_activation(shape: tuple[int, ...], tape: Tape) -> Case:
    x = tape.dyadic(shape, shape)
    return Case(x=np.where(x == 0, GRID, x))
