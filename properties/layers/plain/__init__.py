"""The right code of each operation, as people write it: in every way of theirs, on images (H, W) and kernels (h, w).

The first way has the operation's name, and is what reports show; the others are called `operation_by_…`, and the last
of them is the fastest. Three calls stand for what hangs on the convention of the target: `turned(k)` is
`np.rot90(k, 2)` for the true convolution and `k` for the cross-correlation, `unturned(k)` the other way round, and
`mirrored(a, h)` is `h - 1 - a` or `a`; `if_chosen(name, value, then, otherwise)` is one of the two by a further one.
At kinks each way makes one legal choice of several.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from ...harness.core.setting import setting
from .turns import LENET

MODULES = (
    "activations",
    "activation_gradients",
    "convolution",
    "pooling",
    "dense",
    "network",
    "further.dense_options",
    "further.convolution_options",
    "further.pooling_options",
    "further.average_pooling",
    "further.softmax",
    "further.losses",
    "further.piecewise",
    "further.declared_network",
)


def _modules() -> list[ModuleType]:
    """Their modules."""
    return [import_module(f"{__name__}.{name}") for name in MODULES]


@cache
def _listed(attribute: str) -> frozenset[str]:
    """The names that modules list in this attribute: of what takes labels which are numbers, or is one network."""
    return frozenset(name for module in _modules() for name in getattr(module, attribute, ()))


@cache
def _functions() -> dict[str, Callable[..., Any]]:
    """All of them by name."""
    own = ((module, name, value) for module in _modules() for name, value in vars(module).items())
    return {name: value for module, name, value in own if getattr(value, "__module__", None) == module.__name__}


def ways(operation: str) -> tuple[Callable[..., Any], ...]:
    """The functions that are right for an operation, first the one to be shown, last the fastest; or none.

    Where labels are rows, those that take numbers of classes are not right; nor is a network's, for another one.
    """
    found = {name: value for name, value in _functions().items() if name.split("_by_")[0] == operation}
    left_out = frozenset() if setting().labels == "integers" else _listed("OF_NUMBERS")
    left_out |= frozenset() if setting().network in ((), LENET) else _listed("OF_LENET")
    return tuple(value for name, value in found.items() if name not in left_out)


def is_plain(value: object) -> bool:
    """Whether it is one of these functions."""
    return callable(value) and _functions().get(getattr(value, "__name__", "")) is value
