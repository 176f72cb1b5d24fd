"""The action and the hook do what they say: their very steps are run, on right targets and on wrong ones."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.pages import blocks

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
ACTION = YAML(typ="safe").load(ROOT / "action.yml")
STEPS = ACTION["runs"]["steps"]
USED = {step["uses"].partition("@")[0]: step for step in STEPS if "uses" in step}
RUN = {step["name"]: step for step in STEPS if "run" in step}
SHELLS = {"bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"], "python": ["python"]}  # as GitHub's runner has
RIGHT, WRONG = "def relu(x): return x * (x > 0)\n", "def relu(x): return abs(x)\n"
FEW = "-k relu_is_the_positive --examples 5"
REPORTS = {"report.json", "report.xml", "report.html"}
SHIPPED = ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml", "properties", "reference")


def resolved(text, **contexts):
    """The text with each of GitHub's expressions replaced; `KeyError` for one that is not given."""
    return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: contexts[found[1].replace(".", "_")], text)


def environment(*, libraries, binaries):
    """The environment of these tests, but what is imported and run comes from these folders first."""
    path = os.pathsep.join((str(binaries), os.environ["PATH"]))
    return os.environ | {"PYTHONPATH": str(libraries), "PATH": path, "GIT_CONFIG_GLOBAL": os.devnull}


@pytest.fixture(scope="session")
def libraries(once):
    """A folder from which all that is installed here can be imported, and need not be installed anew; not backproof."""

    def make(folder):
        for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
            for path in Path(place).iterdir():
                if not path.name.startswith(("backproof", "pip", "_virtualenv")):
                    (folder / path.name).symlink_to(path)
        return str(folder)

    return Path(once("libraries", make))


def stepping(python, libraries):
    """Runs a step of the action in a folder, with these inputs, in this environment of Python."""
    inputs = {f"inputs_{name}": one.get("default", "") for name, one in ACTION["inputs"].items()}

    def run(name, folder, **given):
        one = RUN[name]
        contexts = {**inputs, **{f"inputs_{key}": value for key, value in given.items()}}
        contexts |= {"github_action_path": str(ROOT), "runner_temp": str(folder / "temp")}
        own = {key: resolved(value, **contexts) for key, value in one["env"].items()}
        (folder / "step").write_text(one["run"], encoding="utf-8")
        return subprocess.run(
            [*SHELLS[one["shell"]], "step"],
            cwd=folder,
            env=environment(libraries=libraries, binaries=python / "bin") | own,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def step(once, libraries):
    """Runs a step of the action in a folder, with these inputs, in a Python where its own step installed it."""

    def make(folder):
        venv.create(folder / "python", with_pip=True)
        installed = stepping(folder / "python", libraries)("Install", folder)
        assert installed.returncode == 0, installed.stderr
        return str(folder / "python")

    return stepping(Path(once("action", make)), libraries)


def test_action_fits_the_schema(tmp_path):
    """The action is one by the schema of GitHub's actions, which refuses it with a key misspelt."""
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    for content, status in ((text, 0), (text.replace("shell:", "shel:"), 1)):
        (tmp_path / "action.yml").write_text(content, encoding="utf-8")
        check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"]
        assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == status


def test_no_expression_is_in_what_a_shell_reads():
    """Inputs come by the environment: what is run has no expression in it, which would be pasted as code."""
    assert RUN.keys() == {"Install", "Check"}
    assert not any("${{" in step["run"] for step in RUN.values())


@pytest.mark.parametrize(("text", "status"), [(RIGHT, 0), (WRONG, 1)], ids=["right", "wrong"])
def test_check_ends_as_the_target_is(step, tmp_path, text, status):
    """A right target ends the step with 0, a wrong one with 1; the reports and what failed are where they are kept."""
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    process = step("Check", tmp_path, target="mine.py", options=FEW, artifact="part-1")
    assert process.returncode == status, process.stderr
    kept = resolved(USED["actions/upload-artifact"]["with"]["path"], runner_temp="temp", inputs_artifact="part-1")
    assert {path.name for path in (tmp_path / kept).glob("report.*")} == REPORTS
    assert (tmp_path / kept / "report-failures").exists() == bool(status)
    assert (tmp_path / USED["actions/cache/save"]["with"]["path"]).is_dir()


def test_options_are_split_and_not_run(step, tmp_path):
    """Quotes hold words together; what a shell would run or expand is an argument, in the target's name too."""
    (tmp_path / "mine.py").write_text(RIGHT, encoding="utf-8")
    quoted = step("Check", tmp_path, target="mine.py", options='-k "relu_is_the or parts_its" --examples 5')
    assert "2 held" in quoted.stdout
    shell = "; touch owned $(touch owned) `touch owned` *.py"
    for target, options in (("mine.py", f"{FEW} {shell}"), ("$(touch owned)", FEW)):
        assert step("Check", tmp_path, target=target, options=options).returncode == 2
    assert not (tmp_path / "owned").exists()


def test_parts_are_merged(step, tmp_path):
    """With `merge` for its target the action joins the reports that a pattern names; one that is missing is told."""
    (tmp_path / "mine.py").write_text(RIGHT, encoding="utf-8")
    for part in "12":
        step("Check", tmp_path, target="mine.py", options=f"{FEW} --shard {part}/2", artifact=f"part-{part}")
        shutil.move(tmp_path / "temp" / f"part-{part}", tmp_path)
    assert step("Check", tmp_path, target="merge", options="part-*/report.json", artifact="whole").returncode == 0
    assert {path.name for path in (tmp_path / "temp" / "whole").iterdir()} == REPORTS
    shutil.rmtree(tmp_path / "part-2")
    process = step("Check", tmp_path, target="merge", options="part-*/report.json", artifact="whole")
    assert process.returncode == 1
    assert "incomplete" in process.stdout


def test_what_failed_is_kept_after_a_failure():
    """The cache is restored before the check, saved after it whatever it said, under a name that is found again."""
    names = [step.get("name", step.get("uses", "").partition("@")[0]) for step in STEPS]
    check = names.index("Check")
    assert names.index("actions/cache/restore") < check < names.index("actions/cache/save")
    restored, saved = (USED[f"actions/cache/{what}"] for what in ("restore", "save"))
    assert saved["if"].startswith("always() && ")
    assert USED["actions/upload-artifact"]["if"] == "always()"
    assert saved["with"]["path"] == restored["with"]["path"] == ".hypothesis"
    assert saved["with"]["key"].startswith(restored["with"]["restore-keys"])


def git(*arguments, folder):
    """Git in this folder, without the user's own settings; what it prints."""
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_AUTHOR_NAME": "a", "GIT_COMMITTER_NAME": "a", "EMAIL": "a@example.org"}
    command = [shutil.which("git") or "git", *arguments]
    process = subprocess.run(command, cwd=folder, env=os.environ | own, capture_output=True, text=True, check=True)
    return process.stdout.strip()


@pytest.fixture(scope="session")
def shipped(once):
    """A repository with what the hook needs of this one, and its revision."""

    def make(folder):
        for name in SHIPPED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
        git("init", "--quiet", folder=folder)
        git("add", ".", folder=folder)
        git("commit", "--quiet", "--message", "As shipped", folder=folder)
        return str(folder), git("rev-parse", "HEAD", folder=folder)

    return once("shipped", make)


@pytest.fixture(scope="session")
def hooked(libraries, shipped):
    """Runs the hook by pre-commit in a folder, configured by this text; pre-commit installs it once for all."""
    repository, revision = shipped
    own = environment(libraries=libraries, binaries=Path(sys.executable).parent)
    own["PRE_COMMIT_HOME"] = f"{repository}-pre-commit"

    def run(folder, configuration):
        text = configuration.replace("https://github.com/OWNER/backproof", repository)
        (folder / ".pre-commit-config.yaml").write_text(text.replace("REVISION", revision), encoding="utf-8")
        git("init", "--quiet", folder=folder)
        git("add", ".", folder=folder)
        command = [sys.executable, "-m", "pre_commit", "run", "--all-files"]
        return subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, check=False)

    return run


_, CONFIGURATION = blocks("yaml", "docs/gate.md")


@pytest.mark.parametrize(("text", "status"), [(RIGHT, 0), (WRONG, 1)], ids=["right", "wrong"])
def test_hook_ends_as_the_target_is(hooked, tmp_path, text, status):
    """As its page has it, pre-commit lets a right target through and stops at a wrong one, with what is wrong."""
    (tmp_path / "my_network.py").write_text(text, encoding="utf-8")
    process = hooked(tmp_path, CONFIGURATION)
    assert process.returncode == status, process.stdout + process.stderr
    assert ("activations.relu_is_the_positive_part" in process.stdout) == bool(status)
    assert ("Passed" in process.stdout) == (not status)


def test_hook_without_a_target_fails(hooked, tmp_path):
    """Where no target is named the hook says so; the bundled reference, which holds, is not what it checks."""
    (tmp_path / "my_network.py").write_text(WRONG, encoding="utf-8")
    process = hooked(tmp_path, re.sub(r"\n +args: .*", "", CONFIGURATION))
    assert process.returncode == 1
    assert "backproof: no such file: name-your-target-in-args.py" in process.stdout
