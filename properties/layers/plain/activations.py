"""ReLU, arctan, the logistic function and their derivatives, of any shape."""

import numpy as np

from ...harness.core.values import Array
from .lazily import expit


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def relu_by_mask(x: Array) -> Array:
    return x * (x > 0)


def relu_by_assignment(x: Array) -> Array:
    output = x.copy()
    output[output < 0] = 0
    return output


def relu_by_selection(x: Array) -> Array:
    output = np.zeros(x.shape)
    output[x > 0] = x[x > 0]
    return output


def relu_by_where(x: Array) -> Array:
    return np.where(x > 0, x, 0)


def relu_derivative(x: Array) -> Array:
    return (x > 0).astype(float)


def relu_derivative_by_assignment(x: Array) -> Array:
    slope = x.copy()
    slope[x <= 0] = 0
    slope[x > 0] = 1
    return slope


def relu_derivative_by_where(x: Array) -> Array:
    return np.where(x > 0, 1.0, 0.0)


def arctan(x: Array) -> Array:
    return np.arctan(x)


def arctan_by_reflection(x: Array) -> Array:
    inside = np.abs(x) <= 1
    angle = np.arctan(np.where(inside, x, 1 / np.where(inside, 1, x)))
    return np.where(inside, angle, np.copysign(np.pi / 2, x) - angle)


def arctan_by_arctan2(x: Array) -> Array:
    return np.arctan2(x, 1)


def arctan_derivative(x: Array) -> Array:
    return 1 / (1 + x**2)


def arctan_derivative_by_cosine(x: Array) -> Array:
    return np.cos(np.arctan(x)) ** 2


def logistic(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def logistic_by_tanh(x: Array) -> Array:
    return (1 + np.tanh(x / 2)) / 2


def logistic_by_scipy(x: Array) -> Array:
    return expit(x)


def logistic_by_sign(x: Array) -> Array:
    decay = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + decay), decay / (1 + decay))


def logistic_derivative(x: Array) -> Array:
    y = 1 / (1 + np.exp(-x))
    return y * (1 - y)


def logistic_derivative_by_decay(x: Array) -> Array:
    decay = np.exp(-np.abs(x))
    return decay / (1 + decay) ** 2


def logistic_derivative_by_scipy(x: Array) -> Array:
    return expit(x) * expit(-x)


def tanh(x: Array) -> Array:
    return np.tanh(x)


def tanh_by_logistic(x: Array) -> Array:
    return 2 / (1 + np.exp(-2 * x)) - 1


def tanh_by_exponentials(x: Array) -> Array:
    decay = np.exp(-np.abs(x)) ** 2
    return np.sign(x) * (1 - decay) / (1 + decay)


def tanh_derivative(x: Array) -> Array:
    return 1 - np.tanh(x) ** 2


def tanh_derivative_by_factors(x: Array) -> Array:
    y = np.tanh(x)
    return (1 - y) * (1 + y)


def softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log(1 + np.exp(-np.abs(x)))


def softplus_by_logaddexp(x: Array) -> Array:
    return np.logaddexp(0, x)


def softplus_derivative(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def softplus_derivative_by_scipy(x: Array) -> Array:
    return expit(x)
