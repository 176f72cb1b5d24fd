"""Finding out for which shapes a target's operations say that they are not implemented."""

from dataclasses import replace

import numpy as np

from properties.harness.limits import Pair
from properties.harness.single import single
from properties.harness.target import Failure, Operation, Target

_ASKED_FIRST = 24


def explored(target: Target) -> Target:
    """The target with its limits narrowed to what it implements, if a few shapes show that there is need to ask.

    A pair of shapes is left out where every operation of its layer that the target offers leaves it out. Cases
    are then mostly drawn from the rest: a case left out proves nothing. With channels or batches one of each is asked.
    """
    left_out: set[tuple[str, Pair]] = set()
    limits, operations_of_one = target.limits, single(target).operations
    pairs = {"convolution": limits.convolutions(), "pooling": limits.poolings(False), "network": limits.networks()}
    for layer, shapes in pairs.items():
        operations = [one for one in operations_of_one.values() if one.signature.layer == layer]
        first = shapes[:: len(shapes) // _ASKED_FIRST + 1]
        if operations and any(_leaves_out(operation, pair) for pair in first for operation in operations):
            left_out |= {(layer, pair) for pair in shapes if all(_leaves_out(one, pair) for one in operations)}
    return replace(target, limits=replace(limits, left_out=frozenset(left_out))) if left_out else target


def _leaves_out(operation: Operation, pair: Pair) -> bool:
    part, whole = pair
    pooled = operation.signature.layer == "pooling"
    fits = [w // p if pooled else w - p + 1 for p, w in zip(part, whole, strict=True)]
    case = {
        "image": np.ones(whole),
        "kernel": np.ones(part),
        "x": np.ones(whole),
        "window": part,
        "upstream": np.ones(fits),
        "target": 0.5,
        "weights": np.ones((max(fits[0] * fits[1] // 4, 1), 1)),
        "learning_rate": 0.5,
    }
    try:
        operation.raw(*(case[name] for name in operation.signature.parameters))
    except NotImplementedError:
        return True
    except Failure:
        return False  # the properties will say so
    return False
