"""Pooling with a stride and a padding: its cases reach what they claim, and its bounds part right from wrong."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import linprog

from benchmarks.right_pooling_options import VARIANTS
from properties.further import pooling_options as statements
from properties.harness.checking.conventions import asked_for_options
from properties.harness.checking.fixed_cases import larger
from properties.harness.core.limits import Limits
from properties.harness.core.setting import Counts, with_setting
from properties.harness.core.tape import Case, Tape
from properties.harness.target.layout import HW
from properties.harness.target.operation import Refuted, told
from properties.harness.target.target import make_target
from properties.layers.base import overlapping as right
from properties.layers.base.arrangements import arranged, fits
from properties.layers.options import pooling_options as pooling
from properties.mistakes import all_mistakes
from tests.doubles import failure_of, trial_of

BACKWARD = "max_pool_gradient_with_options"
SHARED = Case(
    x=np.ones((1, 1, 1, 3)), window=(1, 2), stride=(1, 1), padding=(0, 0), upstream=np.array([[[[2.0, -1.0]]]])
)
RIGHT = {"first": [2, -1, 0], "last": [0, 2, -1], "even": [1, 0.5, -0.5], "apart": [2, 0, -1], "cancelled": [0, 1, 0]}
WRONG = {
    "whole to each": [2, 1, -1],
    "nothing": [0, 0, 0],
    "too much for the first": [3, -1, -1],
    "negative for the first": [-0.5, 1, 0.5],
    "last window alone": [0, -1, 0],
    "a billionth off": [2 + 2e-9, -1, 0],
}


def cases(read, count=300, seed=0):
    """So many cases of a reader, from random bytes."""
    generator = np.random.default_rng(seed)
    return [read(Tape(generator.bytes(4096))) for _ in range(count)]


def by_loops(case):
    """Maxima and the gradient by the first maximum, entry by entry, of one channel."""
    x, (rows, columns) = case.x[0, 0], arranged(case)
    output, gradient = np.empty(case.upstream.shape[2:]), np.zeros(x.shape)
    for i, j in np.ndindex(output.shape):
        held = list(product(rows.real(i), columns.real(j)))
        best = max(held, key=lambda place: x[place])
        output[i, j] = x[best]
        gradient[best] += case.upstream[0, 0, i, j]
    return output, gradient


def is_reachable(gradient, case):
    """Whether a gradient is legal, by linear programming."""
    tied = right.maxima(case) * 1.0
    weights = []
    for place in np.argwhere(tied):
        one = np.zeros(tied.shape)
        one[tuple(place)] = 1.0
        given = right.summed(one * case.upstream[..., None, None], case)
        weights.append(np.concatenate([given.ravel(), one.sum(axis=(-2, -1)).ravel()]))
    wanted = np.concatenate([gradient.ravel(), np.ones(case.upstream.size)])
    return linprog(np.zeros(len(weights)), A_eq=np.transpose(weights), b_eq=wanted, method="highs").status == 0


def shares_a_tie(case):
    """Whether a window ties, and another window ties on some of the same entries."""
    tied = right.maxima(case)
    tied = tied & (tied.sum(axis=(-2, -1), keepdims=True) > 1)
    return bool((right.summed(tied * 1.0, case) > 1).any())


def is_near_tie(case):
    """Whether a maximum leads by some units of rounding, of the largest size that there is."""
    lead = right.leads(case)
    return bool(((lead > 0) & (lead < 1e-12 * np.abs(case.x).max())).any())


def test_cases_reach_every_arrangement():
    """Strides of 1 to 3, not the same on both sides, overlaps, gaps, rests, paddings, windows beyond the input."""
    found = [axis for case in cases(pooling.read, 500) for axis in arranged(case)]
    assert {(axis.width, axis.stride) for axis in found} == {
        (width, stride) for width in (1, 2, 3) for stride in {1, 2, 3, width + 1}
    }
    assert {(axis.width, axis.padding) for axis in found} == {(1, 0), (2, 0), (2, 1), (3, 0), (3, 1)}
    left = {(axis.side + 2 * axis.padding - axis.width) % axis.stride for axis in found}
    assert left == {0, 1, 2, 3}
    assert {axis.outputs for axis in found} >= {1, 2, 3, 4, 5, 6, 7}
    assert any(axis.width > axis.side for axis in found)
    assert sum(case.stride[0] != case.stride[1] for case in cases(pooling.read)) > 100
    assert sum(case.padding != (0, 0) for case in cases(pooling.read)) > 100


def test_every_window_holds_an_entry():
    """Padding alone is in none, whatever the setting: maxima are finite."""
    for most in (Counts(), Counts(3, 3, 3)):
        with with_setting(most=most):
            for case in [*cases(pooling.read), *larger(pooling.NAME)]:
                assert np.isfinite(right.max_pool(case)).all()
                assert right.max_pool(case).shape == case.upstream.shape


def test_cases_reach_ties_near_ties_and_negative_inputs():
    """Unique maxima never tie, tied ones always do, often on entries that windows share; a unit of rounding tells."""
    unique, tied = cases(pooling.read_unique), cases(pooling.read_tied)
    assert not any(map(right.is_tied, unique))
    assert all(map(right.is_tied, tied))
    assert sum(map(shares_a_tie, tied)) > 75
    assert min(sum(map(is_near_tie, some)) for some in (unique, tied)) > 30
    assert not any(map(is_near_tie, cases(pooling.read_clear)))
    for some in (unique, tied):
        negative = [case for case in some if (case.x < 0).all()]
        assert sum(case.padding != (0, 0) for case in negative) > 15
    assert any((case.upstream < 0).any() and (case.upstream > 0).any() for case in tied)


@pytest.mark.parametrize("options", [(), ("stride",), ("padding",)])
def test_cases_use_no_other_option(options):
    """What a target lacks is neutral: the window is the stride, and parts what is padded, and padding is none."""
    with with_setting(options=frozenset(options)):
        for case in [*cases(pooling.read), *larger(pooling.NAME)]:
            assert "stride" in options or case.stride == case.window
            assert "padding" in options or case.padding == (0, 0)
            assert all(map(fits, arranged(case)))
            if not options:
                assert case.x.shape[-2:] == tuple(np.multiply(case.window, case.upstream.shape[-2:]))


@pytest.mark.parametrize("options", [None, frozenset(), frozenset({"padding"})])
def test_cases_respect_what_is_declared(options):
    """Windows and images are declared ones, also where windows do not divide images, in smaller cases too."""
    limits = Limits(windows=((2, 2), (3, 1)), images=((5, 5), (6, 4), (3, 4)))
    with with_setting(limits=limits, options=options):
        found = cases(pooling.read)
    assert {case.window for case in found} == {(2, 2), (3, 1)}
    assert {case.x.shape[-2:] for case in found} <= {(5, 5), (6, 4), (3, 4)}
    assert not limits.supports(pooling.NAME, ((2, 3), (5, 5)))
    assert not limits.supports(pooling.NAME, ((2, 2), (5, 4)))


def test_oracle_is_what_loops_give():
    """On random numbers and on cases of every kind."""
    for case in cases(pooling.read, 200):
        output, gradient = by_loops(case)
        np.testing.assert_array_equal(right.max_pool(case)[0, 0], output)
        np.testing.assert_allclose(right.gradient(case)[0, 0], gradient, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("gradient", RIGHT.values(), ids=RIGHT)
def test_any_sum_of_subgradients_is_legal(gradient):
    """Each window chooses for itself, and what lands on a shared entry adds up or cancels."""
    given = np.reshape(np.float64(gradient), (1, 1, 1, 3))
    assert right.excess(given, SHARED) is None
    assert right.separated(given, SHARED) is None
    assert not any(right.faults(given, SHARED))


@pytest.mark.parametrize("gradient", WRONG.values(), ids=WRONG)
def test_direction_tells_a_wrong_gradient_from_every_right_one(gradient):
    """Its inner product with the direction is less than that of any right one, by more than what is allowed."""
    given = np.reshape(np.float64(gradient), (1, 1, 1, 3))
    assert any(right.faults(given, SHARED))
    found = right.separated(given, SHARED)
    assert np.sum(found.direction * given) < found.least - found.allowed
    for one in [*RIGHT.values(), found.expected]:
        assert np.sum(found.direction * np.reshape(one, given.shape)) >= found.least


def test_membership_is_that_of_linear_programming():
    """Of gradients made of random choices and moved about, those are legal that a linear program finds weights for."""
    generator, verdicts = np.random.default_rng(0), []
    for case in cases(pooling.read_tied, 150, seed=1):
        case["upstream"] = generator.integers(-3, 4, case.upstream.shape) * 1.0
        weights = right.maxima(case) * generator.integers(1, 4, (*case.upstream.shape, *case.window))
        weights = weights / weights.sum(axis=(-2, -1), keepdims=True)
        legal = right.summed(weights * case.upstream[..., None, None], case)
        assert right.excess(legal, case) is None
        held = np.flatnonzero(right.reach(case))
        if len(held) > 1:
            moved = legal.copy()
            moved.ravel()[generator.choice(held, 2, replace=False)] += [0.75, -0.75]
            verdicts.append(right.excess(moved, case) is None)
            assert verdicts[-1] == is_reachable(moved, case)
    assert 20 < sum(verdicts) < len(verdicts) - 20


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_sets_of_entries_can_be_needed(sign):
    """Where the whole sum and each entry are as they may be, two entries together can have too little."""
    upstream = sign * np.ones((1, 1, 1, 4))
    case = Case(x=np.ones((1, 1, 1, 5)), window=(1, 2), stride=(1, 1), padding=(0, 0), upstream=upstream)
    assert right.excess(sign * np.array([[[[0.0, 2.0, 0.0, 2.0, 0.0]]]]), case) is None
    found = right.excess(sign * np.array([[[[0.0, 0.0, 2.0, 1.0, 1.0]]]]), case)
    assert found.entries.ravel().tolist() in ([True, True, False, False, False], [False, False, True, True, True])


def test_smaller_cases_stay_what_they_are():
    """They fit, tie if the case did, and no maximum leads by less than the least lead before."""
    count = 0
    for case in cases(pooling.read, 40, seed=2):
        leads = right.leads(case)
        for smaller in pooling.POOLING_OPTIONS.smaller(case):
            count += 1
            assert all(map(fits, arranged(smaller)))
            assert right.max_pool(smaller).shape == smaller.upstream.shape
            assert np.isfinite(right.max_pool(smaller)).all()
            assert right.is_tied(smaller) == right.is_tied(case)
            after = right.leads(smaller)
            assert after[after > 0].min(initial=np.inf) >= leads[leads > 0].min(initial=np.inf)
    assert count > 300


SMALLEST = {
    "upstream_is_handed_out_whole": ("last window wins", {"x": (1, 1), "upstream": (1, 2)}),
    "gradient_with_options_at_ties_is_a_sum_of_subgradients": ("mask repeat", {"x": (1, 2), "upstream": (1, 1)}),
    "gradient_with_options_obeys_eulers_identity": ("padding of zeros", {"x": (1, 1), "upstream": (1, 1)}),
}


@pytest.mark.parametrize(("statement", "mistake", "shapes"), [(name, *one) for name, one in SMALLEST.items()])
def test_counterexample_has_the_smallest_size(statement, mistake, shapes):
    """The counterexample has the smallest shapes on which the mistake is wrong at all."""
    wrong = next(one for one in all_mistakes() if one.id == f"{BACKWARD}: {mistake}")
    failure = failure_of(getattr(statements, f"test_{statement}"), BACKWARD, **{BACKWARD: wrong.make()})
    case = told(failure, BACKWARD, HW).case
    found = {name: case[name].shape for name in shapes}
    assert shapes in (found, {name: shape[::-1] for name, shape in found.items()})


@pytest.mark.parametrize("options", [("stride",), ("padding",), ("stride", "padding")])
def test_target_may_have_some_of_the_options(options):
    """A target's own function is asked with those that it has as parameters, by name."""
    backward = VARIANTS["overlapping windows, any of tied maxima"][BACKWARD]
    neutral = {"stride": None, "padding": (0, 0)}

    def called(x, window, upstream, **given):
        chosen = {**neutral, **given}
        assert {*given} <= {*options}
        return backward(x, window, upstream, chosen["stride"] or window, chosen["padding"])

    with trial_of(max_pool_gradient=called, OPTIONS={"max_pool_gradient": options}) as trial:
        operation = trial.target.operations[BACKWARD]
        assert operation.has == {*options}
        with with_setting(options=frozenset(options)):
            for case in cases(pooling.read, 50):
                assert right.excess(operation.at(case), case) is None


def test_without_any_option_it_is_not_offered():
    """A target whose functions have neither parameter has no pooling with options."""
    offered = SimpleNamespace(max_pool=lambda x, window: x, max_pool_gradient=lambda x, window, upstream: x)
    assert {*asked_for_options(make_target(offered, "plain")).operations} == {"max_pool", "max_pool_gradient"}


def test_single_precision_is_held_to_its_own_bound():
    """A gradient in float32 is within the bound of single precision, and beyond that of double."""
    case = Case(SHARED, upstream=np.array([[[[1 / 3, -1 / 7]]]]))
    given = np.float64(np.float32(right.gradient(case)))
    assert isinstance(right.excess(given, case), right.Excess)
    with with_setting(dtype="float32"):
        assert right.excess(given, case) is None


def test_wrong_only_where_windows_overlap_is_refuted():
    """By the statement about ties too, where each entry's gradient is one that some choice gives."""

    def last_wins(x, window, upstream, stride, padding):
        case = Case(x=x[None, None], window=window, upstream=upstream[None, None], stride=stride, padding=padding)
        whole = right.gradient(case)[0, 0]
        return whole if right.overlap(case) == 1 else whole * (1 + 1e-9)

    statement = statements.test_gradient_with_options_at_ties_is_a_sum_of_subgradients
    assert isinstance(failure_of(statement, BACKWARD, **{BACKWARD: last_wins}), Refuted)
