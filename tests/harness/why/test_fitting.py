"""A failure that no catalogue has names the line that answers like the target, of one edit or two, and where."""

import numpy as np
import pytest
import scipy.signal

import reference
from properties.harness.core.tape import Case
from properties.harness.why.diagnosis import NONE_FITS, diagnosed
from tests.doubles import reference_with, trial_of

pytestmark = pytest.mark.slow  # thousands of edits are tried for each


def reason(**changed):
    """The one reason for what is wrong with the operation that is changed, of the reference's."""
    with trial_of(**reference_with(**changed)) as trial:
        (name,) = changed
        (found,) = diagnosed(trial.target.operations[name], Case()).reasons
        return found


def _one_side_for_both(image, kernel, upstream):
    height = kernel.shape[0]
    gradient = np.zeros(kernel.shape)
    for i, j in np.ndindex(upstream.shape):
        for a, b in np.ndindex(kernel.shape):
            gradient[a, b] += upstream[i, j] * image[i + height - 1 - a, j + height - 1 - b]
    return gradient


def test_a_line_is_told():
    """One side of the kernel that stands for both is told with the line as it should be, though it often crashes."""
    told = reason(conv2d_kernel_gradient=_one_side_for_both)
    assert (told.kind, told.what) == ("edit", "height stands for width")
    assert "j + (width - 1 - b)" in told.right
    assert told.wrong == told.right.replace("j + (width - 1 - b)", "j + (height - 1 - b)")
    assert f"Code: `{told.wrong}` stands for `{told.right}`." in str(told)


def test_a_condition_is_told():
    """An edit under a condition is told with it: what is transposed where the kernel is square alone."""

    def conv2d(image, kernel):
        return reference.conv2d(image, np.rot90(kernel) if kernel.shape == (2, 2) else kernel)

    assert "gives these answers" in reason(conv2d=conv2d).what  # of one shape nobody knows
    wide = reason(conv2d=lambda x, k: reference.conv2d(x, k[:, ::-1] if k.shape[0] > 2 else k))
    assert wide.kind == "edit"
    assert ", where kernel has more than 2 rows" in wide.what


def test_two_edits_are_told():
    """Two slips at once, neither of which explains it alone."""

    def gradients(image, target, kernel, weights):
        convolved = reference.conv2d(image, kernel)
        pooled = reference.max_pool(reference.relu(convolved), (2, 2))
        weighted = float((pooled.reshape(1, -1) @ weights).item())
        prediction = np.arctan(weighted)
        delta = (target - prediction) / (1 + prediction**2)
        upstream = (delta * weights).reshape(pooled.shape)
        upstream = reference.max_pool_gradient(reference.relu(convolved), (2, 2), upstream) * (convolved > 0)
        return reference.conv2d_kernel_gradient(image, kernel, upstream), delta * pooled.reshape(-1, 1)

    told = reason(gradients=gradients)
    assert told.kind == "edit"
    assert told.what.split("; ")[0].count(", and ") == 1


@pytest.mark.parametrize("limit", [0.5, 2.0])
def test_a_constant_is_told(limit):
    """A clip of what goes in is told with its limit, which no reading of the answers alone gives."""

    def cost(image, target, kernel, weights):
        return np.clip(reference.predict(image, kernel, weights) - target, -limit, limit) ** 2 / 2

    told = reason(cost=cost)
    assert told.what.startswith(f"predict(image, kernel, weights) - target: it is clipped to ±{limit:g}")


def test_edits_that_agree_on_few_cases_are_told_apart():
    """A gradient that is cut down to whole numbers is not one of 0, though on most cases that are tried it is 0."""

    def gradients(*point):
        kernel, weights = reference.gradients(*point)
        return np.trunc(kernel), weights

    told = reason(gradients=gradients)
    assert "whole numbers" in told.what


def test_what_a_mistake_of_the_catalogue_changes_is_told_too():
    """A catalogued mistake keeps its name, and has the two lines beside it."""
    told = reason(dense=lambda features, weights: features @ weights / weights.size)
    assert (told.kind, told.name) == ("mistake", "mean for sum")
    assert told.right
    assert told.wrong
    assert told.right != told.wrong


def test_right_code_of_another_convention_is_no_edit():
    """For a cross-correlation the right code has no half turn: one that is too many is told, and not one too few."""
    offered = {
        "conv2d": lambda x, k: scipy.signal.correlate2d(x, k, "valid"),
        "conv2d_image_gradient": lambda x, k, u: scipy.signal.convolve2d(u, k[:, ::-1], "full"),
    }
    with trial_of(**offered) as trial:
        (told,) = diagnosed(trial.target.operations["conv2d_image_gradient"], Case()).reasons
    assert (told.kind, told.wrong.count("[::-1]") + told.wrong.count("[:, ::-1]")) == ("edit", 1)
    assert "np.rot90" in told.right


def test_nothing_is_made_up():
    """Where no edit gives the answers it is said so."""
    assert reason(conv2d=lambda x, k: reference.conv2d(x, k) + np.cos(x.sum())).what.startswith(NONE_FITS)


def test_a_limit_is_read_off_the_answers():
    """A clip at a number that nobody would guess is told by the answers that reach it."""
    told = reason(conv2d=lambda x, k: np.clip(reference.conv2d(x, k), -3.3125, 3.3125))
    assert told.kind == "edit"
    assert "clipped to ±3.3125" in told.what
