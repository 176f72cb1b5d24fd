"""What is right: every operation from its definition, in NumPy alone, sharing no code with any target.

On the dyadic numbers of the strategies all but arctan and the logistic function are computed without error. Arrays are
in the target's layout; with channels a convolution sums over the image's, and each filter makes one of the output's.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..harness.core.cases import blocks
from ..harness.core.limits import POOL, Shape
from ..harness.core.trial import current
from ..harness.target.target import Array


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
    """Every patch of this shape, as (…, rows, columns, height, width): a view of `x`, C-contiguous or copied."""
    x = np.ascontiguousarray(x)
    outputs = x.shape[-2] - shape[0] + 1, x.shape[-1] - shape[1] + 1
    return np.ndarray((*x.shape[:-2], *outputs, *shape), x.dtype, x, strides=x.strides + x.strides[-2:])


def correlation(x: Array, kernel: Array) -> Array:
    """`Σ x[i+a, j+b] kernel[a,b]`, wherever the kernel fits; with channels, rows and columns last, their sum.

    Of points, with a kernel each, one by one.
    """
    if kernel.ndim == 2:
        return np.einsum("ijab,ab->ij", patches(x, kernel.shape), kernel)
    if kernel.ndim == 3:
        return np.einsum("pijab,pab->pij", patches(x, kernel.shape[1:]), kernel)
    return np.einsum("...cijab,ocab->...oij", patches(x, kernel.shape[-2:]), kernel)


def convolution(x: Array, kernel: Array) -> Array:
    """`Σ x[i+h-1-a, j+w-1-b] kernel[a,b]`, wherever the kernel fits."""
    return correlation(x, kernel[..., ::-1, ::-1])


def paired_correlation(image: Array, upstream: Array) -> Array:
    """The correlation of every channel of the image with every filter's upstream, summed over the images.

    (H, W) and (r, c) to (h, w); with channels, in the target's layout, to (C_out, C_in, h, w).
    """
    layout = current().target.layout
    if not layout.channelled:
        return correlation(image, upstream)
    image, upstream = (layout.inward(x) for x in (image, upstream))
    image, upstream = (x.reshape(-1, *x.shape[-3:]) for x in (image, upstream))
    return np.einsum("ncabij,noij->ocab", patches(image, upstream.shape[-2:]), upstream)


def paired_convolution(image: Array, upstream: Array) -> Array:
    """The same with the true convolution, which flips the upstream."""
    return paired_correlation(image, np.flip(upstream, current().target.layout.axes))


def _turned(kernel: Array) -> Array:
    return kernel[..., ::-1, ::-1] if current().flips else kernel


def conv2d(image: Array, kernel: Array) -> Array:
    """The defining sum `Σ image[i+h-1-a, j+w-1-b] kernel[a,b]`; for a cross-correlation `image[i+a, j+b]`."""
    layout = current().target.layout
    return layout.outward(correlation(layout.inward(image), _turned(kernel)))


def conv2d_kernel_gradient(image: Array, kernel: Array, upstream: Array) -> Array:
    """`Σ upstream[i,j] ∂y[i,j]/∂kernel[a,b]`, over all images."""
    return _turned(paired_correlation(image, upstream))


def conv2d_image_gradient(image: Array, kernel: Array, upstream: Array) -> Array:
    """`Σ upstream[i,j] ∂y[i,j]/∂image[m,n]`, over all filters."""
    layout = current().target.layout
    upstream = layout.inward(upstream)
    (height, width), (rows, columns) = kernel.shape[-2:], upstream.shape[-2:]
    padded = np.zeros((*upstream.shape[:-2], rows + 2 * height - 2, columns + 2 * width - 2))
    padded[..., height - 1 : height - 1 + rows, width - 1 : width - 1 + columns] = upstream
    turned = _turned(kernel)[..., ::-1, ::-1]
    return layout.outward(correlation(padded, turned.swapaxes(0, 1) if layout.channelled else turned))


def max_pool(x: Array, window: Shape) -> Array:
    """The maximum of each window."""
    return current().target.layout.outward(blocks(x, window).max(axis=(-2, -1)))


def grow(pooled: Array, window: Shape) -> Array:
    """Each entry repeated over its window."""
    rows, columns = current().target.layout.axes
    return pooled.repeat(window[0], axis=rows).repeat(window[1], axis=columns)


def maxima(x: Array, window: Shape) -> Any:
    """Where `x` equals the maximum of its window."""
    return x == grow(max_pool(x, window), window)


def mask_repeat(x: Array, window: Shape, upstream: Array) -> Array:
    """Upstream repeated over its window, on every maximum: a gradient only where maxima are unique."""
    return maxima(x, window) * grow(upstream, window)


def argmax_scatter(x: Array, window: Shape, upstream: Array) -> Array:
    """Each upstream value on the first maximum of its window."""
    layout = current().target.layout
    parted, shared = blocks(x, window), layout.inward(upstream)
    flat = parted.reshape(*shared.shape, -1)
    winners = flat.argmax(axis=-1)[..., None] == np.arange(flat.shape[-1])
    scattered = (winners * shared[..., None]).reshape(parted.shape).swapaxes(-3, -2)
    return layout.outward(scattered.reshape(layout.inward(x).shape))


class Forward(NamedTuple):
    """The stages of the network, from the convolution to the prediction.

    The last two are a number, or for a target with batches an array (N,).
    """

    preactivation: Array
    pooled: Array
    weighted: Any
    prediction: Any


def mapped(function: Callable[[float], float], x: Any) -> Any:
    """A scalar function of a number, or of each number of an array."""
    return elementwise(function, x) if isinstance(x, np.ndarray) else function(x)


def forward(image: Array, kernel: Array, weights: Array) -> Forward:
    """`arctan(max_pool(relu(conv2d(image, kernel))) · weights)`, stage by stage."""
    preactivation = conv2d(image, kernel)
    pooled = max_pool(np.where(preactivation > 0, preactivation, 0.0), POOL)
    weighted = _weighted(pooled, weights)
    return Forward(preactivation, pooled, weighted, mapped(math.atan, weighted))


def _weighted(pooled: Array, weights: Array) -> Any:
    if current().target.layout.batched:
        return pooled.reshape(len(pooled), -1) @ weights.ravel()
    if weights.ndim > 2:
        return (pooled.reshape(weights.shape) * weights).sum(axis=(1, 2))
    return float(pooled.ravel() @ weights.ravel())


def weights_of(pooled: Array, weights: Array) -> Array:
    """The weight of every pooled entry, in its shape; the same for all images."""
    if current().target.layout.batched:
        return np.broadcast_to(weights.reshape(pooled.shape[1:]), pooled.shape)
    return weights.reshape(pooled.shape)


def residual_and_delta(stages: Forward, target: Any) -> tuple[Any, Any]:
    """`prediction − target`, and that over `1 + s²`: the cost's derivative in `s`."""
    residual = stages.prediction - target
    return residual, residual * mapped(arctan_slope, stages.weighted)


def preactivation_gradient(stages: Forward, delta: Any, weights: Array) -> Array:
    """What reaches the convolution's output: `δ · weight` on each window's winner if it is positive."""
    upstream = current().target.layout.scattered(delta) * weights_of(stages.pooled, weights)
    return argmax_scatter(stages.preactivation, POOL, upstream) * (stages.preactivation > 0)


def gradients(image: Array, target: Any, kernel: Array, weights: Array) -> tuple[Array, Array]:
    """The cost's gradients for the kernel and the weights, off every kink."""
    stages = forward(image, kernel, weights)
    _, delta = residual_and_delta(stages, target)
    upstream = preactivation_gradient(stages, delta, weights)
    return conv2d_kernel_gradient(image, kernel, upstream), weights_gradient(stages.pooled, delta)


def weights_gradient(pooled: Array, delta: Any) -> Array:
    """`Σ δ · pooled` over the images, (n, 1)."""
    layout = current().target.layout
    pairs = zip(layout.numbered(delta), layout.images(pooled), strict=True)
    return np.sum([each * one.reshape(-1, 1) for each, one in pairs], axis=0)


def grown_sum(preactivation: Array, pooled: Array, weights: Array) -> Any:
    """`Σ relu(y) ⊙ mask ⊙ repeat(weights)`: the dense layer with its weights grown over the windows."""
    activated = np.where(preactivation > 0, preactivation, 0.0)
    mask = activated == grow(pooled, POOL)
    terms = activated * mask * grow(weights_of(pooled, weights), POOL)
    batched = current().target.layout.batched
    return terms.reshape(len(terms), -1).sum(axis=1) if batched else float(terms.sum())


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
