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

from ..harness.core.setting import setting
from ..harness.edits.edit import rewritten
from ..layers import OPERATIONS

MODULES = (
    "activations",
    "activation_gradients",
    "convolution",
    "pooling",
    "dense",
    "further.convolution_options",
    "further.dense_options",
    "further.average_pooling",
    "further.softmax",
    "further.losses",
    "further.piecewise",
    "further.pooling_options",
    "network",
    "further.declared_network",
    "calls",
)


@dataclass(frozen=True)
class Mistake:
    """One wrong formula: what it computes, of which operation, and the property that refutes and names it.

    `make` gives the wrong function, each time without any state from before; it takes arrays in this `layout`. `seen`
    is where it was found. One that is an edit of the right code has the `right` text and the `wrong` one for it.
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
    right: str = ""
    wrong: str = ""

    @property
    def is_written(self) -> bool:
        """Whether there is right code to edit, if it is an edit: that may hang on what labels are declared to be."""
        try:
            return bool(self.lines)
        except LookupError:
            return False

    @property
    def lines(self) -> tuple[str, str]:
        """The lines of the right code, and those that the mistake has in their place; empty if it is no edit of it."""
        if not self.right:
            return "", ""
        return rewritten(self.operation, self.right, self.wrong, setting().flips).lines()

    @property
    def id(self) -> str:
        """The operation and the name, which are unique together."""
        return f"{self.operation}: {self.name}"


def mistake(
    operation: str, why: str, mend: str, *, seen: str = "", named_by: str = ""
) -> Callable[[Callable[..., Any]], Mistake]:
    """Make a wrong function a mistake: its name is the name, its docstring says what it computes."""

    def decorate(function: Callable[..., Any]) -> Mistake:
        what = " ".join((function.__doc__ or "").split())
        name = function.__name__.strip("_").replace("_", " ")
        return Mistake(
            name, operation, what, lambda: function, why, mend, named_by or OPERATIONS[operation].named_by, seen
        )

    return decorate


def edited(
    operation: str,
    name: str,
    what: str,
    right: str,
    wrong: str,
    why: str,
    mend: str,
    seen: str = "",
    named_by: str = "",
) -> Mistake:
    """A mistake that is an edit: in the source of the right code the `wrong` text stands for the `right` one."""

    def make() -> Callable[..., Any]:
        return rewritten(operation, right, wrong, setting().flips).code()()

    named_by = named_by or OPERATIONS[operation].named_by
    return Mistake(name, operation, what, make, why, mend, named_by, seen, right=right, wrong=wrong)


@cache
def all_mistakes() -> tuple[Mistake, ...]:
    """The catalogue, in the order of its modules; within an operation the plainest mistakes come first."""
    modules = [import_module(f"{__name__}.{name}") for name in MODULES]
    own = [value for module in modules for value in _of_module(module) if isinstance(value, Mistake)]
    return (*own, *(entry for module in modules for entry in getattr(module, "EVERYWHERE", ())))


def _of_module(module: Any) -> list[Any]:
    """What a module defines, in its order; what stands in its table in the place of that."""
    values = list(vars(module).items())
    return [one for name, value in values for one in (value if name == "MISTAKES" else [value])]
