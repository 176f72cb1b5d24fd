"""The oracle of both gradients at many points at once: what `bounds.gradients` says of each, by the same formulas."""

import numpy as np

from properties.harness import bounds, oracles
from properties.harness.bounds import ALLOWED, Value
from properties.harness.strategies import Case
from properties.harness.target import Array
from properties.harness.trial import current


def norms(arrays: Array) -> Array:
    """The Euclidean norm of each matrix: (points, rows, columns) to (points, 1, 1)."""
    return np.sqrt(np.einsum("pij,pij->p", arrays, arrays))[:, None, None]


def gradients(points: Case) -> tuple[Value, Value]:
    """Off kinks, the gradients for the kernel and the weights, with their bounds: (points, h, w), (points, n, 1).

    `image` (points, H, W), `target` (points,), `kernel` (points, h, w), `weights` (points, n, 1). Source: as there.
    """
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
