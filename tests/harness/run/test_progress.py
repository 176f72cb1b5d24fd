"""What is heard of a session, and the progress shown of it."""

from properties.harness.checking.trial import Record
from properties.harness.report.results import finished
from properties.harness.run.progress import Hearing
from tests.harness.report.test_page import failure

TIES = "pooling.py::test_gradient_at_ties_is_a_subgradient"
RELU = "activations.py::test_relu_is_the_positive_part"


def test_progress_names_the_property_under_way():
    """With how many failed so far, if any did."""
    hearing = Hearing()
    hearing.hear("selected", [TIES, RELU])
    hearing.hear("started", TIES)
    assert hearing.bar.postfix == "pooling.gradient_at_ties_is_a_subgradient"
    hearing.hear("result", TIES, failure())
    hearing.hear("started", RELU)
    assert hearing.bar.postfix == "1 failing: activations.relu_is_the_positive_part"
    hearing.hear("result", RELU, finished(Record(1), None, 0.1))
    assert list(hearing.outcomes.results) == [TIES, RELU]
    hearing.bar.close()
