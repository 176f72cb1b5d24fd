"""The losses: what their cases reach, what a target may declare, that their oracles are another library's, and what is
refused.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.special

from benchmarks.right_losses import INTEGERS
from benchmarks.right_losses import VARIANTS as RIGHT
from benchmarks.trials import arguments_of, failure_of
from properties.further import losses as statements
from properties.harness.checking.conventions import examined
from properties.harness.core.setting import with_setting
from properties.harness.core.tape import Case, Tape
from properties.harness.core.text import literal, shown
from properties.harness.core.values import Kind
from properties.harness.target.layout import Layout
from properties.harness.target.target import CannotLoad, make_target
from properties.layers import OPERATIONS
from properties.layers.further import loss_cases as cases
from properties.layers.further.losses import LOSSES
from properties.layers.plain import ways
from properties.layers.plain.turns import HALF_MEAN, HALF_SUM, MEAN, SQUARES, SUM
from tests.doubles import trial_of

COUNT = 300


def drawn(read, count=COUNT):
    """So many cases, from random bytes."""
    generator = np.random.default_rng(0)
    return [read(Tape(generator.bytes(4096))) for _ in range(count)]


def failing(statement, operation="", **offered):
    """How a statement fails on a target that offers this alone; None if it holds."""
    with trial_of(**offered) as trial:
        arguments = arguments_of(statement, trial.target, operation or None)
        return failure_of(statement, arguments, trial)


@pytest.mark.parametrize("labels", ["integers", "one-hot"])
def test_probabilities_are_distributions_with_zeros_off_the_labels(labels):
    """Rows sum to 1 to the bit, no entry is 1, some are 0, none at a label, nor where one is in the order reversed."""
    with with_setting(labels=labels):
        found = drawn(cases.read_probabilities)
    for case in found:
        np.testing.assert_array_equal(case.probabilities.sum(axis=1), 1.0)
        assert case.probabilities[case.probabilities > 0].min() >= 2.0**-12
        assert case.probabilities.max() < 1
        for turned in (case.labels, case.labels[:, ::-1]):
            assert (case.probabilities[turned > 0] > 0).all()
    assert sum((case.probabilities == 0).any() for case in found) > COUNT / 8


@pytest.mark.parametrize("labels", ["integers", "one-hot"])
def test_labels_may_be_soft_where_they_are_rows(labels):
    """Labels sum to 1 to the bit; they are certain unless rows were declared, and then about half of them are not."""
    with with_setting(labels=labels):
        found = [case.labels for case in drawn(cases.read_logits_and_labels)]
        truths = np.concatenate([case.labels for case in drawn(cases.read_row)])
    assert all((one.sum(axis=1) == 1).all() and one.min() >= 0 for one in found)
    soft = sum(not np.isin(one, (0, 1)).all() for one in found)
    assert soft > COUNT / 4 if labels == "one-hot" else not soft
    assert set(truths) == ({0.0, 1.0} if labels == "integers" else {number / 16 for number in range(17)})
    assert {one.argmax() for one in found if one.shape == (1, 6)} == set(range(6))


def test_every_label_is_impossible_once():
    """The likeliest label of each row has the probability 0, and rows sum to 1 still."""
    for case in drawn(cases.read_impossible):
        assert (case.probabilities[case.labels == 1] == 0).all()
        np.testing.assert_array_equal(case.probabilities.sum(axis=1), 1.0)


@pytest.mark.parametrize("layer", LOSSES, ids=lambda layer: layer.name)
def test_gradients_are_those_of_the_losses(layer):
    """The oracle's gradient is the limit of the oracle's own differences, along every step."""
    loss, gradient = layer.operations
    for case in drawn(cases.MODERATE[layer.name], 40):
        name, array = next(iter(case.items()))
        (slopes,) = gradient.value(case)
        for direction, length, truncation in cases.steps(case):
            ends = [loss.value(case.changed(**{name: array + way * length * direction}))[0] for way in (1, -1)]
            difference = (ends[0].value - ends[1].value) / (2 * length)
            allowed = (ends[0].allowed + ends[1].allowed) / (2 * length) + truncation
            slack = (slopes.allowed * np.abs(direction)).sum()
            assert abs((slopes.value * direction).sum() - difference) <= allowed + slack


def test_oracles_are_scipys():
    """SciPy's log-softmax, xlogy and log-logistic give the same losses within their bounds."""
    with with_setting(labels="one-hot"):
        for case in drawn(cases.read_logits_and_labels):
            loss = -(case.labels * scipy.special.log_softmax(case.logits, axis=1)).sum(axis=1).mean()
            (value,) = OPERATIONS["softmax_cross_entropy"].value(case)
            assert abs(loss - value.value) <= value.allowed
        for case in drawn(cases.read_probabilities):
            loss = -scipy.special.xlogy(case.labels, case.probabilities).sum(axis=1).mean()
            (value,) = OPERATIONS["cross_entropy"].value(case)
            assert abs(loss - value.value) <= value.allowed
        for case in drawn(cases.read_row):
            z, y = case.logits, case.labels
            loss = -(y * scipy.special.log_expit(z) + (1 - y) * scipy.special.log_expit(-z)).mean()
            (value,) = OPERATIONS["logistic_cross_entropy"].value(case)
            assert abs(loss - value.value) <= value.allowed


@pytest.mark.parametrize("layer", LOSSES, ids=lambda layer: layer.name)
def test_oracles_take_points(layer):
    """With a further axis in front, values and bounds are those of each point alone."""
    found = [case for case in drawn(layer.read) if next(iter(case.values())).shape[0] == 3]
    shape = next(iter(found[0].values())).shape
    alike = [case for case in found if next(iter(case.values())).shape == shape][:4]
    together = Case({name: np.stack([case[name] for case in alike]) for name in alike[0]})
    for operation in layer.operations:
        (value,) = operation.value(together)
        for number, case in enumerate(alike):
            (alone,) = operation.value(case)
            np.testing.assert_allclose(value.value[number], alone.value, rtol=1e-14)
            np.testing.assert_allclose(value.allowed[number], alone.allowed, rtol=1e-12)


@pytest.mark.parametrize("layer", LOSSES, ids=lambda layer: layer.name)
def test_smaller_cases_are_cases_too(layer):
    """They lose an image or a class, and what was a distribution is one still."""
    case = next(case for case in drawn(layer.read) if next(iter(case.values())).shape[0] == 3)
    found = list(cases.smaller(case))
    assert found
    for one in found:
        assert next(iter(one.values())).size < next(iter(case.values())).size
        for name in ("probabilities", *(["labels"] if layer.kinds.get("labels") is Kind.LABELS else [])):
            if name in one:
                np.testing.assert_array_equal(one[name].sum(axis=1), 1.0)


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (lambda m: 0.5, HALF_SUM),
        (lambda m: 1.0, SUM),
        (lambda m: 0.5 / m, HALF_MEAN),
        (lambda m: 1 / m, MEAN),
        (lambda m: 0.25, None),
    ],
)
def test_factor_is_found_by_the_loss_or_else_by_its_gradient(share, words):
    """Half the squares, the squares, or their means, and nothing else; the two of them need not both be there."""
    offered = {
        "squared_error": lambda p, t: share(p.shape[1]) * np.sum((p - t) ** 2) / len(p),
        "squared_error_gradient": lambda p, t: 2 * share(p.shape[1]) * (p - t) / len(p),
    }
    for names in (offered, ["squared_error"], ["squared_error_gradient"]):
        target = make_target(SimpleNamespace(**{name: offered[name] for name in names}), "double")
        assert examined(target)[1].chosen(SQUARES) == words


def test_gradient_is_held_to_the_losses_own_factor():
    """A gradient with the 2 of the square is refuted beside a loss with the 1/2, and beside one without it is not."""
    statement = statements.test_squared_error_gradient_is_its_definition
    loss = {"squared_error": lambda p, t: np.sum((p - t) ** 2) / 2 / len(p)}
    gradient = {"squared_error_gradient": lambda p, t: 2 * (p - t) / len(p)}
    assert failing(statement, **loss, **gradient)
    assert not failing(statement, **gradient)


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("REDUCTION", "none", 'REDUCTION must be "mean" or "sum", not \'none\''),
        ("LABELS", ["one-hot"], 'LABELS must be "integers" or "one-hot", not [\'one-hot\']'),
    ],
)
def test_nonsense_is_refused(attribute, value, words):
    """What is declared must be one of two words."""
    with pytest.raises(CannotLoad) as caught:
        make_target(SimpleNamespace(softmax=abs, **{attribute: value}), "mine")
    assert str(caught.value) == f"mine: {words}"


def test_sum_that_is_not_declared_is_refuted():
    """Losses and gradients that are sums are refused without the word for it."""
    declared = RIGHT["the sum of squares, summed"]
    statement = statements.test_squared_error_is_its_definition
    assert not failing(statement, **declared)
    assert failing(statement, **{**declared, "REDUCTION": "mean"})


def test_labels_are_whole_numbers_at_the_door():
    """Rows are handed over as the numbers of their classes, or as they are; numbers are taken for rows again."""
    case = Case(logits=np.zeros((2, 3)), labels=np.eye(3)[[2, 0]])
    for labels, outward in (("integers", np.array([2, 0])), ("one-hot", case.labels)):
        layout = Layout("HW", labels=labels)
        found = layout.outward(Kind.LABELS, case.labels, case)
        np.testing.assert_array_equal(found, outward)
        assert found.dtype == outward.dtype
        assert layout.outward_shape(Kind.LABELS, (2, 3)) == outward.shape
        np.testing.assert_array_equal(layout.inward(Kind.LABELS, found, case), case.labels)
    assert literal("labels", np.array([2, 0])) == "labels = np.array([2, 0])"
    assert shown(np.array([2, 0])) == "[2, 0]"


WRONG = {
    "constant inside": ("cross_entropy", lambda p, y: -np.log(p[np.arange(len(y)), y] + 1e-12).mean()),
    "overflow": ("softmax_cross_entropy", lambda z, y: np.mean(np.log(np.exp(z).sum(1)) - z[range(len(y)), y])),
    "no mean": (
        "softmax_cross_entropy_gradient",
        lambda z, y: INTEGERS["softmax_cross_entropy_gradient"](z, y) * len(y),
    ),
}


@pytest.mark.parametrize(("operation", "wrong"), WRONG.values(), ids=WRONG)
def test_wrong_losses_are_refuted(operation, wrong):
    """A constant inside the logarithm, an overflow, and a gradient that is no mean."""
    with np.errstate(all="ignore"):
        assert failing(getattr(statements, f"test_{operation}_is_its_definition"), **{operation: wrong})


def test_infinity_at_a_probability_of_zero_is_refuted_there_alone():
    """A logarithm of 0 is finite nowhere; all else holds of that loss."""
    unclipped = {"cross_entropy": lambda p, y: -np.log(p[np.arange(len(y)), y]).mean()}
    with np.errstate(all="ignore"):
        failure = failing(statements.test_stays_finite_at_a_probability_of_zero, "cross_entropy", **unclipped)
        assert "infinite" in str(failure)
        assert not failing(statements.test_cross_entropy_is_its_definition, **unclipped)
        assert not failing(statements.test_right_answers_cost_least, "cross_entropy", **unclipped)


def test_every_declaration_has_plain_code():
    """Of each operation there is a way for labels that are rows too, and it is right there."""
    for labels, reduction in (("one-hot", "mean"), ("one-hot", "sum"), ("integers", "sum")):
        with with_setting(labels=labels, reduction=reduction), np.errstate(over="ignore"):
            layout = Layout()
            for layer in LOSSES:
                for operation in layer.operations:
                    assert ways(operation.name)
                    for way in ways(operation.name):
                        for case in drawn(layer.read, 20):
                            outward = [layout.outward(kind, case[name], case) for name, kind in operation.takes.items()]
                            (value,) = operation.value(case)
                            assert (np.abs(way(*outward) - value.value) <= value.allowed).all()
