"""How long it takes from the start of the process to the first example, and which imports take it.

It times, as whole processes, the reference and a target that needs no SciPy, up to the first example of a property, and
lists the imports that take longest (`python -X importtime`).
"""

import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.command import command, compiled

WANTED = {"reference": 1.2, "no SciPy": 0.7}
LONGEST = 12
PROPERTY = "relu_is_the_positive_part"
TARGET = """
import os, sys, time
import numpy as np
{line}


def relu(x):
    frame = sys._getframe()
    while frame and frame.f_code.co_name != "test_{property}":
        frame = frame.f_back
    if frame:  # not the first look at the target
        with open(os.environ["FIRST_EXAMPLE"], "a") as file:
            file.write(f"{{time.time()}}\\n")
    return np.maximum(x, 0)
"""


def first_example(folder: Path, line: str) -> float:
    """Seconds from the start of a process to the first example, for a target with this line of imports."""
    (folder / "target.py").write_text(TARGET.format(line=line, property=PROPERTY), encoding="utf-8")
    moments = folder / "moments"
    moments.write_text("", encoding="utf-8")
    command = [sys.executable, "-m", "properties", "target.py", "-k", PROPERTY, "--examples", "1"]
    started = time.time()
    subprocess.run(command, cwd=folder, env=compiled({"FIRST_EXAMPLE": str(moments)}), capture_output=True, check=True)
    return float(moments.read_text(encoding="utf-8").split()[0]) - started


def imports() -> list[tuple[float, str]]:
    """The modules that take longest to import, with what they import, in seconds; the outermost of each package."""
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-c",
        "import properties.harness.run.run, properties.harness.report.terminal",
    ]
    lines = subprocess.run(command, env=compiled(), capture_output=True, text=True, check=True).stderr.splitlines()
    found = [re.match(r"import time:\s+\d+ \|\s+(\d+) \| ( *)(\S+)", line) for line in lines]
    times = {one[3]: int(one[1]) / 1e6 for one in found if one}
    packages = {name: seconds for name, seconds in times.items() if "." not in name}
    return sorted(((seconds, name) for name, seconds in packages.items()), reverse=True)[:LONGEST]


def main(runs: int = 5) -> dict[str, dict[str, float]]:
    """Measure, print, and return the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = {
            target: statistics.median(first_example(folder, line) for _ in range(runs))
            for target, line in (("reference", "import reference"), ("no SciPy", ""))
        }
    for target, found in seconds.items():
        print(f"{target:10s} {found:.2f} s to the first example, {WANTED[target]} s wanted")
    longest = imports()
    for took, module in longest:
        print(f"  {took:.2f} s  import {module}")
    return {"seconds": seconds, "imports": {module: took for took, module in longest}}


if __name__ == "__main__":
    command(main, runs="of which the median")
