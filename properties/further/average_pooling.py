"""Average pooling and its gradient, with a stride and a padding of zeros."""

from functools import partial

import numpy as np

from ..harness.checking.cases import cases_from
from ..harness.checking.comparison import agree
from ..harness.checking.exhaustive import counted, noted
from ..harness.checking.reduction import is_supported
from ..harness.checking.statement import each, given
from ..harness.checking.trial import current
from ..harness.core.setting import with_setting
from ..harness.core.values import Value, exactly
from ..layers.exhaustive import basis
from ..layers.further import average_pooling as right
from ..layers.further.averages import axes_of, counts_padding, every_small, where_small


def _read_side_by_side(tape):
    with with_setting(options=frozenset()):
        return right.read(tape)


pooled_cases, pairs_of_inputs = cases_from(right.read), cases_from(partial(right.read, second=True))
full_cases, single_cases = (cases_from(partial(right.read, kind=kind)) for kind in ("full", "single"))
left_over_cases, side_by_side_cases = cases_from(partial(right.read, kind="left over")), cases_from(_read_side_by_side)


@given(case=pooled_cases)
def test_average_pool_is_the_mean(average_pool, case):
    """Each output is the sum of its window over the number of the window's entries: with padding all of them, or those
    of `x` alone, as the target has it.

    Source: Dumoulin & Visin, arXiv:1603.07285, section 1.2 and 3; PyTorch's and TensorFlow's average pooling.
    """
    (bound,) = average_pool.signature.value(case)
    means = np.empty(bound.value.shape)
    for place in np.ndindex(means.shape):
        held = _held(case, place)
        over = np.prod(case.window) if counts_padding() else case.x[held].size
        means[place] = sum(case.x[held].ravel().tolist()) / over
    agree(average_pool.at(case), Value(means, bound.units, bound.size), "average_pool(x, window)")


@given(case=side_by_side_cases)
def test_average_pool_is_block_reduce(average_pool, case):
    """Where windows stand side by side and fill the input, pooling is scikit-image's `block_reduce` with the mean.

    Source: scikit-image, `skimage.measure.block_reduce`.
    """
    from skimage.measure import block_reduce

    if any(case.padding) or not all(axis.divides for axis in axes_of(case)):
        return  # a case that was cut down to another
    (bound,) = average_pool.signature.value(case)
    reduced = block_reduce(case.x, (1, 1, *case.window), np.mean)
    agree(average_pool.at(case), Value(reduced, bound.units, bound.size), "average_pool(x, window)")


@given(case=pairs_of_inputs)
def test_average_pool_is_linear(average_pool, case):
    """The average of `x − other/2` is that of `x` less half of that of `other`.

    Source: linearity of the mean.
    """
    x, other = case.x, case.other
    (of_x,), (of_other,) = (average_pool.signature.value(case.changed(x=one)) for one in (x, other))
    apart = average_pool.at(case) - average_pool.at(case.changed(x=other)) / 2
    expected = Value(apart, 2 * of_x.units + 2, of_x.size + of_other.size / 2)
    agree(average_pool.at(case.changed(x=x - other / 2)), expected, "average_pool(x − other/2, window)")


@given(case=full_cases)
def test_average_of_a_constant_is_the_constant(average_pool, case):
    """An input of one number gives that number everywhere, where padding does not count.

    Source: the weights of a mean sum to 1.
    """
    case["x"] = np.full(case.x.shape, case.x.flat[0] or 1.0)
    (bound,) = average_pool.signature.value(case)
    constant = np.full(bound.value.shape, case.x.flat[0])
    agree(average_pool.at(case), Value(constant, bound.units, bound.size), "average_pool(constant, window)")


@given(case=single_cases)
def test_windows_of_one_entry_give_the_input(average_pool, case):
    """A window of one entry gives the entries that the stride lands on: with a stride of 1 the input.

    Source: the mean of one number.
    """
    taken = case.x[..., :: case.stride[0], :: case.stride[1]]
    agree(average_pool.at(case), exactly(taken), "average_pool(x, (1, 1))")


@given(case=pooled_cases)
def test_average_pool_commutes_with_transposition(average_pool, case):
    """The transposed input, with window, stride and padding turned round, gives the transposed output.

    Source: the definition of the mean, which treats rows and columns alike.
    """
    turned = case.changed(
        x=case.x.swapaxes(-2, -1), **{name: case[name][::-1] for name in ("window", "stride", "padding")}
    )
    if not is_supported(right.AVERAGE_POOLING, turned):
        return
    (bound,) = average_pool.signature.value(case)
    expected = Value(average_pool.at(case).swapaxes(-2, -1), 2 * bound.units, bound.size.swapaxes(-2, -1))
    agree(average_pool.at(turned), expected, "average_pool of the transposed")


@given(case=pooled_cases)
def test_gradient_hands_out_equal_shares(average_pool_gradient, case):
    """Each window's upstream value goes to its entries in equal shares, which add up where windows overlap.

    Source: the chain rule on the mean.
    """
    (bound,) = average_pool_gradient.signature.value(case)
    shares = np.zeros(case.x.shape)
    for place in np.ndindex(case.upstream.shape):
        held = _held(case, place)
        shares[held] += case.upstream[place] / (np.prod(case.window) if counts_padding() else case.x[held].size)
    answer = average_pool_gradient.at(case)
    agree(answer, Value(shares, bound.units, bound.size), "average_pool_gradient(x, window, upstream)")


@given(case=pooled_cases)
def test_gradient_is_the_adjoint(average_pool_gradient, average_pool, case):
    """`⟨average_pool(x), upstream⟩ = ⟨x, gradient⟩`, with the target's own two operations.

    Source: Claerbout, Earth Soundings Analysis, 1992: the dot-product test.
    """
    product = (case.x * average_pool_gradient.at(case)).sum()
    (there,), (back,) = average_pool.signature.value(case), average_pool_gradient.signature.value(case)
    size = float((there.size * np.abs(case.upstream)).sum())
    units = there.units + back.units + case.x.size + case.upstream.size
    agree(product, Value((average_pool.at(case) * case.upstream).sum(), units, size), "⟨x, gradient⟩")


@given(case=pooled_cases)
def test_gradient_matches_differences(average_pool_gradient, average_pool, case):
    """Entry by entry the gradient is the difference of `⟨average_pool, upstream⟩` as that entry moves.

    Pooling is linear, so a central difference is exact for any step; the step is the input's own size.
    Source: linearity of the mean.
    """
    step = 2.0 ** np.ceil(np.log2(np.abs(case.x).max() or 1.0))
    quotient = np.empty(case.x.shape)
    for index in np.ndindex(case.x.shape):
        nudge = np.zeros(case.x.shape)
        nudge[index] = step
        there, back = (average_pool.at(case.changed(x=moved)) for moved in (case.x + nudge, case.x - nudge))
        quotient[index] = ((there - back) * case.upstream).sum() / (2 * step)
    (pooled,), (bound,) = average_pool.signature.value(case), average_pool_gradient.signature.value(case)
    # two means off by their units, of numbers up to x and the step, over two steps
    size = bound.size + float((pooled.size * np.abs(case.upstream)).sum()) / step
    units = pooled.units + bound.units + case.upstream.size + 1
    agree(average_pool_gradient.at(case), Value(quotient, units, size), "average_pool_gradient(x, window, upstream)")


@given(case=pairs_of_inputs)
def test_gradient_goes_by_no_input(average_pool_gradient, case):
    """Another input in place of `x` gives the same gradient.

    Source: the mean is linear in its terms.
    """
    (bound,) = average_pool_gradient.signature.value(case)
    expected = Value(average_pool_gradient.at(case), 2 * bound.units, bound.size)
    agree(average_pool_gradient.at(case.changed(x=case.other)), expected, "average_pool_gradient(other, …)")


@given(case=full_cases)
def test_gradient_sums_to_upstream(average_pool_gradient, case):
    """The gradient's entries sum to upstream's, where padding does not count.

    Source: the shares of a window sum to 1.
    """
    (bound,) = average_pool_gradient.signature.value(case)
    size = float(np.abs(case.upstream).sum())
    units = bound.units + case.x.size + case.upstream.size
    agree(average_pool_gradient.at(case).sum(), Value(case.upstream.sum(), units, size), "the gradient's sum")


@given(case=left_over_cases)
def test_gradient_vanishes_where_no_window_is(average_pool_gradient, case):
    """What a stride leaves over, between windows or behind the last, gets nothing.

    Source: no output depends on it.
    """
    rows, columns = (axis.covers.any(axis=0) for axis in axes_of(case))
    rest = np.where(np.outer(rows, columns), 0.0, average_pool_gradient.at(case))
    agree(rest, exactly(np.zeros(case.x.shape)), "the gradient of what is left over")


def _poolings(**_):
    return every_small(current().share)


@each(_poolings)
def test_average_pool_on_all_basis_vectors(average_pool, case):
    """For inputs and windows up to 3×3, or 2×2 with channels, every stride up to 3 and every padding, the outputs are
    right on every basis vector.

    Being linear it is then right for these shapes. Source: a linear map is fixed by its values on a basis.
    """
    _on_basis(average_pool, case, "x")


@each(_poolings)
def test_gradient_on_all_basis_vectors(average_pool_gradient, case):
    """For inputs and windows up to 3×3, or 2×2 with channels, every stride up to 3 and every padding, the gradient is
    right on every basis vector of upstream.

    Being linear in upstream it is then right for these shapes. Source: a linear map is fixed by its values on a basis.
    """
    _on_basis(average_pool_gradient, case, "upstream")


def _on_basis(operation, case, name):
    noted("on every basis vector", where_small(current().share))
    vectors = basis(case[name].shape)
    (expected,) = operation.signature.value(case.changed(**{name: vectors}))
    answers = []
    for vector in vectors:
        case[name] = vector
        answers.append(operation.at(case))
    wrong = ~(np.abs(answers - expected.value) <= expected.allowed)
    if wrong.any():
        number = int(np.argwhere(wrong)[0][0])
        case[name] = vectors[number]
        (alone,) = operation.signature.value(case)
        agree(answers[number], alone, operation.name)
    agree(answers, expected, operation.name)
    counted(len(vectors))


def _held(case, place):
    """The entries of `x` that a window holds."""
    sides = zip(place[2:], case.stride, case.padding, case.window, strict=True)
    starts = [(index * step - padding, part) for index, step, padding, part in sides]
    return (*place[:2], *(slice(max(start, 0), start + part) for start, part in starts))
