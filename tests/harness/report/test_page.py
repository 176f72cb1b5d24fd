"""The page has what a reader of it alone needs, in an order that leads to it."""

import itertools
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from properties.harness.checking.properties import all_properties
from properties.harness.checking.trial import Record
from properties.harness.core.reason import Reason
from properties.harness.core.setting import Conventions
from properties.harness.report.data import Definition
from properties.harness.report.page import MOST_AT_A_GLANCE, breakable, fragment, render
from properties.harness.report.report import Outcomes, Request, found, make_report
from properties.harness.report.results import finished
from properties.harness.target.operation import Crashed, Refuted
from properties.harness.target.target import Target
from tests.reports import valid

TIES = "pooling.py::test_gradient_at_ties_is_a_subgradient"
EULER = "pooling.py::test_gradient_obeys_eulers_identity"
RELU = "activations.py::test_relu_is_the_positive_part"
STEP = "training.py::test_train_step_agrees_with_gradients"
MEND = Reason("It is whole on each: `g = 1`.", "mask repeat", "a mask is easy", "share it out", "Theano#5404")


def failure(message="in 1 of 1 window the gradient sums to 2", **changed):
    """A refuted property of pooling."""
    yours = np.array([[1.0, 1.0]])
    error = Refuted(message, yours=yours, expected="weights of sum 1", wrong=yours == 1)
    error.case = {"x": np.zeros((1, 2)), "window": (1, 2), "upstream": np.ones((1, 1))}
    error.diagnosis = (MEND,)
    for name, value in changed.items():
        setattr(error, name, value)
    result = finished(Record(3, 0, 4, 0.5, error), error, 0.25, ("max_pool_gradient",))
    result.script = "print('again')\n"
    return result


def report_of(**results):
    """The report of a run with these results, by the names of properties above."""
    return report_on({globals()[name]: result for name, result in results.items()})


def report_on(nodes):
    """The report of a run with these results, by the properties' nodes."""
    about = found(Target("mine", {}), Conventions("convolution", "all", 0.0))
    return valid(make_report(Request("mine.py", 100, 0), about, Outcomes(list(nodes), nodes), 1.5))


class Outline(HTMLParser):
    """The headings of a page, and what is wrong with its elements."""

    VOID = ("meta", "br", "link", "wbr", "input")

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


def test_what_is_wrong_comes_first_then_what_follows_from_it_and_the_certificate():
    """The headings lead from the verdict to what needs mending, then to what holds; every element is closed."""
    follows = failure(follows_from=("max_pool_gradient",))
    outline = Outline(render(report_of(TIES=failure(), RELU=HELD, STEP=follows)))
    assert not outline.open
    titles = ", ".join(text for level, text in outline.headings if level <= 2)
    first = "What is wrong, What follows from it, Certificate"
    assert titles == f"mine.py: refuted, {first}, Conventions, Operations, What was tried, All properties"
    levels = [level for level, _ in outline.headings]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_failure_says_what_where_why_and_how_to_mend():
    """A failure has its formula, statement, source, message, and a diagnosis in its parts."""
    page = render(report_of(TIES=failure())).replace("<wbr>", "")
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


def test_failure_shows_the_targets_own_lines_beside_the_right_formula():
    """The file and the line stand there if they are known, the lines below them, escaped and without indentation."""
    report = report_of(TIES=failure())
    assert "Yours, defined" not in render(report)
    place = Definition("my_<network>.py", 12, [])
    report.definitions = {"max_pool_gradient": place}
    assert "Yours, defined in my_<wbr>&lt;network&gt;.<wbr>py, line 12.</p>" in render(report)
    place.lines = ["    def f(x):", "        return x <b>"]
    page = render(report)
    assert "line 12:</p>\n<pre>def f(x):\n    return x &lt;b&gt;</pre>" in page
    assert page.index("What is right") < page.index("return x") < page.index("At ties each upstream value")


def test_code_is_shown_as_a_difference():
    """The two lines stand below each other with what differs marked, and escaped; the right code beside the formula."""
    reason = Reason("`<=` stands for `<`", right="if a < b:", wrong="if a <= b:", kind="edit")
    page = render(report_of(TIES=failure(diagnosis=(reason,))))
    assert '<pre class="held">if a &lt; b:</pre>' in page
    assert '<pre class="refuted">if a &lt;<mark>=</mark> b:</pre>' in page
    assert "def max_pool_gradient(x, window, upstream):" in page


def test_page_says_when_it_was_made_and_by_what():
    """The date is in universal time, and the versions are all there, at the top."""
    report = report_of(RELU=HELD)
    report.date = "2026-11-27T10:12:13+00:00"
    report.versions = {"python": "3.11.7", "numpy": "2.4.6"}
    top, _ = render(report).split("<h2>", 1)
    assert '<time datetime="2026-11-27T10:12:13+00:00">2026-11-27 at 10:12 UTC</time>' in top
    assert "with seed 0 by python 3.11.7, numpy 2.4.6." in top


def test_names_may_break_at_dots_underscores_and_slashes():
    """A long name has places to break, after which nothing is added to what is read or copied; it is escaped."""
    assert breakable("a/b_c.d_") == "a/<wbr>b_<wbr>c.<wbr>d_"
    assert breakable("<_>\u202e") == "&lt;_<wbr>&gt;\\u202e"


def test_scripts_and_numbers_are_closed():
    """Nothing that is long is unfolded before a reader asks for it, and no sentence comes twice."""
    page = render(report_of(TIES=failure()))
    assert not re.search("<details[^>]* open", page)
    assert "because" not in page


def refuted_times(count):
    """The report of a run in which so many properties fail."""
    return report_on(dict.fromkeys(list(all_properties())[:count], failure()))


def test_only_many_failures_are_searched():
    """More than a few have a search, whose choices are the operations and outcomes that there are; few have none."""
    assert "<form" not in render(refuted_times(MOST_AT_A_GLANCE))
    page = render(refuted_times(MOST_AT_A_GLANCE + 1))
    assert page.count("<form") == 1
    assert '<select name="outcome"><option value="">all</option>\n<option>refuted</option>\n</select>' in page
    assert "<option>relu</option>" in page
    assert "<option>max_pool</option>" not in page


def test_pictures_are_described():
    """Each panel's picture says its numbers and its marks to who cannot see it."""
    page = render(report_of(TIES=failure()))
    assert 'aria-label="x, 1 by 2: 0, 0. Maxima: (0, 0), (0, 1). Tied: (0, 0), (0, 1)"' in page
    assert 'aria-label="yours, 1 by 2: 1, 1. Wrong: (0, 0), (0, 1)"' in page


def test_failures_of_an_operation_stand_together():
    """The first failure of an operation is shown at once, further ones are folded below it."""
    page = render(report_of(TIES=failure(), EULER=failure(), RELU=failure()))
    assert page.count("<article ") == 2
    article = page[page.index(' id="max_pool_gradient"') :].replace("<wbr>", "")
    assert "1 more property shows it" in article
    assert article.index("gradient_at_ties") < article.index("1 more property") < article.index("obeys_eulers_identity")


def test_consequences_are_named_with_their_cause():
    """What follows from another operation's failure is told with it, without a section of its own."""
    page = render(report_of(TIES=failure(), STEP=failure(follows_from=("max_pool_gradient",))))
    assert 'id="train_step"' not in page
    assert "It follows from max_pool_gradient" in page


def test_crash_is_shown_with_its_arguments():
    """A crash has its message and the arguments that it crashed on."""
    error = Crashed("max_pool_gradient", ValueError("shapes"))
    error.case = {"x": np.ones((2, 2)), "window": (2, 2), "upstream": np.ones((1, 1))}
    page = render(report_of(TIES=finished(Record(), error, 0.1, ("max_pool_gradient",))))
    assert "gradient is crashed" in page
    assert "max_pool_gradient raised ValueError: shapes" in page
    assert 'aria-label="x, 2 by 2: 1, 1; 1, 1.' in page


def test_passing_report_has_no_failures_but_what_was_tried():
    """Without a failure there is no section of them."""
    page = render(report_of(RELU=HELD))
    assert "What is wrong" not in page
    assert "mine.<wbr>py: <span" in page
    assert "What was tried" in page


@pytest.mark.parametrize("values", [np.array([[np.nan, np.inf]]), np.zeros((0, 2)), np.full((1, 1), 1e308)])
def test_odd_answers_are_drawn(values):
    """Answers that are not finite, empty or huge leave the page whole."""
    error = Refuted("odd", yours=values, expected=np.zeros((1, 2)), wrong=None)
    error.case = {"x": np.zeros((1, 2))}
    assert not Outline(render(report_of(RELU=finished(Record(), error, 0.1, ("relu",))))).open


def test_fragment_has_no_script():
    """What is shown inside another page runs nothing there, and is no page itself."""
    assert not re.search(r"<script|<html|<title|<button|<form", fragment(refuted_times(9)))


def test_same_page_every_time():
    """The same report gives the same page."""
    report = report_of(TIES=failure())
    assert render(report) == render(report)
