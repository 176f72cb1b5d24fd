"""A failure says which mistake it is: by the catalogue, by a small edit of the right code, or that none fits."""

import numpy as np
import pytest
import scipy.signal

import properties.calls
import properties.convolution
import reference
from properties.harness.core.tape import Case
from properties.harness.target.operation import Crashed
from properties.harness.why.behaviour import KEEPS_STATE
from properties.harness.why.diagnosis import NONE_FITS, Diagnosis, diagnosed, explained
from properties.mistakes import all_mistakes
from tests.doubles import failure_of, reference_with, trial_of


def found(**changed):
    """What is said of the one operation that is changed, of the reference's."""
    with trial_of(**reference_with(**changed)) as trial:
        (name,) = changed
        return diagnosed(trial.target.operations[name], Case())


def of_kernel(change):
    """What is said of a kernel gradient that is changed so."""
    return found(conv2d_kernel_gradient=lambda x, k, u: change(reference.conv2d_kernel_gradient(x, k, u), x, u))


def of_image(change):
    """What is said of an image gradient that is changed so."""
    return found(conv2d_image_gradient=lambda x, k, u: change(reference.conv2d_image_gradient(x, k, u)))


def test_right_operation_has_no_diagnosis():
    """Nothing is said of what is right."""
    assert found(conv2d=reference.conv2d) == Diagnosis()


def test_tie_error_is_named_with_its_reason_and_its_mend():
    """Mask repeat is named first, with why people write it, how to mend it, and where it was seen."""
    diagnosis = found(max_pool_gradient=reference.mask_repeat)
    assert diagnosis.mistakes == ("max_pool_gradient: mask repeat",)
    for words in ("a tie of m counts m times", "Why: a mask", "Mend: give it to one of them", "Theano#5404"):
        assert words in str(diagnosis.reasons[0])
    assert (diagnosis.reasons[0].name, diagnosis.reasons[0].kind) == ("mask repeat", "mistake")


def test_candidates_that_one_case_cannot_tell_apart_are_told_apart():
    """Halving ties and splitting them agree on pairs; cases with larger ties decide."""
    assert found(max_pool_gradient=_halved).mistakes == ("max_pool_gradient: ties halved whatever their number",)


def _halved(x, window, upstream):
    ones = reference.mask_repeat(x, window, np.ones(upstream.shape))
    blocks = ones.reshape(upstream.shape[0], window[0], upstream.shape[1], window[1]).sum(axis=(1, 3))
    return reference.mask_repeat(x, window, upstream) / np.where(np.kron(blocks, np.ones(window)) > 1, 2, 1)


def test_a_targets_own_tie_rule_does_not_hide_a_mistake():
    """A missing slope is named for a network that gives ties to the last maximum, unlike the catalogue's."""

    def last(x, window, upstream):
        return np.flip(reference.max_pool_gradient(np.flip(x), window, np.flip(upstream)))

    def gradients(image, target, kernel, weights):
        convolved = reference.conv2d(image, kernel)
        pooled = reference.max_pool(reference.relu(convolved), (2, 2))
        delta = np.arctan(pooled.reshape(1, -1) @ weights) - target
        upstream = last(reference.relu(convolved), (2, 2), (delta * weights).reshape(pooled.shape)) * (convolved > 0)
        return reference.conv2d_kernel_gradient(image, kernel, upstream), pooled.reshape(-1, 1) * delta

    assert found(gradients=gradients).mistakes == ("gradients: slope of arctan missing",)


@pytest.mark.parametrize(
    ("change", "words"),
    {
        "factor": (lambda g, x, u: 0.37 * g, "times 0.37, always"),
        "sign": (lambda g, x, u: -g, "sign turned"),
        "mean": (lambda g, x, u: g / x.size, "divided by the size of image: a mean in place of a sum"),
        "permutation": (lambda g, x, u: np.roll(g, 1), "right numbers, but in other places"),
        "zeros": (
            lambda g, x, u: g * (np.arange(g.size).reshape(g.shape) % 3 != 1),
            "is 0 in some entries where it must not be",
        ),
        "precision": (lambda g, x, u: np.float32(g), "single precision"),
        "digits": (lambda g, x, u: g * (1 + 1e-7 * np.arange(1, g.size + 1).reshape(g.shape)), "precision is lost"),
        "nothing known": (lambda g, x, u: g + np.cos(g) * u.sum(), NONE_FITS),
    }.values(),
)
def test_numbers_are_read(change, words):
    """A factor, a sign, a mean, an order, entries lost and precision are told from the numbers; else it says so."""
    (reason,) = map(str, of_kernel(change).reasons)
    assert words in reason


def test_the_part_that_is_wrong_is_named():
    """Of two gradients the one that is wrong is named."""

    def gradients(*point):
        kernel, weights = reference.gradients(*point)
        return kernel, 0.5 * weights

    (reason,) = map(str, found(gradients=gradients).reasons)
    assert "; the answer for the weights is the right one times 0.5" in reason


def test_pooled_entries_in_the_wrong_order_are_recognised():
    """A gradient for the weights that counts the windows down the columns is told so, with the line that does it."""

    def gradients(image, target, kernel, weights):
        slopes, by_rows = reference.gradients(image, target, kernel, weights)
        rows, columns = (np.array(image.shape) - kernel.shape + 1) // 2
        return slopes, by_rows.reshape(rows, columns).reshape(-1, 1, order="F")

    (reason,) = found(gradients=gradients).reasons
    assert reason.what == "column order stands for row order"
    assert reason.wrong == reason.right.replace("(-1, 1)", "(-1, 1, order='F')")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g: g.T if g.shape[0] == g.shape[1] else g, "the answer is the right one transposed"),
        (lambda g: np.rot90(g) if g.shape[0] == g.shape[1] else g, "the answer is the right one turned by 90°"),
        (lambda g: g[::-1, ::-1], "the answer is the right one turned by 180°"),
        (np.fliplr, "the answer is the right one mirrored"),
    ],
)
def test_turns_are_recognised(change, words):
    """A transpose, rotations and reflections of the right answer are recognised where the catalogue has none."""
    (reason,) = of_image(change).reasons
    assert reason.what.endswith(f"; {words}")


def test_a_missing_term_is_recognised():
    """An upstream whose first column is not used gives a gradient without those terms."""

    def gradient(image, kernel, upstream):
        used = upstream * (np.arange(upstream.shape[1]) >= min(upstream.shape[1] - 1, 1))
        return reference.conv2d_kernel_gradient(image, kernel, used)

    (reason,) = found(conv2d_kernel_gradient=gradient).reasons
    assert (reason.what, reason.wrong) == (
        "a loop begins one too late, where upstream has more than one column",
        "for j in range(1, columns):",
    )


def test_where_it_is_wrong_is_told():
    """What the wrong cases have in common and the right ones do not is said."""
    (reason,) = map(str, of_image(lambda g: g + (g.shape[0] != g.shape[1]) * np.cos(g)).reasons)
    assert reason == f"{NONE_FITS}; of what was tried, it is wrong exactly where image is not square"


def test_kept_state_is_told():
    """An answer that depends on the call before, in a way that no mistake of the catalogue does, keeps state."""
    calls = []

    def dense(features, weights):
        calls.append(1)
        return features @ weights * (1 + len(calls) % 7)

    (reason,) = map(str, found(dense=dense).reasons)
    assert KEEPS_STATE in reason


def test_infinite_answers_are_no_kept_state():
    """What divides by 0 gives the same infinity again, whatever it is asked, so it keeps no state."""
    assert "state" not in "".join(map(str, found(arctan_derivative=lambda x: np.full(x.shape, np.inf)).reasons))


def test_no_convention_is_a_mistake():
    """A cross-correlation's gradient, right for it, is not told to be turned."""
    offered = {
        "conv2d": lambda x, k: scipy.signal.correlate2d(x, k, "valid"),
        "conv2d_kernel_gradient": lambda x, k, u: np.rot90(scipy.signal.correlate2d(x, u, "valid"), 2),
    }
    with trial_of(**offered) as trial:
        operations = trial.target.operations
        assert diagnosed(operations["conv2d"], Case()).reasons == ()
        named = diagnosed(operations["conv2d_kernel_gradient"], Case()).mistakes
    assert named == ("conv2d_kernel_gradient: rotation missing",)


def test_a_failure_is_explained_by_the_operation_that_is_wrong():
    """A statement about two operations names which one is wrong."""
    statement = properties.convolution.test_kernel_gradient_is_the_adjoint
    wrong = {"conv2d": lambda x, k: reference.conv2d(x, k) / k.size}
    failure = failure_of(statement, **wrong)
    with trial_of(conv2d_kernel_gradient=reference.conv2d_kernel_gradient, **wrong) as trial:
        explained(failure, trial.target.operations.values())
    assert failure.mistakes == ("conv2d: mean for sum",)
    assert str(failure.diagnosis[0]).startswith(("conv2d: mean for sum", "mean for sum"))


def test_a_crash_is_no_mistake():
    """An operation that raises on everything is not diagnosed by its numbers."""

    def raising(image, kernel):
        raise KeyError("no")

    assert found(conv2d=raising).mistakes == ()


def _for_square_windows(function):
    def answer(x, window, *upstream):
        if window[0] != window[1]:
            raise NotImplementedError
        return function(x, window, *upstream)

    return answer


def test_cases_that_are_left_out_are_no_evidence():
    """A mistake is named by the cases that the target takes; what is right on these is not wrong on others."""
    (reason,) = map(str, found(max_pool_gradient=_for_square_windows(reference.mask_repeat)).reasons)
    assert reason.startswith("mask repeat: ")
    assert found(max_pool=_for_square_windows(reference.max_pool)) == Diagnosis()


def test_what_a_statement_asks_of_a_second_argument_is_evidence():
    """What is wrong neither on the fixed cases nor at a case itself is named by its second upstream gradient too."""
    case = Case(x=np.array([[304.0]]), upstream=np.array([[-0.125]]), other=np.array([[5.625]]))
    clipped = next(one for one in all_mistakes() if one.id == "softmax_gradient: upstream clipped")
    with trial_of(**reference_with(softmax_gradient=clipped.make())) as trial:
        operation = trial.target.operations["softmax_gradient"]
        assert diagnosed(operation, Case({name: case[name] for name in ("x", "upstream")})) == Diagnosis()
        assert diagnosed(operation, case).mistakes == (clipped.id,)


def test_one_wrong_part_is_changed_alone():
    """An edit of one gradient of two is recognised, and which of them it is."""

    def dense_gradients(features, weights, upstream):
        return upstream @ weights.T, np.array(features.T)

    (reason,) = found(dense_gradients=dense_gradients).reasons
    assert (reason.what, reason.wrong) == ("the factor upstream is missing", "weights_gradient = features.T")


@pytest.mark.parametrize(
    ("operation", "wrong", "words"),
    [
        ("conv2d", lambda x, k: np.zeros(x.shape), "this is the shape of mode 'same'"),
        (
            "conv2d_image_gradient",
            lambda x, k, u: reference.conv2d_image_gradient(x, k, u).squeeze(),
            "it has lost its axes of length 1: no squeeze",
        ),
    ],
)
def test_answers_of_another_shape_say_where(operation, wrong, words):
    """What gives arrays of the wrong shapes says what they are the shapes of, or where it does so."""
    failure = failure_of(properties.calls.test_keeps_the_contract, operation, **{operation: wrong})
    with trial_of(**reference_with(**{operation: wrong})) as trial:
        explained(failure, [trial.target.operations[operation]])
    assert any(str(reason).startswith(words) for reason in failure.diagnosis)


def _odd_ones_crash(image, kernel, upstream):
    if image.shape[1] % 2:
        raise IndexError("no")
    return reference.conv2d_kernel_gradient(image, kernel, upstream)


def test_crash_says_where():
    """An operation that crashes on some cases alone says what these have in common."""
    changed = {"conv2d_kernel_gradient": _odd_ones_crash}
    failure = failure_of(properties.convolution.test_kernel_gradient_is_the_rot90_form, **changed)
    with trial_of(**reference_with(**changed)) as trial:
        explained(failure, [trial.target.operations["conv2d_kernel_gradient"]])
    (reason,) = map(str, failure.diagnosis)
    assert reason == "of what was tried, it fails exactly where image has an odd number of columns"


def _added_up_in_place(x):
    x += 1.0
    return reference.relu(x - 1.0)


def _written_into_a_view(x):
    np.broadcast_to(0.0, x.shape)[...] = 1.0
    return reference.relu(x)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (_added_up_in_place, "argument overwritten: It changes its argument x."),
        (_written_into_a_view, "it writes into an array that is read-only"),
    ],
)
def test_crash_on_read_only_arrays_says_which(wrong, words):
    """Which argument is written into is said of what crashes on read-only ones; another array is none of them."""
    failure = Crashed("relu", ValueError("output array is read-only"))
    failure.case = Case(x=np.ones(2))
    with trial_of(**reference_with(relu=wrong)) as trial:
        explained(failure, [trial.target.operations["relu"]])
    assert str(failure.diagnosis[0]).startswith(words)


def test_overflow_is_not_what_is_right():
    """An infinite answer is not to rounding the largest number."""
    with trial_of(**reference_with(relu=lambda x: (x + np.abs(x)) / 2)) as trial, np.errstate(over="ignore"):
        named = diagnosed(trial.target.operations["relu"], Case(x=np.array([1.7e308]))).mistakes
    assert named == ("relu: half of x plus its size",)


def test_a_choice_at_a_kink_is_no_mistake():
    """What is one of several right answers, though not the oracle's, is not blamed; what is none of them is told."""
    half = lambda x: np.where(x == 0, 0.5, x > 0)  # noqa: E731
    last = lambda x, w, u: np.flip(reference.max_pool_gradient(np.flip(x), w, np.flip(u)))  # noqa: E731
    assert found(relu_derivative=half) == Diagnosis()
    assert found(max_pool_gradient=last) == Diagnosis()
    (reason,) = map(str, found(relu_derivative=lambda x: np.where(x == 0, 1.5, x > 0)).reasons)
    assert reason == "the answer is 1.5 where x is 0, and right elsewhere"
    (reason,) = found(max_pool_gradient=lambda x, w, u: 2 * last(x, w, u) - reference.mask_repeat(x, w, u)).reasons
    assert str(reason) == f"{NONE_FITS}; it is right off ties and zeros"


def test_answers_of_another_shape_are_held_against_the_catalogue():
    """A crop that leaves nothing is named, though what it gives is no answer."""

    def conv2d(image, kernel):
        height, width = kernel.shape
        return scipy.signal.convolve2d(image, kernel)[height - 1 : 1 - height, width - 1 : 1 - width]

    failure = failure_of(properties.convolution.test_conv2d_is_the_defining_sum, conv2d=conv2d)
    with trial_of(**reference_with(conv2d=conv2d)) as trial:
        explained(failure, [trial.target.operations["conv2d"]])
    assert failure.mistakes == ("conv2d: cropped by minus nothing",)


def test_lists_are_answers_too():
    """What gives nested lists is right if they are, and named by its mistake if not."""
    assert found(conv2d=lambda x, k: reference.conv2d(x, k).tolist()) == Diagnosis()
    named = found(conv2d=lambda x, k: (reference.conv2d(x, k) / k.size).tolist()).mistakes
    assert named == ("conv2d: mean for sum",)


@pytest.mark.parametrize("shape", [(), (2, 1, 3, 2)])
def test_arrays_of_any_dimension_are_diagnosed(shape):
    """A failure on a number without axes, or on four of them, is named like any other."""
    with trial_of(**reference_with(relu=lambda x: np.where(x > 0, x, 0.01 * x))) as trial:
        named = diagnosed(trial.target.operations["relu"], Case(x=np.full(shape, -1.0))).mistakes
    assert named == ("relu: leaky",)
