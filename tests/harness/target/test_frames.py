"""The frames of a target that raised: its own, the last ones, whatever they are called."""

from types import FunctionType

import numpy as np

from properties.harness.report.data import Frame
from properties.harness.target.definitions import LONGEST_CODE, MOST_FRAMES, frames_of
from properties.harness.target.operation import Crashed, Operation


def raised(function):
    """What an operation with this function raises, of the target's own."""
    try:
        Operation("relu", function)(np.zeros(1))
    except Crashed as crashed:
        return crashed.error
    raise AssertionError("nothing was raised")


def written(folder, text, name="mine.py"):
    """The `relu` of a file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    space = {}
    exec(compile(text, str(path), "exec"), space)  # noqa: S102
    return space["relu"]


def test_frames_are_the_targets_own(tmp_path, monkeypatch):
    """Neither the suite's nor those of libraries are among them; the newest stands last."""
    monkeypatch.chdir(tmp_path)
    text = (
        "import numpy as np\n\ndef relu(x):\n    return inner(x)\n\ndef inner(x):\n    return np.reshape(x, (2, 3))\n"
    )
    frames = frames_of(raised(written(tmp_path, text)))
    assert frames == [
        {"file": "mine.py", "line": 4, "function": "relu", "code": "return inner(x)"},
        {"file": "mine.py", "line": 7, "function": "inner", "code": "return np.reshape(x, (2, 3))"},
    ]
    assert [str(Frame(**one)) for one in frames] == [
        "mine.py:4, relu: return inner(x)",
        "mine.py:7, inner: return np.reshape(x, (2, 3))",
    ]


def test_frames_are_bounded(tmp_path):
    """Of a deep recursion the last are kept, and of a long line its beginning."""
    frames = frames_of(raised(written(tmp_path, f"def relu(x):\n    return relu(x) + {'1 + ' * 99}1\n")))
    assert len(frames) == MOST_FRAMES
    assert {len(one["code"]) for one in frames} == {LONGEST_CODE}


def test_frames_are_data(tmp_path):
    """What could steer a terminal is escaped, and no code is read from what is no file."""
    (frame,) = frames_of(raised(written(tmp_path, "def relu(x):\n    raise ValueError('\x1b[31m')\n")))
    assert frame["code"] == r"raise ValueError('\x1b[31m')"
    space = {}
    exec(compile("def relu(x): 1 / 0", "a cell\x1b", "exec"), space)  # noqa: S102
    endless = FunctionType(space["relu"].__code__.replace(co_filename="/dev/zero"), {})
    (cell,), (device,) = frames_of(raised(space["relu"])), frames_of(raised(endless))
    assert cell == {"file": r"a cell\x1b", "line": 1, "function": "relu", "code": ""}
    assert device == {"file": "/dev/zero", "line": 1, "function": "relu", "code": ""}


def test_exceptions_may_hide_their_traceback(tmp_path):
    """What its class says of the traceback is not asked for; where there is none there are no frames."""
    text = "class Odd(Exception):\n    __traceback__ = 3\n\ndef relu(x):\n    raise Odd\n"
    assert [one["line"] for one in frames_of(raised(written(tmp_path, text)))] == [5]
    assert frames_of(ValueError()) == []
    nameless = FunctionType(test_exceptions_may_hide_their_traceback.__code__.replace(co_filename="\0"), {})
    assert frames_of(raised(lambda x: nameless(x))) == []
