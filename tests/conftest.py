"""Settings of the suite's own tests: the clone under its installed name, and statements with the command's seed."""

import atexit
import compileall
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock

from benchmarks import trials
from tests.skips import pytest_addoption, pytest_configure  # noqa: F401 (pytest calls them)

ROOT = Path(__file__).parents[1]
_PLACE = "BACKPROOF_AS_INSTALLED"  # where this clone is to be found under its installed name, in every process


def _as_installed():
    """Lay the clone out as its wheel is, so that what is tested is never an older installation."""
    place = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "properties", Path(place, "backproof"), ignore=leave)
    shutil.copytree(ROOT / "reference", Path(place, "backproof", "reference"), ignore=leave)
    compileall.compile_dir(place, quiet=1)  # once, and not in each of the commands that are run
    return place


if _PLACE not in os.environ:
    os.environ[_PLACE] = _as_installed()
    os.environ["PYTHONPATH"] = os.pathsep.join((os.environ[_PLACE], str(ROOT)))
sys.path.insert(0, os.environ[_PLACE])


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """Makes what several tests look at once for all workers: what `make` returns of a folder of its own, as JSON."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "once"
    shared.mkdir(exist_ok=True)

    def once(name, make):
        folder, kept = shared / name, shared / f"{name}.json"
        with FileLock(shared / f"{name}.lock"):
            if not kept.exists():
                folder.mkdir(exist_ok=True)
                kept.write_text(json.dumps(make(folder)), encoding="utf-8")
            return json.loads(kept.read_text(encoding="utf-8"))

    return once


@pytest.fixture(autouse=True)
def _outside_of_github(monkeypatch):
    for name in ("GITHUB_ACTIONS", "GITHUB_WORKSPACE", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


trials.settle()  # before the tests are imported: those of Hypothesis take the settings of that time


@pytest.fixture(autouse=True)
def _same_examples_every_time(monkeypatch, tmp_path):
    """Neither settings nor failures of one test are another's, though both run a session in this process."""
    trials.settle()
    monkeypatch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(tmp_path / ".hypothesis"))
