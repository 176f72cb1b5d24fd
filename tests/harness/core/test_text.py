"""What comes from a target is shown on one line that steers nothing, and is no longer than a person reads."""

import pytest

from properties.harness.core.text import LONGEST, LONGEST_LINE, last_line, printable


@pytest.mark.parametrize("text", [10_000_000 * "x", 10_000_000 * "\0", LONGEST * "x" + "y"])
def test_long_text_is_cut(text):
    """It says how long it was; cut again it stays the same."""
    assert len(printable(text)) == LONGEST
    assert printable(text).endswith(f"… ({len(text):,} characters)")
    assert printable(printable(text)) == printable(text)


def test_text_that_is_not_too_long_is_whole():
    """Up to the last character."""
    assert printable(LONGEST * "x") == LONGEST * "x"


def test_message_of_an_exception_is_cut():
    """However much it says, it can stand in a line with more."""
    line = last_line(ValueError(580_000 * "no "))
    assert line.startswith("ValueError: no no")
    assert len(line) == LONGEST_LINE
