"""`backproof.verify` checks a target in this process, and its report can be asked, printed and shown."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

import properties
import reference

TIES = "pooling.gradient_at_ties_is_a_subgradient"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Failures are kept in a folder of the test."""
    monkeypatch.chdir(tmp_path)


def refuted():
    """The report on the tie error, by two properties."""
    offered = {"max_pool_gradient": reference.mask_repeat, "max_pool": reference.max_pool}
    return properties.verify(offered, keyword="ties_is or unique", examples=20, name="mine")


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
    properties.verify(reference, keyword="dense_is", examples=5).raise_if_refuted()


def test_report_prints_and_shows():
    """It prints as on a terminal of 80 columns without colours, and in a notebook it is a piece of a page, escaped."""
    report = properties.verify({"relu": abs}, keyword="relu_is", examples=5, name="<b>mine")
    text = str(report)
    assert text.startswith("operation")
    assert "REFUTED  relu  activations.relu_is_the_positive_part" in text
    assert "\x1b" not in text
    shown = report._repr_html_()
    assert "&lt;b&gt;mine" in shown
    assert "<b>" not in shown
    assert "<html" not in shown


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
    report = properties.verify(target, keyword="dense_is", examples=5)
    assert (report.holds, report.data["target"]) == (True, name)


def test_functions_that_are_redefined_are_seen():
    """A second call in the same process checks what the names mean then."""
    module = SimpleNamespace(relu=lambda x: np.abs(x))
    assert not properties.verify(module, keyword="relu_is", examples=5).holds
    module.relu = lambda x: np.maximum(x, 0)
    assert properties.verify(module, keyword="relu_is", examples=5).holds


def test_file_that_is_changed_is_read_again(tmp_path):
    """A path is loaded anew at each call."""
    (tmp_path / "mine.py").write_text("def relu(x): return abs(x)\n", encoding="utf-8")
    assert not properties.verify("mine.py", keyword="relu_is", examples=5).holds
    (tmp_path / "mine.py").write_text("def relu(x): return x * (x > 0)\n", encoding="utf-8")
    assert properties.verify("mine.py", keyword="relu_is", examples=5).holds


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

    (failure,) = properties.verify({"relu": relu}, keyword="relu_is", examples=5, timeout=2).failures
    assert (failure.outcome, "come back" in failure.message) == ("crashed", True)
