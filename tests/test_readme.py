"""What the README shows is what happens."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path, PurePath

import pytest
from ruamel.yaml import YAML

from properties.__main__ import parser
from properties.harness.checking.properties import all_properties
from properties.layers import OPERATIONS
from tests.harness.run.test_suite import TWO_LINES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    """The code blocks of this language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def checked(*arguments, folder):
    """The status of the command, and what it prints, run in this folder."""
    process = python("-m", "backproof", *arguments, folder=folder)
    return process.returncode, process.stdout


def python(*arguments, folder):
    """Python as a process in this folder, with the project to be imported."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


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


@pytest.mark.parametrize("name", re.findall(r"`((?:pooling|convolution|training|network|exact)\.\w+)`", README))
def test_properties_named_exist(name):
    """Every property that the README names is one."""
    assert name in {entry.id for entry in all_properties().values()}


def test_known_example_is_a_gate(tmp_path):
    """With the known deviations of the example a network whose only error is the one at ties passes, and no other."""
    (tmp_path / "known.txt").write_text(blocks("text")[1], encoding="utf-8")
    text = "from reference import *\nfrom reference import mask_repeat as max_pool_gradient\n"
    (tmp_path / "my_network.py").write_text(text, encoding="utf-8")
    asked = ["my_network.py", "--known", "known.txt", "-k", "pooling or maxima or weak"]
    assert checked(*asked, folder=tmp_path)[0] == 0
    (tmp_path / "my_network.py").write_text(text + "def max_pool(x, window): return -x\n", encoding="utf-8")
    assert checked(*asked, folder=tmp_path)[0] == 1


ACTION = YAML(typ="safe").load(ROOT / "action.yml")
WORKFLOW, _, MATRIX = (YAML(typ="safe").load(text) for text in blocks("yaml"))
OURS = "OWNER/backproof@REVISION"


def inputs_of(job):
    """What a job hands to the action, which has inputs of these names, with GitHub's expressions as they stand."""
    (given,) = (step["with"] for step in job["steps"] if step["uses"] == OURS)
    required = {name for name, one in ACTION["inputs"].items() if one.get("required")}
    assert required <= given.keys() <= ACTION["inputs"].keys()
    return given


def test_workflow_fits_the_schema(tmp_path):
    """The workflow is ten lines, and one by the schema of GitHub's workflows, which refuses it with a key misspelt."""
    assert blocks("yaml")[0].count("\n") == 10
    for text, status in ((blocks("yaml")[0], 0), (blocks("yaml")[0].replace("runs-on", "run-on"), 1)):
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
    text = "def relu(x): return abs(x)\n" + blocks("python")[1]
    process = python("-c", text, folder=tmp_path)
    assert process.returncode == 1
    assert "backproof.harness.run.verify.TargetRefuted: " in process.stderr
    assert "REFUTED  relu  activations.relu_is_the_positive_part" in process.stderr


def test_layer_of_others_becomes_a_target(tmp_path):
    """The lines for a class with state make a target that holds, and one whose gradients are swapped is refuted."""
    (tmp_path / "their_layers.py").write_text(THEIRS, encoding="utf-8")
    (tmp_path / "mine.py").write_text(blocks("python")[3], encoding="utf-8")
    assert checked("mine.py", "--examples", "10", folder=tmp_path)[0] == 0
    (tmp_path / "mine.py").write_text(blocks("python")[3].replace("[0]", "[1]"), encoding="utf-8")
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


def test_two_lines_are_two_lines():
    """What a test module needs is shown whole; `tests/harness/run/test_suite.py` runs it."""
    assert blocks("python")[2].split() == TWO_LINES.split()


def test_certificate_is_real(tmp_path):
    """The certificate shown is what the command beside it prints, to the letter."""
    status, printed = checked("-k", "every_pair or pattern or maxima", folder=tmp_path)
    assert status == 0
    assert 'python -m backproof -k "every_pair or pattern or maxima"' in README
    assert blocks("text")[2] in printed


def test_every_operation_is_in_the_table():
    """The table of operations names all of the contract, derivatives by their suffix."""
    for operation in OPERATIONS:
        assert f"`{operation.removesuffix('_derivative')}`" in README
