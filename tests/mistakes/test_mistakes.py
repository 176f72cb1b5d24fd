"""Every known mistake is refuted and named, every correct variant is let through, and no property is idle."""

from functools import cache

import numpy as np
import pytest

from benchmarks.kill_matrix import JUSTIFIED, SURROUNDINGS, names, rivals, row_of_variant
from benchmarks.trials import failure_of, reference_with, settle, trial_of
from benchmarks.variants import FURTHER, VARIANTS
from properties.harness.checking.properties import all_properties, arguments_of
from properties.harness.target.operation import Malformed, Refuted
from properties.layers import OPERATIONS
from properties.mistakes import all_mistakes
from tests.doubles import quick_or_slow

VARIANT_EXAMPLES = 10
SEEDS = 3
RUNS = [(0, 100), *((seed, 19) for seed in range(6))]  # seeds, and how many examples
SLOW = pytest.mark.slow
MISTAKES = {mistake.id: mistake for mistake in all_mistakes()}
PROPERTIES = {entry.id: entry for entry in all_properties().values()}
UNNAMED = {
    "conv2d: matrix kept by the kernels bytes",
    "train_step: momentum kept",
}


def offered(name):
    """The reference with this mistake in it, without any state from before."""
    return reference_with({MISTAKES[name].operation: MISTAKES[name].make()})


@cache
def failure(name, identifier, seed=0, examples=100):
    """How this property fails on the reference with this mistake in it; None if it holds."""
    settle(examples, seed, shrinks=False)
    entry = PROPERTIES[identifier]
    with trial_of(offered(name), examples) as trial:
        return failure_of(entry.function, arguments_of(entry.function, trial.target, entry.operation), trial)


def candidates(entry):
    """The mistakes in what this property speaks about, those first that are named by it."""
    concerned = [mistake for mistake in MISTAKES.values() if mistake.operation in entry.operations]
    return [mistake.id for mistake in sorted(concerned, key=lambda mistake: mistake.named_by != entry.id)]


def by_its_own_words(found):
    """Whether a property refutes by what it states: not by an exception, nor by an answer that none would take."""
    return isinstance(found, Refuted) and not isinstance(found, Malformed) and "is not finite" not in found.message


def refuted_alone(name, entry, seed):
    """Whether this property refutes a mistake, and no other of its operation that samples does, with this seed."""
    others = [one for one in rivals(entry) if MISTAKES[name].operation in one.operations]
    return failure(name, entry.id, seed) is not None and not any(failure(name, other.id, seed) for other in others)


def test_catalogue_is_large_and_its_names_are_unique():
    """There are at least 80 mistakes, over every operation, no two of one name, none without reason or mend."""
    assert len(MISTAKES) == len(all_mistakes()) >= 80
    assert {mistake.operation for mistake in all_mistakes()} == set(OPERATIONS)
    assert all(mistake.what and mistake.why and mistake.mend for mistake in all_mistakes())


@pytest.mark.parametrize("name", [quick_or_slow(mistake.operation, name) for name, mistake in MISTAKES.items()])
def test_mistake_is_refuted_and_named(name):
    """The property that a mistake says refutes it does, and names it before any other unless it is one of the few."""
    settle(shrinks=False)
    found = names(offered(name), MISTAKES[name].named_by)
    assert found is not None
    assert (found[:1] == (name,)) == (name not in UNNAMED), found


def test_few_mistakes_are_not_named():
    """For at least nine in ten mistakes the failure names the right one before any other."""
    assert MISTAKES.keys() >= UNNAMED
    assert len(UNNAMED) <= len(MISTAKES) / 10


@pytest.mark.parametrize(
    "identifier",
    [quick_or_slow(one.operation, name) for name, one in PROPERTIES.items() if not name.startswith(SURROUNDINGS)],
)
def test_property_refutes_a_mistake(identifier):
    """Each property refutes a mistake of the catalogue by its own words, in a run of some seed and budget.

    The first cases are the same for every seed, and what fails there by other words hides what fails later.
    """
    found = (failure(name, identifier, *run) for run in RUNS for name in candidates(PROPERTIES[identifier]))
    assert any(map(by_its_own_words, found))


@pytest.mark.slow
@pytest.mark.parametrize("identifier", [name for name in PROPERTIES if name not in JUSTIFIED])
def test_property_is_not_idle(identifier):
    """Each property refutes a mistake that no other of its operation refutes with that seed, or it has a reason."""
    entry = PROPERTIES[identifier]
    assert any(refuted_alone(name, entry, seed) for seed in range(SEEDS) for name in candidates(entry))


def test_there_are_enough_variants():
    """At least 20 correct variants of the network and its layers are tried, and as many of further operations."""
    assert len(VARIANTS) - len(FURTHER) >= 20
    assert len(FURTHER) >= 20


@pytest.mark.parametrize("name", [pytest.param(one, marks=SLOW if one in FURTHER else ()) for one in VARIANTS])
def test_variant_is_let_through(name):
    """No statement that samples and names a changed operation refutes it; `benchmarks.false_alarms` goes further."""
    with np.errstate(all="ignore"):  # a branch that is not taken may overflow
        row = row_of_variant(name, with_peers=False, exhaustive=False, examples=VARIANT_EXAMPLES)
    assert row["properties"]
    assert [identifier for identifier, refuted in row["properties"].items() if refuted] == []
