"""The whole network, `arctan(max_pool(relu(conv2d(image, kernel))) · weights)`: its values, with their bounds, and the
chain rule.

Images are (N, C_in, H, W), kernels (C_out, C_in, h, w), weights (n, 1) for the n pooled entries of an image,
predictions and targets (N,). Any array may have a further axis in front, for points.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..harness.core.limits import POOL
from ..harness.core.setting import setting
from ..harness.core.tape import Case
from ..harness.core.values import ALLOWED, LIBRARY, Array, Size, Value, elementwise, inner_product, norms, within
from .activations import arctan_slope, arctan_slopes, relu
from .convolution import conv2d, conv2d_kernel_gradient, each_kernel_gradient, forward_units, kernel_units
from .pooling import argmax_scatter, blocks, grow, max_pool

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


Functions = Mapping[str, Callable[..., Any]]
FORWARD = ("conv2d", "relu", "max_pool", "dense", "arctan")
BACKWARD = ("relu_derivative", "arctan_derivative", "max_pool_gradient", "dense_gradients", "conv2d_kernel_gradient")


def composed(name: str, part: Callable[..., Any]) -> Callable[..., Any]:
    """One operation of the network, by the chain rule through `part(operation, *arguments)`.

    Arrays are as everywhere: images (N, C, H, W), features (N, n), a prediction for each image.
    """

    def features_of(image: Array, kernel: Array) -> tuple[Array, Array, Array, Array]:
        convolved = part("conv2d", image, kernel)
        activated = part("relu", convolved)
        pooled = part("max_pool", activated, POOL)
        return convolved, activated, pooled, flattened(pooled)

    def predict(image: Array, kernel: Array, weights: Array) -> Array:
        features = features_of(image, kernel)[3]
        prediction: Array = part("arctan", part("dense", features, weights))[..., 0]
        return prediction

    def cost(image: Array, target: Array, kernel: Array, weights: Array) -> Array:
        return ((part("predict", image, kernel, weights) - target) ** 2).sum(axis=-1) / 2

    def gradients(image: Array, target: Array, kernel: Array, weights: Array) -> tuple[Array, Array]:
        convolved, activated, pooled, features = features_of(image, kernel)
        weighted = part("dense", features, weights)
        delta = (part("arctan", weighted) - target[..., None]) * part("arctan_derivative", weighted)
        features_gradient, weights_gradient = part("dense_gradients", features, weights, delta)
        upstream = part("max_pool_gradient", activated, POOL, features_gradient.reshape(pooled.shape))
        upstream = upstream * part("relu_derivative", convolved)
        return part("conv2d_kernel_gradient", image, kernel, upstream), weights_gradient

    def train_step(
        image: Array, target: Array, kernel: Array, weights: Array, learning_rate: float
    ) -> tuple[Array, Array]:
        moves = part("gradients", image, target, kernel, weights)
        return kernel - learning_rate * moves[0], weights - learning_rate * moves[1]

    made: Functions = {"predict": predict, "cost": cost, "gradients": gradients, "train_step": train_step}
    return made[name]
