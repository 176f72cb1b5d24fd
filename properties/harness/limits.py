"""The shapes that cases are drawn from, within what a target declares that it supports."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import prod
from typing import Any

Shape = tuple[int, int]
Pair = tuple[Shape, Shape]
Declared = str | tuple[Shape, ...] | None

LARGEST_KERNEL = 4, 4
LARGEST_NETWORK_KERNEL = 3, 3
LARGEST_WINDOW = 3, 3
LARGEST_OUTPUT = 5, 5
MOST_WINDOWS = 3, 3
POOL = (2, 2)


class NotApplicable(Exception):
    """Within the target's declared limits there is no case for this statement; the message says why."""


@dataclass(frozen=True)
class Limits:
    """What a target declares: for each, `"square"`, the shapes themselves, or None for any shape.

    `left_out` are the pairs of shapes, by layer, for which its operations say that they are not implemented.
    """

    kernels: Declared = None
    windows: Declared = None
    images: Declared = None
    left_out: frozenset[tuple[str, Pair]] = frozenset()

    @classmethod
    def declared_by(cls, offered: Any) -> "Limits":
        """The limits in an object's `KERNEL_SHAPES`, `WINDOW_SHAPES` and `IMAGE_SHAPES`; `ValueError` if unclear."""
        kernels, windows, images = (_declared(offered, f"{kind}_SHAPES") for kind in ("KERNEL", "WINDOW", "IMAGE"))
        return cls(kernels, windows, images)

    @cache
    def convolutions(self) -> tuple[Pair, ...]:
        """Every supported (kernel, image) pair in which the kernel fits, smallest first."""
        return self._kept("convolution", self._fitting())

    @cache
    def networks(self) -> tuple[Pair, ...]:
        """Every supported (kernel, image) pair whose convolution has even sides, smallest first."""
        if self.windows not in (None, "square") and POOL not in self.windows:
            return ()
        even = [(k, i) for k, i in self._fitting() if (i[0] - k[0]) % 2 and (i[1] - k[1]) % 2]
        return self._kept("network", even)

    @cache
    def poolings(self, tied: bool) -> tuple[Pair, ...]:
        """Every supported (window, input) pair in which the window divides the input, smallest first.

        `tied` leaves out the 1×1 window, which has nothing to tie. Where images are declared and no window
        divides one, the outputs of their convolutions are taken.
        """
        windows = [w for w in _candidates(self.windows, LARGEST_WINDOW) if w != (1, 1) or not tied]
        inputs = _candidates(self.images, (LARGEST_WINDOW[0] * MOST_WINDOWS[0],) * 2)
        pairs = _dividing(windows, inputs)
        if not pairs:
            outputs = {(i[0] - k[0] + 1, i[1] - k[1] + 1) for k, i in self._fitting()}
            pairs = _dividing(windows, outputs)
        return self._kept("pooling", pairs)

    def _fitting(self) -> list[Pair]:
        kernels = _candidates(self.kernels, LARGEST_KERNEL)
        images = list(_candidates(self.images, _sum(LARGEST_KERNEL, LARGEST_OUTPUT)))
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


def _candidates(declared: Declared, largest: Shape) -> Iterable[Shape]:
    if isinstance(declared, tuple):
        return declared
    shapes = product(range(1, largest[0] + 1), range(1, largest[1] + 1))
    return [shape for shape in shapes if declared is None or shape[0] == shape[1]]


def _dividing(windows: Iterable[Shape], inputs: Iterable[Shape]) -> list[Pair]:
    return [(w, x) for w, x in product(windows, inputs) if not (x[0] % w[0] or x[1] % w[1])]


def _sum(one: Shape, other: Shape) -> Shape:
    return one[0] + other[0] - 1, one[1] + other[1] - 1
