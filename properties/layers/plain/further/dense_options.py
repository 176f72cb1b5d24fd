"""The dense layer with several outputs and a bias, and its gradients."""

import numpy as np

from ....harness.core.values import Array


def dense_with_options(features: Array, weights: Array, bias: Array) -> Array:
    return features @ weights + bias


def dense_with_options_by_einsum(features: Array, weights: Array, bias: Array) -> Array:
    return np.einsum("ik,ko->io", features, weights) + bias


def dense_with_options_by_entries(features: Array, weights: Array, bias: Array) -> Array:
    count, outputs = weights.shape
    output = np.zeros((len(features), outputs))
    for i in range(len(features)):
        for o in range(outputs):
            output[i, o] = bias[o]
            for k in range(count):
                output[i, o] += features[i, k] * weights[k, o]
    return output


def dense_gradients_with_options(features: Array, weights: Array, upstream: Array) -> tuple[Array, Array]:
    features_gradient = upstream @ weights.T
    weights_gradient = features.T @ upstream
    return features_gradient, weights_gradient


def dense_gradients_with_options_by_einsum(features: Array, weights: Array, upstream: Array) -> tuple[Array, Array]:
    features_gradient = np.einsum("io,ko->ik", upstream, weights)
    weights_gradient = np.einsum("ik,io->ko", features, upstream)
    return features_gradient, weights_gradient


def dense_gradients_with_options_by_images(features: Array, weights: Array, upstream: Array) -> tuple[Array, Array]:
    features_gradient = np.zeros(features.shape)
    weights_gradient = np.zeros(weights.shape)
    for i in range(len(features)):
        features_gradient[i] = weights @ upstream[i]
        weights_gradient += np.outer(features[i], upstream[i])
    return features_gradient, weights_gradient


def dense_bias_gradient(features: Array, weights: Array, upstream: Array) -> Array:
    return upstream.sum(axis=0)


def dense_bias_gradient_by_ones(features: Array, weights: Array, upstream: Array) -> Array:
    return np.ones(len(upstream)) @ upstream


def dense_bias_gradient_by_images(features: Array, weights: Array, upstream: Array) -> Array:
    gradient = np.zeros(upstream.shape[1])
    for row in upstream:
        gradient += row
    return gradient
