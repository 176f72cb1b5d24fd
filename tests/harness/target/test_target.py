"""Targets are loaded in every form, refused in one clear line, and called so that nothing goes unseen."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from properties.harness.core.limits import Limits
from properties.harness.target.operation import Crashed, Operation, Refuted
from properties.harness.target.target import CannotLoad, load, make_target


def written(folder, text, name="mine.py"):
    """A file with this text, by its path."""
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_dotted_module():
    """A module is loaded by its name and offers what it defines."""
    assert load("reference").operations.keys() >= {"conv2d", "train_step"}
    assert "conv2d_image_gradient" not in load("reference.notebook").operations


def test_attribute_of_a_module(tmp_path, monkeypatch):
    """`module:attribute` is an object in a module of the working directory."""
    written(tmp_path, "class Layers:\n    def relu(self, x): return x\n\nlayers = Layers()\n", "layered.py")
    monkeypatch.chdir(tmp_path)
    assert load("layered:layers").operations.keys() == {"relu"}
    assert str(tmp_path) not in sys.path


def test_file_sees_its_own_folder(tmp_path):
    """A file may import its neighbours, and leaves no trace in the search path."""
    written(tmp_path, "def relu(x): return abs(x)\n", "neighbour_of_mine.py")
    assert load(written(tmp_path, "from neighbour_of_mine import relu\n")).operations.keys() == {"relu"}
    assert str(tmp_path) not in sys.path


def test_file_may_be_called_like_a_module_in_use(tmp_path):
    """A file named like a loaded module does not take its place."""
    assert load(written(tmp_path, "def relu(x): return x\n", "random.py")).operations.keys() == {"relu"}
    import random

    assert hasattr(random, "randrange")


def test_attribute_of_a_file(tmp_path):
    """An attribute of a file is a target too; a class is not, as its operations want an instance."""
    path = written(tmp_path, "class Layers:\n    def relu(self, x): return x\n\nlayers = Layers()\n")
    assert load(f"{path}:layers").operations.keys() == {"relu"}
    with pytest.raises(CannotLoad, match="is a class: give an instance of it"):
        load(f"{path}:Layers")


REFUSED = {
    "no such file": ("nowhere.py", "no such file: nowhere.py"),
    "no such module": ("nowhere_at_all", "nowhere_at_all cannot be imported: ModuleNotFoundError: No module named"),
    "no such attribute": ("json:nothing", "json:nothing: there is no nothing in json"),
    "no name at all": ("a-b", "a-b is neither a module, a module:attribute nor a path to a .py or .ipynb file"),
    "nothing to check": ("json", "json has none of the operations that can be checked: relu, relu_derivative"),
}


@pytest.mark.parametrize(("spec", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_loaded_is_said_in_one_line(spec, message):
    """The message names the target and the reason."""
    with pytest.raises(CannotLoad) as caught:
        load(spec)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


FOLDERS = {
    "a package": ("pkg/", ["utils.py", "__init__.py"], "pkg/ is a folder: name a file in it, as pkg/__init__.py"),
    "a folder of files": ("pkg/", ["b.py", "a.py"], "pkg/ is a folder: name a file in it, as pkg/a.py"),
    "a folder by its name alone": ("pkg", ["a.ipynb"], "pkg is a folder: name a file in it, as pkg/a.ipynb"),
    "the working directory": (".", [], ". is a folder: name a file in it"),
    "the one above": ("..", [], ".. is a folder: name a file in it"),
}


@pytest.mark.parametrize(("spec", "files", "message"), FOLDERS.values(), ids=FOLDERS)
def test_folder_is_no_target(tmp_path, monkeypatch, spec, files, message):
    """The message says so, and names a file that may be meant."""
    (tmp_path / "here" / "pkg").mkdir(parents=True)
    for name in files:
        (tmp_path / "here" / "pkg" / name).touch()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(CannotLoad) as caught:
        load(spec)
    assert str(caught.value) == message


def test_package_is_a_target_by_its_name(tmp_path, monkeypatch):
    """A folder with an `__init__.py` is a module, which may be named as such."""
    (tmp_path / "package_of_mine").mkdir()
    written(tmp_path / "package_of_mine", "def relu(x): return x\n", "__init__.py")
    monkeypatch.chdir(tmp_path)
    assert load("package_of_mine").operations.keys() == {"relu"}


BROKEN = {
    "x = 1\ny = 1 / 0\n": "ZeroDivisionError: division by zero (mine.py, line 2)",
    "def f(:\n": "SyntaxError: invalid syntax (mine.py, line 1)",
    "import sys\nsys.exit(3)\n": "SystemExit: 3 (mine.py, line 2)",
    "raise ValueError('a\\x1b[31m\\nb')\n": r"ValueError: a\x1b[31m\nb (mine.py, line 1)",
}


@pytest.mark.parametrize(("text", "message"), BROKEN.items())
def test_module_that_raises_on_import(tmp_path, text, message):
    """The last line of its own traceback is shown, with the place, and nothing that steers a terminal."""
    path = written(tmp_path, text)
    with pytest.raises(CannotLoad) as caught:
        load(path)
    assert str(caught.value) == f"{path} cannot be imported: {message}"


def test_near_miss_is_named():
    """`maxpool` is recognised as a misspelling of `max_pool`, with and without other operations."""
    with pytest.raises(CannotLoad, match=r"; did you mean max_pool for maxpool\?"):
        make_target(SimpleNamespace(maxpool=abs), "mine")
    assert make_target(SimpleNamespace(maxpool=abs, relu=abs), "mine").near_misses == {"maxpool": "max_pool"}


def test_near_miss_of_two_is_the_nearer_ones():
    """`reluDerivative` is near to `elu_derivative` too."""
    target = make_target(SimpleNamespace(reluDerivative=abs, relu=abs), "mine")
    assert target.near_misses == {"reluDerivative": "relu_derivative"}


def test_declarations():
    """Limits and precision are read from the attributes."""
    offered = SimpleNamespace(relu=abs, KERNEL_SHAPES="square", WINDOW_SHAPES=[(2, 2), [3, 1]], DTYPE="float32")
    target = make_target(offered, "mine")
    assert target.limits == Limits(kernels="square", windows=((2, 2), (3, 1)))
    assert target.setting().eps == 2.0**-23


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            {"KERNEL_SHAPES": "round"},
            "mine: KERNEL_SHAPES must be \"square\" or a list of (rows, columns), not 'round'",
        ),
        ({"WINDOW_SHAPES": [2]}, 'mine: WINDOW_SHAPES must be "square" or a list of (rows, columns), not [2]'),
        ({"IMAGE_SHAPES": []}, 'mine: IMAGE_SHAPES must be "square" or a list of (rows, columns), not []'),
        ({"IMAGE_SHAPES": [(0, 1)]}, 'mine: IMAGE_SHAPES must be "square" or a list of (rows, columns), not [(0, 1)]'),
        ({"DTYPE": "float16"}, 'mine: DTYPE must be "float64" or "float32", not \'float16\''),
    ],
)
def test_unclear_declaration_is_refused(declared, message):
    """A declaration that means nothing is an error, not a guess."""
    with pytest.raises(CannotLoad) as caught:
        make_target(SimpleNamespace(relu=abs, **declared), "mine")
    assert str(caught.value) == message


def test_operation_hands_copies_over():
    """A statement's arrays survive an operation that overwrites its arguments."""
    x = np.array([1.0])

    def overwrite(x):
        x[:] = 7.0
        return x

    assert Operation("relu", overwrite)(x).tolist() == [7.0]
    assert x.tolist() == [1.0]


@pytest.mark.parametrize("number", [0.5, np.float64(0.5), np.array(0.5), np.array([[0.5]]), [0.5]])
def test_scalar_may_be_any_single_number(number):
    """A number or an array of one element is a scalar."""
    ones = np.ones((1, 1, 1, 1))
    assert Operation("predict", lambda *_: number)(ones, ones, np.ones((1, 1))) == 0.5


def test_pair_may_be_a_list():
    """A pair comes as a tuple or a list."""
    row = np.ones((1, 1))
    answer = Operation("dense_gradients", lambda *_: [row, row])(row, row, row)
    assert isinstance(answer, tuple)


def test_crash_is_told_from_not_implemented():
    """What an operation raises is a crash with its message, but for NotImplementedError and Ctrl-C."""

    def raising(error):
        def function(x):
            raise error

        return Operation("relu", function)

    with pytest.raises(Crashed, match=r"relu raised SystemExit: 3"):
        raising(SystemExit(3))(np.ones(1))
    for error in (NotImplementedError(), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            raising(error)(np.ones(1))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "relu must return an array of shape (2,), but returned None"),
        (np.ones((2, 1)), "relu must return an array of shape (2,), but returned shape (2, 1), dtype float64"),
        (np.array(["a", "b"]), "relu must return an array of shape (2,), but returned shape (2,), dtype <U1"),
        (np.array([1.0, np.nan]), "relu is not finite"),
        ("\x1b[2J", "relu must return an array of shape (2,), but returned a str of 4"),
    ],
)
def test_answer_of_the_wrong_kind_is_refuted(answer, message):
    """What is not finite real numbers of the right shape is refuted in words."""
    with pytest.raises(Refuted) as caught:
        Operation("relu", lambda x: answer)(np.ones(2))
    assert str(caught.value) == message
