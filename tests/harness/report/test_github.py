"""In GitHub Actions failures are annotated where they stand, and the report is the job's summary."""

import html.parser
import json
import subprocess
import sys

import cmarkgfm
import pytest
from msgspec import convert, to_builtins
from msgspec.structs import replace

import properties
from properties.harness.checking.trial import Record
from properties.harness.core.reason import Reason
from properties.harness.core.setting import Conventions
from properties.harness.report import github
from properties.harness.report.data import Definition, Report
from properties.harness.report.github import as_markdown
from properties.harness.report.report import found
from properties.harness.report.results import finished
from properties.harness.target.operation import Crashed, Operation
from properties.harness.target.target import CannotLoad, Target
from tests.harness.report.test_report import CRASH, HELD, HOSTILE, RELU, TIES, refuted, report_of

STEP = "network.py::test_gradients_at_kinks_are_conservative"
FEW = ["--examples", "20", "-k", "pooling"]
MINE = "import reference\nmax_pool = reference.max_pool\n\n\ndef max_pool_gradient(x, window, upstream):\n{body}"
TIE_ERROR = MINE.format(body="    return reference.mask_repeat(x, window, upstream)\n")
INLINE = "- `x` *b* _i_ ~~s~~ | c | <b>&amp;</b> <img src=x> [a](b) https://a.b www.a.b a@b.c ```"
EVERYTHING = f"# h\n{INLINE}\n```\n</details><b>\n\n\n     code\n\n\x1b\t1. $x$"


def plain(x):
    return x


PLAIN = {"file": "tests/harness/report/test_github.py", "line": plain.__code__.co_firstlineno}


@pytest.fixture
def in_actions(monkeypatch, tmp_path):
    """A step in GitHub Actions, in a repository of its own: the file of its job summary."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    return tmp_path / "summary.md"


def run(*arguments, folder):
    """The command's exit status, lines and errors."""
    command = [sys.executable, "-m", "backproof", *arguments]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
    return process.returncode, process.stdout.splitlines(), process.stderr


def read(line):
    """An annotation as the runner reads it: its properties and its message."""
    named, _, message = line.removeprefix("::error ").partition("::")
    pairs = dict(pair.split("=", 1) for pair in named.split(","))
    return {name: unescaped(value) for name, value in {**pairs, "message": message}.items()}


def unescaped(text):
    for mark in ":,\r\n%":
        text = text.replace(f"%{ord(mark):02X}", mark)
    return text


class Page(html.parser.HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, markdown):
        super().__init__()
        self.elements, self.text, self.attributes = [], "", set()
        self.feed(cmarkgfm.github_flavored_markdown_to_html(markdown, cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE))

    def handle_starttag(self, tag, attrs):
        """Keep it."""
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        """Keep it."""
        self.text += data


OURS = {"h2", "h3", "p", "ul", "li", "strong", "code", "pre", "details", "summary"} | {
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}


def reported(results, target="my network.py", **functions):
    """The report of a run with these results, and the definitions of these functions."""
    offered = Target(target, {name: Operation(name, function) for name, function in functions.items()})
    return replace(report_of(results), target=target, definitions=found(offered, Conventions()).definitions)


def test_annotation_names_place_and_properties():
    """A failing operation is annotated where it is defined, with the property that it fails and why."""
    (line,) = github.annotations(reported({TIES: refuted(), RELU: HELD}, max_pool_gradient=plain))
    assert read(line) == {
        "file": PLAIN["file"],
        "line": str(PLAIN["line"]),
        "title": "backproof: max_pool_gradient",
        "message": "refuted: pooling.gradient_at_ties_is_a_subgradient: "
        r"in 1 of 1 window <script>alert(1)</script>\x1b[31m[bold]",
    }


def test_annotation_is_one_line_whatever_is_in_it(monkeypatch, tmp_path):
    """A file's name and a message come through with what means something to GitHub in them."""
    name, words = "a,b:c%25\n::error ::.py", "50 % of %0A, a: b\r\n::error file=x::y"
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("", encoding="utf-8")
    crash = finished(Record(1, 0, 0), Crashed("relu", ValueError(words)), 0.1)
    (line,) = github.annotations(reported({RELU: crash}, target=f"{name}:Net"))
    assert len(line.splitlines()) == 1
    assert read(line)["file"] == name
    assert read(line)["message"].endswith(r"relu raised ValueError: 50 % of %0A, a: b\r\n::error file=x::y")


def test_notebook_is_annotated_and_not_its_cell(monkeypatch, tmp_path):
    """A line of a cell is no line of the notebook's file, which alone GitHub knows."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.ipynb").write_text("{}", encoding="utf-8")
    report = reported({TIES: refuted()}, target="net.ipynb")
    report.definitions = {"max_pool_gradient": Definition("net.ipynb, code cell 1", 2, [])}
    (line,) = github.annotations(report)
    assert (read(line)["file"], "line" in read(line)) == ("net.ipynb", False)


def test_consequences_are_not_annotated():
    """What follows from another operation is not annotated beside it."""
    follows = replace(refuted("gradients"), follows_from=["max_pool_gradient"])
    lines = github.annotations(reported({TIES: refuted(), STEP: follows}))
    assert [read(line)["title"] for line in lines] == ["backproof: max_pool_gradient"]
    assert len(github.annotations(reported({STEP: follows}))) == 1


def test_at_most_ten_annotations():
    """GitHub shows ten; the tenth says which operations are left."""
    report = reported({TIES: refuted()})
    (entry,) = report.properties
    report.properties = [replace(entry, operation=f"layer{number}") for number in range(12)]
    lines = [read(line) for line in github.annotations(report)]
    assert len(lines) == 10
    assert lines[8]["title"] == "backproof: layer8"
    assert lines[9]["message"] == "and 3 more operations: layer9, layer10, layer11"
    report.properties = report.properties[:10]
    assert read(github.annotations(report)[9])["title"] == "backproof: layer9"


def test_messages_of_any_length_are_cut():
    """A message of a megabyte does not become an annotation of a megabyte."""
    crash = finished(Record(1, 0, 0), Crashed("relu", ValueError("x" * 10**6)), 0.1)
    assert len(github.annotations(reported({RELU: crash}))[0]) < 2000


@pytest.mark.slow
def test_command_in_actions(in_actions, tmp_path):
    """Annotations first, then the report, in which no line is a command, then its summary; the job's gets longer."""
    (tmp_path / "mine.py").write_text(TIE_ERROR, encoding="utf-8")
    in_actions.write_text("before", encoding="utf-8")
    status, lines, errors = run("mine.py", *FEW, "--json", "report.json", folder=tmp_path)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert (status, errors) == (1, "")
    assert (read(lines[0])["file"], read(lines[0])["line"]) == ("mine.py", "5")
    token = lines[1].removeprefix("::stop-commands::")
    assert len(token) == 32
    assert lines[-2] == f"::{token}::"
    assert lines[-1].startswith(report["summary"].removesuffix(")"))
    assert sum(line.startswith("::") for line in lines) == 3
    summary = in_actions.read_text(encoding="utf-8")
    assert summary.startswith("before\n## backproof: refuted\n")
    assert report["summary"] in Page(summary).text


FAR = "import sys\nsys.path.insert(0, {folder!r})\nfrom far import relu\n"


@pytest.mark.parametrize("text", ["from numpy import abs as relu\n", FAR], ids=["in C", "outside"])
def test_file_is_annotated_where_no_line_is_known(in_actions, tmp_path, tmp_path_factory, text):
    """What a target has from outside of the repository is annotated on the target's own file, of a module on none."""
    far = tmp_path_factory.mktemp("far")
    (far / "far.py").write_text("def relu(x):\n    return abs(x)\n", encoding="utf-8")
    (tmp_path / "mine.py").write_text(text.format(folder=str(far)), encoding="utf-8")
    few = ["--examples", "5", "-k", "relu_parts"]
    _, lines, _ = run("mine.py", *few, folder=tmp_path)
    assert (read(lines[0])["file"], "line" in read(lines[0])) == ("mine.py", False)
    _, lines, _ = run("mine", *few, folder=tmp_path)
    assert read(lines[0]).get("file", str(far / "far.py")) == str(far / "far.py")


@pytest.mark.slow
@pytest.mark.parametrize("value", ["True", "1", "", None])
def test_nothing_is_different_elsewhere(in_actions, tmp_path, monkeypatch, value):
    """Without GITHUB_ACTIONS set to "true" nothing is annotated and no summary written."""
    monkeypatch.delenv("GITHUB_ACTIONS")
    if value is not None:
        monkeypatch.setenv("GITHUB_ACTIONS", value)
    (tmp_path / "mine.py").write_text("from numpy import abs as relu\n", encoding="utf-8")
    status, lines, _ = run("mine.py", "--examples", "5", "-k", "relu", folder=tmp_path)
    assert status == 1
    assert "::" not in "".join(lines)
    assert not in_actions.exists()


def test_unusable_target_is_annotated(in_actions, tmp_path):
    """What cannot be loaded is an annotation too, beside its line on standard error."""
    (tmp_path / "mine.py").write_text("1 +\n", encoding="utf-8")
    status, lines, errors = run("mine.py", folder=tmp_path)
    assert (status, len(lines)) == (2, 1)
    assert f"backproof: {read(lines[0])['message']}\n" == errors
    assert (read(lines[0])["file"], read(lines[0])["title"]) == ("mine.py", "backproof: nothing could be checked")


def test_summary_that_cannot_be_written_costs_nothing(in_actions, tmp_path, monkeypatch):
    """One line says so; the exit status is the verdict's."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    (tmp_path / "mine.py").write_text("import numpy\n\n\ndef relu(x):\n    return x * (x > 0)\n", encoding="utf-8")
    status, _, errors = run("mine.py", "--examples", "5", "-k", "relu", folder=tmp_path)
    assert (status, errors) == (0, f"backproof: cannot write the job summary to {tmp_path}: Is a directory\n")


def test_verify_annotates_nothing(in_actions, capsys):
    """In Python the report has the definitions, and nothing is printed or written."""
    report = properties.verify({"relu": abs, "arctan": plain}, examples=5, keyword="positive_part or inverse_tangent")
    (named,) = report.data["definitions"].items()
    assert named == ("arctan", {**PLAIN, "file": __file__, "lines": ["def plain(x):", "    return x"]})
    assert capsys.readouterr().out == ""
    assert not in_actions.exists()
    with pytest.raises(CannotLoad):
        properties.verify({})


def hostile_report():
    """A report in which every word that may be a stranger's is as nasty as can be."""
    result = replace(
        refuted(),
        message=EVERYTHING,
        reasons=[Reason(HOSTILE), Reason(EVERYTHING)],
        script=f"'''\n{EVERYTHING}\n'''",
        yours=EVERYTHING,
        counterexample={EVERYTHING: "````"},
    )
    report = report_of({TIES: result, RELU: replace(HELD, outcome="known", message=EVERYTHING), STEP: CRASH})
    report.warnings, report.near_misses = {EVERYTHING.replace("\n", " "): 2}, {EVERYTHING: "relu"}
    report.summary = f"{EVERYTHING}: refuted"
    return report


def test_nothing_of_a_stranger_is_markdown():
    """GitHub's own renderer makes of hostile words the elements that it makes of harmless ones, and shows the words."""
    page = Page(as_markdown(hostile_report(), 10**6))
    text = json.dumps(to_builtins(hostile_report()))
    for nasty in (EVERYTHING, EVERYTHING.replace("\n", " "), HOSTILE, "````"):
        text = text.replace(json.dumps(nasty)[1:-1], "word")
    assert page.elements == Page(as_markdown(convert(json.loads(text), Report), 10**6)).elements
    assert set(page.elements) <= OURS
    assert page.attributes <= {"align", "lang", "class"}
    assert page.text.count(INLINE) >= 8
    assert all(letter.isprintable() or letter == "\n" for letter in page.text)


def test_markdown_is_made_of_what_it_should_be():
    """There are a table with a row per operation, the failure's parts, the consequences, and two folded parts."""
    follows = replace(refuted("gradients"), follows_from=["max_pool_gradient"])
    result = replace(refuted(), script="print()\n")
    report = report_of({TIES: result, RELU: HELD, STEP: follows, "dense.py::test_dense_is_the_weighted_sum": None})
    report.lacking = []
    page = Page(as_markdown(report, 10**6))
    assert page.elements.count("table") == 1
    assert page.elements.count("tr") == 5
    assert page.elements.count("details") == 2
    assert page.elements.count("h3") == 1
    assert page.elements.count("pre") == 4
    for words in (
        report.summary,
        "conventions: cross-correlation; pooling ties: all (wrong)",
        "At ties each upstream value",
        "x            [[0., 0.]]\nwindow       (1, 2)\n",
        "python -m backproof 'my network.py' -k pooling.gradient_at_ties_is_a_subgradient",
        "These follow from max_pool_gradient",
        "not proved: larger shapes",
    ):
        assert words in page.text


def test_summary_stays_below_the_limit(in_actions):
    """What a step has room for is not exceeded, also after others: the last failures go first, and this is said."""
    report = report_of({TIES: replace(refuted(), script=("é" * 999 + "\n") * 100)})
    (entry,) = report.properties
    report.properties = [entry] * 10
    assert github.write_summary(report) is None
    text = in_actions.read_text(encoding="utf-8")
    assert 800_000 < in_actions.stat().st_size <= 2**20
    assert "the last 5 of 10 failures" in Page(text).text
    assert github.write_summary(report) is None
    assert github.write_summary(report) is None
    assert in_actions.stat().st_size <= 2**20


@pytest.mark.parametrize("room", [0, 50, 200, 3000, 3500, 10_000])
def test_markdown_fits_its_room(room):
    """No room is ever exceeded, by a byte; the verdict comes first."""
    text = as_markdown(hostile_report(), room)
    assert len(text.encode(errors="backslashreplace")) <= room
    assert text == "" or text.startswith("## backproof: refuted\n")
