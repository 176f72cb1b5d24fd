"""Non-overlapping max pooling and its gradient, where maxima are unique and where they tie.

Mask repeat (upstream repeated over its window, wherever the input equals the maximum) and argmax scatter
(upstream on one maximum) are the same exactly where maxima are unique; a tie of m gets m times too much of
the former. So the gradient is pinned down off ties, and held to the set of subgradients on them.
"""

import numpy as np

from .harness.checking.cases import cases_from
from .harness.checking.comparison import agree, require_legal
from .harness.checking.statement import given
from .harness.core.values import ALLOWED, Value, exactly, norm
from .layers import pooling
from .layers.base import windows as right

pooling_cases, tied_cases = cases_from(pooling.read), cases_from(pooling.read_tied)
unique_cases, clear_cases = cases_from(pooling.read_unique), cases_from(pooling.read_clear)


@given(case=pooling_cases)
def test_max_pool_is_the_maximum(max_pool, case):
    """Each output is the largest entry of its window, also where all entries are negative.

    Source: Boureau, Ponce & LeCun, ICML 2010.
    """
    windows = right.blocks(case.x, case.window)
    highest = [max(windows[place].ravel().tolist()) for place in np.ndindex(windows.shape[:-2])]
    agree(max_pool(case.x, case.window), exactly(np.reshape(highest, windows.shape[:-2])), "max_pool(x, window)")


@given(case=unique_cases)
def test_mask_repeat_is_argmax_scatter(max_pool_gradient, case):
    """With one maximum per window the gradient is argmax scatter and mask repeat at once: the two are equal.

    Each upstream value lands on its window's maximum and nothing else does, be the next entry only one unit
    of rounding below. Source: Boureau, Ponce & LeCun, ICML 2010; the notebook for mask repeat.
    Proof: proofs/pooling.v, mask_repeat_is_argmax_scatter.
    """
    answer = max_pool_gradient(case.x, case.window, case.upstream)
    bound = np.abs(right.grow(case.upstream, case.window))
    for form in (right.argmax_scatter, right.mask_repeat):
        expected = form(case.x, case.window, case.upstream)
        agree(answer, Value(expected, ALLOWED, bound), "max_pool_gradient(x, window, upstream)")


@given(case=tied_cases)
def test_gradient_at_ties_is_a_subgradient(max_pool_gradient, case):
    """At ties each upstream value is shared out among the maxima of its window, by weights in [0, 1] of sum 1.

    Mask repeat, which gives it to each of m maxima whole, hands out m times too much. Source: Boustany, TMLR
    2024; Theano#5404 for the error.
    Proof: proofs/pooling.v, gradient_at_ties_is_a_subgradient, argmax_scatter_is_a_subgradient,
    mask_repeat_at_a_tie_is_no_subgradient.
    """
    require_legal(max_pool_gradient, max_pool_gradient(case.x, case.window, case.upstream), case)


@given(case=clear_cases)
def test_gradient_matches_differences(max_pool_gradient, max_pool, case):
    """With one maximum per window, each entry of the gradient is the difference of `⟨upstream, max_pool⟩`.

    Pooling is linear where no winner changes, and the step is a quarter of the smallest gap, so the central
    difference has no error. Source: finite differences of piecewise-linear functions.
    Proof: proofs/pooling.v, gradient_matches_differences.
    """
    answer = max_pool_gradient(case.x, case.window, case.upstream)
    gap = pooling.leads(case).min()
    scale = 2.0 ** np.floor(np.log2(gap if 0 < gap < np.inf else 1.0))
    step = scale / 4
    quotient = np.empty(case.x.shape)
    for index in np.ndindex(case.x.shape):
        nudge = np.zeros(case.x.shape)
        nudge[index] = step
        change = max_pool(case.x + nudge, case.window) - max_pool(case.x - nudge, case.window)
        quotient[index] = (case.upstream * change).sum() / (2 * step)
    size = norm(case.upstream) * (norm(case.x) / step + 1)
    agree(answer, Value(quotient, 2 * ALLOWED, size), "max_pool_gradient(x, window, upstream)")


@given(case=pooling_cases)
def test_max_pool_is_block_reduce(max_pool, case):
    """Where the window divides the input, pooling is scikit-image's `block_reduce` with the maximum.

    Source: scikit-image, `skimage.measure.block_reduce`, whose padding with zeros then plays no part.
    """
    from skimage.measure import block_reduce

    reduced = block_reduce(case.x, (1, 1, *case.window), np.max)
    agree(max_pool(case.x, case.window), exactly(reduced), "max_pool(x, window)")


@given(case=pooling_cases)
def test_gradient_vanishes_off_the_maxima(max_pool_gradient, case):
    """What is below its window's maximum, be it by one unit of rounding, gets nothing.

    Source: an entry that is not maximal can move without changing the maximum.
    Proof: proofs/pooling.v, gradient_vanishes_off_the_maxima.
    """
    answer = max_pool_gradient(case.x, case.window, case.upstream)
    maximal = right.maxima(case.x, case.window)
    rest = np.where(maximal, 0.0, answer)
    agree(rest, exactly(np.zeros(case.x.shape)), "the gradient off the maxima")


@given(case=pooling_cases)
def test_gradient_obeys_eulers_identity(max_pool_gradient, max_pool, case):
    """`⟨gradient, x⟩ = ⟨upstream, max_pool(x)⟩`, at ties too, since pooling is homogeneous of degree 1.

    Source: Euler's theorem on homogeneous functions; for subgradients Rockafellar, Convex Analysis, 1970.
    Proof: proofs/pooling.v, gradient_obeys_eulers_identity.
    """
    gradient = max_pool_gradient(case.x, case.window, case.upstream)
    pooled = max_pool(case.x, case.window)
    size = float(np.abs(right.grow(case.upstream * pooled, case.window)).sum())
    expected = Value((case.upstream * pooled).sum(), 2 * ALLOWED + case.x.size, size)
    agree((gradient * case.x).sum(), expected, "⟨gradient, x⟩")
