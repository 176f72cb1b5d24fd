"""Properties of hand-written backpropagation: statements, each a pytest + Hypothesis test of a target.

`verify(target)` checks a target from Python, `suite(target)` makes tests of it for a pytest suite of one's own.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .harness.suite import suite
    from .harness.target import CannotLoad
    from .harness.verify import PropertyFailure, Report, TargetRefuted, verify

_HOMES = {
    "CannotLoad": "target",
    "PropertyFailure": "verify",
    "Report": "verify",
    "TargetRefuted": "verify",
    "suite": "suite",
    "verify": "verify",
}
__all__ = ["CannotLoad", "PropertyFailure", "Report", "TargetRefuted", "suite", "verify"]


def __getattr__(name: str) -> Any:
    """What is offered, imported when it is asked for: the command needs none of it."""
    if name == "adapters":
        return import_module(f"{__name__}.adapters")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.harness.{_HOMES[name]}"), name)
