"""Softmax over the last axis, and its gradient."""

import math

import numpy as np

from ..harness.checking.cases import cases_from
from ..harness.checking.comparison import agree
from ..harness.checking.statement import given
from ..harness.core.setting import setting
from ..harness.core.values import within
from ..layers.activations import DIFFERENCE_STEP
from ..layers.further.softmax import off, read, read_moderate, read_scaled, softmax_of

softmax_cases, moderate_cases, scaled_cases = map(cases_from, (read, read_moderate, read_scaled))


@given(case=softmax_cases)
def test_softmax_is_the_normalised_exponential(softmax, case):
    """Row by row softmax is `exp(x[i,j]) / Σ[k] exp(x[i,k])`, at logits of 10⁴ too, where the exponentials overflow.

    Source: Bridle, in Neurocomputing, NATO ASI Series F 68, 1990; Blanchard, Higham & Higham, IMA Journal of Numerical
    Analysis 41, 2021.
    """
    rows = [[math.exp(value - max(row)) for value in row] for row in case.x.tolist()]
    expected = np.array([[value / math.fsum(row) for value in row] for row in rows])
    agree(softmax.at(case), within(expected, expected * off(case.x)), "softmax(x)")


@given(case=softmax_cases)
def test_softmax_is_a_distribution(softmax, case):
    """Each row sums to 1, and no entry is below 0 or above 1.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 6.2.2.3.
    """
    answer = softmax.at(case)
    error = off(case.x)[:, 0] + setting().eps * answer.shape[1]
    agree(answer.sum(axis=1), within(np.ones(len(answer)), error), "the sums of softmax(x) over the classes")
    beyond = answer - np.clip(answer, 0.0, 1.0)
    agree(beyond, within(np.zeros(answer.shape), off(case.x)), "what softmax(x) exceeds [0, 1] by")


@given(case=softmax_cases)
def test_softmax_ignores_shifts(softmax, case):
    """What is added to all logits of a row changes nothing, whatever is added to other rows.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 4.1.
    """
    answer, shifts = softmax.at(case), 8.0 * (1 + np.arange(len(case.x)))[:, None]
    shifted = case.changed(x=case.x + shifts)
    expected = within(answer, answer * (off(case.x) + off(shifted.x)) + setting().tiny)
    agree(softmax.at(shifted), expected, "softmax(x + a constant for each row)")


@given(case=softmax_cases)
def test_softmax_knows_no_order(softmax, case):
    """Classes and rows in another order get the same values in that order, and each row what it gets alone.

    Source: the definition, a sum over the classes of one row.
    """
    answer = softmax.at(case)
    expected = within(answer, 2 * answer * off(case.x))
    turned = softmax.at(case.changed(x=case.x[::-1, ::-1]))
    agree(turned[::-1, ::-1], expected, "softmax of x with its rows and columns reversed, reversed")
    alone = [softmax.at(case.changed(x=row[None])) for row in case.x]
    agree(np.concatenate(alone), expected, "softmax of each row alone")


@given(case=softmax_cases)
def test_larger_logits_are_likelier(softmax, case):
    """Of two logits of a row the larger one has no smaller probability, and equal ones have the same.

    Source: the exponential function is monotone.
    """
    order = case.x.argsort(axis=1)
    answer = np.take_along_axis(softmax.at(case), order, axis=1)
    same = np.diff(np.take_along_axis(case.x, order, axis=1)) == 0
    rises = np.diff(answer)
    expected = within(np.where(same, 0.0, np.maximum(rises, 0.0)), 2 * off(case.x) * answer[:, 1:] + setting().tiny)
    agree(rises, expected, "the rises of softmax(x) in the order of the logits")


@given(case=softmax_cases)
def test_gradient_is_the_jacobian_times_upstream(softmax_gradient, case):
    """The gradient is `Σ[k] s[j] ([j = k] − s[k]) upstream[k]` for s = softmax(x), row by row.

    Source: Bridle, in Neurocomputing, NATO ASI Series F 68, 1990.
    """
    rows = zip(softmax_of(case.x).tolist(), case.upstream.tolist(), strict=True)
    expected = [
        [math.fsum(s[j] * ((j == k) - s[k]) * u for k, u in enumerate(upstream)) for j in range(len(s))]
        for s, upstream in rows
    ]
    (bound,) = softmax_gradient.signature.value(case)
    agree(softmax_gradient.at(case), within(np.array(expected), bound.allowed), "softmax_gradient(x, upstream)")


@given(case=softmax_cases)
def test_gradient_sums_to_zero(softmax_gradient, case):
    """Each row of the gradient sums to 0: softmax stays as it is if a row's logits all rise alike.

    Source: the sums of softmax are 1, so their derivatives are 0.
    """
    answer, (bound,) = softmax_gradient.at(case), softmax_gradient.signature.value(case)
    error = bound.allowed.sum(axis=1) + setting().eps * answer.shape[1] * np.abs(answer).sum(axis=1)
    agree(answer.sum(axis=1), within(np.zeros(len(answer)), error), "the sums of softmax_gradient over the classes")


@given(case=scaled_cases)
def test_gradient_is_linear_in_upstream(softmax_gradient, case):
    """The gradient of a sum of upstreams is the sum of the gradients, at every scale of upstream.

    Source: a gradient is linear in upstream.
    """
    several = [case, *(case.changed(upstream=one) for one in (case.other, case.upstream + case.other))]
    one, other, both = map(softmax_gradient.at, several)
    error = sum(softmax_gradient.signature.value(given)[0].allowed for given in several) + setting().eps * np.abs(both)
    agree(both, within(one + other, error), "softmax_gradient(x, upstream + other)")


@given(case=softmax_cases)
def test_gradient_ignores_what_upstream_has_in_common(softmax_gradient, case):
    """What is added to all of a row's upstream changes nothing.

    Source: the sums of softmax are 1, so their derivatives are 0.
    """
    shifted = case.changed(upstream=case.upstream + 1 + np.arange(len(case.x))[:, None])
    answer = softmax_gradient.at(case)
    error = sum(softmax_gradient.signature.value(one)[0].allowed for one in (case, shifted))
    agree(softmax_gradient.at(shifted), within(answer, error), "softmax_gradient(x, upstream + a constant)")


@given(case=softmax_cases)
def test_jacobian_is_symmetric(softmax_gradient, case):
    """`⟨v, gradient of u⟩ = ⟨u, gradient of v⟩` for any two upstreams u and v.

    Source: softmax is itself a gradient, of log Σ exp, so that its Jacobian is a matrix of second derivatives.
    """
    other = np.arange(1.0, case.x.size + 1).reshape(case.x.shape) ** 2 % 5 - 2
    turned, error = case.changed(upstream=other), 0.0
    for one, direction in ((case, other), (turned, case.upstream)):
        (value,) = softmax_gradient.signature.value(one)
        rounding = setting().eps * case.x.size * np.abs(value.value)
        error += (np.abs(direction) * (value.allowed + rounding)).sum()
    left, right = (softmax_gradient.at(case) * other).sum(), (softmax_gradient.at(turned) * case.upstream).sum()
    agree(left, within(right, error), "⟨v, softmax_gradient(x, u)⟩")


@given(case=moderate_cases)
def test_gradient_matches_differences(softmax_gradient, softmax, case):
    """The gradient is the limit of softmax's own differences, times upstream.

    By one logit an entry is a logistic function, or a share of 1 less one: its third derivative is at most 1/8, and
    that of ⟨softmax, upstream⟩ at most a quarter of the largest upstream. Source: Higham, Accuracy and Stability of
    Numerical Algorithms, section 1.14.
    """
    step, expected, error = DIFFERENCE_STEP[setting().dtype], np.zeros(case.x.shape), np.zeros(case.x.shape)
    sizes = np.abs(case.upstream)
    for j in range(case.x.shape[1]):
        moved = np.where(np.arange(case.x.shape[1]) == j, step, 0.0)
        ahead, behind = softmax.at(case.changed(x=case.x + moved)), softmax.at(case.changed(x=case.x - moved))
        expected[:, j] = ((ahead - behind) * case.upstream).sum(axis=1) / (2 * step)
        rounding = 2 * off(np.abs(case.x) + step) * np.maximum(ahead, behind)
        error[:, j] = (rounding * sizes).sum(axis=1) / (2 * step) + step**2 / 6 / 4 * sizes.max(axis=1)
    (bound,) = softmax_gradient.signature.value(case)
    agree(softmax_gradient.at(case), within(expected, error + bound.allowed), "softmax_gradient(x, upstream)")
