"""Sizes that cases are read with: of a part, how often it fits, and the whole; of images, channels and filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from .limits import NotApplicable, Pair, Shape
from .trial import current

if TYPE_CHECKING:
    from .cases import Tape

MOST_IMAGES = MOST_CHANNELS = 3
Region = tuple[tuple[int, ...], tuple[int, ...]]  # a shape, and the largest that could have been read


class Counts(NamedTuple):
    """How many images, channels and filters there are; 1 where the layout has none."""

    images: int = 1
    channels: int = 1
    filters: int = 1


MOST = Counts(MOST_IMAGES, MOST_CHANNELS, MOST_CHANNELS)


def read_counts(tape: Tape) -> tuple[Counts, Counts]:
    """How many there are of each that the target's layout has, 1 to 3 or as the limits say, and the most of each."""
    layout, given = current().target.layout, current().target.limits.counts
    most = Counts(*(given or MOST))
    most = Counts(most.images if layout.batched else 1, *(most[1:] if layout.channelled else (1, 1)))
    if given:
        return most, most
    filters_and_channels = [tape.choose(number) + 1 if number > 1 else 1 for number in most[1:]]
    return Counts(tape.choose(most.images) + 1 if layout.batched else 1, *filters_and_channels), most


class Shapes(NamedTuple):
    """Shapes read off a tape: a part (kernel, window), how often it fits (outputs, windows), the whole that they
    make (image, input), the largest of each that could have been read, the counts, and the most of each.
    """

    part: Shape
    fits: Shape
    whole: Shape
    largest_part: Shape
    largest_fits: Shape
    largest_whole: Shape
    counts: Counts
    most: Counts

    @property
    def image(self) -> Region:
        """Of the image, or of what is pooled, with rows and columns last."""
        return self._region(self.whole, self.largest_whole, 1)

    @property
    def output(self) -> Region:
        """Of the convolution's output, with rows and columns last."""
        return self._region(self.fits, self.largest_fits, 2)

    @property
    def pooled(self) -> Region:
        """Of what pooling leaves of the image, with rows and columns last."""
        return self._region(self.fits, self.largest_fits, 1)

    @property
    def kernel(self) -> Region:
        """Of the kernel."""
        shape = current().target.layout.kernel_shape
        return shape(self.part, self.counts[2], self.counts[1]), shape(self.largest_part, self.most[2], self.most[1])

    def _region(self, sides: Shape, extent: Shape, kind: int) -> Region:
        shape = current().target.layout.inner_shape
        return shape(sides, self.counts[0], self.counts[kind]), shape(extent, self.most[0], self.most[kind])


def read_shapes(
    tape: Tape,
    supported: Callable[[], tuple[Pair, ...]],
    sides: tuple[int, int],
    join: Callable[[Shape, Shape], Shape],
    fit: Callable[[Shape, Shape], Shape],
) -> Shapes:
    """Counts, then shapes within the target's limits. `NotApplicable` if they leave nothing.

    Without declared limits those of the part and of the count go up to `sides`, and `join` makes the whole: with
    channels to less, since Hypothesis takes time in the square of what is drawn to make a counterexample smaller;
    else a supported (part, whole) pair is read, and `fit` says how often the one fits in the other.
    """
    counts, most_counts = read_counts(tape)
    limits, (most, most_fits) = current().target.limits, sides
    if current().target.layout.channelled:
        most, most_fits = min(most, limits.largest.kernel_of_several), (most_fits + 1) // 2
    if limits.any_shape:
        part = tape.choose(most) + 1, tape.choose(most) + 1
        # one output alone, as of a kernel as large as the image, would else be rare
        fits = tape.choose(most_fits + 1) % most_fits + 1, tape.choose(most_fits + 1) % most_fits + 1
        largest = (most, most), (most_fits, most_fits)
        return Shapes(part, fits, join(part, fits), *largest, join(*largest), counts, most_counts)
    pairs = supported()
    if not pairs:
        raise NotApplicable("within the declared shapes there is no such case")
    part, whole = pairs[tape.choose(len(pairs))]
    parts, wholes, all_fits = [p for p, _ in pairs], [w for _, w in pairs], [fit(p, w) for p, w in pairs]
    return Shapes(part, fit(part, whole), whole, _hull(parts), _hull(all_fits), _hull(wholes), counts, most_counts)


def _hull(shapes: list[Shape]) -> Shape:
    return max(rows for rows, _ in shapes), max(columns for _, columns in shapes)


def is_supported(case: dict[str, Any]) -> bool:
    """Whether the shapes of a case of the target's own layout are within what it supports."""
    limits, layout = current().target.limits, current().target.layout
    if limits.any_shape:
        return True
    if "window" in case:
        return limits.supports("pooling", (case["window"], layout.sides(case["x"])))
    if "kernel" not in case:
        return True
    layer = "network" if "target" in case else "convolution"
    return limits.supports(layer, (case["kernel"].shape[-2:], layout.sides(case["image"])))


def joined_valid(kernel: Shape, output: Shape) -> Shape:
    """The image of which a kernel makes this output, or the other way round: valid mode is symmetric so."""
    return kernel[0] + output[0] - 1, kernel[1] + output[1] - 1


def fit_valid(kernel: Shape, image: Shape) -> Shape:
    """The output's shape in valid mode."""
    return image[0] - kernel[0] + 1, image[1] - kernel[1] + 1
