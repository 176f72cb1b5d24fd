"""Kernels whose axes are in another order, and gradients that are means: declared, undone at the door, shown as they
are.
"""

from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import trials
from benchmarks.layouts import LAYOUTS, Averaging, AveragingChannelsLast, averaging, offered
from benchmarks.trials import failures
from properties.harness.checking.properties import all_properties, arguments_of
from properties.harness.core.tape import Case
from properties.harness.core.values import Kind, parts
from properties.harness.run.verify import verify
from properties.harness.target.layout import KERNEL, Layout
from properties.harness.target.operation import Operation, Refuted, told
from properties.harness.target.target import CannotLoad, make_target
from properties.harness.why.diagnosis import explained
from properties.harness.why.reproduction import reproductions
from properties.layers import OPERATIONS, convolution, dense
from properties.layers.network_cases import read_kinked, read_smooth
from properties.layers.options import dense_options
from tests.doubles import trial_of
from tests.harness.core.test_tape import drawn

PROPERTIES = {entry.id: entry for entry in all_properties().values()}
EPS = np.finfo(np.float64).eps
LETTERS = 'mine: KERNEL_LAYOUT must have the letters O, I, h and w, as "hwIO", not '
WITHOUT = "mine: KERNEL_LAYOUT 'hwIO' is for a LAYOUT with channels: kernels are (h, w) without"
UNCLEAR = {
    "capitals": ({"LAYOUT": "NHWC", "KERNEL_LAYOUT": "HWIO"}, f"{LETTERS}'HWIO'"),
    "a letter missing": ({"LAYOUT": "NCHW", "KERNEL_LAYOUT": "OIh"}, f"{LETTERS}'OIh'"),
    "a letter twice": ({"LAYOUT": "NCHW", "KERNEL_LAYOUT": "OIhh"}, f"{LETTERS}'OIhh'"),
    "a list": ({"LAYOUT": "NCHW", "KERNEL_LAYOUT": ["O", "I", "h", "w"]}, f"{LETTERS}['O', 'I', 'h', 'w']"),
    "no channels": ({"KERNEL_LAYOUT": "hwIO"}, WITHOUT),
    "another word": ({"GRADIENTS": "average"}, 'mine: GRADIENTS must be "sum" or "mean", not \'average\''),
    "no word": ({"GRADIENTS": None}, 'mine: GRADIENTS must be "sum" or "mean", not None'),
    "several": ({"GRADIENTS": np.ones(2)}, 'mine: GRADIENTS must be "sum" or "mean", not array([1., 1.])'),
}


@pytest.mark.parametrize(("declared", "message"), UNCLEAR.values(), ids=UNCLEAR)
def test_unclear_declaration_is_refused_in_one_line(declared, message):
    """The line says what may stand there."""
    with pytest.raises(CannotLoad) as caught:
        make_target(SimpleNamespace(relu=np.abs, **declared), "mine")
    assert str(caught.value) == message


def test_usual_ones_may_be_declared_anywhere():
    """What is so without a word may be said in every layout; a mean, too, where there is one image."""
    for name in ("HW", *LAYOUTS):
        declared = {"LAYOUT": name, "KERNEL_LAYOUT": KERNEL, "GRADIENTS": "sum"}
        assert make_target(SimpleNamespace(relu=np.abs, **declared), "mine").layout == Layout(name, labels="integers")
    assert make_target(SimpleNamespace(relu=np.abs, GRADIENTS="mean"), "mine").layout.gradients_are == "mean"


@pytest.mark.parametrize("letters", [*map("".join, permutations(KERNEL))])
def test_kernels_go_out_and_come_back(letters):
    """Each axis goes where its letter stands, and back, also with a further axis in front."""
    layout, kernel = Layout("NCHW", kernel=letters), np.arange(24.0).reshape(1, 2, 3, 4)
    outward = layout.outward(Kind.KERNEL, kernel, Case())
    assert outward.shape == layout.outward_shape(Kind.KERNEL, kernel.shape)
    assert outward.shape == tuple(1 + "OIhw".index(letter) for letter in letters)
    np.testing.assert_array_equal(layout.inward(Kind.KERNEL, outward, Case()), kernel)
    stacked = layout.inward(Kind.KERNEL, np.stack([outward, -outward]), Case())
    np.testing.assert_array_equal(stacked, np.stack([kernel, -kernel]))


@pytest.mark.parametrize(("layout", "letters"), [("NHWC", "hwIO"), ("NCHW", "IOhw"), ("CHW", "OIhw")])
def test_bias_that_is_none_has_an_entry_for_each_filter(layout, letters):
    """A bias that must be given is zeros, as many as filters, wherever the kernel has these; scripts write it so."""
    seen = []

    def conv2d(image, kernel, bias):
        seen.append(bias.shape)
        return offered(layout, kernels=letters)["conv2d"](image, kernel)

    with trial_of(LAYOUT=layout, KERNEL_LAYOUT=letters, conv2d=conv2d) as trial:
        operation = trial.target.operations["conv2d"]
        for case in drawn(convolution.read, LAYOUT=layout)[:20]:
            operation.at(case)
            assert seen[-1] == case.kernel.shape[:1]
            own = dict(zip(("image", "kernel"), operation.handed(case.arguments("image", "kernel")), strict=True))
            asked = operation.function.written(own, {"image": "image", "kernel": "kernel"})
            assert asked == f"conv2d(image, kernel, bias=np.zeros({seen[-1]}))"


def run(script, functions):
    """A script as it is pasted where the functions are defined."""
    with np.printoptions():  # as it was, after the script's own
        exec(script, dict(functions))  # noqa: S102


def made(layout, wrong, **choices):
    """A network of means with one operation of this class, of which it need only be half."""
    network = type("Made", (wrong, AveragingChannelsLast if layout == "NHWC" else Averaging), {})()
    return averaging(layout, **choices) | {
        name: function for name, function in offered(layout, network, **choices).items() if name in vars(wrong)
    }


class Summed:
    """Gradients that are sums."""

    def conv2d_kernel_gradient(self, image, kernel, upstream):
        return super().conv2d_kernel_gradient(image, kernel, upstream) * len(image)

    def dense_gradients(self, features, weights, upstream):
        return upstream @ weights.T, features.T @ upstream

    def gradients(self, *point):
        return super().gradients(*point)


class StepOfSums:
    """A step along the sum."""

    def train_step(self, *point_and_rate):
        *point, rate = point_and_rate
        return super().train_step(*point, rate * len(point[0]))


class Turned:
    """A kernel's gradient that lacks its half turn."""

    def conv2d_kernel_gradient(self, image, kernel, upstream):
        return super().conv2d_kernel_gradient(image, kernel, upstream)[..., ::-1, ::-1]


class Swapped:
    """A kernel's gradient with filters and channels swapped, where these are as many."""

    def conv2d_kernel_gradient(self, image, kernel, upstream):
        gradient = super().conv2d_kernel_gradient(image, kernel, upstream)
        return gradient.swapaxes(0, 1) if gradient.shape[0] == gradient.shape[1] else gradient


ROT90, WEIGHTS = "convolution.kernel_gradient_is_the_rot90_form", "dense.weights_gradient_is_features_times_upstream"
RULE, STEP = "network.gradients_are_the_chain_rule", "training.train_step_moves_by_the_old_gradients"
SEVERAL = "dense_options.weights_gradient_is_features_times_all_upstream"
TIMES = "times the number of images"
WRONG = {
    "sums": (Summed, ROT90, TIMES),
    "sums of weights": (Summed, WEIGHTS, TIMES),
    "sums of several outputs": (Summed, SEVERAL, TIMES),
    "sums of the network": (Summed, RULE, TIMES),
    "step along the sum": (StepOfSums, STEP, TIMES),
    "no half turn": (Turned, ROT90, "rotation missing"),
    "swapped": (Swapped, ROT90, "filters and channels swapped"),
}
DECLARED = [("NCHW", {}), ("NHWC", {"kernels": "hwIO"})]


@pytest.mark.parametrize(("layout", "choices"), DECLARED, ids=["NCHW", "NHWC, hwIO"])
@pytest.mark.parametrize(("wrong", "identifier", "mistake"), WRONG.values(), ids=WRONG)
def test_wrong_target_is_named_and_shown_in_its_own_form(layout, choices, wrong, identifier, mistake):
    """The mistake is named; the arrays that are shown are what the target was handed and gave, and scripts fail."""
    entry = PROPERTIES[identifier]
    offers = made(layout, wrong, **choices)
    trials.settle(20)
    with trial_of(**offers) as trial:
        arguments = arguments_of(entry.function, trial.target)
        failure = trials.failure_of(entry.function, arguments, trial)
        assert isinstance(failure, Refuted)
        explained(failure, arguments.values())
        assert failure.mistakes[0] == f"{entry.operation}: {mistake}"
        signature, shown = OPERATIONS[entry.operation], told(failure, entry.operation, trial.target.layout)
        handed = [shown.case[name] for name in signature.parameters]
        gave = parts(offers[signature.function or signature.name](*handed))
        assert any(np.array_equal(shown.yours, part) for part in gave)
        size = shown.difference.off
        assert (
            np.max(np.abs(shown.yours - shown.expected))
            >= size
            == pytest.approx(abs(shown.yours - shown.expected)[shown.difference.first], rel=1e-9)
        )
        scripts = reproductions(entry, entry.function, arguments, failure)
        assert "reckoned" not in scripts[0]
        with pytest.raises(SystemExit, match="is wrong: off by"):
            run(scripts[0], offers)


class TiedInTheSecond:
    """Every maximum of the second image gets the whole gradient."""

    def max_pool_gradient(self, x, window, upstream):
        right = super().max_pool_gradient(x, window, upstream)
        self.shares = lambda tied: tied
        wrong = super().max_pool_gradient(x, window, upstream)
        return np.concatenate([right[:1], wrong[1:]])


def test_script_of_a_mean_at_a_kink_tells_it_from_every_legal_one():
    """The direction that tells them is of the mean, and the line of what the statement reckoned with says so."""
    entry = PROPERTIES["network.gradients_at_kinks_are_conservative"]
    wrong = type("Made", (TiedInTheSecond, Averaging), {})
    offers, right = (averaging("NCHW") | {"gradients": one.gradients} for one in (wrong(), Averaging()))
    offers["gradients"] = lambda *point: wrong().gradients(*point)  # each call as if it were the first
    trials.settle(100)
    with trial_of(**offers) as trial:
        arguments = arguments_of(entry.function, trial.target)
        failure = trials.failure_of(entry.function, arguments, trial)
        assert len(failure.case["image"]) > 1
        assert told(failure, "gradients", trial.target.layout).message.endswith("(reckoned with sums over the images)")
        script = reproductions(entry, entry.function, arguments, failure)[0]
    assert "direction = " in script
    with pytest.raises(SystemExit, match="gradients is wrong: off by"):
        run(script, offers)
    run(script, right)


@pytest.mark.parametrize("operation", ["conv2d_kernel_gradient", "dense_gradients", "gradients", "train_step"])
def test_mean_off_by_four_units_is_within_the_bounds(operation):
    """The product with the number of images rounds; four units of the target's own answer pass all the same."""
    signature = OPERATIONS[operation]
    reads = {"conv2d_kernel_gradient": convolution.read, "dense_gradients": dense.read}
    door = Operation(operation, None, Layout("NCHW", gradients_are="mean"))
    with trial_of(**averaging("NCHW")) as trial:
        for case in drawn(reads.get(operation, read_smooth), LAYOUT="NCHW"):
            values = signature.value(case)
            kinds = zip(signature.gives, values, strict=True)
            own = [door.outward(kind, value.value, case) * (1 + 4 * EPS) for kind, value in kinds]
            checked = parts(door.checked(tuple(own) if len(own) > 1 else own[0], signature.arguments(case)))
            for part, value in zip(checked, values, strict=True):
                assert (np.abs(part - value.value) <= value.allowed + EPS * np.abs(value.value)).all()
        assert trial.target.layout.gradients_are == "mean"


def test_learning_rate_of_a_mean_is_the_targets_own():
    """A step along the mean over N images is handed N times the rate, so that it moves as far as one along the sum."""
    with trial_of(**averaging("NCHW")) as trial, trial_of(**offered("NCHW")) as other:
        for case in drawn(read_kinked, LAYOUT="NCHW")[:20]:
            step, along_the_sum = (one.target.operations["train_step"] for one in (trial, other))
            handed = step.handed(step.signature.arguments(case))
            assert handed[-1] == len(case.image) * case.learning_rate
            assert step.case_of(handed).learning_rate == case.learning_rate
            for one, two in zip(step.at(case), along_the_sum.at(case), strict=True):
                np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-12)


def test_rows_of_a_dense_layer_are_averaged_in_every_layout():
    """A layer whose arrays have rows without batches too gives means over these: for weights and bias alone."""

    def dense_gradients(features, weights, upstream):
        return upstream @ weights.T, features.T @ upstream / len(features), upstream.mean(axis=0)

    trials.settle(20)
    target = {"GRADIENTS": "mean", "dense_gradients": dense_gradients, "dense": lambda x, w, bias=0: x @ w + bias}
    with trial_of(**target) as trial:
        assert max(len(case.features) for case in drawn(dense_options.read)) > 1
        assert "dense_bias_gradient" in trial.target.operations
        found = {entry.id: failure for entry, failure in failures(trial, [*trial.target.operations])}
    assert [name for name, failure in found.items() if failure] == []
    with trial_of(**{**target, "GRADIENTS": "sum"}) as trial:
        found = {entry.id for entry, failure in failures(trial, [*trial.target.operations]) if failure}
    assert {SEVERAL, "dense_options.bias_gradient_is_the_sum_of_upstream"} <= found
    assert "dense_options.features_gradient_is_upstream_times_all_weights" not in found


def test_report_says_what_was_declared():
    """In the JSON, and among the conventions of what is printed."""
    report = verify(SimpleNamespace(**averaging("NHWC", kernels="hwIO")), examples=2, keyword="rot90_form")
    assert [report.data[name] for name in ("layout", "kernel_layout", "gradients_are")] == ["NHWC", "hwIO", "mean"]
    words = "layout NHWC, kernels hwIO; parameters' gradients: mean over the images"
    assert words in " ".join(report.as_text().split())
