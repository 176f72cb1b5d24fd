"""What other libraries do where the mathematics leaves the choice: a table of the examples, as the suite finds it.

`python -m benchmarks.conventions [--json FILE]` probes every target in `examples/`: whether its convolution flips the
kernel, where the gradient of a tied maximum goes, ReLU's derivative at 0, and the precision that it declares. Examples
of libraries that are not installed are left out.
"""

import ast
import platform
import re
import shutil
import subprocess
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.command import command
from properties.harness.checking.conventions import examined
from properties.harness.target.target import load

EXAMPLES = Path(__file__).parents[1] / "examples"
INSTALLED_OTHERWISE = ("Python", "cc")  # not from the package index
HEADER = """\
| example | library | convolution | a tied maximum's gradient goes to | ReLU'(0) | precision |
| --- | --- | --- | --- | --- | --- |"""
WORDS = {
    "convolution": "true convolution",
    "correlation": "cross-correlation",
    "first": "the first",
    "last": "the last",
    "even split": "all, split evenly",
    "all": "all, each whole: refuted",
    None: "–",
}


def claims(path: Path) -> dict[str, list[str]]:
    """What an example's page lists, `- name: claim` a line, by name."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    found: dict[str, list[str]] = {}
    for name, claim in re.findall(r"^- ([^:]+): (.+)$", text, re.MULTILINE):
        found.setdefault(name, []).append(claim)
    return found


def lacks(library: str) -> bool:
    """Whether the library, by its name in the package index, is not installed here."""
    return library not in INSTALLED_OTHERWISE and not any(distributions(name=library))


def versioned(library: str) -> str:
    """The library, as its example names it, and its version here; `PackageNotFoundError` if it is not installed."""
    if library == "Python":
        return f"Python {platform.python_version()}"
    if library == "cc":
        compiler = shutil.which("cc") or "cc"
        return f"C, cc {subprocess.run([compiler, '-dumpversion'], capture_output=True, text=True, check=True).stdout}"
    return f"{library} {version(library)}"


def measure(path: Path) -> dict[str, Any]:
    """One row of the table: what the suite finds out about an example; `CannotLoad` if it cannot be loaded."""
    target, found = examined(load(str(path)))
    return {
        "example": path.name,
        "library": versioned(claims(path)["Library"][0]).strip(),
        "convolution": found.convolution,
        "ties": found.ties,
        "relu_derivative_at_zero": found.relu_derivative_at_zero,
        "dtype": target.dtype,
    }


def line(row: dict[str, Any]) -> str:
    """A row in Markdown."""
    at_zero = row["relu_derivative_at_zero"]
    words = [WORDS.get(row[name], row[name]) for name in ("convolution", "ties")]
    cells = [f"`{row['example']}`", row["library"], *words, "–" if at_zero is None else f"{at_zero:g}", row["dtype"]]
    return f"| {' | '.join(cells)} |"


def main() -> list[dict[str, Any]]:
    """Probe, print the table, and return the findings."""
    paths = [path for path in sorted(EXAMPLES.glob("*.py")) if not lacks(claims(path)["Library"][0])]
    rows = [measure(path) for path in tqdm(paths, unit="example", delay=1, disable=None)]
    print(HEADER, *map(line, rows), sep="\n")
    return rows


if __name__ == "__main__":
    command(main)
