"""Each example is what its own page says: the command there gives the verdict, failures and conventions named there."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from benchmarks.conventions import EXAMPLES, INSTALLED_OTHERWISE, claims, lacks

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
CLAIMS = {"Library", "Verdict", "Convolution", "Ties", "ReLU'(0)", "Precision"}
EXTRA = "pip install '.[examples]'"
STATUS = {"holds": 0, "refuted": 1, "broken": 1}


def command(path):
    """The command on an example's page: its one indented line."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    (line,) = re.findall(r"^    (python -m backproof .*)$", text, re.MULTILINE)
    return shlex.split(line)


def in_the_extra():
    """The libraries that the extra of that name installs."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    return {re.match(r"[\w-]+", requirement)[0] for requirement in extras["examples"]}


def checked():
    """The examples as a test's parameters: skipped without a library of the extra, left out without any other."""
    extra = in_the_extra()
    for path in sorted(EXAMPLES.glob("*.py")):
        (library,) = claims(path)["Library"]
        if library in extra or not lacks(library):
            skipped = pytest.mark.skipif(lacks(library), reason=f"{library} needs {EXTRA}")
            yield pytest.param(path, id=path.stem, marks=skipped)


def run(arguments, **environment):
    """The command, from the root of the repository."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("path", list(checked()))
def test_example_is_what_its_page_says(path, tmp_path):
    """The verdict, the ids of all that fails, and the conventions are those on the page."""
    asked, claimed = command(path), claims(path)
    assert asked[3] == path.relative_to(ROOT).as_posix()
    assert claimed.keys() - {"Refuted", "Crashed"} == CLAIMS
    process = run([*asked[1:], "--json", str(tmp_path / "report.json")], HYPOTHESIS_STORAGE_DIRECTORY=str(tmp_path))
    assert process.stderr == ""
    assert process.returncode == STATUS[claimed["Verdict"][0]]
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    found = report["conventions"]
    at_zero = found["relu_derivative_at_zero"]
    assert claimed["Verdict"] == [report["verdict"]]
    assert claimed["Convolution"] == [found["convolution"] or "not offered"]
    assert claimed["Ties"] == [found["ties"] or "not offered"]
    assert claimed["ReLU'(0)"] == ["not offered" if at_zero is None else f"{at_zero:g}"]
    assert claimed["Precision"] == [found["dtype"]]
    for outcome in ("refuted", "crashed"):
        failed = {entry["id"] for entry in report["properties"] if entry["outcome"] == outcome}
        assert failed == set(claimed.get(outcome.capitalize(), []))


def test_what_no_extra_installs_is_said():
    """The page of an example whose library is in no extra says how to install it."""
    for path in EXAMPLES.glob("*.py"):
        (library,) = claims(path)["Library"]
        if library not in {*in_the_extra(), *INSTALLED_OTHERWISE, "numpy"}:
            assert f"`pip install {library}`" in path.read_text(encoding="utf-8")


def test_missing_compiler_is_one_line(tmp_path):
    """Without a C compiler the example says so, and nothing else."""
    process = run(["-m", "backproof", "examples/c_network.py"], PATH=str(tmp_path))
    assert (process.returncode, process.stdout) == (2, "")
    assert "network.c needs a C compiler, and there is no cc on the PATH" in process.stderr
    assert process.stderr.count("\n") == 1
