"""Activations with a kink at 0 and a parameter, a row each: leaky ReLU and ELU, their derivatives and gradients.

Above 0 each is x. Below 0 value and slope are the parameter times what they are for a parameter of 1, and the slope
just below 0 is the parameter itself. A target that takes none has one all the same, which is found out.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ...harness.core.limits import Limits, Pair
from ...harness.core.setting import setting
from ...harness.core.tape import Case, Tape
from ...harness.core.values import ALLOWED, Array, Kind, Value, elementary, elementwise, untied
from ..activation_gradients import read_any as read_any_pair
from ..activation_gradients import read_moderate as read_moderate_pair
from ..activation_gradients import times
from ..activations import DIFFERENCE_STEP, has_zero, larger, off_zero, smaller, stages
from ..activations import read_any as read_any_alone
from ..base.kinks import Legal, faults_of, separated_from
from ..base.registry import Ask, Layer, Read, Signature

FAR_BELOW, JUST_BELOW = -1024.0, -(2.0**-60)  # a power of two where exp(x) is 0, and where it is 1
_PROBED = (1,), (1, 1), (), (1, 1, 1, 1)  # shapes, of which a target may leave some out
_EXACT_STEP = 2.0**-6


@dataclass(frozen=True)
class Piecewise:
    """An activation with a kink at 0: its value, and its slope off 0, of x and a parameter, with their bounds. No two
    have a parameter of one name.

    Cases have one of the `choices`, or what was found out, which is above 0 and below `most`; else the `usual` one.
    |f'''| is at most `third` times the parameter; `doubled` gives f(2x) of f(x) and the parameter, below 0.
    """

    name: str
    title: str
    parameter: str
    value: Callable[[Array, float], Value]
    slope: Callable[[Array, float], Value]
    doubled: Callable[[Array, float], Array]
    choices: tuple[float, ...]
    usual: float
    most: float
    third: float
    below: str
    slope_below: str
    other_names: tuple[str, ...] = ()

    @property
    def convention(self) -> str:
        """What is found out, as the report calls it."""
        return f"{self.name} {self.parameter}"

    def chosen(self, number: int) -> float:
        """The choice of this number, where cases may have any, or else that of the target."""
        if setting().uses(self.parameter):
            return self.choices[number % len(self.choices)]
        found = setting().conventions.chosen(self.convention)
        return self.usual if found is None else float(found)

    def found(self, *asks: Ask) -> float | None:
        """The parameter of a target whose function, or else derivative or gradient, goes by none that it is given.

        Far below 0 the function is a power of two times it, or its negative; just below 0 the slope is the parameter
        itself. Rounding may be off by a unit or two of x: so a short decimal that near stands for what is seen.
        """
        points = ((FAR_BELOW, self.value), (JUST_BELOW, self.slope), (JUST_BELOW, self.slope))
        for ask, (x, oracle) in zip(asks, points, strict=True):
            seen = {_answer(ask, x, self.parameter, other) for other in (0.25, 0.5)}
            answer = seen.pop()
            if seen or answer is None:
                continue
            of_one = oracle(np.array(x), 1.0)
            parameter, unit = answer / float(of_one.value), float(of_one.unit / np.abs(of_one.value))
            short = float(f"{parameter:.6g}")
            found = short if abs(short - parameter) <= 2 * unit else parameter
            if 0 < found < self.most:
                return found
        return None


def _answer(ask: Ask, x: float, parameter: str, value: float) -> float | None:
    """The answer for one number, in the first shape that the target takes."""
    for shape in _PROBED:
        answer = ask(Case({"x": np.full(shape, x), "upstream": np.ones(shape), parameter: value}))
        if answer is not None:
            return float(np.ravel(answer)[0])
    return None


def _leaky(x: Array, slope: float) -> Value:
    """Also as `(1 + slope)/2 · x + (1 − slope)/2 · |x|`, which rounds by x's own size."""
    return Value(np.where(x > 0, x, slope * x), ALLOWED, np.abs(x), setting().tiny)


def _leaky_slope(x: Array, slope: float) -> Value:
    return Value(np.where(x > 0, 1.0, slope), ALLOWED, 1.0)


def _elu(x: Array, alpha: float) -> Value:
    """Also as `alpha (exp(x) − 1)`, which rounds by alpha however near to 0 it is."""
    below = alpha * elementwise(math.expm1, np.minimum(x, 0.0))
    return elementary(np.where(x > 0, x, below), np.where(x > 0, x, alpha))


def _elu_slope(x: Array, alpha: float) -> Value:
    """Also as `elu(x) + alpha`, which rounds by alpha however small it is."""
    below = alpha * elementwise(math.exp, np.minimum(x, 0.0))
    return elementary(np.where(x > 0, 1.0, below), np.where(x > 0, 1.0, alpha))


PIECEWISE = (
    Piecewise(
        "leaky_relu",
        "Leaky ReLU",
        "slope",
        value=_leaky,
        slope=_leaky_slope,
        doubled=lambda value, slope: 2 * value,
        choices=(0.5, 0.01, 0.25, 0.1, 0.2, 0.125, 0.001, 0.75),
        usual=0.01,
        most=1.0,
        third=0.0,
        below="slope · x",
        slope_below="slope",
        other_names=("lrelu", "leaky"),
    ),
    Piecewise(
        "elu",
        "ELU",
        "alpha",
        value=_elu,
        slope=_elu_slope,
        doubled=lambda value, alpha: value * (2 + value / alpha),
        choices=(1.0, 2.0, 0.5, 0.1, 1.6732632423543772, 0.25),
        usual=1.0,
        most=math.inf,
        third=1.0,
        below="alpha (exp(x) − 1)",
        slope_below="alpha exp(x)",
    ),
)
BY_NAME = {one.name: one for one in PIECEWISE}


def read_any(tape: Tape) -> Case:
    """Any numbers, as those of any activation's gradient, and every parameter."""
    return _with(PIECEWISE, read_any_pair, tape)


def read_moderate(tape: Tape) -> Case:
    """Dyadic numbers other than 0, up to 4 or 16 in size, and every parameter."""
    return _with(PIECEWISE, read_moderate_pair, tape)


def _with(known: tuple[Piecewise, ...], read: Read, tape: Tape) -> Case:
    """What is read, and the parameters of these activations."""
    case = read(tape)
    return case.changed(**{one.parameter: one.chosen(tape.choose(len(one.choices))) for one in known})


def _larger(limits: Limits) -> Iterator[tuple[Limits, Read]]:
    for within, read in larger("x", "upstream")(limits):
        yield within, partial(_with, PIECEWISE, read)


def _fresh(number: int, seed: int) -> Case:
    x, upstream = np.random.default_rng([number, seed]).standard_normal((2, 53 + number % 64)).round(4)
    return Case(x=x, upstream=upstream, **{one.parameter: one.chosen(number) for one in PIECEWISE})


def _plain(pair: Pair) -> Case:
    x = untied(pair[1])
    return Case(x=x, upstream=x + 1, **{one.parameter: one.chosen(0) for one in PIECEWISE})


def differences(function: Callable[..., Any], one: Piecewise, case: Case) -> Value:
    """The central differences of the target's function at moderate x, with what they are off by.

    Where the function is linear, only its values round. Else truncation is at most h²/6 · max|f'''| beside.
    Source: Higham, Accuracy and Stability of Numerical Algorithms, section 1.14.
    """
    parameter, slope = case[one.parameter], one.slope(case.x, case[one.parameter])
    step = DIFFERENCE_STEP[setting().dtype] if one.third else _EXACT_STEP
    above, below = case.x + step, case.x - step
    difference = (function(above, parameter) - function(below, parameter)) / (2 * step)
    rounding = (one.value(above, parameter).allowed + one.value(below, parameter).allowed) / (2 * step)
    truncation = step**2 / 6 * one.third * parameter
    return Value(difference, slope.units, slope.size, slope.floor + rounding + truncation)


def _legal(one: Piecewise, with_upstream: bool, case: Case) -> Legal:
    """The slope off 0, at 0 any between the parameter and 1; times upstream for a gradient."""
    slope, upstream = one.slope(case.x, case[one.parameter]), case.upstream if with_upstream else np.ones(case.x.shape)
    right = times(slope, upstream) if with_upstream else slope
    ends = [np.where(case.x == 0, end * upstream, right.value) for end in (case[one.parameter], 1.0)]
    return Legal(np.minimum(*ends), np.maximum(*ends), np.broadcast_to(right.allowed, case.x.shape))


def _signatures(one: Piecewise) -> Iterator[Signature]:
    takes, gradient_takes = {"x": Kind.ANY}, {"x": Kind.ANY, "upstream": Kind.ANY}
    number = {one.parameter: Kind.NUMBER}
    read, read_pair = (partial(_with, (one,), any_of) for any_of in (read_any_alone, read_any_pair))
    between = f"and where `x = 0` any number between {one.parameter} and 1"
    yield Signature(
        one.name,
        f"{one.title} of x of any shape: `x` above 0, `{one.below}` below; the same shape.",
        takes=takes | number,
        gives=(Kind.ANY,),
        shapes=lambda case: (case.x.shape,),
        value=lambda case: (one.value(case.x, case[one.parameter]),),
        formulas=(f"`y = x` where `x > 0`, and `y = {one.below}` elsewhere",),
        named_by=f"piecewise.piecewise_activation_is_its_definition[{one.name}]",
        smooth=read,
        options=(one.parameter,),
        other_names=one.other_names,
    )
    slope = partial(_legal, one, False)
    name = f"{one.name}_derivative"
    yield Signature(
        name,
        f"{one.title}'s derivative at the pre-activation x of any shape; the same shape. At 0 any number between "
        f"{one.parameter} and 1.",
        takes=takes | number,
        gives=(Kind.ANY,),
        shapes=lambda case: (case.x.shape,),
        value=lambda case: (one.slope(case.x, case[one.parameter]),),
        formulas=(f"`∂y/∂x = 1` where `x > 0`, `∂y/∂x = {one.slope_below}` where `x < 0`, {between}",),
        named_by=f"piecewise.piecewise_derivative_is_its_formula[{name}]",
        of=one.name,
        smooth=lambda tape: off_zero(read(tape)),
        kinked=read,
        is_kinked=has_zero,
        faults=faults_of(slope, f"the derivative is not between {one.parameter} and 1 at 0, or wrong off it"),
        separated=separated_from(slope),
        options=(one.parameter,),
        other_names=(*_variants(one.name, "prime", "grad"), f"d{one.name.replace('_', '')}"),
    )
    product = partial(_legal, one, True)
    name = f"{one.name}_gradient"
    yield Signature(
        name,
        f"The derivative of {one.name} at the pre-activation x, times upstream, both of any one shape; the same shape.",
        takes=gradient_takes | number,
        gives=(Kind.ANY,),
        shapes=lambda case: (case.x.shape,),
        value=lambda case: (times(one.slope(case.x, case[one.parameter]), case.upstream),),
        formulas=(
            f"`∂C/∂x = ∂C/∂y` where `x > 0`, `∂C/∂x = ∂C/∂y · {one.slope_below}` where `x < 0`, and where `x = 0` "
            f"∂C/∂y times any number between {one.parameter} and 1",
        ),
        named_by=f"piecewise.piecewise_gradient_is_upstream_times_the_derivative[{name}]",
        of=one.name,
        smooth=lambda tape: off_zero(read_pair(tape)),
        kinked=read_pair,
        is_kinked=has_zero,
        faults=faults_of(
            product, f"it is not upstream times a number between {one.parameter} and 1 at 0, or wrong off it"
        ),
        separated=separated_from(product),
        options=(one.parameter,),
        other_names=_variants(one.name, "backward", "backprop", "vjp"),
    )


def _variants(name: str, *words: str) -> tuple[str, ...]:
    return tuple(f"{name.replace('_', '')}{word}" for word in words)


_ARRAYS = {"x": Kind.ANY, "upstream": Kind.ANY}
PIECEWISE_LAYER = Layer(
    "piecewise",
    operations=tuple(signature for one in PIECEWISE for signature in _signatures(one)),
    kinds=_ARRAYS | {one.parameter: Kind.NUMBER for one in PIECEWISE},
    read=read_any,
    larger=_larger,
    smaller=smaller,
    fresh=_fresh,
    plain=_plain,
    stages=stages,
    finds={
        one.convention: ((one.name, f"{one.name}_derivative", f"{one.name}_gradient"), one.found) for one in PIECEWISE
    },
)
