"""Holding an operation on every case of a kind, and what a certificate may say once all of them held."""

from itertools import product
from typing import Any

import numpy as np

from ...layers.exhaustive import basis
from ..core.setting import setting
from ..core.shards import WHOLE, in_words
from ..core.tape import GRID, SEED, Case
from ..core.values import Array, Value
from ..target.operation import Operation
from .comparison import agree, agree_at
from .trial import current

HALF_GRID = 64  # uniform points: k/16 with |k| ≤ 64, that is 129 values a variable


def noted(what: str, where: str, **numbers: Any) -> None:
    """Note what the certificate is to say of this statement if it holds; `numbers` go with it.

    Of a target with limits it says no more than that the supported shapes were tried, of a shard which part it is.
    """
    if not setting().limits.any_shape:
        where += ", as far as the target supports these"
    number, shards = current().shard
    part = {} if (number, shards) == WHOLE else {"part": in_words([number], shards)}
    current().record.proof = {"what": what, "where": where, **numbers, **part}


def bilinear(operation: Operation, case: Case, names: tuple[str, str], tensor: Array, units: float, where: str) -> None:
    """Hold an operation against its tensor, (left, right, answer), on every pair of basis vectors of two arguments.

    The first pair that is wrong becomes the case. Source: a bilinear map is fixed by its values on bases.
    """
    noted("on every pair of basis vectors", where)
    left, right = (basis(case[name].shape) for name in names)
    kinds, layout = operation.signature.takes, operation.layout
    pairs = zip(names, (left, right), strict=True)
    vectors = ([layout.outward(kinds[name], vector, case) for vector in vectors] for name, vectors in pairs)
    own = {name: layout.outward(kind, case[name], case) for name, kind in kinds.items()}
    answers = []
    with operation.world:  # once for all calls: each of them is short
        for own[names[0]], own[names[1]] in product(*vectors):
            answers.append(operation.raw(*own.values()))
    expected = tensor.reshape(len(answers), -1)
    kind, shape = operation.signature.gives[0], operation.shapes(case)[0]
    try:
        given = np.array(answers, dtype=np.float64).reshape(-1, *shape)
        given = operation.inward(kind, given, case).reshape(expected.shape)
    except (TypeError, ValueError):
        given = np.full(expected.shape, np.nan)
    bound = Value(expected, units, 1.0)
    wrong = ~(np.abs(given - expected) <= bound.allowed)
    if wrong.any():
        number = int(np.argwhere(wrong)[0][0])
        case.update({names[0]: left[number // len(right)], names[1]: right[number % len(right)]})
        answer = operation.at(case)
        agree(answer, Value(expected[number].reshape(answer.shape), units, 1.0), operation.name)
    agree(given, bound, operation.name)
    counted(len(answers))


def counted(examples: int) -> None:
    """Count a case as so many, since `ran` counts it as one."""
    if current().record.refutation is None:
        current().record.examples += examples - 1


def _grid(case: Case) -> dict[str, Any]:
    """Of each array the centre, the step and the reach of a grid: the case's own box, or k/16 with |k| ≤ 64."""
    arrays = {name: value for name, value in case.items() if isinstance(value, np.ndarray)}
    return case.get("_box") or {name: (np.zeros(value.shape), GRID, HALF_GRID) for name, value in arrays.items()}


def uniform(case: Case, count: int) -> Case:
    """Points drawn uniformly from a grid around the case, together: arrays with an axis for them in front."""
    sizes = [side for value in case.values() if np.ndim(value) > 1 for side in value.shape[-2:]]
    generator = np.random.default_rng([SEED, case.get("_number", 0), *sizes])
    grid = _grid(case)
    kept = {
        name: np.broadcast_to(value, (count, *value.shape))
        for name, value in case.items()
        if isinstance(value, np.ndarray)
    }
    drawn = {
        name: centre + step * generator.integers(-reach, reach + 1, (count, *centre.shape))
        for name, (centre, step, reach) in grid.items()
    }
    return case.changed(**{**kept, **drawn})


def polynomial(
    operation: Operation, case: Case, count: int, degree: int, what: str, where: str, **numbers: int
) -> None:
    """Hold an operation, a polynomial of this degree, at so many points drawn uniformly from a grid around the case.

    The chance that a wrong one agrees at all of them is at most (degree / values)^count. Source: Schwartz, Journal of
    the ACM 27, 1980; Zippel, EUROSAM 1979.
    """
    agree_at(operation, case, uniform(case, count), count)
    counted(count)
    half = min(reach for _, _, reach in _grid(case).values())
    numbers |= {"degree": degree, "values": 2 * half + 1, "points": count, "seed": SEED}
    noted(f"at {count} uniform points of each {what}", where, **numbers)
