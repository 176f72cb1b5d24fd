"""The reference's training, and its weights grown back over the windows."""

import io
import sys

import numpy as np
import pytest

import reference

GENERATOR = np.random.default_rng(1)
IMAGES = [GENERATOR.normal(size=(6, 6)) for _ in range(2)]
KERNEL, WEIGHTS = GENERATOR.normal(size=(3, 3)), GENERATOR.normal(size=(4, 1)) / 10


def test_training_updates_once_per_image():
    """An epoch over two images is two steps, the second from where the first ended."""
    kernel, weights, costs = reference.train(IMAGES, [0.5, -0.5], KERNEL, WEIGHTS, 0.01, 1)
    first = reference.train_step(IMAGES[0], 0.5, KERNEL, WEIGHTS, 0.01)
    second = reference.train_step(IMAGES[1], -0.5, *first, 0.01)
    np.testing.assert_array_equal(kernel, second[0])
    np.testing.assert_array_equal(weights, second[1])
    assert costs.tolist() == [
        [reference.cost(IMAGES[0], 0.5, KERNEL, WEIGHTS), reference.cost(IMAGES[1], -0.5, *first)]
    ]


def test_training_reduces_the_cost():
    """Over a hundred epochs of small steps the total cost falls in every one."""
    *_, costs = reference.train(IMAGES, [0.5, -0.5], KERNEL, WEIGHTS, 1e-4, 100)
    assert costs.shape == (100, 2)
    assert (np.diff(costs.sum(axis=1)) < 0).all()


def test_training_leaves_its_arguments():
    """The parameters handed in stay as they were."""
    kernel, weights = KERNEL.copy(), WEIGHTS.copy()
    reference.train(IMAGES, [0.5, -0.5], kernel, weights, 0.1, 2)
    np.testing.assert_array_equal(kernel, KERNEL)
    np.testing.assert_array_equal(weights, WEIGHTS)


def test_training_is_silent_where_no_one_looks(monkeypatch):
    """No progress bar is drawn unless standard error is a terminal."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    reference.train(IMAGES, [0.5, -0.5], KERNEL, WEIGHTS, 0.1, 3)
    assert sys.stderr.getvalue() == ""


def test_grown_weights_give_the_dense_layer_off_ties():
    """Σ relu(y) ⊙ mask ⊙ repeat(weights) is pooled · weights, ties at 0 included."""
    convolved = GENERATOR.permutation(16).reshape(4, 4) - 8.0
    convolved[:2, :2] = -1.0
    pooled = reference.max_pool(reference.relu(convolved), (2, 2)).reshape(1, -1)
    assert reference.grown_dense(convolved, WEIGHTS) == pytest.approx(float((pooled @ WEIGHTS).item()), rel=1e-14)


def test_grown_weights_count_a_positive_tie_twice():
    """A positive maximum that two entries share counts twice."""
    assert reference.grown_dense([[3.0, 3.0], [0.0, -1.0]], [[2.0]]) == 12.0
