"""The scripts of failures: each fails on the wrong target that it was made for, and passes once that is mended."""

import json
import subprocess
import sys
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from msgspec.structs import replace

from benchmarks import trials
from properties.harness.checking import conventions
from properties.harness.checking.conventions import explored
from properties.harness.checking.properties import all_properties, arguments_of
from properties.harness.checking.trial import on_trial
from properties.harness.core.reason import Reason
from properties.harness.core.text import literal
from properties.harness.report.results import blank
from properties.harness.run.scripts import MARK, NOT_ALONE, settle_scripts, write_scripts
from properties.harness.target.target import load
from properties.harness.why.reproduction import DEPENDS, of_one_call, reproductions

RUN = "import runpy, sys; sys.modules['properties'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"
ENTRIES = {entry.id: entry for entry in all_properties().values()}
RELU = "def relu(x): return np.maximum(x, 0.0)"
CONV2D = """
def conv2d(image, kernel):
    return np.einsum("ijab,ab", np.lib.stride_tricks.sliding_window_view(image, kernel.shape), kernel)
def conv2d_kernel_gradient(image, kernel, upstream):
    return conv2d(image, upstream)
"""
POOLING = """
def max_pool_gradient(x, window, upstream):
    grown = lambda array: array.repeat(window[0], 0).repeat(window[1], 1)
    mask = x == grown(max_pool(x, window))
    given = mask * grown(upstream / sums(mask, window))
    return given
def max_pool(x, window):
    return x.reshape(x.shape[0] // window[0], window[0], -1, window[1]).max(axis=(1, 3))
def sums(x, window):
    return x.reshape(x.shape[0] // window[0], window[0], -1, window[1]).sum(axis=(1, 3))
"""
DENSE = """
def dense_gradients(features, weights, upstream):
    return upstream.item() * weights.T, upstream.item() * features.T
"""
ROWS = """
def dense_gradients(features, weights, upstream):
    return upstream @ weights.T, features.T @ upstream
"""
MEAN = """
LAYOUT, KERNEL_LAYOUT, GRADIENTS = "NHWC", "hwIO", "mean"
def conv2d_kernel_gradient(image, kernel, upstream):
    windows = np.lib.stride_tricks.sliding_window_view(image, upstream.shape[1:3], axis=(1, 2))
    return np.einsum("nabcij,nijo->abco", windows, upstream)[::-1, ::-1] / len(image)
"""
NETWORK = (
    CONV2D
    + POOLING
    + """
def gradients(image, target, kernel, weights):
    y = conv2d(image, kernel)
    pooled = max_pool(np.maximum(y, 0), (2, 2))
    s = pooled.ravel() @ weights.ravel()
    delta = (np.arctan(s) - target) / (1 + s * s)
    upstream = max_pool_gradient(np.maximum(y, 0), (2, 2), delta * weights.reshape(pooled.shape)) * (y > 0)
    return conv2d_kernel_gradient(image, kernel, upstream), delta * pooled.reshape(-1, 1)
"""
)
TRAINING = (
    NETWORK
    + """
def train_step(image, target, kernel, weights, learning_rate):
    moves = gradients(image, target, kernel, weights)
    kernel -= learning_rate * moves[0]
    weights -= learning_rate * moves[1]
    return kernel, weights
"""
)
RAISED = ("IndexError", "read-only")
SHOWS = "# It ends with status 1 as long as it fails, with 0 once that is mended."
KEEPS = "calls.keeps_the_contract[{}]"
WRONG = {  # the property, the right functions, what is replaced by what, and words of what the script says
    "value": (
        "convolution.kernel_gradient_is_the_rot90_form",
        CONV2D,
        ("return conv2d(image, upstream)", "return conv2d(image[::-1, ::-1], upstream)"),
        "conv2d_kernel_gradient is wrong: off by 1, allowed ",
    ),
    "relation": (
        "convolution.kernel_gradient_is_the_adjoint",
        CONV2D,
        ("return conv2d(image, upstream)", "return 2 * conv2d(image, upstream)"),
        "conv2d_kernel_gradient is wrong: off by 1, allowed ",
    ),
    "tie": (
        "pooling.gradient_at_ties_is_a_subgradient",
        POOLING,
        ("grown(upstream / sums(mask, window))", "grown(upstream)"),
        "max_pool_gradient is wrong: off by 1, allowed ",
    ),
    "kink": (
        "network.gradients_at_kinks_are_conservative",
        NETWORK,
        ("grown(upstream / sums(mask, window))", "grown(upstream)"),
        "gradients is wrong: off by ",
    ),
    "kink in place": (
        "training.train_step_at_kinks_is_conservative",
        TRAINING,
        ("grown(upstream / sums(mask, window))", "grown(upstream)"),
        "train_step is wrong: off by ",
    ),
    "tie in place": (
        "pooling.gradient_at_ties_is_a_subgradient",
        POOLING.replace("return mask * ", "x[...] = mask * ").replace(
            "def max_pool(", "    return x\ndef max_pool(", 1
        ),
        ("grown(upstream / sums(mask, window))", "grown(upstream)"),
        "max_pool_gradient is wrong: off by 1, allowed ",
    ),
    "derivative at 0": (
        "activations.relu_derivative_at_zero_is_a_subgradient",
        "def relu_derivative(x): return (x > 0) + 0.25 * (x == 0)",
        ("0.25", "2"),
        "relu_derivative is wrong: off by 1, allowed 0",
    ),
    "crash": (
        "calls.holds_at_a_larger_size[relu]",
        RELU,
        ("return", "return [][x.size] if x.size > 20 else"),
        "IndexError",
    ),
    "exit": (
        "activations.relu_is_the_positive_part",
        RELU,
        ("return", "return sys.exit(0) or"),
        "relu ends its process, with status 0",
    ),
    "state": (
        KEEPS.format("relu"),
        "calls = []\ndef relu(x):\n    calls.append(0)\n    return np.maximum(x, 0.0)",
        ("np.maximum(x, 0.0)", "np.maximum(x, 0.0) + len(calls) % 2"),
        "relu is wrong: off by 1",
    ),
    "kept by shape": (
        "activations.relu_is_the_positive_part",
        "kept = {}\ndef relu(x): return kept.setdefault(x.tobytes(), np.maximum(x, 0.0))",
        ("x.tobytes()", "x.shape"),
        "relu is wrong: off by ",
    ),
    "kept by an operation": (
        "convolution.image_gradient_is_the_full_correlation",
        CONV2D.replace("    return np.einsum", "    kept.append(0)\n    return np.einsum")
        + "kept = []\ndef conv2d_image_gradient(image, kernel, upstream):\n"
        "    wide = np.pad(upstream, [(side - 1, side - 1) for side in kernel.shape])\n"
        "    return conv2d(wide, kernel[::-1, ::-1]) * (1 + 0 * len(kept))\n",
        ("0 * len(kept)", "(len(kept) > 1)"),
        "conv2d_image_gradient is wrong: off by ",
    ),
    "kept for a while": (
        "activations.relu_is_the_positive_part",
        "calls = []\ndef relu(x):\n    calls.append(0)\n    return np.maximum(x, 0.0) + 0 * (len(calls) > 5)",
        ("0 * (len", "0.5 * (len"),
        "relu is wrong: off by 0.5",
    ),
    "kept by identity": (
        KEEPS.format("relu"),
        "kept = [0, 0]\ndef relu(x):\n    if True: kept[:] = [x, np.maximum(x, 0.0)]\n    return kept[1]",
        ("if True", "if kept[0] is not x"),
        "relu is wrong: off by ",
    ),
    "argument": (
        KEEPS.format("relu"),
        RELU,
        ("np.maximum(x, 0.0)", "(np.maximum(x, 0.0), x.fill(7.0))[0]"),
        "changes its argument x",
    ),
    "answer": (
        KEEPS.format("relu"),
        "kept = {}\ndef relu(x):\n    answer = kept.setdefault(x.shape, x.copy())\n"
        "    answer[...] = np.maximum(x, 0.0)\n    return answer.copy()",
        ("answer.copy()", "answer"),
        "relu changes an answer that it gave before",
    ),
    "memory order": (
        KEEPS.format("relu"),
        'def relu(x): return np.maximum(x, 0.0).ravel("C").reshape(x.shape)',
        ('"C"', '"K"'),
        "relu is wrong: off by ",
    ),
    "read-only": (KEEPS.format("relu"), RELU, ("return", "x[...] = x; return"), "read-only"),
    "surroundings": (
        "calls.leaves_its_surroundings_alone[relu]",
        RELU,
        ("return", "np.random.seed(0); return"),
        "relu changed NumPy's random state",
    ),
    "dtype": ("activations.relu_is_the_positive_part", RELU, ("return", "return 1j *"), "relu is wrong: off by inf"),
    "shape": (
        "activations.relu_is_the_positive_part",
        RELU,
        ("return", "return [0, 1] or"),
        "relu is wrong: off by inf",
    ),
    "None": (
        "activations.relu_is_the_positive_part",
        RELU,
        ("return", "return None and"),
        "relu is wrong: off by inf",
    ),
    "function of another operation": (
        "dense_options.weights_gradient_is_features_times_all_upstream",
        ROWS,
        ("features.T @ upstream", "2 * features.T @ upstream"),
        "dense_gradients_with_options is wrong: off by ",
    ),
    "mean in a layout of its own": (
        "convolution.kernel_gradient_is_the_rot90_form",
        MEAN,
        (" / len(image)", ""),
        "conv2d_kernel_gradient is wrong: off by 0.5, allowed ",
    ),
    "NaN": ("activations.relu_is_the_positive_part", RELU, ("return", "return np.nan *"), "relu is wrong: off by nan"),
    "pair": (
        "dense.features_gradient_is_upstream_times_weights",
        DENSE,
        ("features.T", "features.T, 1, 2"),
        "dense_gradients is wrong: it must return a pair",
    ),
    "second of a pair": (
        "dense.weights_gradient_is_features_times_upstream",
        DENSE,
        ("features.T", "features"),
        "dense_gradients is wrong: off by inf",
    ),
}


@contextmanager
def trial_of(spec):
    """A trial of a target by its name, as the command makes it."""
    target = explored(load(spec))
    with on_trial(target, conventions.find(target)) as trial:
        yield trial


def script_of(spec, name):
    """The script for a property that the target fails."""
    entry = ENTRIES[name]
    statement = entry.function
    with trial_of(spec) as trial:
        operations = arguments_of(statement, trial.target, entry.operation)
        failure = trials.failure_of(statement, operations, trial)
        assert failure is not None
        return settled(reproductions(entry, statement, operations, failure), spec)


def settled(scripts, spec):
    """The script that a result with these ones gets."""
    result = replace(blank(), outcome="refuted", scripts=list(scripts))
    settle_scripts([result], spec)
    return result.script


def ran(script, folder):
    """The exit status and the words of a script, run where this project cannot be imported."""
    Path(folder, "script.py").write_text(script, encoding="utf-8")
    command = [sys.executable, "-I", "-c", RUN, "script.py"]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8")
    return process.returncode, process.stdout + process.stderr


def written(text, folder, name="mine.py"):
    """A target's file; what was compiled of another one in the same second goes."""
    Path(folder, name).parent.mkdir(exist_ok=True)
    Path(cache_from_source(str(Path(folder, name)))).unlink(missing_ok=True)
    Path(folder, name).write_text(f"import sys\nimport numpy as np\n{text}")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory; statements draw as many examples as they do by default."""
    monkeypatch.chdir(tmp_path)
    trials.settle(100)
    return tmp_path


@pytest.mark.parametrize(("name", "right", "change", "words"), WRONG.values(), ids=WRONG)
def test_script_fails_until_the_target_is_mended(folder, name, right, change, words):
    """By itself the script shows the failure with status 1, and with 0 that it is mended."""
    assert change[0] in right
    written(right.replace(*change), folder)
    script = script_of("mine.py", name)
    status, output = ran(script, folder)
    assert status == 1, output
    assert words in output
    assert "Traceback" not in output or words in RAISED
    written(right, folder)
    assert ran(script, folder)[0] == 0
    assert script.startswith(f"{MARK}{name}\n{SHOWS}\n")
    assert max(map(len, script.splitlines())) <= 130


NAMED = {
    "inner/mine-own.py:holder.inner": "inner/mine-own.py",
    "inner/mine.py": "inner/mine.py",
    "inner.mine:holder.inner": "inner/mine.py",
    "inner.mine": "inner/mine.py",
    "class.py": "class.py",
    "inner/random.py": "inner/random.py",
    "my own/my net.py": "my own/my net.py",
    "inner/__init__.py": "inner/__init__.py",
}


@pytest.mark.parametrize(("spec", "name"), NAMED.items(), ids=NAMED)
def test_script_imports_the_target_by_its_name(folder, spec, name, monkeypatch):
    """A file, a module, a package and an object in one are imported as they were named, from the working directory."""
    monkeypatch.delitem(sys.modules, "inner.mine", raising=False)
    monkeypatch.delitem(sys.modules, "inner", raising=False)
    text = (
        f"from types import SimpleNamespace\n{RELU} + 1\nholder = SimpleNamespace(inner=SimpleNamespace(relu=relu))\n"
    )
    if name == "inner/__init__.py":
        written("", folder, "inner/beside.py")
        text += "from . import beside\n"
    written(text, folder, name)
    script = script_of(spec, "activations.relu_is_the_positive_part")
    assert SHOWS in script
    assert ran(script, folder)[0] == 1
    written(text.replace("+ 1", ""), folder, name)
    assert ran(script, folder)[0] == 0


@pytest.mark.parametrize(("attribute", "prefix"), [("", ""), (":mine", "mine.")])
def test_script_of_a_notebook_is_tried_in_it(folder, attribute, prefix):
    """It is for pasting into a last cell, and is run there when it is made."""
    code = f"import numpy as np\nclass mine:\n    relu = staticmethod(lambda x: x)\n{RELU} + 1\n"
    cells = [{"cell_type": "code", "source": ["%matplotlib inline\n"]}, {"cell_type": "code", "source": [code]}]
    Path("my net.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4}))
    script = script_of(f"my net.ipynb{attribute}", "activations.relu_is_the_positive_part")
    assert SHOWS in script
    assert f"np.asarray({prefix}relu(x))" in script


def test_what_fails_after_other_calls_alone_is_told(folder):
    """Where a script shows nothing, or needs calls before, a failure without a reason says that it rests on them."""
    for scripts in (["# right\nexpected = 1\n"], [f"# row\n{DEPENDS}\nexpected = 1\nraise SystemExit(1)\n"]):
        result = replace(blank(), outcome="refuted", scripts=scripts)
        settle_scripts([result], "mine.py")
        assert result.reasons == [NOT_ALONE]
    named = replace(blank(), outcome="refuted", scripts=["# right\nexpected = 1\n"], reasons=[Reason("known")])
    shown = replace(blank(), outcome="refuted", scripts=["# wrong\nexpected = 1\nraise SystemExit(1)\n"])
    settle_scripts([named, shown], "mine.py")
    assert (named.reasons, shown.reasons) == ([Reason("known")], [])


def test_script_that_shows_nothing_says_so(folder):
    """What fails only where the check ran, or cannot be imported again, is not told to be shown."""
    name = "activations.relu_is_the_positive_part"
    written(f"{RELU} + ('hypothesis' in sys.modules)", folder)
    script = script_of("mine.py", name)
    assert SHOWS not in script
    assert "It cannot show the failure alone. When it was made it was run, and ended with status 0" in script
    assert ran(script, folder)[0] == 0
    written(f"{RELU} + 1\nif 'hypothesis' not in sys.modules: import nothing_like_it", folder)
    script = script_of("mine.py", name)
    assert "something else stopped it before the check, such as an import" in script.replace("\n# ", " ")


def test_script_of_an_object_is_for_pasting(folder):
    """What no import gives is called by its own name."""
    statement = ENTRIES["activations.relu_is_the_positive_part"].function
    changed = {"relu": lambda x: x}
    with trials.trial_of(trials.reference_with(changed)) as trial:
        operations = arguments_of(statement, trial.target)
        failure = trials.failure_of(statement, operations, trial)
        entry = ENTRIES["activations.relu_is_the_positive_part"]
        script = settled(reproductions(entry, statement, operations, failure), None)
    assert "# Paste it where the function is defined" in script
    assert "# It was not run when it was made." in script
    assert ran(f"relu = lambda x: x\n{script}", folder)[0] == 1
    assert ran(f"relu = lambda x: x * (x > 0)\n{script}", folder)[0] == 0


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 11)"])
def test_call_that_ends_its_process_is_made_in_another(folder, end):
    """The script of such a call ends with status 1, whatever the status of what it ends."""
    entry = ENTRIES["activations.relu_is_the_positive_part"]
    call = {"x": {"dtype": "float64", "shape": [1], "data": [0.5]}}
    written(f"import os\ndef relu(x): {end}", folder)
    script = settled(of_one_call(entry, "mine.py", "relu", call, "it ended the process"), "mine.py")
    assert SHOWS in script
    status, output = ran(script, folder)
    assert status == 1
    assert "relu ends its process, with status" in output
    written(RELU, folder)
    assert ran(script, folder)[0] == 0


def test_call_that_does_not_come_back_is_ended(folder):
    """The script of a call that hangs ends it, with status 1."""
    entry = ENTRIES["activations.relu_is_the_positive_part"]
    call = {"x": {"dtype": "float64", "shape": [1], "data": [0.5]}}
    written("import time\ndef relu(x): time.sleep(20)", folder)
    script = settled(of_one_call(entry, "mine.py", "relu", call, "it did not come back", 2), "mine.py")
    assert SHOWS in script
    assert ran(script, folder)[0] == 1
    written(RELU, folder)
    assert ran(script, folder)[0] == 0


@pytest.mark.parametrize("seed", range(5))
def test_literals_are_exact(seed):
    """A literal gives every bit again: long, tiny, huge and negative zero."""
    generator = np.random.default_rng(seed)
    value = generator.standard_normal((3, 40)) * 10.0 ** generator.integers(-300, 300, (3, 40))
    value[0, :3] = -0.0, 5e-324, np.finfo(float).max
    names = {"np": np}
    exec(literal("value", value), names)  # noqa: S102
    assert names["value"].tobytes() == value.tobytes()


def test_words_of_a_target_stay_comments(folder):
    """A message with line breaks and quotes does not become code."""
    written('def relu(x): raise ValueError("a\\nimport os\\x1b \\"\\"\\" \\u2028 b")', folder)
    script = script_of("mine.py", "activations.relu_is_the_positive_part")
    assert "\nimport os" not in script
    assert "\x1b" not in script
    assert ran(script, folder)[0] == 1


def test_files_are_written_beside_and_nothing_is_overwritten(folder):
    """Scripts go into a folder of the report's name; an earlier run's are removed, a stranger's file is left alone."""
    scripts = {"calls.keeps_the_contract[relu]": f"{MARK}a\n", "b": None}
    report = SimpleNamespace(properties=[replace(blank(), id=name, script=script) for name, script in scripts.items()])
    written_to, refused = write_scripts(report, Path("out.json"))
    place = Path("out-failures", "calls.keeps_the_contract-relu.py")
    assert (written_to, refused) == ({"calls.keeps_the_contract[relu]": str(place)}, [])
    (place.parent / "old.py").write_text(f"{MARK}old\n")
    (place.parent / "my_own.py").write_text("keep = True\n")
    place.write_text("keep = True\n")
    written_to, refused = write_scripts(report, Path("out.json"))
    assert (written_to, refused) == ({}, [f"{place} is left as it is: it is no script of a failure"])
    assert sorted(path.name for path in place.parent.iterdir()) == [place.name, "my_own.py"]
    assert place.read_text() == "keep = True\n"
    Path("all-failures").write_text("a file")
    assert write_scripts(report, Path("all.json"))[1][0].startswith("cannot write the scripts of the failures into ")
