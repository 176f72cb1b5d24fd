"""The declared network that cases are of without a declaration: convolution with a bias and padding, ReLU, overlapping
max pooling, and a dense layer with several outputs, by softmax with cross-entropy.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ....harness.core.values import Array, turned
from ..lazily import correlate2d
from ..turns import one_hot

OF_LENET = ("declared_predict", "declared_cost", "declared_gradients", "declared_train_step")


def windows_of(image: Array, kernel1: Array, bias1: Array) -> tuple[Array, Array]:
    y = correlate2d(np.pad(image, 1), turned(kernel1), "valid") + bias1
    return y, sliding_window_view(np.maximum(y, 0), (3, 3))[::2, ::2]


def declared_predict(image: Array, kernel1: Array, bias1: Array, weights2: Array, bias2: Array) -> Array:
    y = correlate2d(np.pad(image, 1), turned(kernel1), "valid") + bias1
    windows = sliding_window_view(np.maximum(y, 0), (3, 3))[::2, ::2]
    features = windows.max(axis=(2, 3)).reshape(1, -1)
    return features @ weights2 + bias2


def declared_cost(image: Array, target: Array, kernel1: Array, bias1: Array, weights2: Array, bias2: Array) -> float:
    outputs = declared_predict(image, kernel1, bias1, weights2, bias2)
    shifted = outputs - outputs.max()
    return np.log(np.sum(np.exp(shifted))) - np.sum(shifted * one_hot(target, outputs.shape[1]))


def declared_gradients(
    image: Array, target: Array, kernel1: Array, bias1: Array, weights2: Array, bias2: Array
) -> tuple[Array, ...]:
    y, windows = windows_of(image, kernel1, bias1)
    features = windows.max(axis=(2, 3)).reshape(1, -1)
    outputs = features @ weights2 + bias2
    exponentials = np.exp(outputs - outputs.max())
    delta = exponentials / exponentials.sum() - one_hot(target, outputs.shape[1])
    upstream = (delta @ weights2.T).reshape(windows.shape[:2])
    reaching = np.zeros(y.shape)
    for i, j in np.ndindex(upstream.shape):
        row, column = np.unravel_index(windows[i, j].argmax(), (3, 3))
        reaching[2 * i + row, 2 * j + column] += upstream[i, j]
    reaching *= y > 0
    kernel_gradient = turned(correlate2d(np.pad(image, 1), reaching, "valid"))
    return kernel_gradient, np.array([reaching.sum()]), features.T @ delta, delta[0]


def declared_train_step(
    image: Array,
    target: Array,
    kernel1: Array,
    bias1: Array,
    weights2: Array,
    bias2: Array,
    learning_rate: float,
) -> tuple[Array, ...]:
    moves = declared_gradients(image, target, kernel1, bias1, weights2, bias2)
    new_kernel = kernel1 - learning_rate * moves[0]
    new_bias = bias1 - learning_rate * moves[1]
    return new_kernel, new_bias, weights2 - learning_rate * moves[2], bias2 - learning_rate * moves[3]
