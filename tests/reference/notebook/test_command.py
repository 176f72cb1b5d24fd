"""The notebook's command prints and draws what it is asked for, and says in a line what it cannot do."""

import os
from pathlib import Path

import numpy as np
import pytest

from reference import notebook
from reference.notebook import __main__ as command
from reference.notebook.history import recorded
from tests.pages import python


def refused(capsys, *arguments):
    """The line that a call ends with, which must be one, at status 2, with nothing printed."""
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    printed, said = capsys.readouterr()
    assert (ended.value.code, printed, said.count("\n")) == (2, "", 1)
    return said


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--figure", "out.jpg"], "cannot write to out.jpg: its ending must be .svg, .png or .pdf"),
        (["--figure", "out"], "cannot write to out: its ending must be"),
        (["--figure", "nowhere/out.svg"], "cannot write to nowhere/out.svg: no such folder"),
        (["--figure", "folder.svg"], "cannot write to folder.svg: a folder"),
        (["--image", "3"], "argument --image"),
        (
            ["--kernel", "1 0; 2"],
            "argument --kernel: rows of as many finite numbers, with ';' between them, not '1 0; 2'",
        ),
        (["--kernel", ""], "argument --kernel: rows"),
        (["--kernel", "nan"], "argument --kernel: rows"),
        (["--weights", "__import__('os')"], "argument --weights: rows"),
        (["--kernel", "1 2 3 4 5 6 7"], "kernel must fit in the image, but is (1, 7) for an image of (6, 6)"),
        (["--kernel", "1 2"], "window must divide the input, but is (2, 2) for an input of (6, 5)"),
        (["--weights", "1 2 3"], "weights must have shape (4, 1), but has (3, 1)"),
        (
            ["--weights", "1e300", "--kernel", "1e300 0 0 0 0; 0 0 0 0 0; 0 0 0 0 0; 0 0 0 0 0; 0 0 0 0 0"],
            "the numbers overflow",
        ),
        (["--seed", "-1"], "argument --seed: a whole number from 0"),
        (["--seed", "4294967296"], "argument --seed: a whole number from 0"),
        (["--epochs", "0"], "argument --epochs: a whole number from 1 up is wanted, not '0'"),
        (["--rate", "inf"], "argument --rate: a finite number above 0 is wanted, not 'inf'"),
        (["--rate", "1e300"], "the numbers overflow: smaller parameters or a smaller rate are wanted"),
        (["extra"], "unrecognized arguments: extra"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_said_in_a_line(tmp_path, monkeypatch, capsys, arguments, line):
    """Status 2, one line on standard error, and nothing printed or written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.svg").mkdir()
    assert line in refused(capsys, *arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.svg"]


def test_paths_are_checked_before_the_work(tmp_path, monkeypatch, capsys):
    """A place without permission is refused before any training."""
    monkeypatch.setattr(command, "recorded", None)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "permission denied" in refused(capsys, "--figure", str(tmp_path / "out.svg"))


def test_failed_writing_is_said(tmp_path, monkeypatch, capsys):
    """What goes wrong only at the end is a line and status 2 too."""

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(SystemExit, match="2"):
        command.main(["--figure", str(tmp_path / "out.svg"), "--epochs", "1"])
    assert capsys.readouterr().err.endswith("out.svg: No space left on device (see --help)\n")


def test_options_are_what_is_drawn(tmp_path, monkeypatch):
    """Image, kernel, weights in C order, seed, epochs and rate arrive in the figure."""
    calls = []
    monkeypatch.setattr("reference.notebook.figure.draw", lambda *arguments: calls.append(arguments))
    monkeypatch.setattr("reference.notebook.figure.write", lambda figure, path: calls.append(path))
    path = tmp_path / "out.svg"
    given = ["--kernel", "-1 0 2; 0 1 0; 0.5 0 1", "--weights", "1 2; 3 4", "--epochs", "3", "--rate", "0.01"]
    command.main(["--figure", str(path), "--image", "1", *given])
    (image, target, kernel, weights, title, trained, found), written = calls
    assert written == path
    np.testing.assert_array_equal(image, notebook.IMAGES[0])
    assert (target, found) == (notebook.TARGETS[0], None)
    assert kernel.tolist() == [[-1, 0, 2], [0, 1, 0], [0.5, 0, 1]]
    assert weights.tolist() == [[1], [2], [3], [4]]
    assert "image 1: kernel and weights as given" in title
    np.testing.assert_array_equal(trained.costs, recorded(kernel, weights, 0.01, 3).costs)


def test_what_is_not_given_is_drawn_by_the_seed(capsys):
    """Another seed is another start in the legacy generator, with as many weights as a kernel of that size wants."""
    generator = np.random.RandomState(5)
    kernel, weights = generator.randn(3, 3) * 2.27, generator.randn(4, 1) * 6.1
    command.main(["--seed", "5", "--epochs", "1"])
    printed = capsys.readouterr().out
    assert "seed 5, 1 epochs" in printed
    assert str(np.array([notebook.predict(image, kernel, weights) for image in notebook.IMAGES])) in printed
    command.main(["--kernel", "1 1 1; 1 1 1; 1 1 1; 1 1 1; 1 1 1", "--epochs", "1"])
    assert "of 8 ReLUs alive" in capsys.readouterr().out


def test_without_options_it_prints_what_it_did(capsys):
    """The run from the top, its seed, epochs and rate, and that it does not learn, with not a word of a figure."""
    command.main([])
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert lines[:8] == [
        "The notebook, run from the top: seed 7839, 1000 epochs, learning rate 0.1",
        "",
        "ground truth            [ 1.53377621 -1.48765509]",
        "predictions before      [ 0.         -1.56128336]",
        "predictions after       [ 0.         -1.56108157]",
        "total cost              1.17894529 before, 1.17893047 in the last epoch",
        "",
        "Why it does not learn, at the start and at the end:",
    ]
    assert len(lines) == 28
    assert "start image 1:  0 of 16 ReLUs alive, all dead" in printed
    assert "1/(1+s²) = 9.0e-05" in printed


def test_command_draws(tmp_path):
    """`python -m reference.notebook --figure` prints the run, writes the file and says where; no pyplot, no window."""
    process = python(
        "-X", "importtime", "-m", "reference.notebook", "--figure", "out.svg", "--epochs", "2", folder=tmp_path
    )
    assert process.returncode == 0
    assert process.stdout.endswith("figure                  out.svg\n")
    assert "dead ReLU" in (tmp_path / "out.svg").read_text(encoding="utf-8")
    assert "matplotlib.figure" in process.stderr
    assert "pyplot" not in process.stderr


def test_without_matplotlib(tmp_path):
    """`--figure` says what to install; without it nothing asks for matplotlib."""
    run = "runpy.run_module('reference.notebook', run_name='__main__')"
    hidden = f"import runpy, sys; sys.modules['matplotlib'] = None; {run}"
    process = python("-W", "ignore", "-c", hidden, "--figure", "out.svg", folder=tmp_path)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.count("\n") == 1
    assert "pip install '.[report]' in a clone of backproof" in process.stderr
    assert not list(tmp_path.iterdir())
    assert python("-W", "ignore", "-c", hidden, "--epochs", "1", folder=tmp_path).returncode == 0
