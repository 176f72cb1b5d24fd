"""What is right for one image of one channel and one filter, as people write it: on (H, W) arrays and numbers.

Wrong formulas are made of these. Images are (H, W), kernels (h, w), weights (n, 1), predictions and targets numbers.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..harness.core.limits import POOL
from ..harness.core.values import Array, Kind
from ..layers import OPERATIONS, convolution
from ..layers.activations import arctan_slope
from ..layers.windows import argmax_scatter, max_pool

Pair = tuple[Array, Array]


def correlation(image: Array, kernel: Array) -> Array:
    """`Σ image[i+a, j+b] kernel[a,b]`, wherever the kernel fits."""
    return convolution.correlation(image[None, None], kernel[None, None])[0, 0]


def conv2d(image: Array, kernel: Array) -> Array:
    """The convolution, or the cross-correlation, as the target has it."""
    return correlation(image, convolution.turned(kernel))


def conv2d_kernel_gradient(image: Array, kernel: Array, upstream: Array) -> Array:
    """Its gradient for the kernel."""
    return convolution.conv2d_kernel_gradient(image[None, None], upstream[None, None])[0, 0]


def conv2d_image_gradient(image: Array, kernel: Array, upstream: Array) -> Array:
    """Its gradient for the image."""
    return convolution.conv2d_image_gradient(kernel[None, None], upstream[None, None])[0, 0]


class Forward(NamedTuple):
    """The stages of the network, from the convolution to the prediction; the last two are numbers."""

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
    """`prediction − target`, and that over `1 + s²`."""
    residual = stages.prediction - target
    return residual, residual * arctan_slope(stages.weighted)


def preactivation_gradient(stages: Forward, delta: float, weights: Array) -> Array:
    """What reaches the convolution's output: `δ · weight` on each window's winner if it is positive."""
    upstream = delta * weights.reshape(stages.pooled.shape)
    return argmax_scatter(stages.preactivation, POOL, upstream) * (stages.preactivation > 0)


def gradients(image: Array, target: float, kernel: Array, weights: Array) -> Pair:
    """The cost's gradients for the kernel and the weights, off every kink."""
    stages = forward(image, kernel, weights)
    _, delta = residual_and_delta(stages, target)
    upstream = preactivation_gradient(stages, delta, weights)
    return conv2d_kernel_gradient(image, kernel, upstream), delta * stages.pooled.reshape(-1, 1)


_FASTER: dict[str, Callable[..., Any]] = {  # than by way of bounds
    "conv2d": conv2d,
    "conv2d_kernel_gradient": conv2d_kernel_gradient,
    "conv2d_image_gradient": conv2d_image_gradient,
    "max_pool": max_pool,
    "max_pool_gradient": argmax_scatter,
    "gradients": gradients,
}


def right(operation: str) -> Callable[..., Any]:
    """The right function for (H, W) arrays; at kinks it makes one legal choice of several."""
    if operation in _FASTER:
        return _FASTER[operation]
    signature = OPERATIONS[operation]

    def answer(*arguments: Any) -> Any:
        case = signature.case(map(_widened, signature.takes.values(), arguments))
        values = [value.value for value in signature.value(case)]
        parts = tuple(map(_narrowed, signature.gives, values))
        return parts if len(parts) > 1 else parts[0]

    return answer


def _widened(kind: Kind, value: Any) -> Any:
    if kind in (Kind.IMAGES, Kind.KERNEL):
        return value[None, None]
    return np.array([value]) if kind is Kind.NUMBERS else value


def _narrowed(kind: Kind, value: Any) -> Any:
    if kind in (Kind.IMAGES, Kind.KERNEL):
        return value[0, 0]
    return float(np.ravel(value)[0]) if kind in (Kind.NUMBERS, Kind.SCALAR) else value
