"""Exhaustive proofs: every case of a kind, smallest first, on numbers short enough that equality means equality.

Convolution and the dense layer are bilinear, so agreement on every pair of basis vectors settles a shape; agreement
at uniformly drawn points bounds the chance that a wrong polynomial passes, also one that is not bilinear. With channels
the sides are smaller, and there are two images, channels and filters, where the layout has them. Pooling's
gradient depends on which entries are maximal alone, and the network is a polynomial before arctan on each pattern
of winners. An implementation that rounds, as the FFT does, is held to its bound: proved to rounding, not exactly.
"""

from itertools import product

import numpy as np

from .harness.checking.comparison import agree, require, require_legal
from .harness.checking.exhaustive import bilinear, counted, noted, polynomial
from .harness.checking.statement import each
from .harness.checking.trial import current
from .harness.core.setting import setting
from .harness.core.tape import Case
from .harness.core.values import exactly, inner_product
from .layers import exhaustive as every
from .layers.base.windows import max_pool as maximum
from .layers.convolution import units

BILINEAR = 2
POINTS, PATTERN_POINTS = 8, 3  # drawn uniformly for each shape, and for each activation pattern


def _shapes(**_):
    return every.convolution_shapes(current().share)


def _convolved():
    return every.where_convolved(current().share)


def _feature_counts(**_):
    return every.feature_counts()


def _sets_of_maxima(**_):
    return every.sets_of_maxima()


def _weak_orderings(**_):
    return every.weak_orderings()


def _patterns(**_):
    return every.patterns(current().share)


@each(_shapes)
def test_conv2d_on_every_pair_of_basis_vectors(conv2d, case):
    """For every image up to 6×6 and kernel up to 4×4, or 3×3 and 2×2 with two channels, `conv2d` is right on every pair
    of basis vectors.

    Being bilinear it is then right for these shapes. Source: a bilinear map is fixed by its values on bases.
    Proof: proofs/dense.v, bilinear_map_is_fixed_by_pairs_of_basis_vectors.
    """
    tensor = every.convolution_tensor(case)
    bilinear(conv2d, case, ("image", "kernel"), tensor, units(case.image, 1), _convolved())


@each(_shapes)
def test_kernel_gradient_on_every_pair_of_basis_vectors(conv2d_kernel_gradient, case):
    """For every image up to 6×6 and kernel up to 4×4, or 3×3 and 2×2 with two channels, the kernel's gradient is right
    on every pair of basis vectors.

    The pairs are of image and upstream. Source: a bilinear map is fixed by its values on bases.
    """
    tensor = every.convolution_tensor(case).transpose(0, 2, 1)
    bilinear(conv2d_kernel_gradient, case, ("image", "upstream"), tensor, units(case.image, 1), _convolved())


@each(_shapes)
def test_image_gradient_on_every_pair_of_basis_vectors(conv2d_image_gradient, case):
    """For every image up to 6×6 and kernel up to 4×4, or 3×3 and 2×2 with two channels, the image's gradient is right
    on every pair of basis vectors.

    The pairs are of kernel and upstream. Source: a bilinear map is fixed by its values on bases.
    """
    tensor = every.convolution_tensor(case).transpose(1, 2, 0)
    bilinear(conv2d_image_gradient, case, ("kernel", "upstream"), tensor, units(case.image, 1), _convolved())


@each(_shapes)
def test_conv2d_at_uniform_points(conv2d, case):
    """For every image up to 6×6 and kernel up to 4×4, or 3×3 and 2×2 with two channels, `conv2d` is right at points
    drawn uniformly from a grid.

    A wrong polynomial of degree d agrees at one of them with probability at most d/N, for N values a variable.
    Source: Schwartz, Journal of the ACM 27, 1980; Zippel, EUROSAM 1979.
    Proof: proofs/polynomial.v, wrong_polynomial_passes_rarely.
    """
    polynomial(conv2d, case, POINTS, BILINEAR, "shape", _convolved())


@each(_shapes)
def test_kernel_gradient_at_uniform_points(conv2d_kernel_gradient, case):
    """For every image up to 6×6 and kernel up to 4×4, or 3×3 and 2×2 with two channels, the kernel's gradient is right
    at uniformly drawn points.

    Source: Schwartz, Journal of the ACM 27, 1980; Zippel, EUROSAM 1979.
    """
    polynomial(conv2d_kernel_gradient, case, POINTS, BILINEAR, "shape", _convolved())


@each(_shapes)
def test_image_gradient_at_uniform_points(conv2d_image_gradient, case):
    """For every image up to 6×6 and kernel up to 4×4, or 3×3 and 2×2 with two channels, the image's gradient is right
    at uniformly drawn points.

    Source: Schwartz, Journal of the ACM 27, 1980; Zippel, EUROSAM 1979.
    """
    polynomial(conv2d_image_gradient, case, POINTS, BILINEAR, "shape", _convolved())


@each(_feature_counts)
def test_dense_on_every_pair_of_basis_vectors(dense, case):
    """For up to 9 features, `dense` is right on every pair of basis vectors.

    Source: a bilinear map is fixed by its values on bases.
    Proof: proofs/dense.v, bilinear_map_is_fixed_by_pairs_of_basis_vectors.
    """
    images, count = case.features.shape
    tensor = np.einsum("kl,nm->nklm", np.eye(count), np.eye(images)).reshape(case.features.size, count, images)
    bilinear(dense, case, ("features", "weights"), tensor, inner_product(1), every.where_dense())


@each(_feature_counts)
def test_dense_gradients_on_every_pair_of_basis_vectors(dense_gradients, case):
    """For up to 9 features both gradients are right on every pair of basis vectors, for an upstream of 1.

    In a batch, for every image's. Source: a linear map is fixed by its values on a basis.
    """
    noted("on every pair of basis vectors", every.where_dense())
    triples = list(product(*(every.basis(value.shape) for value in case.values())))
    for features, weights, upstream in triples:
        case.update(features=features, weights=weights, upstream=upstream)
        answers, values = dense_gradients(features, weights, upstream), (upstream @ weights.T, features.T @ upstream)
        for answer, value, kind in zip(answers, values, dense_gradients.signature.gives, strict=True):
            agree(answer, exactly(value), "dense_gradients(features, weights, upstream)", kind)
    counted(len(triples))


@each(_feature_counts)
def test_dense_at_uniform_points(dense, case):
    """For up to 9 features, `dense` is right at points drawn uniformly from a grid.

    Source: Schwartz, Journal of the ACM 27, 1980; Zippel, EUROSAM 1979.
    """
    polynomial(dense, case, POINTS, BILINEAR, "shape", every.where_dense())


@each(_feature_counts)
def test_dense_gradients_at_uniform_points(dense_gradients, case):
    """For up to 9 features, both gradients are right at points drawn uniformly from a grid, upstream's too.

    Source: Schwartz, Journal of the ACM 27, 1980; Zippel, EUROSAM 1979.
    """
    polynomial(dense_gradients, case, POINTS, BILINEAR, "shape", every.where_dense())


@each(_sets_of_maxima)
def test_gradient_at_every_set_of_maxima(max_pool_gradient, case):
    """For every set of entries that can be a window's maxima, the gradient is a subgradient.

    A window's gradient depends only on which entries are maximal: 2^n − 1 sets for n entries, for windows of up to
    3×3: 15 for 2×2, 63 for 2×3, 511 for 3×3. Source: Boustany, TMLR 2024.
    Proof: proofs/pooling.v, gradient_at_ties_is_a_subgradient.
    """
    noted("at every set of maxima", "for windows up to 3×3 (15 for 2×2, 63 for 2×3, 511 for 3×3)")
    require_legal(max_pool_gradient, max_pool_gradient(case.x, case.window, case.upstream), case)


@each(_weak_orderings)
def test_gradient_at_every_weak_ordering(max_pool_gradient, case):
    """For each of the 75 ways in which four entries can be ordered, ties included, the gradient is a subgradient.

    Source: Boustany, TMLR 2024; 75 is the fourth ordered Bell number, OEIS A000670.
    """
    noted("at every weak ordering", "of a 2×2 window (75)")
    require_legal(max_pool_gradient, max_pool_gradient(case.x, case.window, case.upstream), case)


@each(_weak_orderings)
def test_max_pool_at_every_weak_ordering(max_pool, case):
    """For each of the 75 ways in which four entries can be ordered, ties included, the maximum is right.

    Source: Boureau, Ponce & LeCun, ICML 2010; 75 is the fourth ordered Bell number, OEIS A000670.
    """
    noted("at every weak ordering", "of a 2×2 window (75)")
    agree(max_pool(case.x, case.window), exactly(maximum(case.x, case.window)), "max_pool(x, window)")


def _three_cases(**_):
    largest, least = np.finfo(setting().dtype).max, setting().tiny  # below which some libraries take all for 0
    for size in (1.0, float(least), float(largest)):
        for sign in (0.0, 1.0, -1.0):
            yield Case(x=np.array([sign * size]))


@each(_three_cases)
def test_relu_on_its_three_cases(relu, case):
    """Below 0, at 0 and above it ReLU is right, for 1, the smallest and the largest number.

    Source: Nair & Hinton, ICML 2010.
    """
    noted("on its three cases", "below 0, at 0 and above it")
    agree(relu(case.x), exactly(np.maximum(case.x, 0.0)), "relu(x)")


@each(_three_cases)
def test_relu_derivative_on_its_three_cases(relu_derivative, case):
    """Below 0 ReLU's derivative is 0, above it 1, at 0 in [0, 1], for 1, the smallest and the largest number.

    Source: Bertoin, Bolte, Gerchinovitz & Pauwels, NeurIPS 2021.
    """
    noted("on its three cases", "below 0, at 0 and above it")
    slope = float(relu_derivative(case.x)[0])
    low, high = (0.0, 1.0) if case.x[0] == 0 else (float(case.x[0] > 0),) * 2
    require(low <= slope <= high, "the derivative is wrong", yours=slope, expected=f"a number in [{low:g}, {high:g}]")


@each(_patterns)
def test_gradients_on_every_activation_pattern(gradients, case):
    """On each of the 625 patterns of the notebook's network both gradients are right, at points of a box inside it.

    In each of four windows one of four entries wins, or none is positive. Before arctan the network is then a
    polynomial, of degree 2 in each gradient's variables. Source: Schwartz 1980, Zippel 1979; the notebook's shapes.
    """
    covered = 1 + (current().record.proof or {}).get("covered", 0)
    where = "of the notebook's network" + " with one channel, one filter and one image" * (setting().most.channels > 1)
    counts = {"covered": covered, "of": every.ALL_PATTERNS}
    polynomial(gradients, case, PATTERN_POINTS, BILINEAR, "activation pattern", where, **counts)
