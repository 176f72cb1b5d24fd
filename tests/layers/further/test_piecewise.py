"""Leaky ReLU and ELU: what cases reach, what is right, and what a target that takes no parameter is held to."""

from decimal import Decimal, localcontext
from types import SimpleNamespace

import hypothesis
import numpy as np
import pytest

from benchmarks.trials import failure_of, settle, trial_of
from properties.harness.checking import conventions
from properties.harness.checking.properties import all_properties, arguments_of
from properties.harness.core.setting import Conventions, with_setting
from properties.harness.core.tape import Case, Tape
from properties.harness.target.operation import Operation, options_of
from properties.harness.target.target import make_target
from properties.layers import LAYERS, OPERATIONS
from properties.layers.further.piecewise import BY_NAME, read_any, read_moderate
from properties.layers.plain import ways
from properties.mistakes.right import single

OWN = LAYERS["piecewise"].named()
SELUS = 1.6732632423543772


def cases(read, count=300):
    """So many cases from random bytes."""
    generator = np.random.default_rng(0)
    return [read(Tape(generator.bytes(4096))) for _ in range(count)]


def found(**offered):
    """What a first look finds of the conventions of a target with these attributes."""
    return dict(conventions.find(make_target(SimpleNamespace(**offered), "double")).further)


def refuted(examples=20, **offered):
    """The statements about these operations that refute a target, each with the options that all it calls have."""
    settle(examples, shrinks=False)
    with trial_of(offered) as trial:
        ids = []
        for entry in all_properties().values():
            arguments = arguments_of(entry.function, trial.target, entry.operation)
            if entry.operation in OWN and arguments is not None:
                with with_setting(options=options_of(arguments.values())):
                    if failure_of(entry.function, arguments, trial):
                        ids.append(entry.id)
        return ids


def leaky(x):
    """Leaky ReLU of its own slope."""
    return np.where(x > 0, x, 0.2 * x)


def selu(x):
    """ELU of SELU's alpha, its own."""
    return np.where(x > 0, x, SELUS * np.expm1(np.minimum(x, 0)))


def test_cases_reach_every_parameter_and_the_kink():
    """Every choice, all of them above 0 and a slope below 1; zeros, both signs, and numbers from end to end."""
    drawn = cases(read_any)
    for one in BY_NAME.values():
        chosen = {case[one.parameter] for case in drawn}
        assert chosen == set(one.choices)
        assert all(0 < parameter < one.most for parameter in chosen)
    x = np.concatenate([case.x.ravel() for case in drawn])
    assert (x == 0).any()
    for side in (x[x > 0], -x[x < 0]):
        assert side.min() < np.finfo(float).tiny
        assert side.max() > 1e307
        assert ((side > 0) & (side < 0.1)).sum() > 20  # between 0 and a slope
    assert all((case.x != 0).all() and np.abs(case.x).min() > 2**-6 for case in cases(read_moderate))


@pytest.mark.parametrize("name", OWN)
def test_smooth_cases_are_off_zero_and_kinked_ones_reach_it(name):
    """So differentiable cases are, where the operation is told by one answer alone."""
    signature = OWN[name]
    if signature.kinked:
        assert not any(signature.is_kinked(case) for case in cases(signature.smooth))
        assert sum(signature.is_kinked(case) for case in cases(signature.kinked)) > 40


@pytest.mark.parametrize("alpha", [0.1, 0.5, 1.0, SELUS, 2.0])
def test_elu_is_what_decimals_say(alpha):
    """Value and slope are those of 50 digits, and both usual formulas are within their bounds."""
    x = np.array([-1e308, -800.0, -745.1, -708.0, -40.0, -3.7, -1.0, -0.1, -1e-5, -1e-16, -1e-300, 1e-20, 2.5, 1e308])
    with localcontext() as context:
        context.prec = 50
        powers = [Decimal(value).exp() if value > -1000 else Decimal(0) for value in np.minimum(x, 0).tolist()]
        exact = np.array([float(Decimal(alpha) * (power - 1)) for power in powers])
        exact_slope = np.array([float(Decimal(alpha) * power) for power in powers])
    value, slope = BY_NAME["elu"].value(x, alpha), BY_NAME["elu"].slope(x, alpha)
    assert (np.abs(value.value - np.where(x > 0, x, exact)) <= value.allowed / 4).all()
    assert (np.abs(slope.value - np.where(x > 0, 1, exact_slope)) <= slope.allowed / 4).all()
    usual = np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1))
    assert (np.abs(usual - value.value) <= value.allowed).all()
    assert (np.abs(np.where(x > 0, 1, usual + alpha) - slope.value) <= slope.allowed).all()


@pytest.mark.parametrize(("operation", "end"), [("leaky_relu", 0.25), ("elu", 0.5), ("elu", 2.0), ("elu", 1.0)])
@pytest.mark.parametrize("what", ["derivative", "gradient"])
def test_at_zero_what_lies_between_is_right(operation, end, what):
    """Both ends and the middle are legal, times upstream of either sign; beyond either end nothing is."""
    signature, parameter = OWN[f"{operation}_{what}"], BY_NAME[operation].parameter
    for upstream in (1.0, -3.0, 2.0**-60):
        case = Case({"x": np.zeros(1), "upstream": np.full(1, upstream), parameter: end})
        times = upstream if what == "gradient" else 1.0
        low, high = min(end, 1.0), max(end, 1.0)
        for slope in (low, (low + high) / 2, high):
            assert not any(signature.faults(np.full(1, slope * times), case))
            assert signature.separated(np.full(1, slope * times), case) is None
        for slope in (low - 1e-9, high + 1e-9, 0.0, low + high, -1.0):
            assert any(signature.faults(np.full(1, slope * times), case))
            assert signature.separated(np.full(1, slope * times), case) is not None


def test_a_slope_of_ones_own_is_found_by_whatever_is_offered():
    """By the function, or else by the derivative or the gradient; not where it is an option."""
    assert found(leaky_relu=leaky) == {"leaky_relu slope": 0.2}
    assert found(leaky_relu_derivative=lambda x: np.where(x > 0, 1.0, 0.2)) == {"leaky_relu slope": 0.2}
    assert found(leaky_relu_gradient=lambda x, u: u * np.where(x > 0, 1.0, 0.2)) == {"leaky_relu slope": 0.2}
    assert found(elu=selu, leaky_relu=lambda x, slope=0.01: x * slope) == {"elu alpha": SELUS}
    assert found(elu_derivative=lambda x: np.where(x > 0, 1.0, selu(x) + SELUS)) == {"elu alpha": SELUS}
    assert found(leaky_relu=lambda x: 0.505 * x + 0.495 * np.abs(x)) == {"leaky_relu slope": 0.01}
    assert found(leaky_relu=lambda x: np.maximum(x / 3, x)) == {"leaky_relu slope": 1 / 3}


def test_a_slope_is_found_in_shapes_that_a_target_takes():
    """Where it takes matrices alone, and in single precision."""

    def of_matrices(x):
        if x.ndim != 2:
            raise NotImplementedError
        return leaky(x)

    assert found(leaky_relu=of_matrices) == {"leaky_relu slope": 0.2}
    single_ones = {"leaky_relu": lambda x: leaky(np.float32(x)), "elu": lambda x: selu(np.float32(x))}
    assert found(DTYPE="float32", **single_ones) == {"leaky_relu slope": 0.2, "elu alpha": float(np.float32(SELUS))}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: np.maximum(x, 0),
        lambda x: np.where(x > 0, x, -0.2 * x),
        lambda x: np.where(x > 0, 0.2 * x, x),
        lambda x: np.where(x > 0, x, x / 0.2),
        lambda x: x,
    ],
    ids=["ReLU", "sign", "other side", "divided", "identity"],
)
def test_no_slope_is_taken_from_what_has_none(wrong):
    """What is not from 0 to 1 is no leaky ReLU's slope: nothing is found, and the usual one stands for it."""
    assert found(leaky_relu=wrong) == {}
    assert "piecewise.piecewise_activation_is_its_definition[leaky_relu]" in refuted(leaky_relu=wrong)


def test_a_target_is_held_to_its_own_parameter():
    """Right functions of their own constants hold, in every statement; a derivative of another one is refuted."""
    right = {
        "leaky_relu": leaky,
        "leaky_relu_derivative": lambda x: np.where(x >= 0, 1.0, 0.2),
        "leaky_relu_gradient": lambda x, upstream: np.where(x > 0, upstream, 0.2 * upstream),
        "elu": selu,
        "elu_derivative": lambda x: np.where(x > 0, 1.0, selu(x) + SELUS),
        "elu_gradient": lambda x, upstream: upstream * np.where(x > 0, 1.0, SELUS * np.exp(np.minimum(x, 0))),
    }
    assert refuted(**right) == []
    other = refuted(**right | {"leaky_relu_derivative": lambda x: np.where(x > 0, 1.0, 0.01)})
    assert "piecewise.piecewise_derivative_is_its_formula[leaky_relu_derivative]" in other
    assert "piecewise.piecewise_derivative_matches_differences[leaky_relu_derivative]" in other


def test_one_function_may_have_the_parameter_and_another_not():
    """Then both are asked with what the one that has none goes by."""
    mixed = {"leaky_relu": single("leaky_relu"), "leaky_relu_derivative": lambda x: np.where(x > 0, 1.0, 0.3)}
    assert found(**mixed) == {"leaky_relu slope": 0.3}
    assert refuted(**mixed) == []


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_required_parameter_may_have_another_name():
    """`leaky_relu(x, alpha)` has its slope all the same; `leaky_relu(x, derivative=False)` has none."""
    named = {"leaky_relu": lambda x, alpha: np.where(x > 0, x, alpha * x), "elu": lambda x, a: ways("elu")[0](x, a)}
    target = make_target(SimpleNamespace(**named), "double")
    assert [one.has for one in target.operations.values()] == [{"slope"}, {"alpha"}]
    assert refuted(**named) == []
    switched = {"leaky_relu": lambda x, derivative=False: np.where(x > 0, 1.0, 0.01) if derivative else leaky(x)}
    assert refuted(**switched) == []


def test_usual_parameter_stands_where_nothing_is_found():
    """Cases then have it, and what was found where something was."""
    with with_setting(options=frozenset()):
        assert {case.slope for case in cases(read_any, 20)} == {0.01}
        with with_setting(conventions=Conventions(further=(("leaky_relu slope", 0.3),))):
            assert {(case.slope, case.alpha) for case in cases(read_any, 20)} == {(0.3, 1.0)}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@hypothesis.given(hypothesis.strategies.floats(allow_nan=False, allow_infinity=False))
def test_every_way_is_right_at_any_number(number):
    """Off 0 and at it, as hypothesis draws floats."""
    for name, signature in OWN.items():
        case = Case(x=np.array([number]), upstream=np.array([-1.5]), slope=0.1, alpha=0.3)
        for way in ways(name):
            answer = Operation(name, way).at(case)
            if number == 0 and signature.faults:
                assert not any(signature.faults(answer, case))
            else:
                (value,) = signature.value(case)
                assert (np.abs(answer - value.value) <= value.allowed).all()


def test_formulas_and_options_are_declared():
    """Each operation takes its parameter last, as an option of its own."""
    for name, signature in OWN.items():
        assert signature.parameters[-1:] == signature.options
        assert OPERATIONS[name].layer == "piecewise"
