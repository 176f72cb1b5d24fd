"""The list of known deviations is read strictly, and held to."""

import pytest
from msgspec.structs import replace

from properties.harness.report.known import cover_consequences, held_to, may_follow, read_known
from properties.harness.report.results import blank

TIES = "pooling.gradient_at_ties_is_a_subgradient"


def written(folder, text):
    """A list with this text."""
    (folder / "known.txt").write_text(text, encoding="utf-8")
    return str(folder / "known.txt")


def test_lines_are_ids_and_reasons(tmp_path):
    """Comments and empty lines are skipped, a colon after the id is allowed, a reason is many words."""
    text = f"# ours\n\n{TIES}: never tied here\n  calls.keeps_the_contract[relu]   in place, as we like it\n"
    assert read_known(written(tmp_path, text)) == {
        TIES: "never tied here",
        "calls.keeps_the_contract[relu]": "in place, as we like it",
    }
    assert read_known(None) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pooling.nothing because\n", "line 1: there is no property 'pooling.nothing'"),
        (f"\n{TIES}\n", f"line 2: a reason must follow {TIES}"),
    ],
)
def test_line_that_does_not_fit_is_an_error(tmp_path, text, message):
    """An id that matches nothing and a missing reason are errors, with the line's number."""
    with pytest.raises(ValueError, match=message):
        read_known(written(tmp_path, text))


def test_file_that_is_not_there_is_an_error(tmp_path):
    """The path is named."""
    with pytest.raises(ValueError, match=r"none\.txt cannot be read"):
        read_known(str(tmp_path / "none.txt"))


@pytest.mark.parametrize(
    ("outcome", "after"),
    [("refuted", "known"), ("crashed", "known"), ("held", "refuted"), ("not applicable", "not applicable")],
)
def test_known_failure_passes_and_must_fail(outcome, after):
    """What fails is known; what holds is refuted for not failing any more."""
    result = replace(blank(), outcome=outcome)
    held_to("a reason", result)
    assert result.outcome == after


def test_unknown_is_left_alone():
    """Without an entry a result stays as it is."""
    result = replace(blank(), outcome="refuted")
    held_to(None, result)
    assert result == replace(blank(), outcome="refuted")


def entries(*lines):
    """Entries of a report: operation, outcome, what the failure follows from."""
    return [
        replace(blank(), operation=operation, outcome=outcome, follows_from=follows, message="mask repeat", script="…")
        for operation, outcome, *follows in lines
    ]


TIE, KINK, STEP = (
    ("max_pool_gradient", "known"),
    ("gradients", "refuted", "max_pool_gradient"),
    ("train_step", "refuted", "gradients"),
)


def test_consequences_of_what_is_known_are_known():
    """Each with a reason that says of what; also what follows from another consequence. Nothing shows them again."""
    found = entries(STEP, KINK, TIE)
    cover_consequences(found)
    assert [entry.outcome for entry in found] == ["known"] * 3
    assert found[1].message == "a consequence of max_pool_gradient, known: mask repeat"
    assert found[0].message.startswith("a consequence of gradients, known: a consequence of max_pool_gradient")
    assert found[1].script is None


@pytest.mark.parametrize(
    "others",
    [
        [TIE, ("max_pool_gradient", "crashed")],
        [("max_pool_gradient", "held")],
        [TIE, ("relu", "held"), ("train_step", "refuted")],
    ],
)
def test_consequence_of_anything_else_is_none(others):
    """Another failure of the layer, none at all, or a second cause that is not known: it goes on failing."""
    found = entries(("gradients", "refuted", "max_pool_gradient", *["relu"] * (len(others) == 3)), *others)
    cover_consequences(found)
    assert [entry.outcome for entry in found] == ["refuted", *(outcome for _, outcome, *_ in others)]


def test_consequence_is_foreseen_from_the_list():
    """So that `--fail-fast` goes on: each operation that explains it has a property on the list."""
    known = {TIES: "mask repeat"}
    assert may_follow(replace(blank(), follows_from=["max_pool_gradient"]), known)
    assert not may_follow(replace(blank(), follows_from=["max_pool_gradient", "relu"]), known)
    assert not may_follow(blank(), known)
