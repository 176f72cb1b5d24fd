"""Images and parameters whose passes are drawn, and what the tests read from their pictures."""

import numpy as np
import pytest

from reference import notebook
from reference.notebook.panels import pictures

KERNEL, WEIGHTS = notebook.start()
IMAGE, TARGET = notebook.IMAGES[1], notebook.TARGETS[1]
TIED_KERNEL = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
SMALL = np.array([[0.1], [-0.2], [0.1], [0.3]])
GENERATOR = np.random.default_rng(3)
CASES = {
    "alive": (IMAGE, TARGET, KERNEL, WEIGHTS),
    "dead": (notebook.IMAGES[0], notebook.TARGETS[0], KERNEL, WEIGHTS),
    "tied": (notebook.IMAGES[0], notebook.TARGETS[0], TIED_KERNEL, SMALL),
    "one entry": (IMAGE, TARGET, np.array([[-1e-7]]), GENERATOR.normal(size=(9, 1))),
    "one window": (IMAGE, TARGET, GENERATOR.normal(size=(5, 5)), np.array([[-3e5]])),
    "not square": (GENERATOR.normal(size=(5, 9)), 0.3, GENERATOR.normal(size=(2, 4)), GENERATOR.normal(size=(6, 1))),
    "large": (GENERATOR.normal(size=(16, 16)), 0.3, GENERATOR.normal(size=(3, 3)), GENERATOR.normal(size=(49, 1))),
}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def panels(case, picture):
    """The arrays of a picture by their names; a name that comes again holds the same array."""
    return {panel.name: panel for row in pictures(*case)[picture].rows for column in row for panel in column.panels}


def windows(array):
    """Each 2×2 window's corner and entries."""
    rows, columns = array.shape
    return [((i, j), array[i : i + 2, j : j + 2]) for i in range(0, rows, 2) for j in range(0, columns, 2)]
