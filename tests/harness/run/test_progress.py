"""What is told of a session, and the progress shown of it."""

from math import inf

import pytest

from properties.harness.checking.trial import Record
from properties.harness.report.results import finished
from properties.harness.run.progress import Called, Done, Full, GivenUp, Progress, Selected, Started, as_bytes, as_event
from properties.harness.target.timeouts import Stuck
from tests.harness.report.test_page import failure

TIES = "pooling.py::test_gradient_at_ties_is_a_subgradient"
RELU = "activations.py::test_relu_is_the_positive_part"


def test_progress_names_the_property_under_way():
    """With how many failed so far, if any did."""
    progress = Progress()
    progress.hear(Selected([TIES, RELU]))
    progress.hear(Started(TIES))
    assert progress.bar.postfix == "pooling.gradient_at_ties_is_a_subgradient"
    progress.hear(Done(TIES, failure()))
    progress.hear(Started(RELU))
    assert progress.bar.postfix == "1 failing: activations.relu_is_the_positive_part"
    progress.hear(Done(RELU, finished(Record(1), None, 0.1)))
    assert list(progress.outcomes.results) == [TIES, RELU]
    progress.bar.close()


@pytest.mark.parametrize(
    "event",
    [
        Full(),
        Called("relu", {"x": inf, "path": "\udcff"}),
        GivenUp({"relu": Stuck("it ended the process", {"x": 1.0})}),
    ],
    ids=["nothing", "no UTF-8", "a tuple"],
)
def test_event_comes_as_it_was_told(event):
    """JSON brings it to another process with all its values."""
    assert as_event(as_bytes(event)) == event


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b'{"type": "Other"}', b'{"type": "Started", "nodeid": 1}'])
def test_what_a_target_writes_is_no_event(data):
    """Whatever else comes through the pipe ends the hearing."""
    with pytest.raises(ValueError, match=r"."):
        as_event(data)
