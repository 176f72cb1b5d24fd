"""Leaky ReLU and ELU, their derivatives and their gradients, of any shape."""

import numpy as np

from ....harness.core.values import Array


def leaky_relu(x: Array, slope: float) -> Array:
    return np.where(x > 0, x, slope * x)


def leaky_relu_by_mask(x: Array, slope: float) -> Array:
    return x * ((x > 0) + slope * (x <= 0))


def leaky_relu_by_parts(x: Array, slope: float) -> Array:
    return np.maximum(x, 0) + slope * np.minimum(x, 0)


def leaky_relu_by_assignment(x: Array, slope: float) -> Array:
    output = x.copy()
    output[x < 0] *= slope
    return output


def leaky_relu_by_maximum(x: Array, slope: float) -> Array:
    return np.maximum(x, slope * x)


def leaky_relu_derivative(x: Array, slope: float) -> Array:
    return np.where(x > 0, 1.0, slope)


def leaky_relu_derivative_by_mask(x: Array, slope: float) -> Array:
    return (x > 0) + slope * (x <= 0)


def leaky_relu_derivative_by_assignment(x: Array, slope: float) -> Array:
    derivative = np.ones(x.shape)
    derivative[x < 0] = slope
    return derivative


def leaky_relu_gradient(x: Array, upstream: Array, slope: float) -> Array:
    return upstream * np.where(x > 0, 1.0, slope)


def leaky_relu_gradient_by_assignment(x: Array, upstream: Array, slope: float) -> Array:
    gradient = upstream.copy()
    gradient[x < 0] *= slope
    return gradient


def leaky_relu_gradient_by_where(x: Array, upstream: Array, slope: float) -> Array:
    return np.where(x > 0, upstream, slope * upstream)


def elu(x: Array, alpha: float) -> Array:
    return np.where(x > 0, x, alpha * (np.exp(x) - 1))


def elu_by_parts(x: Array, alpha: float) -> Array:
    return np.maximum(x, 0) + alpha * (np.exp(np.minimum(x, 0)) - 1)


def elu_by_assignment(x: Array, alpha: float) -> Array:
    output = x.copy()
    output[x < 0] = alpha * np.expm1(x[x < 0])
    return output


def elu_by_expm1(x: Array, alpha: float) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu_derivative(x: Array, alpha: float) -> Array:
    return np.where(x > 0, 1.0, alpha * np.exp(x))


def elu_derivative_by_output(x: Array, alpha: float) -> Array:
    y = alpha * (np.exp(np.minimum(x, 0)) - 1)
    return np.where(x > 0, 1.0, y + alpha)


def elu_derivative_by_assignment(x: Array, alpha: float) -> Array:
    derivative = np.ones(x.shape)
    derivative[x <= 0] = alpha * np.exp(x[x <= 0])
    return derivative


def elu_derivative_by_minimum(x: Array, alpha: float) -> Array:
    return np.where(x > 0, 1.0, alpha) * np.exp(np.minimum(x, 0))


def elu_gradient(x: Array, upstream: Array, alpha: float) -> Array:
    return upstream * np.where(x > 0, 1.0, alpha * np.exp(x))


def elu_gradient_by_output(x: Array, upstream: Array, alpha: float) -> Array:
    y = alpha * (np.exp(np.minimum(x, 0)) - 1)
    return np.where(x > 0, upstream, upstream * (y + alpha))


def elu_gradient_by_assignment(x: Array, upstream: Array, alpha: float) -> Array:
    gradient = upstream.copy()
    gradient[x < 0] *= alpha * np.exp(x[x < 0])
    return gradient


def elu_gradient_by_minimum(x: Array, upstream: Array, alpha: float) -> Array:
    return upstream * np.where(x > 0, 1.0, alpha) * np.exp(np.minimum(x, 0))
