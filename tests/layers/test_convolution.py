"""Answers of a convolution that are of another shape tell what it takes for its output."""

import numpy as np
import pytest

from properties.harness.core.tape import Case
from properties.layers import OPERATIONS

MODE_OF = OPERATIONS["conv2d"].misshapen
SIZES = [((4, 5), (2, 3)), ((1, 2), (1, 2)), ((3, 3), (3, 1)), ((4, 4), (2, 2))]
CASES = [Case(image=np.ones((1, 1, *image)), kernel=np.ones((1, 1, *kernel))) for image, kernel in SIZES]


@pytest.mark.parametrize(
    ("shape", "words"),
    {
        "same": (lambda image, kernel: image, "mode 'same'"),
        "full": (lambda image, kernel: (image[0] + kernel[0] - 1, image[1] + kernel[1] - 1), "mode 'full'"),
        "one side": (lambda image, kernel: (image[0] - kernel[0] + 1, max(image[1] - kernel[0] + 1, 0)), "as wide as"),
        "the other": (lambda image, kernel: (image[0] - kernel[1] + 1, max(image[1] - kernel[1] + 1, 0)), "as high as"),
    }.values(),
)
def test_mode_is_told_by_all_shapes(shape, words):
    """Which mode, or which side, a convolution goes by is told by its answers to images and kernels of several sizes,
    whatever crashes beside.
    """
    assert words in MODE_OF([*_shapes(shape), (CASES[0], ())])


def test_mode_that_one_answer_contradicts_is_not_told():
    """The shape of one answer alone, which several modes have, tells none of them; and the right mode is no mistake."""
    shapes = [*_shapes(lambda image, kernel: image)[:1], *_shapes(lambda image, kernel: (1, 1))[1:]]
    assert MODE_OF(shapes) is None
    assert MODE_OF(_shapes(lambda image, kernel: (image[0] - kernel[0] + 1, image[1] - kernel[1] + 1))) is None


def _shapes(shape):
    return [(case, (1, 1, *shape(image, kernel))) for case, (image, kernel) in zip(CASES, SIZES, strict=True)]
