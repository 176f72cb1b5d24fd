"""Max pooling with a stride and a padding of −∞, and its gradient: windows may overlap, and leave a rest over.

Off ties there is one gradient: each upstream value lands on its window's maximum, and what lands on an entry adds up.
At ties a gradient is legal if it is a sum of one subgradient of each window, however each of them is chosen.
"""

from itertools import product

import numpy as np

from ..harness.checking.cases import cases_from
from ..harness.checking.comparison import agree, require_legal
from ..harness.checking.exhaustive import noted
from ..harness.checking.statement import each, given
from ..harness.core.limits import NotApplicable
from ..harness.core.setting import setting
from ..harness.core.tape import Case
from ..harness.core.values import Value, exactly, norm
from ..layers.base import overlapping as right
from ..layers.base.arrangements import arranged, axes_of
from ..layers.further import pooling_options as pooling

pooling_cases, tied_cases = cases_from(pooling.read), cases_from(pooling.read_tied)
unique_cases, clear_cases = cases_from(pooling.read_unique), cases_from(pooling.read_clear)
neutral_cases = cases_from(pooling.read_neutral)
OUTPUT, GRADIENT = "max_pool(x, window, stride, padding)", "max_pool_gradient(x, window, upstream, stride, padding)"


def _windows(case):
    """Each window's place, and the entries of `x` that it holds: those of the rows and columns that there are."""
    rows, columns = arranged(case)
    for i, j in np.ndindex(rows.outputs, columns.outputs):
        yield i, j, [*product(rows.real(i), columns.real(j))]


@given(case=pooling_cases)
def test_max_pool_with_options_is_the_maximum(max_pool_with_options, case):
    """Each output is the largest of the entries that its window holds; padding is none of them.

    Source: Dumoulin & Visin, arXiv:1603.07285, section 3; PyTorch, `MaxPool2d`: padding of negative infinity.
    """
    (shape,) = max_pool_with_options.signature.shapes(case)
    expected = np.empty(shape)
    for image, channel in np.ndindex(shape[:2]):
        plane = case.x[image, channel].tolist()
        for i, j, held in _windows(case):
            expected[image, channel, i, j] = max(plane[row][column] for row, column in held)
    agree(max_pool_with_options.at(case), exactly(expected), OUTPUT)


@given(case=pooling_cases)
def test_max_pool_with_options_is_a_maximum_filter(max_pool_with_options, case):
    """It is SciPy's `maximum_filter` of the padded input, at every so many rows and columns.

    Source: Serra, Image Analysis and Mathematical Morphology, 1982: a dilation, sampled.
    """
    from scipy.ndimage import maximum_filter

    (p, q), (s, t), (a, b) = case.window, case.stride, case.padding
    padded = np.full((*case.x.shape[:2], *np.add(case.x.shape[2:], (2 * a, 2 * b))), -np.inf)
    padded[..., a : a + case.x.shape[2], b : b + case.x.shape[3]] = case.x
    filtered = maximum_filter(padded, (1, 1, p, q), mode="constant", cval=-np.inf, origin=(0, 0, -(p // 2), -(q // 2)))
    whole = filtered[..., : padded.shape[2] - p + 1, : padded.shape[3] - q + 1]
    agree(max_pool_with_options.at(case), exactly(whole[..., ::s, ::t]), OUTPUT)


@given(case=pooling_cases)
def test_padding_never_wins(max_pool_with_options, case):
    """Moved down until every entry is negative, the input gives its maxima, moved down alike.

    Rounding is monotone, so that this is exact. Source: maxima commute with every increasing function.
    """
    highest, drop = max_pool_with_options.at(case), 2 * np.abs(case.x).max() + 1
    case["x"] = case.x - drop
    agree(max_pool_with_options.at(case), exactly(highest - drop), "max_pool(x − c, window, stride, padding)")


@given(case=neutral_cases)
def test_neutral_stride_and_padding_change_nothing(max_pool_with_options, max_pool, case):
    """With the window for a stride and no padding it gives what it gives without them.

    Source: the definition; the window is the stride where none is given.
    """
    agree(max_pool_with_options.at(case), exactly(max_pool(case.x, case.window)), OUTPUT)


@given(case=unique_cases)
def test_gradient_with_options_is_the_sum_of_argmax_scatters(max_pool_gradient_with_options, case):
    """With one maximum per window, an entry gets the sum of the upstream values of the windows whose maximum it is.

    The next entry may be only one unit of rounding below. Source: the chain rule; NNlib.jl#205 for the error.
    """
    expected = np.zeros(case.x.shape)
    for image, channel in np.ndindex(case.x.shape[:2]):
        plane, upstream = case.x[image, channel].tolist(), case.upstream[image, channel]
        for i, j, held in _windows(case):
            expected[image, channel][max(held, key=lambda place: plane[place[0]][place[1]])] += upstream[i, j]
    (bound,) = max_pool_gradient_with_options.signature.value(case)
    agree(max_pool_gradient_with_options.at(case), Value(expected, bound.units, bound.size), GRADIENT)


@given(case=tied_cases)
def test_gradient_with_options_at_ties_is_a_sum_of_subgradients(max_pool_gradient_with_options, case):
    """At ties the gradient is a sum over the windows: each upstream value times weights on its maxima, of sum 1.

    Which weights, from 0 to 1, each window may choose for itself. Source: Rockafellar, Convex Analysis, 1970, theorem
    23.8; Theano#5404 for the error.
    Proof: proofs/pooling.v, overlapping_gradients_are_the_subgradients.
    """
    require_legal(max_pool_gradient_with_options, max_pool_gradient_with_options.at(case), case)


@given(case=clear_cases)
def test_gradient_with_options_matches_differences(max_pool_gradient_with_options, max_pool_with_options, case):
    """With one maximum per window, each entry of the gradient is the difference of `⟨upstream, max_pool⟩`.

    Pooling is linear where no winner changes, and the step is a quarter of the smallest gap, so the central
    difference has no error. Source: finite differences of piecewise-linear functions.
    Proof: proofs/pooling.v, gradient_matches_differences.
    """
    answer = max_pool_gradient_with_options.at(case)
    gap = right.leads(case).min()
    step = 2.0 ** np.floor(np.log2(gap if 0 < gap < np.inf else 1.0)) / 4
    quotient, x = np.empty(case.x.shape), case.x
    for index in np.ndindex(x.shape):
        nudge = np.zeros(x.shape)
        nudge[index] = step
        ends = (max_pool_with_options.at(case.changed(x=moved)) for moved in (x + nudge, x - nudge))
        quotient[index] = (case.upstream * np.subtract(*ends)).sum() / (2 * step)
    (bound,) = max_pool_gradient_with_options.signature.value(case)
    size = norm(case.upstream) * (norm(x) / step + 1)
    agree(answer, Value(quotient, bound.units + case.upstream.size, size), GRADIENT)


@given(case=pooling_cases)
def test_upstream_is_handed_out_whole(max_pool_gradient_with_options, case):
    """In each channel the gradient sums to what upstream sums to, at ties too, whatever the windows share.

    Source: the derivative of `max_pool(x + c) = max_pool(x) + c` for c.
    """
    sums = max_pool_gradient_with_options.at(case).sum(axis=(-2, -1))
    units = right.units(case) + case.x[0, 0].size + case.upstream[0, 0].size
    expected = Value(case.upstream.sum(axis=(-2, -1)), units, np.abs(case.upstream).sum(axis=(-2, -1)))
    agree(sums, expected, "the gradient's sum")


@given(case=unique_cases)
def test_windows_gradients_add_up(max_pool_gradient_with_options, case):
    """With one maximum per window, the gradients of every second window and of the others sum to that of all.

    Source: linearity in upstream, where the maxima do not change.
    """
    whole, upstream = max_pool_gradient_with_options.at(case), case.upstream
    is_even = np.indices(upstream.shape[-2:]).sum(axis=0) % 2 == 0
    halves = [max_pool_gradient_with_options.at(case.changed(upstream=upstream * some)) for some in (is_even, ~is_even)]
    (bound,) = max_pool_gradient_with_options.signature.value(case)
    agree(whole, Value(halves[0] + halves[1], 2 * bound.units + 1, bound.size), GRADIENT)


@given(case=pooling_cases)
def test_gradient_with_options_vanishes_off_all_maxima(max_pool_gradient_with_options, case):
    """What is below the maximum of every window that holds it, or in no window at all, gets nothing.

    Source: such an entry can move without changing any maximum.
    Proof: proofs/pooling.v, gradient_vanishes_off_the_maxima.
    """
    held = right.summed(right.maxima(case) * 1.0, case)
    rest = np.where(held > 0, 0.0, max_pool_gradient_with_options.at(case))
    agree(rest, exactly(np.zeros(case.x.shape)), "the gradient off all maxima")


@given(case=pooling_cases)
def test_gradient_with_options_obeys_eulers_identity(max_pool_gradient_with_options, max_pool_with_options, case):
    """`⟨gradient, x⟩ = ⟨upstream, max_pool(x)⟩`, at ties too, since pooling is homogeneous of degree 1.

    Source: Euler's theorem on homogeneous functions; for subgradients Rockafellar, Convex Analysis, 1970.
    Proof: proofs/pooling.v, gradient_obeys_eulers_identity.
    """
    products = case.upstream * max_pool_with_options.at(case)
    units = right.units(case) + case.x.size + case.upstream.size
    expected = Value(products.sum(), units, float(np.abs(products).sum()))
    agree((max_pool_gradient_with_options.at(case) * case.x).sum(), expected, "⟨gradient, x⟩")


UPSTREAM = np.array([1.0, -2.0, 4.0, 8.0, -16.0, 32.0, -64.0, 128.0])
OF_MAXIMA = {(1, 3): [(1, 2)], (3, 1): [(2, 1)], (2, 2): [(2, 2)], (2, 3): [(2, 2)], (3, 2): [(2, 2)], (3, 3): [(2, 2)]}
OF_ORDERS = {(1, 4): [(1, 2), (1, 3)], (4, 1): [(2, 1), (3, 1)], (2, 2): [(2, 2), (1, 2), (2, 1)]}
WEAK_ORDERS = [ranks for ranks in product(range(4), repeat=4) if {*ranks} == {*range(len({*ranks}))}]


def _every(inputs, most, values_of):
    """On each input every window, stride up to `most` and padding, and of `x` all values that there are to try."""
    limits, is_empty = setting().limits, True
    for sides, windows in inputs.items():
        for window in (one for one in windows if limits.any_shape or limits.supports(pooling.NAME, (one, sides))):
            every = ([axis for axis in axes_of(*one) if _counts(axis, most)] for one in zip(window, sides, strict=True))
            for axes in (some for some in product(*every) if sides != (3, 3) or _is_plain(some)):
                shape = tuple(axis.outputs for axis in axes)
                stride, padding = ((axes[0][field], axes[1][field]) for field in (1, 2))
                case = Case(window=window, stride=stride, padding=padding, upstream=np.resize(UPSTREAM, (1, 1, *shape)))
                for x in values_of(sides):
                    is_empty = False
                    yield case.changed(x=np.reshape(x, (1, 1, *sides)))
    if is_empty:
        raise NotApplicable("none of these windows and inputs is supported")


def _counts(axis, most):
    """Whether a stride is none that is too large, nor one that leads nowhere."""
    return axis.stride <= most and (axis.outputs > 1 or axis.stride == axis.width)


def _is_plain(axes):
    """Whether windows overlap in both directions and none reaches into padding."""
    return all((axis.stride, axis.padding) == (1, 0) for axis in axes)


def _sets_of_maxima(**_):
    return _every(OF_MAXIMA, 2, lambda sides: product((1.0, 0.0), repeat=sides[0] * sides[1]))


def _weak_orderings(**_):
    return _every(OF_ORDERS, 3, lambda sides: np.array(WEAK_ORDERS) - 1.0)


@each(_sets_of_maxima)
def test_gradient_with_options_at_every_set_of_maxima(max_pool_gradient_with_options, case):
    """For every input of zeros and ones up to 2×3, window of 2×2, stride of 1 or 2 and padding of 0 or 1, and for those
    of 3×3 with stride 1, the gradient is a sum of one subgradient of each window.

    Source: Rockafellar, Convex Analysis, 1970, theorem 23.8.
    Proof: proofs/pooling.v, overlapping_gradients_are_the_subgradients.
    """
    where = "of inputs up to 2×3 with 2×2 windows, strides up to 2 and paddings, and of 3×3 with stride 1"
    noted("for all zeros and ones", where)
    require_legal(max_pool_gradient_with_options, max_pool_gradient_with_options.at(case), case)


@each(_weak_orderings)
def test_gradient_with_options_at_every_weak_ordering(max_pool_gradient_with_options, case):
    """For each of the 75 ways in which four entries can be ordered, ties included, with every stride up to 3 and every
    padding, the gradient is a sum of one subgradient of each window.

    Source: Rockafellar, Convex Analysis, 1970, theorem 23.8; 75 is the fourth ordered Bell number, OEIS A000670.
    Proof: proofs/pooling.v, overlapping_gradients_are_the_subgradients.
    """
    noted("at every weak ordering of four entries", "with windows up to 2×2 and 1×3, strides up to 3 and paddings")
    require_legal(max_pool_gradient_with_options, max_pool_gradient_with_options.at(case), case)


@each(_weak_orderings)
def test_max_pool_with_options_at_every_weak_ordering(max_pool_with_options, case):
    """For each of the 75 ways in which four entries can be ordered, ties included, with every stride up to 3 and every
    padding, the maxima are right.

    Source: the definition; 75 is the fourth ordered Bell number, OEIS A000670.
    """
    noted("at every weak ordering of four entries", "with windows up to 2×2 and 1×3, strides up to 3 and paddings")
    agree(max_pool_with_options.at(case), exactly(right.max_pool(case)), OUTPUT)
