"""The activations' gradients: upstream times the derivative at the pre-activation, of any one shape."""

import numpy as np

from ...harness.core.values import Array
from .lazily import expit


def relu_gradient(x: Array, upstream: Array) -> Array:
    return upstream * (x > 0)


def relu_gradient_by_assignment(x: Array, upstream: Array) -> Array:
    gradient = upstream.copy()
    gradient[x <= 0] = 0
    return gradient


def relu_gradient_by_where(x: Array, upstream: Array) -> Array:
    return np.where(x > 0, upstream, 0)


def arctan_gradient(x: Array, upstream: Array) -> Array:
    return upstream / (1 + x**2)


def arctan_gradient_by_cosine(x: Array, upstream: Array) -> Array:
    return upstream * np.cos(np.arctan(x)) ** 2


def logistic_gradient(x: Array, upstream: Array) -> Array:
    y = 1 / (1 + np.exp(-x))
    return upstream * y * (1 - y)


def logistic_gradient_by_scipy(x: Array, upstream: Array) -> Array:
    return upstream * expit(x) * expit(-x)


def tanh_gradient(x: Array, upstream: Array) -> Array:
    return upstream * (1 - np.tanh(x) ** 2)


def tanh_gradient_by_factors(x: Array, upstream: Array) -> Array:
    y = np.tanh(x)
    return upstream * (1 - y) * (1 + y)


def softplus_gradient(x: Array, upstream: Array) -> Array:
    return upstream / (1 + np.exp(-x))


def softplus_gradient_by_scipy(x: Array, upstream: Array) -> Array:
    return upstream * expit(x)
