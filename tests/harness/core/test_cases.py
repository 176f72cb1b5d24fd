"""Strategies reach what they claim within the default budget, and build what they promise."""

from dataclasses import replace

import hypothesis
import numpy as np
import pytest
from properties.harness.core.cases import (
    activation_cases,
    clear_cases,
    convolution_cases,
    convolution_pairs,
    dense_cases,
    moderate_cases,
    pooling_cases,
    tied_cases,
    unique_cases,
)

from properties.harness.checking.trial import on_trial
from properties.harness.core.limits import POOL, NotApplicable
from properties.layers import oracles
from properties.layers.network_cases import kinked_network_cases, lively_network_cases, smooth_network_cases
from properties.layers.windows import blocks
from tests.doubles import trial_of


def drawn(strategy, growth=0, **offered):
    """The hundred cases that a statement on this strategy runs with by default; none may be rejected."""
    cases = []

    @hypothesis.settings(phases=[hypothesis.Phase.generate], database=None, max_examples=100)
    @hypothesis.given(case=strategy)
    def collect(case):
        cases.append(case)

    with trial_of(relu=np.abs, **offered) as trial:
        limits = replace(trial.target.limits, growth=growth)
        with on_trial(replace(trial.target, limits=limits), trial.conventions):
            collect()
    assert len(cases) == 100
    return cases


def tied_counts(case):
    """How many entries are maximal, in each window."""
    return blocks(oracles.maxima(case.x, case.window), case.window).sum(axis=(2, 3))


def gaps(case):
    """The distance from each window's maximum to the next entry."""
    ordered = np.sort(blocks(case.x, case.window).reshape(case.upstream.size, -1), axis=1)
    return ordered[:, -1] - ordered[:, -2] if ordered.shape[1] > 1 else np.array([np.inf])


def preactivations(case):
    """What the convolution gives, in windows."""
    windows = blocks(oracles.conv2d(case.image, case.kernel), POOL)
    return windows.reshape(-1, windows.shape[2] * windows.shape[3])


REACHED = {
    "image other than square": (convolution_cases, lambda c: c.image.shape[0] != c.image.shape[1]),
    "kernel other than square": (convolution_cases, lambda c: c.kernel.shape[0] != c.kernel.shape[1]),
    "1×1 kernel": (convolution_cases, lambda c: c.kernel.shape == (1, 1)),
    "kernel as large as the image": (
        convolution_cases,
        lambda c: c.kernel.shape == c.image.shape and c.kernel.size > 1,
    ),
    "output higher than wide": (convolution_cases, lambda c: c.upstream.shape[0] > c.upstream.shape[1]),
    "large entries of an image": (convolution_cases, lambda c: np.abs(c.image).max() > 100),
    "an image that single precision does not hold": (
        convolution_cases,
        lambda c: (c.image.astype(np.float32) != c.image).any(),
    ),
    "entries to pool that single precision does not hold": (
        unique_cases,
        lambda c: (c.x.astype(np.float32) != c.x).any(),
    ),
    "features that single precision does not hold": (
        dense_cases,
        lambda c: (c.features.astype(np.float32) != c.features).any(),
    ),
    "upstream of mixed sizes": (
        convolution_cases,
        lambda c: 0 < np.abs(c.upstream).min() < 1e-7 * np.abs(c.upstream).max(),
    ),
    "learning rate 0": (smooth_network_cases, lambda c: c.learning_rate == 0),
    "tiny entries of an image": (convolution_cases, lambda c: 0 < np.abs(c.image).max() < 1e-3),
    "large entries of a kernel": (convolution_cases, lambda c: np.abs(c.kernel).max() > 100),
    "tiny entries of a kernel": (convolution_cases, lambda c: 0 < np.abs(c.kernel).max() < 1e-3),
    "varied upstream": (convolution_cases, lambda c: np.unique(c.upstream).size > 4),
    "other image": (convolution_pairs, lambda c: (c.image != c.other_image).any()),
    "window other than square": (unique_cases, lambda c: c.window[0] != c.window[1]),
    "1×1 window": (unique_cases, lambda c: c.window == (1, 1)),
    "one window": (unique_cases, lambda c: c.upstream.size == 1 and c.x.size > 1),
    "negative maxima": (unique_cases, lambda c: (c.x < 0).all()),
    "near ties": (unique_cases, lambda c: (gaps(c) > 0).any() and gaps(c).min() < 1e-12 * np.abs(c.x).max()),
    "large entries to pool": (unique_cases, lambda c: np.abs(c.x).max() > 100),
    "tiny entries to pool": (unique_cases, lambda c: 0 < np.abs(c.x).max() < 1e-3),
    "either of unique and tied": (pooling_cases, lambda c: (tied_counts(c) > 1).any()),
    "ties below 0": (tied_cases, lambda c: (c.x < 0).all()),
    "ties at 0": (tied_cases, lambda c: (oracles.max_pool(c.x, c.window)[tied_counts(c) > 1] == 0).any()),
    "a tie beside a window without": (tied_cases, lambda c: {1} < set(tied_counts(c).ravel().tolist())),
    "single feature": (dense_cases, lambda c: c.features.size == 1),
    "nine features": (dense_cases, lambda c: c.features.size == 9),
    "huge input": (activation_cases, lambda c: np.abs(c.x).max() > 1e300),
    "the largest numbers": (activation_cases, lambda c: np.abs(c.x).max() > 1e308),
    "subnormal input": (activation_cases, lambda c: ((c.x != 0) & (np.abs(c.x) < 1e-308)).any()),
    "zero": (activation_cases, lambda c: (c.x == 0).any()),
    "three dimensions": (activation_cases, lambda c: c.x.ndim == 3),
    "one dimension": (moderate_cases, lambda c: c.x.ndim == 1),
    "1×1 kernel of a network": (smooth_network_cases, lambda c: c.kernel.shape == (1, 1)),
    "network other than square": (smooth_network_cases, lambda c: c.image.shape[0] != c.image.shape[1]),
    "single window of a network": (smooth_network_cases, lambda c: c.weights.size == 1),
    "many windows of a network": (smooth_network_cases, lambda c: c.weights.size >= 6),
    "target near the prediction": (
        smooth_network_cases,
        lambda c: 0 < abs(oracles.forward(c.image, c.kernel, c.weights).prediction - c.target) < 1e-4,
    ),
    "all ReLUs dead": (smooth_network_cases, lambda c: (preactivations(c) < 0).all()),
    "some windows dead": (
        smooth_network_cases,
        lambda c: len(set((preactivations(c).max(axis=1) > 0).tolist())) == 2,
    ),
    "arctan not saturated": (
        lively_network_cases,
        lambda c: abs(oracles.forward(c.image, c.kernel, c.weights).weighted) < 3,
    ),
    "positive tie": (
        kinked_network_cases,
        lambda c: any((row == row.max()).sum() > 1 and row.max() > 0 for row in preactivations(c)),
    ),
    "maximum at 0": (kinked_network_cases, lambda c: (preactivations(c).max(axis=1) == 0).any()),
    "zeros tied at the top": (
        kinked_network_cases,
        lambda c: any((row == 0).sum() > 1 and row.max() == 0 for row in preactivations(c)),
    ),
}


@pytest.mark.parametrize(("strategy", "reached"), REACHED.values(), ids=REACHED)
def test_reaches(strategy, reached):
    """At least two in a hundred cases are of this kind."""
    assert sum(bool(reached(case)) for case in drawn(strategy)) >= 2


@pytest.mark.parametrize("tied", range(2, 10))
def test_reaches_ties_of_every_count(tied):
    """Up to the nine entries of the largest window, a tie of every count occurs."""
    assert any((tied_counts(case) == tied).any() for case in drawn(tied_cases))


@pytest.mark.parametrize("strategy", [unique_cases, clear_cases])
def test_unique_means_one_maximum_in_every_window(strategy):
    """No window of any case is tied."""
    assert all((tied_counts(case) == 1).all() for case in drawn(strategy))


def test_clear_means_a_gap_beyond_any_difference_step():
    """The next entry of a clear case is a sixteenth or more below the maximum, at the array's scale."""
    assert all(gaps(case).min() >= np.abs(case.x).max() / 128 for case in drawn(clear_cases))


def test_tied_means_a_tie_in_the_first_window():
    """Every tied case has one."""
    assert all(tied_counts(case)[0, 0] > 1 for case in drawn(tied_cases))


@pytest.mark.parametrize("strategy", [smooth_network_cases, lively_network_cases])
@pytest.mark.parametrize("convolution", [True, False])
def test_smooth_means_no_zero_and_no_tie(strategy, convolution):
    """Pre-activations differ from 0 and within a window, for either convention."""
    flips = {} if convolution else {"conv2d": lambda image, kernel: correlate(image, kernel)}
    correlate = oracles.correlation
    for case in drawn(strategy, **flips):
        with trial_of(relu=np.abs, **flips):
            windows = np.sort(preactivations(case), axis=1)
        assert (windows != 0).all()
        assert (np.diff(windows, axis=1) > 0).all()


def test_lively_means_a_gradient():
    """Some ReLU is alive, no weight is 0, and the gradient for either parameter is not."""
    for case in drawn(lively_network_cases):
        gradients = oracles.gradients(*case.arguments("image", "target", "kernel", "weights"))
        assert all((part != 0).any() for part in gradients)
        assert (case.weights != 0).all()


def test_kinked_means_a_kink_in_the_first_window():
    """There the maximum is tied and positive, or 0."""
    for case in drawn(kinked_network_cases):
        first = preactivations(case)[0]
        assert first.max() == 0 or (first.max() > 0 and (first == first.max()).sum() > 1)


@pytest.mark.parametrize(
    ("strategy", "names"),
    [
        (convolution_cases, ("image", "kernel", "upstream")),
        (pooling_cases, ("x", "upstream")),
        (dense_cases, ("features", "weights", "upstream")),
        (smooth_network_cases, ("image", "kernel", "weights")),
    ],
)
def test_arrays_are_contiguous_doubles_of_their_own(strategy, names):
    """Every array is float64, writable, and in C order."""
    for case in drawn(strategy)[:20]:
        for name in names:
            assert case[name].dtype == np.float64
            assert case[name].flags.writeable


LIMITED = [
    (convolution_cases, {"KERNEL_SHAPES": [(3, 3)]}, lambda c: c.kernel.shape == (3, 3)),
    (convolution_cases, {"KERNEL_SHAPES": "square"}, lambda c: c.kernel.shape[0] == c.kernel.shape[1]),
    (convolution_cases, {"IMAGE_SHAPES": "square"}, lambda c: c.image.shape[0] == c.image.shape[1]),
    (convolution_cases, {"IMAGE_SHAPES": [(28, 30)]}, lambda c: c.image.shape == (28, 30)),
    (pooling_cases, {"WINDOW_SHAPES": "square"}, lambda c: c.window[0] == c.window[1]),
    (pooling_cases, {"WINDOW_SHAPES": [(2, 2)]}, lambda c: c.window == (2, 2)),
    (tied_cases, {"WINDOW_SHAPES": [(1, 1), (2, 1)]}, lambda c: c.window == (2, 1)),
    (pooling_cases, {"IMAGE_SHAPES": [(6, 6)], "WINDOW_SHAPES": [(2, 2)]}, lambda c: c.x.shape == (6, 6)),
    (pooling_cases, {"IMAGE_SHAPES": [(5, 5)], "WINDOW_SHAPES": [(2, 2)]}, lambda c: c.x.shape[0] % 2 == 0),
    (
        smooth_network_cases,
        {"IMAGE_SHAPES": [(6, 6)], "KERNEL_SHAPES": [(3, 3)]},
        lambda c: (c.image.shape, c.kernel.shape, c.weights.shape) == ((6, 6), (3, 3), (4, 1)),
    ),
    (kinked_network_cases, {"KERNEL_SHAPES": "square"}, lambda c: c.kernel.shape[0] == c.kernel.shape[1]),
]


@pytest.mark.parametrize(("strategy", "limits", "within"), LIMITED)
def test_cases_keep_to_declared_limits(strategy, limits, within):
    """Every case is within what the target declares."""
    assert all(within(case) for case in drawn(strategy, **limits))


@pytest.mark.parametrize(
    ("strategy", "limits"),
    [
        (convolution_cases, {"IMAGE_SHAPES": [(2, 2)], "KERNEL_SHAPES": [(3, 3)]}),
        (smooth_network_cases, {"IMAGE_SHAPES": [(5, 5)], "KERNEL_SHAPES": [(3, 3)]}),
        (smooth_network_cases, {"WINDOW_SHAPES": [(3, 3)]}),
        (tied_cases, {"WINDOW_SHAPES": [(1, 1)]}),
    ],
)
def test_limits_that_leave_nothing_are_not_applicable(strategy, limits):
    """Where no supported shapes go together there is no case to draw."""
    with pytest.raises(NotApplicable):
        drawn(strategy, **limits)


GROWN = {
    "large kernel": (convolution_cases, lambda c: max(c.kernel.shape) == 8),
    "large output": (convolution_cases, lambda c: max(c.upstream.shape) == 9),
    "large window": (pooling_cases, lambda c: max(c.window) == 5),
    "many windows": (tied_cases, lambda c: max(c.upstream.shape) == 5),
    "many features": (dense_cases, lambda c: c.features.size > 9),
    "large kernel of a network": (smooth_network_cases, lambda c: max(c.kernel.shape) > 3),
    "many windows of a network": (kinked_network_cases, lambda c: c.weights.size > 9),
}


@pytest.mark.parametrize(("strategy", "reached"), GROWN.values(), ids=GROWN)
def test_growth_reaches_larger_sizes(strategy, reached):
    """Grown, at least two in a hundred cases are larger than any at first, and small ones still occur."""
    cases = drawn(strategy, growth=4)
    assert not any(map(reached, drawn(strategy)))
    assert sum(map(reached, cases)) >= 2
    assert min(sum(np.size(value) for value in case.values()) for case in cases) <= 12


def test_single_precision_cases_are_single_precision_numbers():
    """For a float32 target huge and tiny inputs are float32 numbers, and near ties are apart in float32."""
    for case in drawn(activation_cases, DTYPE="float32"):
        np.testing.assert_array_equal(case.x, case.x.astype(np.float32))
    for case in drawn(unique_cases, DTYPE="float32"):
        assert gaps(type(case)(case, x=case.x.astype(np.float32))).min() > 0
