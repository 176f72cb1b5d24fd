"""A target's code finds in its process what it would find by itself, and nothing of it gets in the way of others."""

import json
import sys

import pytest

import properties
from properties.harness.target.target import load
from tests.test_command import check

HEADER = "import multiprocessing, pickle, sys\nimport numpy as np\n"
RELU = "def relu(x):\n    {}\n    return np.maximum(x, 0)\n"

WAYS = {
    "functions that are pickled": RELU.format("assert pickle.loads(pickle.dumps(relu)) is relu"),
    "itself, looked up": RELU.format("assert sys.modules[__name__].relu is relu"),
    "processes that are forked": "def part(x):\n    return np.maximum(x, 0)\n\n\n"
    "def relu(x):\n    with multiprocessing.get_context('fork').Pool(1) as pool:\n"
    "        return pool.apply(part, (x,))\n",
    "processes that are spawned": "def part(x):\n    return np.maximum(x, 0)\n\n\ndef made():\n"
    "    pool = made.pool = getattr(made, 'pool', None) or multiprocessing.get_context('spawn').Pool(1)\n"
    "    return pool\n\n\ndef relu(x):\n    return made().apply(part, (x,))\n",
    "a start method": "multiprocessing.set_start_method('spawn')\n" + RELU.format(""),
    "a higher recursion limit": "sys.setrecursionlimit(3000)\ndef deep(n):\n    return n and 1 + deep(n - 1)\n"
    + RELU.format("assert deep(2900) == 2900"),
    "a recursion limit that a call sets": "def deep(n):\n    return n and 1 + deep(n - 1)\n"
    + RELU.format("sys.setrecursionlimit(3000)\n    assert deep(2500) == 2500"),
    "a lower recursion limit": "sys.setrecursionlimit(120)\n" + RELU.format(""),
    "another search path": "sys.path = [entry for entry in sys.path]\n" + RELU.format("import neighbour"),
    "a search path without it": "sys.path = sys.path[1:]\nimport numpy.polynomial\n" + RELU.format(""),
    "a neighbour, imported late": RELU.format("from neighbour import relu"),
    "a folder that is put on the path": "import os\nsys.path.append(os.path.join(os.path.dirname(__file__), 'lib'))\n"
    + RELU.format("import of_the_library"),
}


def written(folder, text):
    """A target in this folder, beside a neighbour and a library."""
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "of_the_library.py").touch()
    (folder / "neighbour.py").write_text("def relu(x): return x\n", encoding="utf-8")
    (folder / "mine.py").write_text(HEADER + text, encoding="utf-8")
    return str(folder / "mine.py")


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS)
def test_target_works_as_by_itself(tmp_path, text):
    """Whatever it uses or changes of its process, its function is right and holds, without a warning."""
    path = written(tmp_path / "folder", text)
    status, report = check(path, "-k", "relu_is", "--examples", "5", folder=tmp_path)
    assert (status, report["warnings"]) == (0, {})


@pytest.fixture(autouse=True)
def _no_module_of_another_test(monkeypatch):
    """Other tests import modules of these names too, and leave them behind."""
    for name in ("mine", "neighbour"):
        monkeypatch.delitem(sys.modules, name, raising=False)


HARMLESS = {way: text for way, text in WAYS.items() if way not in ("a start method", "processes that are spawned")}


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_whoever_verifies_finds_everything_as_it_was(tmp_path, monkeypatch, text):
    """The search path, the modules and the recursion limit are those of before, in the process that asked."""
    monkeypatch.chdir(tmp_path)
    properties.verify("reference", keyword="relu_is", examples=5)  # imports what the harness needs
    path, entries, limit = sys.path, list(sys.path), sys.getrecursionlimit()
    assert properties.verify(written(tmp_path / "folder", text), keyword="relu_is", examples=5).holds
    assert sys.path is path
    assert (entries, limit) == (sys.path, sys.getrecursionlimit())
    assert sys.modules.keys().isdisjoint({"mine", "neighbour"})


def test_two_targets_of_one_name_find_each_their_own(tmp_path):
    """Used in turn, each finds itself under its name, and imports its own neighbours, however late."""
    text = "def relu(x):\n    import neighbour\n    return sys.modules[__name__].NAME + neighbour.NAME\n"
    relus = []
    for name in ("one", "two"):
        path = written(tmp_path / name, f"NAME = {name!r}\n{text}")
        (tmp_path / name / "neighbour.py").write_text(f"NAME = {name!r}\n", encoding="utf-8")
        relus.append(load(path).operations["relu"])
    assert [relu.bare(None) for relu in relus * 2] == ["oneone", "twotwo"] * 2
    assert "mine" not in sys.modules


def test_module_of_others_is_theirs_again(tmp_path, monkeypatch):
    """A module that somebody else has under the target's name is put aside for the call alone."""
    relu = load(written(tmp_path / "folder", "def relu(x): return sys.modules[__name__]\n")).operations["relu"]
    theirs = object()
    monkeypatch.setitem(sys.modules, "mine", theirs)
    assert relu.bare(None).relu is relu.function
    assert sys.modules["mine"] is theirs


def test_functions_of_a_notebook_can_be_pickled(tmp_path):
    """They are found under the notebook's name, as those of a file are."""
    cell = {"cell_type": "code", "source": [HEADER, "def relu(x): return pickle.loads(pickle.dumps(relu))\n"]}
    (tmp_path / "mine.ipynb").write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
    relu = load(str(tmp_path / "mine.ipynb")).operations["relu"]
    assert relu.bare(None) is relu.function
