"""What an operation does beside answering is told where it was seen, and nowhere else."""

import numpy as np
import pytest

import reference
from properties.harness.core.tape import Case
from properties.harness.why.behaviour import KEEPS_STATE
from properties.harness.why.diagnosis import diagnosed
from tests.doubles import reference_with, trial_of


def reasons(**changed):
    """What is said of the first of the operations that are changed, of the reference's."""
    with trial_of(**reference_with(**changed)) as trial:
        return tuple(map(str, diagnosed(trial.target.operations[next(iter(changed))], Case()).reasons))


def _first_of_its_shape(key, part):
    """A convolution of which one argument is the first one that had this key."""
    kept = {}

    def conv2d(image, kernel):
        given = [image, kernel]
        given[part] = kept.setdefault(key(given[part]), np.array(given[part]))
        return reference.conv2d(*given)

    return conv2d


def test_argument_that_is_overwritten_is_named():
    """It is said which argument changes, whatever is written there."""

    def dense_gradients(features, weights, upstream):
        gradients = reference.dense_gradients(features, weights, upstream)
        weights -= 0.1 * gradients[1]
        return gradients

    (reason,) = reasons(dense_gradients=dense_gradients)
    assert reason.startswith("argument overwritten: It changes its argument weights. Why:")


def test_answer_that_changes_is_a_buffer():
    """An answer that a later call changes is told to be one array that is handed out again."""
    buffers = {}

    def dense(features, weights):
        buffer = buffers.setdefault(features.shape, np.zeros((1, 1)))
        buffer[...] = reference.dense(features, weights)
        return buffer

    assert "An answer that it gave out changes with a later call" in reasons(dense=dense)[0]


def test_answer_that_is_kept_and_given_out_is_told():
    """A cache by value that hands its own array out is seen once the caller writes into that."""
    kept = {}

    def dense(features, weights):
        key = features.tobytes(), weights.tobytes()
        return kept.setdefault(key, reference.dense(features, weights))

    assert reasons(dense=dense)[0].startswith("kept array given out: ")


@pytest.mark.parametrize(("part", "name"), [(0, "image"), (1, "kernel")])
def test_argument_of_an_earlier_call_is_named(part, name):
    """A cache by shape is told by the argument that it keeps."""
    conv2d = _first_of_its_shape(lambda array: array.shape, part)
    assert f"kept by shape: It goes by the {name} of an earlier call, of the same shape." in reasons(conv2d=conv2d)[0]


def test_cache_by_what_is_printed_is_told():
    """Values that print alike are one question to a cache by their text."""
    (reason,) = reasons(conv2d=_first_of_its_shape(repr, 1))
    assert reason.startswith(
        "kept by print: It goes by the kernel of an earlier call, that agrees in its first nine digits."
    )


def test_what_another_operation_left_is_told():
    """A gradient that goes by the image of the forward pass, in place of its own, is told so."""
    last = {}

    def conv2d(image, kernel):
        last[image.shape] = image.copy()
        return reference.conv2d(image, kernel)

    def conv2d_kernel_gradient(image, kernel, upstream):
        return reference.conv2d_kernel_gradient(last.get(image.shape, image), kernel, upstream)

    found = reasons(conv2d_kernel_gradient=conv2d_kernel_gradient, conv2d=conv2d)
    assert found[0].startswith("kept by shape: It goes by the image of an earlier call, of the same shape.")


def test_memory_order_taken_for_granted_is_told():
    """What is right in C order and wrong in another is told so, with the order."""

    def relu(x):
        return np.array([max(value, 0.0) for value in np.nditer(x)]).reshape(x.shape)

    (reason,) = reasons(relu=relu)
    assert reason.startswith("memory order taken for granted: The same values get another answer in Fortran-ordered")


@pytest.mark.parametrize(
    "wrong",
    {
        "a constant": lambda x: np.zeros(x.shape),
        "a limit": lambda x: np.minimum(reference.relu(x), 3.0),
        "whole numbers": lambda x: np.floor(reference.relu(x)),
        "the first entry alone": lambda x: np.where(np.arange(x.size).reshape(x.shape) == 0, reference.relu(x), 0.0),
    }.values(),
)
def test_what_answers_alike_keeps_no_state(wrong):
    """That another question gets the same answer is no sign of anything kept."""
    (reason,) = reasons(relu=wrong)
    assert KEEPS_STATE not in reason
    assert "kept" not in reason


def test_a_capped_rate_is_no_cache():
    """That two rates above a limit are one rate is no sign of an answer that was kept."""

    def train_step(image, target, kernel, weights, learning_rate):
        return reference.train_step(image, target, kernel, weights, min(learning_rate, 0.25))

    (reason,) = reasons(train_step=train_step)
    assert "rate is cut off" in reason


def test_memory_order_is_not_blamed_for_what_is_wrong_in_every_order():
    """Differences of the cost are noise, which another order of memory changes, and wrong in C order too."""

    def gradients(image, target, kernel, weights):
        def cost(kernel, weights):
            return reference.cost(image, target, kernel, weights + 0.0 * weights.strides[0])

        start, found = cost(kernel, weights), (np.zeros(kernel.shape), np.zeros(weights.shape))
        noise = 1e-9 * (not image.flags.c_contiguous)
        for part, array in zip(found, (kernel, weights), strict=True):
            for index in np.ndindex(array.shape):
                nudge = np.zeros(array.shape)
                nudge[index] = 1e-6
                moved = (kernel + nudge, weights) if array is kernel else (kernel, weights + nudge)
                part[index] = (cost(*moved) - start) / 1e-6 * (1 + noise)
        return found

    assert not any("memory order" in reason for reason in reasons(gradients=gradients))


def test_what_is_overwritten_at_ties_alone_is_no_matter_of_memory_order():
    """An argument that is divided in place by the number of ties is told to be overwritten; no order is blamed."""

    def max_pool_gradient(x, window, upstream):
        shape = upstream.shape[0], window[0], upstream.shape[1], window[1]
        maximal = reference.mask_repeat(x, window, np.ones(upstream.shape))
        upstream /= maximal.reshape(shape).sum(axis=(1, 3))
        return reference.mask_repeat(x, window, upstream)

    (reason,) = reasons(max_pool_gradient=max_pool_gradient)
    assert reason.startswith("argument overwritten: It changes its argument upstream.")
