"""How long it takes from the start of a process to the shrunk counterexample of each mistake, and how small that is.

Each mistake of the catalogue is in a target of its own, beside the reference's right operations, and checked with
`python -m properties TARGET --fail-fast` as a process, one after the other, until the first failure shows on its
terminal. The smallest counterexample is known by search (`benchmarks.smallest`), so that it is an upper bound: what the
search does not find may exist.
"""

import json
import os
import pty
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

import reference
from benchmarks.command import command, compiled
from benchmarks.smallest import NotSearched, shapes_of, size_of, smallest
from properties.harness.checking.properties import all_properties
from properties.harness.core.text import decoded
from properties.harness.report.data import FAILING
from properties.layers import OPERATIONS
from properties.mistakes import Mistake, all_mistakes

WANTED = {"median": 2.0, "95th percentile": 4.0, "worst": 6.0}
SHOWN = b"the first failure, after "
WANTED_SMALLEST = 0.95
LISTED = 10
TARGET = """from properties.mistakes import all_mistakes
from properties.mistakes.right import single
from reference import *

for name in {siblings!r}:
    globals()[name] = single(name)
{operation} = next(one for one in all_mistakes() if one.id == {id!r}).make()
"""


class NotRefuted(Exception):
    """A check of a mistake ended otherwise than it should have."""


def lacking(operation: str) -> list[str]:
    """The other operations of the same layer that the reference has not: some mistakes are such beside these alone."""
    signature = OPERATIONS[operation]
    layer = [] if signature.where else [name for name, one in OPERATIONS.items() if one.layer == signature.layer]
    return [name for name in layer if name != operation and not hasattr(reference, name)]


def timed(mistake: Mistake) -> dict[str, Any]:
    """One mistake, checked as a user would: how long the process takes, what refutes it, and where the time goes."""
    with tempfile.TemporaryDirectory() as name:
        target, path = Path(name) / "target.py", Path(name) / "report.json"
        text = TARGET.format(operation=mistake.operation, id=mistake.id, siblings=lacking(mistake.operation))
        target.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "properties", str(target), "--fail-fast", "--json", str(path)]
        environment = compiled({"HYPOTHESIS_STORAGE_DIRECTORY": name})  # no failure of another run comes first
        ours, theirs = pty.openpty()
        started, seconds, shown = time.perf_counter(), None, b""
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        with suppress(OSError):  # which is how the end of a terminal shows
            while read := os.read(ours, 10_000):
                shown += read
                if seconds is None and SHOWN in shown:
                    seconds = time.perf_counter() - started
        os.close(ours)
        if process.wait() != 1 or seconds is None:
            raise NotRefuted(f"{mistake.id}, status {process.returncode}")
        entries = json.loads(path.read_text(encoding="utf-8"))["properties"]
    refuting = next(entry for entry in entries if entry["outcome"] in FAILING)
    case = {name: decoded(value) for name, value in refuting["counterexample"].items()}
    shapes = shapes_of(case, refuting["operations"])
    return {
        "mistake": mistake.id,
        "seconds": seconds,
        "in_others": sum(entry["seconds"] for entry in entries if entry is not refuting),
        "in_refuting": refuting["seconds"],
        "property": refuting["id"],
        "examples": refuting["examples"],
        "shapes": shapes,
        "size": size_of(shapes),
    }


def searched(row: dict[str, Any], tapes: int) -> dict[str, Any]:
    """What the search finds that is smaller than the counterexample of a row, and how it fails; None if nothing.

    Of further operations nothing is searched.
    """
    mistake = next(one for one in all_mistakes() if one.id == row["mistake"])
    entry = next(one for one in all_properties().values() if one.id == row["property"])
    try:
        found = smallest(mistake, entry, row["size"], tapes)
    except NotSearched:
        return {**row, "smaller": None, "searched": False}
    smaller = {"shapes": found[0], "size": size_of(found[0]), "how": found[1]} if found else None
    return {**row, "smaller": smaller, "searched": True}


def figures_of(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Median, 95th percentile and worst of the seconds, and the share of counterexamples that are the smallest."""
    seconds, searched = np.array([row["seconds"] for row in rows]), [row for row in rows if row["searched"]]
    figures = zip(WANTED, (np.median(seconds), np.percentile(seconds, 95), seconds.max()), strict=True)
    return {name: float(figure) for name, figure in figures} | {
        "smallest": sum(row["smaller"] is None for row in searched) / max(len(searched), 1),
        "searched": len(searched),
    }


def _in_words(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in shapes.items())


def show(rows: list[dict[str, Any]], figures: dict[str, float]) -> None:
    """Print the figures, the slowest mistakes and where their time goes, and what is not the smallest."""
    for name, wanted in WANTED.items():
        print(f"{name:16s} {figures[name]:6.2f} s, {wanted:g} s wanted")
    print(
        f"{'smallest':16s} {figures['smallest']:6.1%} of {figures['searched']} searched, {WANTED_SMALLEST:.0%} wanted"
    )
    print("slowest: seconds, of them in the property that refutes and in others, examples up to the failure")
    for row in sorted(rows, key=lambda row: -row["seconds"])[:LISTED]:
        told = f"{row['seconds']:6.2f} {row['in_refuting']:6.2f} {row['in_others']:6.2f} {row['examples']:5d}"
        print(f"{told}  {row['mistake']} ({row['property']})")
    print("not the smallest: entries, of the smallest that is known, and how that fails")
    for row in rows:
        if smaller := row["smaller"]:
            shapes = f"{_in_words(row['shapes'])}; {_in_words(smaller['shapes'])}"
            print(f"{row['size']:6d} {smaller['size']:6d}  {row['mistake']} ({row['property']}; {shapes})")
            print(f"{'':15s}{smaller['how']}")


def main(mistakes: int = 1, tapes: int = 1000, processes: int = os.cpu_count() or 1) -> dict[str, Any]:
    """Time each mistake, search, print, and return what was found."""
    rows, held = [], []
    for one in tqdm(all_mistakes()[::mistakes], desc="timing", disable=None):
        try:
            rows.append(timed(one))
        except NotRefuted as error:
            held.append(str(error))
    with ProcessPoolExecutor(processes) as pool:
        search = pool.map(partial(searched, tapes=tapes), rows)
        rows = list(tqdm(search, total=len(rows), desc="searching", disable=None))
    figures = figures_of(rows)
    show(rows, figures)
    print(f"not refuted: {'; '.join(held) or 'none'}")
    return {"figures": figures, "mistakes": rows, "held": held}


if __name__ == "__main__":
    command(main, mistakes="every N-th mistake only", tapes="cases of a shape", processes="that search")
