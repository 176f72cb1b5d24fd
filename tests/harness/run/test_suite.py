"""`backproof.suite` brings the properties to a pytest suite of one's own, in two lines, under its own options."""

from itertools import pairwise
from types import SimpleNamespace

import hypothesis
import pytest

import properties
import reference
from properties.harness.checking.properties import all_properties
from properties.layers import OPERATIONS

pytestmark = pytest.mark.slow

pytest_plugins = ["pytester"]

TWO_LINES = "import backproof, my_network\nTestMyNetwork = backproof.suite(my_network)\n"
TIES = "test_pooling_gradient_at_ties_is_a_subgradient"


@pytest.fixture
def mine(pytester):
    """A folder with the tie error and the two lines."""
    pytester.makepyfile(
        my_network="import reference\nmax_pool = reference.max_pool\nmax_pool_gradient = reference.mask_repeat\n",
        test_my_network=TWO_LINES,
    )
    return pytester


def test_properties_are_collected(mine):
    """There is a test for each property, called by its id; what the target lacks is skipped, with the reason."""
    result = mine.runpytest_subprocess(
        "-k", "(pooling or dense_is) and not average and not options", "-rs", "-v", "-p", "no:cacheprovider"
    )
    result.assert_outcomes(passed=5, failed=2, skipped=1)
    result.stdout.fnmatch_lines([f"*TestMyNetwork::{TIES} FAILED*", "*the target has no dense*"])


def test_failure_is_told_as_in_the_report(mine):
    """It has the counterexample, both sides and the diagnosis, and none of the suite's own frames."""
    result = mine.runpytest_subprocess("-k", "ties_is", "-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(["x  *0., 0.*", "yours  *[*]1., [*]1.*", "diagnosis  *mask repeat*"])
    result.stdout.no_fnmatch_line("*judging.py*")


def test_options_are_the_users_own(mine):
    """`-x` stops, xdist's workers agree, and the user's Hypothesis profile counts."""
    mine.makeconftest(
        "import hypothesis\n"
        "hypothesis.settings.register_profile('few', max_examples=20, database=None, derandomize=True)\n"
    )
    few = [
        "-p",
        "no:cacheprovider",
        "-k",
        "(ties_is or eulers or differences and pooling) and not average and not options",
        "--hypothesis-profile",
        "few",
    ]
    result = mine.runpytest_subprocess(*few, "-x")
    result.assert_outcomes(failed=1)
    result = mine.runpytest_subprocess(*few, "-n", "2")
    result.assert_outcomes(failed=2, passed=1)


IN_PLACE = "calls.keeps_the_contract[relu]"


@pytest.fixture
def in_place(pytester):
    """A suite in a class beside other tests, with a property that fails and has brackets in its id."""
    pytester.makepyfile(
        my_network="def relu(x):\n    x[x < 0] = 0\n    return x\n",
        test_my_network="import backproof, my_network\nclass TestMine(backproof.suite(my_network)):\n"
        "    def test_more(self):\n        pass\ndef test_other():\n    pass\n",
    )
    return pytester


@pytest.mark.parametrize("workers", ["0", "2"])
def test_last_failures_are_run_again_alone(in_place, workers):
    """`--lf` selects exactly what failed, with workers too, and so does a node id as pytest prints it."""
    result = in_place.runpytest_subprocess("-k", "keeps or more or other", "-n", workers)
    result.assert_outcomes(failed=1, passed=2, skipped=len(OPERATIONS) - 1)
    (failed,) = [line.split()[1] for line in result.outlines if line.startswith("FAILED")]
    in_place.runpytest_subprocess("--lf", "-n", workers).assert_outcomes(failed=1)
    in_place.runpytest_subprocess(failed, "-p", "no:cacheprovider").assert_outcomes(failed=1)


@pytest.mark.parametrize("keyword", [IN_PLACE, "calls.keeps and relu", "test_calls_keeps_the_contract_relu"])
def test_keyword_finds_a_property_by_its_id(in_place, keyword):
    """`-k` takes the id that the report names, its words, and the test's own name."""
    result = in_place.runpytest_subprocess(
        "-k", f"{keyword} and not derivative and not gradient and not leaky", "-p", "no:cacheprovider"
    )
    result.assert_outcomes(failed=1)


def test_every_property_has_a_name_of_its_own():
    """No two ids give the same test, and each name is one of Python's."""
    names = [name for name in vars(properties.suite(reference)) if name.startswith("test_")]
    assert len(names) == len(all_properties())
    assert all(name.isidentifier() for name in names)


def test_large_budget_is_the_users_own():
    """A thousand examples of the user's profile are a thousand points, several to an example."""
    shapes = []

    def gradients(image, *others):
        shapes.append(image.shape)
        return reference.gradients(image, *others)

    suite = properties.suite(SimpleNamespace(gradients=gradients))
    before = hypothesis.settings.get_current_profile_name()
    hypothesis.settings.register_profile("many", max_examples=1000, database=None)
    hypothesis.settings.load_profile("many")
    shapes.clear()
    try:
        vars(suite)["test_network_gradients_are_the_chain_rule"](None)
    finally:
        hypothesis.settings.load_profile(before)
    assert len(shapes) == 1000
    assert sum(one != other for one, other in pairwise(shapes)) < 150
