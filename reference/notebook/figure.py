"""The notebook's three pictures as a figure, and below them how its training goes beside one that learns.

Needs matplotlib, of which only the objects are used: no window, no state shared with other figures.
"""

import textwrap
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse, FancyArrowPatch, Rectangle
from matplotlib.ticker import MaxNLocator

from ..arrays import Array
from ..network import WINDOW
from .history import LEARNED, TRIES, TRUE_SLOPES, Found, History
from .panels import Column, Panel, Picture, pictures

# lengths are in inches, places measured from the figure's upper left corner
WIDTH, MARGIN, TOP, HEADING, APART = 12.0, 0.3, 1.0, 0.45, 0.2
CELL, TALLEST, HEADER, LINE, BETWEEN = 0.44, 1.9, 0.4, 0.165, 0.3  # of panels
CURVES, LEFTS, ACROSS, DOWN, FIRST = 8.05, (0.9, 6.8), 4.9, 1.7, 2.05  # of the training's curves
LARGEST, SMALLEST = 10.0, 5.5  # digits in points: below the smallest they are left out
SETTINGS = {"svg.hashsalt": "backproof", "hatch.linewidth": 0.5}
COLOURS = LinearSegmentedColormap.from_list("blue to orange", ["#73b1d5", "#ffffff", "#e8a673"])
LINES: tuple[tuple[str, tuple[float, tuple[float, ...]]], ...] = (("#0072b2", (0, ())), ("#d55e00", (0, (5, 2))))
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def draw(
    image: Array, target: float, kernel: Array, weights: Array, title: str, history: History, found: Found | None
) -> Figure:
    """The pictures of one image's pass under `title`, and the `history` of the training from there on.

    `found` is a start that learns, if there is one. Shapes and `ValueError` as in `reference.network.forward`.
    Source: the notebook's pictures.
    """
    drawn = pictures(image, target, kernel, weights)
    height = TOP + sum(map(_picture_height, drawn)) + CURVES
    with style.context(["default", SETTINGS]):
        figure = Figure(figsize=(WIDTH, height))
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0, WIDTH), ylim=(height, 0), autoscale_on=False)
        axes.set_axis_off()
        axes.text(MARGIN, 0.3, title, fontsize=15, fontweight="bold", va="center")
        _legend(axes, 0.72)
        top = TOP
        for picture in drawn:
            _heading(axes, top, picture.heading)
            below = top + HEADING
            for row in picture.rows:
                _row(axes, below, row)
                below += _height(row) + APART
            top += _picture_height(picture)
        epochs = len(history.costs)
        _heading(axes, top, f"The training: {epochs} epoch{'s' * (epochs > 1)}, one update per image and epoch")
        _curves(figure, axes, top, history, found)
    return figure


def write(figure: Figure, path: Path) -> None:
    """Write the figure in the format that the path's ending names: the same bytes for the same figure.

    Raises `OSError` if the file cannot be written.
    """
    kind = path.suffix.lower().removeprefix(".")
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    data = BytesIO()
    with style.context(["default", SETTINGS]):
        figure.savefig(data, format=kind, metadata=metadata, dpi=150)
    path.write_bytes(data.getvalue())


def _heading(axes: Axes, top: float, text: str) -> None:
    axes.plot([MARGIN, WIDTH - MARGIN], [top, top], color="0.7", linewidth=0.8)
    axes.text(MARGIN, top + 0.25, text, fontsize=12, fontweight="bold", va="center")


def _picture_height(picture: Picture) -> float:
    return HEADING + sum(_height(row) + APART for row in picture.rows)


def _height(columns: tuple[Column, ...]) -> float:
    return max(
        sum(_panel_height(panel, column.width) + BETWEEN for panel in column.panels) - BETWEEN for column in columns
    )


def _panel_height(panel: Panel, width: float) -> float:
    lines = len(panel.formula.splitlines())
    return HEADER + panel.values.shape[0] * _cell(panel, width)[1] + lines * LINE


def _cell(panel: Panel, width: float) -> tuple[float, float]:
    """A cell's width and height: square in a matrix, but squeezed along a long vector."""
    rows, columns = panel.values.shape
    across, down = width / columns, TALLEST / rows
    if panel.values.size == 1:
        return min(across, 0.75), CELL
    if 1 in (rows, columns):
        return min(CELL, across), min(CELL, down)
    return (min(CELL, across, down),) * 2


def _row(axes: Axes, top: float, row: tuple[Column, ...]) -> None:
    middle = top + _height(row) / 2
    gap = (WIDTH - 2 * MARGIN - sum(column.width for column in row)) / (len(row) - 1)
    left = MARGIN
    for column in row:
        centre = left + column.width / 2
        axes.text(centre, middle, column.note, fontsize=9, ha="center", va="center")
        y = middle - _height((column,)) / 2
        for panel in column.panels:
            _panel(axes, centre, y + HEADER, panel, _cell(panel, column.width))
            y += _panel_height(panel, column.width) + BETWEEN
        left += column.width
        ends = {"→": (left + 0.05, left + gap - 0.05), "←": (left + gap - 0.05, left + 0.05)}.get(column.sign)
        if ends:
            places = [(x, middle) for x in ends]
            arrow = FancyArrowPatch(*places, arrowstyle="-|>", mutation_scale=11, color="0.25", shrinkA=0, shrinkB=0)
            axes.add_patch(arrow)
        else:
            axes.text(left + gap / 2, middle, column.sign, fontsize=13, ha="center", va="center")
        left += gap


def _panel(axes: Axes, centre: float, top: float, panel: Panel, cell: tuple[float, float]) -> None:
    (rows, columns), (across, down) = panel.values.shape, cell
    x = [centre + across * (column - columns / 2) for column in range(columns + 1)]
    y = [top + down * row for row in range(rows + 1)]
    largest = float(np.abs(panel.values).max()) or 1.0
    fine = min(cell) < 0.1
    axes.pcolormesh(
        x,
        y,
        panel.values,
        cmap=COLOURS,
        norm=Normalize(-largest, largest),
        edgecolor="0.75",
        linewidth=0 if fine else 0.5,
    )
    texts, unit = _digits(panel.values)
    size = min(LARGEST, 72 * 0.9 * across / max(map(_ems, texts)), 72 * 0.55 * down)
    axes.text(centre, top - 0.26, panel.name, fontsize=10, fontweight="bold", ha="center", va="center")
    note = f"{rows}×{columns}" + (unit if size >= SMALLEST else ", no digits")
    axes.text(centre, top - 0.1, note, fontsize=9, color="0.3", ha="center", va="center")
    axes.text(centre, y[-1] + 0.05, panel.formula, fontsize=9, ha="center", va="top", linespacing=1.15)
    if panel.winners is not None:
        lines = [[(x[0], edge), (x[-1], edge)] for edge in y[:: WINDOW[0]]]
        lines += [[(edge, y[0]), (edge, y[-1])] for edge in x[:: WINDOW[1]]]
        axes.add_collection(LineCollection(lines, colors="0.2", linewidths=0.3 if fine else 1.2))
    for (i, j), text in zip(np.ndindex(rows, columns), texts, strict=True):
        if panel.dead is not None and panel.dead[i, j]:
            axes.add_patch(_hatched(x[j], y[i], across, down))
        if panel.winners is not None and panel.winners[i, j]:
            axes.add_patch(_ring(x[j] + across / 2, y[i] + down / 2, across, down))
        if size >= SMALLEST:
            place = x[j] + across / 2, y[i] + down / 2
            axes.text(*place, text, fontsize=size, ha="center", va="center_baseline")


def _hatched(x: float, y: float, across: float, down: float) -> Rectangle:
    return Rectangle((x, y), across, down, fill=False, hatch="/////", edgecolor="0.6", linewidth=0)


def _ring(x: float, y: float, across: float, down: float) -> Ellipse:
    return Ellipse((x, y), 0.93 * across, 0.86 * down, fill=False, edgecolor="black", linewidth=min(1.3, 4 * across))


def _digits(values: Array) -> tuple[list[str], str]:
    """Three digits of the largest entry, as many decimals for all, and the power of ten that they are in.

    Adding 0.0 takes the sign off −0.
    """
    if values.size == 1:
        return [f"{values.item() + 0.0:.4g}"], ""
    largest = float(np.abs(values).max())
    if largest < 1000 and not (values % 1).any():
        return [f"{value:.0f}" for value in (values + 0.0).flat], ""
    power = int(np.floor(np.log10(largest)))
    shift = 0 if -1 <= power <= 2 else power
    texts = [f"{value / 10.0**shift:.{2 - power + shift}f}" if value else "0" for value in values.flat]
    return texts, f"  ·10{str(shift).translate(SUPERSCRIPTS)}" if shift else ""


def _ems(text: str) -> float:
    """A number's width in DejaVu Sans, in font sizes, from above."""
    return sum({".": 0.32, "-": 0.37}.get(character, 0.64) for character in text)


def _legend(axes: Axes, y: float) -> None:
    axes.pcolormesh(
        MARGIN + np.linspace(0, 1, 25), [y - 0.09, y + 0.09], np.linspace(-1, 1, 24)[np.newaxis], cmap=COLOURS
    )
    axes.add_patch(_hatched(4.9, y - 0.13, 0.26, 0.26))
    axes.add_patch(_ring(7.1, y, 0.28, 0.28))
    for x, text in (
        (1.4, "− 0 +, each array by its own largest entry"),
        (5.25, "dead ReLU, y ≤ 0"),
        (7.35, "winner: maximum of its 2×2 window, each one of a tie"),
    ):
        axes.text(x, y, text, fontsize=9.5, va="center")


def _curves(figure: Figure, axes: Axes, top: float, history: History, found: Found | None) -> None:
    titles = [f"This start {history.outcome}", f"No start that learns was found in {TRIES} tries"]
    if found:
        scale = "the notebook's scale" if found.scale == 1 else f"{found.scale:g} of the notebook's scale"
        titles[1] = f"Seed {found.seed} at {scale} {found.history.outcome} (try {found.tried} of {TRIES})"
    height = figure.get_figheight()
    handles = [
        Line2D([], [], color=colour, linestyle=dashes, label=f"image {index}")
        for index, (colour, dashes) in enumerate(LINES, start=1)
    ]
    dotted = "cost: learned below, half the error of ±π/2; slope: at the truth"
    handles.append(Line2D([], [], color="0.3", linestyle=":", label=dotted))
    corner = MARGIN / WIDTH, 1 - (top + 0.66) / height
    figure.legend(handles=handles, loc="center left", bbox_to_anchor=corner, ncols=3, frameon=False, borderpad=0)
    shared: list[Axes | None] = [None] * 3
    for left, title, shown in zip(LEFTS, titles, (history, found and found.history), strict=True):
        axes.text(left - 0.6, top + 0.98, title, fontsize=11, fontweight="bold", va="center")
        if not shown:
            continue
        lines = [line for verdict in shown.verdicts() for line in textwrap.wrap(verdict, 82, subsequent_indent="    ")]
        axes.text(left - 0.6, top + 1.15, "\n".join(lines), fontsize=9.5, va="top", linespacing=1.25)
        for row, (values, what, levels) in enumerate(
            (
                (shown.costs, "cost", LEARNED),
                (shown.alive, f"ReLUs alive of {shown.entries}", None),
                (shown.slopes, "slope 1/(1+s²)", TRUE_SLOPES),
            )
        ):
            bottom = 1 - (top + FIRST + DOWN + row * (DOWN + APART)) / height
            place = left / WIDTH, bottom, ACROSS / WIDTH, DOWN / height
            curves = figure.add_axes(place, sharex=shared[0], sharey=shared[row])
            shared[row] = shared[row] or curves
            _plot(curves, values, levels)
            if levels is None:
                curves.set_ylim(-0.05 * shown.entries, 1.05 * shown.entries)
            curves.set_ylabel(what)
            curves.tick_params(labelbottom=row == 2)
        curves.set_xlabel("epoch")


def _plot(axes: Axes, values: Array, levels: Array | None) -> None:
    for index, (colour, dashes) in enumerate(LINES):
        marker = "o" if len(values) == 1 else ""
        epochs = np.arange(1, len(values) + 1)
        axes.plot(epochs, values[:, index], color=colour, linestyle=dashes, linewidth=1.8, marker=marker)
        if levels is not None:
            axes.axhline(levels[index], color=colour, linestyle=":", linewidth=1.2)
    axes.set_xscale("log")
    if levels is None:
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        axes.set_yscale("log")
    axes.grid(color="0.9")
