"""ReLU, the smooth activations, and their derivatives at the pre-activation: any shape to the same shape."""

from collections.abc import Callable, Iterator
from functools import partial
from math import prod
from typing import Any

import numpy as np

from ..harness.core.limits import Limits, Pair
from ..harness.core.setting import setting
from ..harness.core.tape import DYADIC, FINE, GRID, Case, Tape
from ..harness.core.values import ALLOWED, Array, Kind, Value, elementary, exactly, untied
from .base.kinks import Legal, faults_of, separated_from
from .base.registry import Ask, Layer, Read, Signature, Stage
from .base.smooth import BY_NAME, SMOOTH, Smooth

DIFFERENCE_STEP = {"float64": 2.0**-13, "float32": 2.0**-6}
_EXPONENTS = {
    "float64": np.array([*sorted(range(1023, -1075, -34), key=abs), *[1023, -1074] * 8]),
    "float32": np.array([*sorted(range(127, -150, -5), key=abs), *[127, -149] * 8]),
}
_MODERATE = np.array(sorted(range(-15, 17), key=abs))  # exponents of two between which functions bend and saturate
_ANY_SHAPE = ((1,), (), (1, 1), (2,), (1, 2), (3, 2), (2, 1, 2), (1, 2, 1, 3))
_LARGER = ((11, 13), (3, 4, 5, 6), (17,), (64, 65), (257, 256), (1, 1000))


def relu(x: Array) -> Array:
    """`max(x, 0)`. Source: Nair & Hinton, ICML 2010."""
    return np.where(x > 0, x, 0.0)


def read_any(tape: Tape) -> Case:
    """`x` of up to four dimensions, of any finite numbers."""
    return Case(x=any_numbers(tape, a_shape(tape)))


def a_shape(tape: Tape) -> tuple[int, ...]:
    """A shape of up to four dimensions and twelve entries."""
    return _ANY_SHAPE[tape.choose(len(_ANY_SHAPE))]


def any_numbers(tape: Tape, shape: tuple[int, ...], reach: int = 1074) -> Array:
    """Finite numbers: every second entry on average is a short dyadic number, of which each fourth is brought to a size
    between 2^-16 and 2^18 and made one that single precision does not hold; one in sixteen is 0, and the others run
    from subnormal to the largest, with exponents of two that are `reach` at most.
    """
    kinds, details = tape.matrix((6,), (6,)), tape.matrix((6,), (6,))
    exponents = np.clip(_EXPONENTS[setting().dtype], -reach, reach)
    size = (1 + (details // 2) / 128) * np.where(details % 2, -1.0, 1.0)
    extreme = np.ldexp(size, exponents[kinds // 2 % exponents.size]).astype(setting().dtype)
    short = DYADIC.take(details, mode="wrap")
    longer = np.ldexp(short * (FINE if setting().dtype == "float64" else 1.0), _MODERATE[kinds // 8])
    x = np.where(kinds % 2, extreme.astype(np.float64), np.where(kinds % 8 == 4, longer, short))
    x[kinds % 16 == 14] = 0.0
    return x[..., : prod(shape)].reshape((*tape.several, *shape))


def read_moderate(tape: Tape) -> Case:
    """`x` of up to four dimensions, of dyadic numbers other than 0, up to 4 or 16 in size."""
    return Case(x=moderate_numbers(tape, a_shape(tape)))


def moderate_numbers(tape: Tape, shape: tuple[int, ...]) -> Array:
    """Dyadic numbers other than 0, up to 4 or 16 in size."""
    scale = tape.scale((1.0, 4.0))
    x = tape.dyadic((6,), (6,), scale)[..., : prod(shape)]
    return np.where(x == 0, GRID, x).reshape((*tape.several, *shape))


def off_zero(case: Case) -> Case:
    """The case with 1 for 0 as a pre-activation."""
    return case.changed(x=np.where(case.x == 0, 1.0, case.x))


def _read_of_shape(names: tuple[str, ...], shape: tuple[int, ...], tape: Tape) -> Case:
    exponents = np.resize(_MODERATE, shape)
    arrays = [np.ldexp(tape.dyadic(shape, shape), exponents) for _ in names]
    return Case(zip(names, (np.where(array == 0, GRID, array) for array in arrays), strict=True))


def larger(*names: str) -> Callable[[Limits], Iterator[tuple[Limits, Read]]]:
    """What yields cases of these arrays, alike in shape, in shapes beyond those that are sampled."""
    return lambda limits: ((limits, partial(_read_of_shape, names, shape)) for shape in _LARGER)


def smaller(case: Case) -> Iterator[Case]:
    """Each entry alone."""
    arrays = {name: np.ravel(case[name]) for name in ("x", "upstream") if name in case}
    for number in range(case.x.size if case.x.size > 1 else 0):
        yield case.changed(**{name: array[[number]] for name, array in arrays.items()})


def _fresh(number: int, seed: int) -> Case:
    return Case(x=np.random.default_rng([number, seed]).standard_normal(53 + number % 64).round(4))


def _plain(pair: Pair) -> Case:
    return Case(x=untied(pair[1]))


def stages(case: Case, operation: str) -> Iterator[Stage]:
    """The pre-activation."""
    yield Stage("x", case.x, dead=case.x <= 0 if operation.startswith("relu") else None)


def differences(function: Callable[..., Any], x: Array) -> Value:
    """The central differences of an activation of the target's at moderate x, with what they are off by.

    Off 0 ReLU is linear and its difference exact; of the smooth ones truncation is at most h²/6 · max|f'''|, and the
    values round by their size over h. Source: Higham, Accuracy and Stability of Numerical Algorithms, section 1.14.
    """
    known = BY_NAME.get(function.name)  # type: ignore[attr-defined]
    step = DIFFERENCE_STEP[setting().dtype] if known else 2.0**-6
    difference = (function(x + step) - function(x - step)) / (2 * step)
    if known is None:
        return Value(difference, 2 * ALLOWED, np.abs(x) / step + 1)
    rounding, truncation = elementary(difference, known.largest / step), step**2 / 6 * known.third
    return Value(difference, 2 * rounding.units, rounding.size, truncation + setting().tiny)


def _at_zero(ask: Ask) -> float | None:
    answer = ask(Case(x=np.zeros(1)))
    return None if answer is None else float(answer[0])


def _relu_slopes(case: Case) -> tuple[Value]:
    return (Value((case.x > 0) * 1.0, ALLOWED, 1.0),)


def _legal_slopes(case: Case) -> Legal:
    """The least and the largest slope of ReLU, times upstream if there is one, and what rounding may add off 0."""
    upstream = case.get("upstream", np.ones(case.x.shape))
    ends = np.where(case.x > 0, upstream, 0.0), np.where(case.x >= 0, upstream, 0.0)
    slack = np.where(case.x == 0, 0.0, ALLOWED * setting().eps * np.abs(upstream))
    return Legal(np.minimum(*ends), np.maximum(*ends), slack)


separated_slopes = separated_from(_legal_slopes)
slope_faults = faults_of(_legal_slopes, "the derivative is outside [0, 1] at 0, or wrong off it")


def has_zero(case: Case) -> bool:
    """Whether a pre-activation is at ReLU's kink."""
    return bool((case.x == 0).any())


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
            smooth=lambda tape: off_zero(read_any(tape)),
            kinked=read_any,
            is_kinked=has_zero,
            faults=slope_faults,
            separated=separated_slopes,
            other_names=("reluprime", "drelu"),
        ),
        *(signature for one in SMOOTH for signature in _smooth(one)),
    ),
    kinds={"x": Kind.ANY},
    read=read_any,
    larger=larger("x"),
    smaller=smaller,
    fresh=_fresh,
    plain=_plain,
    stages=stages,
    finds={"relu_derivative_at_zero": ("relu_derivative", _at_zero)},
)
