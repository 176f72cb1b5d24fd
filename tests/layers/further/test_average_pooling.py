"""Average pooling: cases reach what they claim, the oracle is another library's, and what a target chose is found."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import convolve2d

from benchmarks import trials
from benchmarks.right_average_pooling import VARIANTS
from properties.harness.checking import conventions
from properties.harness.checking.conventions import examined
from properties.harness.checking.fixed_cases import larger
from properties.harness.checking.properties import all_properties, arguments_of
from properties.harness.core.limits import Limits, NotApplicable
from properties.harness.core.setting import Conventions, Counts, with_setting
from properties.harness.core.tape import Case, Tape
from properties.harness.edits.code import shown
from properties.harness.target.operation import Refuted
from properties.harness.target.target import make_target
from properties.layers import LAYERS, OPERATIONS
from properties.layers.further import average_pooling
from properties.layers.further.averages import (
    COUNTED,
    LEFT_OUT,
    PADDING,
    axes_of,
    every_small,
    means,
    shares,
    where_small,
)

COUNT = 300
RULES = {rule: Conventions(further=((PADDING, rule),)) for rule in (COUNTED, LEFT_OUT)}
OPTIONS = [frozenset(names) for names in ((), ("stride",), ("padding",), ("stride", "padding"))]
DEFINITIONS = "average_pooling.average_pool_is_the_mean", "average_pooling.gradient_hands_out_equal_shares"
PROPERTIES = {entry.id: entry for entry in all_properties().values()}


def drawn(count=COUNT, seed=0, **how):
    """So many cases of random bytes."""
    generator = np.random.default_rng(seed)
    return [average_pooling.read(Tape(generator.bytes(4096)), **how) for _ in range(count)]


def looked_at(**offered):
    """The target that these functions make, and the conventions that were found."""
    return examined(make_target(SimpleNamespace(**offered), "double"))


def failure(identifier, **offered):
    """How this property fails on a target with these functions."""
    with trials.trial_of(offered) as trial:
        entry = PROPERTIES[identifier]
        return trials.failure_of(entry.function, arguments_of(entry.function, trial.target), trial)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda names: " and ".join(sorted(names)) or "none")
def test_cases_use_the_options_that_there_are(options):
    """Without a stride windows fill the input and its padding side by side; with one, it may be anything up to one more
    than the window's side; what pads is less than that side. Otherwise both are neutral.
    """
    with with_setting(options=options):
        cases = drawn()
        axes = [axis for case in cases for axis in axes_of(case)]
        assert all(axis.is_used for axis in axes)
        assert all(axis.covers.any(axis=1).all() for axis in axes)
        assert {axis.stride for axis in axes} == ({1, 2, 3, 4} if "stride" in options else {1, 2, 3})
    assert {axis.padding for axis in axes} == ({0, 1, 2} if "padding" in options else {0})
    strided = [axis for axis in axes if axis.stride != axis.part]
    assert (strided != []) == ("stride" in options)
    assert all(axis.divides for axis in axes) == ("stride" not in options)


def test_cases_reach_every_kind_of_window():
    """Windows overlap, leave gaps between them and entries behind them, are cut by padding on one side or on both, and
    hold more than all of the input; rows and columns differ in all of it.
    """
    with with_setting(options=None):
        cases = drawn()
    axes = [axis for case in cases for axis in axes_of(case)]
    assert sum(axis.stride < axis.part and axis.outputs > 1 for axis in axes) > 50
    assert sum(axis.stride > axis.part and axis.outputs > 1 for axis in axes) > 50
    assert sum((axis.side + 2 * axis.padding - axis.part) % axis.stride > axis.padding for axis in axes) > 50
    assert sum(axis.side < axis.part for axis in axes) > 20
    assert sum(axis.outputs == 1 for axis in axes) > 50
    for name in ("window", "stride", "padding"):
        assert sum(case[name][0] != case[name][1] for case in cases) > COUNT / 3


def test_kinds_are_what_they_say():
    """Full windows hold no padding that counts, what is left over no window holds, single windows have one entry."""
    for rule in RULES.values():
        with with_setting(options=None, conventions=rule):
            for case in drawn(100, kind="full"):
                np.testing.assert_allclose(means(case, np.ones(case.x.shape)), 1.0)
            assert all(axis.leaves_some for case in drawn(100, kind="left over") for axis in axes_of(case))
            singles = drawn(100, kind="single")
            assert {case.window for case in singles} == {(1, 1)}
            assert {case.stride for case in singles} >= {(1, 1), (1, 2), (3, 1)}
    with with_setting(options=None, conventions=RULES[LEFT_OUT]):
        assert any(any(case.padding) for case in drawn(100, kind="full"))
    with with_setting(options=frozenset()), pytest.raises(NotApplicable):
        drawn(1, kind="left over")


def test_cases_stay_within_what_is_declared():
    """Windows and inputs are the declared ones, whatever the stride and the padding, and so are those made smaller."""
    limits = Limits(windows=((2, 3), (2, 2)), images=((4, 6), (5, 7)))
    for options in OPTIONS:
        with with_setting(limits=limits, options=options):
            cases = drawn(60)
            found = {(case.window, case.x.shape[-2:]) for case in cases}
            assert all(limits.supports("average_pooling", pair) for pair in found)
            assert len(found) == (4 if "stride" in options else 2)
    with with_setting(limits=Limits(windows="square", images="square"), options=None):
        assert {len({*case.window}) * len({*case.x.shape[-2:]}) for case in drawn(60)} == {1}


@pytest.mark.parametrize("options", OPTIONS, ids=lambda names: " and ".join(sorted(names)) or "none")
def test_smaller_cases_are_cases(options):
    """What is made smaller is a pooling that fits together, with the options that there are, and smaller."""
    for case in _smaller_of(options):
        for one in LAYERS["average_pooling"].smaller(case):
            with with_setting(options=options):
                assert all(axis.is_used for axis in axes_of(one))
            (shape,) = OPERATIONS["average_pool"].shapes(one)
            assert one.upstream.shape == shape
            assert _weight(one) < _weight(case)


def _smaller_of(options):
    with with_setting(options=options, most=Counts(2, 2, 1)):
        yield from drawn(40)


def _weight(case):
    return sum(case.x.shape) + sum(case.window + case.stride + case.padding)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda names: " and ".join(sorted(names)) or "none")
def test_larger_cases_are_large(options):
    """Windows come to 17×17, and sides beyond 60."""
    with with_setting(options=options):
        cases = larger("average_pooling")
        axes = [axis for case in cases for axis in axes_of(case)]
        assert all(axis.is_used for axis in axes)
    assert (max(axis.stride - axis.part for axis in axes) > 0) == ("stride" in options)
    assert (max(axis.padding for axis in axes) > 3) == ("padding" in options)
    assert {(side, side) for side in range(1, 9)} | {(17, 17), (1, 17)} <= {case.window for case in cases}
    assert max(max(case.x.shape) for case in cases) > 60


@pytest.mark.parametrize("rule", RULES)
def test_oracle_is_the_convolution_with_ones(rule):
    """The means are every s-th sum of SciPy's convolution with ones, over the window's entries or over those held; the
    gradient is its transpose, also for several points at once.
    """
    with with_setting(options=None, conventions=RULES[rule]):
        for case in drawn(60):
            rows, columns = axes_of(case)
            pads = [(axis.padding, axis.padding) for axis in (rows, columns)]
            ones = np.ones(case.window)
            picked = np.s_[:: rows.stride, :: columns.stride]
            sums = convolve2d(np.pad(case.x[0, 0], pads), ones, "full")
            held = convolve2d(np.pad(np.ones(case.x.shape[2:]), pads), ones, "full")
            ends = [slice(axis.part - 1, axis.side + 2 * axis.padding) for axis in (rows, columns)]
            over = ones.size if rule == COUNTED else held[tuple(ends)][picked]
            np.testing.assert_allclose(means(case, case.x)[0, 0], sums[tuple(ends)][picked] / over, atol=1e-12)
            both = np.stack([case.upstream, 2 * case.upstream])
            np.testing.assert_allclose(shares(case, both)[1], 2 * shares(case, case.upstream))
            product = (means(case, case.x) * case.upstream).sum()
            np.testing.assert_allclose((case.x * shares(case, case.upstream)).sum(), product, rtol=1e-9, atol=1e-9)


def test_bounds_hold_for_numbers_that_round():
    """Means of Gaussian numbers in single steps are within the bound of the exact mean."""
    generator = np.random.default_rng(0)
    with with_setting(options=None):
        for case in drawn(60):
            case["x"] = generator.normal(size=case.x.shape) * 10.0 ** generator.integers(-3, 4)
            (value,) = OPERATIONS["average_pool"].value(case)
            pads = [(side, side) for side in case.padding]
            windows = sliding_window_view(np.pad(case.x[0, 0], pads), case.window)
            picked = windows[:: case.stride[0], :: case.stride[1]]
            exact = np.longdouble(picked).sum(axis=(2, 3)) / picked[0, 0].size
            single = np.cumsum(picked.reshape(*picked.shape[:2], -1) * (1 / picked[0, 0].size), axis=2)[..., -1]
            for answer in (exact, single):
                assert (np.abs(np.float64(answer) - value.value[0, 0]) <= value.allowed[0, 0]).all()


def test_every_small_pooling_is_there():
    """All sides up to 3 with all strides up to 3 and each padding that is less than the window; in part where asked."""
    with with_setting(options=None):
        cases = list(every_small(1.0))
        found = {tuple(map(tuple, axes_of(case))) for case in cases}
        assert len(found) == len(cases) == 45**2
        assert {axis for both in found for axis in both} >= {(1, 3, 2, 1), (3, 3, 3, 2), (1, 1, 3, 0)}
        assert where_small(1.0) == "for inputs and windows up to 3×3 and strides up to 3, with every padding"
        assert len(list(every_small(0.1))) == 203
        assert where_small(0.1).startswith("for the 203 smallest of 2025 poolings of inputs")
    with with_setting(options=frozenset()):
        assert {case.stride == case.window for case in every_small(1.0)} == {True}


@pytest.mark.parametrize("rule", RULES)
def test_choice_is_found(rule):
    """Whether padding counts is found by the mean, by the gradient where there is no mean, and up to a factor."""
    offered = VARIANTS[f"averages by two matrix products, padding {rule}"]
    gradient = {"average_pool_gradient": offered["average_pool_gradient"]}
    doubled = {
        "average_pool": lambda x, window, stride, padding: 2 * offered["average_pool"](x, window, stride, padding)
    }
    for some in (offered, gradient, doubled):
        assert looked_at(**some)[1].chosen(PADDING) == rule
    declared = {"WINDOW_SHAPES": [(2, 2), (3, 1)], "IMAGE_SHAPES": [(6, 6)]}
    assert looked_at(**offered, **declared)[1].chosen(PADDING) == rule


def test_choice_is_found_with_padding_alone():
    """Without a stride it is found too; without padding there is none."""
    assert looked_at(**VARIANTS["averages with padding alone"])[1].chosen(PADDING) == COUNTED
    assert looked_at(**VARIANTS["averages with padding alone, left out"])[1].chosen(PADDING) == LEFT_OUT
    assert looked_at(**VARIANTS["averages by blocks, without options"])[1] == Conventions()


def test_report_shows_the_code_of_the_choice():
    """The right code divides by the window's entries, or by those that it holds."""
    codes = {}
    for rule, found in RULES.items():
        with with_setting(conventions=found):
            codes[rule] = shown("average_pool", True), shown("average_pool_gradient", True)
    assert all("/ (p * q)" in code and "patch.size" not in code for code in codes[COUNTED])
    assert all("/ patch.size" in code and "p * q" not in code for code in codes[LEFT_OUT])
    assert not any("if_chosen" in code for both in codes.values() for code in both)


def test_options_are_handed_over_by_name():
    """A target is called with those that it has, in whatever order, also where they have no default."""

    def average_pool(x, window, *, padding, stride):
        return VARIANTS["averages by two matrix products, padding counted"]["average_pool"](x, window, stride, padding)

    def unread(*arguments, stride=(1, 1)):
        return average_pool(*arguments, padding=(0, 0), stride=stride)

    case = Case(x=np.ones((1, 1, 4, 4)), window=(2, 2), stride=(1, 1), padding=(1, 1))
    target, _ = looked_at(average_pool=average_pool)
    assert target.operations["average_pool"].has == {"stride", "padding"}
    assert target.operations["average_pool"].at(case).shape == (1, 1, 5, 5)
    target, _ = looked_at(average_pool=unread)
    assert target.operations["average_pool"].has == {"stride"}
    assert target.operations["average_pool"].at(case.changed(padding=(0, 0))).shape == (1, 1, 3, 3)
    target, _ = looked_at(
        average_pool=lambda *arguments, **options: unread(*arguments, **options), OPTIONS={"average_pool": ["stride"]}
    )
    assert target.operations["average_pool"].has == {"stride"}


def test_the_two_ways_must_choose_alike():
    """A gradient that counts padding where the mean does not is refuted, and told so."""
    forward = VARIANTS["averages by two matrix products, padding left out"]["average_pool"]
    backward = VARIANTS["averages by two matrix products, padding counted"]["average_pool_gradient"]
    for identifier in ("average_pooling.gradient_hands_out_equal_shares", "average_pooling.gradient_is_the_adjoint"):
        found = failure(identifier, average_pool=forward, average_pool_gradient=backward)
        assert isinstance(found, Refuted)
        assert found.case["x"].size <= 2
    assert conventions.FOUND_BY[PADDING] == ("average_pool", "average_pool_gradient")


@pytest.mark.parametrize("identifier", DEFINITIONS)
def test_counterexample_is_small(identifier):
    """A stride that is taken for the window's shows on a few entries."""

    def average_pool(x, window, stride, padding):
        stride = stride if stride[0] < 3 else window
        given = VARIANTS["averages by two matrix products, padding counted"]["average_pool"](x, window, stride, padding)
        return given + (window == (2, 2)) * 1e-3

    def average_pool_gradient(x, window, upstream, stride, padding):
        right = VARIANTS["averages by two matrix products, padding counted"]["average_pool_gradient"]
        return right(x, window, upstream, stride, padding) * (1 if stride[1] < 2 else 1 + 1e-9)

    found = failure(identifier, average_pool=average_pool, average_pool_gradient=average_pool_gradient)
    assert found.case["x"].size <= 3
    assert found.case["upstream"].size == 1
