"""The list of known deviations is read strictly, and held to."""

import pytest

from properties.harness.known import held_to, read_known

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
    result = {"outcome": outcome, "message": "", "expected": None}
    held_to("a reason", result)
    assert result["outcome"] == after


def test_unknown_is_left_alone():
    """Without an entry a result stays as it is."""
    result = {"outcome": "refuted"}
    held_to(None, result)
    assert result == {"outcome": "refuted"}
