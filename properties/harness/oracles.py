"""What is right: every operation from its definition, in NumPy alone, sharing no code with any target.

On the dyadic numbers of the strategies all but arctan and the logistic function are computed without error.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from properties.harness.limits import POOL, Shape
from properties.harness.strategies import blocks
from properties.harness.target import Array
from properties.harness.trial import current


def elementwise(function: Callable[[float], float], x: Array) -> Array:
    """A scalar function applied entry by entry, on Python floats."""
    return np.array([function(value) for value in x.ravel().tolist()]).reshape(x.shape)


def arctan_slope(x: float) -> float:
    """`1 / (1 + x²)` without overflow."""
    return 1.0 / math.hypot(1.0, x) / math.hypot(1.0, x)


def logistic(x: float) -> float:
    """`1 / (1 + exp(-x))` without overflow, from the exponential that does not grow."""
    decay = math.exp(-abs(x))
    return (1.0 if x >= 0 else decay) / (1.0 + decay)


def logistic_slope(x: float) -> float:
    """`σ(x) σ(−x)`."""
    return logistic(x) * logistic(-x)


def patches(x: Array, shape: Shape) -> Array:
    """Every patch of this shape, as (rows, columns, height, width): a view of `x`, which is C-contiguous or copied."""
    x = np.ascontiguousarray(x)
    outputs = x.shape[0] - shape[0] + 1, x.shape[1] - shape[1] + 1
    return np.ndarray((*outputs, *shape), x.dtype, x, strides=x.strides * 2)


def correlation(x: Array, kernel: Array) -> Array:
    """`Σ x[i+a, j+b] kernel[a,b]`, wherever the kernel fits."""
    return np.einsum("ijab,ab->ij", patches(x, kernel.shape), kernel)


def convolution(x: Array, kernel: Array) -> Array:
    """`Σ x[i+h-1-a, j+w-1-b] kernel[a,b]`, wherever the kernel fits."""
    return correlation(x, kernel[::-1, ::-1])


def _turned(kernel: Array) -> Array:
    return kernel[::-1, ::-1] if current().flips else kernel


def conv2d(image: Array, kernel: Array) -> Array:
    """The defining sum `Σ image[i+h-1-a, j+w-1-b] kernel[a,b]`; for a cross-correlation `image[i+a, j+b]`."""
    return correlation(image, _turned(kernel))


def conv2d_kernel_gradient(image: Array, kernel: Array, upstream: Array) -> Array:
    """`Σ upstream[i,j] ∂y[i,j]/∂kernel[a,b]`."""
    return _turned(correlation(image, upstream))


def conv2d_image_gradient(image: Array, kernel: Array, upstream: Array) -> Array:
    """`Σ upstream[i,j] ∂y[i,j]/∂image[m,n]`."""
    (height, width), (rows, columns) = kernel.shape, upstream.shape
    padded = np.zeros((rows + 2 * height - 2, columns + 2 * width - 2))
    padded[height - 1 : height - 1 + rows, width - 1 : width - 1 + columns] = upstream
    return correlation(padded, _turned(kernel)[::-1, ::-1])


def max_pool(x: Array, window: Shape) -> Array:
    """The maximum of each window."""
    return blocks(x, window).max(axis=(2, 3))


def grow(pooled: Array, window: Shape) -> Array:
    """Each entry repeated over its window."""
    return pooled.repeat(window[0], axis=0).repeat(window[1], axis=1)


def maxima(x: Array, window: Shape) -> Any:
    """Where `x` equals the maximum of its window."""
    return x == grow(max_pool(x, window), window)


def mask_repeat(x: Array, window: Shape, upstream: Array) -> Array:
    """Upstream repeated over its window, on every maximum: a gradient only where maxima are unique."""
    return maxima(x, window) * grow(upstream, window)


def argmax_scatter(x: Array, window: Shape, upstream: Array) -> Array:
    """Each upstream value on the first maximum of its window."""
    flat = blocks(x, window).reshape(*upstream.shape, -1)
    winners = flat.argmax(axis=2)[..., None] == np.arange(flat.shape[2])
    return (winners * upstream[..., None]).reshape(*upstream.shape, *window).swapaxes(1, 2).reshape(x.shape)


class Forward(NamedTuple):
    """The stages of the network, from the convolution to the prediction."""

    preactivation: Array
    pooled: Array
    weighted: float
    prediction: float


def forward(image: Array, kernel: Array, weights: Array) -> Forward:
    """`arctan(max_pool(relu(conv2d(image, kernel))) · weights)`, stage by stage."""
    preactivation = conv2d(image, kernel)
    pooled = max_pool(np.where(preactivation > 0, preactivation, 0.0), POOL)
    weighted = float(pooled.ravel() @ weights.ravel())
    return Forward(preactivation, pooled, weighted, math.atan(weighted))


def residual_and_delta(stages: Forward, target: float) -> tuple[float, float]:
    """`prediction − target`, and that over `1 + s²`: the cost's derivative in `s`."""
    residual = stages.prediction - target
    return residual, residual * arctan_slope(stages.weighted)


def preactivation_gradient(stages: Forward, delta: float, weights: Array) -> Array:
    """What reaches the convolution's output: `δ · weight` on each window's winner if it is positive."""
    upstream = delta * weights.reshape(stages.pooled.shape)
    return argmax_scatter(stages.preactivation, POOL, upstream) * (stages.preactivation > 0)


def gradients(image: Array, target: float, kernel: Array, weights: Array) -> tuple[Array, Array]:
    """The cost's gradients for the kernel and the weights, off every kink."""
    stages = forward(image, kernel, weights)
    _, delta = residual_and_delta(stages, target)
    upstream = preactivation_gradient(stages, delta, weights)
    return conv2d_kernel_gradient(image, kernel, upstream), delta * stages.pooled.reshape(-1, 1)


def grown_sum(preactivation: Array, pooled: Array, weights: Array) -> float:
    """`Σ relu(y) ⊙ mask ⊙ repeat(weights)`: the dense layer with its weights grown over the windows."""
    activated = np.where(preactivation > 0, preactivation, 0.0)
    mask = activated == grow(pooled, POOL)
    return float((activated * mask * grow(weights.reshape(pooled.shape), POOL)).sum())


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
