"""The catalogue of mistakes: wrong formulas that people really write, why they do, and how to mend them.

It has two uses. A failure is held against it, so that it can say which mistake gives the target's very answers
(`diagnosis`); and every mistake is run against every property, so that one knows what the proof catches.
Formulas follow the target's conventions, and are made of oracles: none is any target's own code.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from ..layers import OPERATIONS

MODULES = (
    "activations",
    "convolution",
    "convolution_gradients",
    "pooling",
    "dense",
    "predict",
    "gradients",
    "training",
    "calls",
)


@dataclass(frozen=True)
class Mistake:
    """One wrong formula: what it computes, of which operation, and the property that refutes and names it.

    `make` gives the wrong function, each time without any state from before; it takes arrays in this `layout`. `seen`
    is where it was found.
    """

    name: str
    operation: str
    what: str
    make: Callable[[], Callable[..., Any]]
    why: str
    mend: str
    named_by: str
    seen: str = ""
    layout: str = "HW"

    @property
    def id(self) -> str:
        """The operation and the name, which are unique together."""
        return f"{self.operation}: {self.name}"


def mistake(
    operation: str, why: str, mend: str, *, seen: str = "", named_by: str = "", keeps_state: bool = False
) -> Callable[[Callable[..., Any]], Mistake]:
    """Make a wrong function a mistake: its name is the name, its docstring says what it computes.

    With `keeps_state` the function makes the wrong function instead.
    """

    def decorate(function: Callable[..., Any]) -> Mistake:
        what = " ".join((function.__doc__ or "").split())
        make = function if keeps_state else lambda: function
        name = function.__name__.strip("_").replace("_", " ")
        return Mistake(name, operation, what, make, why, mend, named_by or OPERATIONS[operation].named_by, seen)

    return decorate


@cache
def all_mistakes() -> tuple[Mistake, ...]:
    """The catalogue, in the order of its modules; within an operation the plainest mistakes come first."""
    modules = [import_module(f"{__name__}.{name}") for name in MODULES]
    listed = [getattr(module, "EVERYWHERE", ()) for module in modules]
    single = [value for module in modules for value in vars(module).values() if isinstance(value, Mistake)]
    return (*single, *(entry for entries in listed for entry in entries))
