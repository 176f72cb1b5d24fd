"""Softmax over the last axis, and its gradient."""

import numpy as np

from ....harness.core.values import Array


def softmax(x: Array) -> Array:
    exponentials = np.exp(x - x.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def softmax_by_rows(x: Array) -> Array:
    probabilities = np.zeros(x.shape)
    for i in range(len(x)):
        exponentials = np.exp(x[i] - np.max(x[i]))
        probabilities[i] = exponentials / np.sum(exponentials)
    return probabilities


def softmax_by_logarithms(x: Array) -> Array:
    shifted = x - x.max(axis=1, keepdims=True)
    return np.exp(shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True)))


def softmax_by_columns(x: Array) -> Array:
    exponentials = np.exp(x.T - x.max(axis=1))
    return (exponentials / exponentials.sum(axis=0)).T


def softmax_gradient(x: Array, upstream: Array) -> Array:
    probabilities = softmax(x)
    inner = np.sum(upstream * probabilities, axis=1, keepdims=True)
    return probabilities * (upstream - inner)


def softmax_gradient_by_jacobian(x: Array, upstream: Array) -> Array:
    gradient = np.zeros(x.shape)
    for i, probabilities in enumerate(softmax(x)):
        jacobian = np.diag(probabilities) - np.outer(probabilities, probabilities)
        gradient[i] = jacobian @ upstream[i]
    return gradient


def softmax_gradient_by_einsum(x: Array, upstream: Array) -> Array:
    probabilities = softmax(x)
    inner = np.einsum("ij,ij->i", upstream, probabilities)
    return probabilities * (upstream - inner[:, None])
