"""The smooth activations, a row each: arctan, the logistic function, tanh and softplus, with values and bounds."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...harness.core.setting import setting
from ...harness.core.values import ALLOWED, LIBRARY, Array, Value, elementary, elementwise

SLOPE_UNITS = ALLOWED + LIBRARY + 4  # of 1/(1+x²): those two, and four roundings beside
COMPLEX_STEP = 1e-100


def arctan_slope(x: float) -> float:
    """`1 / (1 + x²)` without overflow."""
    return 1.0 / math.hypot(1.0, x) / math.hypot(1.0, x)


def arctan_slopes(x: Array) -> Value:
    """`1 / (1 + x²)`, which may be computed so, or as `cos(arctan x)²`.

    The latter's angle, π/2 at most, is rounded: that moves the cosine c by π/2 units, and c² by π c units and
    the square of π/2 units.
    """
    slope = elementwise(arctan_slope, x)
    floor = (SLOPE_UNITS * setting().eps * math.pi / 2) ** 2 + setting().tiny
    return Value(slope, SLOPE_UNITS, slope + math.pi * np.sqrt(slope), floor)


def logistic(x: float) -> float:
    """`1 / (1 + exp(-x))` without overflow, from the exponential that does not grow."""
    decay = math.exp(-abs(x))
    return (1.0 if x >= 0 else decay) / (1.0 + decay)


def logistic_slope(x: float) -> float:
    """`σ(x) σ(−x)`."""
    return logistic(x) * logistic(-x)


def tanh_slope(x: float) -> float:
    """`1 − tanh(x)²`, as `4 σ(2x) σ(−2x)`, which keeps both tails."""
    return 4 * logistic_slope(2 * x)


def _stepped_arctan(x: Array) -> Value:
    expected = arctan_slopes(x)
    moderate = np.abs(x) < 1e6
    stepped = np.arctan(np.where(moderate, x, 0.0) + 1j * COMPLEX_STEP).imag / COMPLEX_STEP
    return Value(np.where(moderate, stepped, expected.value), 2 * expected.units, expected.size, expected.floor)


def _stepped_logistic(x: Array) -> Value:
    folded = np.minimum(np.abs(x), 700.0)
    return elementary((1 / (1 + np.exp(-(folded + 1j * COMPLEX_STEP)))).imag / COMPLEX_STEP, 1.0)


def _stepped_tanh(x: Array) -> Value:
    return elementary(np.tanh(np.clip(x, -300.0, 300.0) + 1j * COMPLEX_STEP).imag / COMPLEX_STEP, 1.0)


def softplus(x: float) -> float:
    """`log(1 + exp(x))` without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _stepped_softplus(x: Array) -> Value:
    moderate = np.clip(x, -700.0, 700.0)
    return elementary(np.log(1 + np.exp(moderate + 1j * COMPLEX_STEP)).imag / COMPLEX_STEP, 1.0)


@dataclass(frozen=True)
class Smooth:
    """A smooth activation: its value and slope with their bounds, and what its statements rest on.

    `stepped` is the slope by the complex step; `mirrored` gives f(−x) of x and f(x), each within `range`. |f| is at
    most `largest` for |x| up to 16, |f'''| at most `third`.
    """

    name: str
    summary: str
    slope_summary: str
    value: Callable[[Array], Value]
    slope: Callable[[Array], Value]
    stepped: Callable[[Array], Value]
    mirrored: Callable[[Array, Array], Value]
    range: tuple[float, float]
    largest: float
    third: float
    formula: str
    slope_formula: str
    other_names: tuple[str, ...] = ()
    slopes_other_names: tuple[str, ...] = ()


SMOOTH = (
    Smooth(
        "arctan",
        "The arctangent",
        "`1 / (1 + x²)`",
        value=lambda x: elementary(elementwise(math.atan, x), np.abs(np.arctan(x))),
        slope=arctan_slopes,
        stepped=_stepped_arctan,
        mirrored=lambda x, value: elementary(-value, np.abs(value)),
        range=(-math.pi / 2, math.pi / 2),
        largest=math.pi / 2,
        third=2.0,
        formula="`y = arctan(x)`",
        slope_formula="`∂y/∂x = 1 / (1 + x²)`",
    ),
    Smooth(
        "logistic",
        "`1 / (1 + exp(−x))`",
        "The logistic function's derivative",
        value=lambda x: elementary(elementwise(logistic, x), 1.0),
        slope=lambda x: elementary(elementwise(logistic_slope, x), 1.0),
        stepped=_stepped_logistic,
        mirrored=lambda x, value: elementary(1 - value, 2.0),
        range=(0.0, 1.0),
        largest=1.0,
        third=1 / 8,
        formula="`y = σ(x) = 1 / (1 + exp(−x))`",
        slope_formula="`∂y/∂x = σ(x) (1 − σ(x))`, where `σ(x) = 1 / (1 + exp(−x))`",
        other_names=("sigmoid",),
        slopes_other_names=("sigmoidderivative", "sigmoidprime", "dsigmoid", "sigmoidgrad"),
    ),
    Smooth(
        "tanh",
        "The hyperbolic tangent",
        "`1 − tanh(x)²`",
        value=lambda x: elementary(elementwise(math.tanh, x), 1.0),
        slope=lambda x: elementary(elementwise(tanh_slope, x), 1.0),
        stepped=_stepped_tanh,
        mirrored=lambda x, value: elementary(-value, 1.0),
        range=(-1.0, 1.0),
        largest=1.0,
        third=2.0,
        formula="`y = tanh(x)`",
        slope_formula="`∂y/∂x = 1 − tanh(x)²`",
        slopes_other_names=("tanhprime", "dtanh", "tanhgrad"),
    ),
    Smooth(
        "softplus",
        "`log(1 + exp(x))`",
        "The logistic function, which is softplus's derivative,",
        value=lambda x: elementary(elementwise(softplus, x), 1 + np.maximum(x, 0.0)),
        slope=lambda x: elementary(elementwise(logistic, x), 1.0),
        stepped=_stepped_softplus,
        mirrored=lambda x, value: elementary(value - x, 1 + np.abs(x)),
        range=(0.0, math.inf),
        largest=17.0,
        third=0.1,
        formula="`y = log(1 + exp(x))`",
        slope_formula="`∂y/∂x = 1 / (1 + exp(−x))`",
    ),
)
BY_NAME = {one.name: one for one in SMOOTH}
