"""What the page says is right, is right."""

import re

import numpy as np
import pytest

from properties.harness.core.setting import Conventions, with_setting
from properties.harness.core.tape import Case
from properties.harness.report.notation import typeset
from properties.layers import OPERATIONS, formulas

CONVENTIONS = ("convolution", "correlation")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("convolution", CONVENTIONS)
def test_every_operation_has_formulas_that_can_be_set(operation, convolution):
    """Each operation has a line at least, each of which is mathematics and leaves nothing to fill in."""
    lines = formulas(operation, convolution)
    assert lines
    for line in lines:
        assert "<math>" in typeset(line)
        assert "<code>" not in typeset(line)
        assert "{" not in line


@pytest.mark.parametrize("convolution", CONVENTIONS)
@pytest.mark.parametrize(
    ("operation", "summed", "factors"),
    [
        ("conv2d", "image", ("i", "j", "a", "b")),
        ("conv2d_kernel_gradient", "image", ("a", "b", "i", "j")),
        ("conv2d_image_gradient", "kernel", ("m", "n", "i", "j")),
    ],
)
def test_indices_are_those_of_the_definition(operation, summed, factors, convolution):
    """The sum that is written, taken term by term, is the operation."""
    generator = np.random.default_rng(3)
    image, kernel, upstream = (generator.integers(-9, 9, shape) * 1.0 for shape in ((4, 5), (2, 3), (3, 3)))
    line = formulas(operation, convolution)[0].replace("−", "-")
    indices = re.search(rf"{summed}\[([^\]]*)\]`$|{summed}\[([^\]]*)\] kernel", line)
    written = compile(next(filter(None, indices.groups())), "formula", "eval")
    array, other = (image, kernel) if operation == "conv2d" else ({"image": image, "kernel": kernel}[summed], upstream)
    outer = {"conv2d": upstream, "conv2d_kernel_gradient": kernel, "conv2d_image_gradient": image}[operation].shape
    result = np.zeros(outer)
    for place in np.ndindex(*outer):
        for term in np.ndindex(*other.shape):
            names = dict(zip(factors, (*place, *term), strict=True)) | {"h": 2, "w": 3}
            row, column = eval(written, {}, names)  # noqa: S307  # an index out of our own formula
            if 0 <= row < array.shape[0] and 0 <= column < array.shape[1]:
                result[place] += array[row, column] * other[term]
    case = Case(image=image[None, None], kernel=kernel[None, None], upstream=upstream[None, None])
    with with_setting(conventions=Conventions(convolution)):
        np.testing.assert_array_equal(result, OPERATIONS[operation].value(case)[0].value[0, 0])
