"""Each helper for targets takes one difficulty away, and says what is wrong with what it is given."""

import json
import random
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import reference
from properties.adapters import axes, from_layer, from_pair, from_update, kept, module_from
from properties.calls import test_keeps_the_contract as keeps_the_contract
from properties.calls import test_leaves_its_surroundings_alone as leaves_its_surroundings_alone
from properties.convolution import test_kernel_gradient_is_the_rot90_form as rot90_form
from properties.harness.target.target import CannotLoad, load
from tests.doubles import failure_of


class PilingUp:
    """A convolution with state, which never resets its kernel's gradient."""

    def __init__(self, kernel):
        self.kernel, self.slope = kernel, np.zeros(kernel.shape)

    def forward(self, image):
        self.image = image
        return reference.conv2d(image, self.kernel)

    def backward(self, upstream):
        self.slope = self.slope + reference.conv2d_kernel_gradient(self.image, self.kernel, upstream)
        return reference.conv2d_image_gradient(self.image, self.kernel, upstream)


AXES = {
    "put on": ((3, 4), "HW", "NCHW", (1, 1, 3, 4)),
    "put on at the end": ((2, 3), "hw", "hwCF", (2, 3, 1, 1)),
    "taken off": ((1, 3, 4, 1), "NHWC", "HW", (3, 4)),
    "transposed": ((5, 6, 2, 3), "FChw", "hwCF", (2, 3, 6, 5)),
    "all at once": ((1, 3, 4, 6), "NHWC", "FCWH", (1, 6, 4, 3)),
    "nothing": ((3, 4), "HW", "HW", (3, 4)),
}


@pytest.mark.parametrize(("shape", "given", "wanted", "expected"), AXES.values(), ids=AXES)
def test_axes_by_their_letters(shape, given, wanted, expected):
    """Letters say where each axis goes; on the way back the array is as it was, and never copied."""
    array = np.arange(np.prod(shape), dtype=float).reshape(shape)
    moved = axes(array, given, wanted)
    assert moved.shape == expected
    back = axes(moved, wanted, given)
    assert np.array_equal(back, array)
    assert np.shares_memory(back, array)


def test_axes_move_entries_where_the_letters_say():
    """`hw` to `wh` is the transpose, not a reshape."""
    array = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(axes(array, "hw", "wh"), array.T)
    assert axes(array, "hw", "wCh")[2, 0, 1] == array[1, 2]


WRONG_AXES = {
    "twice": ((1, 2), "HH", "HW", "a letter names one axis, but 'HH' to 'HW' has one twice"),
    "too few": ((1, 2, 3), "HW", "NHW", "'HW' names 2 axes, but the array's shape is (1, 2, 3)"),
    "too long": ((2, 3, 4), "NHW", "HW", "axis N of 'NHW' must be 1 to be taken off, but the shape is (2, 3, 4)"),
}


@pytest.mark.parametrize(("shape", "given", "wanted", "message"), WRONG_AXES.values(), ids=WRONG_AXES)
def test_axes_that_do_not_fit_are_refused(shape, given, wanted, message):
    """The message shows the letters and the shape."""
    with pytest.raises(ValueError, match=r"ax[ei]s") as caught:
        axes(np.ones(shape), given, wanted)
    assert str(caught.value) == message


def test_pair_is_unpacked():
    """`(output, cache)` gives the value, and `backward(upstream, cache)` the gradients, of one or of several inputs."""
    value, gradients = from_pair(lambda x, w: (x * w, (x, w)), lambda upstream, cache: (upstream * cache[1], cache[0]))
    assert value(2.0, 3.0) == 6.0
    assert gradients(2.0, 3.0, 5.0) == (15.0, 2.0)
    assert from_pair(lambda x: (x, x), lambda upstream, x: upstream * x)[1](2.0, 5.0) == (10.0,)


def test_layer_gives_its_attributes():
    """`backward`'s answer comes first, then the attributes that are named."""
    value, gradients = from_layer(PilingUp, "slope")
    image, kernel, upstream = np.arange(9.0).reshape(3, 3), np.eye(2), np.ones((2, 2))
    assert np.array_equal(value(image, kernel), reference.conv2d(image, kernel))
    of_image, of_kernel = gradients(image, kernel, upstream)
    assert np.array_equal(of_image, reference.conv2d_image_gradient(image, kernel, upstream))
    assert np.array_equal(of_kernel, reference.conv2d_kernel_gradient(image, kernel, upstream))


@pytest.mark.parametrize(("make", "refuted"), [(PilingUp, False), (kept(PilingUp), True)], ids=["fresh", "kept"])
def test_keeping_a_layer_finds_gradients_that_pile_up(make, refuted):
    """The same layer asked again gives the sum; one built anew for each call does not show it."""
    value, gradients = from_layer(make, "slope")
    operations = {"conv2d": value, "conv2d_kernel_gradient": lambda *arguments: gradients(*arguments)[1]}
    failure = failure_of(keeps_the_contract, "conv2d_kernel_gradient", **operations)
    assert ("same arguments again" in str(failure)) is refuted


class Drawn:
    """A convolution that draws initial weights, and draws again where it is told to."""

    def __init__(self, kernel, draws=""):
        self.kernel, self.draws = np.random.randn(*kernel.shape) * random.random(), draws  # noqa: NPY002, S311
        self.kernel[...] = kernel

    def forward(self, image):
        if self.draws == "forward":
            np.random.rand()  # noqa: NPY002
        return reference.conv2d(image, self.kernel)

    def backward(self, upstream):
        if self.draws == "backward":
            random.random()  # noqa: S311
        return upstream


class Seeded(Drawn):
    """One that seeds both generators first, so that its weights are the same every time."""

    def __init__(self, kernel):
        random.seed(7)
        np.random.seed(7)  # noqa: NPY002
        super().__init__(kernel)


MAKES = {"fresh": Drawn, "kept": kept(Drawn), "seeded": Seeded, "seeded and kept": kept(Seeded)}


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_making_a_layer_costs_nobody_a_random_number(make):
    """Initial weights may be drawn for each call: the random states are as before, so nothing is refuted."""
    value, _ = from_layer(make)
    assert failure_of(leaves_its_surroundings_alone, "conv2d", conv2d=value) is None


@pytest.mark.parametrize("make", [kept(Drawn), kept(Seeded)], ids=["drawn", "seeded"])
def test_making_a_layer_that_is_kept_costs_nobody_a_random_number(make):
    """It is so without `from_layer` too."""
    failure = failure_of(leaves_its_surroundings_alone, "conv2d", conv2d=lambda x, w: make(w).forward(x))
    assert failure is None


@pytest.mark.parametrize("kernel", [np.ones((1, 1)), np.ones(())], ids=["made", "that raises"])
@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_what_others_draw_next_is_what_they_would_have_drawn(make, kernel):
    """Both generators go on as if no layer had been made, also where making it fails."""

    def drawn():
        return np.random.rand(3).tolist(), random.random()  # noqa: NPY002, S311

    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    expected = drawn()
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    with suppress(TypeError):  # a number drawn for a kernel without axes has no entries to set
        from_layer(make)[0](np.ones((2, 2)), kernel)
    assert drawn() == expected


@pytest.mark.parametrize(
    ("draws", "operation", "what"),
    [
        ("forward", "conv2d", "conv2d changed NumPy's random state, in test_adapters.py, line "),
        (
            "backward",
            "conv2d_image_gradient",
            "conv2d_image_gradient changed Python's random state, in test_adapters.py",
        ),
    ],
)
def test_layer_that_draws_as_it_is_used_is_refuted(draws, operation, what):
    """What `forward` or `backward` do to the random states is theirs, and not hidden."""
    value, gradients = from_layer(lambda kernel: Drawn(kernel, draws))
    made = {"conv2d": value, "conv2d_image_gradient": lambda *arguments: gradients(*arguments)[0]}
    assert str(failure_of(leaves_its_surroundings_alone, operation, **made)).startswith(what)


def test_layers_are_kept_by_the_values_of_their_parameters():
    """Equal arrays get the same layer, also after they were changed in place; only the last ones are kept."""
    layer = kept(lambda *arrays: SimpleNamespace(arrays=arrays))
    kernel = np.zeros((2, 2))
    first = layer(kernel)
    assert layer(np.zeros((2, 2), order="F")) is first
    assert layer(np.zeros((4, 1))) is not first
    kernel[:] = 1.0
    assert layer(kernel) is not first
    assert np.array_equal(first.arrays[0], np.zeros((2, 2)))
    for number in range(64):
        layer(np.full(1, number))
    assert layer(np.zeros((2, 2))) is not first


def _updating(rate, image, kernel, upstream):
    kernel -= rate * reference.conv2d_kernel_gradient(image, kernel, upstream)
    return kernel


@pytest.mark.parametrize(("rate", "refuted"), [({}, False), ({"rate": 1.0}, True)], ids=["2^60", "1"])
def test_update_shows_the_gradient(rate, refuted):
    """At the large rate the quotient is as exact as the contract wants; at 1 the kernel's rounding drowns it."""

    def kernel_gradient(image, kernel, upstream):
        return from_update(lambda rate: _updating(rate, image, kernel, upstream), kernel, **rate)

    assert bool(failure_of(rot90_form, conv2d_kernel_gradient=kernel_gradient)) is refuted


def test_update_loses_at_most_four_units():
    """The error stays below four units of the gradient itself, in size from 1e-15 to 1e15."""
    generator = np.random.default_rng(0)
    before = generator.standard_normal(1000)
    gradient = generator.standard_normal(1000) * 10.0 ** generator.integers(-15, 15, 1000)
    found = from_update(lambda rate: before - rate * gradient, before)
    assert np.all(np.abs(found - gradient) <= 4 * 2.0**-52 * np.abs(gradient))


def written(folder, **files):
    """A folder with these Python files."""
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def projects(tmp_path):
    """Two projects whose files have the same names."""
    for name in ("one", "two"):
        written(tmp_path / name, layers="import utils\nNAME = utils.NAME\n", utils=f"NAME = {name!r}\n")
    return tmp_path


def test_clashing_names_are_kept_apart(projects):
    """Each project sees its own `utils`, and nothing of either is left behind."""
    before = list(sys.path), set(sys.modules)
    assert [module_from(projects / name / "layers.py").NAME for name in ("one", "two", "one")] == ["one", "two", "one"]
    assert (list(sys.path), set(sys.modules)) == before


def test_clashing_names_are_kept_apart_within_a_target(projects):
    """A file with a `utils` of its own, loaded before and after, can load a project that has one too."""
    text = (
        "from pathlib import Path\nimport utils\nfrom backproof.adapters import module_from\n"
        "layers = module_from(Path(__file__).with_name('one') / 'layers.py')\n"
        "import utils as again\nNAMES = utils.NAME, layers.NAME, again.NAME\n"
    )
    (projects / "mine.py").write_text(text, encoding="utf-8")
    (projects / "utils.py").write_text("NAME = 'mine'\n", encoding="utf-8")
    assert module_from(projects / "mine.py").NAMES == ("mine", "one", "mine")


def test_module_of_that_name_stays_the_one_in_use(projects, monkeypatch):
    """What others have imported as `utils` is not what the project gets, and is theirs afterwards."""
    theirs = SimpleNamespace(NAME="theirs")
    monkeypatch.setitem(sys.modules, "utils", theirs)
    assert module_from(projects / "one" / "layers.py").NAME == "one"
    assert sys.modules["utils"] is theirs


def test_files_that_import_each_other(tmp_path):
    """A neighbour may import the file that is being loaded."""
    folder = written(tmp_path / "circle", layers="import utils\nNAME = 'layers'\n", utils="import layers\n")
    assert module_from(folder / "layers.py").NAME == "layers"
    assert "layers" not in sys.modules


def test_package_may_import_within_itself(tmp_path):
    """The `__init__.py` of a folder can be loaded, relative imports and all."""
    folder = written(tmp_path / "package", __init__="from .utils import NAME\n", utils="NAME = 'relative'\n")
    assert module_from(folder / "__init__.py").NAME == "relative"


def notebook(folder, name, *cells):
    """A notebook in this folder, by its path."""
    written = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    (folder / name).write_text(json.dumps({"cells": written}), encoding="utf-8")
    return folder / name


def test_notebooks_are_loaded_as_files_are(projects):
    """Each sees its own neighbours, magics are left out, and nothing of any is left behind."""
    before = list(sys.path), set(sys.modules)
    for name in ("one", "two"):
        notebook(projects / name, "work.ipynb", "%time\nimport utils", "import layers\nNAMES = utils.NAME, layers.NAME")
    found = [module_from(projects / name / "work.ipynb").NAMES for name in ("one", "two", "one")]
    assert found == [("one", "one"), ("two", "two"), ("one", "one")]
    assert (list(sys.path), set(sys.modules)) == before


def test_notebook_may_be_loaded_by_a_target(projects):
    """A target loads someone's notebook beside neighbours of its own, as it loads a file."""
    notebook(projects / "one", "mine.ipynb", "import utils\nNAME = utils.NAME")
    (projects / "utils.py").write_text("NAME = 'mine'\n", encoding="utf-8")
    text = (
        "from pathlib import Path\nimport utils\nfrom backproof.adapters import module_from\n"
        "theirs = module_from(Path(__file__).with_name('one') / 'mine.ipynb')\n"
        "def relu(x, names=(utils.NAME, theirs.NAME)): return x\n"
    )
    (projects / "mine.py").write_text(text, encoding="utf-8")
    assert load(str(projects / "mine.py")).operations["relu"].function.__defaults__ == (("mine", "one"),)


def test_notebook_called_like_a_library_may_use_it(tmp_path):
    """`import numpy` in `numpy.ipynb` is NumPy, as in Jupyter; everybody's stays theirs."""
    found = module_from(notebook(tmp_path, "numpy.ipynb", "import numpy", "HALF = numpy.ones(2) / 2"))
    assert found.HALF.tolist() == [0.5, 0.5]
    assert sys.modules["numpy"] is np


def test_module_of_a_notebooks_name_stays_the_one_in_use(tmp_path, monkeypatch):
    """What others have made a module of is not what the notebook finds, and is theirs afterwards."""
    theirs = SimpleNamespace(NAME="theirs")
    monkeypatch.setitem(sys.modules, "my_notebook", theirs)
    cell = "import sys\nNAME = getattr(sys.modules[__name__], 'NAME', 'mine')"
    assert module_from(notebook(tmp_path, "my_notebook.ipynb", cell)).NAME == "mine"
    assert sys.modules["my_notebook"] is theirs


def test_cell_that_raises_leaves_nothing_behind(tmp_path):
    """Its error is passed on; a file that is no notebook is refused."""
    before = list(sys.path), set(sys.modules)
    with pytest.raises(ZeroDivisionError):
        module_from(notebook(tmp_path, "raises.ipynb", "1 / 0"))
    (tmp_path / "empty.ipynb").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="is not a Jupyter notebook of format 4"):
        module_from(tmp_path / "empty.ipynb")
    assert (list(sys.path), set(sys.modules)) == before


@pytest.mark.parametrize(
    ("name", "error"),
    [("nowhere.py", FileNotFoundError), ("nowhere.ipynb", FileNotFoundError), ("text.txt", ImportError)],
)
def test_what_is_no_file_of_python_is_refused(tmp_path, name, error):
    """The message names the file."""
    (tmp_path / "text.txt").touch()
    with pytest.raises(error, match=name):
        module_from(tmp_path / name)


def test_missing_import_is_named_in_one_line(tmp_path):
    """The message says which file wants what, also where that file is loaded by another."""
    written(tmp_path / "one", layers="import math\nimport no_such_library.parts\n")
    (tmp_path / "mine.py").write_text(
        "from backproof.adapters import module_from\nmodule_from(__file__.replace('mine.py', 'one/layers.py'))\n",
        encoding="utf-8",
    )
    for path in (Path("one", "layers.py"), Path("mine.py")):
        with pytest.raises(CannotLoad) as caught:
            load(str(tmp_path / path))
        assert str(caught.value) == (
            f"{tmp_path / path} cannot be imported: "
            "layers.py, line 2, needs no_such_library, which is neither installed nor a file beside it"
        )


def test_notebook_sees_its_own_folder_alone(projects):
    """A notebook's neighbours are its own too, like those of a file."""
    for name in ("one", "two"):
        notebook(projects / name, "mine.ipynb", "import utils\ndef relu(x, name=utils.NAME): return x\n")
    functions = [load(str(projects / name / "mine.ipynb")).operations["relu"].function for name in ("one", "two")]
    assert [function.__defaults__ for function in functions] == [("one",), ("two",)]
    assert "utils" not in sys.modules
