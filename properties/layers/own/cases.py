"""Cases of a target's own layer: arrays of few values or of many, at a tie or off all of them, and an upstream."""

from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from typing import Any

import numpy as np

from ...harness.core.tape import DYADIC, Case, Tape
from ...harness.core.values import Array, untied
from .declared import LARGEST, Drawn, Sizes, Spec, is_upstream

SIZES = (1, 2, 3, 4, 5, LARGEST)
LONG = (17, 33, 70)  # sides of larger cases, one letter at a time
SHORT, OF_FEW, GENERIC = range(3)  # kinds of numbers; what is above is generic too
FEW = np.array([0.0, 1.0, -1.0, 2.0])
SCALES = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1 / 16, 8.0)
_SLANT = 0.37  # what makes products of short numbers long ones
_UPSTREAM = 256  # bytes
Shapes = tuple[tuple[int, ...], ...]
Ask = Callable[[Case], Shapes]  # the shapes of what the forward pass gives on a case


class Reader:
    """Reads cases of arguments that are declared so; what the forward pass gives is asked for the upstream's shapes.

    Where the forward pass raises there, it is raised on.
    """

    def __init__(self, specs: Mapping[str, Spec], ask: Ask) -> None:
        self._specs, self._ask = specs, ask
        self.letters = sorted(set[str]().union(*(one.letters() for one in specs.values())))
        self.drawn = [name for name, one in specs.items() if isinstance(one, Drawn)]

    def any(self, tape: Tape) -> Case:
        """A case of any kind: most are off ties, some have few values."""
        return self.of_sizes(tape, self._sizes(tape), tape.choose(8))

    def generic(self, tape: Tape) -> Case:
        """A case in which no two entries of an array are equal."""
        return self.of_sizes(tape, self._sizes(tape), GENERIC)

    def at_kinks(self, tape: Tape) -> Case:
        """A case of few values, or one off ties but for two entries that are equal, or one that is 0. Upstream is 0
        but for one entry, so that what there is of the forward pass is one output.
        """
        sizes = self._sizes(tape)
        is_few, place, is_zero = tape.choose(2), tape.choose(256), tape.choose(2)
        name = self.drawn[tape.choose(len(self.drawn))]
        case = self.of_sizes(tape, sizes, OF_FEW if is_few else GENERIC)
        spec, array = self._specs[name], case[name]
        if not is_few and isinstance(spec, Drawn) and array.size:
            first, second = place % array.size, (place // 16 + place % array.size) % array.size
            array.flat[first] = 0.0 if is_zero and spec.low is None else array.flat[second]
        upstreams = list(filter(is_upstream, case))
        for part in upstreams:
            only = np.zeros(case[part].size)
            if part == upstreams[place % len(upstreams)]:
                only[place % only.size] = case[part].flat[place % only.size] or 1.0
            case[part] = only.reshape(case[part].shape)
        return case

    def _sizes(self, tape: Tape) -> Sizes:
        return {letter: SIZES[tape.choose(len(SIZES))] for letter in self.letters}

    def longer(self) -> list[Callable[[Tape], Case]]:
        """Readers of cases with one letter far larger than is sampled; none where no shape has a letter."""
        usual = dict.fromkeys(self.letters, 2)
        every = [{**usual, letter: side} for side in LONG for letter in self.letters]
        return [partial(self.of_sizes, sizes=sizes, form=GENERIC, most=sizes) for sizes in every]

    def of_sizes(self, tape: Tape, sizes: Sizes, form: int, most: Sizes | None = None) -> Case:
        """A case of these sizes; its numbers are short ones, `OF_FEW` values, or `GENERIC`."""
        most = most or dict.fromkeys(self.letters, LARGEST)
        case = Case()
        for name, spec in self._specs.items():
            if isinstance(spec, Drawn):
                case[name] = _values(tape, spec, spec.shape(sizes), spec.shape(most), form)
            else:
                choices = spec.of(sizes)
                case[name] = choices[tape.choose(256) % len(choices)]
        drawn = tape.take(_UPSTREAM)
        shapes = ((),) if tape.data is None else self._ask(case)
        for number, shape in enumerate(shapes, start=1):
            numbers = np.arange(prod(shape)) + 7 * number
            values = DYADIC.take(drawn.take(numbers, mode="wrap"), mode="wrap") * (1 + numbers // _UPSTREAM / 8)
            case["upstream" if len(shapes) == 1 else f"upstream{number}"] = values.reshape(shape)
        return case


def _values(tape: Tape, spec: Drawn, shape: tuple[int, ...], extent: tuple[int, ...], form: int) -> Array:
    scale = SCALES[tape.choose(len(SCALES))]
    drawn = tape.matrix(shape, extent)
    if spec.low is not None and spec.high is not None:
        share = drawn % 4 / 4 if form == OF_FEW else (drawn + untied(shape)) / 256
        return spec.low + (spec.high - spec.low) * (share * 0.98 + 0.01)
    if form == OF_FEW:
        return FEW.take(drawn, mode="wrap")
    values = DYADIC.take(drawn, mode="wrap")
    return scale * (values if form == SHORT else _SLANT * values + untied(shape) / 16)


def direction(case: Mapping[str, Any], name: str) -> Array:
    """A direction in which an array may move: every entry by another number, from 1/2 to 1, up or down."""
    shape = np.shape(case[name])
    known = int(np.abs(np.nan_to_num(case[name])).sum() * 1024) % 2**32
    generator = np.random.default_rng((known, prod(shape)))
    signs = generator.integers(0, 2, shape) * 2 - 1
    return np.asarray(signs * (1 - generator.integers(0, 4096, shape) / 8192))
