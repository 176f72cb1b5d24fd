"""Cases reach what they claim within the default budget, and build what they promise."""

from dataclasses import replace
from types import SimpleNamespace

import hypothesis
import numpy as np
import pytest

from properties.harness.checking.cases import cases_from
from properties.harness.core.limits import POOL, NotApplicable
from properties.harness.core.setting import Conventions, in_setting, with_setting
from properties.harness.target.target import make_target
from properties.layers import activations, convolution, dense, network, network_cases, pooling
from properties.layers.base.windows import blocks, maxima
from properties.layers.pooling import leads

PAIRS, LIVELY, KINKED = convolution.read_pairs, network_cases.read_lively, network_cases.read_kinked
SMOOTH, TIED, UNIQUE, CLEAR = network_cases.read_smooth, pooling.read_tied, pooling.read_unique, pooling.read_clear


def drawn(read, growth=0, flips=True, **declared):
    """The hundred cases that a statement on them runs with by default; none may be rejected."""
    cases = []

    @hypothesis.settings(phases=[hypothesis.Phase.generate], database=None, max_examples=100)
    @hypothesis.seed(0)
    @hypothesis.given(case=cases_from(read))
    def collect(case):
        cases.append(case.first)

    target = make_target(SimpleNamespace(relu=np.abs, **declared), "double")
    found = target.setting(Conventions("convolution" if flips else "correlation"))
    with in_setting(replace(found, limits=replace(found.limits, growth=growth))):
        collect()
    assert len(cases) == 100
    return cases


def tied_counts(case):
    """How many entries are maximal, in each window."""
    return blocks(maxima(case.x, case.window), case.window).sum(axis=(-2, -1))


def preactivations(case):
    """What the convolution gives, in windows."""
    return blocks(convolution.conv2d(case.image, case.kernel), POOL).reshape(-1, 4)


REACHED = {
    "image other than square": (convolution.read, lambda c: c.image.shape[2] != c.image.shape[3]),
    "kernel other than square": (convolution.read, lambda c: c.kernel.shape[2] != c.kernel.shape[3]),
    "1×1 kernel": (convolution.read, lambda c: c.kernel.shape[2:] == (1, 1)),
    "kernel as large as the image": (
        convolution.read,
        lambda c: c.kernel.shape == c.image.shape and c.kernel.size > 1,
    ),
    "output higher than wide": (convolution.read, lambda c: c.upstream.shape[2] > c.upstream.shape[3]),
    "large entries of an image": (convolution.read, lambda c: np.abs(c.image).max() > 100),
    "an image that single precision does not hold": (
        convolution.read,
        lambda c: (c.image.astype(np.float32) != c.image).any(),
    ),
    "entries to pool that single precision does not hold": (
        UNIQUE,
        lambda c: (c.x.astype(np.float32) != c.x).any(),
    ),
    "features that single precision does not hold": (
        dense.read,
        lambda c: (c.features.astype(np.float32) != c.features).any(),
    ),
    "upstream of mixed sizes": (
        convolution.read,
        lambda c: 0 < np.abs(c.upstream).min() < 1e-7 * np.abs(c.upstream).max(),
    ),
    "learning rate 0": (SMOOTH, lambda c: c.learning_rate == 0),
    "tiny entries of an image": (convolution.read, lambda c: 0 < np.abs(c.image).max() < 1e-3),
    "large entries of a kernel": (convolution.read, lambda c: np.abs(c.kernel).max() > 100),
    "tiny entries of a kernel": (convolution.read, lambda c: 0 < np.abs(c.kernel).max() < 1e-3),
    "varied upstream": (convolution.read, lambda c: np.unique(c.upstream).size > 4),
    "other image": (PAIRS, lambda c: (c.image != c.other_image).any()),
    "window other than square": (UNIQUE, lambda c: c.window[0] != c.window[1]),
    "1×1 window": (UNIQUE, lambda c: c.window == (1, 1)),
    "one window": (UNIQUE, lambda c: c.upstream.size == 1 and c.x.size > 1),
    "negative maxima": (UNIQUE, lambda c: (c.x < 0).all()),
    "near ties": (UNIQUE, lambda c: (leads(c) > 0).any() and leads(c).min() < 1e-12 * np.abs(c.x).max()),
    "large entries to pool": (UNIQUE, lambda c: np.abs(c.x).max() > 100),
    "tiny entries to pool": (UNIQUE, lambda c: 0 < np.abs(c.x).max() < 1e-3),
    "either of unique and tied": (pooling.read, lambda c: (tied_counts(c) > 1).any()),
    "ties below 0": (TIED, lambda c: (c.x < 0).all()),
    "ties at 0": (TIED, lambda c: (pooling.max_pool(c.x, c.window)[tied_counts(c) > 1] == 0).any()),
    "a tie beside a window without": (TIED, lambda c: {1} < set(tied_counts(c).ravel().tolist())),
    "single feature": (dense.read, lambda c: c.features.size == 1),
    "nine features": (dense.read, lambda c: c.features.size == 9),
    "huge input": (activations.read_any, lambda c: np.abs(c.x).max() > 1e300),
    "the largest numbers": (activations.read_any, lambda c: np.abs(c.x).max() > 1e308),
    "subnormal input": (activations.read_any, lambda c: ((c.x != 0) & (np.abs(c.x) < 1e-308)).any()),
    "what single precision does not hold": (
        activations.read_any,
        lambda c: (np.clip(c.x, -8, 8) != np.float32(np.clip(c.x, -8, 8))).any(where=np.abs(c.x) > 1 / 32),
    ),
    "zero": (activations.read_any, lambda c: (c.x == 0).any()),
    "three dimensions": (activations.read_any, lambda c: c.x.ndim == 3),
    "one dimension": (activations.read_moderate, lambda c: c.x.ndim == 1),
    "1×1 kernel of a network": (SMOOTH, lambda c: c.kernel.shape[2:] == (1, 1)),
    "network other than square": (SMOOTH, lambda c: c.image.shape[2] != c.image.shape[3]),
    "single window of a network": (SMOOTH, lambda c: c.weights.size == 1),
    "many windows of a network": (SMOOTH, lambda c: c.weights.size >= 6),
    "target near the prediction": (
        SMOOTH,
        lambda c: 0 < abs(network.forward(c.image, c.kernel, c.weights).prediction - c.target) < 1e-4,
    ),
    "all ReLUs dead": (SMOOTH, lambda c: (preactivations(c) < 0).all()),
    "some windows dead": (
        SMOOTH,
        lambda c: len(set((preactivations(c).max(axis=1) > 0).tolist())) == 2,
    ),
    "arctan not saturated": (
        LIVELY,
        lambda c: abs(network.forward(c.image, c.kernel, c.weights).weighted) < 3,
    ),
    "positive tie": (
        KINKED,
        lambda c: any((row == row.max()).sum() > 1 and row.max() > 0 for row in preactivations(c)),
    ),
    "maximum at 0": (KINKED, lambda c: (preactivations(c).max(axis=1) == 0).any()),
    "zeros tied at the top": (
        KINKED,
        lambda c: any((row == 0).sum() > 1 and row.max() == 0 for row in preactivations(c)),
    ),
}


@pytest.mark.parametrize(("read", "reached"), REACHED.values(), ids=REACHED)
def test_reaches(read, reached):
    """At least two in a hundred cases are of this kind."""
    assert sum(bool(reached(case)) for case in drawn(read)) >= 2


@pytest.mark.parametrize("tied", range(2, 10))
def test_reaches_ties_of_every_count(tied):
    """Up to the nine entries of the largest window, a tie of every count occurs."""
    assert any((tied_counts(case) == tied).any() for case in drawn(TIED))


@pytest.mark.parametrize("read", [UNIQUE, CLEAR])
def test_unique_means_one_maximum_in_every_window(read):
    """No window of any case is tied."""
    assert all((tied_counts(case) == 1).all() for case in drawn(read))


def test_clear_means_a_gap_beyond_any_difference_step():
    """The next entry of a clear case is a sixteenth or more below the maximum, at the array's scale."""
    assert all(leads(case).min() >= np.abs(case.x).max() / 128 for case in drawn(CLEAR))


def test_tied_means_a_tie_in_the_first_window():
    """Every tied case has one."""
    assert all(tied_counts(case).flat[0] > 1 for case in drawn(TIED))


@pytest.mark.parametrize("read", [SMOOTH, LIVELY])
@pytest.mark.parametrize("flips", [True, False])
def test_smooth_means_no_zero_and_no_tie(read, flips):
    """Pre-activations differ from 0 and within a window, for either convention."""
    for case in drawn(read, flips=flips):
        with with_setting(conventions=Conventions("convolution" if flips else "correlation")):
            windows = np.sort(preactivations(case), axis=1)
        assert (windows != 0).all()
        assert (np.diff(windows, axis=1) > 0).all()


def test_lively_means_a_gradient():
    """Some ReLU is alive, no weight is 0, and the gradient for either parameter is not."""
    for case in drawn(LIVELY):
        gradients = network.gradients(*case.arguments("image", "target", "kernel", "weights"))
        assert all((part != 0).any() for part in gradients)
        assert (case.weights != 0).all()


def test_kinked_means_a_kink_in_the_first_window():
    """There the maximum is tied and positive, or 0."""
    for case in drawn(KINKED):
        first = preactivations(case)[0]
        assert first.max() == 0 or (first.max() > 0 and (first == first.max()).sum() > 1)


@pytest.mark.parametrize(
    ("read", "names"),
    [
        (convolution.read, ("image", "kernel", "upstream")),
        (pooling.read, ("x", "upstream")),
        (dense.read, ("features", "weights", "upstream")),
        (SMOOTH, ("image", "kernel", "weights")),
    ],
)
def test_arrays_are_contiguous_doubles_of_their_own(read, names):
    """Every array is float64, writable, and in C order."""
    for case in drawn(read)[:20]:
        for name in names:
            assert case[name].dtype == np.float64
            assert case[name].flags.writeable


LIMITED = [
    (convolution.read, {"KERNEL_SHAPES": [(3, 3)]}, lambda c: c.kernel.shape[2:] == (3, 3)),
    (convolution.read, {"KERNEL_SHAPES": "square"}, lambda c: c.kernel.shape[2] == c.kernel.shape[3]),
    (convolution.read, {"IMAGE_SHAPES": "square"}, lambda c: c.image.shape[2] == c.image.shape[3]),
    (convolution.read, {"IMAGE_SHAPES": [(28, 30)]}, lambda c: c.image.shape[2:] == (28, 30)),
    (pooling.read, {"WINDOW_SHAPES": "square"}, lambda c: c.window[0] == c.window[1]),
    (pooling.read, {"WINDOW_SHAPES": [(2, 2)]}, lambda c: c.window == (2, 2)),
    (TIED, {"WINDOW_SHAPES": [(1, 1), (2, 1)]}, lambda c: c.window == (2, 1)),
    (pooling.read, {"IMAGE_SHAPES": [(6, 6)], "WINDOW_SHAPES": [(2, 2)]}, lambda c: c.x.shape[2:] == (6, 6)),
    (pooling.read, {"IMAGE_SHAPES": [(5, 5)], "WINDOW_SHAPES": [(2, 2)]}, lambda c: c.x.shape[2] % 2 == 0),
    (
        SMOOTH,
        {"IMAGE_SHAPES": [(6, 6)], "KERNEL_SHAPES": [(3, 3)]},
        lambda c: (c.image.shape[2:], c.kernel.shape[2:], c.weights.shape) == ((6, 6), (3, 3), (4, 1)),
    ),
    (KINKED, {"KERNEL_SHAPES": "square"}, lambda c: c.kernel.shape[2] == c.kernel.shape[3]),
]


@pytest.mark.parametrize(("read", "limits", "within"), LIMITED)
def test_cases_keep_to_declared_limits(read, limits, within):
    """Every case is within what the target declares."""
    assert all(within(case) for case in drawn(read, **limits))


@pytest.mark.parametrize(
    ("read", "limits"),
    [
        (convolution.read, {"IMAGE_SHAPES": [(2, 2)], "KERNEL_SHAPES": [(3, 3)]}),
        (SMOOTH, {"IMAGE_SHAPES": [(5, 5)], "KERNEL_SHAPES": [(3, 3)]}),
        (SMOOTH, {"WINDOW_SHAPES": [(3, 3)]}),
        (TIED, {"WINDOW_SHAPES": [(1, 1)]}),
    ],
)
def test_limits_that_leave_nothing_are_not_applicable(read, limits):
    """Where no supported shapes go together there is no case to draw."""
    with pytest.raises(NotApplicable):
        drawn(read, **limits)


GROWN = {
    "large kernel": (convolution.read, lambda c: max(c.kernel.shape[2:]) == 8),
    "large output": (convolution.read, lambda c: max(c.upstream.shape[2:]) == 9),
    "large window": (pooling.read, lambda c: max(c.window) == 5),
    "many windows": (TIED, lambda c: max(c.upstream.shape[2:]) == 5),
    "many features": (dense.read, lambda c: c.features.size > 9),
    "large kernel of a network": (SMOOTH, lambda c: max(c.kernel.shape[2:]) > 3),
    "many windows of a network": (KINKED, lambda c: c.weights.size > 9),
}


@pytest.mark.parametrize(("read", "reached"), GROWN.values(), ids=GROWN)
def test_growth_reaches_larger_sizes(read, reached):
    """Grown, at least two in a hundred cases are larger than any at first, and small ones still occur."""
    cases = drawn(read, growth=4)
    assert not any(map(reached, drawn(read)))
    assert sum(map(reached, cases)) >= 2
    assert min(sum(np.size(value) for value in case.values()) for case in cases) <= 12


def test_single_precision_cases_are_single_precision_numbers():
    """For a float32 target huge and tiny inputs are float32 numbers, and near ties are apart in float32."""
    for case in drawn(activations.read_any, DTYPE="float32"):
        np.testing.assert_array_equal(case.x, case.x.astype(np.float32))
    for case in drawn(UNIQUE, DTYPE="float32"):
        assert leads(case.changed(x=case.x.astype(np.float32))).min() > 0
