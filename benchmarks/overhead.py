"""Which share of a run is spent in the target's own functions: its limit is 1.

It checks the reference, and a target that does everything ten times over, and lists the properties, the worst first.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.command import command

SLOWER = 10
SLOW_TARGET = """
import reference
from properties.layers import OPERATIONS


def slowed(function):
    def slow(*arguments):
        for _ in range({times} - 1):
            function(*arguments)
        return function(*arguments)

    return slow


globals().update({{name: slowed(getattr(reference, name)) for name in OPERATIONS if hasattr(reference, name)}})
"""


def shares(target: str, folder: Path) -> dict[str, Any]:
    """The share of each property that ran, by its id, of all of them, and of those about a gradient."""
    path = folder / "report.json"
    call = [sys.executable, "-m", "properties", target, "--json", str(path)]
    if subprocess.run(call, capture_output=True, check=False).returncode:
        raise SystemExit(f"{target} does not hold")
    ran = [entry for entry in json.loads(path.read_text(encoding="utf-8"))["properties"] if entry["seconds"]]
    about_gradients = [entry for entry in ran if "gradient" in entry["operation"] or "derivative" in entry["operation"]]
    return {
        "all": _share(ran),
        "gradients": _share(about_gradients),
        "properties": {entry["id"]: _share([entry]) for entry in sorted(ran, key=lambda entry: _share([entry]))},
    }


def _share(entries: list[dict[str, Any]]) -> float:
    return sum(entry["seconds_in_target"] for entry in entries) / sum(entry["seconds"] for entry in entries)


def main(worst: int = 10) -> dict[str, Any]:
    """Measure, print, and return the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        slow = folder / "slow.py"
        slow.write_text(SLOW_TARGET.format(times=SLOWER), encoding="utf-8")
        figures = {
            "reference": shares("reference", folder),
            f"{SLOWER} times slower": shares(str(slow), folder),
        }
    for target, found in figures.items():
        print(f"{target}: {found['all']:.0%} of the run in the target, {found['gradients']:.0%} for gradients; worst:")
        for identifier, share in list(found["properties"].items())[:worst]:
            print(f"  {share:4.0%}  {identifier}")
    return figures


if __name__ == "__main__":
    command(main, worst="properties listed")
