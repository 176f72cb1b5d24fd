"""Exhaustive cases are all there are, lie where they are said to, and their tables are right."""

import numpy as np
import pytest

import properties.exact
import reference
from properties.harness.checking.exhaustive import polynomial, uniform
from properties.harness.checking.trial import on_trial
from properties.harness.core.limits import POOL, NotApplicable
from properties.harness.core.setting import Conventions
from properties.harness.core.tape import Case
from properties.harness.target.operation import Operation
from properties.layers.base.windows import blocks, maxima
from properties.layers.convolution import conv2d, conv2d_image_gradient, conv2d_kernel_gradient
from properties.layers.exhaustive import (
    basis,
    convolution_shapes,
    convolution_tensor,
    pattern_of,
    patterns,
    sets_of_maxima,
    weak_orderings,
)
from tests.doubles import failure_of, trial_of


def test_convolution_shapes_are_all_that_fit():
    """Every kernel up to 4×4 in every image up to 6×6 that holds it: 18 pairs of sides, squared."""
    with trial_of(relu=np.abs):
        shapes = {(case.image.shape[2:], case.kernel.shape[2:]) for case in convolution_shapes(1.0)}
    assert len(shapes) == 18**2
    assert max(shapes) == ((6, 6), (4, 4))


@pytest.mark.parametrize("convention", ["convolution", "correlation"])
def test_tensor_is_the_definition(convention):
    """The tensor of 0 and 1 gives what the defining sums give, forward and for both gradients."""
    with trial_of(relu=np.abs) as trial, on_trial(trial.target, Conventions(convention)):
        image, kernel = np.arange(12.0).reshape(1, 1, 3, 4) - 5, np.array([[[[1.0, -2.0, 4.0], [0.5, 3.0, -1.0]]]])
        upstream = np.array([[[[2.0, -3.0], [5.0, 7.0]]]])
        tensor = convolution_tensor(Case(image=image, kernel=kernel, upstream=upstream))
        x, k, u = image.ravel(), kernel.ravel(), upstream.ravel()
        assert np.array_equal(np.einsum("mao,m,a->o", tensor, x, k), conv2d(image, kernel).ravel())
        kernel_gradient = conv2d_kernel_gradient(image, upstream).ravel()
        assert np.array_equal(np.einsum("mao,m,o->a", tensor, x, u), kernel_gradient)
        image_gradient = conv2d_image_gradient(kernel, upstream).ravel()
        assert np.array_equal(np.einsum("mao,a,o->m", tensor, k, u), image_gradient)


def test_basis_is_the_identity():
    """Every entry is 1 once, in C order."""
    assert np.array_equal(basis((2, 3)).reshape(6, 6), np.eye(6))


def test_every_pair_is_asked():
    """The target is called once for every pair of basis vectors, and the record counts it so."""
    asked = set()

    def conv2d(image, kernel):
        asked.add((image.tobytes(), image.shape, kernel.tobytes(), kernel.shape))
        return reference.conv2d(image, kernel)

    with trial_of(conv2d=conv2d) as trial:
        asked.clear()
        properties.exact.test_conv2d_on_every_pair_of_basis_vectors(conv2d=trial.target.operations["conv2d"])
        assert len(asked) == trial.record.examples == 175**2


def test_wrong_pair_is_the_counterexample():
    """The counterexample is the pair of basis vectors that is wrong, on the smallest shape."""
    failure = failure_of(
        properties.exact.test_conv2d_on_every_pair_of_basis_vectors,
        conv2d=lambda x, k: reference.conv2d(x, k) + x[-1, -1] * k[0, -1] * (x.shape == (2, 3)),
    )
    assert np.array_equal(failure.case["image"], [[[[0, 0, 0], [0, 0, 1]]]])
    assert failure.case["kernel"].tolist() == [[[[1.0]]]]


@pytest.mark.parametrize(("window", "count"), [((2, 2), 15), ((2, 3), 63), ((3, 3), 511)])
def test_sets_of_maxima_are_all(window, count):
    """Each set of maxima occurs once: 2^n − 1 for n entries."""
    with trial_of(relu=np.abs):
        found = [maxima(case.x, window).tobytes() for case in sets_of_maxima() if case.window == window]
    assert len(found) == len(set(found)) == count


def test_weak_orderings_are_all():
    """The 75 ways to order four entries, ties included, no two alike."""
    with trial_of(relu=np.abs):
        signs = {np.sign(np.subtract.outer(case.x.ravel(), case.x.ravel())).tobytes() for case in weak_orderings()}
    assert len(signs) == 75


def test_every_pattern_is_reached_and_its_box_lies_inside():
    """The points drawn for the 625 patterns have 625 patterns, and no pre-activation is near a kink."""
    seen = []
    with trial_of(relu=np.abs):
        for case in patterns(1.0):
            found = set()
            points = uniform(case, 3)
            for point in map(points.taken, range(3)):
                preactivation = conv2d(point.image, point.kernel)
                windows = blocks(preactivation, POOL).reshape(-1, 4)
                found.add(pattern_of(windows))
                ordered = np.sort(windows, axis=1)
                assert np.abs(preactivation).min() > 0.25
                assert ordered[:, 3].max() < 0 or (ordered[:, 3] - ordered[:, 2])[ordered[:, 3] > 0].min() > 0.5
            assert len(found) == 1
            seen += found
    assert len(set(seen)) == 625


def test_extreme_corners_of_a_box_lie_inside():
    """Even with every entry at its bound, each sign the worst, no pre-activation comes near a kink."""
    reach = 1 / 4 + (1 / 64) * (9 * (3 + 1 / 4))  # the image's own, and nine kernel entries times the largest entry
    assert reach < 1


def test_uniform_points_are_uniform_and_the_same_every_time():
    """Values run over k/16 with |k| ≤ 64, and the second run draws the same ones."""
    with trial_of(conv2d=reference.conv2d) as trial:
        case = Case(image=np.zeros((1, 1, 6, 6)), kernel=np.zeros((1, 1, 4, 4)), upstream=np.zeros((1, 1, 3, 3)))
        values = uniform(case, 200).image.ravel()
        again = uniform(case, 200).image.ravel()
        assert np.array_equal(values, again)
        assert set(values * 16) == set(range(-64, 65))
        polynomial(trial.target.operations["conv2d"], case, 200, 2, "shape", "")
        assert trial.record.proof["values"] == 129


def test_points_that_are_left_out_are_not_claimed():
    """A shape whose points the target leaves out is no part of what the certificate says."""

    def partial(image, kernel):
        if image[0, 0] > 0:
            raise NotImplementedError
        return reference.conv2d(image, kernel)

    with trial_of(conv2d=reference.conv2d) as trial:
        case = Case(image=np.zeros((1, 1, 6, 6)), kernel=np.zeros((1, 1, 4, 4)), upstream=np.zeros((1, 1, 3, 3)))
        with pytest.raises(NotImplementedError):
            polynomial(Operation("conv2d", partial), case, 8, 2, "shape", "")
        assert trial.record.proof is None


def test_undeclared_shapes_are_not_applicable():
    """Where none of the shapes is supported the statement does not apply."""
    with trial_of(relu=np.abs, KERNEL_SHAPES=[(5, 5)], IMAGE_SHAPES=[(9, 9)], WINDOW_SHAPES=[(5, 5)]):
        for cases in (convolution_shapes(1.0), patterns(1.0), sets_of_maxima(), weak_orderings()):
            with pytest.raises(NotApplicable):
                list(cases)


@pytest.mark.parametrize(("examples", "shapes", "patterns_tried"), [(100, 324, 625), (500, 324, 625), (10, 33, 62)])
def test_fewer_examples_leave_out_as_much(examples, shapes, patterns_tried):
    """With a tenth of the examples a tenth of the shapes is tried, the smallest, and a tenth of the patterns."""
    with trial_of(**vars(reference)) as trial, on_trial(trial.target, Conventions(), examples) as few:
        tried = [case.image.size for case in convolution_shapes(few.share)]
        assert len(tried) == shapes
        assert max(tried) == (36 if shapes == 324 else 6)
        assert len(list(patterns(few.share))) == patterns_tried


def test_certificate_says_how_much_was_tried():
    """With fewer examples it names the number of shapes, with enough their sizes alone."""
    for examples, words in ((100, "for images up to 6×6"), (10, "for the 33 smallest of 324 pairs of images up to")):
        with trial_of(conv2d=reference.conv2d) as trial, on_trial(trial.target, Conventions(), examples) as few:
            properties.exact.test_conv2d_on_every_pair_of_basis_vectors(conv2d=few.target.operations["conv2d"])
            assert few.record.proof["where"].startswith(words)
