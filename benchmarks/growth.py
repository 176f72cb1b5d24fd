"""How a run grows: cases per second against image side, kernel side, examples and worker processes; and its memory.

Each line is a process of its own, `python -m properties TARGET`. A target with declared shapes of one side is the
reference with these. Memory is the peak resident set of the largest of a run's processes; beside it stands that of
Hypothesis alone on as many strings of bytes, which keeps what it has tried. `--plot` needs the extra `report`.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from benchmarks.command import command

NETWORK = ("network.gradients_are_the_chain_rule", "network.gradients_match_differences")
GRADIENTS = ("convolution.kernel_gradient_is_the_rot90_form", "convolution.image_gradient_is_the_full_correlation")
ONE_OF_EACH = (
    "activations.smooth_activation_is_its_definition[arctan]",
    "convolution.conv2d_is_the_defining_sum",
    "pooling.max_pool_is_the_maximum",
    "network.gradients_are_the_chain_rule",
)
TARGET = """from reference import *

IMAGE_SHAPES = [({image}, {image})]
KERNEL_SHAPES = [({kernel}, {kernel})]
"""
BARE = """
import hypothesis, hypothesis.strategies as st
settings = hypothesis.settings(max_examples={examples}, database=None, deadline=None)
settings(hypothesis.given(st.binary(min_size=150, max_size=150))(lambda data: None))()
"""
KERNEL, IMAGE = 3, 12  # the side of the one while the other grows
EXAMPLES = 50  # while sides grow
KIBIBYTE = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss, in bytes
IMAGE_SIDE, KERNEL_SIDE, BUDGET, WORKERS = "image side", "kernel side", "examples", "workers"
STYLES = (("#0072b2", "o", "-"), ("#d55e00", "s", "--"), ("#009e73", "^", "-."), ("#cc79a7", "D", ":"))  # Okabe & Ito


class Run(NamedTuple):
    """One line to be measured: what grows and how far it has, and the options of the command."""

    along: str
    value: int
    target: str
    options: tuple[str, ...]
    examples: int


def planned(sides: Iterable[int], kernels: Iterable[int], budgets: Iterable[int], workers: Iterable[int]) -> list[Run]:
    """All lines of the tables; workers share the whole suite, with the smallest budget and one ten times as large."""
    shaped = "-k", " or ".join((*GRADIENTS, *NETWORK))
    few = "-k", " or ".join(ONE_OF_EACH)
    budgets = list(budgets)
    return [
        *(Run(IMAGE_SIDE, side, TARGET.format(image=side, kernel=KERNEL), shaped, EXAMPLES) for side in sides),
        *(Run(KERNEL_SIDE, side, TARGET.format(image=IMAGE, kernel=side), shaped, EXAMPLES) for side in kernels),
        *(Run(BUDGET, examples, "", few, examples) for examples in budgets),
        *(Run(WORKERS, n, "", ("-n", str(n)), examples) for examples in budgets[:2] for n in workers),
    ]


def peak_of(command: list[str]) -> float:
    """The peak resident set in MB of the largest of a command's processes, which must end well."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)  # of its own children too
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_maxrss * KIBIBYTE / 1e6


def measured(run: Run) -> dict[str, Any]:
    """What one line comes to: its seconds, its peak of memory in MB, and each property's cases and seconds."""
    with tempfile.TemporaryDirectory() as name:
        path, target = Path(name) / "report.json", "reference"
        if run.target:
            target = str(Path(name) / "target.py")
            Path(target).write_text(run.target, encoding="utf-8")
        command = [sys.executable, "-m", "properties", target, *run.options]
        command += ["--examples", str(run.examples), "--json", str(path)]
        peak = peak_of(command)
        report = json.loads(path.read_text(encoding="utf-8"))
    ran = [entry for entry in report["properties"] if entry["outcome"] == "held"]
    return {
        "along": run.along,
        "value": run.value,
        "examples": run.examples,
        "seconds": report["seconds"],
        "peak": peak,
        "bare_peak": peak_of([sys.executable, "-c", BARE.format(examples=run.examples)])
        if run.along == BUDGET
        else None,
        "cases": sum(entry["examples"] for entry in ran),
        "properties": {
            entry["id"]: {
                "cases": entry["examples"],
                "per_second": entry["examples"] / entry["seconds"],
                "in_target": entry["seconds_in_target"] / entry["seconds"],
            }
            for entry in ran
        },
    }


def tables(rows: list[dict[str, Any]]) -> str:
    """The tables in Markdown: cases per second, and in brackets the share of the time in the target itself."""
    parts = []
    for along in dict.fromkeys(row["along"] for row in rows):
        mine = [row for row in rows if row["along"] == along]
        parts.append("\n".join(_line(cells) for cells in (_of_workers if along == WORKERS else _of_properties)(mine)))
    return "\n\n".join(parts) + "\n"


def _of_properties(rows: list[dict[str, Any]]) -> Iterator[list[str]]:
    names = list(dict.fromkeys(name for row in rows for name in row["properties"]))
    peaks = {"peak": "peak, MB"} | ({"bare_peak": "Hypothesis alone, MB"} if rows[0]["bare_peak"] else {})
    yield [rows[0]["along"], *(f"`{name}`" for name in names), *peaks.values()]
    yield ["---"] * (1 + len(names) + len(peaks))
    for row in rows:
        cells = [_cell(row["properties"].get(name)) for name in names]
        yield [f"{row['value']:,}", *cells, *(f"{row[peak]:.0f}" for peak in peaks)]


def _of_workers(rows: list[dict[str, Any]]) -> Iterator[list[str]]:
    yield ["examples", WORKERS, "seconds", "cases per second", "peak of one, MB"]
    yield ["---"] * 5
    for row in rows:
        rate, peak = f"{row['cases'] / row['seconds']:,.0f}", f"{row['peak']:.0f}"
        yield [f"{row['examples']:,}", str(row["value"]), f"{row['seconds']:.1f}", rate, peak]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(entry: dict[str, Any] | None) -> str:
    if not entry:
        return "–"
    return f"{entry['per_second']:,.{1 if entry['per_second'] < 10 else 0}f} ({entry['in_target']:.0%})"


def plotted(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw the tables as four panels, as the file's name says: SVG, PNG or what matplotlib knows else."""
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context(["default", {"svg.hashsalt": "backproof", "svg.fonttype": "none", "font.size": 9}]):
        figure = Figure(figsize=(10, 7.5), layout="constrained")
        panels = dict(zip((IMAGE_SIDE, KERNEL_SIDE, BUDGET, WORKERS), figure.subplots(2, 2).flat, strict=True))
        for along, axes in panels.items():
            mine = [row for row in rows if row["along"] == along]
            for (name, points), (colour, marker, line) in zip(_lines(mine).items(), STYLES, strict=False):
                axes.plot(*zip(*points, strict=True), color=colour, marker=marker, linestyle=line, label=name)
            values = sorted({row["value"] for row in mine})
            axes.set(xlabel=along, ylabel="cases per second", xscale="linear" if along == WORKERS else "log")
            axes.set_xticks(values, [f"{value:,}" for value in values])
            axes.minorticks_off()
            if along in (IMAGE_SIDE, KERNEL_SIDE):
                axes.set_yscale("log")
            else:
                axes.set_ylim(bottom=0)
            axes.grid(alpha=0.3)
            if mine:
                axes.legend(fontsize=8)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=150)


def _lines(rows: list[dict[str, Any]]) -> dict[str, list[tuple[int, float]]]:
    """For each line of a panel its name and points: a property, or for workers a budget of the whole suite."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        if row["along"] == WORKERS:
            rates = {f"{row['examples']:,} examples": row["cases"] / row["seconds"]}
        else:
            rates = {name.partition(".")[2]: entry["per_second"] for name, entry in row["properties"].items()}
        for name, rate in rates.items():
            found.setdefault(name.replace("_", " "), []).append((row["value"], rate))
    return found


def main(
    images: tuple[int, ...] = (6, 12, 24, 48),
    kernels: tuple[int, ...] = (1, 2, 3, 5, 7, 9),
    examples: tuple[int, ...] = (100, 1000, 10000),
    workers: tuple[int, ...] = (1, 2),
    markdown: Path | None = None,
    plot: Path | None = None,
) -> list[dict[str, Any]]:
    """Measure, print the tables, write tables and plot where asked, and return the figures."""
    runs = planned(images, kernels, examples, workers)
    rows = [measured(run) for run in tqdm(runs, unit="run", disable=None)]
    print(tables(rows))
    if markdown:
        markdown.write_text(tables(rows), encoding="utf-8")
    if plot:
        plotted(rows, plot)
    return rows


if __name__ == "__main__":
    command(
        main,
        images="sides of the image",
        kernels="sides of the kernel",
        examples="of each property",
        workers="processes",
        markdown="write the tables there",
        plot="draw them there",
    )
