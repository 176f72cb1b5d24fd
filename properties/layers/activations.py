"""ReLU, arctan, the logistic function, and their derivatives at the pre-activation: any shape to the same shape."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np

from ..harness.core.limits import Limits, Pair
from ..harness.core.setting import setting
from ..harness.core.tape import DYADIC, GRID, Case, Tape
from ..harness.core.values import ALLOWED, LIBRARY, Array, Kind, Value, elementary, elementwise, exactly, untied
from .base.registry import Ask, Fault, Layer, Read, Signature, Stage, Wrong

SLOPE_UNITS = ALLOWED + LIBRARY + 4  # of 1/(1+x²): those two, and four roundings beside
COMPLEX_STEP = 1e-100
_EXPONENTS = {
    "float64": np.array([*sorted(range(1023, -1075, -34), key=abs), *[1023, -1074] * 8]),
    "float32": np.array([*sorted(range(127, -150, -5), key=abs), *[127, -149] * 8]),
}
_ANY_SHAPE = ((1,), (), (1, 1), (2,), (1, 2), (3, 2), (2, 1, 2), (1, 2, 1, 3))
_LARGER = ((11, 13), (3, 4, 5, 6), (17,), (64, 65), (257, 256), (1, 1000))


def relu(x: Array) -> Array:
    """`max(x, 0)`. Source: Nair & Hinton, ICML 2010."""
    return np.where(x > 0, x, 0.0)


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


def _stepped_arctan(x: Array) -> Value:
    expected = arctan_slopes(x)
    moderate = np.abs(x) < 1e6
    stepped = np.arctan(np.where(moderate, x, 0.0) + 1j * COMPLEX_STEP).imag / COMPLEX_STEP
    return Value(np.where(moderate, stepped, expected.value), 2 * expected.units, expected.size, expected.floor)


def _stepped_logistic(x: Array) -> Value:
    folded = np.minimum(np.abs(x), 700.0)
    return elementary((1 / (1 + np.exp(-(folded + 1j * COMPLEX_STEP)))).imag / COMPLEX_STEP, 1.0)


@dataclass(frozen=True)
class Smooth:
    """A smooth activation: its value and slope with their bounds, and what its statements rest on.

    `stepped` is the slope by the complex step; `f(x) + f(−x) = total`, each within `range`; |f| is at most `largest`,
    |f'''| at most `third`.
    """

    name: str
    summary: str
    slope_summary: str
    value: Callable[[Array], Value]
    slope: Callable[[Array], Value]
    stepped: Callable[[Array], Value]
    total: float
    range: tuple[float, float]
    largest: float
    third: float
    formula: str
    slope_formula: str
    other_names: tuple[str, ...] = ()
    slopes_other_names: tuple[str, ...] = ()

    def reflected(self, value: Array) -> Value:
        """What f(−x) must be if f(x) is this."""
        size = np.abs(value) if self.total == 0 else 2.0
        return elementary(self.total - value, size)


SMOOTH = (
    Smooth(
        "arctan",
        "The arctangent",
        "`1 / (1 + x²)`",
        value=lambda x: elementary(elementwise(math.atan, x), np.abs(np.arctan(x))),
        slope=arctan_slopes,
        stepped=_stepped_arctan,
        total=0.0,
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
        total=1.0,
        range=(0.0, 1.0),
        largest=1.0,
        third=1 / 8,
        formula="`y = σ(x) = 1 / (1 + exp(−x))`",
        slope_formula="`∂y/∂x = σ(x) (1 − σ(x))`, where `σ(x) = 1 / (1 + exp(−x))`",
        other_names=("sigmoid",),
        slopes_other_names=("sigmoidderivative", "sigmoidprime", "dsigmoid", "sigmoidgrad"),
    ),
)


def read_any(tape: Tape) -> Case:
    """`x` of up to four dimensions, of any finite numbers: every second entry on average is a short dyadic
    number, one in sixteen 0, the others run from subnormal to the largest.
    """
    shape = _ANY_SHAPE[tape.choose(len(_ANY_SHAPE))]
    kinds, details = tape.matrix((6,), (6,)), tape.matrix((6,), (6,))
    exponents = _EXPONENTS[setting().dtype]
    size = (1 + (details // 2) / 128) * np.where(details % 2, -1.0, 1.0)
    extreme = np.ldexp(size, exponents[kinds // 2 % exponents.size]).astype(setting().dtype)
    x = np.where(kinds % 2, extreme.astype(np.float64), DYADIC.take(details, mode="wrap"))
    x[kinds % 16 == 14] = 0.0
    return Case(x=x[..., : prod(shape)].reshape((*tape.several, *shape)))


def read_moderate(tape: Tape) -> Case:
    """`x` of up to four dimensions, of dyadic numbers other than 0, up to 4 or 16 in size."""
    shape = _ANY_SHAPE[tape.choose(len(_ANY_SHAPE))]
    scale = tape.scale((1.0, 4.0))
    x = tape.dyadic((6,), (6,), scale)[..., : prod(shape)]
    return Case(x=np.where(x == 0, GRID, x).reshape((*tape.several, *shape)))


def _read_off_zero(tape: Tape) -> Case:
    x = read_any(tape).x
    return Case(x=np.where(x == 0, 1.0, x))


def _read_of_shape(shape: tuple[int, ...], tape: Tape) -> Case:
    x = tape.dyadic(shape, shape)
    return Case(x=np.where(x == 0, GRID, x))


def _larger(limits: Limits) -> Iterator[tuple[Limits, Read]]:
    return ((limits, partial(_read_of_shape, shape)) for shape in _LARGER)


def _smaller(case: Case) -> Iterator[Case]:
    return (case.changed(x=np.array([value])) for value in (case.x.ravel() if case.x.size > 1 else ()))


def _fresh(number: int, seed: int) -> Case:
    return Case(x=np.random.default_rng([number, seed]).standard_normal(53 + number % 64).round(4))


def _plain(pair: Pair) -> Case:
    return Case(x=untied(pair[1]))


def _stages(case: Case, operation: str) -> Iterator[Stage]:
    yield Stage("x", case.x, dead=case.x <= 0 if operation.startswith("relu") else None)


def _at_zero(ask: Ask) -> float | None:
    answer = ask(Case(x=np.zeros(1)))
    return None if answer is None else float(answer[0])


def _relu_slopes(case: Case) -> tuple[Value]:
    return (Value((case.x > 0) * 1.0, ALLOWED, 1.0),)


def _legal_slopes(x: Array) -> tuple[Array, Array, Array]:
    """The least and the largest slope that ReLU may have, and what rounding may add off 0."""
    return np.where(x > 0, 1.0, 0.0), np.where(x >= 0, 1.0, 0.0), np.where(x == 0, 0.0, ALLOWED * setting().eps)


def _separated_slopes(answer: Array, case: Case) -> Wrong | None:
    low, high, slack = _legal_slopes(case.x)
    direction = np.where(answer < low - slack, 1.0, 0.0) - np.where(answer > high + slack, 1.0, 0.0)
    if not direction.any():
        return None
    least = float(np.sum(direction * np.where(direction > 0, low, high)))
    return Wrong(0, low, float(np.sum(np.abs(direction) * slack)), direction=direction, least=least)


def _relu_slope_faults(answer: Array, case: Case) -> Iterator[Fault | None]:
    low, high, slack = _legal_slopes(case.x)
    wrong = ~((answer >= low - slack) & (answer <= high + slack))
    yield Fault("the derivative is outside [0, 1] at 0, or wrong off it", high, wrong) if wrong.any() else None


def _activation(
    name: str, summary: str, value: Callable[[Case], tuple[Value, ...]], formula: str, named_by: str, **more: object
) -> Signature:
    return Signature(
        name,
        summary,
        takes={"x": Kind.ANY},
        gives=(Kind.ANY,),
        shapes=lambda case: (case.x.shape,),
        value=value,
        formulas=(formula,),
        named_by=f"activations.{named_by}",
        **{"smooth": read_any, **more},  # type: ignore[arg-type]
    )


def _smooth(one: Smooth) -> Iterator[Signature]:
    definition, slope = "smooth_activation_is_its_definition", "smooth_derivative_is_the_complex_step"
    yield _activation(
        one.name,
        f"{one.summary} of x of any shape; the same shape.",
        lambda case: (one.value(case.x),),
        one.formula,
        f"{definition}[{one.name}]",
        other_names=one.other_names,
    )
    name = f"{one.name}_derivative"
    yield _activation(
        name,
        f"{one.slope_summary} at the pre-activation x of any shape; the same shape.",
        lambda case: (one.slope(case.x),),
        one.slope_formula,
        f"{slope}[{name}]",
        of=one.name,
        other_names=one.slopes_other_names,
    )


ACTIVATIONS = Layer(
    "activations",
    operations=(
        _activation(
            "relu",
            "`max(x, 0)` for x of any shape; the same shape.",
            lambda case: (exactly(relu(case.x)),),
            "`y = max(x, 0)`",
            "relu_is_the_positive_part",
        ),
        _activation(
            "relu_derivative",
            "ReLU's derivative at the pre-activation x of any shape; the same shape. At 0 any number in [0, 1].",
            _relu_slopes,
            "`∂y/∂x = 1` where `x > 0`, `∂y/∂x = 0` where `x < 0`, and where `x = 0` any number in [0, 1]",
            "relu_derivative_is_the_step",
            of="relu",
            smooth=_read_off_zero,
            kinked=read_any,
            is_kinked=lambda case: bool((case.x == 0).any()),
            faults=_relu_slope_faults,
            separated=_separated_slopes,
            other_names=("reluprime", "drelu", "relugrad", "relubackward"),
        ),
        *(signature for one in SMOOTH for signature in _smooth(one)),
    ),
    kinds={"x": Kind.ANY},
    read=read_any,
    larger=_larger,
    smaller=_smaller,
    fresh=_fresh,
    plain=_plain,
    stages=_stages,
    finds={"relu_derivative_at_zero": ("relu_derivative", _at_zero)},
)
