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

from ..layers import bounds, oracles
from ..layers.contract import OPERATIONS

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
_NAMED_BY = {
    "relu": "activations.relu_is_the_positive_part",
    "relu_derivative": "activations.relu_derivative_is_the_step",
    "arctan": "activations.arctan_is_the_inverse_tangent",
    "arctan_derivative": "activations.arctan_derivative_is_the_complex_step",
    "logistic": "activations.logistic_is_its_definition",
    "logistic_derivative": "activations.logistic_derivative_is_the_complex_step",
    "conv2d": "convolution.conv2d_is_the_defining_sum",
    "conv2d_kernel_gradient": "convolution.kernel_gradient_is_the_rot90_form",
    "conv2d_image_gradient": "convolution.image_gradient_is_the_full_correlation",
    "max_pool": "pooling.max_pool_is_the_maximum",
    "max_pool_gradient": "pooling.mask_repeat_is_argmax_scatter",
    "dense": "dense.dense_is_the_weighted_sum",
    "dense_gradients": "dense.features_gradient_is_upstream_times_weights",
    "predict": "network.predict_is_the_composition",
    "cost": "network.cost_is_half_the_squared_error",
    "gradients": "network.gradients_are_the_chain_rule",
    "train_step": "training.train_step_moves_by_the_old_gradients",
}


_PLAIN: dict[str, Callable[..., Any]] = {
    "conv2d": oracles.conv2d,
    "conv2d_kernel_gradient": oracles.conv2d_kernel_gradient,
    "conv2d_image_gradient": oracles.conv2d_image_gradient,
    "max_pool": oracles.max_pool,
    "max_pool_gradient": oracles.argmax_scatter,
    "gradients": oracles.gradients,
}


@dataclass(frozen=True)
class Mistake:
    """One wrong formula: what it computes, of which operation, and the property that refutes and names it.

    `make` gives the wrong function, each time without any state from before; `seen` is where it was found.
    """

    name: str
    operation: str
    what: str
    make: Callable[[], Callable[..., Any]]
    why: str
    mend: str
    named_by: str
    seen: str = ""

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
        return Mistake(name, operation, what, make, why, mend, named_by or named_by_default(operation), seen)

    return decorate


def right(operation: str) -> Callable[..., Any]:
    """The right function, from the oracles; at kinks it makes one legal choice of several."""
    if operation in _PLAIN:
        return _PLAIN[operation]
    parameters = OPERATIONS[operation].parameters

    def answer(*arguments: Any) -> Any:
        parts = tuple(value.value for value in bounds.of(operation, dict(zip(parameters, arguments, strict=True))))
        return parts if len(parts) > 1 else parts[0]

    return answer


def named_by_default(operation: str) -> str:
    """The property that says what the operation computes."""
    return _NAMED_BY[operation]


@cache
def all_mistakes() -> tuple[Mistake, ...]:
    """The catalogue, in the order of its modules; within an operation the plainest mistakes come first."""
    modules = [import_module(f"{__name__}.{name}") for name in MODULES]
    listed = [getattr(module, "EVERYWHERE", ()) for module in modules]
    single = [value for module in modules for value in vars(module).values() if isinstance(value, Mistake)]
    return (*single, *(entry for entries in listed for entry in entries))
