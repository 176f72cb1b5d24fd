"""The whole network, its gradients by the chain rule, and gradient descent, one update per image."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from .activations import arctan, arctan_derivative, relu, relu_derivative
from .arrays import Array, matrix, scalar
from .convolution import conv2d, conv2d_kernel_gradient
from .dense import dense, dense_gradients
from .pooling import grow, max_pool, max_pool_gradient

__all__ = ["cost", "gradients", "grown_dense", "predict", "train", "train_step"]


WINDOW = (2, 2)


class Forward(NamedTuple):
    """Every stage of one forward pass, from the convolution (before ReLU) to the prediction."""

    convolved: Array
    activated: Array
    features: Array
    weighted: Array
    prediction: float


def forward(image: ArrayLike, kernel: ArrayLike, weights: ArrayLike) -> Forward:
    """Convolution → ReLU → 2×2 max pooling → flattening in C order → dense → arctan, stage by stage.

    `image` (H, W), `kernel` (h, w) with H-h+1 and W-w+1 even, `weights` (n, 1) with one entry per window;
    `ValueError` for any other shape. Source: the notebook.
    """
    convolved = conv2d(image, kernel)
    activated = relu(convolved)
    features = max_pool(activated, WINDOW).reshape(1, -1)
    weighted = dense(features, weights)
    return Forward(convolved, activated, features, weighted, float(arctan(weighted).item()))


def predict(image: ArrayLike, kernel: ArrayLike, weights: ArrayLike) -> float:
    """The network's output, in (-π/2, π/2). Shapes, errors and source as in `forward`."""
    return forward(image, kernel, weights).prediction


def cost(image: ArrayLike, target: ArrayLike, kernel: ArrayLike, weights: ArrayLike) -> float:
    """Half the squared error, `(predict − target)² / 2`. Shapes, errors and source as in `forward`."""
    return 0.5 * (predict(image, kernel, weights) - scalar(target, "target")) ** 2


def gradients(image: ArrayLike, target: ArrayLike, kernel: ArrayLike, weights: ArrayLike) -> tuple[Array, Array]:
    """The cost's gradients, (h, w) for the kernel and (n, 1) for the weights, by the chain rule.

    `δ = (prediction − target) / (1 + s²)` at `s = features · weights`; the weights get `featuresᵀ δ`; the
    kernel gets the convolution's gradient of what pooling and ReLU pass on of `δ weightsᵀ`. Errors as in
    `forward`. Source: Rumelhart, Hinton & Williams, Nature 323, 1986.
    """
    convolved, activated, features, weighted, prediction = forward(image, kernel, weights)
    delta = (prediction - scalar(target, "target")) * arctan_derivative(weighted)
    features_gradient, weights_gradient = dense_gradients(features, weights, delta)
    pooled_gradient = features_gradient.reshape(convolved.shape[0] // 2, convolved.shape[1] // 2)
    upstream = max_pool_gradient(activated, WINDOW, pooled_gradient) * relu_derivative(convolved)
    return conv2d_kernel_gradient(image, kernel, upstream), weights_gradient


def train_step(
    image: ArrayLike, target: ArrayLike, kernel: ArrayLike, weights: ArrayLike, learning_rate: ArrayLike
) -> tuple[Array, Array]:
    """New `(kernel, weights)`: both moved by `−learning_rate` times the gradients at the old parameters.

    Shapes and errors as in `gradients`; the arguments are left as they were. Source: the notebook.
    """
    rate = scalar(learning_rate, "learning_rate")
    kernel_gradient, weights_gradient = gradients(image, target, kernel, weights)
    return matrix(kernel, "kernel") - rate * kernel_gradient, matrix(weights, "weights") - rate * weights_gradient


def train(
    images: Sequence[ArrayLike],
    targets: Sequence[ArrayLike],
    kernel: ArrayLike,
    weights: ArrayLike,
    learning_rate: float,
    epochs: int,
    *,
    step: Callable[..., tuple[Array, Array]] = train_step,
    cost: Callable[..., float] = cost,
) -> tuple[Array, Array, Array]:
    """`epochs` passes over the images, one update per image: the new kernel, the new weights, the costs.

    The costs, (epochs, images), are each image's before its own update. `step` and `cost` may be another
    implementation's. A bar shows the progress after a second on a terminal. Raises `ValueError` for no
    images, another number of targets, or negative `epochs`. Source: the notebook.
    """
    if not len(images) or len(images) != len(targets):
        raise ValueError(f"as many targets as images are wanted, not {len(targets)} for {len(images)}")
    if epochs < 0:
        raise ValueError(f"epochs must not be negative, but is {epochs}")
    kernel, weights = matrix(kernel, "kernel"), matrix(weights, "weights")
    costs = np.empty((epochs, len(images)))
    for epoch in tqdm(range(epochs), desc="training", unit="epoch", delay=1, disable=None):
        for index, (image, target) in enumerate(zip(images, targets, strict=True)):
            costs[epoch, index] = cost(image, target, kernel, weights)
            kernel, weights = step(image, target, kernel, weights, learning_rate)
    return kernel, weights, costs


def grown_dense(convolved: ArrayLike, weights: ArrayLike) -> float:
    """`Σ relu(y) ⊙ mask ⊙ repeat(weights)`: the dense layer with its weights grown back over the windows.

    `convolved` (2r, 2c), `weights` (rc, 1); equal to `pooled · weights` unless a window's maximum is positive
    and tied (m entries then count m times); ties at 0 add nothing. `ValueError` for any other shape. Source:
    the notebook's last claim, its 4×1 weights grown to 4×4.
    """
    activated = relu(matrix(convolved, "convolved"))
    pooled = max_pool(activated, WINDOW)
    grown = grow(matrix(weights, "weights", (pooled.size, 1)).reshape(pooled.shape), WINDOW)
    return float((activated * (activated == grow(pooled, WINDOW)) * grown).sum())
