"""Every known mistake is refuted and named, every correct variant is let through, and no property is idle."""

from functools import partial

import pytest

from benchmarks import kill_matrix
from benchmarks.kill_matrix import JUSTIFIED, SURROUNDINGS, alone, row_of_mistake, row_of_variant
from benchmarks.variants import VARIANTS
from properties.harness.catalogue import all_properties
from properties.harness.contract import OPERATIONS
from properties.harness.mistakes import all_mistakes

VARIANT_EXAMPLES = 30
PROPERTIES = {entry.id: entry for entry in all_properties().values()}


@pytest.fixture(scope="module")
def rows():
    """What the kill table finds about every mistake, without the other checkers."""
    numbers = list(range(len(all_mistakes())))
    return kill_matrix.mapped(partial(row_of_mistake, with_peers=False), numbers, "mistakes")


@pytest.fixture(scope="module")
def variants():
    """Which statements that sample refute a correct variant, by its name; `benchmarks.false_alarms` goes further."""
    row = partial(row_of_variant, with_peers=False, exhaustive=False, examples=VARIANT_EXAMPLES)
    found = kill_matrix.mapped(row, list(VARIANTS), "variants")
    return {row["variant"]: row["properties"] for row in found}


def test_catalogue_is_large_and_its_names_are_unique():
    """There are at least 80 mistakes, over every operation, no two of one name, none without reason or mend."""
    assert len({mistake.id for mistake in all_mistakes()}) == len(all_mistakes()) >= 80
    assert {mistake.operation for mistake in all_mistakes()} == set(OPERATIONS)
    assert all(mistake.what and mistake.why and mistake.mend for mistake in all_mistakes())


def test_each_mistake_is_refuted_by_the_property_that_names_it(rows):
    """No mistake of the catalogue survives the property that it says refutes it."""
    assert [row["mistake"] for row in rows if not row["properties"][row["named_by"]]] == []


def test_mistakes_are_named(rows):
    """For at least nine in ten mistakes the failure names the right one before any other."""
    unnamed = [row["mistake"] for row in rows if not row["named_first"]]
    assert len(unnamed) <= len(rows) / 10, unnamed


def test_no_property_is_idle(rows):
    """Each property refutes a mistake that no other of its operation refutes, or has a reason to be there."""
    assert {identifier for identifier, mistakes in alone(rows).items() if not mistakes} <= JUSTIFIED.keys()


def test_every_property_refutes_a_mistake(rows):
    """Each property refutes at least one mistake of the catalogue, but for those about what changes no answer."""
    found = {name for row in rows for name, refuted in row["properties"].items() if refuted}
    assert found == {name for name in PROPERTIES if not name.startswith(SURROUNDINGS)}


def test_there_are_enough_variants():
    """At least 20 correct variants are tried."""
    assert len(VARIANTS) >= 20


@pytest.mark.parametrize("name", VARIANTS)
def test_variant_is_let_through(variants, name):
    """No statement that names a changed operation refutes a correct variant."""
    assert variants[name]
    assert [identifier for identifier, refuted in variants[name].items() if refuted] == []
