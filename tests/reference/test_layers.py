"""The layers where they differ from what one might expect of them."""

import re
from pathlib import Path

import numpy as np
import pytest
import scipy.signal

import reference
from reference.notebook import logistic_derivative as cancelling


def test_layers_and_network_are_minimal():
    """They have at most 500 lines together, and none of them rests on the notebook's story."""
    texts = [path.read_text(encoding="utf-8") for path in Path(reference.__file__).parent.glob("*.py")]
    assert sum(text.count("\n") for text in texts) <= 500
    assert not any(re.search(r"^ *(from|import) .*notebook", text, re.MULTILINE) for text in texts)


def test_logistic_has_both_tails_without_a_warning():
    """Far out the logistic function is 0 and 1, and its tail is exp(x) to rounding."""
    assert reference.logistic([-1e308, 1e308]).tolist() == [0.0, 1.0]
    np.testing.assert_allclose(reference.logistic([-700.0]), np.exp([-700.0]), rtol=1e-15)


def test_logistic_derivative_keeps_the_right_tail():
    """At 40 the derivative is exp(-40), where σ (1 − σ) is 0."""
    np.testing.assert_allclose(reference.logistic_derivative([40.0]), np.exp([-40.0]), rtol=1e-14)
    assert cancelling(np.array([40.0])) == 0


def test_arctan_derivative_does_not_overflow():
    """At 1e200 the derivative underflows to 0 and nothing warns."""
    assert reference.arctan_derivative([1e200, -1e308]).tolist() == [0.0, 0.0]


def test_pooling_of_negatives_has_no_zero_of_padding():
    """The maximum of negative entries is negative."""
    assert reference.max_pool([[-3.0, -1.0], [-2.0, -4.0]], (1, 2)).tolist() == [[-1.0], [-2.0]]


def test_pooling_gradient_takes_the_first_of_a_tie():
    """Argmax scatter gives a tie's upstream value to its first entry."""
    assert reference.max_pool_gradient([[2.0, 2.0]], (1, 2), [[3.0]]).tolist() == [[3.0, 0.0]]


@pytest.mark.parametrize("seed", range(20))
def test_mask_repeat_is_argmax_scatter_off_ties(seed):
    """The first half of the claim: where each maximum is unique the two forms are equal."""
    generator = np.random.default_rng(seed)
    x, upstream = generator.permutation(24).reshape(4, 6) * 1.0, generator.normal(size=(2, 2))
    scattered = reference.max_pool_gradient(x, (2, 3), upstream)
    np.testing.assert_array_equal(reference.mask_repeat(x, (2, 3), upstream), scattered)


@pytest.mark.parametrize("tied", range(2, 7))
def test_mask_repeat_counts_a_tie_as_often_as_it_is_tied(tied):
    """The second half: at a tie of m, mask repeat hands out m times the upstream value."""
    x = np.where(np.arange(6).reshape(2, 3) < tied, 5.0, 1.0)
    assert reference.mask_repeat(x, (2, 3), [[2.0]]).sum() == 2.0 * tied
    assert reference.max_pool_gradient(x, (2, 3), [[2.0]]).sum() == 2.0


def test_kernel_gradient_is_turned_back():
    """On a case without symmetry the gradient differs from its form with either rotation missing."""
    generator = np.random.default_rng(0)
    image, upstream = generator.normal(size=(5, 6)), generator.normal(size=(3, 3))
    gradient = reference.conv2d_kernel_gradient(image, np.ones((3, 4)), upstream)
    unturned = scipy.signal.convolve2d(image, np.rot90(upstream, 2), "valid")
    np.testing.assert_allclose(gradient, np.rot90(unturned, 2), rtol=1e-13)
    assert not np.allclose(gradient, unturned)
    assert not np.allclose(gradient, np.rot90(scipy.signal.convolve2d(image, upstream, "valid"), 2))
