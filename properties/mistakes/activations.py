"""Mistakes in ReLU, arctan, the logistic function and their derivatives."""

import numpy as np

from ..harness.core.values import Array, elementwise
from ..layers.activations import logistic, logistic_slope
from . import mistake

SURVEY = "a survey of 44 public implementations, November 2026"


@mistake("relu", "leaky ReLU is copied for ReLU", "below 0 the answer is 0: np.maximum(x, 0)", seen=SURVEY)
def leaky(x: Array) -> Array:
    """Below 0 it has the slope 0.01."""
    return np.where(x > 0, x, 0.01 * x)


@mistake("relu", "both cut a sign off", "np.maximum(x, 0), which drops what is negative")
def absolute_value(x: Array) -> Array:
    """It turns negative numbers positive: `|x|`."""
    return np.abs(x)


@mistake("relu", "a formula without a comparison", "np.maximum(x, 0), which adds nothing up")
def half_of_x_plus_its_size(x: Array) -> Array:
    """It is `(x + |x|) / 2`, which overflows above half the largest number."""
    with np.errstate(over="ignore"):
        return (x + np.abs(x)) / 2


@mistake("relu", "ReLU6 is copied for ReLU", "no upper limit: np.maximum(x, 0)")
def capped(x: Array) -> Array:
    """It stops at 6."""
    return np.clip(x, 0.0, 6.0)


@mistake("relu_derivative", "leaky ReLU is copied for ReLU", "below 0 the derivative is 0: x > 0", seen=SURVEY)
def leaky_slope(x: Array) -> Array:
    """Below 0 it is 0.01."""
    return np.where(x > 0, 1.0, 0.01)


@mistake("relu_derivative", "the masked input is taken for the mask", "return the mask x > 0 alone")
def the_function_itself(x: Array) -> Array:
    """It gives `relu(x)` in place of its slope."""
    return np.where(x > 0, x, 0.0)


@mistake("relu_derivative", "the output is at hand, and `>=` looks harmless", "compare the input, and with >: x > 0")
def one_everywhere(x: Array) -> Array:
    """It is 1 whatever x is, as `relu(x) >= 0` is."""
    return np.ones(x.shape)


@mistake("relu_derivative", "sign is near to what is wanted", "x > 0, which is 0 below and not −1")
def sign(x: Array) -> Array:
    """It is −1 below 0."""
    return np.where(x == 0, 0.0, np.sign(x))


@mistake(
    "relu_derivative",
    "a formula without a comparison",
    "x > 0, which divides by nothing",
    named_by="activations.relu_derivative_at_zero_is_a_subgradient",
)
def quotient_of_x_and_its_size(x: Array) -> Array:
    """It is `(1 + x / |x|) / 2`, which is not a number at 0."""
    with np.errstate(invalid="ignore"):
        return (1 + x / np.abs(x)) / 2


@mistake("relu_derivative", "a tolerance is thought to be safer than a comparison with 0", "x > 0, without a tolerance")
def tolerance_around_zero(x: Array) -> Array:
    """What is positive but below 1e-6 counts as 0."""
    return np.where(x > 1e-6, 1.0, 0.0)


@mistake(
    "relu_derivative",
    "the two neighbouring slopes are added up",
    "at 0 any number in [0, 1]: x > 0 gives 0 there",
    named_by="activations.relu_derivative_at_zero_is_a_subgradient",
)
def two_at_zero(x: Array) -> Array:
    """At 0 it is 2, outside of [0, 1]."""
    return np.where(x == 0, 2.0, x > 0)


@mistake("arctan", "arctan2 takes the ordinate first", "np.arctan(x)")
def operands_of_arctan2_swapped(x: Array) -> Array:
    """It is the angle of the point (x, 1) in the wrong order: `arctan2(1, x)`."""
    return np.arctan2(1.0, x)


@mistake("arctan", "calculators think in degrees", "leave the angle in radians")
def degrees(x: Array) -> Array:
    """It gives degrees in place of radians."""
    return np.degrees(np.arctan(x))


@mistake("arctan", "both look alike", "np.arctan(x)")
def tanh(x: Array) -> Array:
    """It is the hyperbolic tangent."""
    return np.tanh(x)


@mistake("arctan", "tan⁻¹ is read as a power", "np.arctan(x)")
def reciprocal_of_the_tangent(x: Array) -> Array:
    """It is `1 / tan(x)`."""
    with np.errstate(divide="ignore", over="ignore"):
        return 1 / np.tan(x)


@mistake("arctan", "a series is tried near 0 alone", "np.arctan(x)")
def three_terms_of_the_series(x: Array) -> Array:
    """It is `x − x³/3 + x⁵/5`, which is good near 0 alone."""
    near = np.clip(x, -1e50, 1e50)
    return near - near**3 / 3 + near**5 / 5


@mistake("arctan_derivative", "derivatives are often written in the output", "1 / (1 + x²) of the input x")
def taken_at_the_output(x: Array) -> Array:
    """It takes its argument's arctan first: `1 / (1 + arctan(x)²)`."""
    return 1 / (1 + np.arctan(x) ** 2)


@mistake("arctan_derivative", "the square is forgotten", "1 / (1 + x²)")
def without_the_square(x: Array) -> Array:
    """It is `1 / (1 + |x|)`."""
    return 1 / (1 + np.abs(x))


@mistake("arctan_derivative", "a bracket is misplaced", "1 / (1 + x²)")
def bracket_misplaced(x: Array) -> Array:
    """It is `1 / (1 + x)²`."""
    with np.errstate(divide="ignore", over="ignore"):
        return 1 / (1 + x) ** 2


@mistake("arctan_derivative", "arctan, arsinh and artanh stand beside each other in tables", "1 / (1 + x²)")
def root_of_the_denominator(x: Array) -> Array:
    """It is arsinh's, `1 / √(1 + x²)`."""
    return 1 / np.hypot(1.0, x)


@mistake("arctan_derivative", "tanh is the usual activation", "1 / (1 + x²)", seen="tanh's from ReLU: " + SURVEY)
def of_tanh(x: Array) -> Array:
    """It is tanh's, `1 − tanh(x)²`."""
    return 1 - np.tanh(x) ** 2


@mistake("arctan_derivative", "copied from the layer before", "1 / (1 + x²)", seen=SURVEY)
def of_relu(x: Array) -> Array:
    """It is ReLU's, 1 above 0 and 0 below."""
    return np.where(x > 0, 1.0, 0.0)


@mistake("arctan_derivative", "equal on paper", "1 / (1 + x²), which takes no difference of near numbers")
def one_minus_a_quotient(x: Array) -> Array:
    """It is `1 − x² / (1 + x²)`, which loses all digits for a large x and is then not a number."""
    with np.errstate(over="ignore", invalid="ignore"):
        return 1 - x**2 / (1 + x**2)


@mistake("arctan_derivative", "differences need no formula", "1 / (1 + x²)")
def a_difference(x: Array) -> Array:
    """It is a forward difference with the step 1e-6."""
    return (np.arctan(x + 1e-6) - np.arctan(x)) / 1e-6


@mistake("logistic", "a sign is lost", "1 / (1 + exp(−x)), or scipy.special.expit", seen=SURVEY)
def wrong_sign(x: Array) -> Array:
    """It is `1 / (1 + exp(x))`: it falls where it must rise."""
    return elementwise(logistic, -x)


@mistake("logistic", "equal on paper", "scipy.special.expit", seen="tanh so written is NaN at ±800: " + SURVEY)
def exponentials_divided(x: Array) -> Array:
    """It is `exp(x) / (1 + exp(x))`, which is not a number above 709."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.exp(x) / (1 + np.exp(x))


@mistake("logistic", "the factor in the identity is forgotten", "(1 + tanh(x / 2)) / 2")
def tanh_of_the_whole(x: Array) -> Array:
    """It is `(1 + tanh(x)) / 2`, which is twice as steep."""
    return (1 + np.tanh(x)) / 2


@mistake("logistic", "clipping keeps exp from overflowing", "scipy.special.expit, which needs no clipping")
def clipped(x: Array) -> Array:
    """It stops at x = ±20, so both tails are flat."""
    return elementwise(logistic, np.clip(x, -20.0, 20.0))


@mistake("logistic_derivative", "many courses hand the output over", "σ(x) σ(−x) of the input x", seen=SURVEY)
def argument_taken_for_the_output(x: Array) -> Array:
    """It is `x (1 − x)`, right if x were the output."""
    with np.errstate(over="ignore"):
        return x * (1 - x)


@mistake("logistic_derivative", "derivatives are often written in the output", "σ(x) σ(−x) of the input x")
def logistic_taken_twice(x: Array) -> Array:
    """It takes the logistic function of its argument once too often."""
    return elementwise(logistic_slope, elementwise(logistic, x))


@mistake("logistic_derivative", "a factor is forgotten", "σ(x) (1 − σ(x))")
def second_factor_missing(x: Array) -> Array:
    """It is `σ(x)` alone."""
    return elementwise(logistic, x)


@mistake("logistic_derivative", "the quotient rule, taken literally", "σ(x) σ(−x) with scipy.special.expit")
def overflowing_quotient(x: Array) -> Array:
    """It is `exp(−x) / (1 + exp(−x))²`, which is not a number below −709."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.exp(-x) / (1 + np.exp(-x)) ** 2
