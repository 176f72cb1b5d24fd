"""Slips of form are recognised: what a function takes, and what it gives back."""

import numpy as np
import pytest

from properties.harness.target.calling import misfit
from properties.harness.target.malformed import slip

IMAGE, KERNEL = np.ones((4, 5)), np.ones((2, 3))
SLIPS = {
    "nothing": (None, ((2,),), "a return is missing"),
    "both gradients": ((IMAGE, KERNEL), ((2, 3),), "the one of shape (2, 3) alone"),
    "one of two": (np.ones((1, 2)), ((1, 2), (2, 1)), "asks for a pair"),
    "other order": ((np.ones((2, 1)), np.ones((1, 2))), ((1, 2), (2, 1)), "in the other order"),
    "a number": (1.0, ((1, 1),), "it returns a number"),
}


@pytest.mark.parametrize(("answer", "wanted", "words"), SLIPS.values(), ids=SLIPS)
def test_slip_is_recognised(answer, wanted, words):
    """An answer of the wrong form says what may have happened."""
    assert words in slip(answer, wanted)


def test_other_answers_are_no_slip():
    """Of an array of some other shape nothing is said."""
    assert slip(np.ones((9, 9)), ((3, 3),)) is None
    assert slip(np.ones(3), ((2,),)) is None


def test_signature_that_does_not_fit_is_shown():
    """A function of other parameters is told how it is called; one that fits, or has none to see, is not."""
    assert misfit(lambda image, kernel, stride: 0, "conv2d", ("image", "kernel")) == (
        "it is called as conv2d(image, kernel), but takes (image, kernel, stride)"
    )
    assert misfit(lambda *arguments: 0, "conv2d", ("image", "kernel")) is None
    assert misfit(np.maximum, "conv2d", ("image", "kernel")) is None
