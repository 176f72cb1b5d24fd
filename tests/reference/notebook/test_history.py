"""What is recorded of a training is what happens in it, and what is said of it follows from that."""

import numpy as np
import pytest

import reference
from reference import notebook
from reference.notebook.history import find_start, recorded
from tests.reference.notebook.cases import CASES, KERNEL, SMALL, TIED_KERNEL, WEIGHTS, panels


def test_training_is_the_notebooks(trained):
    """The costs and the last parameters are those of the notebook's training, what is recorded that of its passes."""
    kernel, weights, costs = reference.train(
        list(notebook.IMAGES), list(notebook.TARGETS), KERNEL, WEIGHTS, 0.1, 1000, step=notebook.train_step
    )
    np.testing.assert_array_equal(trained.kernel, kernel)
    np.testing.assert_array_equal(trained.weights, weights)
    np.testing.assert_allclose(trained.costs, costs, rtol=1e-12)
    for index, image in enumerate(notebook.IMAGES):
        stages = reference.network.forward(image, KERNEL, WEIGHTS)
        if index == 0:  # the second image comes after an update, but the first has no gradient
            assert trained.slopes[0, 0] == 1 / (1 + stages.weighted.item() ** 2)
        assert trained.alive[0, index] == (stages.convolved > 0).sum()
        assert trained.slopes[0, index] == pytest.approx(1 / (1 + stages.weighted.item() ** 2), rel=1e-12)
    assert trained.alive.shape == trained.slopes.shape == trained.costs.shape == (1000, 2)


def test_relus_at_0_are_not_alive():
    """A ReLU whose convolution is exactly 0 passes no gradient on, so it does not count."""
    history = recorded(TIED_KERNEL, SMALL, 0.1, 1)
    y = panels(CASES["tied"], 0)["convolution y"].values
    assert (y == 0).any()
    assert history.alive[0, 0] == (y > 0).sum()


def test_notebooks_start_does_not_learn(trained):
    """What is said of it is computed: image 1 dead in every epoch, arctan saturated on image 2."""
    assert trained.outcome == "does not learn"
    first, second = trained.verdicts()
    assert "all 16 ReLUs dead in every epoch, so no gradient" in first
    assert "arctan is saturated: slope 9.4e-05, 73.1 times less than at the truth" in second


def test_relus_that_die_later_are_dated():
    """The verdict names the epoch from which on no ReLU is alive."""
    trained = recorded(*notebook.start(1), 0.1, 200)
    died = next(epoch for epoch in range(1, 201) if not trained.alive[epoch - 1 :, 0].any())
    assert died > 1
    assert f"all 16 ReLUs dead from epoch {died} on" in trained.verdicts()[0]


def test_found_start_learns(found):
    """Trained anew by the reference alone, every cost falls below, from above, what half of ±π/2's error costs."""
    kernel, weights = notebook.start(found.seed, found.scale)
    *_, costs = reference.train(list(notebook.IMAGES), list(notebook.TARGETS), kernel, weights, 0.1, 1000)
    bound = (np.pi / 2 - np.abs(notebook.TARGETS)) ** 2 / 8
    assert (costs[0] > bound).all()
    assert (costs[-1] < bound).all()
    assert costs[-1].sum() < costs[0].sum() / 1000
    assert found.history.outcome == "learns"


def test_it_is_the_first(found, monkeypatch):
    """Of the seeds before it, at the notebook's scale, none learns."""
    assert (found.scale, found.tried) == (1, found.seed + 1)
    monkeypatch.setattr("reference.notebook.history.SEEDS", range(found.seed))
    monkeypatch.setattr("reference.notebook.history.SCALES", (1.0,))
    assert find_start((3, 3), 4, notebook.LEARNING_RATE, notebook.EPOCHS) is None
