"""Warnings are counted by what they say; however many and long they are, few and short ones are kept."""

import warnings
from contextlib import contextmanager

from properties.harness.core.text import LONGEST_LINE
from properties.harness.target.process_state import MOST_WARNINGS, OTHERS, add, counted


@contextmanager
def by_default():
    """Python's own filters, not those of these tests."""
    with warnings.catch_warnings():
        warnings.resetwarnings()
        yield


def test_warnings_are_counted():
    """Each time that one is given counts, also in one place, and deprecations do too; none is shown."""
    with by_default(), counted() as found:
        for _ in range(3):
            warnings.warn("old", stacklevel=1)
        warnings.warn("older", DeprecationWarning, stacklevel=1)
    assert found == {"UserWarning: old": 3, "DeprecationWarning: older": 1}


def test_filters_of_the_target_hold():
    """What it leaves out is not counted."""
    with by_default(), counted() as found, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.warn("old", stacklevel=1)
    assert found == {}


def test_many_warnings_are_kept_as_few():
    """Of very many different ones the first are told, and the number of the others; each is cut."""
    with by_default(), counted() as found:
        for number in range(1000):
            warnings.warn(f"{number} " + 10_000 * "x", stacklevel=1)
    assert len(found) == MOST_WARNINGS + 1
    assert found[OTHERS] == 1000 - MOST_WARNINGS
    assert max(map(len, found)) <= LONGEST_LINE
    assert "__warningregistry__" not in globals() or len(__warningregistry__) <= 1  # Python's own memory


def test_counts_are_added():
    """What several properties counted is as few."""
    counts = {str(number): 1 for number in range(MOST_WARNINGS)}
    add(counts, {"1": 2, "one more": 3, "and one": 1})
    assert counts["1"] == 3
    assert counts[OTHERS] == 4
