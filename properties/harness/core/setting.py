"""The setting of a check: the precision, limits and conventions of the target, and how many of each a case may have."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .limits import Limits


class Counts(NamedTuple):
    """How many images, channels and filters there are."""

    images: int = 1
    channels: int = 1
    filters: int = 1


SINGLE = Counts()


@dataclass(frozen=True)
class Conventions:
    """What a target may choose, as found by probing; None where it offers nothing to find it by."""

    convolution: str | None = None
    ties: str | None = None
    relu_derivative_at_zero: float | None = None
    further: tuple[tuple[str, Any], ...] = ()

    def chosen(self, name: str) -> Any:
        """What was found of a further convention, by its name; None if nothing was."""
        return dict(self.further).get(name)


UNKNOWN = Conventions()


class OwnLayers(dict[str, Any]):
    """The layers that a target declares by itself, by name: the same object is the same layers."""

    __hash__, __eq__ = object.__hash__, object.__eq__  # type: ignore[assignment]


NO_LAYERS = OwnLayers()


@dataclass(frozen=True)
class Setting:
    """What values, bounds and cases depend on beside their arguments.

    `most` are the images, channels and filters that a case has at most: 1 of each that the target's layout has no
    axis for. Of the operations' `options` a case uses those that all that it calls have; without a word, any. The
    `reduction` of losses over the images is their "mean" or their "sum"; `labels` are "integers", or "one-hot": rows
    that may be any distribution. A `network` is the target's own declaration, and its features are flattened with
    `channels_last` as its images are. `own_layers` are those that no table knows, by name.
    """

    dtype: str = "float64"
    limits: Limits = field(default_factory=Limits)
    conventions: Conventions = field(default_factory=Conventions)
    most: Counts = SINGLE
    options: frozenset[str] | None = None
    reduction: str = "mean"
    labels: str = "integers"
    network: tuple[Any, ...] = ()
    channels_last: bool = False
    own_layers: OwnLayers = NO_LAYERS

    @cached_property
    def eps(self) -> float:
        """One unit of rounding: the distance from 1 to the next number of the target's precision."""
        return float(np.finfo(self.dtype).eps)

    @cached_property
    def tiny(self) -> float:
        """The smallest normal number of the target's precision: what underflow may lose."""
        return float(np.finfo(self.dtype).tiny)

    @cached_property
    def flips(self) -> bool:
        """Whether `conv2d` flips its kernel: the true convolution, also where nothing could be found."""
        return self.conventions.convolution != "correlation"

    def uses(self, option: str) -> bool:
        """Whether cases may use an option of an operation, as a stride."""
        return self.options is None or option in self.options

    @cached_property
    def has_several(self) -> bool:
        """Whether a case may have several images, channels or filters."""
        return self.most != SINGLE


_CURRENT: ContextVar[Setting] = ContextVar("setting", default=Setting())  # noqa: B039  # it is frozen


def setting() -> Setting:
    """The setting in force; without one, float64 without limits, the true convolution, and one of each."""
    return _CURRENT.get()


@contextmanager
def in_setting(wanted: Setting) -> Iterator[Setting]:
    """Let this setting be in force."""
    token = _CURRENT.set(wanted)
    try:
        yield wanted
    finally:
        _CURRENT.reset(token)


def with_setting(**changes: Any) -> Any:
    """Let the setting in force hold with some of its parts changed."""
    return in_setting(replace(setting(), **changes))
