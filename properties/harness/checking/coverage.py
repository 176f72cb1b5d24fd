"""What the cases of a run were: their shapes, ties, margins and activation patterns, counted."""

from collections import Counter
from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np

from ...layers.base.registry import Layer
from ...layers.exhaustive import NOTEBOOK_WINDOWS, pattern_of
from ..core.tape import Case
from ..core.values import Array
from ..target.layout import Layout
from .trial import Counts

SIZED = (
    "image",
    "kernel",
    "x",
    "window",
    "features",
    "prediction",
    "probabilities",
    "logits",
)  # what a verdict's shapes are told by


def note(tried: Counts, layer: Layer, layout: Layout, case: Case, points: int = 0) -> None:
    """Count a case, or so many points together: its shapes, and for each pooling window, of the network's too, its
    maxima and its margin.

    `maxima` counts windows by how many of their entries are maximal. `margins` counts those with one by the gap between
    it and the next entry over the window's largest magnitude: by the power of two that this is below. `patterns` counts
    the activation patterns of networks with four windows, as the notebook's has. Shapes are those of the layout.
    """
    for name in SIZED:
        if name in case:
            value = case[name]
            shape = value.shape[points > 0 :] if isinstance(value, np.ndarray) else value
            tried[name][layout.outward_shape(layer.kinds[name], shape)] += points or 1
    if (windows := layer.windows(case)) is not None:
        _note_windows(tried, windows)
        if layer.rests_on_others and len(windows) == NOTEBOOK_WINDOWS * (points or 1):
            winners = "".join(map(str, pattern_of(windows)))
            tried["patterns"].update(map("".join, zip(*[iter(winners)] * NOTEBOOK_WINDOWS, strict=True)))


def _note_windows(tried: Counts, windows: Array) -> None:
    highest = windows.max(axis=1, keepdims=True)
    maximal = windows == highest
    counts = maximal.sum(axis=1)
    tried["maxima"].update(counts.tolist())
    alone = (counts == 1) & (windows.shape[1] > 1)
    if alone.any():
        following = np.where(maximal, -np.inf, windows)[alone].max(axis=1)
        magnitude = np.abs(windows[alone]).max(axis=1)
        margins = highest[alone, 0] / magnitude - following / magnitude
        tried["margins"].update(np.ldexp(1.0, np.frexp(margins)[1]).tolist())


def as_plain(counts: Counts) -> dict[str, dict[str, int]]:
    """The counts as JSON has them, by name, in the order of what they count."""
    return {kind: {_name(key): number for key, number in sorted(of.items())} for kind, of in counts.items()}


def summed(every: Iterable[dict[str, int]]) -> dict[str, int]:
    """Several counts in one, in the order of the numbers that their names begin with, or that multiply to a size."""
    total: Counter[str] = Counter()
    for counts in every:
        total.update(counts)
    return dict(sorted(total.items(), key=lambda item: _order(item[0])))


def sides(name: str) -> list[int]:
    """The shape that has this name."""
    return [int(side) for side in name.strip("()").split("×") if side]


def _name(key: Any) -> str:
    return "×".join(map(str, key)) or "()" if isinstance(key, tuple) else key if isinstance(key, str) else f"{key:g}"


def _order(name: str) -> tuple[float, list[float]]:
    numbers = [float(side) for side in name.strip("()").split("×") if side]
    return prod(numbers), numbers
