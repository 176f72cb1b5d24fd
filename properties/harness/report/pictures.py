"""Arrays and counts drawn as SVG by matplotlib, to stand inside a page: they take its colour of ink, light or dark.

Cells are shaded by size, orange above 0 and blue below (Okabe & Ito's colours, which the colour-blind can tell apart),
never so much that the numbers on them become hard to read. No mark is told by its colour alone.
"""

import io
import re
from collections.abc import Sequence
from itertools import product
from math import log2
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse, Rectangle
from matplotlib.transforms import IdentityTransform

from ...layers.base.registry import Mask
from ...layers.exhaustive import ALL_PATTERNS
from ..checking.coverage import sides, summed
from ..core.values import Array
from ..target.layout import Layout
from .data import Counts, Tried
from .panels import UNMARKED, Marks

ABOVE, BELOW = "#d55e00", "#0072b2"  # as in the figure of the reference
DARKEST = 0.55  # of a shade: on it ink has a contrast of 7 to 1 at least, on white and on near black
_INK, _WRONG = "#000001", "#000002"  # stand for colours of the page
_OF_PAGE = {_INK: "currentColor", _WRONG: "var(--wrong, #c00040)"}
_SETTINGS: Any = {"svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10}
_NEEDLESS = re.compile(
    r"<(metadata|defs)>.*?</\1>|<!--.*?-->| (?:id|xmlns|xmlns:xlink)=\"[^\"]*\"|(?<=\n) +", flags=re.DOTALL
)
CELL, SMALL_CELL, MARGIN = 30.0, 10.0, 5.0  # points
LETTER = 6.4  # the width of one, in points
MOST_NUMBERED = 16  # rows or columns
LONGEST_BAR, BAR = 130.0, 15.0
LARGEST_SIDE = 9
MOST_BESIDES = 30  # larger shapes named, of which a campaign has hundreds
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


Colour = str | tuple[str, float]


class _Drawing:
    """A figure of this size whose artists are placed in points from its upper left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.height = height
        self.figure = Figure(figsize=(width / 72, height / 72), dpi=72, frameon=False)

    def add(self, artist: Artist) -> None:
        artist.set_transform(IdentityTransform())
        self.figure.add_artist(artist)

    def cell(self, left: float, top: float, width: float, height: float, **style: Any) -> None:
        self.add(Rectangle((left, self.height - top - height), width, height, **style))

    def line(self, start: tuple[float, float], end: tuple[float, float], color: Colour, width: float) -> None:
        ys = [self.height - start[1], self.height - end[1]]
        self.add(Line2D([start[0], end[0]], ys, color=color, linewidth=width))

    def text(self, left: float, middle: float, text: str, align: str = "center") -> None:
        words = self.figure.text(left, self.height - middle, text, ha=align, va="center_baseline", color=_INK)
        words.set_transform(IdentityTransform())
        words.set_parse_math(False)

    def svg(self, alt: str) -> Markup:
        """The figure as an element, without what its page or another figure may have too; `alt` is read out for it."""
        with rc_context(_SETTINGS), io.StringIO() as file:
            self.figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
            text = file.getvalue()
        text = _NEEDLESS.sub("", text[text.index("<svg") :])
        for stand_in, color in _OF_PAGE.items():
            text = text.replace(stand_in, color)
        return Markup(text.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1))  # noqa: S704  # escaped


def heat_map(
    values: Array,
    alt: str,
    marks: Marks = UNMARKED,
    *,
    shades: Array | None = None,
    names: tuple[Sequence[str], Sequence[str]] = ((), ()),
) -> Markup:
    """A two-dimensional array as an SVG element: shaded cells with their numbers, unless there are too many.

    `shades` are what the cells are shaded by, in [-1, 1]: by default their values over the largest magnitude. `names`
    are those of the rows and of the columns.
    """
    texts = [[_short(value) for value in row] for row in values.tolist()]
    numbered = max(values.shape) <= MOST_NUMBERED + bool(names[0])
    if shades is None:
        finite = np.where(np.isfinite(values), values, 0.0)
        shades = finite / (np.abs(finite).max() or 1.0)
    longest = max(len(text) for row in [*texts, names[1]] for text in row)
    width, height = (max(CELL, LETTER * longest + 14), CELL) if numbered else (SMALL_CELL, SMALL_CELL)
    left = MARGIN + max((LETTER * len(name) + 6 for name in names[0]), default=0.0)
    top = MARGIN + (16.0 if names[1] else 0.0)
    rows, columns = values.shape
    drawing = _Drawing(left + columns * width + MARGIN, top + rows * height + MARGIN)
    for i, j in np.ndindex(rows, columns):
        _draw_cell(drawing, (left + j * width, top + i * height, width, height), float(shades[i, j]), marks, (i, j))
        if numbered:
            drawing.text(left + (j + 0.5) * width, top + (i + 0.5) * height, texts[i][j])
    for i, name in enumerate(names[0]):
        drawing.text(left - 6, top + (i + 0.5) * height, name, "right")
    for j, name in enumerate(names[1]):
        drawing.text(left + (j + 0.5) * width, top - 8, name)
    for i, j in np.argwhere(marks.wrong) if marks.wrong is not None else ():
        _draw_wrong(drawing, (left + j * width, top + i * height, width, height))
    if marks.window:
        right, bottom = left + columns * width, top + rows * height
        for i in range(0, rows + 1, marks.window[0]):
            drawing.line((left, top + i * height), (right, top + i * height), _INK, 1.5)
        for j in range(0, columns + 1, marks.window[1]):
            drawing.line((left + j * width, top), (left + j * width, bottom), _INK, 1.5)
    return drawing.svg(alt)


def bars(counts: Counts) -> Markup:
    """Counts as bars, one below the other, with their names before them and their numbers after; by their logarithm."""
    left = MARGIN + max(LETTER * len(name) for name in counts) + 6
    drawing = _Drawing(left + LONGEST_BAR + 60, 2 * MARGIN + BAR * len(counts))
    for row, (name, count) in enumerate(counts.items()):
        top, length = MARGIN + row * BAR, LONGEST_BAR * float(np.log1p(count) / np.log1p(max(counts.values())))
        drawing.text(left - 6, top + BAR / 2, name, "right")
        drawing.cell(left, top + 2, length, BAR - 4, facecolor=(ABOVE, DARKEST), edgecolor=_INK, linewidth=0.6)
        drawing.text(left + length + 5, top + BAR / 2, f"{count:,}", "left")
    return drawing.svg("; ".join(f"{name}: {count:,}" for name, count in counts.items()))


def _draw_cell(drawing: _Drawing, box: tuple[float, ...], shade: float, marks: Marks, at: tuple[int, int]) -> None:
    left, top, width, height = box
    face = (ABOVE if shade > 0 else BELOW, DARKEST * abs(shade))
    drawing.cell(*box, facecolor=face, edgecolor=(_INK, 0.35), linewidth=0.6)
    if _marked(marks.dead, at):
        for step in np.arange(6.0, width + height, 6.0):
            start, end = max(0.0, step - height), min(width, step)
            drawing.line((left + start, top + step - start), (left + end, top + step - end), (_INK, 0.45), 0.7)
    if _marked(marks.winners, at):
        middle = left + width / 2, drawing.height - top - height / 2
        style = (0, (2, 2)) if _marked(marks.tied, at) else "solid"
        drawing.add(
            Ellipse(middle, width - 5, height - 7, facecolor="none", edgecolor=_INK, linewidth=1.3, linestyle=style)
        )


def _draw_wrong(drawing: _Drawing, box: tuple[float, ...]) -> None:
    left, top, width, _ = box
    drawing.cell(*box, facecolor="none", edgecolor=_WRONG, linewidth=2.6)
    if width > SMALL_CELL:
        drawing.line((left + width - 8, top + 3), (left + width - 3, top + 8), _WRONG, 1.6)
        drawing.line((left + width - 8, top + 8), (left + width - 3, top + 3), _WRONG, 1.6)


def _short(value: float) -> str:
    return (f"{value:,}" if value else "·") if isinstance(value, int) else f"{value + 0.0:.4g}".replace("-", "−")


def _marked(mask: Mask | None, at: tuple[int, int]) -> bool:
    return mask is not None and bool(mask[at])


class Chart(NamedTuple):
    """One thing that a run's cases were counted by: its title, what it means, and its pictures with their names."""

    title: str
    words: str
    drawn: list[tuple[str, Markup]]


def charts_of(tried: Tried, layout: Layout) -> list[Chart]:
    """What a run tried, as pictures: sizes, ties, margins, activation patterns, and the errors that it saw."""
    made = (
        _sizes(tried.shapes, layout) if tried.shapes else None,
        _ties(tried.maxima) if tried.maxima else None,
        _margins(tried.margins) if tried.margins else None,
        _patterns(tried.patterns) if tried.patterns else None,
        _errors(tried.errors) if tried.errors else None,
    )
    return [chart for chart in made if chart]


def _sizes(shapes: dict[str, Counts], layout: Layout) -> Chart:
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
        return [shape[layout.kernel.index(letter)] for letter in "hw"] if layout.channelled else shape
    if len(shape) == len(layout.name):
        return [shape[layout.name.index(letter)] for letter in "HW"]
    return shape if len(shape) == 2 else None


def _ties(maxima: Counts) -> Chart:
    every = sum(maxima.values())
    words = f"{every - maxima.get('1', 0):,} of {every:,} windows had a tied maximum."
    words += " The bars' lengths are logarithmic, here and below."
    named = {"one maximum" if number == "1" else f"{number} tied": count for number, count in maxima.items()}
    return Chart("Ties", words, [("windows by their maxima", bars(named))])


def _margins(margins: Counts) -> Chart:
    words = "How far a window's only maximum was above the next entry, over the window's largest magnitude; "
    words += f"the narrowest by less than {_power(next(iter(margins)))}."
    named = {f"below {_power(name)}": count for name, count in margins.items()}
    return Chart("Margins", words, [("windows by their margin", bars(named))])


def _patterns(patterns: Counts) -> Chart:
    pairs = ["".join(map(str, pair)) for pair in product(range(5), repeat=2)]
    grid = np.array([[patterns.get(above + below, 0) for below in pairs] for above in pairs])
    met = np.count_nonzero(grid)
    words = (
        f"{met} of the {ALL_PATTERNS} patterns of a network with four windows were met: in each window one of four "
        "entries wins, or none is positive. A row has those of the upper two windows, a column those of the lower two."
    )
    drawn = heat_map(grid, f"{met} of {ALL_PATTERNS} patterns", shades=_shaded(grid))
    return Chart("Activation patterns", words, [("cases by pattern", drawn)])


def _errors(errors: dict[str, Counts]) -> Chart:
    levels = list(summed(errors.values()))
    grid = np.array([[counts.get(level, 0) for level in levels] for counts in errors.values()])
    names = ["exact" if level == "0" else f"< {_power(level)}" for level in levels]
    alt = "; ".join(f"{name}: {row[0]:,} of {row.sum():,} exact" for name, row in zip(errors, grid, strict=True))
    words = "How many entries were off by so many units of rounding: eps times the size of what was summed."
    drawn = heat_map(grid, alt, shades=_shaded(grid), names=(list(errors), names))
    return Chart("Errors", words, [("entries by operation and error", drawn)])


def _shaded(grid: Array) -> Array:
    """By the logarithm, and what is not 0 never too pale to be seen."""
    return np.where(grid > 0, 0.2 + 0.8 * np.log1p(grid) / np.log1p(max(grid.max(), 1)), 0.0)


def _power(number: str) -> str:
    exponent = round(log2(float(number)))
    return {0: "1", 1: "2"}.get(exponent, f"2{str(exponent).translate(_RAISED)}")
