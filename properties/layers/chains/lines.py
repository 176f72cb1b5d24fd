"""A declared network along lines in its parameters: differences of its cost, and steps against its gradient."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from ...harness.core.limits import NotApplicable
from ...harness.core.setting import setting
from ...harness.core.tape import SEED, Case
from ...harness.core.values import Array, Value, inner_product
from ..base.registry import Sides
from .chain import cost_of, forward, gradients_of, kinks, moved, network
from .stages import STAGES, Bounded

SHORTEST = 2.0**-40
MOST_DIRECTIONS = 3


def directions(shape: Sides) -> Array:
    """Along which a parameter of this shape is moved: entry by entry, or if there are many by signs for all of them."""
    size = prod(shape)
    if size <= MOST_DIRECTIONS:
        return np.eye(size).reshape(size, *shape)
    return np.random.default_rng(SEED).choice([-1.0, 1.0], (MOST_DIRECTIONS, *shape))


def differences(cost: Callable[[Case], Any], case: Case, name: str, gradient: Value) -> Value:
    """Central differences of the target's cost in each of the `directions` of a parameter, with their errors.

    On one pattern of decisions the outputs are linear in one parameter: z + t v, with v found from both ends. So is the
    segment between two ends of one pattern wholly of that pattern, layer by layer. The third derivative of the loss
    along it is a third cumulant, at most |v|³ for the largest |v| (a variable within ±V has one of at most V³), or 0
    for a squared error; truncation is a sixth of it times h², for each image. To this come the cost's own rounding at
    both ends over 2h and the error of the gradient that is compared. `NotApplicable` where an activation is curved.
    """
    if any(STAGES[one.name].is_smooth for one in network()[0]):
        raise NotApplicable("the declared network is not linear between kinks")
    every = directions(case[name].shape)
    quotient, error = np.empty(len(every)), np.empty(len(every))
    for number, direction in enumerate(every):
        step, ends, outputs = _step(case, name, direction)
        costs = [cost(end) for end in ends]
        quotient[number] = (costs[0] - costs[1]) / (2 * step)
        rounding = sum(float(cost_of(one, case.target).allowed) for one in outputs)
        off = outputs[0].error + outputs[1].error
        speed = ((np.abs(outputs[0].value - outputs[1].value) + off) / (2 * step)).max(axis=1)
        truncation = 0.0 if network()[1] == "squared_error" else float((speed**3).sum())
        error[number] = step**2 * truncation / 6 + rounding / (2 * step)
    carried = np.array([(np.abs(one) * (gradient.allowed + summed(gradient))).sum() for one in every])
    return Value(quotient, 0.0, 1.0, error + carried)


def summed(gradient: Value) -> Array:
    """What an inner product with directions of entries up to 1 may round by, for each entry."""
    value = np.abs(np.asarray(gradient.value))
    return inner_product(value.size) * setting().eps * value


def _step(case: Case, name: str, direction: Array) -> tuple[float, list[Case], list[Bounded]]:
    """A step at which nothing is decided otherwise than at the case, both its ends, and their outputs."""
    pattern = [one.decided for one in kinks(forward(case))]
    step = 2.0 ** np.floor(np.log2(setting().eps ** (1 / 3)))
    while True:
        ends = [case.changed(**{name: case[name] + sign * step * direction}) for sign in (1.0, -1.0)]
        walks = [forward(end) for end in ends]
        if step < SHORTEST or all(
            all(np.array_equal(one.decided, before) for one, before in zip(kinks(walk), pattern, strict=True))
            for walk in walks
        ):
            break
        step /= 2
    return float(step), ends, [walk.outputs for walk in walks]


def descent(case: Case) -> tuple[float, float, float] | None:
    """A rate at which a step lowers the cost by three quarters of what the gradient promises, that promise, and the
    rounding of two costs and of the step; None where rounding hides a quarter of it.
    """
    gradients = gradients_of(case)
    values = [np.asarray(one.value) for one in gradients]
    squared = float(sum((one * one).sum() for one in values))
    start, rate = cost_of(forward(case).outputs, case.target), 1.0
    while squared and rate > SHORTEST:
        end_case = moved(case, values, rate)
        end = cost_of(forward(end_case).outputs, end_case.target)
        off = float(
            sum(
                (np.abs(one) * (bound.allowed + setting().eps * 8)).sum()
                for one, bound in zip(values, gradients, strict=True)
            )
        )
        error = float(start.allowed + end.allowed) * 2 + rate * off
        if float(end.value) <= float(start.value) - 0.75 * rate * squared:
            return (rate, rate * squared, error) if error < rate * squared / 4 else None
        rate /= 2
    return None
