"""Trainings that several tests look at."""

import pytest

from reference import notebook
from reference.notebook.history import find_start, recorded
from tests.reference.notebook.cases import KERNEL, WEIGHTS


@pytest.fixture(scope="session")
def trained():
    """The notebook's own training."""
    return recorded(KERNEL, WEIGHTS, notebook.LEARNING_RATE, notebook.EPOCHS)


@pytest.fixture(scope="session")
def found():
    """The start that the program finds in the notebook's epochs at the notebook's rate."""
    return find_start((3, 3), 4, notebook.LEARNING_RATE, notebook.EPOCHS)


@pytest.fixture(scope="session")
def short():
    """A training of two epochs."""
    return recorded(KERNEL, WEIGHTS, 0.1, 2)
