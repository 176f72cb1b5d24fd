"""A further operation takes the files that CONTRIBUTING names, and no other: it is checked, explained and reported."""

import json
import os
import shutil
import subprocess
import sys

from tests.pages import ROOT

ROW = """    Smooth(
        "gudermannian",
        "The Gudermannian",
        "`1 / cosh(x)`",
        value=lambda x: elementary(2 * np.arctan(np.tanh(x / 2)), 2.0),
        slope=lambda x: elementary(1 / np.cosh(np.clip(x, -700, 700)), 1.0),
        stepped=lambda x: elementary(1 / np.cosh(np.clip(x, -700, 700)), 1.0),
        mirrored=lambda x, value: elementary(-value, 2.0),
        range=(-math.pi / 2, math.pi / 2),
        largest=math.pi / 2,
        third=1.0,
        formula="`y = 2 arctan(tanh(x / 2))`",
        slope_formula="`∂y/∂x = 1 / cosh(x)`",
    ),
)

BY_NAME = """
RIGHT = '''

def gudermannian(x):
    """`2 arctan(tanh(x/2))`."""
    return 2 * np.arctan(np.tanh(real(x, "x") / 2))


def gudermannian_derivative(x):
    """`1 / cosh(x)`."""
    return 1 / np.cosh(np.clip(real(x, "x"), -700, 700))


def gudermannian_gradient(x, upstream):
    """`upstream / cosh(x)`."""
    return upstream / np.cosh(np.clip(real(x, "x"), -700, 700))


__all__ += ["gudermannian", "gudermannian_derivative", "gudermannian_gradient"]
'''
MISTAKE = '''
import numpy as np

from ..harness.core.values import Array
from . import mistake


@mistake("gudermannian", "the half is forgotten", "x / 2 within tanh")
def half_forgotten(x: Array) -> Array:
    """It is `2 arctan(tanh(x))`."""
    return 2 * np.arctan(np.tanh(x))
'''
WRONG = """
import numpy as np


def gudermannian(x):
    return 2 * np.arctan(np.tanh(x))


def gudermannian_derivative(x):
    return 1 / np.cosh(np.clip(x, -700, 700))
"""
FILES = {
    "properties/layers/base/smooth.py": lambda text: text.replace(")\nBY_NAME = ", ROW, 1),
    "reference/activations.py": lambda text: text + RIGHT,
    "properties/mistakes/activations.py": lambda text: text + MISTAKE,
    "docs/targets.md": lambda text: text.replace("`softplus`,", "`softplus` `gudermannian`,", 1),
}


def test_a_row_in_four_files_is_an_operation(tmp_path):
    """The reference's new activation holds, a wrong one is refuted, and its mistake named with what is right."""
    house = tmp_path / "house"
    for name in ("properties", "reference", "docs"):
        shutil.copytree(ROOT / name, house / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, changed in FILES.items():
        before = (house / name).read_text(encoding="utf-8")
        assert changed(before) != before, name
        (house / name).write_text(changed(before), encoding="utf-8")
    (house / "wrong.py").write_text(WRONG, encoding="utf-8")
    found = {}
    for target in ("reference", "wrong.py"):
        command = [sys.executable, "-m", "properties", target, "-k", "gudermannian", "--json", f"{target}.json"]
        done = subprocess.run(command, cwd=house, env={**os.environ, "PYTHONPATH": str(house)}, capture_output=True)
        assert done.returncode == (target == "wrong.py"), done.stdout.decode()
        found[target] = json.loads((house / f"{target}.json").read_text(encoding="utf-8"))
    operations = {entry["operation"] for entry in found["reference"]["properties"]}
    assert operations == {"gudermannian", "gudermannian_derivative", "gudermannian_gradient"}
    assert found["reference"]["totals"]["held"] == len(found["reference"]["properties"]) >= 10
    entry = next(entry for entry in found["wrong.py"]["properties"] if entry["outcome"] == "refuted")
    assert entry["mistakes"] == ["gudermannian: half forgotten"]
    assert "x / 2 within tanh" in entry["diagnosis"][0]


def test_contributing_names_these_files():
    """What CONTRIBUTING says of a smooth activation is what this test does."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("| a smooth activation |")]
    assert all(f"`{name}`" in line for name in FILES)
    assert line.count("`") == 2 * len(FILES)
