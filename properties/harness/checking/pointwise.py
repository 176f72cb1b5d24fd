"""Oracles that take many points of one shape at once: what `bounds` says of each, by the same formulas.

A point has an image (H, W), a kernel (h, w) and so on, as a case of one without channels has; here all arrays have an
axis for the points in front, and so have the values.
"""

from collections.abc import Callable

import numpy as np

from ...layers import bounds, oracles
from ...layers.bounds import ALLOWED, Value
from ..core.cases import Case
from ..core.trial import current
from ..target.target import Array


def norms(arrays: Array) -> Array:
    """The Euclidean norm of each matrix: (points, rows, columns) to (points, 1, 1)."""
    return np.sqrt(np.einsum("pij,pij->p", arrays, arrays))[:, None, None]


def _conv2d(points: Case) -> tuple[Value]:
    image, kernel = points.arguments("image", "kernel")
    units = bounds.forward_units(image[0], kernel[0])
    return (Value(oracles.conv2d(image, kernel), units, norms(image) * norms(kernel)),)


def _conv2d_kernel_gradient(points: Case) -> tuple[Value]:
    image, kernel, upstream = points.arguments("image", "kernel", "upstream")
    units = bounds.kernel_units(image[0], kernel[0], upstream[0])
    value = oracles.conv2d_kernel_gradient(image, kernel, upstream)
    return (Value(value, units, norms(image) * norms(upstream)),)


def _conv2d_image_gradient(points: Case) -> tuple[Value]:
    image, kernel, upstream = points.arguments("image", "kernel", "upstream")
    units = bounds.convolution_units(image[0], kernel[0].size)
    value = oracles.conv2d_image_gradient(image, kernel, upstream)
    return (Value(value, units, norms(kernel) * norms(upstream)),)


def _gradients(points: Case) -> tuple[Value, Value]:
    image, target, kernel, weights = points.arguments("image", "target", "kernel", "weights")
    eps = current().target.eps
    stages = oracles.forward(image, kernel, weights)
    residual, delta = oracles.residual_and_delta(stages, target)
    error_y = bounds.forward_units(image[0], kernel[0]) * eps * norms(image) * norms(kernel)
    pooled = stages.pooled.reshape(weights.shape)
    of_each = stages.weighted, stages.prediction, residual, delta, target
    error = bounds.errors(error_y[:, 0], np.abs(weights[..., 0]), pooled[..., 0], *of_each)[2] + bounds.tiny()
    delta, error = delta[:, None, None], error[:, None, None]
    upstream = oracles.preactivation_gradient(stages, 1.0, weights)
    kernel_value = oracles.conv2d_kernel_gradient(image, kernel, upstream) * delta
    share = oracles.conv2d_kernel_gradient(np.abs(image), kernel, np.abs(upstream)) * error
    units = bounds.kernel_units(image[0], kernel[0], upstream[0])
    kernel_error = share + units * eps * norms(image) * norms(upstream * delta)
    weights_error = pooled * (error + ALLOWED * eps * np.abs(delta)) + error_y * (np.abs(delta) + error)
    return bounds.within(kernel_value, kernel_error), bounds.within(pooled * delta, weights_error)


OF: dict[str, Callable[[Case], tuple[Value, ...]]] = {
    "conv2d": _conv2d,
    "conv2d_kernel_gradient": _conv2d_kernel_gradient,
    "conv2d_image_gradient": _conv2d_image_gradient,
    "gradients": _gradients,
}
