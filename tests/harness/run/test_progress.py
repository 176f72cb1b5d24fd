"""What is heard of a session, and the progress shown of it."""

from properties.harness.checking.trial import Record

from properties.harness.report.results import finished
from properties.harness.run.progress import Done, Progress, Selected, Started
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
