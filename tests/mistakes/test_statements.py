"""Wrong formulas that are nobody's mistakes: each shows what one statement sees, or what it says of it."""

import numpy as np
import pytest

import properties.activations
import properties.calls
import reference
from benchmarks.variants import network
from properties.harness.checking.properties import all_properties
from properties.harness.target.layout import HW
from properties.harness.target.operation import Crashed, Refuted, told
from properties.mistakes import all_mistakes
from tests.doubles import failure_of

PROPERTIES = {entry.id: entry for entry in all_properties().values()}
MISTAKES = {mistake.id: mistake for mistake in all_mistakes()}


def overwriting(x):
    """ReLU that works on its argument."""
    x[x < 0] = 0.0
    return x


SHARP = {
    "convolution.kernel_gradient_matches_differences": {
        "conv2d_kernel_gradient": lambda x, k, u: reference.conv2d_kernel_gradient(x, k, u) * (1 + 1e-9)
    },
    "convolution.image_gradient_matches_differences": {
        "conv2d_image_gradient": lambda x, k, u: reference.conv2d_image_gradient(x, k, u) * (1 + 1e-9)
    },
    "activations.relu_derivative_is_the_step": {"relu_derivative": lambda x: (x > 1e-6) * 1.0},
    "activations.relu_derivative_matches_differences": {"relu_derivative": lambda x: x},
    "activations.smooth_derivative_matches_differences[arctan_derivative]": {
        "arctan_derivative": lambda x: 1 / (1 + np.abs(x))
    },
    "activations.smooth_derivative_matches_differences[logistic_derivative]": {
        "logistic_derivative": reference.logistic
    },
    "convolution.conv2d_is_bilinear": {"conv2d": lambda x, k: np.abs(reference.conv2d(x, k))},
    "convolution.conv2d_commutes_with_shifts": {
        "conv2d": lambda x, k: reference.conv2d(x, k) * np.arange(1, x.shape[0] - k.shape[0] + 2)[:, None]
    },
    "convolution.kernel_gradient_is_the_adjoint": {
        "conv2d_kernel_gradient": lambda x, k, u: np.rot90(reference.conv2d_kernel_gradient(x, k, u), 2)
    },
    "convolution.image_gradient_is_the_adjoint": {
        "conv2d_image_gradient": lambda x, k, u: np.flip(reference.conv2d_image_gradient(x, k, u))
    },
    "pooling.gradient_matches_differences": {
        "max_pool_gradient": lambda x, w, u: reference.max_pool_gradient(x, w, u) / (w[0] * w[1])
    },
    "dense.dense_gradients_are_adjoint": {"dense_gradients": lambda f, w, u: (2 * u @ w.T, f.T @ u)},
    "training.train_step_descends_at_the_gradients_rate": {
        "train_step": lambda *point: reference.train_step(*point[:-1], -point[-1])
    },
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
    "exact.dense_at_uniform_points": {"dense": lambda f, w: f**2 @ w},
    "exact.dense_gradients_at_uniform_points": {"dense_gradients": lambda f, w, u: (u**2 @ w.T, f.T @ u)},
    "exact.max_pool_at_every_weak_ordering": {"max_pool": lambda x, w: np.maximum(reference.max_pool(x, w), 1)},
}


@pytest.mark.parametrize(("identifier", "changed"), SHARP.items(), ids=SHARP)
def test_statement_refutes_what_it_is_there_for(identifier, changed):
    """Wrong by little, in one shape alone, or where only this statement looks: it is refuted, not crashed."""
    assert isinstance(failure_of(PROPERTIES[identifier].function, PROPERTIES[identifier].operation, **changed), Refuted)


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
    "argument changed": ("relu", overwriting, Refuted, "relu changed its argument x"),
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
    "pooling.gradient_at_ties_is_a_subgradient": (
        "max_pool_gradient: mask repeat",
        {"x": (1, 2), "upstream": (1, 1)},
    ),
    "pooling.gradient_obeys_eulers_identity": (
        "max_pool_gradient: mask repeat",
        {"x": (1, 2), "upstream": (1, 1)},
    ),
    "convolution.kernel_gradient_is_the_rot90_form": (
        "conv2d_kernel_gradient: rotation missing",
        {"image": (1, 2), "kernel": (1, 2), "upstream": (1, 1)},
    ),
    "convolution.image_gradient_is_the_full_correlation": (
        "conv2d_image_gradient: kernel not turned",
        {"image": (1, 2), "kernel": (1, 2), "upstream": (1, 1)},
    ),
    "network.gradients_at_kinks_are_conservative": (
        "gradients: mask repeat",
        {"image": (2, 2), "kernel": (1, 1), "weights": (1, 1)},
    ),
    "network.gradients_are_the_chain_rule": (
        "gradients: relu mask missing",
        {"image": (2, 2), "kernel": (1, 1), "weights": (1, 1)},
    ),
    "training.train_step_moves_by_the_old_gradients": (
        "train_step: weights by the new kernel",
        {"image": (2, 2), "kernel": (1, 1), "weights": (1, 1)},
    ),
    "dense.dense_is_the_weighted_sum": ("dense: mean for sum", {"features": (1, 2)}),
    "activations.smooth_activation_is_symmetric_and_bounded[arctan]": ("arctan: degrees", {"x": (1,)}),
}


@pytest.mark.parametrize(
    ("identifier", "mistake", "shapes"), [(name, *one) for name, one in SMALLEST.items()], ids=SMALLEST
)
def test_counterexample_has_the_smallest_size(identifier, mistake, shapes):
    """The counterexample has the smallest shapes on which the formula is wrong at all."""
    entry, wrong = PROPERTIES[identifier], MISTAKES[mistake]
    failure = failure_of(entry.function, entry.operation, **{wrong.operation: wrong.make()})
    case = told(failure, entry.operation, HW).case
    found = {name: case[name].shape for name in shapes}
    assert shapes in (found, {name: shape[::-1] for name, shape in found.items()})


def test_mask_repeat_with_slope_one_at_zero_is_refuted():
    """Ties at 0 are harmless only while ReLU's derivative there is 0."""
    changed = network(pooling_gradient=reference.mask_repeat, relu_slope=lambda y: (y >= 0) * 1.0)
    failure = failure_of(
        PROPERTIES["network.gradients_at_kinks_are_conservative"].function, gradients=changed["gradients"]
    )
    assert isinstance(failure, Refuted)


def test_counterexample_is_what_was_asked():
    """The case that is shown is one that the operation is wrong on, not what its arguments were made of."""
    statement = properties.activations.test_relu_derivative_is_the_step
    assert (failure_of(statement, relu_derivative=lambda x: np.zeros(x.shape)).case["x"] > 0).all()
