"""The dense layer with one output: a row of features times a column of weights."""

from numpy.typing import ArrayLike

from .arrays import Array, matrix

__all__ = ["dense", "dense_gradients"]


def dense(features: ArrayLike, weights: ArrayLike) -> Array:
    """`features · weights`: (1, n) times (n, 1) to (1, 1); `ValueError` for any other shape.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 6.
    """
    features, weights = _row_and_column(features, weights)
    return features @ weights


def dense_gradients(features: ArrayLike, weights: ArrayLike, upstream: ArrayLike) -> tuple[Array, Array]:
    """`(upstream · weightsᵀ, featuresᵀ · upstream)`: (1, n) for the features, (n, 1) for the weights.

    `upstream` is (1, 1); `ValueError` for any other shape. Source: Goodfellow et al., section 6.5.
    """
    features, weights = _row_and_column(features, weights)
    upstream = matrix(upstream, "upstream", (1, 1))
    return upstream @ weights.T, features.T @ upstream


def _row_and_column(features: ArrayLike, weights: ArrayLike) -> tuple[Array, Array]:
    features = matrix(features, "features")
    if features.shape[0] != 1:
        raise ValueError(f"features must be one row, but its shape is {features.shape}")
    return features, matrix(weights, "weights", (features.shape[1], 1))
