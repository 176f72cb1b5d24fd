"""The losses, and their gradients."""

import math

import numpy as np
import pytest

from ..harness.checking.cases import cases_from
from ..harness.checking.comparison import agree, require
from ..harness.checking.exhaustive import noted
from ..harness.checking.statement import each, given
from ..harness.core.setting import setting
from ..harness.core.values import Kind, within
from ..layers.further import loss_cases as cases
from ..layers.further.losses import LOSSES as LAYERS
from ..layers.further.softmax import off, softmax_of
from ..layers.plain.turns import averaged, of_difference, of_squares

LOSSES = [layer.name for layer in LAYERS]
GRADIENTS = [f"{name}_gradient" for name in LOSSES]
OF_CLASSES = [name for name, one in zip(LOSSES, LAYERS, strict=True) if Kind.LABELS in one.kinds.values()]
any_cases = {layer.name: cases_from(layer.read) for layer in LAYERS}
moderate_cases = {name: cases_from(read) for name, read in cases.MODERATE.items()}
square_cases, probability_cases, logit_cases, row_cases = any_cases.values()
impossible_cases, both_cases = cases_from(cases.read_impossible), cases_from(cases.read_moderate_logits)


@given(case=square_cases)
def test_squared_error_is_its_definition(squared_error, case):
    """The loss is the sum of squares of prediction − target, or half of it, or of their mean, as it was found to be.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 5.1.4.
    """
    rows = zip(case.prediction.tolist(), case.target.tolist(), strict=True)
    squares = math.fsum((p - t) ** 2 for row in rows for p, t in zip(*row, strict=True))
    expected = averaged(of_squares(squares, case.prediction.shape[1]), len(case.prediction))
    _agree_within_bound(squared_error, case, expected)


@given(case=square_cases)
def test_squared_error_gradient_is_its_definition(squared_error_gradient, case):
    """The gradient is prediction − target, times 2 where the loss has no 1/2, over what the loss is divided by.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 5.1.4.
    """
    rows = zip(case.prediction.tolist(), case.target.tolist(), strict=True)
    differences = np.array([[p - t for p, t in zip(*row, strict=True)] for row in rows])
    expected = averaged(of_difference(differences, differences.shape[1]), len(differences))
    _agree_within_bound(squared_error_gradient, case, expected)


@given(case=probability_cases)
def test_cross_entropy_is_its_definition(cross_entropy, case):
    """The loss is `−log` of what the label's class is likely, or `−Σ labels log(probabilities)`; a class that is no
    label counts for nothing, if its probability is 0 too.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 3.13, with 0 log 0 = 0.
    """
    terms = _labelled(case.labels, case.probabilities)
    expected = averaged(math.fsum(-label * math.log(likely) for label, likely in terms), len(case.labels))
    _agree_within_bound(cross_entropy, case, expected)


@given(case=probability_cases)
def test_cross_entropy_gradient_is_its_definition(cross_entropy_gradient, case):
    """The gradient is `−labels / probabilities`, and 0 for a class that is no label, if its probability is 0 too.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 6.2.2.
    """
    pairs = zip(case.labels.ravel().tolist(), case.probabilities.ravel().tolist(), strict=True)
    slopes = np.array([-label / likely if label else 0.0 for label, likely in pairs]).reshape(case.labels.shape)
    _agree_within_bound(cross_entropy_gradient, case, averaged(slopes, len(slopes)))


@given(case=logit_cases)
def test_softmax_cross_entropy_is_its_definition(softmax_cross_entropy, case):
    """The loss is `log Σ exp(logits)` less the label's logit, at logits of 10⁴ too, where softmax is 0 at the label.

    Source: Blanchard, Higham & Higham, IMA Journal of Numerical Analysis 41, 2021, on log Σ exp.
    """
    losses = []
    for logits, labels in zip(case.logits.tolist(), case.labels.tolist(), strict=True):
        most = max(logits)
        total = math.log(math.fsum(math.exp(logit - most) for logit in logits))
        losses += [label * (total + (most - logit)) for label, logit in zip(labels, logits, strict=True)]
    _agree_within_bound(softmax_cross_entropy, case, averaged(math.fsum(losses), len(case.labels)))


@given(case=logit_cases)
def test_softmax_cross_entropy_gradient_is_its_definition(softmax_cross_entropy_gradient, case):
    """The gradient is `softmax(logits) − labels`, over the number of images if the loss is.

    Source: Bridle, in Neurocomputing, NATO ASI Series F 68, 1990.
    """
    rows = [[math.exp(logit - max(row)) for logit in row] for row in case.logits.tolist()]
    softmax = np.array([[value / math.fsum(row) for value in row] for row in rows])
    _agree_within_bound(softmax_cross_entropy_gradient, case, averaged(softmax - case.labels, len(rows)))


@given(case=row_cases)
def test_logistic_cross_entropy_is_its_definition(logistic_cross_entropy, case):
    """The loss is `log(1 + exp(−logits))` for a label of 1, `log(1 + exp(logits))` for one of 0, at logits of 10⁴ too.

    Source: Cox, Journal of the Royal Statistical Society B 20, 1958.
    """
    losses = [
        share * (max(z, 0.0) + math.log1p(math.exp(-abs(z))))
        for logit, label in zip(case.logits.tolist(), case.labels.tolist(), strict=True)
        for share, z in ((label, -logit), (1 - label, logit))
    ]
    _agree_within_bound(logistic_cross_entropy, case, averaged(math.fsum(losses), len(case.labels)))


@given(case=row_cases)
def test_logistic_cross_entropy_gradient_is_its_definition(logistic_cross_entropy_gradient, case):
    """The gradient is `σ(logits) − labels` for the logistic function σ, over the number of images if the loss is.

    Source: Cox, Journal of the Royal Statistical Society B 20, 1958.
    """
    slopes = np.array([0.5 * (1 + math.tanh(logit / 2)) for logit in case.logits.tolist()]) - case.labels
    _agree_within_bound(logistic_cross_entropy_gradient, case, averaged(slopes, len(slopes)))


@pytest.mark.parametrize("operation", LOSSES, indirect=True)
@given(case=any_cases)
def test_loss_of_a_batch_is_that_of_its_images(operation, case):
    """The loss of several images is the mean of the losses of each alone, or their sum, in whatever order they come.

    Source: the contract, on REDUCTION.
    """
    (bound,), count = operation.signature.value(case), len(case.labels if "labels" in case else case.target)
    alone = [cases.rows_of(case, [number]) for number in range(count)]
    error = sum(operation.signature.value(one)[0].allowed for one in alone)
    expected = within(averaged(sum(map(operation.at, alone)), count), averaged(error, count) + bound.allowed)
    agree(operation.at(case), expected, f"{operation.name} of {count} images")
    turned = operation.at(cases.rows_of(case, range(count)[::-1]))
    agree(turned, expected, f"{operation.name} of the same images in reverse")


@pytest.mark.parametrize("operation", GRADIENTS, indirect=True)
@given(case=any_cases)
def test_gradient_of_a_batch_is_that_of_its_images(operation, case):
    """An image's gradient goes by that image alone, over the number of images if the loss is a mean.

    Source: the contract, on REDUCTION.
    """
    (bound,), answer = operation.signature.value(case), operation.at(case)
    alone = [cases.rows_of(case, [number]) for number in range(len(answer))]
    error = np.concatenate([operation.signature.value(one)[0].allowed for one in alone])
    parts = np.concatenate([operation.at(one) for one in alone])
    expected = within(averaged(parts, len(answer)), averaged(error, len(answer)) + bound.allowed)
    agree(answer, expected, f"{operation.name} of {len(answer)} images")


@pytest.mark.parametrize("operation", GRADIENTS, indirect=True)
@given(case=moderate_cases)
def test_gradient_matches_differences(operation, function, case):
    """The gradient is the limit of the loss's own differences, for squares the differences themselves.

    Source: Higham, Accuracy and Stability of Numerical Algorithms, section 1.14.
    """
    answer, (bound,) = operation.at(case), operation.signature.value(case)
    found, differences, errors = [], [], []
    name, array = next(iter(case.items()))
    for direction, length, truncation in cases.steps(case):
        ends = [case.changed(**{name: array + way * length * direction}) for way in (1, -1)]
        rounding = sum(function.signature.value(one)[0].allowed for one in ends) / (2 * length)
        ahead, behind = map(function.at, ends)
        differences.append((ahead - behind) / (2 * length))
        found.append((answer * direction).sum())
        slack = (2 * bound.allowed + setting().eps * np.abs(answer)) * np.abs(direction)
        errors.append(rounding + truncation + slack.sum())
    agree(np.array(found), within(np.array(differences), np.array(errors)), f"{operation.name}, along each step")


@pytest.mark.parametrize("operation", LOSSES, indirect=True)
@given(case=any_cases)
def test_right_answers_cost_least(operation, case):
    """No loss is below 0, and none is larger where the answer is right and as sure as can be.

    Source: Gibbs's inequality; Cover & Thomas, Elements of Information Theory, theorem 2.6.3.
    """
    case.update(cases.certain(case))
    surest = cases.sure(case)
    (bound,), (least,) = operation.signature.value(case), operation.signature.value(surest)
    loss, smallest = operation.at(case), operation.at(surest)
    what = f"{operation.name} is below 0, where it is least"
    require(smallest >= -least.allowed, what, yours=smallest, expected="0 or more")
    what = f"{operation.name} is larger at the right answer"
    require(loss >= smallest - bound.allowed - least.allowed, what, yours=loss, expected=f"at least {smallest}")


@given(case=logit_cases)
def test_softmax_cross_entropy_ignores_shifts(softmax_cross_entropy, case):
    """What is added to all logits of a row changes nothing, whatever is added to other rows.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 4.1.
    """
    shifted = case.changed(logits=case.logits + 8.0 * (1 + np.arange(len(case.logits)))[:, None])
    error = sum(softmax_cross_entropy.signature.value(one)[0].allowed for one in (case, shifted))
    expected = within(softmax_cross_entropy.at(case), error)
    agree(
        softmax_cross_entropy.at(shifted), expected, "softmax_cross_entropy(logits + a constant for each row, labels)"
    )


@given(case=logit_cases)
def test_softmax_cross_entropy_gradient_sums_to_zero(softmax_cross_entropy_gradient, case):
    """Each row of the gradient sums to 0, since both softmax and the labels sum to 1.

    Source: Bridle, in Neurocomputing, NATO ASI Series F 68, 1990.
    """
    answer, (bound,) = softmax_cross_entropy_gradient.at(case), softmax_cross_entropy_gradient.signature.value(case)
    error = bound.allowed.sum(axis=1) + setting().eps * answer.shape[1] * np.abs(answer).sum(axis=1)
    agree(answer.sum(axis=1), within(np.zeros(len(answer)), error), "the sums of the gradient over the classes")


@given(case=both_cases)
def test_softmax_cross_entropy_is_that_of_softmax(softmax_cross_entropy, cross_entropy, softmax, case):
    """At logits that leave no probability near 0, it is the cross-entropy of softmax.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 6.2.2.3.
    """
    asked = case.changed(probabilities=softmax.at(case.changed(x=case.logits)))
    (bound,), (further,) = softmax_cross_entropy.signature.value(case), cross_entropy.signature.value(asked)
    moved = averaged(2 * off(case.logits).sum(), len(case.logits))  # a logarithm by as much as softmax by itself
    expected = within(cross_entropy.at(asked), bound.allowed + further.allowed + moved)
    agree(softmax_cross_entropy.at(case), expected, "softmax_cross_entropy(logits, labels)")


@given(case=both_cases)
def test_softmax_cross_entropy_gradient_is_the_chain_rule(
    softmax_cross_entropy_gradient, cross_entropy_gradient, softmax_gradient, softmax, case
):
    """It is softmax's gradient of the cross-entropy's, at logits that leave no probability near 0.

    Source: Rumelhart, Hinton & Williams, Nature 323, 1986: the chain rule.
    """
    probabilities = softmax.at(case.changed(x=case.logits))
    upstream = cross_entropy_gradient.at(case.changed(probabilities=probabilities))
    asked = case.changed(x=case.logits, upstream=upstream)
    (bound,), (inner,) = softmax_cross_entropy_gradient.signature.value(case), softmax_gradient.signature.value(asked)
    exact = softmax_of(case.logits)
    size = exact * (np.abs(upstream) + (exact * np.abs(upstream)).sum(axis=1, keepdims=True))
    moved = size * (2 * off(case.logits) + 8 * setting().eps)  # upstream by as much as softmax, by itself
    expected = within(softmax_gradient.at(asked), bound.allowed + inner.allowed + moved)
    agree(softmax_cross_entropy_gradient.at(case), expected, "softmax_cross_entropy_gradient(logits, labels)")


@given(case=row_cases)
def test_logistic_cross_entropy_is_symmetric(logistic_cross_entropy, case):
    """It is the same for the other labels and the logits with the other sign.

    Source: the symmetry of the logistic distribution.
    """
    other = case.changed(logits=-case.logits, labels=1 - case.labels)
    (bound,) = logistic_cross_entropy.signature.value(case)
    expected = within(logistic_cross_entropy.at(case), 2 * bound.allowed)
    agree(logistic_cross_entropy.at(other), expected, "logistic_cross_entropy(−logits, 1 − labels)")


@pytest.mark.parametrize("operation", ["cross_entropy", "cross_entropy_gradient"], indirect=True)
@given(case=impossible_cases)
def test_stays_finite_at_a_probability_of_zero(operation, case):
    """Where the label's probability is exactly 0, as softmax underflows to it, the answer is a number, whichever.

    Source: the contract, on finite values for finite input.
    """
    arguments = operation.signature.arguments(case)
    answer = operation.raw(*operation.handed(arguments))
    array = np.asarray(answer)
    holds = array.dtype.kind not in "biuf" or bool(np.isfinite(array).all())
    message = f"{operation.name} is infinite, or no number, where the label's probability is 0"
    require(holds, message, yours=array, expected="finite numbers", wrong=None if holds else ~np.isfinite(array))
    operation.checked(answer, arguments)


def _all_labels(operation, **_):
    return cases.every_labelling(next(iter(operation.signature.takes)))


@pytest.mark.parametrize("operation", [*OF_CLASSES, *(f"{name}_gradient" for name in OF_CLASSES)], indirect=True)
@each(_all_labels)
def test_every_label_counts_for_its_own_class(operation, case):
    """It is right for every way to label up to two images, of up to four classes.

    Source: there are no others.
    """
    noted("for every way to label them", "of up to 2 images and 4 classes")
    agree(operation.at(case), *operation.signature.value(case), operation.name)


def _labelled(labels, values):
    pairs = zip(labels.ravel().tolist(), values.ravel().tolist(), strict=True)
    return [(label, value) for label, value in pairs if label]


def _agree_within_bound(operation, case, expected):
    (bound,) = operation.signature.value(case)
    agree(operation.at(case), within(expected, bound.allowed), operation.name)
