"""The network, by its layers."""

import numpy as np

from ...harness.core.values import Array
from .activations import arctan, arctan_derivative, relu, relu_derivative
from .convolution import conv2d, conv2d_kernel_gradient
from .dense import dense, dense_gradients
from .pooling import max_pool, max_pool_gradient, max_pool_gradient_by_mask

Pair = tuple[Array, Array]


def predict(image: Array, kernel: Array, weights: Array) -> float:
    convolved = conv2d(image, kernel)
    pooled = max_pool(relu(convolved), (2, 2))
    features = pooled.reshape(1, -1)
    weighted = dense(features, weights)
    return arctan(weighted).item()


def predict_by_places(image: Array, kernel: Array, weights: Array) -> float:
    convolved = conv2d(image, kernel)
    pooled = max_pool(relu(convolved), (2, 2))
    rows, columns = pooled.shape
    weighted = 0.0
    for i in range(rows):
        for j in range(columns):
            weighted += pooled[i, j] * weights[i * columns + j, 0]
    return float(np.arctan(weighted))


def predict_by_formulas(image: Array, kernel: Array, weights: Array) -> float:
    convolved = conv2d(image, kernel)
    activated = np.maximum(convolved, 0)
    rows, columns = activated.shape[0] // 2, activated.shape[1] // 2
    weighted = 0.0
    place = 0
    for i in range(rows):
        for j in range(columns):
            weighted += np.max(activated[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]) * weights[place, 0]
            place += 1
    return float(np.arctan(weighted))


def cost(image: Array, target: float, kernel: Array, weights: Array) -> float:
    error = predict(image, kernel, weights) - target
    return error**2 / 2


def gradients(image: Array, target: float, kernel: Array, weights: Array) -> Pair:
    convolved = conv2d(image, kernel)
    activated = relu(convolved)
    pooled = max_pool(activated, (2, 2))
    features = pooled.reshape(1, -1)
    weighted = dense(features, weights)
    error = arctan(weighted) - target
    delta = error * arctan_derivative(weighted)
    features_gradient, weights_gradient = dense_gradients(features, weights, delta)
    pooled_gradient = features_gradient.reshape(pooled.shape)
    upstream = max_pool_gradient(activated, (2, 2), pooled_gradient)
    upstream = upstream * relu_derivative(convolved)
    kernel_gradient = conv2d_kernel_gradient(image, kernel, upstream)
    return kernel_gradient, weights_gradient


def gradients_by_formulas(image: Array, target: float, kernel: Array, weights: Array) -> Pair:
    convolved = conv2d(image, kernel)
    activated = np.maximum(convolved, 0)
    pooled = max_pool(activated, (2, 2))
    features = pooled.reshape(-1, 1)
    weighted = np.sum(features * weights)
    prediction = np.arctan(weighted)
    error = prediction - target
    slope = 1 / (1 + weighted**2)
    delta = error * slope
    weights_gradient = delta * features
    pooled_gradient = (delta * weights).reshape(pooled.shape)
    upstream = max_pool_gradient_by_mask(activated, (2, 2), pooled_gradient)
    upstream = upstream * (convolved > 0)
    return conv2d_kernel_gradient(image, kernel, upstream), weights_gradient


def gradients_by_winners(image: Array, target: float, kernel: Array, weights: Array) -> Pair:
    convolved = conv2d(image, kernel)
    winners = max_pool(convolved, (2, 2))
    pooled = np.maximum(winners, 0)
    weighted = np.sum(pooled.reshape(-1, 1) * weights)
    prediction = np.arctan(weighted)
    error = prediction - target
    delta = error / (1 + weighted**2)
    weights_gradient = delta * pooled.reshape(-1, 1)
    pooled_gradient = (delta * weights).reshape(pooled.shape)
    upstream = max_pool_gradient(convolved, (2, 2), pooled_gradient * (winners > 0))
    return conv2d_kernel_gradient(image, kernel, upstream), weights_gradient


def train_step(image: Array, target: float, kernel: Array, weights: Array, learning_rate: float) -> Pair:
    kernel_gradient, weights_gradient = gradients(image, target, kernel, weights)
    new_kernel = kernel - learning_rate * kernel_gradient
    new_weights = weights - learning_rate * weights_gradient
    return new_kernel, new_weights


def train_step_by_parts(image: Array, target: float, kernel: Array, weights: Array, learning_rate: float) -> Pair:
    new_kernel = kernel - learning_rate * gradients(image, target, kernel, weights)[0]
    new_weights = weights - learning_rate * gradients(image, target, kernel, weights)[1]
    return new_kernel, new_weights


def train_step_by_formulas(image: Array, target: float, kernel: Array, weights: Array, learning_rate: float) -> Pair:
    convolved = conv2d(image, kernel)
    pooled = max_pool(np.maximum(convolved, 0), (2, 2))
    features = pooled.reshape(-1, 1)
    weighted = np.sum(features * weights)
    error = np.arctan(weighted) - target
    delta = error / (1 + weighted**2)
    new_weights = weights - learning_rate * delta * features
    pooled_gradient = (delta * weights).reshape(pooled.shape)
    upstream = max_pool_gradient(convolved, (2, 2), pooled_gradient) * (convolved > 0)
    new_kernel = kernel - learning_rate * conv2d_kernel_gradient(image, kernel, upstream)
    return new_kernel, new_weights
