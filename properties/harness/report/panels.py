"""A failure as panels to look at: its arrays, what each stage makes of them, and both sides of what was compared."""

from collections.abc import Callable, Iterator, Mapping
from math import prod
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from ...layers import OPERATIONS, layer_of
from ...layers.base.registry import Layer, Mask, Stage
from ...layers.base.windows import blocks, grow, maxima
from ..core.limits import Shape
from ..core.setting import in_setting
from ..core.tape import Case
from ..core.text import decoded, shown_encoded
from ..core.values import Array, Kind
from ..target.layout import Layout
from .data import Entry, Found, Report
from .results import layout_of, setting_of, values_of

LONGEST_NAME = 60  # of what was compared, in a title
MOST_SLICES = 4  # of an array with channels or images
_NAMES = {Kind.IMAGES: ("image", "channel"), Kind.KERNEL: ("filter", "channel")}


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
    kind: Kind = Kind.ANY


def panels(entry: Entry, report: Found | Report) -> tuple[list[Panel], list[Panel], dict[str, str]]:
    """The panels of a failing property, each two-dimensional: its arguments and stages, and both sides; and in words
    what is no array.

    The stages between arguments and answer are those of the right network: a target need not show its own.
    """
    with in_setting(setting_of(report)):
        return _panels(entry, layout_of(report))


def _panels(entry: Entry, layout: Layout) -> tuple[list[Panel], list[Panel], dict[str, str]]:
    layer, signature = layer_of(entry.operation), OPERATIONS[entry.operation]
    case = _case(entry, layout, layer)
    given = {
        name: _inward(decoded(getattr(entry, name)), entry.operation, layout, case) for name in ("yours", "expected")
    }
    stages = list(layer.stages(case, entry.operation)) if case.keys() >= signature.takes.keys() else []
    sides = list(_sides(given, entry, layout, case))
    if stages and signature.faults and not _is_array(given["expected"][0]):
        right = signature.value(case)[0].value / layout.times(signature, signature.gives[0], case)
        window = next((stage.window for stage in stages if stage.values.shape == right.shape), None)
        sides.append(Panel("right, for one", right, Marks(window=window), kind=signature.gives[0]))
    named = {stage.title: stage for stage in stages}
    arguments = [
        _staged(named.pop(name, Stage(name, value)))._replace(kind=layer.kinds.get(name, Kind.ANY))
        for name, value in case.items()
        if _is_array(value)
    ]
    drawn = [*arguments, *map(_staged, named.values())]
    flat = [[part for panel in some for part in _slices(panel)] for some in (drawn, sides)]
    told = {name: value for name, value in values_of(entry).items() if not _is_array(decoded(value))}
    return flat[0], flat[1], {name: shown_encoded(value) for name, value in told.items()}


def _case(entry: Entry, layout: Layout, layer: Layer) -> Case:
    """The counterexample as the suite has it; labels last, since others say how many classes there are."""
    case, kinds, given = Case(), layer.kinds, entry.counterexample or {}
    for name in sorted(given, key=lambda name: kinds.get(name) is Kind.LABELS):
        case[name] = layout.inward(kinds.get(name, Kind.ANY), decoded(given[name]), case)
    return Case({name: case[name] for name in given})


def _is_array(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0 and value.size > 0 and value.dtype.kind in "biuf"


def _inward(value: object, operation: str, layout: Layout, case: Case) -> tuple[object, Kind]:
    """An answer of the target's layout in the suite's form, and of what kind it is."""
    if not _is_array(value):
        return value, Kind.ANY
    gives, axes = OPERATIONS[operation].gives, np.ndim(value)  # type: ignore[arg-type]
    kind = next((kind for kind in gives if kind in _NAMES and layout.axes(kind) == axes), Kind.ANY)
    return layout.inward(kind, value, case), kind


def _staged(stage: Stage) -> Panel:
    """A stage, between arguments and answer, with the maxima of its windows marked. Images keep their slices' names."""
    marks, kind = Marks(dead=stage.dead), Kind.IMAGES if stage.values.ndim == 4 else Kind.ANY
    if stage.window:
        maximal = maxima(stage.values, stage.window)
        counts = blocks(maximal, stage.window).sum(axis=(-2, -1))
        tied = maximal & (grow(counts, stage.window) > 1)
        marks = Marks(winners=maximal, tied=tied, dead=stage.dead, window=stage.window)
    return Panel(stage.title, stage.values, marks, kind=kind)


def _sides(given: Mapping[str, tuple[object, Kind]], entry: Entry, layout: Layout, case: Case) -> Iterator[Panel]:
    arrays = {name: np.asarray(value, np.float64) for name, (value, _) in given.items() if _is_array(value)}
    scale = max((float(np.abs(array[np.isfinite(array)]).max(initial=0.0)) for array in arrays.values()), default=0.0)
    wrong = None
    if "yours" in arrays and entry.wrong:
        own = np.zeros(np.shape(decoded(entry.yours)), bool)
        own[tuple(np.transpose(entry.wrong))] = True
        wrong = layout.inward(given["yours"][1], own, case)
    what = entry.difference.quantity if entry.difference else ""
    title_of_yours = f"yours: {what}" if 0 < len(what) <= LONGEST_NAME else "yours"
    for name, array in arrays.items():
        title, marks = (title_of_yours, Marks(wrong=wrong)) if name == "yours" else (name, UNMARKED)
        yield Panel(title, array, marks, scale or None, given[name][1])
    if len(arrays) == 2 and arrays["yours"].shape == arrays["expected"].shape:
        with np.errstate(invalid="ignore"):
            yield Panel(
                "yours − expected", arrays["yours"] - arrays["expected"], Marks(wrong=wrong), kind=given["yours"][1]
            )


def _slices(panel: Panel) -> Iterator[Panel]:
    """The panel in two dimensions: a row of what has one, and of what has more the first few slices."""
    values, marks = panel.values, panel.marks
    if values.ndim < 3:
        row = (None,) * (2 - values.ndim)
        yield panel._replace(values=values[row], marks=marks.mapped(lambda mask: mask[row]))
        return
    names, lengths = _NAMES.get(panel.kind, ("filter", "channel"))[4 - values.ndim :], values.shape[:-2]
    for place in list(np.ndindex(lengths))[:MOST_SLICES]:
        several = [f"{name} {i}" for name, i, length in zip(names, place, lengths, strict=False) if length > 1]
        title = f"{panel.title} ({', '.join(several)})" if several else panel.title
        if prod(lengths) > MOST_SLICES and not any(place):
            title += f" of {prod(lengths)}, {MOST_SLICES} shown"
        yield panel._replace(title=title, values=values[place], marks=marks.mapped(itemgetter(place)))
