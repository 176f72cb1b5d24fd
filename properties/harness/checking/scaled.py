"""Cases scaled by powers of two, each array by its own, over the whole range that no sum of products leaves.

Scaling by a power of two is exact, and every operation but arctan and its like is homogeneous in each of its arrays: so
an implementation that is right at one scale is right at all. Not so what clips, or drops what it takes for small.
"""

from functools import partial

import numpy as np

from ...layers import LAYERS
from ...layers.base.registry import Layer
from ..core.setting import setting
from ..core.tape import FINE, REACH, Case, Tape
from ..core.values import Kind
from .cases import cases_from

_ALL = {name: sorted(range(-reach, reach + 1), key=abs) for name, reach in REACH.items()}


def read_scaled(layer: Layer, tape: Tape) -> Case:
    """A case of this layer with its arrays scaled; where the layer has exponents of its own, by these.

    Half of the arrays are also multiplied by 1 + 2^-30, which single precision does not hold. Rates have either sign.
    """
    case = layer.read(tape)
    exponents = layer.exponents(tape, case, _exponent) if layer.exponents else _of_arrays(tape, layer, case)
    for name, exponent in exponents.items():
        fine = FINE if tape.choose(2) and setting().dtype == "float64" else 1.0
        scaled = np.ldexp(case[name], exponent) * fine
        case[name] = scaled if isinstance(case[name], np.ndarray) else float(scaled)
    for name in (name for name, kind in layer.kinds.items() if kind is Kind.RATE):
        case[name] = float(case[name] or 1.0) * (1, -1)[tape.choose(2)]
    return case


def _of_arrays(tape: Tape, layer: Layer, case: Case) -> dict[str, int]:
    """An exponent for each array: half the reach at most, as products of two stay within it; or all of it for one."""
    names = [name for name in case if layer.kinds[name] not in (Kind.SIDES, Kind.NUMBER)]
    alone = tape.choose(len(names) + 1)
    drawn = {name: _exponent(tape) for name in names}
    if alone:
        return {name: drawn[name] * (number == alone) for number, name in enumerate(names, start=1)}
    return {name: int(exponent / 2) for name, exponent in drawn.items()}


def _exponent(tape: Tape) -> int:
    every = _ALL[setting().dtype]
    return every[tape.choose(len(every))]


def is_homogeneous(layer: Layer) -> bool:
    """Whether the layer's operations are homogeneous in each of their arrays, whose kinds are then known."""
    return layer.is_homogeneous and Kind.ANY not in layer.kinds.values()


scaled_cases = {
    name: cases_from(partial(read_scaled, layer)) for name, layer in LAYERS.items() if is_homogeneous(layer)
}
