"""The right code of each operation, as people write it: in every way of theirs, on images (H, W) and kernels (h, w).

The first way has the operation's name, and is what reports show; the others are called `operation_by_…`, and the last
of them is the fastest. Three calls stand for what hangs on the convention of the target: `turned(k)` is
`np.rot90(k, 2)` for the true convolution and `k` for the cross-correlation, `unturned(k)` the other way round, and
`mirrored(a, h)` is `h - 1 - a` or `a`. At kinks each way makes one legal choice of several.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

MODULES = (
    "activations",
    "activation_gradients",
    "convolution",
    "pooling",
    "dense",
    "network",
    "further.dense_options",
    "further.convolution_options",
)


@cache
def _functions() -> dict[str, Callable[..., Any]]:
    """All of them by name; SciPy is imported with the first that is asked for, since that takes a second."""
    modules = [import_module(f"{__name__}.{name}") for name in MODULES]
    own = ((module, name, value) for module in modules for name, value in vars(module).items())
    return {name: value for module, name, value in own if getattr(value, "__module__", None) == module.__name__}


def ways(operation: str) -> tuple[Callable[..., Any], ...]:
    """The functions that are right for an operation, first the one to be shown, last the fastest; or none."""
    return tuple(value for name, value in _functions().items() if name.split("_by_")[0] == operation)


def is_plain(value: object) -> bool:
    """Whether it is one of these functions."""
    return callable(value) and _functions().get(getattr(value, "__name__", "")) is value
