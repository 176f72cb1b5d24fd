"""What numbers alone say is said where they say it, and not of numbers that cannot tell."""

import numpy as np
import pytest

from properties.harness.core.tape import Case
from properties.harness.core.values import Kind
from properties.harness.why.conditions import confined
from properties.harness.why.readings import at_zero, likely, measured

CASES = [
    Case(image=np.ones((1, 1, size, size)), kernel=np.ones((1, 1, 2, 2)), upstream=np.ones((1, 1, 1, 1)))
    for size in (2, 3, 4, 5)
]
VALUES = [np.array([[[[3.0, -1.0], [0.0, 0.125]]]]) * scale for scale in (1.0, 16.0, 1 / 3, 0.7)]
IMAGE = {"image": Kind.IMAGES}
NUMBERS = [np.array([[[[value]]]]) for value in (2.0, -0.5, 3.25, 1 / 3)]


def answers(change, values=VALUES):
    """Each value as it comes changed; `change` is given it, and its number."""
    return [
        (case, [change(value, number)], [value], 1e-15)
        for number, (case, value) in enumerate(zip(CASES, values, strict=True))
    ]


def said(change, values=VALUES):
    """What is said of a kernel gradient so changed."""
    found = answers(change, values)
    return measured("conv2d_kernel_gradient", found) or likely("conv2d_kernel_gradient", found)


@pytest.mark.parametrize(
    ("change", "words"),
    {
        "nothing": (lambda v, n: 0 * v, "the answer is 0 everywhere, whatever is asked"),
        "added": (lambda v, n: v + 0.01, "the answer is the right one plus 0.01, always: a constant is added"),
        "cut": (lambda v, n: np.clip(v, -0.5, 1.0), "the answer is the right one cut off at -0.5 and 1"),
        "threshold": (
            lambda v, n: v * (np.abs(v) > 0.1),
            "the answer is 0 where the right one is below a threshold, somewhere from 0.0875 to 0.125",
        ),
        "single": (lambda v, n: np.float64(np.float32(v)), "the answer is in single precision"),
        "turned and lost": (lambda v, n: v[..., ::-1, :] * (n > 0), None),
    }.values(),
)
def test_numbers_are_read(change, words):
    """A constant, one that is added, a limit, a threshold and single precision are told by the numbers."""
    found = said(change)
    assert found is None if words is None else found.startswith(words)


def test_limit_of_one_number_is_none():
    """That one wrong number is the largest of all cuts nothing off."""
    assert said(lambda v, n: np.minimum(v, 40.0)) is None


def test_factor_of_single_numbers_is_none_if_it_changes():
    """Every wrong number is the right one times something: only arrays of several entries show a factor."""
    operation = "conv2d_kernel_gradient"
    assert likely(operation, answers(lambda v, n: v * (2.0 + n), NUMBERS)) is None
    assert "a factor that changes from case to case" in likely(operation, answers(lambda v, n: v * (2.0 + n)))
    assert likely(operation, answers(lambda v, n: 3.0 * v)) is None


def test_zero_is_evidence_against_a_factor():
    """What is 0 where it must not be has no factor, nor has what is not 0 where it must be."""
    assert "times" not in (said(lambda v, n: 3.0 * v * (n > 0)) or "")
    assert "times" not in (said(lambda v, n: 3.0 * v + (v == 0)) or "")


def test_factor_of_one_is_none():
    """What is right but for its last digits is not told to be the right one times 1."""
    assert "times" not in said(lambda v, n: v * (1 + 1e-12))


def test_threshold_is_no_single_precision():
    """Numbers that single precision happens to hold do not make a dropped entry a matter of precision."""
    exact = [np.array([[1.0, 2.0], [2.0**-20, 4.0]])] * 4
    assert "threshold" in said(lambda v, n: v * (v > 1e-3), exact)


def test_order_is_told_of_what_is_in_another_one():
    """A permutation is one of the right numbers, all of them, to rounding."""
    assert "in other places" in said(lambda v, n: np.roll(v, 1))
    assert "places" not in (said(lambda v, n: np.roll(v, 1) * (1 + 1e-9)) or "")


def test_order_is_not_told_of_what_is_off_by_little():
    """What is off by less than the reading can tell is in its own place, and nothing of it is lost."""
    said_of_little = said(lambda v, n: v * (1 + 1e-12)) or ""
    assert "places" not in said_of_little
    assert "is 0" not in said_of_little


def test_what_is_not_finite_is_not_read():
    """Where an answer is not a number nothing is said of the others."""
    assert said(lambda v, n: 3.0 * v + (np.nan if n == 1 else 0.0)) is None


def test_two_cases_do_not_tell_where_it_is_wrong():
    """What the wrong ones have in common is told of three and more, as against three that are right."""
    cases = [Case(image=np.ones((1, 1, 1, number))) for number in (1, 1, 1, 2, 2, 2)]
    told = confined([(case, number > 2) for number, case in enumerate(cases)], IMAGE)
    assert told == "image is not square"
    assert confined([(case, number > 2) for number, case in enumerate(cases[:5])], IMAGE) == ""


def _stepped(change):
    """Parameters moved by gradients so changed, given the rate, as training steps have them."""
    found = []
    for rate, value in zip((0.25, 1.0, 2.0, 4.0, 0.0), [*VALUES, VALUES[0]], strict=True):
        case = Case(
            image=np.ones((1, 1, 5, 5)),
            target=np.zeros(1),
            kernel=np.ones((1, 1, 2, 2)),
            weights=np.full((4, 1), 0.5),
        )
        case["learning_rate"] = rate
        gradients = value, value.reshape(4, 1) / 2
        moved, right = (
            [old - step for old, step in zip((case.kernel, case.weights), steps, strict=True)]
            for steps in (change(gradients, rate, case), [rate * one for one in gradients])
        )
        found.append((case, moved, right, 1e-15))
    return measured("train_step", found)


@pytest.mark.parametrize(
    ("change", "words"),
    {
        "decay": (
            lambda gradients, rate, case: [rate * (gradients[0] + 0.02 * case.kernel), rate * (gradients[1] + 0.01)],
            "is the right one plus 0.02 times kernel or weights, always",
        ),
        "norm": (
            lambda gradients, rate, case: [rate * one / np.hypot(*map(np.linalg.norm, gradients)) for one in gradients],
            "is the right one brought to a length of 1: a norm is clipped",
        ),
        "rate": (
            lambda gradients, rate, case: [min(rate, 0.125) * one for one in gradients],
            "is the right one as for a rate of 0.125 where that is another",
        ),
        "uphill": (lambda gradients, rate, case: [-rate * one for one in gradients], "has its sign turned"),
        "one alone": (
            lambda gradients, rate, case: [rate * gradients[0], 3 * rate * gradients[1]],
            "for the weights is the right one times 3, always",
        ),
    }.values(),
)
def test_steps_are_read_by_what_they_go_by(change, words):
    """A training step is read by how far it moves, over its rate: what is added, its length, its rate, its sign."""
    assert _stepped(change).startswith("the gradient that it steps by")
    assert words in _stepped(change)


def test_value_at_zero_is_told():
    """What is right but where x is 0 says what it is there; what is wrong elsewhere too does not."""
    x = np.array([-1.0, 0.0, 2.0])
    said = [(Case(x=x), [np.array([0.0, 1.5, 1.0])], [np.array([0.0, 0.0, 1.0])], 1e-15)]
    assert at_zero("relu_derivative", said) == "the answer is 1.5 where x is 0, and right elsewhere"
    wrong = [(Case(x=x), [np.array([0.5, 1.5, 1.0])], [np.array([0.0, 0.0, 1.0])], 1e-15)]
    assert at_zero("relu_derivative", wrong) is None


def test_what_overflows_is_passed_over():
    """A factor is told though the largest numbers times it are infinite."""
    values = [*NUMBERS[:3], np.array([[1.7e308]])]
    with np.errstate(over="ignore"):
        assert (
            said(lambda v, n: 3.0 * v, values)
            == "the answer is the right one times 3, always: a factor is wrong or missing"
        )
