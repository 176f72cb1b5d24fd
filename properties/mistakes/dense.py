"""Mistakes in the dense layer and its gradients."""

import numpy as np

from ..harness.core.values import Array
from . import mistake
from .activations import SURVEY

OF_WEIGHTS = "dense.weights_gradient_is_features_times_upstream"
Pair = tuple[Array, Array]


@mistake("dense", "np.mean in place of np.sum", "features @ weights")
def mean_for_sum(features: Array, weights: Array) -> Array:
    """It is divided by the number of features."""
    return features @ weights / weights.size


@mistake("dense", "the last entry is kept for a bias that is not there", "features @ weights")
def last_feature_lost(features: Array, weights: Array) -> Array:
    """The last feature is not used, unless it is the only one."""
    return features @ (weights * (np.arange(weights.size) < max(weights.size - 1, 1))[:, None])


@mistake("dense", "the features come in another order", "flatten both in C order")
def weights_reversed(features: Array, weights: Array) -> Array:
    """The weights are taken from the last to the first."""
    return features @ weights[::-1]


@mistake("dense", "weights are thought to be shares", "features @ weights")
def weights_normalised(features: Array, weights: Array) -> Array:
    """The weights are divided by their sum, if that is not 0."""
    return features @ weights / (weights.sum() or 1.0)


@mistake("dense", "a row times a column broadcasts", "features @ weights, or flatten both before they are multiplied")
def outer_product_summed(features: Array, weights: Array) -> Array:
    """Every feature is multiplied by every weight, and all products are summed."""
    return np.sum(features * weights, keepdims=True)


@mistake("dense_gradients", "the two sides are mixed up", "weights for the features, and features for the weights")
def sides_swapped(features: Array, weights: Array, upstream: Array) -> Pair:
    """The features get the features, and the weights the weights, times upstream."""
    return features * upstream, weights * upstream


@mistake("dense_gradients", "the last factor of the chain is forgotten", "multiply both by upstream")
def upstream_missing(features: Array, weights: Array, upstream: Array) -> Pair:
    """Neither is multiplied by upstream: right for an upstream of 1."""
    return weights.T.copy(), features.T.copy()


@mistake("dense_gradients", "each layer on the way multiplies by it", "multiply by upstream once")
def upstream_squared(features: Array, weights: Array, upstream: Array) -> Pair:
    """Both are multiplied by upstream twice."""
    return upstream**2 @ weights.T, features.T @ upstream**2


@mistake("dense_gradients", "the loss is thought to be a mean", "no division", seen=SURVEY, named_by=OF_WEIGHTS)
def mean_for_the_weights(features: Array, weights: Array, upstream: Array) -> Pair:
    """The weights' is divided by their number: a mean in place of a sum."""
    return upstream @ weights.T, features.T @ upstream / weights.size


@mistake("dense_gradients", "descent is built in", "the step subtracts, the gradient does not", named_by=OF_WEIGHTS)
def sign_of_the_weights_turned(features: Array, weights: Array, upstream: Array) -> Pair:
    """The weights' has the wrong sign."""
    return upstream @ weights.T, -features.T @ upstream


@mistake("dense_gradients", "only the weights are trained", "upstream @ weights.T", seen="pytorch/glow#1559")
def nothing_for_the_features(features: Array, weights: Array, upstream: Array) -> Pair:
    """The features get 0."""
    return np.zeros(features.shape), features.T @ upstream


@mistake("dense_gradients", "the weights are updated before they are used", "keep the old weights for the features")
def features_by_updated_weights(features: Array, weights: Array, upstream: Array) -> Pair:
    """The features' uses the weights after a step of rate 0.1."""
    weights_gradient = features.T @ upstream
    return upstream @ (weights - 0.1 * weights_gradient).T, weights_gradient


@mistake("dense_gradients", "a flip is copied from the convolution", "no flip: upstream @ weights.T")
def features_reversed(features: Array, weights: Array, upstream: Array) -> Pair:
    """The features' is in the reverse order."""
    return upstream @ weights[::-1].T, features.T @ upstream
