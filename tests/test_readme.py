"""What the README and the pages of docs/ show is what happens."""

import html.parser
import json
import re
import shlex
from pathlib import PurePath

import cmarkgfm
import pytest
from numpy.testing import assert_allclose
from ruamel.yaml import YAML

from properties.__main__ import parser
from properties.harness.checking.properties import all_properties
from properties.layers import OPERATIONS
from reference.notebook.__main__ import parser as notebooks_parser
from tests.harness.run.test_suite import TWO_LINES
from tests.pages import FENCED, PAGES, README, ROOT, blocks, python, spans

TESTED = {  # the code blocks of each page: a test below runs them, or tests/test_gate.py the hook for pre-commit
    "README.md": ["sh", "sh", "text", "python", "text"],
    "docs/catches.md": [],
    "docs/gate.md": ["text", "yaml", "yaml"],
    "docs/machines.md": ["yaml"],
    "docs/notebook.md": ["text", "python"],
    "docs/targets.md": ["python", "python", "python", "python"],
    "docs/ties.md": ["python"],
}
each_page = pytest.mark.parametrize("page", PAGES)


def checked(*arguments, folder):
    """The status of the command, and what it prints, run in this folder."""
    process = python("-m", "backproof", *arguments, folder=folder)
    return process.returncode, process.stdout


class Links(html.parser.HTMLParser):
    """What a page links to or shows, and the anchors that GitHub gives its headings."""

    def __init__(self, markdown):
        super().__init__()
        self.targets, self.anchors, self.heading = [], set(), None
        self.feed(cmarkgfm.github_flavored_markdown_to_html(markdown))

    def handle_starttag(self, tag, attrs):
        """Keep a link's target; begin a heading."""
        self.targets += [value for name, value in attrs if name in ("href", "src")]
        self.heading = "" if re.fullmatch("h[1-6]", tag) else self.heading

    def handle_data(self, data):
        """Add to the heading."""
        self.heading = None if self.heading is None else self.heading + data

    def handle_endtag(self, tag):
        """Keep a heading as its anchor."""
        if re.fullmatch("h[1-6]", tag):
            self.anchors.add(re.sub(r"[^\w -]", "", self.heading.lower()).replace(" ", "-"))
            self.heading = None


@each_page
def test_links_lead_somewhere(page):
    """Every link to a file of the repository finds it, and its heading; every page can be reached from the README."""
    for target in Links(PAGES[page]).targets:
        address, _, anchor = target.partition("#")
        if not address.startswith("https://"):
            path = (ROOT / page).parent / address if address else ROOT / page
            assert path.is_file(), target
            assert not anchor or anchor in Links(path.read_text(encoding="utf-8")).anchors, target
    assert page == "README.md" or page in Links(README).targets


@each_page
def test_every_code_block_is_tested(page):
    """A page has the blocks that tests know, no more."""
    assert [language for language, _ in FENCED.findall(PAGES[page])] == TESTED[page]


@each_page
def test_what_is_named_exists(page):
    """Files, benchmarks, properties and options are called by the names that they have."""
    options = re.findall(r"--[a-z]+", parser().format_help() + notebooks_parser().format_help())
    for span in spans(page):
        if re.fullmatch(r"[a-z]+/[\w/]*(\.\w+)?", span):
            assert (ROOT / span).exists(), span
        if found := re.match(r"python -m (benchmarks\.\w+|pictures|pytest (\S+))", span):
            path = found[2] or f"{found[1].replace('.', '/')}"
            assert (ROOT / path).exists() or (ROOT / f"{path}.py").exists(), span
        elif not span.startswith("pip "):
            assert set(re.findall(r"--[a-z]+", span)) <= set(options), span
        if re.fullmatch(r"(activations|calls|convolution|dense|exact|network|pooling|training)\.\w+", span):
            assert span in {entry.id for entry in all_properties().values()}


def test_readme_can_be_read_in_a_sitting():
    """It has at most 200 lines."""
    assert len(README.splitlines()) <= 200


def test_commands_are_one_line_each():
    """Both commands set everything up by themselves; CI runs them in a fresh clone."""
    commands = blocks("sh")
    assert [command.count("\n") for command in commands] == [1, 1]
    assert all(command.startswith("python3 -m venv .venv && .venv/bin/pip install") for command in commands)
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert commands[0].strip().endswith("bin/python -m properties")
    assert commands[1].strip().endswith("bin/python -m pytest")
    assert "readme_command 'bin/python -m properties'" in ci
    assert "readme_command 'bin/python -m pytest'" in ci


def test_failing_output_is_real(tmp_path):
    """The failure shown is what the notebook's target prints, to the letter."""
    status, printed = checked("reference.notebook", "-k", "pooling.gradient_at_ties_is_a_subgradient", folder=tmp_path)
    assert status == 1
    assert blocks("text")[0] in printed


def test_own_target_is_refuted_as_told(tmp_path):
    """The ten lines of the example are a target: a correlation whose gradient is turned, refuted on a 1×2 image."""
    code = blocks("python")[0]
    assert len(code.splitlines()) <= 10
    (tmp_path / "my_network.py").write_text(code, encoding="utf-8")
    status, printed = checked("my_network.py", "-k", "rot90 or defining", folder=tmp_path)
    assert status == 1
    assert "cross-correlation" in printed
    assert "REFUTED  conv2d_kernel_gradient  convolution.kernel_gradient_is_the_rot90_form" in printed
    assert re.search(r"  image          \[\[[^,]*, [^,]*\]\]\n", printed)


@pytest.mark.slow
def test_known_example_is_a_gate(tmp_path):
    """With the known deviations of the example a network whose only error is the one at ties passes, and no other."""
    (tmp_path / "known.txt").write_text(blocks("text", "docs/gate.md")[0], encoding="utf-8")
    text = "from reference import *\nfrom reference import mask_repeat as max_pool_gradient\n"
    (tmp_path / "my_network.py").write_text(text, encoding="utf-8")
    asked = ["my_network.py", "--known", "known.txt", "-k", "pooling or maxima or weak"]
    assert checked(*asked, folder=tmp_path)[0] == 0
    (tmp_path / "my_network.py").write_text(text + "def max_pool(x, window): return -x\n", encoding="utf-8")
    assert checked(*asked, folder=tmp_path)[0] == 1


ACTION = YAML(typ="safe").load(ROOT / "action.yml")
WORKFLOW, MATRIX = (YAML(typ="safe").load(blocks("yaml", page)[0]) for page in ("docs/gate.md", "docs/machines.md"))
OURS = "OWNER/backproof@REVISION"


def inputs_of(job):
    """What a job hands to the action, which has inputs of these names, with GitHub's expressions as they stand."""
    (given,) = (step["with"] for step in job["steps"] if step["uses"] == OURS)
    required = {name for name, one in ACTION["inputs"].items() if one.get("required")}
    assert required <= given.keys() <= ACTION["inputs"].keys()
    return given


def test_workflow_fits_the_schema(tmp_path):
    """The workflow is ten lines, and one by the schema of GitHub's workflows, which refuses it with a key misspelt."""
    workflow = blocks("yaml", "docs/gate.md")[0]
    assert workflow.count("\n") == 10
    for text, status in ((workflow, 0), (workflow.replace("runs-on", "run-on"), 1)):
        (tmp_path / "gradients.yml").write_text(text, encoding="utf-8")
        check = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", "gradients.yml"]
        assert python(*check, folder=tmp_path).returncode == status


def test_parts_of_the_matrix_are_the_whole(tmp_path):
    """The jobs for many machines fit into the workflow; their matrix has every shard, and what they write is merged."""
    workflow = {**WORKFLOW, "jobs": {**WORKFLOW["jobs"], **MATRIX}}
    (tmp_path / "gradients.yml").write_text(json.dumps(workflow), encoding="utf-8")
    check = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", "gradients.yml"]
    assert python(*check, folder=tmp_path).returncode == 0
    part, whole = (inputs_of(MATRIX[name]) for name in ("part", "whole"))
    numbers = MATRIX["part"]["strategy"]["matrix"]["shard"]
    written = [[part[name].replace("${{ matrix.shard }}", str(n)) for name in ("options", "artifact")] for n in numbers]
    asked = [parser().parse_args([part["target"], *shlex.split(options)]) for options, _ in written]
    assert [one.shard for one in asked] == [(n, len(numbers)) for n in range(1, len(numbers) + 1)]
    assert len({artifact for _, artifact in written}) == len(numbers)
    assert all(PurePath(artifact, "report.json").match(whole["options"]) for _, artifact in written)
    assert whole["target"] == "merge"
    assert MATRIX["whole"]["if"] == "always()"
    (downloaded,) = (step["with"] for step in MATRIX["whole"]["steps"] if step["uses"] != OURS)
    assert downloaded == {"pattern": PurePath(whole["options"]).parts[0]}


def test_workflow_is_a_gate_by_day_and_explores_by_night():
    """On each push the same examples, and more of them with another seed at night, of the same target."""
    assert {"push", "pull_request", "schedule"} == WORKFLOW["on"].keys()
    given = inputs_of(WORKFLOW["jobs"]["gate"])
    (night,) = re.findall(r"^\$\{\{ github.event.schedule && '(.*)' \}\}$", given["options"])
    gate, explore = (parser().parse_args([given["target"], *shlex.split(options)]) for options in ("", night))
    assert (gate.seed, gate.examples) == (0, 100)
    assert (explore.seed > 0, explore.examples) == (True, 1000)


def test_report_in_python_can_be_asked(tmp_path):
    """The lines for a notebook run, and raise for a wrong function, as they stand."""
    text = "def relu(x): return abs(x)\n" + blocks("python", "docs/targets.md")[1]
    process = python("-c", text, folder=tmp_path)
    assert process.returncode == 1
    assert "backproof.harness.run.verify.TargetRefuted: " in process.stderr
    assert "REFUTED  relu  activations.relu_is_the_positive_part" in process.stderr


def test_layer_of_others_becomes_a_target(tmp_path):
    """The lines for a class with state make a target that holds, and one whose gradients are swapped is refuted."""
    (tmp_path / "their_layers.py").write_text(THEIRS, encoding="utf-8")
    code = blocks("python", "docs/targets.md")[3]
    (tmp_path / "mine.py").write_text(code, encoding="utf-8")
    assert checked("mine.py", "--examples", "10", folder=tmp_path)[0] == 0
    (tmp_path / "mine.py").write_text(code.replace("[0]", "[1]"), encoding="utf-8")
    assert checked("mine.py", "--examples", "10", "-k", "adjoint", folder=tmp_path)[0] == 1


THEIRS = """
from scipy.signal import convolve2d, correlate2d

class Conv2D:
    def __init__(self, kernel):
        self.kernel = kernel

    def forward(self, image):
        self.image = image
        return correlate2d(image, self.kernel, "valid")

    def backward(self, upstream):
        self.dK = correlate2d(self.image, upstream, "valid")
        return convolve2d(upstream, self.kernel)
"""


def test_layers_of_ones_own_are_checked(tmp_path):
    """The lines for layers that no table knows make a target that holds."""
    (tmp_path / "mine.py").write_text(OWN + blocks("python", "docs/targets.md")[0], encoding="utf-8")
    assert checked("mine.py", "--examples", "10", folder=tmp_path)[0] == 0


OWN = """
import numpy as np


def forward(x, h, W, b):
    return np.tanh(x @ W + np.tile(h, 4) + b)


def backward(x, h, W, b, upstream):
    before = upstream * (1 - forward(x, h, W, b) ** 2)
    return before @ W.T, sum(np.split(before, 4, axis=1)), x.T @ before, before.sum(axis=0)


def pick(x, labels):
    return x[np.arange(len(x)), labels]


def pick_gradient(x, labels, upstream):
    return np.eye(x.shape[1])[labels] * upstream[:, None]


class Scale:
    def __init__(self, factor):
        self.factor = factor

    def forward(self, x):
        self.x = x
        return x * self.factor

    def backward(self, upstream):
        self.dfactor = (upstream * self.x).sum(axis=0)
        return upstream * self.factor


"""


def test_two_lines_are_two_lines():
    """What a test module needs is shown whole; `tests/harness/run/test_suite.py` runs it."""
    assert blocks("python", "docs/targets.md")[2].split() == TWO_LINES.split()


def test_certificate_is_real(tmp_path):
    """The certificate shown is what the command beside it prints, to the letter."""
    status, printed = checked("-k", "every_pair or pattern or maxima", folder=tmp_path)
    assert status == 0
    assert 'python -m backproof -k "every_pair or pattern or maxima"' in README
    assert blocks("text")[1] in printed


def test_every_operation_is_in_the_table():
    """The tables of operations name all of the contract, derivatives and gradients of functions by their suffix."""
    for name, operation in OPERATIONS.items():
        function = operation.function or name
        named = {function, operation.of, function.removesuffix("_gradient"), function.removesuffix("_derivative")}
        assert any(f"`{one}`" in PAGES["docs/targets.md"] for one in named), name


def test_notebooks_run_is_real(tmp_path):
    """What the notebook's page shows of its run is what the command prints, to the letter."""
    process = python("-m", "backproof.reference.notebook", folder=tmp_path)
    assert process.returncode == 0
    assert blocks("text", "docs/notebook.md")[0] in process.stdout


@pytest.mark.parametrize("page", ["docs/notebook.md", "docs/ties.md"])
def test_values_beside_calls_are_real(page, tmp_path):
    """The number or array in the comment beside a call is what the call returns."""
    call = re.compile(r"^(\S.*\))  # (.*): .*$", re.MULTILINE)
    (code,) = blocks("python", page)
    process = python("-c", call.sub(r"print(\1.tolist())", code), folder=tmp_path)
    assert process.returncode == 0, process.stderr
    given = [json.loads(line) for line in process.stdout.splitlines()]
    assert given
    for value, (_, shown) in zip(given, call.findall(code), strict=True):
        assert_allclose(value, json.loads(shown), atol=5e-4)
