"""Which gradients of a declared network are legal at kinks of its first block: a ReLU, and the pooling behind it.

There the gradient is an affine function of what is chosen, so membership is a problem of non-negative least squares.
Where a window's maximum is positive, its tied maxima share upstream by weights of sum 1; where it is 0, entries that
are 0 before ReLU by weights of sum at most 1. Source: Bolte & Pauwels, Mathematical Programming, 2021.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...harness.core.setting import setting
from ...harness.core.tape import Case
from ...harness.core.values import ALLOWED, Array, Value, parts
from ..base.registry import Fault
from ..subgradients import fitted, scale_of
from .chain import Walk, backward_from, forward, kinks, network, parameters, stepped_of, upstream_of
from .stages import STAGES, Bounded, windows_of

POOLS = ("max_pool",)


class Block(NamedTuple):
    """The first stages that are not differentiable: where they begin and end, and whether they pool."""

    start: int
    stop: int
    pools: bool


def first_block() -> Block | None:
    """The first stage with kinks, and the pooling behind it, if it is ReLU and is followed by one."""
    names = [one.name for one in network()[0]]
    bent = [number for number, name in enumerate(names) if STAGES[name].kinks]
    if not bent:
        return None
    start = bent[0]
    if names[start] in POOLS:
        return Block(start, start + 1, True)
    pools = names[start] == "relu" and names[start + 1 : start + 2] == ["max_pool"]
    return Block(start, start + 1 + pools, pools)


def is_kinked(case: Case) -> bool:
    """Whether some stage's decision is within rounding of being another one."""
    return any(bool((one.room <= 0).any()) for one in kinks(forward(case)))


def _candidates(walk: Walk, block: Block) -> Iterator[tuple[tuple[int, ...], Array, Array, bool]]:
    """For each place of the block's output that has a choice or none: the place, what each candidate gives of an
    upstream of 1, as columns over the block's input, and whether their weights sum to 1 rather than to at most 1.
    """
    x = walk.taken[block.start]
    stage = network()[0][block.stop - 1]
    slope = dict(stage.options).get("slope", 0.0) if not block.pools else 0.0
    flat = np.arange(1.0, x.value.size + 1).reshape(x.value.shape)
    if not block.pools:
        for place in np.ndindex(x.value.shape):
            value, number = x.value[place], int(flat[place]) - 1
            is_tied = abs(value) <= x.error[place]
            yield (
                place,
                np.array([number]),
                np.array([[1.0, slope] if is_tied else [1.0 if value > 0 else slope]]),
                True,
            )
        return
    rectified = block.stop - block.start == 2
    entered = walk.taken[block.stop - 1]
    values, errors = windows_of(entered.value, stage.options, -np.inf), windows_of(entered.error, stage.options, 0.0)
    numbers = windows_of(flat, stage.options, 0.0)
    for place in np.ndindex(values.shape[:-2]):
        own, slack = values[place], 2 * errors[place].max()
        top = own.max()
        tied = own >= top - slack
        found = numbers[place][tied].astype(int) - 1
        dead = rectified and top <= slack
        if dead:
            found = found[np.abs(x.value.ravel()[found]) <= x.error.ravel()[found]]
        yield place, found, np.eye(len(found)), not dead


def _choices(case: Case, walk: Walk, block: Block, upstream: Bounded) -> tuple[Array, Array, Array, list[str], Array]:
    """The gradients of the affected parameters as columns, one for each candidate; those whose weights sum to 1, or
    with a column for giving nothing; what is fixed; the parameters; and what a right answer may be off by.
    """
    x = walk.taken[block.start]
    affected = [name for one in network()[0][: block.start] for name in one.parameters]
    columns, owners, reach = list[Array](), list[int](), np.zeros(x.value.shape)
    count = 0

    def flat_of(given: Array, error: Array) -> tuple[Array, Array]:
        found = backward_from(case, walk, block.start, Bounded(given, error))
        pairs = [found[name] for name in affected]
        return (
            np.concatenate([one.value.ravel() for one in pairs]) if pairs else np.zeros(0),
            np.concatenate([np.broadcast_to(one.error, one.value.shape).ravel() for one in pairs])
            if pairs
            else np.zeros(0),
        )

    fixed = np.zeros(x.value.shape)
    for place, entries, weights, sums_to_one in _candidates(walk, block):
        above, off = upstream.value[place], upstream.error[place]
        for number in entries:
            reach.ravel()[number] += off + (ALLOWED + len(entries)) * setting().eps * abs(above)
        options = [(entries, weights[:, k]) for k in range(weights.shape[1])]
        if sums_to_one and len(options) == 1:
            fixed.ravel()[entries] += above * options[0][1]
            continue
        if not len(entries):
            continue
        for which, share in options:
            unit = np.zeros(x.value.shape)
            unit.ravel()[which] = above * share
            columns.append(flat_of(unit, np.zeros(unit.shape))[0])
            owners.append(count)
        if not sums_to_one:
            columns.append(np.zeros_like(columns[-1]))
            owners.append(count)
        count += 1
    base, error = flat_of(fixed, reach)
    matrix = np.array(columns).reshape(-1, base.size).T
    sums = (np.arange(count)[:, None] == np.array(owners, dtype=int)) * 1.0
    return matrix, sums, base, affected, error


def _faults(
    answer: Any, case: Case, read: Callable[[Array, str], Array], slack: Callable[[str], Any]
) -> Iterator[Fault | None]:
    block, walk = first_block(), forward(case)
    assert block is not None
    above = upstream_of(walk.outputs, case.target)
    found = backward_from(case, walk, len(network()[0]), above)
    at_block = _reaching(case, walk, block, above)
    matrix, sums, base, affected, error = _choices(case, walk, block, at_block)
    given = {name: read(part, name) for name, part in zip(parameters(), parts(answer), strict=True)}
    for name, right in found.items():
        if name not in affected:
            allowed = right.error + slack(name)
            wrong = ~(np.abs(given[name] - right.value) <= allowed)
            yield Fault(f"the gradient for {name} is wrong", right.value, wrong) if wrong.any() else None
    own = np.concatenate([given[name].ravel() for name in affected]) if affected else np.zeros(0)
    loose = np.concatenate([np.broadcast_to(slack(name), given[name].shape).ravel() for name in affected])
    allowed = float(np.linalg.norm(error + loose))
    off = _distance(own - base, matrix, sums)
    message = (
        f"the gradients of {', '.join(affected)} are {off:.3g} from the nearest that any choice of subgradients gives, "
        f"allowed {allowed:.3g}"
    )
    yield Fault(message, tuple(one.value for one in found.values())) if not off <= allowed else None


def _distance(wanted: Array, matrix: Array, sums: Array) -> float:
    if not sums.size:
        return float(np.linalg.norm(wanted))
    _, system, right, left = fitted(wanted, matrix, sums)
    solver = system.size * np.finfo(np.float64).eps * (float(np.linalg.norm(system)) + float(np.linalg.norm(right)))
    return max(float(np.linalg.norm(left)) - solver, 0.0) * scale_of(matrix)


def _reaching(case: Case, walk: Walk, block: Block, above: Bounded) -> Bounded:
    """What reaches the block's output."""
    for number in reversed(range(block.stop, len(network()[0]))):
        one = network()[0][number]
        above, _ = STAGES[one.name].backward(walk.taken[number], case.arguments(*one.parameters), one.options, above)
    return above


def gradient_faults(answer: Sequence[Array], case: Case) -> Iterator[Fault | None]:
    """What keeps gradients from being the chain rule's for some choice of the first block's subgradients."""
    yield from _faults(answer, case, lambda part, name: part, lambda name: 0.0)


def step_faults(answer: Sequence[Array], case: Case) -> Iterator[Fault | None]:
    """The same of a step: `(parameter − new parameter) / η` is held against the choices."""
    rate = case.learning_rate
    if not rate:
        for name, part in zip(parameters(), parts(answer), strict=True):
            wrong = part != case[name]
            yield Fault(f"the new {name} is not the old one", case[name], wrong) if wrong.any() else None
        return
    values: dict[str, Value] = dict(zip(parameters(), stepped_of(case), strict=True))
    yield from _faults(
        answer, case, lambda part, name: (case[name] - part) / rate, lambda name: values[name].allowed / abs(rate)
    )
