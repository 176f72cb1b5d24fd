"""The oldest version of Hypothesis that may be installed, and the newest, do what the suite asks of them."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.test_command import TIE_ERROR, TIES, check, failing

pytestmark = pytest.mark.slow

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
(DECLARED,) = (one for one in PROJECT["dependencies"] if one.startswith("hypothesis"))


def installed(requirement, folder):
    """Install this from the index that is configured, for Python to find it there before anything else."""
    options = ["--quiet", "--target", str(folder), "--disable-pip-version-check", "--timeout", "10", "--retries", "1"]
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "install", *options, requirement], capture_output=True, check=False).returncode:
        pytest.skip(f"no index that has {requirement}")


@pytest.mark.parametrize("requirement", [DECLARED.replace(">=", "=="), DECLARED], ids=["oldest", "newest"])
def test_hypothesis_may_be_of_any_version(requirement, tmp_path, monkeypatch):
    """A wrong formula is refuted on its smallest case, tried first by the next run, and a right one holds."""
    installed(requirement, tmp_path / "packages")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path / "packages"), os.environ["PYTHONPATH"])))
    (tmp_path / "mine.py").write_text(TIE_ERROR, encoding="utf-8")
    for asked in (["--examples", "20"], ["--examples", "1", "--seed", "5"]):  # which finds nothing by itself
        status, report = check("mine.py", "-k", TIES, *asked, folder=tmp_path)
        (entry,) = report["properties"]
        assert (status, failing(report)) == (1, {entry["id"]})
        assert entry["counterexample"]["x"]["data"] == [[0.0, 0.0]]
        assert report["versions"]["hypothesis"] in Requirement(requirement).specifier
    assert check("reference", "-k", TIES, "--examples", "20", folder=tmp_path)[0] == 0
