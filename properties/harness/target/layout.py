"""Layouts: which axes a target's images have, and in which order; what the suite has in one form is put into it here.

Inside the suite images are (N, C, H, W), kernels (C_out, C_in, h, w) and there is a number for each image, (N,).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np

from ...layers.base.registry import Sides
from ..core.setting import Counts, setting
from ..core.tape import Case
from ..core.values import Kind

NAMES = ("HW", "CHW", "NCHW", "NHWC")
MOST = 3  # images, channels and filters that are sampled


@dataclass(frozen=True)
class Layout:
    """The axes of an image by their letters: N images, C channels, H rows, W columns.

    With channels, kernels are (C_out, C_in, h, w). Raises `ValueError` for a name that is none of the four.
    `labels` are as in a setting; if nothing is said, as in the one that is in force.
    """

    name: str = "HW"
    labels: str = ""

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

    @property
    def channels_last(self) -> bool:
        """Whether an image's entries lie in the order of (H, W, C)."""
        return self.name.endswith("C")

    @cached_property
    def most(self) -> Counts:
        """How many images, channels and filters a case has at most."""
        several = MOST if self.channelled else 1
        return Counts(MOST if self.batched else 1, several, several)

    @cached_property
    def _own_axes(self) -> Callable[[Sides], Sides]:
        """Takes, of something for each of (N, C, H, W), what belongs to the target's axes, in their order."""
        return itemgetter(*map("NCHW".index, self.name))

    def axes(self, kind: Kind) -> int | None:
        """How many axes an array of this kind has in the target's layout; None where the kind has no number of them."""
        return None if kind.axes is None else len(self.outward_shape(kind, (1,) * kind.axes))

    def outward_shape(self, kind: Kind, shape: Sides) -> Sides:
        """The shape that an array of this kind and inner shape has in the target's layout."""
        if kind is Kind.IMAGES:
            return self._own_axes(shape)
        if kind is Kind.KERNEL and not self.channelled:
            return shape[2:]
        if kind is Kind.LABELS and self._numbers_classes:
            return shape[:-1]
        return () if kind is Kind.NUMBERS and not self.batched else shape

    def outward(self, kind: Kind, value: Any, case: Case) -> Any:
        """A value of this kind as the target has it, a view where that can be; the `case` has the shapes beside it."""
        if kind is Kind.IMAGES:
            turned = np.moveaxis(value, 1, -1) if self.name == "NHWC" else value
            return turned.reshape(self.outward_shape(kind, value.shape))
        if kind is Kind.KERNEL:
            return value if self.channelled else value.reshape(value.shape[2:])
        if kind is Kind.NUMBERS:
            return value if self.batched else float(value[0])
        if kind is Kind.LABELS and self._numbers_classes:
            return value.argmax(axis=-1)
        return value[self._order(case)] if kind is Kind.POOLED_WEIGHTS and self.name == "NHWC" else value

    def inward(self, kind: Kind, value: Any, case: Case) -> Any:
        """A value of the target's as the suite has it; images and kernels may have a further axis in front."""
        if kind is Kind.IMAGES:
            if self.name == "NHWC":
                return np.moveaxis(value, -1, -3)
            return (
                value
                if self.batched
                else value[..., None, :, :, :]
                if self.channelled
                else value[..., None, None, :, :]
            )
        if kind is Kind.KERNEL:
            return value if self.channelled else value[..., None, None, :, :]
        if kind is Kind.NUMBERS:
            return np.reshape(value, -1)
        if kind is Kind.LABELS and np.ndim(value) == 1:
            classes = [one.shape[-1] for one in case.values() if np.ndim(one) > 1]
            return np.eye(classes[-1] if classes else 1 + int(np.max(value, initial=0)))[value]
        if kind is Kind.POOLED_WEIGHTS and self.name == "NHWC":
            return value[np.argsort(self._order(case))]
        return value

    @property
    def _numbers_classes(self) -> bool:
        """Whether a label is the number of a class."""
        return (self.labels or setting().labels) == "integers"

    @staticmethod
    def _order(case: Case) -> Any:
        """Where each weight of features flattened as (h, w, C) stands among those flattened as (C, h, w)."""
        filters, (rows, columns) = len(case.kernel), case.kernel.shape[2:]
        pooled = (case.image.shape[2] - rows + 1) // 2, (case.image.shape[3] - columns + 1) // 2
        return np.arange(filters * pooled[0] * pooled[1]).reshape(filters, *pooled).transpose(1, 2, 0).ravel()


HW = Layout()
