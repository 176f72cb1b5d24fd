"""Bounds let every order of rounding through and refuse a relative error of 1e-9."""

import numpy as np
import pytest
import scipy.signal

from properties.harness.checking.fixed_cases import larger
from properties.harness.core.tape import Case, Tape
from properties.harness.core.values import exactly, parts
from properties.layers import OPERATIONS, convolution, layer_of, network
from properties.layers.base.smooth import arctan_slopes
from tests.doubles import reference_with, trial_of

EPS = np.finfo(np.float64).eps


def cases(operation, count=50):
    """So many cases of the operation's layer, from random bytes."""
    generator = np.random.default_rng(0)
    return [layer_of(operation).read(Tape(generator.bytes(4096))) for _ in range(count)]


def answers(operation, case):
    """The answer's arrays, with the bound of each."""
    answer = operation.at(case)
    return list(zip(map(np.asarray, parts(answer)), operation.signature.value(case), strict=True))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_four_units_of_rounding_are_allowed(operation):
    """An answer off by four units of its own size is within the bound of the exact value."""
    with trial_of(**reference_with()) as trial:
        for case in cases(operation):
            for answer, value in answers(trial.target.operations[operation], case):
                exact = np.asarray(value.value)
                assert (np.abs(exact * (1 + 4 * EPS) - exact) <= value.allowed + EPS * np.abs(exact)).all()
                assert answer.shape == exact.shape


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_billionth_is_refused(operation):
    """An answer off by 1e-9 of its largest entry is beyond the bound, in some of the cases."""
    refused = 0
    with trial_of(**reference_with()) as trial:
        for case in cases(operation):
            for answer, value in answers(trial.target.operations[operation], case):
                refused += bool((1e-9 * np.abs(answer) > value.allowed).any())
    assert refused > 25


def test_fft_stays_within_the_convolutions_bound():
    """Convolutions through the FFT, on numbers that are not dyadic, are within the bound."""
    generator = np.random.default_rng(0)
    with trial_of(**reference_with()):
        for _ in range(300):
            shape = generator.integers(1, 5, 2)
            kernel = generator.normal(size=shape)
            image = generator.normal(size=shape + generator.integers(0, 8, 2)) * 10.0 ** generator.integers(-3, 4)
            (value,) = OPERATIONS["conv2d"].value(Case(image=image[None, None], kernel=kernel[None, None]))
            error = np.abs(scipy.signal.fftconvolve(image, kernel, "valid") - value.value[0, 0])
            assert (error <= value.allowed).all()


def test_cosine_form_of_the_slope_is_allowed():
    """cos(arctan x)² is within the bound of 1/(1+x²), from 0 to the largest numbers."""
    x = np.array([0.0, 1e-300, 0.5, 1.0, 30.0, 1e4, 1e8, 1e16, 1e155, 1e308])
    with trial_of(**reference_with()):
        value = arctan_slopes(x)
    assert (np.abs(np.cos(np.arctan(x)) ** 2 - value.value) <= value.allowed).all()


def test_units_belong_to_the_precision():
    """The same value has 2^29 times the bound in single precision."""
    value = exactly(np.array([1.0]))
    with trial_of(relu=np.abs):
        double = value.allowed
    with trial_of(relu=np.abs, DTYPE="float32"):
        np.testing.assert_array_equal(value.allowed, double * 2**29)


def test_terms_may_be_added_to_the_parameter_one_by_one():
    """A training step that subtracts every window's share from the kernel itself stays within the bound."""
    with trial_of(**reference_with()):
        for case in larger("network", 12):
            image, target, kernel, weights, rate = case.arguments(
                "image", "target", "kernel", "weights", "learning_rate"
            )
            stages = network.forward(image, kernel, weights)
            upstream = network.preactivation_gradient(stages, network.residual_and_delta(stages, target)[1], weights)
            moved = kernel + 0.0
            for place in np.argwhere(upstream):
                alone = np.zeros(upstream.shape)
                alone[tuple(place)] = upstream[tuple(place)]
                moved = moved - rate * convolution.conv2d_kernel_gradient(image, alone)
            value = network.step_values(image, target, kernel, weights, rate)[0]
            assert (np.abs(moved - value.value) <= value.allowed).all()
