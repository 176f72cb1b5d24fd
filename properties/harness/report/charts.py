"""What a run tried, as pictures: sizes, ties, margins, activation patterns, and the errors that it saw."""

from collections.abc import Callable
from itertools import product
from math import log2
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup

from ...layers.exhaustive import ALL_PATTERNS
from ..checking.coverage import sides
from ..core.values import Array
from ..target.layout import Layout
from .pictures import bars, heat_map

LARGEST_SIDE = 9
MOST_BESIDES = 30  # larger shapes named, of which a campaign has hundreds
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Chart(NamedTuple):
    """One thing that a run's cases were counted by: its title, what it means, and its pictures with their names."""

    title: str
    words: str
    drawn: list[tuple[str, Markup]]


def charts_of(report: dict[str, Any]) -> list[Chart]:
    """The pictures of a report's own counts, of whatever it has."""
    tried = report["tried"]
    kinds: dict[str, Callable[[dict[str, Any], Layout], Chart]] = {
        "shapes": _sizes,
        "maxima": _ties,
        "margins": _margins,
        "patterns": _patterns,
        "errors": _errors,
    }
    return [picture(tried[kind], Layout(report["layout"])) for kind, picture in kinds.items() if tried[kind]]


def _sizes(shapes: dict[str, dict[str, int]], layout: Layout) -> Chart:
    drawn, beyond = [], []
    for name, counts in shapes.items():
        grid = np.zeros((LARGEST_SIDE, LARGEST_SIDE), int)
        for shape, count in counts.items():
            two = _two_sides(name, sides(shape), layout)
            if two and max(two) <= LARGEST_SIDE:
                grid[two[0] - 1, two[1] - 1] += count
            else:
                beyond.append(f"{name} {shape} ({count:,})")
        used = [int(np.flatnonzero(grid.any(axis=axis)).max(initial=-1)) + 1 for axis in (1, 0)]
        if all(used):
            grid = grid[: used[0], : used[1]]
            numbers = [[str(side + 1) for side in range(most)] for most in used]
            most = np.unravel_index(grid.argmax(), grid.shape)
            alt = f"cases by rows and columns of {name}; most, {grid.max():,}, of {most[0] + 1} by {most[1] + 1}"
            drawn.append((name, heat_map(grid, alt, shades=_shaded(grid), names=(numbers[0], numbers[1]))))
    more = f" and {len(beyond) - MOST_BESIDES} more shapes" if len(beyond) > MOST_BESIDES else ""
    others = f" Besides: {', '.join(beyond[:MOST_BESIDES])}{more}." if beyond else ""
    return Chart("Sizes", f"How many cases had so many rows (down) and columns (across).{others}", drawn)


def _two_sides(name: str, shape: list[int], layout: Layout) -> list[int] | None:
    if name == "kernel":
        return shape[-2:]
    if len(shape) == len(layout.name):
        return [shape[axis] for axis in layout.axes]
    return shape if len(shape) == 2 else None


def _ties(maxima: dict[str, int], layout: Layout) -> Chart:
    counts = {int(number): count for number, count in maxima.items()}
    names = [f"{number} tied" if number > 1 else "one maximum" for number in sorted(counts)]
    words = (
        f"{sum(count for number, count in counts.items() if number > 1):,} of {sum(counts.values()):,} windows had "
        "a tied maximum. The bars' lengths are logarithmic, here and below."
    )
    return Chart("Ties", words, [("windows by their maxima", _bars(names, [counts[n] for n in sorted(counts)]))])


def _margins(margins: dict[str, int], layout: Layout) -> Chart:
    exponents = {round(log2(float(name))): count for name, count in margins.items()}
    ordered = sorted(exponents)
    words = (
        "How far a window's only maximum was above the next entry, over the window's largest magnitude; "
        f"the narrowest by less than {_power(ordered[0])}."
    )
    names = [f"below {_power(exponent)}" for exponent in ordered]
    return Chart("Margins", words, [("windows by their margin", _bars(names, [exponents[e] for e in ordered]))])


def _patterns(patterns: dict[str, int], layout: Layout) -> Chart:
    pairs = ["".join(map(str, pair)) for pair in product(range(5), repeat=2)]
    grid = np.array([[patterns.get(above + below, 0) for below in pairs] for above in pairs])
    words = (
        f"{np.count_nonzero(grid)} of the {ALL_PATTERNS} patterns of a network with four windows were met: in each "
        "window one of four entries wins, or none is positive. A row has those of the upper two windows, a column "
        "those of the lower two."
    )
    alt = f"{np.count_nonzero(grid)} of {ALL_PATTERNS} patterns"
    return Chart("Activation patterns", words, [("cases by pattern", heat_map(grid, alt, shades=_shaded(grid)))])


def _errors(errors: dict[str, dict[str, int]], layout: Layout) -> Chart:
    levels = sorted({float(level) for counts in errors.values() for level in counts})
    by_level = {name: {float(level): count for level, count in counts.items()} for name, counts in errors.items()}
    grid = np.array([[counts.get(level, 0) for level in levels] for counts in by_level.values()])
    names = ["exact" if level == 0 else f"< {_power(round(log2(level)))}" for level in levels]
    alt = "; ".join(f"{name}: {row[0]:,} of {row.sum():,} exact" for name, row in zip(errors, grid, strict=True))
    words = "How many entries were off by so many units of rounding: eps times the size of what was summed."
    drawn = heat_map(grid, alt, shades=_shaded(grid), names=(list(errors), names))
    return Chart("Errors", words, [("entries by operation and error", drawn)])


def _bars(names: list[str], counts: list[int]) -> Markup:
    return bars(names, counts, "; ".join(f"{name}: {count:,}" for name, count in zip(names, counts, strict=True)))


def _shaded(grid: Array) -> Array:
    """By the logarithm, and what is not 0 never too pale to be seen."""
    return np.where(grid > 0, 0.2 + 0.8 * np.log1p(grid) / np.log1p(max(grid.max(), 1)), 0.0)


def _power(exponent: int) -> str:
    return {0: "1", 1: "2"}.get(exponent, f"2{str(exponent).translate(_RAISED)}")
