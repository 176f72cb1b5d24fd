"""Slips of form are recognised: what a function takes, and what it gives back."""

import numpy as np
import pytest

from properties.harness.malformed import misfit, slip

IMAGE, KERNEL, OUTPUT = np.ones((4, 5)), np.ones((2, 3)), (3, 3)
SLIPS = {
    "nothing": ("relu", None, ((2,),), "a return is missing"),
    "both gradients": ("conv2d_kernel_gradient", (IMAGE, KERNEL), ((2, 3),), "the one of shape (2, 3) alone"),
    "one of two": ("dense_gradients", np.ones((1, 2)), ((1, 2), (2, 1)), "asks for both, as a pair"),
    "other order": ("dense_gradients", (np.ones((2, 1)), np.ones((1, 2))), ((1, 2), (2, 1)), "in the other order"),
    "mode same": ("conv2d", np.ones((4, 5)), (OUTPUT,), "mode 'same'"),
    "mode full": ("conv2d", np.ones((5, 7)), (OUTPUT,), "mode 'full'"),
    "a number": ("dense", 1.0, ((1, 1),), "it returns a number"),
}


@pytest.mark.parametrize(("operation", "answer", "wanted", "words"), SLIPS.values(), ids=SLIPS)
def test_slip_is_recognised(operation, answer, wanted, words):
    """An answer of the wrong form says what may have happened."""
    assert words in slip(operation, answer, wanted, (IMAGE, KERNEL))


def test_other_answers_are_no_slip():
    """Of an array of some other shape nothing is said."""
    assert slip("conv2d", np.ones((9, 9)), (OUTPUT,), (IMAGE, KERNEL)) is None
    assert slip("relu", np.ones(3), ((2,),), (IMAGE,)) is None


def test_signature_that_does_not_fit_is_shown():
    """A function of other parameters is told how it is called; one that fits, or has none to see, is not."""
    assert misfit(lambda image, kernel, stride: 0, "conv2d", ("image", "kernel")) == (
        "it is called as conv2d(image, kernel), but takes (image, kernel, stride)"
    )
    assert misfit(lambda *arguments: 0, "conv2d", ("image", "kernel")) is None
    assert misfit(np.maximum, "conv2d", ("image", "kernel")) is None
