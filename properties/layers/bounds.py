"""How far a correct implementation may be from the exact value: the one place where bounds are derived.

A bound is a number of units of rounding times the size of what was summed: `units · eps · size`, plus the
smallest normal number for what underflows (`eps` and that number belong to the target's precision). An inner
product of n terms may be summed in any order: γ_n = n eps/2 to first order times the sum of the absolute
terms (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), which Cauchy and Schwarz bound by
the product of the norms. A convolution may also go through the FFT: with L = log2 of the padded size the
error is at most (3L + (3L + 1)√5 + 3L) eps/2 times the product of the norms (Percival, Mathematics of
Computation 72, 2003, theorem 5.1, with twiddle factors right to eps/2). Where m such convolutions are summed, as over
channels, their errors add up to no more than that, by Cauchy and Schwarz again, and the sum itself rounds by
(m − 1) eps/2. The norms are those of whole arrays, all images, channels and filters: no smaller than those of the part
that an entry is summed from.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..harness.core.trial import current
from ..harness.target.target import Array
from . import oracles
from .contract import OPERATIONS

ALLOWED = 4  # units that every operation may be off, whatever its formula: the contract's
LIBRARY = 4  # units that a mathematical library's arctan or exp may be off
SLOPE_UNITS = ALLOWED + LIBRARY + 4  # of 1/(1+x²): those two, and four roundings beside


@dataclass(frozen=True)
class Value:
    """An exact value, and how far from it a correct answer may lie: `units` times eps times `size`, plus `floor`."""

    value: Any
    units: float
    size: Any
    floor: float = 0.0

    @property
    def unit(self) -> Any:
        """One unit of rounding of this value."""
        return current().target.eps * np.asarray(self.size, dtype=np.float64)

    @property
    def allowed(self) -> Any:
        """The largest error that a correct answer may have, entry by entry."""
        return self.units * self.unit + self.floor


def tiny() -> float:
    """The smallest normal number of the target's precision: what underflow may lose."""
    return current().target.tiny


def norm(array: Array) -> float:
    """The Euclidean norm of all entries, also where their squares would overflow or underflow."""
    flat = array.ravel()
    largest = float(np.abs(flat).max(initial=0.0))
    if 1e-100 < largest < 1e100 or largest in (0.0, math.inf):
        return math.sqrt(float(flat @ flat))
    return largest * norm(flat / largest)


def exactly(value: Array) -> Value:
    """A value that takes no sum: only the units that are allowed throughout, of each entry's own size."""
    return Value(value, ALLOWED, np.abs(value))


def elementary(value: Array, size: Any) -> Value:
    """A value of a library function, of sums and quotients of terms of `size`: four roundings beside."""
    return Value(value, ALLOWED + LIBRARY + 4, size, tiny())


def arctan_slope(x: Array) -> Value:
    """`1 / (1 + x²)`, which may be computed so, or as `cos(arctan x)²`.

    The latter's angle, π/2 at most, is rounded: that moves the cosine c by π/2 units, and c² by π c units and
    the square of π/2 units.
    """
    slope = oracles.elementwise(oracles.arctan_slope, x)
    return Value(slope, SLOPE_UNITS, slope + math.pi * np.sqrt(slope), _slope_floor())


def _slope_floor() -> float:
    return (SLOPE_UNITS * current().target.eps * math.pi / 2) ** 2 + tiny()


def inner_product(terms: int) -> float:
    """The units of an inner product of so many terms, in any order, and of the one that it is held against."""
    return ALLOWED + terms


def convolution_units(image: Array, terms: int, summed: int = 1) -> float:
    """The units of a convolution's sums, taken directly or through the FFT, and of the oracle's own.

    The `terms` are those of one entry; they come as `summed` convolutions of one channel.
    """
    levels = math.log2(4 * image.size)
    fft = (6 * levels + (3 * levels + 1) * math.sqrt(5) + summed - 1) / 2
    return ALLOWED + max(terms / 2, fft) + terms / 2


def conv2d(image: Array, kernel: Array) -> Value:
    """The convolution: each entry sums as many products as the kernel has entries, or one of its filters."""
    return Value(oracles.conv2d(image, kernel), forward_units(image, kernel), norm(image) * norm(kernel))


def forward_units(image: Array, kernel: Array) -> float:
    filters, channels = _filters_and_channels(kernel)
    return convolution_units(image, kernel.size // filters, channels)


def conv2d_kernel_gradient(image: Array, kernel: Array, upstream: Array) -> Value:
    """The kernel's gradient: each entry sums as many products as upstream has entries, for one filter."""
    value = oracles.conv2d_kernel_gradient(image, kernel, upstream)
    return Value(value, kernel_units(image, kernel, upstream), norm(image) * norm(upstream))


def kernel_units(image: Array, kernel: Array, upstream: Array) -> float:
    filters, _ = _filters_and_channels(kernel)
    return convolution_units(image, upstream.size // filters, current().target.layout.count(image))


def conv2d_image_gradient(image: Array, kernel: Array, upstream: Array) -> Value:
    """The image's gradient: each entry sums at most as many products as the kernel has entries, for one channel."""
    filters, channels = _filters_and_channels(kernel)
    units = convolution_units(image, kernel.size // channels, filters)
    return Value(oracles.conv2d_image_gradient(image, kernel, upstream), units, norm(kernel) * norm(upstream))


def most_summed(image: Array, kernel: Array) -> int:
    """How many convolutions of one channel are summed at most, in the forward pass or for either gradient."""
    return max(current().target.layout.count(image), *_filters_and_channels(kernel))


def _filters_and_channels(kernel: Array) -> tuple[int, int]:
    return kernel.shape[:2] if current().target.layout.channelled else (1, 1)


def dense(features: Array, weights: Array) -> Value:
    """The dense layer: one inner product, for each image."""
    return Value(features @ weights, inner_product(weights.size), norm(features) * norm(weights))


def dense_gradients(features: Array, weights: Array, upstream: Array) -> tuple[Value, Value]:
    """The dense layer's gradients: products for the features, for the weights an inner product over the images."""
    units = ALLOWED + len(features) - 1
    size = np.abs(features).T @ np.abs(upstream)
    return exactly(upstream * weights.T), Value(features.T @ upstream, units, size)


@dataclass(frozen=True)
class ForwardValues:
    """The exact prediction, cost and δ of one network case, each with what rounding may add to it.

    Prediction and δ are arrays (N,) for a target with batches.
    """

    stages: oracles.Forward
    preactivation_error: float
    prediction: Value
    cost: Value
    delta: Value


def within(value: Any, error: Any) -> Value:
    """A value whose allowed error was found by propagation, counted in eighths of it as units."""
    units = ALLOWED + LIBRARY
    return Value(value, units, error / (units * current().target.eps), tiny())


def forward(image: Array, target: Any, kernel: Array, weights: Array) -> ForwardValues:
    """First-order error propagation from the convolution to the cost and its derivative in s.

    With e(·) for the allowed error: e(s) = Σ|w| e(y) + rounding; e(p) = e(s) sup φ + rounding, φ = 1/(1+s²)
    over [s − e(s), s + e(s)]; e(r) = e(p) + rounding of p − t; e(φ) = 2 sup|s| sup φ² e(s) + its own rounding;
    e(δ) = |r| e(φ) + φ e(r) + e(φ) e(r) + rounding. So for each image; the cost's errors add up, and its sum over
    N images rounds by N − 1 units of half the squared residuals, the oracle's own included.
    """
    eps, layout = current().target.eps, current().target.layout
    stages = oracles.forward(image, kernel, weights)
    residuals, deltas = oracles.residual_and_delta(stages, target)
    error_y = forward_units(image, kernel) * eps * norm(image) * norm(kernel)
    numbers = stages.weighted, stages.prediction, residuals, deltas, target
    of_each = (np.array(layout.numbered(each)) for each in numbers)
    in_prediction, in_cost, in_delta = errors(
        error_y, np.abs(weights).ravel(), stages.pooled.reshape(-1, weights.size), *of_each
    )
    squares = float(np.sum(np.square(residuals)))
    cost_error = float(in_cost.sum()) + (len(in_cost) - 1) * eps * squares / 2
    return ForwardValues(
        stages,
        error_y,
        prediction=within(stages.prediction, layout.gathered(in_prediction.tolist())),
        cost=within(squares / 2, cost_error),
        delta=within(deltas, layout.gathered(in_delta.tolist())),
    )


def errors(
    error_y: Any, w: Array, pooled: Array, s: Array, prediction: Array, residual: Array, delta: Array, target: Array
) -> tuple[Array, Array, Array]:
    """What rounding may add to each image's prediction, its cost and its δ; w are the weights' absolute values.

    `w` and `pooled` are (images, n), all else (images,); `error_y` and `w` may be the same for all.
    """
    eps, size = current().target.eps, np.abs
    error_s = (w * (error_y + inner_product(w.shape[-1]) * eps * (pooled + error_y))).sum(axis=-1)
    steepest = oracles.elementwise(oracles.arctan_slope, np.maximum(size(s) - error_s, 0.0))
    error_p = error_s * steepest + (ALLOWED + LIBRARY) * eps * size(prediction)
    error_r = error_p + ALLOWED * eps * (size(prediction) + size(target))
    slope = oracles.elementwise(oracles.arctan_slope, s)
    own_error = SLOPE_UNITS * eps * (slope + math.pi * np.sqrt(slope)) + _slope_floor()
    error_slope = 2 * (size(s) + error_s) * steepest**2 * error_s + own_error
    error_delta = size(residual) * error_slope + steepest * error_r + error_slope * error_r
    error_cost = size(residual) * error_r + error_r**2 / 2 + ALLOWED * eps * residual**2
    return error_p, error_cost, error_delta + ALLOWED * eps * size(delta)


def gradients(image: Array, target: Any, kernel: Array, weights: Array) -> tuple[Value, Value]:
    """Both gradients off kinks: errors of δ and of the pre-activations, and the rounding of the sums, carried on.

    Each is a sum over the images, of what their own δ is a factor of.
    """
    eps, layout = current().target.eps, current().target.layout
    values = forward(image, target, kernel, weights)
    upstream = oracles.preactivation_gradient(values.stages, 1.0, weights)
    deltas, errors_of_deltas = layout.numbered(values.delta.value), layout.numbered(values.delta.allowed)
    parts = list(zip(layout.images(image), layout.images(upstream), deltas, errors_of_deltas, strict=True))
    kernel_value = sum(oracles.conv2d_kernel_gradient(x, kernel, u) * delta for x, u, delta, _ in parts)
    shares = (oracles.conv2d_kernel_gradient(np.abs(x), kernel, np.abs(u)) * error for x, u, _, error in parts)
    passed_on = norm(upstream * layout.scattered(values.delta.value))
    kernel_error = sum(shares) + kernel_units(image, kernel, upstream) * eps * norm(image) * passed_on
    pooled, error_y, units = values.stages.pooled, values.preactivation_error, ALLOWED + len(parts) - 1
    weights_error = sum(
        one.reshape(-1, 1) * (error + units * eps * abs(delta)) + error_y * (abs(delta) + error)
        for one, (_, _, delta, error) in zip(layout.images(pooled), parts, strict=True)
    )
    weights_value = oracles.weights_gradient(pooled, values.delta.value)
    return within(kernel_value, kernel_error), within(weights_value, weights_error)


def train_step(image: Array, target: Any, kernel: Array, weights: Array, learning_rate: float) -> tuple[Value, Value]:
    """Both parameters after one step: the gradients' errors times the rate, and the rounding of the subtraction."""
    moves = zip((kernel, weights), gradients(image, target, kernel, weights), step_terms(image, weights), strict=True)
    return tuple(moved(parameter, gradient, learning_rate, terms) for parameter, gradient, terms in moves)  # type: ignore[return-value]


def step_terms(image: Array, weights: Array) -> tuple[int, int]:
    """How many terms a gradient sums for the kernel, a window of an image each, and for the weights."""
    images = current().target.layout.count(image)
    return weights.size * images, images


def moved(parameter: Array, gradient: Value, rate: float, terms: int) -> Value:
    """`parameter − rate · gradient`: the gradient's terms may be added to the parameter one by one."""
    step = rate * np.asarray(gradient.value)
    rounding = (ALLOWED + terms / 2) * current().target.eps * (np.abs(parameter) + np.abs(step))
    return within(parameter - step, abs(rate) * np.asarray(gradient.allowed) + rounding)


def of(operation: str, case: dict[str, Any]) -> tuple[Value, ...]:
    """What any operation must give on a case, and its bound; at kinks one legal answer of several."""
    arguments = [case[name] for name in OPERATIONS[operation].parameters]
    if operation == "predict":
        layout = current().target.layout
        nothing = layout.gathered([0.0] * layout.count(case["image"]))
        return (forward(case["image"], nothing, case["kernel"], case["weights"]).prediction,)
    if operation == "cost":
        return (forward(*arguments).cost,)
    found = _BY_NAME[operation](*arguments)
    return found if isinstance(found, tuple) else (found,)


def _max_pool_gradient(x: Array, window: tuple[int, int], upstream: Array) -> Value:
    value = oracles.argmax_scatter(x, window, upstream)
    return Value(value, ALLOWED, np.abs(oracles.grow(upstream, window)))


_BY_NAME: dict[str, Any] = {
    "relu": lambda x: exactly(np.where(x > 0, x, 0.0)),
    "relu_derivative": lambda x: Value((x > 0) * 1.0, ALLOWED, 1.0),
    "arctan": lambda x: elementary(oracles.elementwise(math.atan, x), np.abs(np.arctan(x))),
    "arctan_derivative": arctan_slope,
    "logistic": lambda x: elementary(oracles.elementwise(oracles.logistic, x), 1.0),
    "logistic_derivative": lambda x: elementary(oracles.elementwise(oracles.logistic_slope, x), 1.0),
    "conv2d": conv2d,
    "conv2d_kernel_gradient": conv2d_kernel_gradient,
    "conv2d_image_gradient": conv2d_image_gradient,
    "max_pool": lambda x, window: exactly(oracles.max_pool(x, window)),
    "max_pool_gradient": _max_pool_gradient,
    "dense": dense,
    "dense_gradients": dense_gradients,
    "gradients": gradients,
    "train_step": train_step,
}
