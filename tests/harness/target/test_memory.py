"""A target that takes too much memory is charged for it, in words that name the limit; others get their verdict."""

import argparse

import pytest

from properties.harness.target.memory import in_words, size_of
from tests.test_command import check, run

HEADER = "import os\nimport numpy as np\nkept = []\n\n\n"


def written(folder, text):
    """A target in this folder."""
    (folder / "mine.py").write_text(HEADER + text, encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "size"), [("4G", 4 * 2**30), ("500M", 500 * 2**20), ("1.5g", 1536 * 2**20), ("1048576K", 2**30)]
)
def test_size_is_read_and_written(text, size):
    """A number with a unit; written again it is the same size."""
    assert size_of(text) == size == size_of(in_words(size))


@pytest.mark.parametrize("text", ["", "4", "G", "-4G", "4GB", "255M", "1e9G", "٤G", "9999999999G"])
def test_what_is_no_size_is_refused(text):
    """So is what is less than the suite itself takes."""
    with pytest.raises(argparse.ArgumentTypeError, match="a size from 256M up, such as 4G, is wanted"):
        size_of(text)


def test_call_that_takes_too_much_is_a_crash(tmp_path):
    """The limit is named; the other operations hold, and the command that runs it again has the limit too."""
    written(tmp_path, "def relu(x): return x + np.zeros(2**27)[0]\ndef relu_derivative(x): return x > 0\n")
    select = "relu_is or relu_derivative_is"
    status, report = check("mine.py", "-k", select, "--examples", "5", "--memory", "1G", folder=tmp_path)
    crashed, held = report["properties"]
    assert (status, crashed["outcome"], held["outcome"]) == (1, "crashed", "held")
    assert "MemoryError: Unable to allocate 1.00 GiB" in crashed["message"]
    assert "its process may take 1G of memory, and no more: --memory allows more or less" in crashed["diagnosis"]
    assert "--memory 1G" in crashed["reproduce"]


def test_import_that_takes_too_much_is_told_in_one_line(tmp_path):
    """Nothing could be checked: status 2."""
    written(tmp_path, "everything = np.ones(2**27)\n")
    status, _, errors = run("mine.py", "--memory", "1G", folder=tmp_path)
    assert status == 2
    assert "its process may take 1G of memory" in errors
    assert len(errors.splitlines()) == 1


def test_memory_that_is_kept_is_not_charged_to_others(tmp_path):
    """Where one property takes most of the memory and never gives it back, the next ones get a process of their own."""
    text = "def relu(x):\n    if os.environ.get('PYTEST_CURRENT_TEST') and not kept: kept.append(np.ones(3 * 2**25))\n"
    text += "    return np.maximum(x, 0)\n"
    text += "def relu_derivative(x):\n    return np.ones(2**26)[0] * (x > 0)\n"
    written(tmp_path, text)
    select = "relu_is or relu_derivative_is"
    status, report = check("mine.py", "-k", select, "--examples", "5", "--memory", "1200M", folder=tmp_path)
    assert [entry["outcome"] for entry in report["properties"]] == ["held", "held"]
    assert status == 0


def test_memory_that_fills_is_a_crash(tmp_path):
    """What a call keeps until nothing is left is charged, wherever the last of it is taken."""
    written(tmp_path, "def relu(x):\n    kept.append(np.ones(2**22))\n    return np.maximum(x, 0)\n")
    status, report = check("mine.py", "-k", "relu_is", "--examples", "100", "--memory", "512M", folder=tmp_path)
    (entry,) = report["properties"]
    assert (status, entry["outcome"]) == (1, "crashed")
    assert any("its process may take 512M of memory" in reason for reason in entry["diagnosis"])
