"""One name that is nobody else's: what is installed is `backproof` alone, and the user's own names do not matter."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RIGHT = "def relu(x): return x * (x > 0)\n"
WRONG = "import properties, reference, harness\ndef relu(x): return abs(x)\n"
FEW = ["-k", "relu_is_the_positive", "--examples", "5"]


def run(*command, folder):
    """A command as a process in this folder, which knows the package by its installed name alone."""
    environment = os.environ | {"PYTHONPATH": os.environ["BACKPROOF_AS_INSTALLED"]}
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_wheel_has_one_name(tmp_path):
    """The wheel holds `backproof` and nothing else that could be imported; the reference is inside it."""
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run([sys.executable, *build], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"backproof"}
    assert {"backproof/__main__.py", "backproof/reference/notebook/__main__.py"} <= set(names)


@pytest.mark.parametrize("options", [[], ["-n", "1"]], ids=["alone", "with a worker"])
def test_users_own_names_do_not_matter(tmp_path, options):
    """A user's `properties.py`, `reference.py`, `harness.py` and `tests` beside the target are the user's alone."""
    for name in ("properties", "reference", "harness"):
        (tmp_path / f"{name}.py").write_text("", encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").write_text("", encoding="utf-8")
    for text, status in ((WRONG, 1), (WRONG + RIGHT, 0)):
        (tmp_path / "mine.py").write_text(text, encoding="utf-8")
        process = run("-m", "backproof", "mine.py", *FEW, *options, folder=tmp_path)
        assert process.returncode == status, process.stderr
        assert "mine.py: " in process.stdout


def test_bundled_reference_is_not_the_users(tmp_path):
    """Without a target it is the bundled reference that is checked, whatever is called so in the folder."""
    (tmp_path / "reference.py").write_text("def relu(x): return abs(x)\n", encoding="utf-8")
    assert run("-m", "backproof", *FEW, folder=tmp_path).returncode == 0
    assert run("-m", "backproof", "reference.py", *FEW, folder=tmp_path).returncode == 1


def test_being_hidden_is_said(tmp_path):
    """Where a file of the folder has the package's own name, the command says so and ends with 2."""
    (tmp_path / "backproof.py").write_text("", encoding="utf-8")
    (tmp_path / "mine.py").write_text(RIGHT, encoding="utf-8")
    command = "import sys; sys.path.pop(0); from backproof.__main__ import main; sys.exit(main(['mine.py']))"
    process = run("-c", command, folder=tmp_path)
    assert (process.returncode, process.stdout) == (2, "")
    assert "backproof.py hides the package backproof in this folder: rename it" in process.stderr
    assert process.stderr.count("\n") == 1


def test_clone_is_the_same(tmp_path):
    """`python -m properties` in a clone and `python -m backproof` say the same, but for the time it takes."""
    said = [
        subprocess.run([sys.executable, "-m", name, *FEW], cwd=ROOT, capture_output=True, text=True, check=True)
        for name in ("properties", "backproof")
    ]
    first, second = (process.stdout.rpartition(",")[0] for process in said)
    assert first == second
