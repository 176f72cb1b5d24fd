"""How windows lie along the two axes of what is pooled: their width, stride and padding, read within what is declared.

Padding goes up to half of a window, as libraries have it, so that every window holds an entry of what is pooled.
"""

from typing import NamedTuple

from ...harness.core.limits import Limits, NotApplicable, Pair, Shape
from ...harness.core.setting import setting
from ...harness.core.tape import Case, Tape


def output_side(side: int, width: int, stride: int, padding: int) -> int:
    """How many windows there are along a side; what is left over belongs to none."""
    return (side + 2 * padding - width) // stride + 1


class Axis(NamedTuple):
    """One axis of an arrangement: the window's width, stride, padding, and how long the input is."""

    width: int
    stride: int
    padding: int
    side: int

    @property
    def outputs(self) -> int:
        """How many windows there are."""
        return output_side(self.side, self.width, self.stride, self.padding)

    def real(self, number: int) -> range:
        """The entries of the input in the window of this number."""
        start = number * self.stride - self.padding
        return range(max(start, 0), min(start + self.width, self.side))

    @property
    def fullest(self) -> range:
        """Those of the first window that has most of them."""
        return max(map(self.real, range(self.outputs)), key=len)


def _ways(width: int) -> list[tuple[int, int]]:
    """The strides and paddings that are tried with a window this wide, the neutral ones first."""
    strides = dict.fromkeys((width, 1, 2, 3, width + 1)) if setting().uses("stride") else (width,)
    paddings = sorted({0, min(1, width // 2), width // 2}) if setting().uses("padding") else (0,)
    return [(stride, padding) for padding in paddings for stride in strides]


def fits(axis: Axis) -> bool:
    """Whether a window fits; without a stride of their own windows part the padded input, as those of pooling do."""
    room = axis.side + 2 * axis.padding - axis.width
    return room >= 0 and (setting().uses("stride") or room % axis.width == 0)


def axes_of(width: int, side: int) -> list[Axis]:
    """Every axis that is tried with this width and side."""
    return [axis for axis in (Axis(width, *way, side) for way in _ways(width)) if fits(axis)]


def _read_axis(tape: Tape, most: int, longest: int) -> Axis:
    width = tape.choose(most) + 1
    ways = _ways(width)
    way = ways[tape.choose(len(ways))]
    axes = [axis for axis in (Axis(width, *way, side) for side in range(1, longest + 1)) if fits(axis)]
    return axes[tape.choose(len(axes))]


def supported(limits: Limits, layer: str, tied: bool = False) -> tuple[Pair, ...]:
    """The (window, input) pairs that have a stride and a padding; those with ties have more than one entry."""
    pairs = [pair for pair in limits.windowed(layer) if all(map(axes_of, *pair))]
    return tuple(pair for pair in pairs if not (tied and pair[0] == (1, 1)))


def read_arrangement(tape: Tape, layer: str, tied: bool) -> tuple[Axis, Axis, Shape]:
    """Both axes, and the longest that could have been read; where maxima are to tie, some window has two entries."""
    limits, largest = setting().limits, setting().limits.largest
    if limits.any_shape:
        several = setting().most.channels > 1
        most = min(largest.window, largest.kernel_of_several) if several else largest.window
        longest = most + (largest.windows + 1) // 2 if several else most + largest.windows + 1
        rows, columns = (_read_axis(tape, most, longest) for _ in range(2))
        if tied and len(rows.fullest) * len(columns.fullest) < 2:
            rows, columns = axes_of(1, rows.side)[0], axes_of(2, 2)[0]
        return rows, columns, (longest, longest)
    pairs = supported(limits, layer, tied)
    if not pairs:
        raise NotApplicable("within the declared shapes there is no such case")
    window, whole = pairs[tape.choose(len(pairs))]
    every = [axes_of(width, side) for width, side in zip(window, whole, strict=True)]
    rows, columns = (axes[tape.choose(len(axes))] for axes in every)
    if tied and len(rows.fullest) * len(columns.fullest) < 2:
        rows, columns = every[0][0], every[1][0]
    sides = [side for _, side in pairs]
    return rows, columns, (max(one for one, _ in sides), max(one for _, one in sides))


def arranged(case: Case) -> tuple[Axis, Axis]:
    """Both axes of a case."""
    rows, columns = zip(case.window, case.stride, case.padding, case.x.shape[-2:], strict=True)
    return Axis(*rows), Axis(*columns)
