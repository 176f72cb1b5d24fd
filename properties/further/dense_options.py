"""The dense layer with several outputs and a bias, and its gradients."""

import numpy as np

from ..harness.checking.cases import cases_from
from ..harness.checking.comparison import agree
from ..harness.checking.exhaustive import noted
from ..harness.checking.statement import each, given
from ..harness.core.tape import Case
from ..harness.core.values import Kind, Value, exactly, inner_product, norm
from ..layers.exhaustive import basis
from ..layers.options.dense_options import read

dense_cases = cases_from(read)


@given(case=dense_cases)
def test_dense_with_options_is_the_weighted_sums(dense_with_options, case):
    """Each output is `Σ features[i,k] weights[k,o] + bias[o]`.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 6.
    """
    bias, columns = case.bias.tolist(), case.weights.T.tolist()
    sums = [
        [sum(f * w for f, w in zip(row, column, strict=True)) + b for column, b in zip(columns, bias, strict=True)]
        for row in case.features.tolist()
    ]
    (bound,) = dense_with_options.signature.value(case)
    agree(dense_with_options.at(case), Value(np.array(sums), bound.units, bound.size), "dense(features, weights)")


@given(case=dense_cases)
def test_bias_is_added_to_each_row(dense_with_options, case):
    """With the bias and without it the outputs differ by the bias, the same for every image.

    Source: the definition of an affine map.
    """
    without = dense_with_options.at(case.changed(bias=np.zeros_like(case.bias)))
    (bound,) = dense_with_options.signature.value(case)
    expected = Value(without + case.bias, 2 * bound.units + 1, bound.size)
    agree(dense_with_options.at(case), expected, "dense(features, weights, bias)")


@given(case=dense_cases)
def test_features_gradient_is_upstream_times_all_weights(dense_gradients_with_options, case):
    """The features' gradient is `upstream · weightsᵀ`: a sum over the outputs.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 6.5.
    """
    features_gradient, _ = dense_gradients_with_options.at(case)
    expected, _ = dense_gradients_with_options.signature.value(case)
    agree(features_gradient, expected, "the features' gradient")


@given(case=dense_cases)
def test_weights_gradient_is_features_times_all_upstream(dense_gradients_with_options, case):
    """The weights' gradient is `featuresᵀ · upstream`, summed over the images of a batch.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 6.5.
    """
    _, weights_gradient = dense_gradients_with_options.at(case)
    _, expected = dense_gradients_with_options.signature.value(case)
    agree(weights_gradient, expected, "the weights' gradient", Kind.WEIGHTS)


@given(case=dense_cases)
def test_bias_gradient_is_the_sum_of_upstream(dense_bias_gradient, case):
    """The bias is added in every image, so its gradient is upstream summed over the images of a batch.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 6.5.
    """
    (expected,) = dense_bias_gradient.signature.value(case)
    agree(dense_bias_gradient.at(case), expected, "the bias's gradient")


@given(case=dense_cases)
def test_dense_gradients_with_options_are_adjoint(dense_gradients_with_options, dense_with_options, case):
    """`⟨dense without bias, upstream⟩ = ⟨features, features' gradient⟩ = ⟨weights, weights' gradient⟩`.

    Source: Claerbout, Earth Soundings Analysis, 1992: the dot-product test.
    """
    case["bias"] = np.zeros_like(case.bias)
    features_gradient, weights_gradient = dense_gradients_with_options.at(case)
    output = float((dense_with_options.at(case) * case.upstream).sum())
    units = 2 * (inner_product(case.weights.size) + inner_product(case.features.size))
    size = norm(case.features) * norm(case.weights) * norm(case.upstream)
    agree((case.features * features_gradient).sum(), Value(output, units, size), "⟨features, features' gradient⟩")
    agree((case.weights * weights_gradient).sum(), Value(output, units, size), "⟨weights, weights' gradient⟩")


def _bases(dense_gradients_with_options, **_):
    has_several = "outputs" in dense_gradients_with_options.has
    most = 2 if has_several else min(dense_gradients_with_options.layout.most.images, 2)
    outputs = (1, 2, 3) if has_several else (1,)
    for images, count, output in ((n, k, m) for n in range(1, most + 1) for k in (1, 2, 3) for m in outputs):
        for features in basis((images, count)):
            for weights in basis((count, output)):
                for upstream in basis((images, output)):
                    yield Case(features=features, weights=weights, upstream=upstream, bias=np.zeros(output))


@each(_bases)
def test_dense_gradients_on_all_basis_vectors(dense_gradients_with_options, case):
    """Both gradients are right on every triple of basis vectors, which proves them for up to 3 features and 3 outputs.

    Source: a bilinear map is determined by its values on pairs of basis vectors.
    """
    features_gradient, weights_gradient = dense_gradients_with_options.at(case)
    noted("on every triple of basis vectors", "for up to 3 features and 3 outputs")
    agree(features_gradient, exactly(case.upstream @ case.weights.T), "the features' gradient")
    agree(weights_gradient, exactly(case.features.T @ case.upstream), "the weights' gradient", Kind.WEIGHTS)
