"""The dense layer with one output, and its two gradients."""

import numpy as np

from .harness.checking.cases import cases_from
from .harness.checking.comparison import agree
from .harness.checking.statement import given
from .harness.core.values import ALLOWED, Kind, Value, exactly, inner_product, norm
from .layers.dense import read

dense_cases = cases_from(read)


@given(case=dense_cases)
def test_dense_is_the_weighted_sum(dense, case):
    """The output is `Σ features[k] weights[k]`, for each image.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 6.
    """
    weights = case.weights.ravel().tolist()
    totals = [[sum(f * w for f, w in zip(row, weights, strict=True))] for row in case.features.tolist()]
    (bound,) = dense.signature.value(case)
    agree(
        dense(case.features, case.weights),
        Value(np.array(totals), bound.units, bound.size),
        "dense(features, weights)",
    )


@given(case=dense_cases)
def test_features_gradient_is_upstream_times_weights(dense_gradients, case):
    """The features' gradient is `upstream · weightsᵀ`.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 6.5.
    Proof: proofs/dense.v, features_gradient_is_upstream_times_weights.
    """
    features_gradient, _ = dense_gradients(case.features, case.weights, case.upstream)
    agree(features_gradient, exactly(case.upstream * case.weights.T), "the features' gradient")


@given(case=dense_cases)
def test_weights_gradient_is_features_times_upstream(dense_gradients, case):
    """The weights' gradient is `featuresᵀ · upstream`, summed over the images of a batch.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 6.5.
    Proof: proofs/dense.v, weights_gradient_is_features_times_upstream.
    """
    _, weights_gradient = dense_gradients(case.features, case.weights, case.upstream)
    _, expected = dense_gradients.signature.value(case)
    agree(weights_gradient, expected, "the weights' gradient", Kind.WEIGHTS)


@given(case=dense_cases)
def test_dense_gradients_are_adjoint(dense_gradients, dense, case):
    """`⟨dense, upstream⟩ = ⟨features, features' gradient⟩ = ⟨weights, weights' gradient⟩`, by the target's own two.

    Source: Claerbout, Earth Soundings Analysis, 1992: the dot-product test.
    """
    features_gradient, weights_gradient = dense_gradients(case.features, case.weights, case.upstream)
    output = float((dense(case.features, case.weights) * case.upstream).sum())
    units = 2 * (inner_product(case.weights.size) + ALLOWED) + 2 * (len(case.features) - 1)
    size = norm(case.features) * norm(case.weights) * norm(case.upstream)
    agree((case.features * features_gradient).sum(), Value(output, units, size), "⟨features, features' gradient⟩")
    agree((case.weights * weights_gradient).sum(), Value(output, units, size), "⟨weights, weights' gradient⟩")
