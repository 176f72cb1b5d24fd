"""Mistakes in the training step."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..harness.core.values import Array
from . import gradients, mistake, plain
from .activations import SURVEY

Pair = tuple[Array, Array]


def _moved(case: tuple[Any, ...], rate: float, pair: Pair) -> Pair:
    return case[2] - rate * pair[0], case[3] - rate * pair[1]


@mistake(
    "train_step",
    "a mask of the maxima is the easiest to write, and data without ties hide it",
    "give it to one of them (argmax), or divide by their number",
    seen="the notebook; 17 of 44 in " + SURVEY,
    named_by="training.train_step_at_kinks_is_conservative",
)
def step_by_mask_repeat(*case: Any) -> Pair:
    """At ties every maximum of the pooling gets the whole upstream value, as mask repeat does."""
    return _moved(case, case[4], gradients.mask_repeat.make()(*case[:4]))


@mistake("train_step", "a sign is lost", "subtract the gradient times the rate")
def uphill(*case: Any) -> Pair:
    """The step is added in place of being subtracted."""
    return _moved(case, -case[4], plain.gradients(*case[:4]))


@mistake("train_step", "the kernel is updated first", "compute both gradients before either moves")
def weights_by_the_new_kernel(image: Array, target: float, kernel: Array, weights: Array, learning_rate: float) -> Pair:
    """The weights move by the gradient at the new kernel."""
    moved = kernel - learning_rate * plain.gradients(image, target, kernel, weights)[0]
    return moved, weights - learning_rate * plain.gradients(image, target, moved, weights)[1]


@mistake("train_step", "the weights are updated first", "compute both gradients before either moves", seen=SURVEY)
def kernel_by_the_new_weights(image: Array, target: float, kernel: Array, weights: Array, learning_rate: float) -> Pair:
    """The kernel moves by the gradient at the new weights."""
    moved = weights - learning_rate * plain.gradients(image, target, kernel, weights)[1]
    return kernel - learning_rate * plain.gradients(image, target, kernel, moved)[0], moved


@mistake("train_step", "one of the two is forgotten", "move both")
def weights_alone(*case: Any) -> Pair:
    """Only the weights move."""
    return case[2].copy(), _moved(case, case[4], plain.gradients(*case[:4]))[1]


@mistake("train_step", "one of the two is forgotten", "move both")
def kernel_alone(*case: Any) -> Pair:
    """Only the kernel moves."""
    return _moved(case, case[4], plain.gradients(*case[:4]))[0], case[3].copy()


@mistake("train_step", "the factor is forgotten", "times learning_rate")
def rate_missing(*case: Any) -> Pair:
    """The step is the whole gradient, whatever the rate."""
    return _moved(case, 1.0, plain.gradients(*case[:4]))


@mistake("train_step", "the gradient has the rate in it already", "times learning_rate, once")
def rate_squared(*case: Any) -> Pair:
    """The rate counts twice."""
    return _moved(case, case[4] ** 2, plain.gradients(*case[:4]))


@mistake("train_step", "the loss is thought to be a mean", "the gradient, undivided")
def divided_by_the_number_of_weights(*case: Any) -> Pair:
    """The weights' step is divided by their number."""
    kernel_gradient, weights_gradient = plain.gradients(*case[:4])
    return _moved(case, case[4], (kernel_gradient, weights_gradient / case[3].size))


@mistake("train_step", "normalised descent is copied", "the gradient as it is")
def gradient_normalised(*case: Any) -> Pair:
    """The step has the rate's length whatever the gradient's."""
    pair = plain.gradients(*case[:4])
    size = float(np.sqrt(sum((part**2).sum() for part in pair))) or 1.0
    return _moved(case, case[4] / size, pair)


@mistake("train_step", "sign descent is copied", "the gradient itself")
def sign_of_the_gradient_alone(*case: Any) -> Pair:
    """Each entry moves by the whole rate, whatever the size of its gradient."""
    kernel_gradient, weights_gradient = plain.gradients(*case[:4])
    return _moved(case, case[4], (np.sign(kernel_gradient), np.sign(weights_gradient)))


@mistake("train_step", "a large rate is thought to be a slip", "the rate as it is given")
def rate_capped(*case: Any) -> Pair:
    """A rate above 1 counts as 1."""
    return _moved(case, min(case[4], 1.0), plain.gradients(*case[:4]))


@mistake("train_step", "weight decay is left in", "the gradient alone")
def weight_decay_left_in(*case: Any) -> Pair:
    """Both parameters also shrink by a thousandth of the rate."""
    kernel_gradient, weights_gradient = plain.gradients(*case[:4])
    return _moved(case, case[4], (kernel_gradient + case[2] / 1000, weights_gradient + case[3] / 1000))


@mistake(
    "train_step",
    "momentum is left in",
    "a step that depends on its arguments alone",
    named_by="calls.keeps_the_contract[train_step]",
    keeps_state=True,
)
def momentum_kept() -> Callable[..., Pair]:
    """Nine tenths of the step before are added if it was of the same shapes."""
    before: list[Pair] = []

    def step(*case: Any) -> Pair:
        pair = plain.gradients(*case[:4])
        last = before[-1] if before and [p.shape for p in before[-1]] == [p.shape for p in pair] else None
        velocity = (pair[0] + 0.9 * last[0], pair[1] + 0.9 * last[1]) if last else pair
        before[:] = [velocity]
        return _moved(case, case[4], velocity)

    return step
