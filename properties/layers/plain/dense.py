"""The dense layer with one output, and its gradients."""

import numpy as np

from ...harness.core.values import Array

Pair = tuple[Array, Array]


def dense(features: Array, weights: Array) -> Array:
    return features @ weights


def dense_by_sum(features: Array, weights: Array) -> Array:
    return np.sum(features * weights.T, axis=1, keepdims=True)


def dense_by_entries(features: Array, weights: Array) -> Array:
    total = 0.0
    for k in range(weights.size):
        total += features[0, k] * weights[k, 0]
    return np.array([[total]])


def dense_gradients(features: Array, weights: Array, upstream: Array) -> Pair:
    features_gradient = upstream @ weights.T
    weights_gradient = features.T @ upstream
    return features_gradient, weights_gradient


def dense_gradients_by_entries(features: Array, weights: Array, upstream: Array) -> Pair:
    features_gradient = np.zeros(features.shape)
    weights_gradient = np.zeros(weights.shape)
    for k in range(weights.size):
        features_gradient[0, k] += upstream[0, 0] * weights[k, 0]
        weights_gradient[k, 0] += upstream[0, 0] * features[0, k]
    return features_gradient, weights_gradient
