"""What came of all properties of an operation, and what is wrong with it in a few words."""

from pathlib import Path

import pytest

from properties.harness.checking.trial import Record
from properties.harness.core.reason import Reason
from properties.harness.report.data import Definition
from properties.harness.report.results import Fault, by_operation, explanation, finished, overview
from properties.harness.target.definitions import in_repository
from tests.harness.report.test_page import failure, report_of
from tests.harness.report.test_terminal import crash

HELD = finished(Record(100, 2, 400, 0.25), None, 0.1)
REASON = Reason("It is whole.", "mask repeat", "it is easy", "share it out", "here")
PLACE = Definition("mine.py", 7, [])


def test_parts_of_a_reason():
    """What, why, how to mend it and where it was seen; a reason may have the first alone."""
    parts = [
        ("What", "mask repeat: It is whole."),
        ("Why", "it is easy."),
        ("Mend", "share it out."),
        ("Seen", "here."),
    ]
    assert REASON.parts() == parts
    assert str(REASON) == "mask repeat: It is whole. Why: it is easy. Mend: share it out. Seen: here."
    assert Reason("a factor").parts() == [("What", "a factor")]
    assert str(Reason("a factor", about="relu")) == "relu: a factor"


def test_code_of_a_reason_is_told_beside_the_targets_own():
    """The right line, the one that answers like the target, and of a long function the lines that are most like it."""
    reason = Reason("q stands for p", right="a = x // p", wrong="a = x // q", kind="edit")
    assert str(reason) == "q stands for p. Code: `a = x // q` stands for `a = x // p`."
    assert str(Reason("q for p", right="a\nb", wrong="a")) == "q for p. Code: `a` stands for `a / b`."
    own = ["def f(x):", *(f"    {letter} = 0" for letter in "bcdefghijklm"), "    a = x//q", "    return a"]
    (entry,) = report_of(TIES=failure(diagnosis=(reason,))).properties[:1]
    told = explanation(entry, {"max_pool_gradient": Definition("mine.py", 7, own)})
    lines = {line.label: line.text for line in told if line.form in ("code", "reason")}
    assert lines["diagnosis"] == "q stands for p"
    assert (lines["right code"], lines["like yours"]) == ("a = x // p", "a = x // q")
    assert lines["your code"] == "l = 0\nm = 0\na = x//q\nreturn a"
    assert "your code" not in {line.label for line in explanation(entry)}


def test_overview_mends_by_the_right_line():
    """Where nobody wrote how to mend it the line that is right says so, if it is one."""
    told = report_of(TIES=failure(diagnosis=(Reason("q for p", right="a = x // p", wrong="a = x // q", kind="edit"),)))
    assert [fault.mend for fault in overview(told)] == ["a = x // p"]


@pytest.mark.parametrize("outcome", ["refuted", "crashed", "known"])
def test_no_error_is_shown_where_something_failed(outcome):
    """The errors of what was refuted or raised were not measured, so the largest is unknown, and not 0."""
    told = report_of(TIES=failure(), EULER=HELD, RELU=HELD)
    ties = next(entry for entry in told.properties if entry.operation == "max_pool_gradient")
    ties.outcome = outcome
    told.lacking = []
    errors = {row.operation: row.error for row in by_operation(told)}
    assert errors == {"max_pool_gradient": "–", "relu": "0.25"}


def test_overview_tells_what_is_wrong_and_where():
    """Of a refutation the diagnosis, how to mend it and the definition; of a crash what was raised, and where."""
    told = report_of(TIES=failure(diagnosis=(REASON,)), RELU=crash())
    told.definitions = dict.fromkeys(("relu", "max_pool_gradient"), PLACE)
    line = told.properties[0].frames[-1].line
    assert sorted(overview(told)) == [
        Fault("max_pool_gradient", "mask repeat: It is whole.", "share it out.", "mine.py:7"),
        Fault("relu", "relu raised ValueError: no", "", f"{in_repository(Path(crash.__code__.co_filename))}:{line}"),
    ]


def test_overview_tells_a_cause_once():
    """What another operation's line says already, and what may come of another operation, has no place of its own."""
    told = report_of(TIES=failure(diagnosis=(REASON,)), RELU=failure(diagnosis=(REASON,)))
    assert [fault.what for fault in overview(told)] == ["mask repeat: It is whole.", "as relu"]
    held_against = Reason("it is held against another", kind="held against", causes=("max_pool",))
    blamed = failure(diagnosis=(Reason("a factor"), held_against))
    told = report_of(TIES=blamed)
    told.definitions = {"max_pool_gradient": PLACE}
    wanted = Fault("max_pool_gradient", "held against the target's own max_pool: mend that first", "", "")
    assert overview(told) == [wanted]
    assert overview(report_of(TIES=blamed, EULER=failure(diagnosis=(REASON,))))[0].what == "mask repeat: It is whole."
