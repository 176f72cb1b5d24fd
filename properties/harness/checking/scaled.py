"""Cases scaled by powers of two, each array by its own, over the whole range that no sum of products leaves.

Scaling by a power of two is exact, and every operation but arctan and its like is homogeneous in each of its arrays: so
an implementation that is right at one scale is right at all. Not so what clips, or drops what it takes for small.
"""

from functools import partial

import numpy as np

from ..core.cases import FINE, Case, Tape, decoded
from ..core.trial import current
from .fixed_cases import READERS

REACH = {"float64": 900, "float32": 60}  # the exponents of two that a product of scales stays within
_ALL = {name: sorted(range(-reach, reach + 1), key=abs) for name, reach in REACH.items()}


def read_scaled(layer: str, tape: Tape) -> Case:
    """A case of this layer with its arrays scaled; the network's so that what reaches arctan stays as it was.

    Half of the arrays are also multiplied by 1 + 2^-30, which single precision does not hold.
    """
    case = READERS[layer](tape)
    exponents = (
        _of_network(tape) if layer == "network" else _of_layer(tape, [name for name in case if name != "window"])
    )
    for name, exponent in exponents.items():
        fine = FINE if tape.choose(2) and current().target.dtype == "float64" else 1.0
        scaled = np.ldexp(case[name], exponent) * fine
        case[name] = scaled if isinstance(case[name], np.ndarray) else float(scaled)
    if layer == "network":
        case["learning_rate"] = float(case.learning_rate or 1.0) * (1, -1)[tape.choose(2)]
    return case


def _of_layer(tape: Tape, names: list[str]) -> dict[str, int]:
    """An exponent for each array: half the reach at most, as products of two stay within it; or all of it for one."""
    alone = tape.choose(len(names) + 1)
    drawn = {name: _exponent(tape) for name in names}
    if alone:
        return {name: drawn[name] * (number == alone) for number, name in enumerate(names, start=1)}
    return {name: int(exponent / 2) for name, exponent in drawn.items()}


def _of_network(tape: Tape) -> dict[str, int]:
    """Exponents of image, kernel and weights that add up to 0; the target's, squared in the cost, and the rate's."""
    names = ("kernel", "weights", "target", "learning_rate")
    drawn = {name: int(_exponent(tape) / 4) * (tape.choose(2) == 0) for name in names}
    return {"image": -drawn["kernel"] - drawn["weights"], **drawn}


def _exponent(tape: Tape) -> int:
    every = _ALL[current().target.dtype]
    return every[tape.choose(len(every))]


scaled_cases = {
    layer: decoded(partial(read_scaled, layer), alone=True) for layer in ("convolution", "pooling", "dense", "network")
}
