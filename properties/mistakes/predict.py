"""Mistakes in the network's prediction and cost."""

import math

import numpy as np

from ..harness.core.limits import POOL
from ..harness.core.values import Array
from ..layers.activations import logistic
from ..layers.windows import blocks, max_pool
from . import mistake, plain
from .activations import SURVEY


def _relu(x: Array) -> Array:
    return np.where(x > 0, x, 0.0)


def _weighted(image: Array, kernel: Array, weights: Array) -> float:
    return plain.forward(image, kernel, weights).weighted


@mistake("predict", "the features are flattened column by column", "flatten in C order: reshape(1, -1)")
def flattened_in_column_order(image: Array, kernel: Array, weights: Array) -> float:
    """The pooled features are flattened column by column."""
    pooled = plain.forward(image, kernel, weights).pooled
    return math.atan(float(pooled.ravel(order="F") @ weights.ravel()))


@mistake("predict", "a stage is forgotten", "relu before pooling")
def relu_missing(image: Array, kernel: Array, weights: Array) -> float:
    """ReLU is left out, so negative features reach the dense layer."""
    pooled = max_pool(plain.conv2d(image, kernel), POOL)
    return math.atan(float(pooled.ravel() @ weights.ravel()))


@mistake("predict", "average pooling is copied", "the maximum of each window")
def mean_pooling(image: Array, kernel: Array, weights: Array) -> float:
    """It pools by the mean."""
    pooled = blocks(_relu(plain.conv2d(image, kernel)), POOL).mean(axis=(2, 3))
    return math.atan(float(pooled.ravel() @ weights.ravel()))


@mistake("predict", "the last activation is forgotten", "arctan of the dense layer's output")
def arctan_missing(image: Array, kernel: Array, weights: Array) -> float:
    """It returns the dense layer's output itself."""
    return _weighted(image, kernel, weights)


@mistake("predict", "another network's last activation", "arctan", seen="copied activations: " + SURVEY)
def logistic_for_arctan(image: Array, kernel: Array, weights: Array) -> float:
    """The last activation is the logistic function."""
    return logistic(_weighted(image, kernel, weights))


@mistake("predict", "ReLU after every layer", "arctan of the dense layer's output as it is")
def relu_before_arctan(image: Array, kernel: Array, weights: Array) -> float:
    """A further ReLU cuts negative outputs of the dense layer off."""
    return math.atan(max(_weighted(image, kernel, weights), 0.0))


@mistake("predict", "one of the two flips is lost", "the same convolution as conv2d")
def kernel_turned(image: Array, kernel: Array, weights: Array) -> float:
    """The kernel is turned by 180° against the target's own convolution."""
    return plain.forward(image, kernel[::-1, ::-1], weights).prediction


@mistake("cost", "the half is forgotten, or is in the gradient alone", "(predict − target)² / 2")
def half_missing(image: Array, target: float, kernel: Array, weights: Array) -> float:
    """It is the whole squared error."""
    return (plain.forward(image, kernel, weights).prediction - target) ** 2


@mistake("cost", "another loss", "(predict − target)² / 2")
def absolute_error(image: Array, target: float, kernel: Array, weights: Array) -> float:
    """It is the absolute error."""
    return abs(plain.forward(image, kernel, weights).prediction - target)


@mistake("cost", "the last activation is forgotten", "compare the target with the prediction")
def error_before_the_activation(image: Array, target: float, kernel: Array, weights: Array) -> float:
    """The error is taken before arctan: `(s − target)² / 2`."""
    return (_weighted(image, kernel, weights) - target) ** 2 / 2


@mistake("cost", "the target is prepared twice", "the target as it is given")
def arctan_of_the_target(image: Array, target: float, kernel: Array, weights: Array) -> float:
    """It takes the arctan of the target."""
    return (plain.forward(image, kernel, weights).prediction - math.atan(target)) ** 2 / 2


@mistake("cost", "a bracket is lost", "square the difference")
def difference_of_squares(image: Array, target: float, kernel: Array, weights: Array) -> float:
    """It is half the difference of the squares."""
    return (plain.forward(image, kernel, weights).prediction ** 2 - target**2) / 2


@mistake("cost", "weight decay is left in", "report the error alone")
def penalty_left_in(image: Array, target: float, kernel: Array, weights: Array) -> float:
    """A thousandth of the squared weights is added."""
    error = plain.forward(image, kernel, weights).prediction - target
    return error**2 / 2 + float((weights**2).sum()) / 1000
