"""Sizes that cases are read with: of a part, how often it fits, and the whole; of images, channels and filters."""

from collections.abc import Callable
from typing import NamedTuple

from .limits import NotApplicable, Pair, Shape
from .setting import Counts, setting
from .tape import Tape

MOST_ROWS = 3
Region = tuple[tuple[int, ...], tuple[int, ...]]  # a shape, and the largest that could have been read


def read_counts(tape: Tape) -> tuple[Counts, Counts]:
    """How many images, channels and filters there are, up to those of the setting or as the limits say; the most."""
    given, several = setting().limits.counts, setting().most
    most = Counts(*(count if limit > 1 else 1 for count, limit in zip(given or several, several, strict=True)))
    if given:
        return most, most
    channels, filters, images = (tape.choose(n) + 1 if n > 1 else 1 for n in (*most[1:], most.images))
    return Counts(images, channels, filters), most


def read_rows(tape: Tape, option: str = "") -> tuple[int, int]:
    """How many rows arrays have that are the same in every layout, up to three or as the limits say; the most.

    They are the images' where there is an `option` that stands for several, and cases do not use it.
    """
    most = MOST_ROWS if not option or setting().uses(option) else setting().most.images
    if (given := setting().limits.counts) and most > 1:
        return given[0], given[0]
    return (tape.choose(most) + 1, most) if most > 1 else (1, 1)


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
        """Of the image, or of what is pooled."""
        return self._images(self.whole, self.counts.channels), self._most(self.largest_whole, self.most.channels)

    @property
    def output(self) -> Region:
        """Of the convolution's output."""
        return self._images(self.fits, self.counts.filters), self._most(self.largest_fits, self.most.filters)

    @property
    def pooled(self) -> Region:
        """Of what pooling leaves of the image."""
        return self._images(self.fits, self.counts.channels), self._most(self.largest_fits, self.most.channels)

    @property
    def kernel(self) -> Region:
        """Of the kernel."""
        largest = self.most.filters, self.most.channels, *self.largest_part
        return (self.counts.filters, self.counts.channels, *self.part), largest

    def _images(self, sides: Shape, channels: int) -> tuple[int, ...]:
        return self.counts.images, channels, *sides

    def _most(self, sides: Shape, channels: int) -> tuple[int, ...]:
        return self.most.images, channels, *sides


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
    limits, (most, most_fits) = setting().limits, sides
    if setting().most.channels > 1:
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


def joined_valid(kernel: Shape, output: Shape) -> Shape:
    """The image of which a kernel makes this output, or the other way round: valid mode is symmetric so."""
    return kernel[0] + output[0] - 1, kernel[1] + output[1] - 1


def fit_valid(kernel: Shape, image: Shape) -> Shape:
    """The output's shape in valid mode."""
    return image[0] - kernel[0] + 1, image[1] - kernel[1] + 1
