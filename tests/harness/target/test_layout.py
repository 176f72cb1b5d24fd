"""Targets with channels and batches: right ones hold, wrong ones are refuted on small inputs and named."""

from types import SimpleNamespace

import hypothesis
import numpy as np
import pytest
from scipy.signal import convolve2d, correlate2d

from benchmarks import trials
from benchmarks.layouts import LAYOUTS, TARGETS, ChannelsLast, Layered, even, offered
from benchmarks.trials import failures
from properties.harness.checking import conventions
from properties.harness.checking.properties import all_properties, arguments_of
from properties.harness.checking.trial import DEFAULT_EXAMPLES
from properties.harness.core.limits import POOL
from properties.harness.core.setting import Conventions, with_setting
from properties.harness.core.tape import Case
from properties.harness.core.values import Kind
from properties.harness.report.certificate import SEVERAL_CHANNELS, not_proved
from properties.harness.target.layout import Layout
from properties.harness.target.operation import Refuted
from properties.harness.target.target import CannotLoad, make_target
from properties.harness.why.diagnosis import diagnosed, explained
from properties.layers import OPERATIONS, convolution, dense, network, pooling
from properties.layers.base.windows import blocks
from properties.layers.network_cases import read_kinked, read_lively, read_smooth
from tests.doubles import trial_of
from tests.harness.core.test_tape import drawn

PROPERTIES = {entry.id: entry for entry in all_properties().values()}
BATCHED = ("NCHW", "NHWC")
FEW = 20  # examples


def test_unknown_layout_is_refused():
    """A layout that is none of the four is refused in one line."""
    with pytest.raises(CannotLoad) as caught:
        make_target(SimpleNamespace(relu=np.abs, LAYOUT="CWH"), "mine")
    assert str(caught.value) == 'mine: LAYOUT must be "HW", "CHW", "NCHW" or "NHWC", not \'CWH\''


@pytest.mark.parametrize("layout", ["HW", *LAYOUTS])
def test_inward_and_back(layout):
    """What a case holds goes to the target in its own shapes, and comes back as it was."""
    axes, generator = Layout(layout), np.random.default_rng(0)
    images, channels, filters = (2 if axes.batched else 1), *((2, 3) if axes.channelled else (1, 1))
    case = Case(
        image=generator.random((images, channels, 4, 7)),
        target=generator.random(images),
        kernel=generator.random((filters, channels, 3, 2)),
        weights=generator.random((filters * 3, 1)),
    )
    kinds = OPERATIONS["gradients"].takes
    outward = {name: axes.outward(kinds[name], value, case) for name, value in case.items()}
    sides = {"HW": (4, 7), "CHW": (2, 4, 7), "NCHW": (2, 2, 4, 7), "NHWC": (2, 4, 7, 2)}
    assert outward["image"].shape == sides[layout] == axes.outward_shape(Kind.IMAGES, case.image.shape)
    assert outward["kernel"].shape == ((3, 2, 3, 2) if axes.channelled else (3, 2))
    assert np.shape(outward["target"]) == ((2,) if axes.batched else ())
    for name, value in case.items():
        np.testing.assert_array_equal(axes.inward(kinds[name], outward[name], case), value)


@pytest.mark.parametrize("layout", ["HW", *LAYOUTS])
def test_target_gets_arrays_of_its_own_in_c_order(layout):
    """What is handed over is copied, and C-contiguous in the target's own layout."""
    with trial_of(LAYOUT=layout, conv2d=lambda image, kernel: image) as trial:
        given = drawn_in(layout, convolution.read)[0].arguments("image", "kernel")
        for array, inner in zip(trial.target.operations["conv2d"].handed(given), given, strict=True):
            assert array.flags.c_contiguous
            assert not np.shares_memory(array, inner)


@pytest.mark.parametrize("flips", [True, False])
def test_oracle_is_scipy_channel_by_channel(flips):
    """Convolution and both gradients are SciPy's, summed over channels, images and filters."""
    forth, back = (convolve2d, correlate2d) if flips else (correlate2d, convolve2d)
    generator = np.random.default_rng(7839)
    image, kernel, upstream = (
        generator.integers(-9, 10, shape) * 1.0 for shape in ((2, 2, 5, 4), (3, 2, 2, 3), (2, 3, 4, 2))
    )
    output, kernel_gradient = np.zeros(upstream.shape), np.zeros(kernel.shape)
    image_gradient = np.zeros(image.shape)
    for n, o, c in np.ndindex(2, 3, 2):
        output[n, o] += forth(image[n, c], kernel[o, c], "valid")
        image_gradient[n, c] += back(upstream[n, o], kernel[o, c])
        kernel_gradient[o, c] += correlate2d(image[n, c], upstream[n, o], "valid")
    if flips:
        kernel_gradient = kernel_gradient[..., ::-1, ::-1]
    with with_setting(conventions=Conventions("convolution" if flips else "correlation")):
        assert np.array_equal(convolution.conv2d(image, kernel), output)
        assert np.array_equal(convolution.conv2d_kernel_gradient(image, upstream), kernel_gradient)
        assert np.array_equal(convolution.conv2d_image_gradient(kernel, upstream), image_gradient)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_oracle_of_the_network_is_the_sum_over_its_images(layout):
    """Predictions and gradients are those of a network written image by image, features in the layout's order."""
    with trial_of(**offered(layout)) as trial:
        for case in drawn_in(layout, read_smooth)[:20]:
            point = case.arguments("image", "target", "kernel", "weights")
            predicted = trial.target.operations["predict"](case.image, case.kernel, case.weights)
            np.testing.assert_allclose(predicted, network.forward(case.image, case.kernel, case.weights).prediction)
            for mine, right in zip(
                trial.target.operations["gradients"](*point), network.gradients(*point), strict=True
            ):
                np.testing.assert_allclose(mine, right, rtol=1e-9, atol=1e-9)


def drawn_in(layout, read):
    """The hundred cases of a statement on them for a target of this layout."""
    return drawn(read, LAYOUT=layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_reaches_one_to_three_of_each(layout):
    """Images, channels and filters of every number from 1 to 3 that the layout has occur."""
    axes, found = Layout(layout), {"N": set(), "C": set(), "filters": set()}
    for case in drawn_in(layout, convolution.read):
        images, channels, rows, columns = case.image.shape
        filters, of_kernel, height, width = case.kernel.shape
        assert case.upstream.shape == (images, filters, rows - height + 1, columns - width + 1)
        assert of_kernel == channels
        for name, number in (("N", images), ("C", channels), ("filters", filters)):
            found[name].add(number)
    several = {1, 2, 3}
    assert found == {"N": several if axes.batched else {1}, "C": several, "filters": several}
    assert {case.x.shape[1] for case in drawn_in(layout, pooling.read)} == several
    assert {len(case.features) for case in drawn_in(layout, dense.read)} == (several if axes.batched else {1})
    networks = drawn_in(layout, read_smooth)
    assert {(c.image.shape[1], len(c.kernel)) for c in networks} == {(i, o) for i in several for o in several}
    assert {c.target.size for c in networks} == (several if axes.batched else {1})


@pytest.mark.parametrize("read", [read_smooth, read_lively])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_smooth_means_no_kink_in_any_image_or_channel(layout, read):
    """No pre-activation of any image and filter is 0 or ties within its window."""
    for case in drawn_in(layout, read):
        windows = np.sort(blocks(convolution.conv2d(case.image, case.kernel), POOL).reshape(-1, 4), axis=1)
        assert (windows != 0).all()
        assert (np.diff(windows, axis=1) > 0).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_kinked_means_a_kink_in_every_image(layout):
    """In the first window of each image some filter's maximum is tied and positive, or 0; every filter has its turn."""
    turns = set()
    for case in drawn_in(layout, read_kinked):
        windows = blocks(convolution.conv2d(case.image, case.kernel), POOL)
        first = windows[:, :, 0, 0].reshape(len(case.image), len(case.kernel), 4)
        top = first.max(axis=2)
        kinks = (top == 0) | ((top > 0) & ((first == top[..., None]).sum(axis=2) > 1))
        assert kinks.any(axis=1).all()
        turns |= {tuple(row) for row in kinks.tolist()}
    assert {(False, True), (True, False)} < turns


RIGHT = [
    "CHW, cross-correlation, ties shared",
    "NCHW, convolution, first of a tie",
    "NHWC, cross-correlation, ties shared",
    "NCHW, kernels (h, O, w, I)",
    "NHWC, kernels (h, w, I, O), mean gradients",
]
QUICK = [(name, FEW) for name in RIGHT]  # and the same share of what is exhaustive
WHOLE = [pytest.param(name, DEFAULT_EXAMPLES, marks=pytest.mark.slow) for name in TARGETS]


@pytest.fixture
def _few_examples():
    trials.settle(FEW, 0, shrinks=False)
    yield
    hypothesis.settings.load_profile("backproof")


@pytest.mark.usefixtures("_few_examples")
@pytest.mark.parametrize(("name", "examples"), [*QUICK, *WHOLE])
def test_correct_target_is_let_through(name, examples):
    """Every property holds for a correct target of each layout."""
    with trials.trial_of(TARGETS[name], examples) as trial:
        found = [(entry.id, str(failure)) for entry, failure in failures(trial, OPERATIONS)]
    assert len(found) > 90
    assert [entry for entry in found if entry[1] != "None"] == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_conventions_are_found(layout):
    """What a target with channels chose is found with one of each."""
    target = make_target(SimpleNamespace(**offered(layout, flips=False, shares=even, at_zero=0.5)), "double")
    assert conventions.find(target) == Conventions("correlation", "even split", 0.5)


class Meant(Layered):
    """Gradients that are means over the batch."""

    def conv2d_kernel_gradient(self, image, kernel, upstream):
        return super().conv2d_kernel_gradient(image, kernel, upstream) / len(image)

    def gradients(self, *point):
        layered = super().conv2d_kernel_gradient
        self.conv2d_kernel_gradient = layered
        return tuple(part / len(point[0]) for part in super().gradients(*point))


class OneOnly(Layered):
    """What counts only the first image, channel or filter, or the last image."""

    def conv2d_kernel_gradient(self, image, kernel, upstream):
        return super().conv2d_kernel_gradient(image[:1], kernel, upstream[:1])

    def max_pool_gradient(self, x, window, upstream):
        return super().max_pool_gradient(x, window, upstream) * (np.arange(len(x)) == 0)[:, None, None, None]

    def dense_gradients(self, features, weights, upstream):
        return upstream @ weights.T, features[-1:].T @ upstream[-1:]

    def conv2d(self, image, kernel):
        return super().conv2d(image[:, :1], kernel[:, :1])


class Confused(Layered):
    """What mixes channels up."""

    def conv2d(self, image, kernel):
        return super().conv2d(image, kernel.swapaxes(0, 1) if kernel.shape[0] == kernel.shape[1] else kernel)

    def conv2d_kernel_gradient(self, image, kernel, upstream):
        gradient = super().conv2d_kernel_gradient(image, kernel, upstream)
        return np.repeat(gradient[:, :1], kernel.shape[1], axis=1)

    def max_pool(self, x, window):
        pooled = super().max_pool(x, window)
        return np.broadcast_to(pooled.max(axis=1, keepdims=True), pooled.shape)


class OfOneImage(Layered):
    """What is wrong with one image of one channel already."""

    def conv2d_kernel_gradient(self, image, kernel, upstream):
        return super().conv2d_kernel_gradient(image, kernel, upstream)[..., ::-1, ::-1]

    def max_pool_gradient(self, x, window, upstream):
        self.shares = lambda tied: tied
        return super().max_pool_gradient(x, window, upstream)


class Broadcast(Layered):
    """Where (N, 1) − (N,) is (N, N)."""

    def cost(self, image, target, kernel, weights):
        return ((self.predict(image, kernel, weights).reshape(-1, 1) - target) ** 2).sum() / 2


ROT90, RULE = "convolution.kernel_gradient_is_the_rot90_form", "network.gradients_are_the_chain_rule"
SUM, SCATTER = "convolution.conv2d_is_the_defining_sum", "pooling.mask_repeat_is_argmax_scatter"
TIES, MAXIMUM = "pooling.gradient_at_ties_is_a_subgradient", "pooling.max_pool_is_the_maximum"
WEIGHTS, COMPOSED = "dense.weights_gradient_is_features_times_upstream", "network.predict_is_the_composition"
SQUARED = "network.cost_is_half_the_squared_error"
WRONG = {
    "mean over the batch": (Meant, "conv2d_kernel_gradient", ROT90, "divided by the number of images", 2),
    "mean of the gradients": (Meant, "gradients", RULE, "divided by the number of images", 8),
    "first image": (OneOnly, "conv2d_kernel_gradient", ROT90, "first image alone", 2),
    "first image pooled": (OneOnly, "max_pool_gradient", SCATTER, "first image alone", 2),
    "weights not summed": (OneOnly, "dense_gradients", WEIGHTS, "last image alone", 2),
    "first channel": (OneOnly, "conv2d", SUM, "first input channel alone", 2),
    "channels swapped": (Confused, "conv2d", SUM, "filters and channels swapped", 2),
    "channel copied": (Confused, "conv2d_kernel_gradient", ROT90, "first channel copied", 2),
    "pooled over channels": (Confused, "max_pool", MAXIMUM, "pooled over the channels", 4),
    "every pair": (Broadcast, "cost", SQUARED, "every image with every target", 8),
    "another order": (None, "predict", COMPOSED, "features flattened in the order of another layout", 8),
    "gradients in another order": (None, "gradients", RULE, "features flattened in the order of another layout", 8),
    "mask repeat": (OfOneImage, "max_pool_gradient", TIES, "mask repeat", 2),
    "no rot90": (OfOneImage, "conv2d_kernel_gradient", ROT90, "rotation missing", 2),
}
OF_BATCHES = {name for name, entry in WRONG.items() if "image" in entry[3]}
ASKED = [(layout, name) for layout in LAYOUTS for name in WRONG if layout in BATCHED or name not in OF_BATCHES]


def wrong_target(layout, name):
    """A correct target with one operation of the wrong one."""
    made, operation = WRONG[name][:2]
    if made is None:
        made = Layered if layout == "NHWC" else ChannelsLast
    elif layout == "NHWC":
        made = type("Made", (made, ChannelsLast), {})
    return offered(layout) | {operation: offered(layout, made())[operation]}


@pytest.mark.parametrize(("layout", "name"), ASKED)
def test_wrong_formula_is_refuted_on_a_small_input_and_named(layout, name):
    """The property is refuted on the smallest sizes that show it, and the failure names the mistake."""
    _, operation, identifier, mistake, size = WRONG[name]
    statement = PROPERTIES[identifier].function
    with trial_of(**wrong_target(layout, name)) as trial:
        arguments = arguments_of(statement, trial.target)
        failure = trials.failure_of(statement, arguments, trial)
        assert isinstance(failure, Refuted)
        explained(failure, arguments.values())
    assert failure.mistakes[0] == f"{operation}: {mistake}"
    sized = next(key for key in ("x", "features", "image") if key in failure.case)
    assert failure.case[sized].size <= size


def test_what_is_wrong_with_several_alone_is_told_so():
    """An unknown mistake that shows with several channels alone is confined to these."""

    def conv2d(image, kernel):
        right = Layered().conv2d(image, kernel)
        return right + np.cos(right) * (image.shape[1] > 1)

    with trial_of(**offered("NCHW") | {"conv2d": conv2d}) as trial:
        (reason,) = map(str, diagnosed(trial.target.operations["conv2d"], Case()).reasons)
    assert reason.endswith("it is wrong exactly where there is more than one of the channels")


def test_as_many_numbers_as_images():
    """A prediction may have any shape with a number for each image; another count is refuted."""
    image, kernel, weights = np.ones((2, 1, 2, 2)), np.ones((1, 1, 1, 1)), np.ones((1, 1))

    def predict(shape):
        target = make_target(SimpleNamespace(LAYOUT="NCHW", predict=lambda *_: np.zeros(shape)), "double")
        return target.operations["predict"](image, kernel, weights)

    assert all(predict(shape).shape == (2,) for shape in ((2,), (2, 1), (1, 2)))
    with pytest.raises(Refuted, match="predict must return as many numbers as images, 2, but returned shape"):
        predict((1,))


def test_certificate_says_what_was_covered():
    """Of a target with channels the proofs name their numbers, and several channels are not left unproved."""
    with trial_of(**offered("NHWC")) as trial:
        statement = PROPERTIES["exact.conv2d_on_every_pair_of_basis_vectors"].function
        statement(conv2d=trial.target.operations["conv2d"])
        proof = trial.record.proof
        assert proof["where"] == "for images up to 3×3 and kernels up to 2×2, with 2 images, 2 channels and 2 filters"
        assert trial.record.examples == 4096
        assert SEVERAL_CHANNELS not in not_proved(trial.target.layout)
    assert SEVERAL_CHANNELS in not_proved(Layout("HW"))
