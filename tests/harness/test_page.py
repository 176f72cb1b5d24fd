"""The page has what a reader of it alone needs, in an order that leads to it."""

import itertools
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from properties.harness.page import fragment, render
from properties.harness.report import Asked, Outcomes, found, make_report
from properties.harness.results import finished
from properties.harness.target import Crashed, Refuted, Target
from properties.harness.trial import Conventions, Record

TIES = "pooling.py::test_gradient_at_ties_is_a_subgradient"
EULER = "pooling.py::test_gradient_obeys_eulers_identity"
RELU = "activations.py::test_relu_is_the_positive_part"
STEP = "training.py::test_train_step_agrees_with_gradients"
MEND = "mask repeat: It is whole on each: `g = 1`. Why: a mask is easy. Mend: share it out. Seen: Theano#5404."


def failure(message="in 1 of 1 window the gradient sums to 2", **changed):
    """A refuted property of pooling."""
    yours = np.array([[1.0, 1.0]])
    error = Refuted(message, yours=yours, expected="weights of sum 1", wrong=yours == 1)
    error.case = {"x": np.zeros((1, 2)), "window": (1, 2), "upstream": np.ones((1, 1))}
    error.diagnosis = (MEND,)
    for name, value in changed.items():
        setattr(error, name, value)
    result = finished(Record(3, 0, 4, 0.5, error), error, 0.25, ("max_pool_gradient",))
    return {**result, "script": "print('again')\n"}


def report_of(**results):
    """The report of a run with these results, by the names of properties above."""
    nodes = {globals()[name]: result for name, result in results.items()}
    about = found(Target("mine", {}), Conventions("convolution", "all", 0.0))
    return make_report(Asked("mine.py", 100, 0), about, Outcomes(list(nodes), nodes), 1.5)


class Outline(HTMLParser):
    """The headings of a page, and what is wrong with its elements."""

    VOID = ("meta", "br", "link")

    def __init__(self, page):
        super().__init__()
        self.headings, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        if re.fullmatch(r"h\d", tag):
            self.headings.append([int(tag[1]), ""])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if any(re.fullmatch(r"h\d", tag) for tag in self.open):
            self.headings[-1][1] += data


HELD = finished(Record(100, 0, 400, 0.25), None, 0.1)


def test_verdict_comes_first_then_certificate_conventions_operations_and_failures():
    """The headings are in the issue's order, and every element is closed."""
    outline = Outline(render(report_of(TIES=failure(), RELU=HELD)))
    assert not outline.open
    titles = ", ".join(text for level, text in outline.headings if level <= 2)
    wanted = "Certificate, Conventions, Operations, What is wrong, What was tried, All properties"
    assert titles == f"mine.py: refuted, {wanted}"
    levels = [level for level, _ in outline.headings]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_failure_says_what_where_why_and_how_to_mend():
    """A failure has its formula, statement, source, message, and a diagnosis in its parts."""
    page = render(report_of(TIES=failure()))
    for part in (
        "max_pool_gradient is refuted",
        "<mi>upstream</mi>",
        "At ties each upstream value is shared out",
        "Source: Boustany, TMLR 2024",
        "<dt>Where</dt><dd>in 1 of 1 window the gradient sums to 2</dd>",
        "<dt>What</dt><dd>mask repeat: It is whole on each: <math><mi>g</mi></math>",
        "<dt>Why</dt><dd>a mask is easy.</dd>",
        "<dt>Mend</dt><dd>share it out.</dd>",
        "<dt>Seen</dt><dd>Theano#5404.</dd>",
        "print(&#39;again&#39;)",
        "python -m backproof mine.py -k pooling.gradient_at_ties_is_a_subgradient",
    ):
        assert part in page, part


def test_failure_says_where_the_operation_is_defined():
    """The file and the line stand below the heading, if they are known."""
    report = report_of(TIES=failure())
    assert "Defined in" not in render(report)
    report["definitions"] = {"max_pool_gradient": {"file": "my <network>.py", "line": 12}}
    assert "Defined in my &lt;network&gt;.py, line 12." in render(report)


def test_pictures_are_described():
    """Each panel's picture says its numbers and its marks to who cannot see it."""
    page = render(report_of(TIES=failure()))
    assert 'aria-label="x, 1 by 2: 0, 0. Maxima: (0, 0), (0, 1). Tied: (0, 0), (0, 1)"' in page
    assert 'aria-label="yours, 1 by 2: 1, 1. Wrong: (0, 0), (0, 1)"' in page


def test_failures_of_an_operation_stand_together():
    """The first failure of an operation is shown at once, further ones are folded below it."""
    page = render(report_of(TIES=failure(), EULER=failure(), RELU=failure()))
    assert page.count('<article id="') == 2
    article = page[page.index('<article id="max_pool_gradient"') :]
    assert "1 more property shows it" in article
    assert article.index("gradient_at_ties") < article.index("1 more property") < article.index("obeys_eulers_identity")


def test_consequences_are_named_with_their_cause():
    """What follows from another operation's failure is told with it, without a section of its own."""
    page = render(report_of(TIES=failure(), STEP=failure(follows_from=("max_pool_gradient",))))
    assert '<article id="train_step"' not in page
    assert "It follows from max_pool_gradient" in page


def test_crash_is_shown_with_its_arguments():
    """A crash has its message and the arguments that it crashed on."""
    error = Crashed("max_pool_gradient", ValueError("shapes"))
    error.case = {"x": np.ones((2, 2)), "window": (2, 2), "upstream": np.ones((1, 1))}
    page = render(report_of(TIES=finished(Record(), error, 0.1, ("max_pool_gradient",))))
    assert "max_pool_gradient is crashed" in page
    assert "max_pool_gradient raised ValueError: shapes" in page
    assert 'aria-label="x, 2 by 2: 1, 1; 1, 1.' in page


def test_passing_report_has_no_failures_but_what_was_tried():
    """Without a failure there is no section of them."""
    page = render(report_of(RELU=HELD))
    assert "What is wrong" not in page
    assert "mine.py: <span" in page
    assert "What was tried" in page


@pytest.mark.parametrize("values", [np.array([[np.nan, np.inf]]), np.zeros((0, 2)), np.full((1, 1), 1e308)])
def test_odd_answers_are_drawn(values):
    """Answers that are not finite, empty or huge leave the page whole."""
    error = Refuted("odd", yours=values, expected=np.zeros((1, 2)), wrong=None)
    error.case = {"x": np.zeros((1, 2))}
    assert not Outline(render(report_of(RELU=finished(Record(), error, 0.1, ("relu",))))).open


def test_fragment_has_no_script():
    """What is shown inside another page runs nothing there, and is no page itself."""
    assert not re.search(r"<script|<html|<title|<button", fragment(report_of(TIES=failure())))


def test_same_page_every_time():
    """The same report gives the same page."""
    assert render(report_of(TIES=failure())) == render(report_of(TIES=failure()))
