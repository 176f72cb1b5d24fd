"""The whole network, `arctan(max_pool(relu(conv2d(image, kernel))) · weights)`: its values, with their bounds, and the
chain rule.

Images are (N, C_in, H, W), kernels (C_out, C_in, h, w), weights (n, 1) for the n pooled entries of an image,
predictions and targets (N,). Any array may have a further axis in front, for points.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..harness.core.limits import POOL
from ..harness.core.setting import setting
from ..harness.core.tape import Case
from ..harness.core.values import ALLOWED, LIBRARY, Array, Size, Value, elementwise, inner_product, norm, norms, within
from .activations import relu
from .base.smooth import arctan_slope, arctan_slopes
from .base.windows import argmax_scatter, blocks, grow, max_pool
from .convolution import conv2d, conv2d_kernel_gradient, each_kernel_gradient, forward_units, kernel_units

POINT = ("image", "target", "kernel", "weights")


class Forward(NamedTuple):
    """The stages of the network, from the convolution to the prediction; the last two are (N,)."""

    preactivation: Array
    pooled: Array
    weighted: Array
    prediction: Array


def forward(image: Array, kernel: Array, weights: Array) -> Forward:
    """The network stage by stage."""
    preactivation = conv2d(image, kernel)
    pooled = max_pool(relu(preactivation), POOL)
    weighted = (flattened(pooled) @ weights)[..., 0]
    return Forward(preactivation, pooled, weighted, elementwise(math.atan, weighted))


def flattened(pooled: Array) -> Array:
    """The features (N, n) of pooled entries (N, C, h, w)."""
    return pooled.reshape(*pooled.shape[:-3], -1)


def weights_of(pooled: Array, weights: Array) -> Array:
    """The weight of every pooled entry, in its shape; the same for all images."""
    shape = *pooled.shape[:-4], 1, *pooled.shape[-3:]
    return np.broadcast_to(weights.reshape(shape), pooled.shape)


def scattered(values: Array) -> Array:
    """A number for each image, to be multiplied with images."""
    return values[..., None, None, None]


def residual_and_delta(stages: Forward, target: Array) -> tuple[Array, Array]:
    """`prediction − target`, and that over `1 + s²`: the cost's derivative in `s`."""
    residual = stages.prediction - target
    return residual, residual * elementwise(arctan_slope, stages.weighted)


def preactivation_gradient(stages: Forward, delta: Array, weights: Array) -> Array:
    """What reaches the convolution's output: `δ · weight` on each window's winner if it is positive."""
    upstream = scattered(delta) * weights_of(stages.pooled, weights)
    return argmax_scatter(stages.preactivation, POOL, upstream) * (stages.preactivation > 0)


def weights_gradients(pooled: Array, delta: Array) -> Array:
    """`Σ δ · pooled` over the images, (n, 1)."""
    return (flattened(pooled) * delta[..., None]).sum(axis=-2)[..., None]


def gradients(image: Array, target: Array, kernel: Array, weights: Array) -> tuple[Array, Array]:
    """The cost's gradients for the kernel and the weights, off every kink.

    Source: Rumelhart, Hinton & Williams, Nature 323, 1986.
    """
    stages = forward(image, kernel, weights)
    _, delta = residual_and_delta(stages, target)
    upstream = preactivation_gradient(stages, delta, weights)
    return conv2d_kernel_gradient(image, upstream), weights_gradients(stages.pooled, delta)


def grown_sum(preactivation: Array, pooled: Array, weights: Array) -> Array:
    """`Σ relu(y) ⊙ mask ⊙ repeat(weights)`, (N,): the dense layer with its weights grown over the windows."""
    activated = relu(preactivation)
    terms = activated * (activated == grow(pooled, POOL)) * grow(weights_of(pooled, weights), POOL)
    return flattened(terms).sum(axis=-1)


def margin(image: Array, kernel: Array, kernel_gradient: Array) -> float:
    """How far the kernel may move against `kernel_gradient` before a pre-activation crosses a kink.

    Pre-activations are linear in the kernel: one meets 0 no sooner than after its distance to 0 over its
    speed, and two of a window meet no sooner than after their distance over the sum of their speeds.
    """
    values = blocks(conv2d(image, kernel), POOL).reshape(-1, POOL[0] * POOL[1])
    speeds = np.abs(blocks(conv2d(image, kernel_gradient), POOL).reshape(values.shape))
    gaps = np.abs(values[:, :, None] - values[:, None, :])
    closing = speeds[:, :, None] + speeds[:, None, :]
    closing[:, range(4), range(4)], gaps[:, range(4), range(4)] = speeds, np.abs(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.nanmin(np.where(closing > 0, gaps / closing, np.inf)))


@dataclass(frozen=True)
class ForwardValues:
    """The exact prediction, cost and δ of one network case, each with what rounding may add to it."""

    stages: Forward
    preactivation_error: Size
    prediction: Value
    cost: Value
    delta: Value


def forward_values(image: Array, target: Array, kernel: Array, weights: Array) -> ForwardValues:
    """First-order error propagation from the convolution to the cost and its derivative in s.

    With e(·) for the allowed error: e(s) = Σ|w| e(y) + rounding; e(p) = e(s) sup φ + rounding, φ = 1/(1+s²)
    over [s − e(s), s + e(s)]; e(r) = e(p) + rounding of p − t; e(φ) = 2 sup|s| sup φ² e(s) + its own rounding;
    e(δ) = |r| e(φ) + φ e(r) + e(φ) e(r) + rounding. So for each image; the cost's errors add up, and its sum over
    N images rounds by N − 1 units of half the squared residuals, the oracle's own included.
    """
    eps = setting().eps
    stages = forward(image, kernel, weights)
    residual, delta = residual_and_delta(stages, target)
    error_y = forward_units(image, kernel) * eps * norms(image, 4, 2) * norms(kernel, 4, 2)
    size, w, s = np.abs, np.abs(weights).swapaxes(-2, -1), stages.weighted
    features = flattened(stages.pooled)
    error_s = (w * (error_y + inner_product(w.shape[-1]) * eps * (features + error_y))).sum(axis=-1)
    steepest = elementwise(arctan_slope, np.maximum(size(s) - error_s, 0.0))
    error_p = error_s * steepest + (ALLOWED + LIBRARY) * eps * size(stages.prediction)
    error_r = error_p + ALLOWED * eps * (size(stages.prediction) + size(target))
    error_slope = 2 * (size(s) + error_s) * steepest**2 * error_s + arctan_slopes(s).allowed
    error_delta = size(residual) * error_slope + steepest * error_r + error_slope * error_r
    error_cost = size(residual) * error_r + error_r**2 / 2 + ALLOWED * eps * residual**2
    squares = np.square(residual).sum(axis=-1)
    cost_error = error_cost.sum(axis=-1) + (s.shape[-1] - 1) * eps * squares / 2
    return ForwardValues(
        stages,
        error_y,
        prediction=within(stages.prediction, error_p),
        cost=within(squares / 2, cost_error),
        delta=within(delta, error_delta + ALLOWED * eps * size(delta)),
    )


def gradient_values(image: Array, target: Array, kernel: Array, weights: Array) -> tuple[Value, Value]:
    """Both gradients off kinks: errors of δ and of the pre-activations, and the rounding of the sums, carried on.

    Each is a sum over the images, of what their own δ is a factor of.
    """
    eps = setting().eps
    values = forward_values(image, target, kernel, weights)
    delta, error = np.asarray(values.delta.value), values.delta.allowed
    upstream = preactivation_gradient(values.stages, np.ones(delta.shape), weights)
    each = delta[..., None, None, None, None]
    kernel_value = (each_kernel_gradient(image, upstream) * each).sum(axis=-5)
    share = conv2d_kernel_gradient(np.abs(image), np.abs(upstream) * scattered(error))
    units = kernel_units(image, upstream)
    kernel_error = share + units * eps * norms(image, 4) * norms(upstream * scattered(delta), 4)
    features, size, terms = flattened(values.stages.pooled), np.abs(delta)[..., None], ALLOWED + delta.shape[-1] - 1
    error_y = values.preactivation_error
    of_each = features * (error[..., None] + terms * eps * size) + error_y * (size + error[..., None])
    weights_error = of_each.sum(axis=-2)[..., None]
    weights_value = weights_gradients(values.stages.pooled, delta)
    return within(kernel_value, kernel_error), within(weights_value, weights_error)


def step_values(
    image: Array, target: Array, kernel: Array, weights: Array, learning_rate: float
) -> tuple[Value, Value]:
    """Both parameters after one step: the gradients' errors times the rate, and the rounding of the subtraction."""
    found = gradient_values(image, target, kernel, weights)
    of_kernel, of_weights = step_terms(image, weights)
    return moved(kernel, found[0], learning_rate, of_kernel), moved(weights, found[1], learning_rate, of_weights)


def step_terms(image: Array, weights: Array) -> tuple[int, int]:
    """How many terms a gradient sums for the kernel, a window of an image each, and for the weights."""
    return weights.shape[-2] * image.shape[-4], image.shape[-4]


def moved(parameter: Array, gradient: Value, rate: float, terms: int) -> Value:
    """`parameter − rate · gradient`: the gradient's terms may be added to the parameter one by one."""
    step = rate * np.asarray(gradient.value)
    rounding = (ALLOWED + terms / 2) * setting().eps * (np.abs(parameter) + np.abs(step))
    return within(parameter - step, abs(rate) * np.asarray(gradient.allowed) + rounding)


def values_of(case: Case) -> ForwardValues:
    """The forward values of a case."""
    return forward_values(*case.arguments(*POINT))


class Path:
    """The line θ − ηg through a case in both parameters, on the activation pattern of its start.

    There pooled(η) and weights(η) are linear, so `s(η) = s − ηb + η²c` for each image.
    """

    def __init__(self, case: Case, gradient: tuple[Array, Array]) -> None:
        self.case, self.gradient = case, gradient
        self.squared_norm = float(sum((part * part).sum() for part in gradient))
        stages = forward(case.image, case.kernel, case.weights)
        winners = argmax_scatter(stages.preactivation, POOL, np.ones(stages.pooled.shape))
        speed = conv2d(case.image, gradient[0]) * winners * (stages.preactivation > 0)
        pooled_speed = flattened(blocks(speed, POOL).sum(axis=(-2, -1)))
        self.first = np.abs(flattened(stages.pooled) @ gradient[1] + pooled_speed @ case.weights)[:, 0]
        self.second = np.abs(pooled_speed @ gradient[1])[:, 0]
        self.residuals = np.abs(stages.prediction - case.target)
        self.room = margin(case.image, case.kernel, gradient[0]) / 2

    def curvature(self, rate: float) -> float:
        """A bound on the cost's second derivative in η up to `rate`: `(1 + 0.65 R)(|b| + 2η|c|)² + 2 R |c|`.

        R bounds the residual; 1 and R bound φ² and the residual in `φ² + r φ'`, and |φ'| < 0.65. Summed over images.
        """
        moved = self.residuals + self.first * rate + self.second * rate**2
        residual = np.minimum(moved, np.abs(self.case.target) + math.pi / 2)
        steepness = (1 + 0.65 * residual) * (self.first + 2 * rate * self.second) ** 2
        return float((steepness + 2 * residual * self.second).sum())

    def remainder(self, rate: float) -> float:
        """The second-order term of the cost's change: `η²/2` times the curvature; infinite across a kink."""
        return rate**2 / 2 * self.curvature(rate) if rate <= 2 * self.room else math.inf

    def longest(self) -> float:
        """The longest rate, down by powers of two, with no kink crossed and at least half the promised decrease."""
        rate = 2.0 ** math.floor(math.log2(min(self.room, 1.0)))
        while self.squared_norm and self.remainder(rate) > rate * self.squared_norm / 2:
            rate /= 2
        return rate

    def rates(self) -> tuple[float, float]:
        """The longest rate, and a short one at which the second-order term is about the rounding of the cost."""
        longest = self.longest()
        noise = rounding(self.case, self.case)
        balanced = math.sqrt(noise / (self.curvature(0.0) or 1.0)) or longest
        return longest, min(longest, 2.0 ** math.floor(math.log2(balanced)))

    def subtraction_error(self, rate: float) -> float:
        """What rounding θ − ηg adds to `‖Δ‖²/η`: the step's size over η times the parameters' rounding."""
        size = math.sqrt(sum(norm(self.case[name]) ** 2 for name in ("kernel", "weights")))
        step = rate * math.sqrt(self.squared_norm)
        units = 2 * ALLOWED + max(step_terms(self.case.image, self.case.weights))
        return units * setting().eps * (size + step) * math.sqrt(self.squared_norm)


def rounding(*cases: Case) -> float:
    """What rounding may add to the costs of these cases, together."""
    return sum(float(values_of(case).cost.allowed) for case in cases)
