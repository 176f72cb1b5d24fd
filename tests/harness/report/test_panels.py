"""A failure's panels are its arrays, the right network's stages on them, and both sides."""

import numpy as np
import pytest

import reference
from properties.harness.checking.trial import Record, on_trial
from properties.harness.core.reason import Difference
from properties.harness.core.setting import Conventions
from properties.harness.report.panels import panels
from properties.harness.report.report import found
from properties.harness.report.results import finished
from properties.harness.target.layout import Layout
from properties.harness.target.operation import Refuted
from properties.harness.target.target import Target
from tests.reports import entry


def shown(operation, case, *, yours, expected, wrong=None, convolution="convolution", layout="HW"):
    """The panels by their titles, and the words, of a failure."""
    error = Refuted("", yours=yours, expected=expected, wrong=wrong)
    error.case = case
    target = Target("mine", {}, layout=Layout(layout))
    with on_trial(target, Conventions(convolution)):
        result = entry(finished(Record(), error, 0.0, (operation,)), operation=operation)
    report = found(target, Conventions(convolution))
    before, sides, words = panels(result, report)
    assert all(panel.values.ndim == 2 for panel in (*before, *sides))
    assert not any(panel.title.startswith(("yours", "expected")) for panel in before)
    return {panel.title: panel for panel in (*before, *sides)}, words


TIE = {"x": np.array([[3.0, 3.0, 1.0, 2.0]]), "window": (1, 2), "upstream": np.array([[1.0, 5.0]])}


def test_ties_and_winners_are_marked():
    """In what is pooled every maximum is a winner, and tied if its window has two; the windows are told."""
    found, words = shown("max_pool_gradient", TIE, yours=np.array([[1.0, 1.0, 0.0, 5.0]]), expected="weights of sum 1")
    marks = found["x"].marks
    np.testing.assert_array_equal(marks.winners, [[True, True, False, True]])
    np.testing.assert_array_equal(marks.tied, [[True, True, False, False]])
    assert marks.window == (1, 2)
    np.testing.assert_array_equal(found["max_pool(x)"].values, [[3.0, 2.0]])
    np.testing.assert_array_equal(found["right, for one"].values, [[1.0, 0.0, 0.0, 5.0]])
    assert words == {"window": "(1, 2)", "expected": "weights of sum 1"}


def test_wrong_entries_are_marked_in_the_answer_and_the_difference():
    """The entries that the comparison found are marked where they stand, and both sides have one scale."""
    yours, expected = np.array([[1.0, 9.0]]), np.array([[1.0, 2.0]])
    found, _ = shown("relu", {"x": np.array([[1.0, 2.0]])}, yours=yours, expected=expected, wrong=yours != expected)
    for title in ("yours", "yours − expected"):
        np.testing.assert_array_equal(found[title].marks.wrong, [[False, True]])
    assert found["expected"].marks.wrong is None
    assert found["yours"].scale == found["expected"].scale == 9.0
    np.testing.assert_array_equal(found["yours − expected"].values, [[0.0, 7.0]])


def test_negative_pre_activations_are_dead():
    """What ReLU makes 0 is marked in its argument."""
    found, _ = shown("relu_derivative", {"x": np.array([-1.0, 0.0, 2.0])}, yours=np.zeros(3), expected=np.ones(3))
    np.testing.assert_array_equal(found["x"].marks.dead, [[True, True, False]])


POINT = {
    "image": np.arange(16.0).reshape(4, 4) - 11,
    "target": 0.5,
    "kernel": np.array([[1.0, -1.0, 2.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]]),
    "weights": np.array([[0.25]]),
}


def test_stages_of_a_network_are_the_right_ones():
    """Convolution, ReLU, pooling, the sum, arctan and what comes back are the reference's, with dead ReLUs marked."""
    found, words = shown("gradients", POINT, yours=np.zeros((3, 3)), expected=np.ones((3, 3)))
    stages = reference.network.forward(POINT["image"], POINT["kernel"], POINT["weights"])
    assert (stages.convolved == 0).any()
    np.testing.assert_array_equal(found["conv2d(image, kernel)"].values, stages.convolved)
    np.testing.assert_array_equal(found["conv2d(image, kernel)"].marks.dead, stages.convolved <= 0)
    np.testing.assert_array_equal(found["relu"].values, stages.activated)
    np.testing.assert_array_equal(found["max_pool"].values.ravel(), stages.features.ravel())
    np.testing.assert_allclose(found["s = pooled · weights"].values, stages.weighted)
    np.testing.assert_allclose(found["arctan(s)"].values, stages.prediction)
    gradient, _ = reference.gradients(**POINT)
    upstream = found["what reaches the convolution"].values
    np.testing.assert_allclose(
        reference.conv2d_kernel_gradient(POINT["image"], POINT["kernel"], upstream), gradient, rtol=1e-12
    )
    assert words == {"target": "0.5"}


@pytest.mark.parametrize("convolution", ["convolution", "correlation"])
def test_stages_follow_the_convention_found(convolution):
    """The convolution is the one that the target was found to compute."""
    case = {name: POINT[name] for name in ("image", "kernel")}
    found, _ = shown("conv2d", case, yours=np.zeros((2, 2)), expected=np.ones((2, 2)), convolution=convolution)
    kernel = POINT["kernel"] if convolution == "convolution" else np.rot90(POINT["kernel"], 2)
    np.testing.assert_array_equal(found["conv2d(image, kernel)"].values, reference.conv2d(POINT["image"], kernel))


def test_channels_are_slices():
    """In NHWC images are cut by image and channel, kernels by filter and channel, and the marks with them."""
    image, kernel = np.arange(12.0).reshape(1, 2, 2, 3), np.arange(8.0).reshape(2, 2, 1, 2)
    answer = np.zeros((1, 2, 2, 2))
    wrong = np.zeros(answer.shape, bool)
    wrong[0, 1, 1, 0] = True
    case = {"image": image, "kernel": kernel}
    found, _ = shown("conv2d", case, yours=answer, expected=answer + 1, wrong=wrong, layout="NHWC")
    np.testing.assert_array_equal(found["image (channel 1)"].values, image[0, 1])
    np.testing.assert_array_equal(found["kernel (filter 1, channel 0)"].values, kernel[1, 0])
    np.testing.assert_array_equal(found["yours (channel 1)"].marks.wrong, wrong[0, 1])
    assert not found["yours (channel 0)"].marks.wrong.any()
    assert not {"image", "yours", "expected"} & found.keys()


def test_crash_has_its_arguments_and_words():
    """What gave no answer shows what it was called with."""
    found, words = shown("max_pool", {"x": np.ones((2, 2)), "window": (2, 2)}, yours=None, expected="an answer")
    assert found.keys() == {"x", "max_pool(x)"}
    assert words == {"window": "(2, 2)", "expected": "an answer"}


def test_what_was_compared_is_named():
    """If it is not the answer itself, the panel of one's own side says what it is."""
    difference = Difference("the gradient off the maxima", 1, 2, (0, 1), 1.0, 0.0)
    error = Refuted(difference, yours=np.eye(2), expected=np.eye(2))
    error.case = {"x": np.eye(2)}
    result = entry(finished(Record(), error, 0.0, ("relu",)), operation="relu")
    _, sides, words = panels(result, found(Target("mine", {}), Conventions()))
    assert [panel.title for panel in sides] == ["yours: the gradient off the maxima", "expected", "yours − expected"]
    assert words == {}


def test_many_slices_are_left_out_and_counted():
    """Of more than four slices the first four are shown, and the first says so."""
    case = {"image": np.ones((3, 2, 1, 1)), "kernel": np.ones((2, 2, 1, 1))}
    found, _ = shown("conv2d", case, yours=np.ones((3, 2, 1, 1)), expected=np.zeros((3, 2, 1, 1)), layout="NCHW")
    assert len([title for title in found if title.startswith("image")]) == 4
    assert "image (image 0, channel 0) of 6, 4 shown" in found
