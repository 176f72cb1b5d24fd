"""Which gradients are legal at kinks of the network, and what its cost's own differences say of them."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..harness.core.limits import POOL
from ..harness.core.setting import setting
from ..harness.core.tape import Case
from ..harness.core.values import ALLOWED, Array, Value, norm
from .base.registry import Fault, Wrong
from .base.windows import blocks
from .convolution import conv2d, conv2d_kernel_gradient, each_kernel_gradient, units
from .network import (
    POINT,
    ForwardValues,
    flattened,
    forward,
    gradient_values,
    margin,
    preactivation_gradient,
    scattered,
    step_values,
    values_of,
    weights_of,
)
from .network_cases import is_smooth


def _choices(case: Case, values: ForwardValues) -> tuple[Array, Array]:
    """The gradient as a linear function of the choices: a column for each, and the rows of those that sum to 1.

    In a window with a positive maximum its tied maxima are chosen among, with weights of sum 1; where the
    maximum is 0, the pre-activations that are 0, with a further column that stands for giving nothing.
    """
    preactivation = values.stages.preactivation
    factor = scattered(values.delta.value) * weights_of(values.stages.pooled, case.weights)
    windows = blocks(preactivation, POOL)
    columns: list[Array] = []
    owners: list[int] = []
    for number, place in enumerate(np.ndindex(factor.shape)):
        top = windows[place].max()
        if top < 0:
            continue
        for entry in np.argwhere(windows[place] == top):
            unit = np.zeros(preactivation.shape)
            blocks(unit, POOL)[(*place, *entry)] = factor[place]
            columns.append(conv2d_kernel_gradient(case.image, unit).ravel())
            owners.append(number)
        if top == 0:
            columns.append(np.zeros(case.kernel.size))
            owners.append(number)
    matrix = np.array(columns).reshape(-1, case.kernel.size).T
    sums = (np.arange(factor.size)[:, None] == np.array(owners, dtype=int)) * 1.0
    return matrix, sums[sums.any(axis=1)]


def distance(gradient: Array, case: Case, values: ForwardValues) -> tuple[float, float]:
    """How far a kernel gradient is from the nearest legal one, by non-negative least squares, and what is allowed.

    The weights' sums are equations of the same system, scaled by the largest column, so that they are as
    binding as the gradient. The allowed distance is the gradient's own error bound and the rounding of the
    solver: its orthogonal transformations of an m by n system are backward stable, with an error of at most
    m n eps times the system's norm (Higham, section 19.3). Source: Bolte & Pauwels, Mathematical Programming, 2021.
    """
    matrix, sums = _choices(case, values)
    if not sums.size:
        return float(np.abs(gradient).max()), setting().tiny
    scale = scale_of(matrix)
    _, system, wanted, error = fitted(gradient, matrix, sums)
    solver = system.size * np.finfo(np.float64).eps * (float(np.linalg.norm(system)) + float(np.linalg.norm(wanted)))
    return float(np.linalg.norm(error)) * scale, error_of(case, values) + solver * scale


def scale_of(matrix: Array) -> float:
    """The norm of the largest column: what the equations of the weights' sums are scaled by."""
    return float(np.linalg.norm(matrix, axis=0).max()) or 1.0


def fitted(gradient: Array, matrix: Array, sums: Array) -> tuple[Array, Array, Array, Array]:
    """The weights of the nearest choices, the system of equations and its right side, and what is left of that."""
    from scipy.optimize import nnls

    scale = scale_of(matrix)
    system = np.vstack([matrix / scale, sums])
    wanted = np.concatenate([gradient.ravel() / scale, np.ones(len(sums))])
    weights, _ = nnls(system, wanted, maxiter=100 * system.shape[1])
    return weights, system, wanted, system @ weights - wanted


def _separation(gradient: Array, case: Case, values: ForwardValues) -> tuple[Array, float, Array]:
    """A direction that tells a wrong kernel gradient from every legal one: its inner product with it is less.

    The direction, the least inner product of a legal gradient with it, and the nearest legal gradient. The direction
    is what the least squares leave over; the least is attained at one column in each window, as it is linear.
    """
    matrix, sums = _choices(case, values)
    if not sums.size:
        return -np.sign(gradient), 0.0, np.zeros(gradient.shape)
    weights, _, _, error = fitted(gradient, matrix, sums)
    direction = error[: gradient.size]
    for digits in (0, 1, 2, 15):  # a short one is easier to read
        short = np.round(direction / (np.abs(direction).max() or 1.0), digits) + 0.0
        reach = short @ matrix
        least = float(sum(reach[owned > 0].min() for owned in sums))
        slack = float(np.linalg.norm(short)) * error_of(case, values)
        if short @ gradient.ravel() < least - 2 * slack:
            break
    shares = (sums * weights).sum(axis=1) @ sums
    nearest = matrix @ np.divide(weights, shares, out=np.zeros_like(weights), where=shares > 0)
    return np.reshape(short, gradient.shape), least, nearest.reshape(gradient.shape)


def separated_gradient(gradient: Array, case: Case) -> Wrong | None:
    """The direction that tells all legal gradients for the kernel from a wrong one; None for a legal one."""
    values = values_of(case)
    return _separated(gradient, case, values, error_of(case, values))


def separated_step(kernel: Array, case: Case) -> Wrong | None:
    """The same of the kernel after a step, which has moved against the gradient."""
    rate, (value, _) = case.learning_rate, step_values(*case.arguments(*POINT, "learning_rate"))
    if not rate:
        wrong = np.abs(kernel - value.value) > value.allowed
        return Wrong(0, value.value, value.allowed) if wrong.any() else None
    values = values_of(case)
    error = error_of(case, values) + norm(value.allowed) / abs(rate)
    found = _separated((case.kernel - kernel) / rate, case, values, error)
    if found is None or found.direction is None:
        return found
    least = float(np.sum(np.sign(-rate) * found.direction * case.kernel) + abs(rate) * found.least)
    expected, allowed = case.kernel - rate * found.expected, abs(rate) * found.allowed
    return Wrong(0, expected, allowed, direction=-np.sign(rate) * found.direction, least=least)


def _separated(gradient: Array, case: Case, values: ForwardValues, error: float) -> Wrong | None:
    direction, least, nearest = _separation(gradient, case, values)
    allowed = norm(direction) * error + setting().tiny
    if np.sum(direction * gradient) >= least - allowed:
        return None
    return Wrong(0, nearest, allowed, direction=direction, least=least)


def error_of(case: Case, values: ForwardValues) -> float:
    """The 2-norm of the error that a correct kernel gradient may have, whichever candidates it chose.

    Every window's share carries the error of δ and of weights that sum to 1 after rounding; the sums over the
    image round as the kernel's gradient does.
    """
    eps = setting().eps
    delta, error = np.abs(values.delta.value), np.abs(values.delta.allowed)
    spread = error + (ALLOWED + POOL[0] * POOL[1]) * eps * delta
    norms = np.array([norm(image) for image in case.image])
    size = norm(case.weights) * norm(delta) * float(np.sqrt(case.kernel.size))
    rounding = units(case.image, case.image.size, len(case.image)) * eps * size
    return float(norms @ spread) * float(np.abs(case.weights).sum()) + norm(case.image) * rounding


def gradient_faults(answer: tuple[Array, Array], case: Case) -> Iterator[Fault | None]:
    """What keeps a pair of gradients from being the chain rule's for some choice of the layers' subgradients.

    Tied positive maxima share `δ w` by weights in [0, 1] of sum 1, maxima at 0 by weights of sum at most 1.
    Source: Bolte & Pauwels, Mathematical Programming, 2021: conservative gradients.
    """
    one_choice = gradient_values(*case.arguments(*POINT))
    yield _differs(answer[1], one_choice[1], "the gradient for the weights")
    off, allowed = distance(answer[0], case, values_of(case))
    message = (
        f"the gradient for the kernel is {off:.3g} from the nearest that any choice of subgradients gives "
        f"(one of them is shown), allowed {allowed:.3g}"
    )
    yield Fault(message, one_choice[0].value) if not off <= allowed else None


def step_faults(answer: tuple[Array, Array], case: Case) -> Iterator[Fault | None]:
    """The same of a step: `(kernel − new kernel) / η` is held against the choices."""
    rate, one_choice = case.learning_rate, step_values(*case.arguments(*POINT, "learning_rate"))
    yield _differs(answer[1], one_choice[1], "the new weights")
    if not rate:
        yield _differs(answer[0], one_choice[0], "the new kernel")
        return
    off, allowed = distance((case.kernel - answer[0]) / rate, case, values_of(case))
    allowed += norm(one_choice[0].allowed) / abs(rate)
    message = (
        f"(kernel − new kernel) / {rate:g} is {off:.3g} from the nearest gradient that any choice of "
        f"subgradients gives (the step of one of them is shown), allowed {allowed:.3g}"
    )
    yield Fault(message, one_choice[0].value) if not off <= allowed else None


def _differs(yours: Array, value: Value, what: str) -> Fault | None:
    wrong = ~(np.abs(yours - value.value) <= value.allowed)
    return Fault(f"{what} is wrong", value.value, wrong) if wrong.any() else None


def has_kink(case: Case) -> bool:
    """Whether some pre-activation is 0 or ties with another of its window."""
    return not is_smooth(conv2d(case.image, case.kernel))


def cost_differences(cost: Callable[..., Any], case: Case, name: str, gradient: Value) -> Value:
    """Central differences of the target's cost in every entry of `name`, with the error that each may have.

    Along an entry s moves linearly, at speed b: truncation is at most h² |b|³ (1 + R) / 3 for the largest
    residual R, as the cost's third derivative in s is at most 2 + 2R, for each image; to this come the cost's own
    rounding at both ends over 2h and the error of the gradient that is compared.
    """
    stages = forward(*case.arguments("image", "kernel", "weights"))
    residuals = np.abs(stages.prediction - case.target)
    if name == "kernel":
        upstream = preactivation_gradient(stages, np.ones(residuals.shape), case.weights)
        speeds = np.abs(each_kernel_gradient(case.image, upstream))
    else:
        speeds = flattened(stages.pooled)[..., None]
    shape = case[name].shape
    quotient, error = np.empty(shape), np.empty(shape)
    for index in np.ndindex(shape):
        direction = np.zeros(shape)
        direction[index] = 1.0
        room = margin(case.image, case.kernel, direction) if name == "kernel" else np.inf
        speed = speeds[(slice(None), *index)]
        step = _step(float(speed.max()), room / 2)
        moved = [case.changed(**{name: case[name] + sign * step * direction}) for sign in (1.0, -1.0)]
        quotient[index] = (cost(*moved[0].arguments(*POINT)) - cost(*moved[1].arguments(*POINT))) / (2 * step)
        rounding = sum(float(values_of(end).cost.allowed) for end in moved)
        truncation = (speed**3 * (1 + residuals + speed * step)).sum()
        error[index] = step**2 * truncation / 3 + rounding / (2 * step)
    return Value(quotient, 0.0, 1.0, error + gradient.allowed)


def _step(speed: float, room: float) -> float:
    """The power of two below the step that balances truncation and rounding: eps^(1/3) over the speed of s."""
    balanced = setting().eps ** (1 / 3)
    return float(2.0 ** np.floor(np.log2(min(balanced / max(speed, balanced), room))))
