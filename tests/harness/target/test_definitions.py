"""The place at which an operation is defined is found through whatever wraps it, and nothing of it is run for that."""

import functools
import json
import linecache
import os
import sys

import numpy as np
import pytest

from properties.harness.target.definitions import LARGEST_FILE, LONGEST_LINE, MOST_LINES, definitions, digest
from properties.harness.target.modules import read_notebook


def decorated(function):
    """A decorator as people write them."""

    @functools.wraps(function)
    def inside(*arguments):
        return function(*arguments)

    return inside


def plain(x):
    return x


@decorated
@decorated
def twice(x):
    return x


class Layer:
    """With a method, and to be called."""

    def method(self, x):
        return x

    @decorated
    def __call__(self, x):
        return x


class Hostile:
    """Whatever is asked of it ends the process, but calls."""

    @property
    def __wrapped__(self):
        sys.exit("asked")

    __code__ = __func__ = func = __wrapped__

    def __getattr__(self, name):
        sys.exit("asked")

    def __call__(self, x):  # hostile
        return x


class EvilName(str):
    """A file's name that raises."""

    __slots__ = ()

    def __str__(self):
        sys.exit("asked")

    __fspath__ = __str__


class EvilPartial(functools.partial):
    """A partial call that does not say of what."""

    @property
    def func(self):
        """Nothing."""
        sys.exit("asked")


class EvilKey:
    """What a dictionary takes for `__wrapped__` at first sight, and then asks whether it is."""

    def __hash__(self):
        return hash("__wrapped__")

    def __eq__(self, other):
        sys.exit("asked")


def with_code(**changed):
    def function(x):
        return x

    function.__code__ = function.__code__.replace(**changed)
    return function


def endless(x):
    return x


endless.__wrapped__ = functools.partial(endless)


def with_evil_key():
    layer = Layer()
    layer.__dict__[EvilKey()] = 1
    return layer


FOUND = {
    "function": (plain, "def plain"),
    "decorated": (twice, "@decorated"),
    "partial": (functools.partial(functools.partial(plain, 1), 2), "def plain"),
    "cached": (functools.lru_cache(twice), "@decorated"),
    "lambda": ((lambda x: x), '    "lambda"'),
    "method": (Layer().method, "    def method"),
    "called": (Layer(), "    @decorated"),
    "hostile": (Hostile(), "    def __call__(self, x):  # hostile"),
    "hostile partial": (EvilPartial(plain), "def plain"),
    "of a library": (functools.wraps(np.pad)(with_code()), "    def function"),
    "endless": (endless, "def endless"),
}
NOT_FOUND = {
    "in C": np.sin,
    "of a library": np.pad,
    "class": int,
    "nothing": None,
    "hostile name": with_code(co_filename=EvilName("evil\nname")),
    "no path": with_code(co_filename="a\0b"),
    "text": with_code(co_filename="<string>"),
    "unknown cell": with_code(co_filename="net.ipynb, code cell 1"),
    "hostile key": with_evil_key(),
    "no line": with_code(co_firstlineno=0),
}


def line_of(words):
    """The line of this file that begins with these words."""
    with open(__file__, encoding="utf-8") as file:
        return next(number for number, line in enumerate(file, start=1) if line.startswith(words))


@pytest.mark.parametrize("name", FOUND)
def test_definition_is_found(name):
    """The line of the innermost function is found, of a decorated one that of its first decorator."""
    function, words = FOUND[name]
    place = {"file": "tests/harness/target/test_definitions.py", "line": line_of(words)}
    found = definitions({"relu": function})["relu"]
    assert {name: found[name] for name in ("file", "line")} == place


LINES = {
    "function": ["def plain(x):", "    return x"],
    "decorated": ["@decorated", "@decorated", "def twice(x):", "    return x"],
    "lambda": ['    "lambda": ((lambda x: x), \'    "lambda"\'),'],
    "method": ["    def method(self, x):", "        return x"],
}


@pytest.mark.parametrize("name", LINES)
def test_lines_are_those_of_the_function(name):
    """They begin with its first decorator and end with its body, and stand as they are in the file."""
    assert definitions({"relu": FOUND[name][0]})["relu"]["lines"] == LINES[name]


def lines_of(source, path):
    """The lines that are found of a file's function, after the file has become this."""
    path.write_text("def relu(x):\n    return x\n", encoding="utf-8")
    names = {}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)  # noqa: S102  # ours
    path.write_bytes(source)
    return definitions(names)["relu"]["lines"]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (b"def relu(x):\n\treturn '\\d'\n", ["def relu(x):", "        return '\\d'"]),
        ("def relu(x):\n    '\u202e\x0c'\n".encode(), ["def relu(x):", "    '\\u202e\\x0c'"]),
        (b"def relu(x):\r\n    return x\r\n", ["def relu(x):", "    return x"]),
        (b"x = 1\n", []),
        (b"def relu(x:\n", []),
        (b"def relu(x):\n    '\xff'\n", []),
        (b"# coding: none\ndef relu(x): x\n", []),
        (b"def relu(x): x\n" + b"#" * LARGEST_FILE, []),
        (b"def relu(x):\n" + b"    x\n" * MOST_LINES, ["def relu(x):", *["    x"] * (MOST_LINES - 1), "…"]),
        (b"def relu(x): return " + b"x" * 999, ["def relu(x): return " + "x" * (LONGEST_LINE - 21) + "…"]),
    ],
    ids=["tabs", "controls", "windows", "changed", "damaged", "bytes", "coding", "large", "many lines", "long line"],
)
def test_lines_are_printable_and_bounded(source, lines, tmp_path):
    """They hold nothing that steers a reader's screen, and no file makes them many or long, or ends the run."""
    assert lines_of(source, tmp_path / "mine.py") == lines


def test_lines_of_a_notebooks_cell_are_found(tmp_path, monkeypatch):
    """A function of a notebook has its cell for a file, the line in that, and its lines; a library's own has none."""
    cells = ["import numpy as np", "x = 1\ndef relu(x):\n    return x"]
    notebook = {"cells": [{"cell_type": "code", "source": cell} for cell in cells]}
    (tmp_path / "cells.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    relu = read_notebook(tmp_path / "cells.ipynb").relu
    place = {"file": "cells.ipynb, code cell 2", "line": 2, "lines": ["def relu(x):", "    return x"]}
    assert definitions({"relu": relu}) == {"relu": place}
    monkeypatch.setitem(linecache.cache, "<made>", linecache.cache[relu.__code__.co_filename])
    assert definitions({"relu": with_code(co_filename="<made>", co_firstlineno=2)}) == {}


def test_edited_file_is_read_again(tmp_path):
    """In a process that goes on, the lines are those of the file as it is at the time of the run."""
    assert lines_of(b"def relu(x):\n    return x + 1\n", tmp_path / "mine.py")[1] == "    return x + 1"
    assert lines_of(b"def relu(x):\n    return x + 2\n", tmp_path / "mine.py")[1] == "    return x + 2"


def test_lines_are_read_without_a_warning(tmp_path, recwarn):
    """What Python warns of when it reads a file, it warned of when the target was loaded."""
    assert lines_of(b"def relu(x): return '\\d'\n", tmp_path / "mine.py")
    assert not recwarn.list


@pytest.mark.parametrize("name", NOT_FOUND)
def test_what_has_no_file_has_no_definition(name):
    """Functions in C, of libraries and of files that are none are left out."""
    assert definitions({"relu": NOT_FOUND[name]}) == {}


def test_file_is_relative_to_the_repository(monkeypatch, tmp_path):
    """The file is relative to the repository, else the current folder; libraries installed in there are left out."""
    here = os.path.dirname(__file__)
    monkeypatch.chdir(here)
    assert definitions({"relu": plain})["relu"]["file"] == "test_definitions.py"
    monkeypatch.setenv("GITHUB_WORKSPACE", os.path.dirname(here))
    assert definitions({"relu": plain})["relu"]["file"] == "target/test_definitions.py"
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert definitions({"relu": plain})["relu"]["file"] == __file__
    monkeypatch.setenv("GITHUB_WORKSPACE", sys.prefix)
    assert definitions({"relu": np.pad}) == {}


def test_digest_is_of_the_targets_files(tmp_path, monkeypatch):
    """It changes with the target's own file and with one that defines an operation, and with no other."""
    monkeypatch.chdir(tmp_path)
    for name in ("mine.py", "layers.py", "other.py"):
        (tmp_path / name).write_text("# first\n", encoding="utf-8")
    places = {"relu": {"file": "layers.py", "line": 1}}
    seen = [digest("mine.py:Network", places)]
    for name in ("other.py", "mine.py", "layers.py"):
        (tmp_path / name).write_text("# second\n", encoding="utf-8")
        seen.append(digest("mine.py:Network", places))
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3
    assert digest("tests.harness.target.test_definitions", {}) == digest(__file__, {})
    assert digest("a mapping", {}) is digest("no\0thing.py", {}) is None
