"""Properties of hand-written backpropagation: statements, each a pytest + Hypothesis test of a target.

verify(target)     checks a target from Python, and gives a `Report`: `holds`, `failures`, `raise_if_refuted()`
suite(target)      makes tests of it for a pytest suite of one's own
check(forward, backward, x=(2, 3), …)  checks one layer that no table knows, as `verify` does a target
Layer(forward, backward, x=(2, 3), …)  is such a layer, for `LAYERS` of a target; `between` gives an array's range
adapters           the module that makes targets of layers that others wrote: help("backproof.adapters")
CannotLoad         is raised for a target that cannot be tested
TargetRefuted      is raised by a report's `raise_if_refuted()`; its failures are each a `PropertyFailure`

The command is `python -m backproof TARGET`; `python -m backproof --help` lists its options.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import adapters
    from .adapters import Layer, between
    from .harness.run.verify import PropertyFailure, Report, TargetRefuted, check, suite, verify
    from .harness.target.target import CannotLoad

_HOMES = {
    "CannotLoad": "harness.target.target",
    "Layer": "adapters",
    "PropertyFailure": "harness.run.verify",
    "Report": "harness.run.verify",
    "TargetRefuted": "harness.run.verify",
    "between": "adapters",
    "check": "harness.run.verify",
    "suite": "harness.run.verify",
    "verify": "harness.run.verify",
}
__all__ = [
    "CannotLoad",
    "Layer",
    "PropertyFailure",
    "Report",
    "TargetRefuted",
    "adapters",
    "between",
    "check",
    "suite",
    "verify",
]


def __dir__() -> list[str]:
    """What is public, for `dir`, `help` and completion: it is imported only when it is asked for."""
    return [*__all__, *(name for name in globals() if name.startswith("__"))]


def __getattr__(name: str) -> Any:
    """What is offered, imported when it is asked for: the command needs none of it."""
    if name == "adapters":
        return import_module(f"{__name__}.adapters")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
