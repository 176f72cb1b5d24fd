"""A statement whose examples carry several points: how many there are, and what comes of one that fails."""

import hypothesis
import numpy as np
import pytest
from hypothesis.database import InMemoryExampleDatabase

import reference
from properties import network
from properties.harness.checking.properties import all_properties
from properties.harness.checking.statement import settled
from properties.harness.checking.trial import current, on_trial
from properties.harness.core.tape import Tape
from properties.harness.run.verdict import judged
from properties.harness.target.operation import Refuted
from tests.doubles import reference_with, trial_of

STATEMENT = network.test_gradients_are_the_chain_rule
MANY = 6400  # examples: 64 points of a shape together
(ENTRY,) = (entry for entry in all_properties().values() if entry.function is STATEMENT)


def run(examples, shard=(1, 1), database=None, seed=0, **changed):
    """The record of the statement with this budget, on the reference with some operations replaced."""
    with (
        trial_of(**reference_with(**changed)) as trial,
        on_trial(trial.target, trial.conventions, examples, shard, seed) as asked,
    ):
        settings = hypothesis.settings(
            hypothesis.settings.get_profile("default"),
            max_examples=asked.budget,
            database=database,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        statement = settled(STATEMENT, settings)
        operations = {"gradients": asked.target.operations["gradients"]}
        with judged(ENTRY, statement, operations, 600.0) as record:
            statement(**operations)
        return record


def shapes_asked(examples, seed=0):
    """The shapes of the images that the statement calls the target with, call by call."""
    shapes = []

    def watched(image, *others):
        shapes.append(image.shape)
        return reference.gradients(image, *others)

    run(examples, seed=seed, gradients=watched)
    return shapes


def rarely(change):
    """The right gradients, that for the kernel changed at about one in 300 of images if it has several entries."""

    def gradients(image, *others):
        for_kernel, for_weights = reference.gradients(image, *others)
        rare = image.flat[0] == 0.5 or image.flat[-1] == 3.25
        return change(for_kernel) if rare and for_kernel.size > 1 else for_kernel, for_weights

    return gradients


@pytest.mark.parametrize("examples", [100, 199, 250, 1000, 1001])
def test_budget_is_kept_to_the_point(examples):
    """As many points are tried as examples are asked for, also where they do not fill the last example."""
    assert run(examples).examples == examples


def test_shards_share_the_budget():
    """The points of all shards are as many as those of the whole."""
    assert sum(run(1001, (number, 2)).examples for number in (1, 2)) == 1001


def test_cases_of_the_default_budget_have_shapes_of_their_own():
    """An example of the default budget carries ten cases of any shapes; of ten times as much, ten of one shape."""
    changes = [np.diff(shapes_asked(examples), axis=0).any(axis=1).mean() for examples in (100, 1000)]
    assert changes[0] > 0.8
    assert changes[1] < 0.2


def test_cases_of_the_first_example_change_with_the_seed():
    """Hypothesis draws the same smallest case first whatever the seed; what it carries besides is the seed's own."""
    one, same, other = (shapes_asked(10, seed) for seed in (0, 0, 1))
    assert one == same
    assert one[0] == other[0]
    assert one != other


def test_cases_that_are_left_out_are_replaced():
    """Of a target that leaves out half of the cases, as many others are tried as of one that takes all."""

    def partial(image, *others):
        if image.shape[0] % 2:
            raise NotImplementedError
        return reference.gradients(image, *others)

    record = run(100, gradients=partial)
    assert record.examples == 100
    assert record.left_out > 20


def test_points_are_counted_as_cases_are():
    """The shapes, maxima and errors of a large budget are counted for every point."""
    record = run(3000)
    assert sum(record.tried["image"].values()) == sum(record.tried["kernel"].values()) == 3000
    assert sum(record.tried["errors"].values()) == record.comparisons
    windows = sum(number * shape[0] * shape[1] // 4 for shape, number in outputs(record).items())
    assert sum(record.tried["maxima"].values()) == record.tried["maxima"][1]
    assert record.tried["maxima"][1] >= windows


def outputs(record):
    """At least how many windows there were: of kernels of 3×3, the largest, and images of a shape."""
    return {(rows - 2, columns - 2): number for (rows, columns), number in record.tried["image"].items()}


def test_rare_failure_shrinks_to_one_point_and_is_kept():
    """A failure at a point that Hypothesis did not draw ends at the smallest case, with which the next run begins."""
    database = InMemoryExampleDatabase()
    wrong = rarely(lambda gradient: gradient + 1.0)
    with pytest.raises(Refuted, match=r"(entry differs|entries differ)") as first:
        run(MANY, database=database, gradients=wrong)
    assert (first.value.case.image.size, first.value.case.kernel.size) == (6, 2)
    with pytest.raises(Refuted) as again:
        run(1, database=database, gradients=wrong)
    np.testing.assert_array_equal(again.value.case.image, first.value.case.image)


@pytest.mark.parametrize("wrongly", ["wrong", "raises"])
def test_what_fails_once_is_random(wrongly):
    """An answer that is wrong once, or not given, and right when its case is tried again, does not pass."""
    calls = []

    def once(*arguments):
        calls.append(arguments)
        if len(calls) == 500 and wrongly == "raises":
            raise OverflowError
        for_kernel, for_weights = reference.gradients(*arguments)
        return for_kernel * (1.5 if len(calls) == 500 else 1.0), for_weights

    with pytest.raises(hypothesis.errors.Flaky, match="did not fail again"):
        run(1000, gradients=once)


def test_points_that_are_left_out_are_counted():
    """Points that the target does not support do not count as tried, and the others do."""

    def partial(image, *others):
        if image.flat[0] > 1:
            raise NotImplementedError
        return reference.gradients(image, *others)

    record = run(1000, gradients=partial)
    assert record.left_out > 100
    assert record.examples + record.left_out == 1000
    assert sum(record.tried["image"].values()) == record.examples


def test_what_raises_at_a_point_is_found():
    """An exception at one point among many is reported with its case."""

    def raising(image, *others):
        if image.flat[-1] == 3.25:
            raise OverflowError
        return reference.gradients(image, *others)

    with pytest.raises(Exception, match="gradients raised OverflowError") as caught:
        run(MANY, gradients=raising)
    assert caught.value.case.image.flat[-1] == 3.25


def test_tape_of_points_keeps_choices_in_common():
    """What is chosen is the first tape's choice, and stands in all tapes after; what is drawn stays each one's own."""
    tapes = np.array([[3, 10, 11], [9, 20, 21]], np.uint8)
    tape = Tape(tapes)
    assert tape.choose(8) == 3
    np.testing.assert_array_equal(tape.matrix((1, 2), (1, 2)), [[[11, 10]], [[21, 20]]])
    np.testing.assert_array_equal(tapes[:, 0], [3, 3])


def test_without_a_trial_nothing_is_offered():
    """A trial ends with its block: what is tried then offers nothing."""
    with trial_of(relu=np.abs):
        pass
    assert current().target.name == "nothing"
