"""The shapes that cases are drawn from, within what a target declares that it supports."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from math import prod
from typing import Any, NamedTuple

Shape = tuple[int, int]
Pair = tuple[Shape, Shape]
Declared = str | tuple[Shape, ...] | None

POOL = (2, 2)


class Largest(NamedTuple):
    """The most rows, and columns, that are drawn where a target declares no shapes, and the most features."""

    kernel: int
    kernel_of_several: int  # with channels
    output: int
    network_kernel: int
    window: int
    windows: int
    features: int

    @property
    def image(self) -> int:
        """Of the image that the largest kernel and output make."""
        return self.kernel + self.output - 1


FIRST = Largest(kernel=4, kernel_of_several=3, output=5, network_kernel=3, window=3, windows=3, features=9)
CEILING = Largest(kernel=8, kernel_of_several=6, output=9, network_kernel=6, window=5, windows=5, features=25)


class NotApplicable(Exception):
    """Within the target's declared limits there is no case for this statement; the message says why."""


@dataclass(frozen=True)
class Limits:
    """What a target declares: for each, `"square"`, the shapes themselves, or None for any shape.

    `left_out` are the pairs of shapes, by layer, for which its operations say that they are not implemented. By
    `growth` the largest sides that are drawn are larger than at first, as far as a case stays affordable. `counts` are
    how many images, channels and filters every case has, where they are not drawn.
    """

    kernels: Declared = None
    windows: Declared = None
    images: Declared = None
    left_out: frozenset[tuple[str, Pair]] = frozenset()
    growth: int = 0
    counts: tuple[int, int, int] | None = None

    @cached_property
    def any_shape(self) -> bool:
        """Whether nothing is declared, nor left out."""
        return self == Limits(growth=self.growth)

    @cached_property
    def largest(self) -> Largest:
        """The largest sides that are drawn."""
        return Largest(*(min(first + self.growth, most) for first, most in zip(FIRST, CEILING, strict=True)))

    @classmethod
    def declared_by(cls, offered: Any) -> "Limits":
        """The limits in an object's `KERNEL_SHAPES`, `WINDOW_SHAPES` and `IMAGE_SHAPES`; `ValueError` if unclear."""
        kernels, windows, images = (_declared(offered, f"{kind}_SHAPES") for kind in ("KERNEL", "WINDOW", "IMAGE"))
        return cls(kernels, windows, images)

    @cache
    def convolutions(self, layer: str = "convolution") -> tuple[Pair, ...]:
        """Every (kernel, image) pair that a layer supports and in which the kernel fits, smallest first."""
        return self._kept(layer, self._fitting())

    @cache
    def networks(self) -> tuple[Pair, ...]:
        """Every supported (kernel, image) pair whose convolution has even sides, smallest first."""
        if self.windows not in (None, "square") and POOL not in self.windows:
            return ()
        even = [(k, i) for k, i in self._fitting() if (i[0] - k[0]) % 2 and (i[1] - k[1]) % 2]
        return self._kept("network", even)

    @cache
    def poolings(self, tied: bool, layer: str = "pooling") -> tuple[Pair, ...]:
        """Every supported (window, input) pair in which the window divides the input, smallest first.

        `tied` leaves out the 1×1 window, which has nothing to tie. Where images are declared and no window
        divides one, the outputs of their convolutions are taken.
        """
        windows = [w for w in _candidates(self.windows, self.largest.window) if w != (1, 1) or not tied]
        inputs = _candidates(self.images, self.largest.window * self.largest.windows)
        pairs = _dividing(windows, inputs)
        if not pairs:
            outputs = {(i[0] - k[0] + 1, i[1] - k[1] + 1) for k, i in self._fitting()}
            pairs = _dividing(windows, outputs)
        return self._kept(layer, pairs)

    @cache
    def windowed(self, layer: str, most: int | None = None) -> tuple[Pair, ...]:
        """Every (window, input) pair that a layer supports and in which the window fits, smallest first.

        Inputs are of up to so many rows, and columns; else as many as the largest window and window count make, and
        one more.
        """
        windows, most = (
            _candidates(self.windows, self.largest.window),
            most or self.largest.window + self.largest.windows + 1,
        )
        inputs = list(_candidates(self.images, most))
        return self._kept(layer, [(w, x) for w, x in product(windows, inputs) if w[0] <= x[0] and w[1] <= x[1]])

    def supports(self, layer: str, pair: Pair) -> bool:
        """Whether this pair, (kernel, image) or (window, input), is within what is declared, and not left out."""
        part, whole = pair
        declared = self.windows if "pooling" in layer else self.kernels
        if (layer, pair) in self.left_out or not _is_declared(part, declared):
            return False
        if "pooling" in layer and isinstance(self.images, tuple):
            return pair in self.poolings(False, layer) or (layer != "pooling" and whole in self.images)
        return _is_declared(whole, self.images)

    def _fitting(self) -> list[Pair]:
        kernels = _candidates(self.kernels, self.largest.kernel)
        images = list(_candidates(self.images, self.largest.image))
        return [(k, i) for k, i in product(kernels, images) if k[0] <= i[0] and k[1] <= i[1]]

    def _kept(self, layer: str, pairs: Iterable[Pair]) -> tuple[Pair, ...]:
        """The pairs smallest first, the supported ones before; of the others about one for every eight of those."""
        ordered = sorted(set(pairs), key=lambda pair: (prod(pair[1]), prod(pair[0]), pair))
        supported = [pair for pair in ordered if (layer, pair) not in self.left_out]
        others = [pair for pair in ordered if (layer, pair) in self.left_out]
        return *supported, *others[:: 1 + len(others) // (1 + len(supported) // 8)]


def _declared(offered: Any, name: str) -> Declared:
    value = getattr(offered, name, None)
    if value is None or (isinstance(value, str) and value == "square"):
        return value
    try:
        shapes = tuple((int(rows), int(columns)) for rows, columns in value)
    except (TypeError, ValueError):
        shapes = ()
    if not shapes or any(side < 1 for shape in shapes for side in shape):
        raise ValueError(f'{name} must be "square" or a list of (rows, columns), not {value!a}')
    return shapes


def _is_declared(shape: Shape, declared: Declared) -> bool:
    return declared is None or (shape[0] == shape[1] if declared == "square" else shape in declared)


def _candidates(declared: Declared, largest: int) -> Iterable[Shape]:
    if isinstance(declared, tuple):
        return declared
    shapes = product(range(1, largest + 1), range(1, largest + 1))
    return [shape for shape in shapes if declared is None or shape[0] == shape[1]]


def _dividing(windows: Iterable[Shape], inputs: Iterable[Shape]) -> list[Pair]:
    return [(w, x) for w, x in product(windows, inputs) if not (x[0] % w[0] or x[1] % w[1])]
