"""Layouts: which axes a target's images and kernels have, and in which order, and whether its gradients are sums or
means over the images; what the suite has in one form is put into the target's here.

Inside the suite images are (N, C, H, W), kernels (C_out, C_in, h, w), there is a number for each image, (N,), and
gradients are sums.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np

from ...layers.base.registry import Sides, Signature
from ..core.setting import Counts, setting
from ..core.tape import Case
from ..core.text import printable
from ..core.values import Kind

NAMES = ("HW", "CHW", "NCHW", "NHWC")
KERNEL = "OIhw"
_BATCHED = (Kind.IMAGES, Kind.FEATURES)  # their first axis is the images'
_LAST = (-4, -3, -2, -1)
MOST = 3  # images, channels and filters that are sampled


@dataclass(frozen=True)
class Layout:
    """The axes of an image by their letters: N images, C channels, H rows, W columns.

    With channels, those of a `kernel` too: O filters, I channels, h rows, w columns. Where `gradients_are` the "mean",
    those of parameters are divided by the number of images, and steps are along these. `labels` are as in a setting; if
    nothing is said, as in the one that is in force. Raises `ValueError` for a name that is none of the four, for
    letters that are not these four, or without channels, and for other gradients.
    """

    name: str = "HW"
    kernel: str = KERNEL
    gradients_are: str = "sum"
    labels: str = ""

    def __post_init__(self) -> None:
        given = [printable(ascii(one)) for one in (self.name, self.kernel, self.gradients_are)]
        if not isinstance(self.name, str) or self.name not in NAMES:
            wanted = ", ".join(f'"{name}"' for name in NAMES[:-1])
            raise ValueError(f'LAYOUT must be {wanted} or "{NAMES[-1]}", not {given[0]}')
        if not isinstance(self.kernel, str) or sorted(self.kernel) != sorted(KERNEL):
            raise ValueError(f'KERNEL_LAYOUT must have the letters O, I, h and w, as "hwIO", not {given[1]}')
        if self.kernel != KERNEL and not self.channelled:
            raise ValueError(f"KERNEL_LAYOUT {given[1]} is for a LAYOUT with channels: kernels are (h, w) without")
        if not isinstance(self.gradients_are, str) or self.gradients_are not in ("sum", "mean"):
            raise ValueError(f'GRADIENTS must be "sum" or "mean", not {given[2]}')

    @classmethod
    def declared_by(cls, offered: Any) -> "Layout":
        """That of an object's `LAYOUT`, `KERNEL_LAYOUT` and `GRADIENTS`; `ValueError` if it is none."""
        kernel, are = getattr(offered, "KERNEL_LAYOUT", KERNEL), getattr(offered, "GRADIENTS", "sum")
        return cls(getattr(offered, "LAYOUT", "HW"), kernel=kernel, gradients_are=are)

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

    @cached_property
    def _places(self) -> Sides:
        """Which of a kernel's last four axes are O, I, h and w."""
        return tuple(self.kernel.index(letter) - len(KERNEL) for letter in KERNEL)

    def axes(self, kind: Kind) -> int | None:
        """How many axes an array of this kind has in the target's layout; None where the kind has no number of them."""
        return None if kind.axes is None else len(self.outward_shape(kind, (1,) * kind.axes))

    def outward_shape(self, kind: Kind, shape: Sides) -> Sides:
        """The shape that an array of this kind and inner shape has in the target's layout."""
        if kind is Kind.IMAGES:
            return self._own_axes(shape)
        if kind is Kind.KERNEL:
            return tuple(shape[KERNEL.index(letter)] for letter in self.kernel) if self.channelled else shape[2:]
        if kind is Kind.LABELS and self._numbers_classes:
            return shape[:-1]
        return () if kind is Kind.NUMBERS and not self.batched else shape

    def outward(self, kind: Kind, value: Any, case: Case) -> Any:
        """A value of this kind as the target has it, a view where that can be; the `case` has the shapes beside it."""
        if kind is Kind.IMAGES:
            turned = np.moveaxis(value, 1, -1) if self.name == "NHWC" else value
            return turned.reshape(self.outward_shape(kind, value.shape))
        if kind is Kind.KERNEL:
            if not self.channelled:
                return value.reshape(value.shape[2:])
            return value if self.kernel == KERNEL else np.moveaxis(value, _LAST, self._places)
        if kind is Kind.NUMBERS:
            return value if self.batched else float(value[0])
        if kind is Kind.LABELS and self._numbers_classes:
            return value.argmax(axis=-1)
        if kind is Kind.RATE and self._steps_by_means:
            return value * len(case.image)  # so that a step along the mean is as long as one along the sum
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
            if not self.channelled:
                return value[..., None, None, :, :]
            return value if self.kernel == KERNEL else np.moveaxis(value, self._places, _LAST)
        if kind is Kind.NUMBERS:
            return np.reshape(value, -1)
        if kind is Kind.LABELS and np.ndim(value) == 1:
            classes = [one.shape[-1] for one in case.values() if np.ndim(one) > 1]
            return np.eye(classes[-1] if classes else 1 + int(np.max(value, initial=0)))[value]
        if kind is Kind.POOLED_WEIGHTS and self.name == "NHWC":
            return value[np.argsort(self._order(case))]
        if kind is Kind.RATE and self._steps_by_means:
            return value / len(case.image)
        return value

    @property
    def _numbers_classes(self) -> bool:
        """Whether a label is the number of a class."""
        return (self.labels or setting().labels) == "integers"

    @property
    def _steps_by_means(self) -> bool:
        """Whether steps are along means: those of a declared network, whose loss may be one, are not."""
        return self.gradients_are == "mean" and not setting().network

    def times(self, signature: Signature, kind: Kind, case: Case) -> int:
        """How many times what the target gives as a part of this kind of an answer the suite has.

        As many as there are images for parameters' gradients that are means, else 1. The target's division by N rounds
        by half a unit, and so does the product that undoes it, if N is no power of 2: together by one of the four units
        that every bound allows beyond what sums round by. An answer that is off by all four is let through still: the
        product's half unit is no more than a sum over N ≥ 3 images is allowed, and the oracle's does not need.
        """
        return self.averaged(signature, case) if signature.gives_slope(kind) else 1

    def averaged(self, signature: Signature, case: Case) -> int:
        """How many images parameters' gradients are the mean over; 1 if they are sums, or a declared network's."""
        batches = [case[name] for name, kind in signature.takes.items() if kind in _BATCHED and name in case]
        return len(batches[0]) if batches and self.gradients_are == "mean" and not signature.where else 1

    @staticmethod
    def _order(case: Case) -> Any:
        """Where each weight of features flattened as (h, w, C) stands among those flattened as (C, h, w)."""
        filters, (rows, columns) = len(case.kernel), case.kernel.shape[2:]
        pooled = (case.image.shape[2] - rows + 1) // 2, (case.image.shape[3] - columns + 1) // 2
        return np.arange(filters * pooled[0] * pooled[1]).reshape(filters, *pooled).transpose(1, 2, 0).ravel()


HW = Layout()
