"""Which gradients of a declared network are legal at kinks of its first block: a ReLU, and the pooling behind it.

There the gradient is an affine function of what is chosen, so membership is a problem of non-negative least squares.
Where a window's maximum is positive, its tied maxima share upstream by weights of sum 1; where it is 0, entries that
are 0 before ReLU by weights of sum at most 1. Source: Bolte & Pauwels, Mathematical Programming, 2021.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...harness.core.setting import setting
from ...harness.core.tape import Case
from ...harness.core.values import ALLOWED, Array, Value, parts
from ..base.registry import Fault
from ..subgradients import fitted, scale_of
from .chain import Walk, backward, forward, kinks, network, parameters, stepped_of, upstream_of
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


Choice = tuple[int | None, float]  # an entry of the block's input and its share of upstream; None for nothing


def _choices_of(walk: Walk, block: Block) -> Iterator[tuple[tuple[int, ...], list[Choice]]]:
    """For each place of the block's output what it may hand its upstream value to: one of these, or a mean of them."""
    x, stage = walk.taken[block.start], network()[0][block.stop - 1]
    if not block.pools:
        slope = stage.options.get("slope", 0.0)
        for number, place in enumerate(np.ndindex(x.value.shape)):
            is_tied = abs(x.value[place]) <= x.error[place]
            slopes = (1.0, slope) if is_tied else (1.0,) if x.value[place] > 0 else (slope,)
            yield place, [(number, one) for one in slopes]
        return
    entered = walk.taken[block.stop - 1]
    numbers = windows_of(np.arange(float(x.value.size)).reshape(x.value.shape), stage.options, -1.0)
    values, errors = windows_of(entered.value, stage.options, -np.inf), windows_of(entered.error, stage.options, 0.0)
    may_be_zero = np.abs(x.value.ravel()) <= x.error.ravel()
    for place in np.ndindex(values.shape[:-2]):
        slack, highest = 2 * errors[place].max(), values[place].max()
        tied = numbers[place][values[place] >= highest - slack].astype(int)
        if block.stop - block.start == 2 and highest <= slack:
            yield place, [*((number, 1.0) for number in tied[may_be_zero[tied]].tolist()), (None, 0.0)]
        else:
            yield place, [(number, 1.0) for number in tied.tolist()]


class Affine(NamedTuple):
    """Gradients as an affine function of choices: a column for each, of which the `sums` say which weights sum to 1;
    what is `fixed`, and what each entry may be off by.
    """

    columns: Array
    sums: Array
    fixed: Array
    error: Array


def _affine(case: Case, walk: Walk, block: Block, upstream: Bounded) -> Affine:
    """Those of all parameters before the block, one after the other, of what reaches the block's output."""
    x = walk.taken[block.start]
    fixed, error = np.zeros(x.value.size), np.zeros(x.value.size)
    columns, owners = list[Array](), list[int]()

    def gradients(given: Array, off: Array) -> Bounded:
        reaching = Bounded(given.reshape(x.value.shape), off.reshape(x.value.shape))
        found = backward(case, walk, reaching, block.start).gradients.values()
        return Bounded(_joined(one.value for one in found), _joined(one.error for one in found))

    for number, (place, choices) in enumerate(_choices_of(walk, block)):
        above = upstream.value[place]
        entries = {entry for entry, _ in choices if entry is not None}
        units = np.zeros((len(choices), x.value.size))
        for unit, (entry, share) in zip(units, choices, strict=True):
            if entry is not None:
                unit[entry] = above * share
        error[list(entries)] += upstream.error[place] + (ALLOWED + len(entries)) * setting().eps * abs(above)
        if len(choices) == 1:
            fixed += units[0]
        else:
            columns += [gradients(unit, np.zeros(unit.shape)).value for unit in units]
            owners += [number] * len(units)
    base = gradients(fixed, error)
    sums = (np.unique(owners)[:, None] == np.array(owners, dtype=int)) * 1.0
    return Affine(np.array(columns).reshape(-1, base.value.size).T, sums, *base)


def _joined(arrays: Iterable[Array]) -> Array:
    return np.concatenate([np.zeros(0), *map(np.ravel, arrays)])


def _faults(
    answer: Any, case: Case, read: Callable[[Array, str], Array], slack: Callable[[str], Any]
) -> Iterator[Fault | None]:
    block, walk = first_block(), forward(case)
    later = backward(case, walk, upstream_of(walk.outputs, case.target), start=block.stop if block else 0)
    given = {name: read(part, name) for name, part in zip(parameters(), parts(answer), strict=True)}
    for name, right in later.gradients.items():
        wrong = ~(np.abs(given[name] - right.value) <= right.error + slack(name))
        yield Fault(f"the gradient for {name} is wrong", right.value, wrong) if wrong.any() else None
    if block is None:
        return
    earlier = backward(case, walk, later.reaching, block.stop).gradients
    legal = _affine(case, walk, block, later.reaching)
    loose = _joined(np.broadcast_to(slack(name), given[name].shape) for name in earlier)
    allowed = float(np.linalg.norm(legal.error + loose))
    off = _distance(_joined(given[name] for name in earlier) - legal.fixed, legal.columns, legal.sums)
    message = (
        f"the gradients of {', '.join(earlier)} are {off:.3g} from the nearest that any choice of subgradients gives, "
        f"allowed {allowed:.3g}"
    )
    one_choice = tuple(one.value for one in (*earlier.values(), *later.gradients.values()))
    yield Fault(message, one_choice) if not off <= allowed else None


def _distance(wanted: Array, matrix: Array, sums: Array) -> float:
    if not sums.size:
        return float(np.linalg.norm(wanted))
    _, system, right, left = fitted(wanted, matrix, sums)
    solver = system.size * np.finfo(np.float64).eps * (float(np.linalg.norm(system)) + float(np.linalg.norm(right)))
    return max(float(np.linalg.norm(left)) - solver, 0.0) * scale_of(matrix)


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
