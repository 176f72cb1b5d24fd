"""Parts are taken out of a counterexample that Hypothesis leaves in, and it stays what it was built for."""

import numpy as np

import properties.convolution
import properties.pooling
import reference
from properties.harness.checking.reduction import reductions
from properties.harness.core.tape import Case
from properties.layers.pooling import POOLING
from tests.doubles import failure_of


def pooling_case(*rows):
    """One window."""
    x = np.array(rows)
    return Case(x=x[None, None], window=x.shape, upstream=np.ones((1, 1, 1, 1)))


def reduced(case):
    """Every case that has one part less."""
    return list(reductions(POOLING, case))


def test_what_is_wrong_for_square_kernels_alone_shrinks_to_two_by_two():
    """A row and a column go at once where neither can go alone."""

    def transposed(image, kernel):
        return reference.conv2d(image, kernel.T if len(set(kernel.shape)) == 1 else kernel)

    case = failure_of(properties.convolution.test_conv2d_is_the_defining_sum, conv2d=transposed).case
    assert (case.image.shape, case.kernel.shape) == ((1, 1, 2, 2), (1, 1, 2, 2))


def test_windows_shrink():
    """A window of several entries shrinks to the one that is enough."""

    def largest_in_size(x, window):
        return np.maximum(reference.max_pool(x, window), reference.max_pool(-x, window))

    case = failure_of(properties.pooling.test_max_pool_is_the_maximum, max_pool=largest_in_size).case
    assert case.x.size == 1


def test_windows_stay_clear_or_tied():
    """Neither goes a maximum that leads by more than the next would, nor a tie; what lies below either does."""
    assert [case.x[0, 0].tolist() for case in reduced(pooling_case([1.75, 3.0, 2.0]))] == [[[3.0, 2.0]], [[1.75, 3.0]]]
    assert [case.x[0, 0].tolist() for case in reduced(pooling_case([3.0, 1.0, 3.0]))] == [[[3.0, 3.0]]]
    assert [case.window for case in reduced(pooling_case([3.0, 3.0], [1.0, 2.0]))] == [(1, 2)]
