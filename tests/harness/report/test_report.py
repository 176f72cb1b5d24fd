"""The report has the contract's fields, and shows strangers' words as data."""

import json
import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from msgspec.structs import replace

from properties.harness.checking.properties import all_properties
from properties.harness.checking.trial import Record
from properties.harness.core.reason import Reason
from properties.harness.core.setting import Conventions
from properties.harness.core.text import decoded, encoded, printable, shown, shown_encoded
from properties.harness.report.data import OUTCOMES, as_json
from properties.harness.report.page import render
from properties.harness.report.report import Outcomes, Request, exit_status, found, make_report
from properties.harness.report.results import finished
from properties.harness.report.terminal import show
from properties.harness.target.operation import Crashed, Refuted
from properties.harness.target.target import Target
from tests.reports import valid

TIES = "pooling.py::test_gradient_at_ties_is_a_subgradient"
RELU = "activations.py::test_relu_is_the_positive_part"
HOSTILE = "<script>alert(1)</script>\x1b[31m[bold]"


def refuted(name="max_pool_gradient"):
    """A result with a counterexample."""
    error = Refuted(f"in 1 of 1 window {HOSTILE}", yours=np.array([[1.0, np.nan]]), expected="one")
    error.diagnosis, error.mistakes = (Reason(HOSTILE),), ("max_pool_gradient: mask repeat",)
    error.case = {"x": np.zeros((1, 2)), "window": (1, 2), "upstream": np.ones((1, 1)), "image": np.ones(1)}
    return finished(Record(3, 0, 4, 0.5, error), error, 0.25, (name,))


def report_of(results, **outcomes):
    """The report of a run with these results."""
    asked = Request("my network.py", 100, 0)
    gathered = Outcomes(list(results), {key: value for key, value in results.items() if value}, **outcomes)
    return valid(make_report(asked, found(Target(HOSTILE, {}), Conventions("correlation", "all", 0.5)), gathered, 1.5))


HELD = finished(Record(100, 2, 400, 0.25), None, 0.1)


def test_date_is_that_of_the_report_in_universal_time():
    """It says when the report was made, to the second, wherever that was."""
    before = datetime.now(UTC)
    made = datetime.fromisoformat(report_of({RELU: HELD}).date)
    assert made.utcoffset() == timedelta(0)
    assert before.replace(microsecond=0) <= made <= datetime.now(UTC)


def test_json_has_the_contracts_fields():
    """Every field of the contract is there, of the right kind, and the JSON is strict."""
    report = json.loads(as_json(report_of({TIES: refuted(), RELU: HELD})))
    assert report["schema_version"] == 1
    assert (report["target"], report["verdict"]) == ("my network.py", "refuted")
    assert report["conventions"] == {
        "convolution": "correlation",
        "ties": "all",
        "relu_derivative_at_zero": 0.5,
        "dtype": "float64",
        "further": {},
    }
    assert report["totals"] == dict.fromkeys(OUTCOMES, 0) | {"held": 1, "refuted": 1}
    assert {"python", "numpy", "hypothesis"} <= report["versions"].keys()
    entry = next(entry for entry in report["properties"] if entry["outcome"] == "refuted")
    assert entry["id"] == "pooling.gradient_at_ties_is_a_subgradient"
    assert entry["operation"] == "max_pool_gradient"
    assert entry["statement"].startswith("At ties each upstream value")
    assert entry["source"].startswith("Boustany")
    assert (entry["examples"], entry["left_out"], entry["comparisons"]) == (3, 0, 4)
    assert (entry["largest_error"], entry["seconds"]) == (0.5, 0.25)
    assert entry["counterexample"] == {
        "x": {"dtype": "float64", "shape": [1, 2], "data": [[0.0, 0.0]]},
        "window": [1, 2],
        "upstream": {"dtype": "float64", "shape": [1, 1], "data": [[1.0]]},
    }
    assert entry["yours"]["data"] == [[1.0, "NaN"]]
    assert entry["expected"] == "one"
    assert entry["diagnosis"] == [HOSTILE]
    nothing = dict.fromkeys(("name", "why", "mend", "seen", "right", "wrong", "about"), "")
    assert entry["reasons"] == [{"what": HOSTILE, **nothing, "kind": "numbers", "causes": []}]
    assert (entry["difference"], entry["note"]) == (None, None)
    assert entry["reproduce"] == ("python -m backproof 'my network.py' -k pooling.gradient_at_ties_is_a_subgradient")


CRASH = finished(Record(1, 0, 0), Crashed("relu", ZeroDivisionError("no")), 0.1)
MISSING = finished(Record(), pytest.skip.Exception("the target has no relu"), 0.0)


@pytest.mark.parametrize(
    ("results", "interrupted", "verdict", "status"),
    [
        ({TIES: HELD, RELU: HELD}, False, "holds", 0),
        ({TIES: HELD, RELU: MISSING}, False, "holds", 0),
        ({TIES: HELD, RELU: CRASH}, False, "broken", 1),
        ({TIES: refuted(), RELU: CRASH}, False, "refuted", 1),
        ({TIES: refuted(), RELU: None}, False, "refuted", 1),
        ({TIES: HELD, RELU: None}, True, "incomplete", 130),
        ({TIES: refuted(), RELU: None}, True, "refuted", 130),
        ({TIES: replace(HELD, outcome="known"), RELU: HELD}, False, "holds", 0),
    ],
)
def test_verdict_and_status(results, interrupted, verdict, status):
    """The verdict and the exit status follow from the outcomes."""
    report = report_of(results, interrupted=interrupted)
    assert (report.verdict, exit_status(report)) == (verdict, status)


def test_flaky_failure_keeps_its_counterexample():
    """A failure that did not come again is still refuted, and said to be random or stateful."""
    failure = Refuted("off", yours=1.0, expected=2.0)
    failure.case = {"x": np.ones(1)}
    result = finished(Record(5, 0, 5, 0.0, failure), ExceptionGroup("flaky", [ValueError()]), 0.1)
    assert result.outcome == "refuted"
    (reason,) = map(str, result.reasons)
    assert reason == "tried again on the same case it gave another answer: it is random or keeps state"


def test_defect_of_the_suite_is_no_verdict_on_the_target():
    """An error of a statement itself is a crash that says so."""
    try:
        raise KeyError("x")
    except KeyError as error:
        result = finished(Record(), error, 0.0)
    assert result.outcome == "crashed"
    assert result.message.startswith("the statement itself failed, in test_defect_of_the_suite")


def test_terminal_fits_80_columns_and_escapes(capsys):
    """No line of words is longer than 80 columns, markup is shown as it is, and no escape gets through."""
    show(report_of({TIES: refuted(), RELU: HELD}, warnings={"RuntimeWarning: overflow": 3}))
    printed = capsys.readouterr().out
    assert all(len(line) <= 80 or "again with" in line for line in printed.splitlines())
    assert "\x1b" not in printed
    assert r"\x1b[31m[bold]" in printed
    for part in (
        "cross-correlation; pooling ties: all (wrong); ReLU'(0): 0.5",
        "warned 3 times: RuntimeWarning: overflow",
        "  x              [[0., 0.]]",
        "  window         (1, 2)",
        "left out as not implemented: 2 cases",
        "my network.py: refuted (1 held, 1 refuted; 103 examples, seed 0, 1.5 s)",
    ):
        assert part in printed


def test_seed_is_repeated_in_full():
    """The command that repeats a property has every digit of the seed."""
    entry = next(iter(all_properties().values()))
    assert " --seed 12345678901234 " in Request("mine.py", 100, 12345678901234).reproduce(entry)


def test_counts_of_what_was_tried_are_summed():
    """Shapes, ties and margins add up over all properties, errors over those of one operation."""
    one, other = Record(), Record()
    for record, error in ((one, 0.0), (other, 0.5)):
        record.tried["x"][(2, 2)] += 3
        record.tried["maxima"][2] += 1
        record.tried["errors"][error] += 7
    report = report_of({TIES: finished(one, None, 0.1), RELU: finished(other, None, 0.1)})
    assert report.tried.shapes == {"x": {"2×2": 6}}
    assert report.tried.maxima == {"2": 2}
    assert report.tried.errors == {"relu": {"0.5": 7}, "max_pool_gradient": {"0": 7}}
    assert report.shapes == {"x": [[2, 2]]}


def crowded(target, seed=0):
    """A report with every outcome, consequences, and numbers as long as they get."""
    blank = replace(refuted(), examples=10**9, follows_from=[])
    results = {
        nodeid: replace(blank, outcome=OUTCOMES[number % 5], follows_from=["relu"] if number % 10 == 1 else [])
        for number, nodeid in enumerate(all_properties())
    }
    results[RELU], results["dense.py::test_dense_is_the_weighted_sum"] = blank, None
    gathered = Outcomes(list(results), {key: value for key, value in results.items() if value})
    return make_report(Request(target, 100, seed), found(Target(target, {}), Conventions()), gathered, 1e7)


@pytest.mark.parametrize("target", ["m", "my network.py", f"{'very/' * 100}long.py:Network", "\n\x1b\u202e" * 99])
@pytest.mark.parametrize("seed", [0, 2**32, 10**200])
def test_summary_fits_a_commit_status(capsys, target, seed):
    """It is the last line printed and, but for the time, in the JSON: 140 characters at most, a short name in full."""
    report = crowded(target, seed)
    show(report)
    for line in (report.summary, capsys.readouterr().out.splitlines()[-1]):
        assert len(line) <= 140
        assert line.isprintable()
        assert ": refuted (" in line
        assert line.startswith(target) == (len(target) < 20)


def test_summary_leaves_out_what_is_less_needed():
    """A long name is cut in front; what takes the room of the name goes before that: consequences, then the numbers."""
    assert crowded(f"{'very/' * 100}long.py").summary.startswith("…")
    assert "very/very/long.py: refuted (" in crowded(f"{'very/' * 100}long.py").summary
    assert "seed 0)" in crowded("m").summary
    assert "consequences" not in crowded("m").summary
    assert "seed" not in crowded("m", 10**200).summary


def test_page_escapes_what_is_not_ours():
    """Names, messages and reasons from a target are text on the page, never markup."""
    page = render(report_of({TIES: refuted(), RELU: HELD}))
    assert page.count("<script") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not re.search(r"https?:|src=|url\(", page)


@pytest.mark.parametrize("value", [np.array([[1.0, -2.5]]), np.zeros((2, 1)), 3.0, "words", None, (2, 3)])
def test_encoding_comes_back(value):
    """What is encoded for JSON is the same value when decoded."""
    back = decoded(json.loads(json.dumps(encoded(value), allow_nan=False)))
    np.testing.assert_array_equal(back, value)


def test_infinities_are_strings():
    """JSON has no infinities: they are strings, and come back as numbers in an array."""
    assert encoded(np.array([np.inf, -np.inf, np.nan]))["data"] == ["Infinity", "-Infinity", "NaN"]
    np.testing.assert_array_equal(decoded(encoded(np.array([np.inf, np.nan]))), [np.inf, np.nan])


def test_numbers_are_shown_in_full():
    """An entry shows every digit that makes it what it is, and a negative zero as 0."""
    assert shown(np.array([[0.1 + 0.2, -0.0]])) == "[[0.30000000000000004, 0.                 ]]"
    assert shown((1, 2)) == "(1, 2)"


def test_wrong_entries_have_a_star():
    """Of an answer the entries that are wrong are marked, and the columns stay aligned; a lone number needs no mark."""
    array = encoded(np.array([[1.5, -20.0], [0.0, 3.0]]))
    assert shown_encoded(array, [[0, 1], [1, 0]]) == "[[   1.5, *-20. ],\n [  *0. ,    3. ]]"
    assert shown_encoded(array) == "[[  1.5, -20. ],\n [  0. ,   3. ]]"
    assert shown_encoded(encoded(np.array([2.0])), [[0]]) == "[2.]"
    assert "*" not in shown_encoded(encoded(np.ones((20, 33))), [[0, 0]])


def test_printable_keeps_letters_and_escapes_control():
    """Accents and mathematics stay, line feeds and escapes do not."""
    assert printable("é π\n\x1b\u202e") == r"é π\n\x1b\u202e"


def test_every_property_has_words_of_its_own():
    """Ids are unique; statements are sentences; every one names its source and its operations."""
    entries = list(all_properties().values())
    assert len({entry.id for entry in entries}) == len(entries)
    for entry in entries:
        assert entry.statement.endswith(".")
        assert entry.source
        assert entry.operations
