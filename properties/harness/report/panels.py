"""A failure as panels to look at: its arrays, what each stage makes of them, and both sides of what was compared."""

from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...layers import oracles
from ...layers.pooling import blocks
from ..checking.trial import current, on_trial
from ..core.limits import POOL, Shape
from ..core.setting import Conventions
from ..core.text import decoded, shown_encoded
from ..core.values import Array
from ..target.layout import Layout
from ..target.target import Target
from .data import Entry, Found, Report
from .results import values_of

LONGEST_NAME = 60  # of what was compared, in a title
MOST_SLICES = 4  # of an array with channels or images
GRADIENTS = ("gradients", "train_step")
Mask = NDArray[np.bool_]


class Marks(NamedTuple):
    """Which entries of an array are marked, each a mask of its shape or None, and the window that it is parted into."""

    wrong: Mask | None = None
    winners: Mask | None = None
    tied: Mask | None = None
    dead: Mask | None = None
    window: Shape | None = None

    def mapped(self, change: Callable[[Mask], Mask]) -> "Marks":
        """The marks with every mask changed."""
        wrong, winners, tied, dead = (None if mask is None else change(mask) for mask in self[:4])
        return Marks(wrong, winners, tied, dead, self.window)


UNMARKED = Marks()


class Panel(NamedTuple):
    """An array with its title; `scale` is the magnitude that its darkest shade stands for."""

    title: str
    values: Array
    marks: Marks = UNMARKED
    scale: float | None = None


def panels(entry: Entry, report: Found | Report) -> tuple[list[Panel], list[Panel], dict[str, str]]:
    """The panels of a failing property, each two-dimensional: its arguments and stages, and both sides; and in words
    what is no array.

    The stages between arguments and answer are those of the right network: a target need not show its own.
    """
    case: dict[str, Any] = {}
    for name, value in (entry.counterexample or {}).items():
        case[name] = tuple(value) if isinstance(value, list) else decoded(value)
    given = {"yours": decoded(entry.yours), "expected": decoded(entry.expected)}
    target = Target("", {}, layout=Layout(report.layout))
    with on_trial(target, Conventions(report.conventions.convolution)):
        sides = list(_sides(given, entry))
        drawn = [*_arguments(case, entry.operation), *_stages(case, entry.operation)]
        if entry.operation == "max_pool_gradient" and "window" in case and not _is_array(given["expected"]):
            right = oracles.argmax_scatter(case["x"], case["window"], case["upstream"])
            sides.append(Panel("right, for one: all to the first", right, Marks(window=case["window"])))
        flat = [
            [part for panel in some for part in _slices(panel, target.layout, case.get("kernel"))]
            for some in (drawn, sides)
        ]
    told = {name: value for name, value in values_of(entry).items() if not _is_array(decoded(value))}
    return flat[0], flat[1], {name: shown_encoded(value) for name, value in told.items()}


def _is_array(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0 and value.size > 0 and value.dtype.kind in "biuf"


def _arguments(case: dict[str, Any], operation: str) -> Iterator[Panel]:
    for name, value in case.items():
        if name == "x" and "window" in case:
            yield Panel(name, value, _maxima(value, case["window"]))
        elif _is_array(value):
            dead = value <= 0 if name == "x" and operation.startswith("relu") else None
            yield Panel(name, value, Marks(dead=dead))


def _maxima(x: Array, window: Shape) -> Marks:
    layout, maximal = current().target.layout, oracles.maxima(x, window)
    counts = layout.outward(blocks(maximal * 1.0, window).sum(axis=(-2, -1)))
    return Marks(winners=maximal, tied=maximal & (oracles.grow(counts, window) > 1), window=window)


def _stages(case: dict[str, Any], operation: str) -> Iterator[Panel]:
    if "window" in case and "x" in case:
        yield Panel("max_pool(x)", oracles.max_pool(case["x"], case["window"]))
    elif {"image", "kernel", "weights"} <= case.keys():
        yield from _network(case, operation)
    elif {"image", "kernel"} <= case.keys():
        yield Panel("conv2d(image, kernel)", oracles.conv2d(case["image"], case["kernel"]))


def _network(case: dict[str, Any], operation: str) -> Iterator[Panel]:
    stages = oracles.forward(case["image"], case["kernel"], case["weights"])
    activated = np.where(stages.preactivation > 0, stages.preactivation, 0.0)
    dead = stages.preactivation <= 0
    yield Panel("conv2d(image, kernel)", stages.preactivation, Marks(dead=dead))
    yield Panel("relu", activated, _maxima(activated, POOL)._replace(dead=dead))
    yield Panel("max_pool", stages.pooled)
    yield Panel("s = pooled · weights", np.atleast_1d(stages.weighted))
    yield Panel("arctan(s)", np.atleast_1d(stages.prediction))
    if operation in GRADIENTS and "target" in case:
        _, delta = oracles.residual_and_delta(stages, case["target"])
        upstream = oracles.preactivation_gradient(stages, delta, case["weights"])
        yield Panel("δ = (p − t) / (1 + s²)", np.atleast_1d(delta))
        yield Panel("what reaches the convolution", upstream, Marks(dead=dead))


def _sides(given: Mapping[str, object], entry: Entry) -> Iterator[Panel]:
    arrays = {name: np.asarray(value, np.float64) for name, value in given.items() if _is_array(value)}
    scale = max((float(np.abs(array[np.isfinite(array)]).max(initial=0.0)) for array in arrays.values()), default=0.0)
    wrong = None
    if "yours" in arrays and entry.wrong:
        wrong = np.zeros(arrays["yours"].shape, bool)
        wrong[tuple(np.transpose(entry.wrong))] = True
    what = entry.difference.quantity if entry.difference else ""
    own = f"yours: {what}" if 0 < len(what) <= LONGEST_NAME else "yours"
    for name, array in arrays.items():
        title, marks = (own, Marks(wrong=wrong)) if name == "yours" else (name, UNMARKED)
        yield Panel(title, array, marks, scale or None)
    if len(arrays) == 2 and arrays["yours"].shape == arrays["expected"].shape:
        with np.errstate(invalid="ignore"):
            yield Panel("yours − expected", arrays["yours"] - arrays["expected"], Marks(wrong=wrong))


def _slices(panel: Panel, layout: Layout, kernel: Any) -> Iterator[Panel]:
    """The panel in two dimensions: a row of what has one, and of what has more the first few slices."""
    values, marks = panel.values, panel.marks
    if values.ndim < 3:
        row = (None,) * (2 - values.ndim)
        yield panel._replace(values=values[row], marks=marks.mapped(lambda mask: mask[row]))
        return
    of_images = values.ndim == len(layout.name) and values.shape != np.shape(kernel)
    turned = layout.inward if of_images else np.asarray
    names = ("image", "channel")[4 - values.ndim :] if of_images else ("filter", "channel")[4 - values.ndim :]
    lengths = turned(values).shape[:-2]
    for place in list(np.ndindex(lengths))[:MOST_SLICES]:

        def part(array: Any, place: tuple[int, ...] = place) -> Any:
            return turned(array)[place]

        several = [f"{name} {i}" for name, i, length in zip(names, place, lengths, strict=False) if length > 1]
        title = f"{panel.title} ({', '.join(several)})" if several else panel.title
        if prod(lengths) > MOST_SLICES and not any(place):
            title += f" of {prod(lengths)}, {MOST_SLICES} shown"
        yield panel._replace(title=title, values=part(values), marks=marks.mapped(part))
