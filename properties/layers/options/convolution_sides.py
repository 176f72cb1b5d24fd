"""Cases of a convolution with options: sides that fit together, read off a tape, and made smaller.

Of rows and of columns alike, the image's results from the kernel's, the output's, the stride, the padding, the dilation
and what the stride leaves over.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from ...harness.core.limits import Pair, Shape
from ...harness.core.resizing import COLUMNS, ROWS, ends, thinned, without
from ...harness.core.setting import setting
from ...harness.core.sizes import Shapes, fit_valid, joined_valid, read_shapes
from ...harness.core.tape import FACTOR_SCALES, UPSTREAM_SCALES, Case, Tape
from ...harness.core.values import Array
from ..base.unfolding import reach

NAME = "convolution_options"
MOST = {"stride": 3, "padding": 3, "dilation": 3}
NONE = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
_AXES = (ROWS, COLUMNS)


class Side(NamedTuple):
    """Of the rows, or of the columns: how many of the kernel, of the output, and left over; and the options."""

    kernel: int
    output: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    rest: int = 0

    @property
    def least(self) -> int:
        """How many of the padded image one output takes."""
        return reach(self.kernel, self.dilation)

    @property
    def image(self) -> int:
        """How many the image has."""
        return self.least + self.stride * (self.output - 1) + self.rest - 2 * self.padding

    def within(self, most: int) -> "Side":
        """With so few outputs, and so little padding, that the image has from one up to so many."""
        beyond = max(self.image - most, 0)
        fewer = self._replace(output=self.output + -beyond // self.stride)
        return fewer._replace(padding=min(fewer.padding, (fewer.image + 2 * fewer.padding - 1) // 2))

    def of_image(self, image: int) -> "Side":
        """With as many outputs as an image of so many gives, in which the kernel fits but for its dilation."""
        whole = image + 2 * self.padding
        dilation = min(self.dilation, (whole - 1) // (self.kernel - 1)) if self.kernel > 1 else self.dilation
        output, rest = divmod(whole - reach(self.kernel, dilation), self.stride)
        return self._replace(output=output + 1, dilation=dilation, rest=rest)


def options_in(case: Case) -> tuple[Shape, Shape, Shape]:
    """The stride, the padding and the dilation of a case."""
    stride, padding, dilation = case.arguments(*NONE)
    return stride, padding, dilation


def pair_of(case: Case) -> Pair:
    """The kernel's and the image's rows and columns."""
    return case.kernel.shape[-2:], case.image.shape[-2:]


def read(tape: Tape, options: Sequence[str] = (*MOST,), leaves: bool = False) -> Case:
    """`image`, `kernel`, `bias`, `upstream`, `stride`, `padding`, `dilation`, of these options those that cases use.

    Rows and columns have their own. Where shapes are not declared, the image results: from the kernel, the output, the
    options, and what a stride leaves over, which is something in the image itself if it `leaves` any. A padded image
    may be smaller than the kernel; a dilation is no larger than fits a declared image.
    """
    limits = setting().limits
    sides = limits.largest.kernel, limits.largest.output
    shapes = read_shapes(tape, partial(limits.convolutions, NAME), sides, joined_valid, fit_valid)
    used = {name: most if name in options and setting().uses(name) else NONE[name][0] for name, most in MOST.items()}
    if setting().most.channels > 1:
        used["dilation"] = min(used["dilation"], 2)
    drawn = [_read_side(tape, *one, used, leaves) for one in zip(shapes.part, shapes.fits, strict=True)]
    if limits.any_shape:
        least = [
            Side(side, 1, used["stride"], 0, used["dilation"], used["stride"] - 1).image for side in shapes.largest_part
        ]
        most = max(*least, *shapes.largest_whole)
        found = [one.within(most) for one in drawn]
        shapes = shapes._replace(largest_whole=(most, most))
    else:
        found = [one.of_image(image) for one, image in zip(drawn, shapes.whole, strict=True)]
        rows, columns = shapes.largest_fits
        shapes = shapes._replace(largest_fits=(rows + 2 * used["padding"], columns + 2 * used["padding"]))
    return _arrays(tape, found, shapes)


def _read_side(tape: Tape, kernel: int, output: int, most: dict[str, int], leaves: bool) -> Side:
    leaves = leaves and most["stride"] > 1
    stride = 2 + tape.choose(most["stride"] - 1) if leaves else 1 + tape.choose(most["stride"])
    rest = 1 + tape.choose(stride - 1) if leaves else tape.choose(stride)
    padding = tape.choose(min(rest, most["padding"] + 1) if leaves else most["padding"] + 1)
    return Side(kernel, output, stride, padding, 1 + tape.choose(most["dilation"]), rest)


def _arrays(tape: Tape, found: Sequence[Side], shapes: Shapes) -> Case:
    """A case of the sides that were found for rows and columns."""
    rows, columns = found
    shapes = shapes._replace(fits=(rows.output, columns.output), whole=(rows.image, columns.image))
    filters, most = shapes.counts.filters, shapes.most.filters
    case = Case(
        image=tape.dyadic(*shapes.image, tape.scale(FACTOR_SCALES)),
        kernel=tape.dyadic(*shapes.kernel, tape.scale(FACTOR_SCALES)),
        upstream=tape.dyadic(*shapes.output, tape.scale(UPSTREAM_SCALES)),
        **{name: (getattr(rows, name), getattr(columns, name)) for name in NONE},
    )
    bias = tape.dyadic((filters,), (most,), tape.scale(FACTOR_SCALES))
    return case.changed(bias=bias if setting().uses("bias") else np.zeros_like(bias))


def _side_of(case: Case, axis: int) -> Side:
    options = {name: case[name][axis] for name in NONE}
    side = Side(case.kernel.shape[axis], case.upstream.shape[axis], **options)
    return side._replace(rest=case.image.shape[axis] - side.image)


def smaller(case: Case) -> Iterator[Case]:
    """An image, channel or filter less, or one of both; a row, a column or both less of the kernel, or of the output;
    less of an option, or left over; less of the image with either.
    """
    filters = {"upstream": -3, "kernel": -4, "bias": -1}
    yield from thinned(case, image=0, upstream=0)
    yield from thinned(case, image=-3, kernel=-3)
    yield from thinned(case, **filters)
    if case.kernel.shape[0] == case.kernel.shape[1]:
        for thinner in thinned(case, image=-3, kernel=-3):
            yield from thinned(thinner, **filters)
    for axis in _AXES:
        for side in _lesser(_side_of(case, axis)):
            yield from _narrower(case, axis, side)
    for side in _lesser(_side_of(case, ROWS)):  # what is wrong for squares alone stays one
        if _side_of(case, ROWS) == _side_of(case, COLUMNS):
            for lower in _narrower(case, ROWS, side):
                yield from _narrower(lower, COLUMNS, side)


def _lesser(side: Side) -> Iterator[Side]:
    """Sides with less of one thing, or of two where one alone would make the image larger."""
    for name in ("kernel", "output"):
        for start, stop in ends(getattr(side, name))[::2]:
            yield side._replace(**{name: getattr(side, name) - (stop - start)})
    for rest in {0, side.rest - 1}:
        yield side._replace(rest=rest)
    for name in ("stride", "dilation"):
        for value in {1, getattr(side, name) - 1}:
            fewer = side._replace(**{name: value})
            yield fewer._replace(rest=min(side.rest, fewer.stride - 1))
    fewer = side._replace(padding=side.padding - 1)
    yield fewer._replace(output=side.output - -(-2 // side.stride))
    yield fewer._replace(kernel=side.kernel - -(-2 // side.dilation))


def _narrower(case: Case, axis: int, side: Side) -> Iterator[Case]:
    """The case with this side in place of its own, cut at either end, if it is a smaller one."""
    own, length = _side_of(case, axis), case.image.shape[axis]
    is_less = side != own and all(new <= old for new, old in zip(side, own, strict=True))
    if not is_less or not 1 <= side.image <= length or min(side[:3]) < 1 or min(side) < 0 or side.dilation < 1:
        return
    cuts = {"kernel": own.kernel - side.kernel, "upstream": own.output - side.output, "image": length - side.image}
    options = {name: _replaced(case[name], axis, getattr(side, name)) for name in NONE}
    for ending in ((False, False), (True, True), (True, False), (False, True)):
        at_end = dict(zip(("kernel", "upstream", "image"), (ending[0], *ending), strict=True))
        arrays = {name: _cut(case[name], axis, width, at_end[name]) for name, width in cuts.items()}
        yield case.changed(**arrays, **options)


def _replaced(option: Shape, axis: int, value: int) -> Shape:
    return (value, option[1]) if axis == ROWS else (option[0], value)


def _cut(array: Array, axis: int, width: int, at_end: bool) -> Array:
    length = array.shape[axis]
    return without(array, axis, (length - width, length) if at_end else (0, width))
