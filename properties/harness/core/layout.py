"""Layouts: which axes a target's images have, and in which order.

The suite keeps every array as the target has it, so that calls, orders of memory and reports need no translation.
What is defined on rows and columns asks for the same entries with these two axes last (`inward`), channels before
them and images first; what it makes so is turned back (`outward`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Side = tuple[int, int]
NAMES = ("HW", "CHW", "NCHW", "NHWC")
_SINGLE = {"N": 1, "C": 1}


@dataclass(frozen=True)
class Layout:
    """The axes of an image by their letters: N images, C channels, H rows, W columns.

    With channels, kernels are (C_out, C_in, h, w). Raises `ValueError` for a name that is none of the four.
    """

    name: str = "HW"

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            wanted = ", ".join(f'"{name}"' for name in NAMES[:-1])
            raise ValueError(f'LAYOUT must be {wanted} or "{NAMES[-1]}", not {self.name!a}')

    @cached_property
    def batched(self) -> bool:
        """Whether images come in batches, and a prediction and a target are a number for each image."""
        return "N" in self.name

    @cached_property
    def channelled(self) -> bool:
        """Whether images have channels, and kernels filters and channels."""
        return "C" in self.name

    @cached_property
    def axes(self) -> Side:
        """The axes of the rows and of the columns."""
        return self.name.index("H"), self.name.index("W")

    @cached_property
    def _channels_last(self) -> bool:
        return self.name.endswith("C")

    def inward(self, x: Any) -> Any:
        """A view of an array of images with rows and columns last, (H, W), (C, H, W) or (N, C, H, W)."""
        return np.moveaxis(x, -1, 1) if self._channels_last else x

    def outward(self, x: Any) -> Any:
        """The target's own order of what has rows and columns last, in C order."""
        return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if self._channels_last else x

    def shape(self, sides: Side, images: int = 1, channels: int = 1) -> tuple[int, ...]:
        """The shape of so many images of so many channels, where the layout has them."""
        numbers = {"N": images, "C": channels, "H": sides[0], "W": sides[1]}
        return tuple(numbers[letter] for letter in self.name)

    def inner_shape(self, sides: Side, images: int = 1, channels: int = 1) -> tuple[int, ...]:
        """That shape as `inward` has it."""
        return (images, channels, *sides)[4 - len(self.name) :]

    def kernel_shape(self, sides: Side, filters: int = 1, channels: int = 1) -> tuple[int, ...]:
        """The shape of a kernel."""
        return (filters, channels, *sides) if self.channelled else sides

    def numbers(self, x: Any) -> dict[str, int]:
        """How many images, channels, rows and columns an array of images has, by their letters."""
        return {**_SINGLE, **dict(zip(self.name, x.shape, strict=True))}

    def sides(self, x: Any) -> Side:
        """Rows and columns of an array of images."""
        return x.shape[self.axes[0]], x.shape[self.axes[1]]

    def count(self, x: Any) -> int:
        """How many images there are in an array of them."""
        return len(x) if self.batched else 1

    def images(self, x: Any) -> list[Any]:
        """The images one by one, each a batch of one where there are batches."""
        return [x[n : n + 1] for n in range(len(x))] if self.batched else [x]

    def scattered(self, values: Any) -> Any:
        """A number for each image, to be multiplied with an array of images."""
        return np.reshape(values, (-1, 1, 1, 1)) if np.ndim(values) else values

    def numbered(self, values: Any) -> list[float]:
        """A number for each image, in a row: what `predict` gives and `target` is."""
        return values.tolist() if self.batched else [values]

    def gathered(self, values: Iterable[float]) -> Any:
        """Numbers in a row, as the layout has a number for each image: an array (N,), or a number."""
        return np.array(list(values)) if self.batched else next(iter(values))
