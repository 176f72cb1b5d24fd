"""Mistakes in the network's gradients: one factor, mask or order of the chain rule wrong each."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..harness.core.limits import POOL
from ..harness.core.values import Array
from ..layers.activations import arctan_slope
from ..layers.windows import argmax_scatter, grow, max_pool
from ..layers.windows import mask_repeat as on_every_maximum
from . import mistake, plain
from .activations import SURVEY
from .plain import Forward

AT_KINKS = "network.gradients_at_kinks_are_conservative"
Pair = tuple[Array, Array]


def backward(
    case: tuple[Any, ...],
    *,
    delta: Callable[[Forward, float], float] = lambda stages, target: plain.residual_and_delta(stages, target)[1],
    kernel_delta: Callable[[Forward, float], float] | None = None,
    pooling: Callable[..., Any] = argmax_scatter,
    mask: Callable[[Any], Any] = lambda preactivation: preactivation > 0,
    kernel_gradient: Callable[..., Any] = plain.conv2d_kernel_gradient,
    order: Any = "C",
) -> Pair:
    """The chain rule on (image, target, kernel, weights), with the parts that are given in place of the right ones."""
    image, target, kernel, weights = case
    stages = plain.forward(image, kernel, weights)
    error = delta(stages, target)
    factor = kernel_delta(stages, target) if kernel_delta else error
    upstream = factor * weights.reshape(stages.pooled.shape, order=order)
    activated = np.where(stages.preactivation > 0, stages.preactivation, 0.0)
    scattered = pooling(activated, POOL, upstream) * mask(stages.preactivation)
    return kernel_gradient(image, kernel, scattered), error * stages.pooled.reshape(-1, 1, order=order)


def _residual(stages: Forward, target: float) -> float:
    return stages.prediction - target


@mistake(
    "gradients",
    "a mask of the maxima is the easiest to write, and data without ties hide it",
    "give it to one of them (argmax), or divide by their number",
    seen="the notebook; Theano#5404; 17 of 44 in " + SURVEY,
    named_by=AT_KINKS,
)
def mask_repeat(*case: Any) -> Pair:
    """Every tied maximum of the pooling gets the whole upstream value, as mask repeat does."""
    return backward(case, pooling=on_every_maximum)


@mistake("gradients", "`>=` looks as good as `>`", "> with mask repeat, or argmax", seen="BVLC/caffe#1334 on kinks")
def dead_windows_served(*case: Any) -> Pair:
    """In a window without a positive entry all zeros are maxima, and ReLU's mask asks for `relu(y) >= 0`."""
    return backward(case, pooling=on_every_maximum, mask=np.ones_like)


@mistake("gradients", "a layer of the chain is forgotten", "times relu_derivative(y)")
def relu_mask_missing(*case: Any) -> Pair:
    """ReLU's derivative is left out."""
    return backward(case, mask=np.ones_like)


@mistake("gradients", "a tolerance is thought to be safer than a comparison with 0", "mask by y > 0, exactly")
def relu_mask_with_a_tolerance(*case: Any) -> Pair:
    """Pre-activations below 1e-7 count as dead."""
    return backward(case, mask=lambda preactivation: preactivation > 1e-7)


@mistake("gradients", "the gradient is masked where the input must be", "mask by y > 0, not by the gradient's sign")
def relu_mask_of_the_gradient(*case: Any) -> Pair:
    """ReLU's mask is taken of the gradient that comes in, not of its input."""
    return backward(case, pooling=lambda x, w, u: argmax_scatter(x, w, np.where(u > 0, u, 0.0)))


@mistake("gradients", "a factor of the chain is forgotten", "times 1 / (1 + s²)")
def slope_of_arctan_missing(*case: Any) -> Pair:
    """Arctan's derivative is left out."""
    return backward(case, delta=_residual)


@mistake("gradients", "a factor is applied to one of the two alone", "δ for both")
def slope_of_arctan_for_the_weights_alone(*case: Any) -> Pair:
    """Arctan's derivative is left out for the kernel."""
    return backward(case, kernel_delta=_residual)


@mistake("gradients", "derivatives are often written in the output", "1 / (1 + s²) at s, before arctan")
def slope_taken_at_the_output(*case: Any) -> Pair:
    """Arctan's derivative is taken at the prediction, not at s."""
    return backward(case, delta=lambda f, t: _residual(f, t) / (1 + f.prediction**2))


@mistake("gradients", "the logistic's derivative is copied", "1 / (1 + s²)", seen="tanh's from ReLU: " + SURVEY)
def slope_of_the_logistic(*case: Any) -> Pair:
    """The prediction times one minus it is taken for the slope, as if the last activation were the logistic."""
    return backward(case, delta=lambda f, t: _residual(f, t) * f.prediction * (1 - f.prediction))


@mistake("gradients", "a factor of the chain is forgotten", "times (prediction − target)")
def error_missing(*case: Any) -> Pair:
    """The error is left out: it is the prediction's gradient."""
    return backward(case, delta=lambda f, t: arctan_slope(f.weighted))


@mistake("gradients", "the last activation is forgotten", "(prediction − target), after arctan")
def error_before_the_activation(*case: Any) -> Pair:
    """The error is taken before arctan: s − target."""
    return backward(case, delta=lambda f, t: (f.weighted - t) * arctan_slope(f.weighted))


@mistake("gradients", "target − prediction reads as well", "(prediction − target), for a step that subtracts")
def sign_of_the_error_turned(*case: Any) -> Pair:
    """Both have the wrong sign: they lead uphill."""
    return backward(case, delta=lambda f, t: -plain.residual_and_delta(f, t)[1])


@mistake("gradients", "the half of the cost is forgotten", "the 2 of the square and the half cancel")
def twice_the_error(*case: Any) -> Pair:
    """Both are twice what they should be."""
    return backward(case, delta=lambda f, t: 2 * plain.residual_and_delta(f, t)[1])


@mistake("gradients", "the sign of the error is thought to be enough", "the error itself")
def sign_of_the_error_alone(*case: Any) -> Pair:
    """Only the sign of the error is used, as for the absolute error."""
    return backward(case, delta=lambda f, t: float(np.sign(_residual(f, t))) * arctan_slope(f.weighted))


@mistake("gradients", "the dense layer is skipped on the way back", "δ times the weights reaches the pooling")
def weights_missing_on_the_way(*case: Any) -> Pair:
    """The kernel's is not multiplied by the weights."""
    return backward((*case[:3], np.ones_like(case[3])), delta=lambda f, t: _delta(case))[0], right_weights(case)


def _delta(case: tuple[Any, ...]) -> float:
    image, target, kernel, weights = case
    return plain.residual_and_delta(plain.forward(image, kernel, weights), target)[1]


def right_weights(case: tuple[Any, ...]) -> Array:
    """The right gradient for the weights."""
    return plain.gradients(*case)[1]


@mistake("gradients", "flattening and its inverse differ", "C order on both ways")
def unflattened_in_column_order(*case: Any) -> Pair:
    """The weights are laid over the windows column by column on the way back, and the features flattened so."""
    return backward(case, order="F")


@mistake("gradients", "np.tile reads like np.repeat", "np.repeat(…, 2, axis=0), then on axis 1")
def tile_for_repeat(*case: Any) -> Pair:
    """Upstream is tiled over the windows in place of being repeated within each."""
    return backward(case, pooling=lambda x, w, u: argmax_scatter(x, w, np.ones_like(u)) * np.tile(u, w))


@mistake("gradients", "one size is read for both sides", "as many columns of windows as there are")
def columns_counted_by_the_rows(*case: Any) -> Pair:
    """Of the columns of windows only as many are served on the way back as there are rows of them."""
    return backward(case, pooling=lambda x, w, u: argmax_scatter(x, w, u * (np.arange(u.shape[1]) < len(u))))


@mistake("gradients", "average pooling's is copied", "the maximum alone gets the upstream value")
def spread_over_the_window(*case: Any) -> Pair:
    """Every entry of a window gets a quarter of the upstream value."""
    return backward(case, pooling=lambda x, w, u: grow(u, w) / 4)


@mistake("gradients", "the outer rot90 of the identity is forgotten", "turn the kernel's by 180°, or not")
def rotation_missing(*case: Any) -> Pair:
    """The kernel's is turned by 180° the wrong way."""
    return backward(case, kernel_gradient=lambda x, k, u: plain.conv2d_kernel_gradient(x, k, u)[::-1, ::-1])


@mistake("gradients", "features are taken before ReLU", "the features that the dense layer saw")
def features_before_relu(*case: Any) -> Pair:
    """The weights' uses the pooled pre-activations, which may be negative."""
    image, _, kernel, _ = case
    pooled = max_pool(plain.conv2d(image, kernel), POOL)
    return plain.gradients(*case)[0], _delta(case) * pooled.reshape(-1, 1)


@mistake(
    "gradients", "the weights are updated before they are used", "keep the old weights for the kernel's", seen=SURVEY
)
def kernel_by_updated_weights(*case: Any) -> Pair:
    """The kernel's uses the weights after a step of rate 0.1."""
    image, _, kernel, weights = case
    weights_gradient = right_weights(case)
    stages = plain.forward(image, kernel, weights)
    upstream = plain.preactivation_gradient(stages, _delta(case), weights - 0.1 * weights_gradient)
    return plain.conv2d_kernel_gradient(image, kernel, upstream), weights_gradient


@mistake("gradients", "only the last layer is trained", "backpropagate through all layers", seen="pytorch/glow#1559")
def nothing_for_the_kernel(*case: Any) -> Pair:
    """The kernel gets 0."""
    return np.zeros_like(case[2]), right_weights(case)


@mistake("gradients", "differences need no formula", "the chain rule")
def differences(*case: Any) -> Pair:
    """Both are forward differences of the cost with the step 1e-6."""
    image, target, kernel, weights = case

    def cost(kernel: Array, weights: Array) -> float:
        return (plain.forward(image, kernel, weights).prediction - target) ** 2 / 2

    start, step = cost(kernel, weights), 1e-6
    found = np.zeros_like(kernel), np.zeros_like(weights)
    for index in np.ndindex(kernel.shape):
        nudge = np.zeros_like(kernel)
        nudge[index] = step
        found[0][index] = (cost(kernel + nudge, weights) - start) / step
    for index in np.ndindex(weights.shape):
        nudge = np.zeros_like(weights)
        nudge[index] = step
        found[1][index] = (cost(kernel, weights + nudge) - start) / step
    return found


@mistake("gradients", "clipping against exploding gradients is left in", "clip in the step, not here")
def norm_clipped(*case: Any) -> Pair:
    """Both are shortened to a norm of 1 if they are longer."""
    pair = plain.gradients(*case)
    size = float(np.sqrt(sum((part**2).sum() for part in pair)))
    return pair[0] / max(size, 1.0), pair[1] / max(size, 1.0)
