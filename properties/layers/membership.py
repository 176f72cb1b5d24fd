"""Gradients held against what they must be in or near: a set of subgradients, or the differences of the cost."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..harness.checking.comparison import agree_throughout, require
from ..harness.checking.trial import current
from ..harness.core.limits import POOL
from ..harness.core.tape import Case
from ..harness.core.values import ALLOWED, Array, Value, parts
from ..harness.target.operation import Operation
from . import OPERATIONS, bounds, oracles
from .bounds import ForwardValues
from .network_cases import is_smooth
from .pooling import blocks


def _choices(case: Case, values: ForwardValues) -> tuple[Array, Array]:
    """The gradient as a linear function of the choices: a column for each, and the rows of those that sum to 1.

    In a window with a positive maximum its tied maxima are chosen among, with weights of sum 1; where the
    maximum is 0, the pre-activations that are 0, with a further column that stands for giving nothing.
    """
    layout = current().target.layout
    preactivation = oracles.conv2d(case.image, case.kernel)
    weights = oracles.weights_of(values.stages.pooled, case.weights)
    factor = layout.inward(layout.scattered(values.delta.value) * weights)
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
            columns.append(oracles.conv2d_kernel_gradient(case.image, case.kernel, unit).ravel())
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
    m n eps times the system's norm (Higham, section 19.3).
    """
    matrix, sums = _choices(case, values)
    if not sums.size:
        return float(np.abs(gradient).max()), bounds.tiny()
    scale = _scale(matrix)
    _, system, wanted, error = _fitted(gradient, matrix, sums)
    solver = system.size * np.finfo(np.float64).eps * (float(np.linalg.norm(system)) + float(np.linalg.norm(wanted)))
    return float(np.linalg.norm(error)) * scale, error_of(case, values) + solver * scale


def _scale(matrix: Array) -> float:
    return float(np.linalg.norm(matrix, axis=0).max()) or 1.0


def _fitted(gradient: Array, matrix: Array, sums: Array) -> tuple[Array, Array, Array, Array]:
    """The weights of the nearest choices, the system of equations and its right side, and what is left of that."""
    from scipy.optimize import nnls

    system = np.vstack([matrix / _scale(matrix), sums])
    wanted = np.concatenate([gradient.ravel() / _scale(matrix), np.ones(len(sums))])
    weights, _ = nnls(system, wanted, maxiter=100 * system.shape[1])
    return weights, system, wanted, system @ weights - wanted


@dataclass(frozen=True)
class Wrong:
    """What shows that a part of an answer is wrong: it is further from `expected` than is `allowed`.

    Where many answers are right, `expected` is one of them, and a `direction` tells all of them from the one that was
    given: the inner product with it is `least` or more for every right one, but for what is allowed.
    """

    part: int
    expected: Any
    allowed: Any
    notes: tuple[str, ...] = ()
    direction: Array | None = None
    least: float = 0.0


def wrong(operation: str, case: Case, answer: Any) -> Wrong | None:
    """What shows that an operation's answer is wrong; None for one that is right."""
    notes: tuple[str, ...] = ()
    values = bounds.of(operation, case)
    if OPERATIONS[operation].layer in ("convolution", "network"):
        kind = "a true convolution (kernel flipped)" if current().flips else "a cross-correlation (kernel not flipped)"
        notes = (f"conv2d is taken to be {kind}.",)
    if operation == "relu_derivative" and (at_zero := case.x == 0).any():
        values = (Value(values[0].value + 0.5 * at_zero, ALLOWED, 1.0, 0.5 * at_zero),)
        notes = ("At 0 any number in [0, 1] is right: 0.5, and 0.5 more or less.",)
    is_step = operation == "train_step" and case.learning_rate != 0
    is_kinked = (is_step or operation == "gradients") and not is_smooth(oracles.conv2d(case.image, case.kernel))
    has_several = is_kinked or operation == "max_pool_gradient"
    if has_several and (found := separated(operation, parts(answer)[0], case)):
        return replace(
            found, notes=(*notes, "One of many that are right: with the direction each gives `least` or more.")
        )
    for part, (yours, value) in enumerate(zip(parts(answer), values, strict=True)):
        if not (has_several and part == 0) and np.any(np.abs(yours - value.value) > value.allowed):
            return Wrong(part, value.value, value.allowed, notes)
    return None


def separated(operation: str, answer: Array, case: Case) -> Wrong | None:
    """The direction that tells all right answers from a wrong one, for an operation with many; None for a right one.

    All right answers are a convex set: a gradient of pooling, of the kernel, or the kernel after a step.
    """
    if operation == "max_pool_gradient":
        return _separated_from_subgradients(answer, case)
    values = bounds.forward(*case.arguments("image", "target", "kernel", "weights"))
    rate = case.get("learning_rate")
    gradient = answer if rate is None else (case.kernel - answer) / rate
    direction, least, nearest = _separation(gradient, case, values)
    error = error_of(case, values)
    if rate is not None:
        error += bounds.norm(bounds.of(operation, case)[0].allowed) / abs(rate)
    allowed = bounds.norm(direction) * error + bounds.tiny()
    if np.sum(direction * gradient) >= least - allowed:
        return None
    if rate is not None:  # of the kernel, which has moved against the gradient
        direction, nearest, allowed = -np.sign(rate) * direction, case.kernel - rate * nearest, abs(rate) * allowed
        least = float(np.sum(direction * case.kernel) + abs(rate) * least)
    return Wrong(0, nearest, allowed, direction=direction, least=least)


def _separated_from_subgradients(gradient: Array, case: Case) -> Wrong | None:
    """Of pooling, in turn: nothing off the maxima, a window's sum, and no weight outside [0, 1]."""
    maximal, upstream = oracles.maxima(case.x, case.window), oracles.grow(case.upstream, case.window)
    slack = (ALLOWED + case.window[0] * case.window[1]) * current().target.eps * np.abs(upstream)
    sums = current().target.layout.outward(blocks(gradient, case.window).sum(axis=(-2, -1)))
    missing, sign = upstream - oracles.grow(sums, case.window), np.where(upstream < 0, -1.0, 1.0)
    below, above = gradient * sign < -slack, gradient * sign > np.abs(upstream) + slack
    for direction, error in (
        (-np.sign(gradient) * ~maximal, 0.0),
        (np.sign(missing) * (maximal & (np.abs(missing) > slack)), slack),
        (sign * maximal * (below * 1.0 - above), slack),
    ):
        if direction.any():
            reach = blocks(np.where(maximal, direction * upstream, np.inf), case.window)
            allowed = float(np.max(blocks(np.abs(direction) * error, case.window), axis=(-2, -1)).sum())
            expected = oracles.argmax_scatter(*case.arguments("x", "window", "upstream"))
            least = float(reach.min(axis=(-2, -1)).sum())
            return Wrong(0, expected, allowed, direction=direction + 0.0, least=least)
    return None


def _separation(gradient: Array, case: Case, values: ForwardValues) -> tuple[Array, float, Array]:
    """A direction that tells a wrong kernel gradient from every legal one: its inner product with it is less.

    The direction, the least inner product of a legal gradient with it, and the nearest legal gradient. The direction
    is what the least squares leave over; the least is attained at one column in each window, as it is linear.
    """
    matrix, sums = _choices(case, values)
    if not sums.size:
        return -np.sign(gradient), 0.0, np.zeros(gradient.shape)
    weights, _, _, error = _fitted(gradient, matrix, sums)
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


def error_of(case: Case, values: ForwardValues) -> float:
    """The 2-norm of the error that a correct kernel gradient may have, whichever candidates it chose.

    Every window's share carries the error of δ and of weights that sum to 1 after rounding; the sums over the
    image round as the kernel's gradient does.
    """
    eps, layout = current().target.eps, current().target.layout
    delta, error = (np.abs(layout.numbered(each)) for each in (values.delta.value, values.delta.allowed))
    spread = error + (ALLOWED + POOL[0] * POOL[1]) * eps * delta
    norms = np.array([bounds.norm(image) for image in layout.images(case.image)])
    size = bounds.norm(case.weights) * bounds.norm(delta) * float(np.sqrt(case.kernel.size))
    rounding = bounds.convolution_units(case.image, case.image.size, layout.count(case.image)) * eps * size
    return float(norms @ spread) * float(np.abs(case.weights).sum()) + bounds.norm(case.image) * rounding


def cost_differences(cost: Any, case: Case, name: str, gradient: Value) -> Value:
    """Central differences of the target's cost in every entry of `name`, with the error that each may have.

    Along an entry s moves linearly, at speed b: truncation is at most h² |b|³ (1 + R) / 3 for the largest
    residual R, as the cost's third derivative in s is at most 2 + 2R, for each image; to this come the cost's own
    rounding at both ends over 2h and the error of the gradient that is compared.
    """
    layout = current().target.layout
    stages = oracles.forward(*case.arguments("image", "kernel", "weights"))
    residuals = layout.numbered(np.abs(stages.prediction - case.target))
    if name == "kernel":
        upstream = oracles.preactivation_gradient(stages, 1.0, case.weights)
        pairs = zip(layout.images(case.image), layout.images(upstream), strict=True)
        speeds = [np.abs(oracles.conv2d_kernel_gradient(x, case.kernel, u)) for x, u in pairs]
    else:
        speeds = [pooled.reshape(-1, 1) for pooled in layout.images(stages.pooled)]
    shape = case[name].shape
    quotient, error = np.empty(shape), np.empty(shape)
    for index in np.ndindex(shape):
        direction = np.zeros(shape)
        direction[index] = 1.0
        room = oracles.margin(case.image, case.kernel, direction) if name == "kernel" else np.inf
        step = _step(max(float(speed[index]) for speed in speeds), room / 2)
        ends = [_moved(case, name, sign * step * direction) for sign in (1.0, -1.0)]
        quotient[index] = (cost(*ends[0]) - cost(*ends[1])) / (2 * step)
        rounding = sum(float(bounds.forward(*end).cost.allowed) for end in ends)
        truncation = sum(
            speed[index] ** 3 * (1 + residual + speed[index] * step)
            for speed, residual in zip(speeds, residuals, strict=True)
        )
        error[index] = step**2 * truncation / 3 + rounding / (2 * step)
    return Value(quotient, 0.0, 1.0, error + gradient.allowed)


def _moved(case: Case, name: str, change: Array) -> tuple[Any, ...]:
    return Case(case, **{name: case[name] + change}).arguments("image", "target", "kernel", "weights")


def _step(speed: float, room: float) -> float:
    """The power of two below the step that balances truncation and rounding: eps^(1/3) over the speed of s."""
    balanced = current().target.eps ** (1 / 3)
    return float(2.0 ** np.floor(np.log2(min(balanced / max(speed, balanced), room))))


def require_right(operation: Operation, case: Case) -> None:
    """Hold an answer off kinks, or at ties of pooling, against what is right there. `Refuted` if it is not."""
    if operation.name == "max_pool_gradient":
        require_subgradient(operation(*case.arguments("x", "window", "upstream")), case)
    else:
        agree_throughout(operation, case)


def require_subgradient(gradient: Array, case: Case) -> None:
    """Hold a pooling gradient against the subgradients of `x`, `window` and `upstream`: nothing off the maxima of a
    window, and on them the upstream value times weights in [0, 1] of sum 1. `Refuted` if it is none.
    """
    maximal = oracles.maxima(case.x, case.window)
    upstream = oracles.grow(case.upstream, case.window)
    expected = "on each window's maxima its upstream value times weights in [0, 1] that sum to 1, elsewhere 0"
    share = np.where(maximal, gradient * np.sign(upstream), 0.0)
    layout = current().target.layout
    slack = (ALLOWED + case.window[0] * case.window[1]) * current().target.eps * np.abs(upstream)
    sums, wanted = blocks(gradient, case.window).sum(axis=(-2, -1)), layout.inward(case.upstream)
    wrong = np.abs(sums - wanted) > blocks(slack, case.window)[..., 0, 0]
    first = tuple(np.argwhere(wrong)[0]) if wrong.any() else (0,) * wrong.ndim
    off_maxima = np.where(maximal, 0.0, gradient) != 0
    outside = ~((share >= -slack) & (share <= np.abs(upstream) + slack))
    for fails, message in (
        (off_maxima, "entries below their window's maximum get a gradient"),
        (
            maximal & oracles.grow(layout.outward(wrong), case.window),
            f"in {wrong.sum()} of {wrong.size} {'window' if wrong.size == 1 else 'windows'} the gradient sums to "
            f"{sums[first]:.6g}, not to upstream's {wanted[first]:.6g}",
        ),
        (outside, "a weight is outside [0, 1]"),
    ):
        require(not fails.any(), message, yours=gradient, expected=expected, wrong=fails)
