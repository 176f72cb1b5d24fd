"""Every statement holds for the reference, and can fail: on a wrong formula it is refuted, by these words."""

import numpy as np
import pytest
import scipy.signal

import properties.activations
import properties.calls
import properties.convolution
import properties.dense
import properties.exact
import properties.network
import properties.pooling
import properties.training
import reference
from properties.harness.checking.properties import all_properties
from properties.harness.target.operation import Crashed, Refuted
from properties.layers import OPERATIONS
from tests.doubles import failure_of

MODULES = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        properties.activations,
        properties.calls,
        properties.convolution,
        properties.dense,
        properties.exact,
        properties.network,
        properties.pooling,
        properties.training,
    )
}


def named(identifier):
    """The statement of this id."""
    module, _, name = identifier.partition(".")
    return getattr(MODULES[module], f"test_{name.partition('[')[0]}")


def all_tied(x, window, upstream):
    """Mask repeat."""
    return reference.mask_repeat(x, window, upstream)


def gradients_by(pooling=reference.max_pool_gradient, slope=lambda s: 1 / (1 + s * s), relu_slope=lambda y: y > 0):
    """The network's gradients with parts of the chain rule replaced."""

    def gradients(image, target, kernel, weights):
        y = reference.conv2d(image, kernel)
        pooled = reference.max_pool(reference.relu(y), (2, 2))
        s = float((pooled.reshape(1, -1) @ weights).item())
        delta = (np.arctan(s) - target) * slope(s)
        upstream = pooling(reference.relu(y), (2, 2), (delta * weights).reshape(pooled.shape)) * relu_slope(y)
        return reference.conv2d_kernel_gradient(image, kernel, upstream), pooled.reshape(-1, 1) * delta

    return gradients


def stale_step(image, target, kernel, weights, learning_rate):
    """The weights' gradient taken at the new kernel."""
    kernel_gradient, _ = reference.gradients(image, target, kernel, weights)
    moved = kernel - learning_rate * kernel_gradient
    return moved, weights - learning_rate * reference.gradients(image, target, moved, weights)[1]


def tied_step(image, target, kernel, weights, learning_rate):
    """A step by mask repeat."""
    pair = gradients_by(pooling=all_tied)(image, target, kernel, weights)
    return kernel - learning_rate * pair[0], weights - learning_rate * pair[1]


def uphill_step(image, target, kernel, weights, learning_rate):
    """A step with the gradient instead of against it."""
    return reference.train_step(image, target, kernel, weights, -learning_rate)


def column_major(image, kernel, weights):
    """Features flattened column by column."""
    pooled = reference.max_pool(reference.relu(reference.conv2d(image, kernel)), (2, 2))
    return reference.arctan(pooled.reshape(1, -1, order="F") @ weights)


def overwriting(x):
    """ReLU that works on its argument."""
    x[x < 0] = 0.0
    return x


WRONG = {
    "activations.relu_is_the_positive_part": {"relu": lambda x: np.where(x > 0, x, 0.01 * x)},
    "activations.relu_parts_its_argument": {"relu": lambda x: x},
    "activations.relu_derivative_is_the_step": {"relu_derivative": lambda x: (x > 1e-6) * 1.0},
    "activations.relu_derivative_at_zero_is_a_subgradient": {"relu_derivative": lambda x: np.sign(x) + (x == 0) * 2},
    "activations.relu_derivative_matches_differences": {"relu_derivative": lambda x: x},
    "activations.arctan_is_the_inverse_tangent": {"arctan": np.tanh},
    "activations.arctan_is_odd_and_bounded": {"arctan": lambda x: np.arctan(np.abs(x))},
    "activations.arctan_derivative_is_the_complex_step": {"arctan_derivative": lambda x: 1 / (1 + np.arctan(x) ** 2)},
    "activations.arctan_derivative_matches_differences": {"arctan_derivative": lambda x: 1 / (1 + np.abs(x))},
    "activations.logistic_is_its_definition": {"logistic": lambda x: reference.logistic(-x)},
    "activations.logistic_of_both_signs_sums_to_one": {"logistic": np.tanh},
    "activations.logistic_derivative_is_the_complex_step": {"logistic_derivative": lambda x: 1 / (2 + x * x)},
    "activations.logistic_derivative_matches_differences": {"logistic_derivative": reference.logistic},
    "convolution.conv2d_is_the_defining_sum": {"conv2d": lambda x, k: reference.conv2d(x, k) / k.size},
    "convolution.conv2d_is_bilinear": {"conv2d": lambda x, k: np.abs(reference.conv2d(x, k))},
    "convolution.conv2d_commutes_with_shifts": {
        "conv2d": lambda x, k: reference.conv2d(x, k) * np.arange(1, x.shape[0] - k.shape[0] + 2)[:, None]
    },
    "convolution.conv2d_commutes_with_transposition": {"conv2d": lambda x, k: reference.conv2d(x, k[::-1])},
    "convolution.kernel_gradient_is_the_rot90_form": {
        "conv2d_kernel_gradient": lambda x, k, u: np.rot90(reference.conv2d_kernel_gradient(x, k, u), 2)
    },
    "convolution.image_gradient_is_the_full_correlation": {
        "conv2d_image_gradient": lambda x, k, u: scipy.signal.convolve2d(u, k)
    },
    "convolution.kernel_gradient_is_the_adjoint": {
        "conv2d_kernel_gradient": lambda x, k, u: scipy.signal.convolve2d(x, u[::-1, ::-1], "valid")
    },
    "convolution.image_gradient_is_the_adjoint": {
        "conv2d_image_gradient": lambda x, k, u: np.flip(reference.conv2d_image_gradient(x, k, u))
    },
    "convolution.kernel_gradient_matches_differences": {
        "conv2d_kernel_gradient": lambda x, k, u: reference.conv2d_kernel_gradient(x, k, u) * (1 + 1e-9)
    },
    "convolution.image_gradient_matches_differences": {
        "conv2d_image_gradient": lambda x, k, u: reference.conv2d_image_gradient(x, k, u) * (1 + 1e-9)
    },
    "pooling.max_pool_is_the_maximum": {"max_pool": lambda x, w: np.maximum(reference.max_pool(x, w), 0)},
    "pooling.max_pool_is_block_reduce": {"max_pool": lambda x, w: -reference.max_pool(-x, w)},
    "pooling.gradient_matches_differences": {
        "max_pool_gradient": lambda x, w, u: reference.max_pool_gradient(x, w, u) / (w[0] * w[1])
    },
    "pooling.mask_repeat_is_argmax_scatter": {
        "max_pool_gradient": lambda x, w, u: (
            np.isclose(x, np.kron(reference.max_pool(x, w), np.ones(w))) * np.kron(u, np.ones(w))
        )
    },
    "pooling.gradient_at_ties_is_a_subgradient": {"max_pool_gradient": all_tied},
    "pooling.gradient_vanishes_off_the_maxima": {
        "max_pool_gradient": lambda x, w, u: np.kron(u, np.ones(w)) / (w[0] * w[1])
    },
    "pooling.gradient_obeys_eulers_identity": {"max_pool_gradient": all_tied},
    "dense.dense_is_the_weighted_sum": {"dense": lambda f, w: f @ w / w.size},
    "dense.features_gradient_is_upstream_times_weights": {"dense_gradients": lambda f, w, u: (f * u, f.T @ u)},
    "dense.weights_gradient_is_features_times_upstream": {"dense_gradients": lambda f, w, u: (u @ w.T, w * u)},
    "dense.dense_gradients_are_adjoint": {"dense_gradients": lambda f, w, u: (2 * u @ w.T, f.T @ u)},
    "network.predict_is_the_composition": {"predict": column_major},
    "network.predict_holds_at_kinks": {"predict": column_major},
    "network.predict_grows_weights_over_windows": {"predict": column_major},
    "network.predict_agrees_with_layers": {"predict": column_major},
    "network.cost_is_half_the_squared_error": {"cost": lambda *point: 2 * reference.cost(*point)},
    "network.gradients_are_the_chain_rule": {"gradients": gradients_by(relu_slope=np.ones_like)},
    "network.gradients_match_differences": {"gradients": gradients_by(slope=lambda s: 1.0)},
    "network.gradients_at_kinks_are_conservative": {"gradients": gradients_by(pooling=all_tied)},
    "network.gradients_agree_with_layers": {"gradients": gradients_by(slope=lambda s: 1 / (1 + np.arctan(s) ** 2))},
    "training.cost_decreases_at_the_gradients_rate": {"gradients": gradients_by(relu_slope=np.ones_like)},
    "training.train_step_descends_at_the_gradients_rate": {"train_step": uphill_step},
    "training.train_step_moves_by_the_old_gradients": {"train_step": stale_step},
    "training.train_step_at_kinks_is_conservative": {"train_step": tied_step},
    "training.train_step_agrees_with_gradients": {"train_step": stale_step},
    "training.cost_falls_over_a_run": {"train_step": uphill_step},
    "exact.conv2d_on_every_pair_of_basis_vectors": {
        "conv2d": lambda x, k: reference.conv2d(x, k) * (k.shape != (3, 2))
    },
    "exact.kernel_gradient_on_every_pair_of_basis_vectors": {
        "conv2d_kernel_gradient": lambda x, k, u: reference.conv2d_kernel_gradient(x, k, u) * (k.shape != (3, 2))
    },
    "exact.image_gradient_on_every_pair_of_basis_vectors": {
        "conv2d_image_gradient": lambda x, k, u: reference.conv2d_image_gradient(x, k, u) * (x.shape != (6, 2))
    },
    "exact.conv2d_at_uniform_points": {"conv2d": lambda x, k: reference.conv2d(x, k) + x[0, 0] ** 2 - x[0, 0]},
    "exact.kernel_gradient_at_uniform_points": {
        "conv2d_kernel_gradient": lambda x, k, u: reference.conv2d_kernel_gradient(x, k, u) + u[0, 0] ** 2 - u[0, 0]
    },
    "exact.image_gradient_at_uniform_points": {
        "conv2d_image_gradient": lambda x, k, u: reference.conv2d_image_gradient(x, k, u) + u[0, 0] ** 2 - u[0, 0]
    },
    "exact.dense_on_every_pair_of_basis_vectors": {"dense": lambda f, w: f[:, ::-1] @ w},
    "exact.dense_gradients_on_every_pair_of_basis_vectors": {"dense_gradients": lambda f, w, u: (f * u, f.T @ u)},
    "exact.dense_at_uniform_points": {"dense": lambda f, w: f**2 @ w},
    "exact.dense_gradients_at_uniform_points": {"dense_gradients": lambda f, w, u: (u**2 @ w.T, f.T @ u)},
    "exact.gradient_at_every_set_of_maxima": {"max_pool_gradient": all_tied},
    "exact.gradient_at_every_weak_ordering": {"max_pool_gradient": all_tied},
    "exact.max_pool_at_every_weak_ordering": {"max_pool": lambda x, w: np.maximum(reference.max_pool(x, w), 1)},
    "exact.relu_on_its_three_cases": {"relu": np.abs},
    "exact.relu_derivative_on_its_three_cases": {"relu_derivative": lambda x: np.sign(x) * 1.0},
    "exact.gradients_on_every_activation_pattern": {"gradients": gradients_by(relu_slope=np.ones_like)},
}


def test_no_statement_is_missing_here():
    """The wrong formulas below cover every statement but those about all operations, which have their own."""
    listed = {entry.id for entry in all_properties().values() if entry.id.partition(".")[0] != "calls"}
    assert listed == WRONG.keys()


@pytest.mark.parametrize("identifier", WRONG)
def test_statement_holds_for_the_reference(identifier):
    """The statement compares something and finds nothing on the reference."""
    assert failure_of(named(identifier)) is None


@pytest.mark.parametrize(("identifier", "changed"), WRONG.items(), ids=WRONG)
def test_statement_refutes_a_wrong_formula(identifier, changed):
    """The statement is refuted, not crashed, by a formula that is wrong in what it speaks about."""
    assert isinstance(failure_of(named(identifier), **changed), Refuted)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_calls_hold_for_the_reference(operation):
    """Every operation of the reference keeps what it owes its callers."""
    assert failure_of(properties.calls.test_keeps_the_contract, operation) is None


@pytest.mark.parametrize("operation", OPERATIONS)
def test_larger_sizes_hold_for_the_reference(operation):
    """Every operation of the reference is right at the larger sizes."""
    assert failure_of(properties.calls.test_holds_at_a_larger_size, operation) is None


ONLY_SMALL = {
    "conv2d_kernel_gradient": lambda x, k, u: (
        reference.conv2d_kernel_gradient(x, k, u) * (np.arange(len(k)) < 5)[:, None]
    ),
    "max_pool": lambda x, w: reference.max_pool(x, w) * (np.arange(x.shape[1] // w[1]) < 9),
    "dense": lambda f, w: f[:, :16] @ w[:16],
    "relu": lambda x: reference.relu(x) * (np.arange(x.size).reshape(x.shape) < 100),
}


@pytest.mark.parametrize(("operation", "wrong"), ONLY_SMALL.items(), ids=ONLY_SMALL)
def test_larger_sizes_refute_what_is_right_only_on_small_ones(operation, wrong):
    """A formula that is right at all sizes that are sampled is refuted at the larger one."""
    failure = failure_of(properties.calls.test_holds_at_a_larger_size, operation, **{operation: wrong})
    assert isinstance(failure, Refuted)


class Accumulating:
    """Gradients that pile up from call to call."""

    def __init__(self):
        self.total = 0.0

    def __call__(self, features, weights, upstream):
        features_gradient, weights_gradient = reference.dense_gradients(features, weights, upstream)
        self.total += float(weights_gradient.sum())
        return features_gradient, weights_gradient + self.total


class OwnBuffer:
    """An answer that the next call overwrites."""

    def __init__(self):
        self.buffer = np.empty((1, 1))

    def __call__(self, features, weights):
        self.buffer[...] = features @ weights
        return self.buffer


def in_memory_order(image, kernel):
    """A convolution that takes every array to be in C order."""
    return reference.conv2d(np.ravel(image, order="K").reshape(image.shape), kernel)


BREACHES = {
    "argument changed": ("relu", overwriting, Crashed, "relu raised ValueError: .*read-only"),
    "upstream changed": (
        "max_pool_gradient",
        lambda x, w, u: (
            np.multiply(u, 2, out=u if u.flags.writeable else None) is None or reference.max_pool_gradient(x, w, u)
        ),
        Refuted,
        "max_pool_gradient changed its argument upstream",
    ),
    "state kept": ("dense_gradients", Accumulating(), Refuted, "the answer to the same arguments again"),
    "buffer shared": ("dense", OwnBuffer(), Refuted, "the answer given out, after other calls,"),
    "memory order taken for granted": ("conv2d", in_memory_order, Refuted, "the answer with image Fortran-ordered"),
    "wrong shape": ("max_pool", lambda x, w: reference.max_pool(x, w).T, Refuted, "must return an array of shape"),
    "one of a pair": ("gradients", lambda *p: reference.gradients(*p)[0], Refuted, "gradients must return a pair"),
    "NaN": ("arctan", lambda x: np.arctan(x) / (np.abs(x) < 1e300), Refuted, "arctan is not finite"),
    "None": ("relu_derivative", lambda x: None, Refuted, r"must return an array of shape \(.*\), but returned None"),
    "complex": ("logistic", lambda x: reference.logistic(x) + 0j, Refuted, "dtype complex128"),
    "an exception": ("cost", lambda *point: {}["x"], Crashed, "cost raised KeyError: 'x'"),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("operation", "wrong", "kind", "message"), BREACHES.values(), ids=BREACHES)
def test_breach_of_contract_is_named(operation, wrong, kind, message):
    """What an operation does to its callers ends in an outcome that says it."""
    failure = failure_of(properties.calls.test_keeps_the_contract, operation, **{operation: wrong})
    assert isinstance(failure, kind)
    with pytest.raises(kind, match=message):
        raise failure


def test_a_sibling_is_not_blamed():
    """An operation is not refuted for what another of its layer does."""
    assert failure_of(properties.calls.test_keeps_the_contract, "relu", arctan=lambda x: 1 / 0) is None


SMALLEST = {
    "pooling.gradient_at_ties_is_a_subgradient": {"x": (1, 2), "upstream": (1, 1)},
    "pooling.gradient_obeys_eulers_identity": {"x": (1, 2), "upstream": (1, 1)},
    "convolution.kernel_gradient_is_the_rot90_form": {"image": (1, 2), "kernel": (1, 2), "upstream": (1, 1)},
    "convolution.image_gradient_is_the_full_correlation": {"image": (1, 2), "kernel": (1, 2), "upstream": (1, 1)},
    "network.gradients_at_kinks_are_conservative": {"image": (2, 2), "kernel": (1, 1), "weights": (1, 1)},
    "network.gradients_are_the_chain_rule": {"image": (2, 2), "kernel": (1, 1), "weights": (1, 1)},
    "training.train_step_moves_by_the_old_gradients": {"image": (2, 2), "kernel": (1, 1), "weights": (1, 1)},
    "dense.dense_is_the_weighted_sum": {"features": (1, 2)},
    "activations.arctan_is_odd_and_bounded": {"x": (1,)},
}


@pytest.mark.parametrize(("identifier", "shapes"), SMALLEST.items(), ids=SMALLEST)
def test_counterexample_has_the_smallest_size(identifier, shapes):
    """The counterexample has the smallest shapes on which the formula is wrong at all."""
    case = failure_of(named(identifier), **WRONG[identifier]).case
    assert {name: case[name].shape for name in shapes} == shapes or {
        name: case[name].shape[::-1] for name in shapes
    } == shapes


CORRECT = {
    "last of a tie": lambda x, w, u: np.flip(reference.max_pool_gradient(np.flip(x), w, np.flip(u))),
    "even split": lambda x, w, u: (
        reference.mask_repeat(x, w, u)
        / np.kron(
            reference.max_pool(x, w) * 0
            + reference.mask_repeat(x, w, u * 0 + 1).reshape(u.shape[0], w[0], u.shape[1], w[1]).sum(axis=(1, 3)),
            np.ones(w),
        )
    ),
}


@pytest.mark.parametrize("rule", CORRECT.values(), ids=CORRECT)
@pytest.mark.parametrize("name", [name for name in WRONG if name.startswith("pooling.gradient")])
def test_other_subgradients_are_let_through(name, rule):
    """Pooling may give a tie to its last maximum, or share it out evenly."""
    assert failure_of(named(name), max_pool_gradient=rule) is None


@pytest.mark.parametrize("at_zero", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("pooling", CORRECT.values(), ids=CORRECT)
def test_other_conservative_gradients_are_let_through(at_zero, pooling):
    """At kinks the network may take any subgradient of ReLU, with any of pooling."""
    gradients = gradients_by(pooling, relu_slope=lambda y: (y > 0) + at_zero * (y == 0))
    assert failure_of(named("network.gradients_at_kinks_are_conservative"), gradients=gradients) is None


def test_mask_repeat_with_slope_one_at_zero_is_refuted():
    """Ties at 0 are harmless only while ReLU's derivative there is 0."""
    gradients = gradients_by(all_tied, relu_slope=lambda y: y >= 0)
    assert failure_of(named("network.gradients_at_kinks_are_conservative"), gradients=gradients)


def test_counterexample_is_what_was_asked():
    """The case that is shown is one that the operation is wrong on, not what its arguments were made of."""
    statement = properties.activations.test_relu_derivative_is_the_step
    assert (failure_of(statement, relu_derivative=lambda x: np.zeros(x.shape)).case["x"] > 0).all()
