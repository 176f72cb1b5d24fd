"""Each activation's gradient as most people write it, `upstream · f'(x)`, for two arrays of any one shape."""

from collections.abc import Callable

import numpy as np

from ..harness.core.limits import Pair
from ..harness.core.setting import setting
from ..harness.core.tape import REACH, Case, Tape
from ..harness.core.values import ALLOWED, Array, Kind, Value, exactly, untied
from .activations import (
    a_shape,
    any_numbers,
    has_zero,
    larger,
    moderate_numbers,
    off_zero,
    separated_slopes,
    slope_faults,
    smaller,
    stages,
)
from .base.registry import Layer, Signature
from .base.smooth import SMOOTH


def read_any(tape: Tape) -> Case:
    """Any numbers; those of upstream so large at most that no product in between overflows."""
    shape = a_shape(tape)
    return Case(x=any_numbers(tape, shape), upstream=any_numbers(tape, shape, REACH[setting().dtype]))


def read_moderate(tape: Tape) -> Case:
    """Dyadic numbers other than 0, up to 4 or 16 in size."""
    shape = a_shape(tape)
    return Case(x=moderate_numbers(tape, shape), upstream=moderate_numbers(tape, shape))


def _fresh(number: int, seed: int) -> Case:
    x, upstream = np.random.default_rng([number, seed]).standard_normal((2, 53 + number % 64)).round(4)
    return Case(x=x, upstream=upstream)


def _plain(pair: Pair) -> Case:
    return Case(x=untied(pair[1]), upstream=untied(pair[1]) + 1)


def times(slope: Value, upstream: Array) -> Value:
    """A slope, with what rounding may add to it, times upstream."""
    size = np.abs(upstream)
    floor = slope.floor * size + setting().tiny
    return Value(slope.value * upstream, slope.units + ALLOWED, slope.size * size, floor)


def _gradient(name: str, value: Callable[[Case], Value], formula: str, **more: object) -> Signature:
    return Signature(
        f"{name}_gradient",
        f"The derivative of {name} at the pre-activation x, times upstream, both of any one shape; the same shape.",
        takes={"x": Kind.ANY, "upstream": Kind.ANY},
        gives=(Kind.ANY,),
        shapes=lambda case: (case.x.shape,),
        value=lambda case: (value(case),),
        formulas=(formula,),
        named_by=f"activation_gradients.gradient_is_upstream_times_the_derivative[{name}_gradient]",
        of=name,
        other_names=tuple(f"{name}{word}" for word in ("backward", "backprop", "grad", "vjp")),
        **{"smooth": read_any, **more},  # type: ignore[arg-type]
    )


ACTIVATION_GRADIENTS = Layer(
    "activation_gradients",
    operations=(
        _gradient(
            "relu",
            lambda case: exactly(np.where(case.x > 0, case.upstream, 0.0)),
            "`∂C/∂x = ∂C/∂y` where `x > 0`, `0` where `x < 0`, and where `x = 0` ∂C/∂y times any number in [0, 1]",
            smooth=lambda tape: off_zero(read_any(tape)),
            kinked=read_any,
            is_kinked=has_zero,
            faults=slope_faults,
            separated=separated_slopes,
        ),
        *(
            _gradient(
                one.name,
                lambda case, one=one: times(one.slope(case.x), case.upstream),  # type: ignore[misc]
                one.slope_formula.replace("∂y/∂x =", "∂C/∂x = ∂C/∂y · ∂y/∂x, ∂y/∂x ="),
            )
            for one in SMOOTH
        ),
    ),
    kinds={"x": Kind.ANY, "upstream": Kind.ANY},
    read=read_any,
    larger=larger("x", "upstream"),
    smaller=smaller,
    fresh=_fresh,
    plain=_plain,
    stages=stages,
)
