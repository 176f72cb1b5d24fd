"""No report is written over what a user made."""

import os

import pytest

from properties.harness.run.outputs import refusal, source_of


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with a target, a package, and links to the target."""
    monkeypatch.chdir(tmp_path)
    for name in ("mine.py", "mine.ipynb", "known.txt"):
        (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "__init__.py").touch()
    (tmp_path / "parts" / "layer.py").touch()
    (tmp_path / "link.html").symlink_to("mine.py")
    os.link("mine.py", "second.html")
    return tmp_path


OVER = {
    "source": ({"--html": "other.py"}, "mine.py", "over Python source or a notebook, other.py"),
    "source in capitals": ({"--html": "OTHER.PY"}, "mine.py", "over Python source"),
    "a notebook": ({"--json": "mine.ipynb"}, "mine.py", "over Python source or a notebook, mine.ipynb"),
    "a link to the target": ({"--html": "link.html"}, "mine.py", "over Python source or a notebook, link.html"),
    "the target's second name": ({"--html": "second.html"}, "mine.py:net", "over what is read, second.html"),
    "the target's second name, of a module": ({"--html": "second.html"}, "mine", "over what is read, second.html"),
    "the known deviations": ({"--json": "known.txt"}, "mine.py", "over what is read, known.txt"),
    "each other": ({"--json": "a", "--html": "b", "--junit": "./a"}, "mine.py", "--json and --junit: two reports"),
}


@pytest.mark.parametrize(("outputs", "target", "message"), OVER.values(), ids=OVER)
def test_report_is_never_written_over(outputs, target, message):
    """A file that the user made, or that another report goes to, is refused in one line."""
    line = refusal(outputs, ["known.txt"], target)
    assert message in line
    assert line.isprintable()


@pytest.mark.parametrize(
    "value",
    ["mine.py", "nowhere.py", "mine.py:net", "mine.ipynb", "mine", "mine:net", "parts.layer", "reference.notebook"],
)
def test_target_in_place_of_a_report_is_seen(value):
    """Without a target, a report's name that looks like one is the target, and the file was forgotten."""
    assert refusal({"--html": value}, [], None) == (
        f"argument --html: {value} looks like the target: name a file for the report"
    )


@pytest.mark.parametrize("value", ["report.html", "mine.html", "parts.html", "out", "/dev/stdout", "a b.json", "né:1"])
def test_name_of_a_report_is_none_of_a_target(value):
    """Names that mean no module are for reports, with a target and without, beside files of like names too."""
    assert refusal({"--html": value}, [], None) is None
    assert refusal({"--html": value}, [], "mine.py") is None


def test_devices_lose_nothing():
    """Two reports may go to one device."""
    assert refusal({"--json": os.devnull, "--html": os.devnull}, [], "mine.py") is None


@pytest.mark.parametrize(
    ("target", "file"),
    [
        ("mine.py:a", "mine.py"),
        ("mine", "mine.py"),
        ("parts", "parts/__init__.py"),
        ("parts.layer:x", "parts/layer.py"),
    ],
)
def test_file_of_a_target_is_found(folder, target, file):
    """By its path or as a module, without importing it."""
    assert source_of(target).resolve() == folder / file
