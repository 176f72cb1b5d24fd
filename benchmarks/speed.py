"""How long a default run takes, and how soon a wrong formula is reported with its shrunk counterexample.

It times whole processes, and beside them, in the same run, Hypothesis alone on as many examples of one string of bytes
each: the peer that the machine's speed is measured by.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.command import command, compiled
from properties.harness.checking.properties import all_properties

RUNS = 3
BARE = """
import hypothesis, hypothesis.strategies as st
settings = hypothesis.settings(max_examples=100, database=None, deadline=None)
for size in range({properties}):
    settings(hypothesis.given(st.binary(min_size=100 + size, max_size=100 + size))(lambda data: None))()
"""
WRONG = {
    "leaky ReLU": "def relu(x): return np.where(x > 0, x, 0.01 * x)",
    "arctan's derivative at the output": "def arctan_derivative(x): return 1 / (1 + np.arctan(x) ** 2)",
    "mean for sum": "def conv2d(image, kernel): return reference.conv2d(image, kernel) / kernel.size",
    "outer rotation missing": """def conv2d_kernel_gradient(image, kernel, upstream):
    return np.rot90(reference.conv2d_kernel_gradient(image, kernel, upstream), 2)""",
    "convolution for correlation": """def conv2d_image_gradient(image, kernel, upstream):
    return reference.conv2d_image_gradient(image, np.rot90(kernel, 2), upstream)""",
    "zero padding": "def max_pool(x, window): return np.maximum(reference.max_pool(x, window), 0)",
    "every tied maximum": "max_pool_gradient = reference.mask_repeat",
    "features for weights": """def dense_gradients(features, weights, upstream):
    return features * upstream, features.T @ upstream""",
    "cost without half": "def cost(*point): return 2 * reference.cost(*point)",
    "a billionth too much": """def gradients(*point):
    kernel, weights = reference.gradients(*point)
    return kernel * (1 + 1e-9), weights""",
    "stale step": """def train_step(image, target, kernel, weights, rate):
    moved = kernel - rate * reference.gradients(image, target, kernel, weights)[0]
    return moved, weights - rate * reference.gradients(image, target, moved, weights)[1]""",
}


def seconds(command: list[str], status: int) -> float:
    """How long the command takes as a process; it must end with this status."""
    started = time.perf_counter()
    ended = subprocess.run(command, env=compiled(), capture_output=True, text=True, check=False)
    if ended.returncode != status:
        raise SystemExit(f"{' '.join(command)} ended with {ended.returncode}, not {status}:\n{ended.stderr}")
    return time.perf_counter() - started


def main() -> dict[str, float]:
    """Measure, print, and return the figures."""
    check = [sys.executable, "-m", "properties"]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        seconds([*check, "--json", str(report)], 0)  # compiles, and says how many properties draw examples
        full = [seconds(check, 0) for _ in range(RUNS)]
        sampled = {entry.id for entry in all_properties().values() if entry.is_sampled}
        entries = json.loads(report.read_text(encoding="utf-8"))["properties"]
        properties = sum(entry["id"] in sampled and entry["examples"] > 0 for entry in entries)
        two = [seconds([*check, "-n", "2"], 0) for _ in range(RUNS)]
        bare = [seconds([sys.executable, "-c", BARE.format(properties=properties)], 0) for _ in range(RUNS)]
        first, whole = {}, {}
        for number, (name, code) in enumerate(WRONG.items()):
            path = Path(folder) / f"wrong_{number}.py"
            path.write_text(
                f"import numpy as np\nimport reference\nfrom reference import *\n{code}\n", encoding="utf-8"
            )
            first[name] = seconds([*check, str(path), "--fail-fast"], 1)
            whole[name] = seconds([*check, str(path)], 1)
    figures = {
        "default run, s": statistics.median(full),
        "the same with -n 2, s": statistics.median(two),
        "times as fast with -n 2": statistics.median(full) / statistics.median(two),
        "Hypothesis alone on as many examples, s": statistics.median(bare),
        "ratio": statistics.median(full) / statistics.median(bare),
        "first counterexample (--fail-fast), median s": statistics.median(first.values()),
        "first counterexample (--fail-fast), worst s": max(first.values()),
        "whole report of a wrong formula, median s": statistics.median(whole.values()),
    }
    for name, figure in {**figures, **{f"  {name}, s": figure for name, figure in first.items()}}.items():
        print(f"{name:55s} {figure:6.2f}")
    return figures


if __name__ == "__main__":
    command(main)
