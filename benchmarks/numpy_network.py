"""The notebook's network and its gradients written by hand in plain NumPy, as fast as that goes."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
IMAGE_SHAPES, KERNEL_SHAPES = [(6, 6)], [(3, 3)]
TURNED = np.s_[::-1, ::-1]


def _forward(image: Array, kernel: Array, weights: Array) -> tuple[Array, Array, Array, float]:
    """The windows' patches (windows, 4, h·w), their winners and maxima (windows,), and the weighted sum."""
    (height, width), image = kernel.shape, np.ascontiguousarray(image)
    rows, columns = image.shape[0] - height + 1, image.shape[1] - width + 1
    down, right = image.strides
    shape = rows // 2, columns // 2, 2, 2, height, width
    strides = 2 * down, 2 * right, down, right, down, right
    patches = np.ndarray(shape, np.float64, image, strides=strides).reshape(weights.size, 4, -1)
    convolved = patches @ kernel[TURNED].ravel()
    winners = convolved.argmax(axis=1)
    pooled = np.maximum(convolved[np.arange(weights.size), winners], 0.0)
    return patches, winners, pooled, float(pooled @ weights.ravel())


def cost(image: Array, target: float, kernel: Array, weights: Array) -> float:
    """Half the squared error of the arctan of the weighted sum."""
    return float(np.arctan(_forward(image, kernel, weights)[3]) - target) ** 2 / 2


def gradients(image: Array, target: float, kernel: Array, weights: Array) -> tuple[Array, Array]:
    """By the chain rule, (h, w) and (n, 1): of each window only the winner's patch matters."""
    patches, winners, pooled, weighted = _forward(image, kernel, weights)
    delta = (np.arctan(weighted) - target) / (1 + weighted * weighted)
    won = patches[np.arange(weights.size), winners]
    turned = (delta * weights.ravel() * (pooled > 0)) @ won
    return turned.reshape(kernel.shape)[TURNED], (delta * pooled)[:, None]
