"""The notebook's own figures."""

import numpy as np

from reference import notebook
from reference.network import train


def test_ground_truth():
    """The targets are the arctans of the images' sums, 27 and -12."""
    np.testing.assert_array_equal(notebook.IMAGES.sum(axis=(1, 2)), [27, -12])
    np.testing.assert_allclose(notebook.TARGETS, [1.53377621, -1.48765509], atol=5e-9)


def test_run_from_the_top():
    """From seed 7839 the predictions go from [0, -1.56128336] to [0, -1.56108157] in 1000 epochs."""
    parameters = notebook.start()
    before = [notebook.predict(image, *parameters) for image in notebook.IMAGES]
    trained = train(
        list(notebook.IMAGES),
        list(notebook.TARGETS),
        *parameters,
        0.1,
        1000,
        step=notebook.train_step,
        cost=notebook.cost,
    )
    after = [notebook.predict(image, *trained[:2]) for image in notebook.IMAGES]
    np.testing.assert_allclose(before, [0, -1.56128336], atol=5e-9)
    np.testing.assert_allclose(after, [0, -1.56108157], atol=5e-9)
