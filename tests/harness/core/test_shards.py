"""Shards are disjoint parts that together are the whole, and none says more than it did."""

from argparse import ArgumentTypeError
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

import reference
from properties.harness.checking.properties import all_properties
from properties.harness.checking.statement import each
from properties.harness.checking.trial import Record, on_trial
from properties.harness.core.limits import Limits, NotApplicable
from properties.harness.core.setting import Conventions
from properties.harness.core.shards import LEFT_TO_OTHERS, WHOLE, examples_of, own, seed_of, shard_of
from properties.harness.core.tape import Case
from properties.harness.report.certificate import certificate, told
from properties.harness.report.known import held_to
from properties.harness.report.results import finished
from properties.harness.run.verdict import judged
from tests.doubles import reference_with, trial_of
from tests.reports import entry
from tests.test_command import check

SHARDS = (3, 20)  # more of them than some statements have cases
EXHAUSTIVE = [entry for entry in all_properties().values() if entry.id.startswith("exact.")]


def seen(entry, shard=WHOLE, examples=100):
    """The calls that a statement makes in this shard, as bytes, and its record."""
    calls = []

    def watched(function):
        def operation(*arguments):
            calls.append(tuple((np.shape(one), np.asarray(one).tobytes()) for one in arguments))
            return function(*arguments)

        return operation

    name = entry.operation
    with (
        trial_of(**reference_with(**{name: watched(getattr(reference, name))})) as trial,
        on_trial(trial.target, trial.conventions, examples, shard) as sharded,
    ):
        calls.clear()
        with suppress(NotApplicable):  # without a case
            entry.function(**{name: sharded.target.operations[name]})
        return calls, sharded.record


@pytest.mark.slow
@pytest.mark.parametrize("shards", SHARDS)
@pytest.mark.parametrize("entry", EXHAUSTIVE, ids=lambda entry: entry.id)
def test_exhaustive_cases_are_parted(entry, shards):
    """The calls of all shards are the calls of the whole, each as often, also with fewer examples than usual."""
    whole, record = seen(entry, examples=10)
    every = [seen(entry, (number, shards), 10) for number in range(1, shards + 1)]
    assert sorted(call for calls, _ in every for call in calls) == sorted(whole)
    assert sum(one.examples for _, one in every) == record.examples
    covered = [one.proof.get("covered", 0) for _, one in every if one.proof]
    assert sum(covered) == record.proof.get("covered", 0)
    wheres = {one.proof["where"] for _, one in every if one.proof}
    assert wheres == {record.proof["where"]}


@pytest.mark.parametrize("shards", [1, 2, 3, 7])
def test_cases_are_disjoint_and_whole(shards):
    """Every case is that of exactly one shard."""
    parts = [list(own((number, shards), range(20))) for number in range(1, shards + 1)]
    assert sorted(case for part in parts for case in part) == list(range(20))


@pytest.mark.parametrize(("examples", "shards"), [(100, 3), (100, 1), (7, 7), (1000, 16)])
def test_examples_add_up(examples, shards):
    """The shares differ by one at most and are together what was asked for."""
    shares = [examples_of((number, shards), examples) for number in range(1, shards + 1)]
    assert sum(shares) == examples
    assert max(shares) - min(shares) <= 1


def test_seeds_differ():
    """No two shards of a campaign, or of two, have one seed, and each has the same one every time."""
    shards = [(number, of) for of in (2, 3, 50) for number in range(1, of + 1)]
    seeds = [seed_of(shard, seed) for seed in (0, 1, 2**40) for shard in shards]
    assert len({0, 1, 2**40, *seeds}) == len(seeds) + 3
    assert seeds == [seed_of(shard, seed) for seed in (0, 1, 2**40) for shard in shards]


def test_rounds_have_seeds_of_their_own():
    """No two rounds have one seed, in one shard or in several; the first has that of the shard."""
    shards = [WHOLE, (1, 2), (2, 2), (1, 3)]
    seeds = [seed_of(shard, 5, number) for shard in shards for number in range(1, 9)]
    assert len(set(seeds)) == len(seeds)
    assert seeds[::8] == [seed_of(shard, 5) for shard in shards]


def test_one_of_one_is_the_whole():
    """It has the campaign's own seed and all of its examples."""
    assert (seed_of(WHOLE, 5), examples_of(WHOLE, 7)) == (5, 7)


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "1/", "-1/2", "a/b", "١/٢", "1/2/3", f"1/{'9' * 5000}"])
def test_wrong_shard_is_refused(text):
    """What is not I/N with 1 ≤ I ≤ N is none."""
    with pytest.raises(ArgumentTypeError, match="1 ≤ I ≤ N is wanted"):
        shard_of(text)


def test_shard_does_not_claim_the_whole():
    """Its certificate says which part was right; only the whole is proved."""
    record = seen(EXHAUSTIVE[0], (2, 3))[1]
    ((_, lines),) = told(certificate([entry(finished(record, None, 0.0), id="x", operation="conv2d")]))
    assert lines[0].startswith("right exactly in shard 2 of 3 on every pair of basis vectors")
    assert "proved" not in lines[0]


def outcome_of(statement, shard):
    """What `judged` makes of a statement about ReLU."""
    with trial_of(relu=np.abs) as trial, on_trial(trial.target, Conventions(), 100, shard) as sharded:
        entry = EXHAUSTIVE[0]
        try:
            with judged(entry, statement, trial.target.operations, 10.0):
                statement(**trial.target.operations)
        except (pytest.skip.Exception, AssertionError) as error:
            return type(error), str(error), sharded.record.examples
    return None


@pytest.mark.parametrize("number", [1, 2, 3])
def test_shard_that_compares_nothing_leaves_it_to_others(number):
    """Neither a shard without a case nor one whose cases leave nothing to compare is a failure."""
    statement = each(lambda relu: [Case(), Case()])(lambda relu, case: None)
    left = (pytest.skip.Exception, LEFT_TO_OTHERS, int(number < 3))
    assert outcome_of(statement, (number, 3)) == left
    assert outcome_of(statement, WHOLE)[0] is AssertionError


def test_known_deviation_need_not_fail_in_every_shard():
    """That one no longer fails is told of the whole, not of a shard in which it did not."""
    with trial_of(relu=np.abs) as trial:
        for shard, outcome in ((WHOLE, "refuted"), ((1, 2), "held")):
            result = finished(Record(), None, 0.0)
            with on_trial(trial.target, Conventions(), 100, shard):
                held_to("noise", result)
            assert (result.outcome, result.listed) == (outcome, "noise")


def test_later_round_need_not_compare_nor_fail():
    """One that compares nothing is no defect, and a known deviation that holds in it is not gone: others see it."""
    statement = each(lambda relu: [Case()])(lambda relu, case: None)
    with trial_of(relu=np.abs) as trial:
        trial.target = replace(trial.target, limits=Limits(growth=1))
        operations, left = trial.target.operations, pytest.raises(pytest.skip.Exception, match=LEFT_TO_OTHERS)
        with left, judged(EXHAUSTIVE[0], statement, operations, 10.0):
            statement(**operations)
        held_to("noise", result := finished(Record(), None, 0.0))
    assert result.outcome == "held"


def test_patterns_covered_are_those_of_the_shard():
    """A quarter of the 625 patterns is covered by each of four shards."""
    entry = next(entry for entry in EXHAUSTIVE if entry.id == "exact.gradients_on_every_activation_pattern")
    assert [seen(entry, (number, 4))[1].proof["covered"] for number in range(1, 5)] == [157, 156, 156, 156]


def test_workers_share_a_shard(tmp_path):
    """In several processes a shard is what it is in one."""
    asked = ["reference", "--examples", "20", "-k", "weak_ordering or parts_its", "--shard", "2/3"]
    reports = [check(*asked, *more, folder=tmp_path)[1] for more in ((), ("-n", "2"))]
    counts = [{entry["id"]: entry["examples"] for entry in report["properties"]} for report in reports]
    assert counts[0] == counts[1]
    assert counts[0]["exact.max_pool_at_every_weak_ordering"] == 25
    assert counts[0]["activations.relu_parts_its_argument"] == 7
