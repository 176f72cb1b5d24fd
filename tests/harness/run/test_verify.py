"""`backproof.verify` checks a target in this process, and its report can be asked, printed and shown."""

import html
import json
import pydoc
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import properties
import reference
from tests.reports import valid

TIES = "pooling.gradient_at_ties_is_a_subgradient"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Failures are kept in a folder of the test."""
    monkeypatch.chdir(tmp_path)


def verify(*target, **options):
    """What comes of verifying a target, whose report fits the schema."""
    report = properties.verify(*target, **options)
    valid(json.loads(report.as_json()))
    return report


def refuted():
    """The report on the tie error, by two properties."""
    offered = {"max_pool_gradient": reference.mask_repeat, "max_pool": reference.max_pool}
    return verify(offered, keyword="ties_is or unique", examples=20, name="mine")


def test_report_can_be_asked():
    """It says whether all holds, and gives each failure with its case and both sides as arrays."""
    report = refuted()
    assert not report.holds
    assert report.verdict == "refuted"
    assert report.conventions["ties"] == "all"
    (failure,) = report.failures
    assert (failure.id, failure.operation, failure.outcome) == (TIES, "max_pool_gradient", "refuted")
    assert failure.case["x"].shape == (1, 2)
    assert failure.case["window"] == (1, 2)
    np.testing.assert_array_equal(failure.yours, [[1.0, 1.0]])
    assert failure.mistakes == ("max_pool_gradient: mask repeat",)
    assert json.loads(report.as_json())["target"] == "mine"


def test_report_that_does_not_hold_raises():
    """`raise_if_refuted` is an assertion with the report as its message; a report that holds says nothing."""
    with pytest.raises(properties.TargetRefuted, match=TIES) as caught:
        refuted().raise_if_refuted()
    assert isinstance(caught.value, AssertionError)
    assert [failure.id for failure in caught.value.failures] == [TIES]
    verify(reference, keyword="dense_is", examples=5).raise_if_refuted()


def test_report_prints_and_shows():
    """Printed it is brief; as text it is as on a terminal of 80 columns without colours."""
    report = verify({"relu": abs}, keyword="relu_is", examples=5, name="<b>mine")
    assert repr(report) == str(report)
    first, *_, last = str(report).splitlines()
    assert len(str(report).splitlines()) <= 4
    assert first.startswith("relu      ")
    assert last.startswith("<b>mine: refuted")
    text = report.as_text()
    assert text.startswith("what is wrong\nrelu  ")
    assert "REFUTED  relu  activations.relu_is_the_positive_part" in text
    assert "\x1b" not in text


def test_report_that_holds_prints_what_was_found():
    """Its conventions stand in the place of what is wrong."""
    text = str(verify({"dense": reference.dense}, keyword="dense_is", examples=5))
    assert text.startswith("conventions: ")
    assert text.splitlines()[-1].startswith("mapping: holds (1 held")


@pytest.mark.parametrize("missing", [None, "jinja2"])
def test_report_is_short_in_a_notebook(monkeypatch, missing):
    """First it is what is printed; the whole is folded, a piece of a page or, without the extra, text."""
    report = verify({"relu": abs}, keyword="relu_is", examples=5, name="<b>mine")
    if missing:
        monkeypatch.setitem(sys.modules, missing, None)
        monkeypatch.delitem(sys.modules, "properties.harness.report.page", raising=False)
    shown = report._repr_html_()
    brief, _, whole = shown.partition("<details>")
    assert brief.strip() == f"<pre>{html.escape(str(report))}</pre>"
    assert whole.startswith("<summary>The whole report</summary>")
    assert whole.endswith("</details>")
    assert ("<pre>what is wrong" if missing else "<h1>&lt;b&gt;mine: ") in whole
    assert "<b>" not in shown
    assert "<html" not in shown


WRONG = {
    "examples": ("a", TypeError, "examples: a whole number from 1 up is wanted, not 'a'"),
    "no examples": (0, ValueError, "examples: a whole number from 1 up is wanted, not 0"),
    "seed": ("random", TypeError, "seed: a whole number from 0 up is wanted, not 'random'"),
    "seed below 0": (-1, ValueError, "seed: a whole number from 0 up is wanted, not -1"),
    "seed of truth": (True, TypeError, "seed: a whole number from 0 up is wanted, not True"),
    "keyword": (None, TypeError, "keyword: an expression of words, as pytest's -k takes it, is wanted, not None"),
    "known": (["a"], TypeError, "known: the path of a list of known deviations is wanted, not ['a']"),
    "timeout": ("5", TypeError, "timeout: a number of seconds from 0.1 to 1e+08 is wanted, not '5'"),
    "no timeout": (float("nan"), ValueError, "timeout: a number of seconds from 0.1 to 1e+08 is wanted, not nan"),
    "name": (3, TypeError, "name: a name for the report to use is wanted, not 3"),
}


@pytest.mark.parametrize(
    ("case", "value", "kind", "line"), [(case, *wanted) for case, wanted in WRONG.items()], ids=WRONG
)
def test_wrong_argument_is_one_line(case, value, kind, line):
    """What is of the wrong kind, or out of range, is told by its name, its value and what is wanted."""
    name = next(word for word in case.split() if word in ("examples", "seed", "keyword", "known", "timeout", "name"))
    with pytest.raises(kind) as caught:
        properties.verify({"relu": abs}, **{name: value})
    assert str(caught.value) == line


def test_arguments_may_be_numpys_or_a_path(tmp_path):
    """Numbers of NumPy's are numbers, and a path may be one of pathlib's; the report is JSON all the same."""
    (tmp_path / "known.txt").write_text("activations.relu_is_the_positive_part  it is abs\n", encoding="utf-8")
    asked = {"examples": np.int64(5), "seed": np.uint8(3), "timeout": np.float32(60), "known": tmp_path / "known.txt"}
    report = verify({"relu": abs}, keyword="relu_is", **asked)
    assert report.holds
    assert json.loads(report.as_json())["seed"] == 3


def test_what_a_target_raised_says_where():
    """A failure has the target's own frames, the newest last, with their code."""

    def inner(x):
        raise ValueError("no")

    def relu(x):
        return inner(x)

    (failure,) = verify({"relu": relu}, keyword="relu_is", examples=5).failures
    assert [(one["file"], one["code"]) for one in failure.frames] == [
        (__file__, "return inner(x)"),
        (__file__, 'raise ValueError("no")'),
    ]
    assert failure.frames[1]["function"].endswith("inner")
    assert failure.frames[1]["line"] == inner.__code__.co_firstlineno + 1


def test_what_is_public_is_listed():
    """`help` and `dir` show all that is offered, though it is imported only when it is asked for."""
    told = pydoc.render_doc(properties, renderer=pydoc.plaintext)
    for name in properties.__all__:
        assert re.search(rf"\b{name}\b", told.partition("PACKAGE CONTENTS")[0]), name
        assert name in dir(properties)
    assert "class Report(" in told
    assert re.search(r"^    verify\(target: ", told, re.MULTILINE)
    assert {name for name in dir(properties) if not name.startswith("_")} == set(properties.__all__)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (reference, "reference"),
        ("reference", "reference"),
        (SimpleNamespace(dense=reference.dense), "SimpleNamespace"),
        ({"dense": reference.dense, "__name__": "x", 3: 4}, "mapping"),
    ],
    ids=["module", "name", "object", "mapping"],
)
def test_targets_of_every_kind(target, name):
    """A module, a name, an object with attributes and a mapping are targets, called by what they are."""
    report = verify(target, keyword="dense_is", examples=5)
    assert (report.holds, report.data["target"]) == (True, name)


def test_functions_that_are_redefined_are_seen():
    """A second call in the same process checks what the names mean then."""
    module = SimpleNamespace(relu=lambda x: np.abs(x))
    assert not verify(module, keyword="relu_is", examples=5).holds
    module.relu = lambda x: np.maximum(x, 0)
    assert verify(module, keyword="relu_is", examples=5).holds


def test_file_that_is_changed_is_read_again(tmp_path):
    """A path is loaded anew at each call."""
    (tmp_path / "mine.py").write_text("def relu(x): return abs(x)\n", encoding="utf-8")
    assert not verify("mine.py", keyword="relu_is", examples=5).holds
    (tmp_path / "mine.py").write_text("def relu(x): return x * (x > 0)\n", encoding="utf-8")
    assert verify("mine.py", keyword="relu_is", examples=5).holds


def test_what_cannot_be_checked_raises():
    """Nothing offered, nothing that applies, a wrong expression and a list that does not fit are told by exceptions."""
    with pytest.raises(properties.CannotLoad, match="none of the operations"):
        properties.verify({"other": abs})
    with pytest.raises(properties.CannotLoad, match="nothing to check"):
        properties.verify({"relu": abs}, keyword="dense")
    with pytest.raises(ValueError, match="Wrong expression"):
        properties.verify({"relu": abs}, keyword="a and")
    with pytest.raises(ValueError, match="cannot be read"):
        properties.verify({"relu": abs}, known="nowhere.txt")


def test_target_has_a_time_limit_here_too():
    """A call that does not come back is stopped, and told, in the user's own process."""

    def relu(x):
        while True:
            pass

    (failure,) = verify({"relu": relu}, keyword="relu_is", examples=5, timeout=2).failures
    assert (failure.outcome, "come back" in failure.message) == ("crashed", True)
