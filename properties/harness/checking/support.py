"""Finding out for which shapes a target's operations say that they are not implemented."""

from dataclasses import replace

import numpy as np

from ..core.limits import Pair
from ..core.single import single
from ..target.target import Failure, Operation, Target
from ..target.timeouts import OutOfTime

_ASKED_FIRST = 24


def explored(target: Target) -> Target:
    """The target with its limits narrowed to what it implements, if a few shapes show that there is need to ask.

    A pair of shapes is left out where every operation of its layer that the target offers leaves it out. Cases
    are then mostly drawn from the rest: a case left out proves nothing. An operation that leaves every shape out
    is not offered. With channels or batches one of each is asked.
    """
    left_out: set[tuple[str, Pair]] = set()
    stubs: set[str] = set()
    limits, operations_of_one = target.limits, single(target).operations
    any_shape = (((1, 1), (2, 3)),)
    pairs = {
        "activations": any_shape,
        "convolution": limits.convolutions(),
        "pooling": limits.poolings(False),
        "dense": any_shape,
        "network": limits.networks(),
    }
    for layer, shapes in pairs.items():
        operations = [one for one in operations_of_one.values() if one.signature.layer == layer]
        first = shapes[:: len(shapes) // _ASKED_FIRST + 1]
        asked = [one for one in operations if any(_leaves_out(one, pair) for pair in first)]
        stubs |= {one.name for one in asked if all(_leaves_out(one, pair) for pair in shapes)}
        if rest := [one for one in operations if one.name not in stubs] if asked else []:
            left_out |= {(layer, pair) for pair in shapes if all(_leaves_out(one, pair) for one in rest)}
    if not stubs and not left_out:
        return target
    offered = {name: one for name, one in target.operations.items() if name not in stubs}
    limits = replace(limits, left_out=frozenset(left_out)) if left_out else limits
    return replace(target, operations=offered, limits=limits)


def _leaves_out(operation: Operation, pair: Pair) -> bool:
    part, whole = pair
    layer = operation.signature.layer
    fits = [w // p if layer == "pooling" else w - p + 1 for p, w in zip(part, whole, strict=True)]
    if layer == "dense":
        fits = [1, 1]
    untied = 1 + np.arange(whole[0] * whole[1]).reshape(whole) / 1024  # ties may be what is not implemented
    case = {
        "image": untied,
        "kernel": np.ones(part),
        "x": untied,
        "window": part,
        "upstream": np.ones(fits),
        "target": 0.5,
        "features": np.ones((1, 1)),
        "weights": np.ones((max(fits[0] * fits[1] // 4, 1), 1)),
        "learning_rate": 0.5,
    }
    try:
        operation.raw(*(case[name] for name in operation.signature.parameters))
    except NotImplementedError:
        return True
    except (Failure, OutOfTime):
        return False  # the properties will say so
    return False
