"""What the notebook's three pictures show: every array of the forward and the backward pass, and the two together.

All are computed by the notebook's own functions from one image and its parameters; `figure.py` draws them.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from skimage.measure import block_reduce

from .. import notebook
from ..arrays import Array
from ..network import WINDOW, forward, grown_dense
from ..pooling import grow, max_pool

Mask = NDArray[np.bool_]


class Panel(NamedTuple):
    """One array of a picture, with what is said above and below it and the masks of its marked entries."""

    name: str
    values: Array
    formula: str = ""
    dead: Mask | None = None
    winners: Mask | None = None


class Column(NamedTuple):
    """Panels below one another, or a note in their place, and the sign between them and the next column."""

    width: float
    panels: tuple[Panel, ...]
    sign: str = ""
    note: str = ""


class Picture(NamedTuple):
    """A heading, and rows of columns."""

    heading: str
    rows: tuple[tuple[Column, ...], ...]


def pictures(image: Array, target: float, kernel: Array, weights: Array) -> tuple[Picture, Picture, Picture]:
    """Forward, backward, and the two together with the weights grown; pooling's gradient is mask repeat.

    Winners are all entries that equal their window's maximum after ReLU; dead are those whose convolution is not
    above 0. Shapes and `ValueError` as in `reference.network.forward`. Source: the notebook's pictures.
    """
    stages = forward(image, kernel, weights)
    pooled = max_pool(stages.activated, WINDOW)
    dead, winners = stages.convolved <= 0, stages.activated == grow(pooled, WINDOW)
    error = notebook.arctan(stages.weighted) - target
    delta = error * notebook.arctan_derivative(stages.weighted)
    of_features, of_weights = notebook.dense_gradients(stages.features, weights, delta)
    of_pooled = of_features.reshape(pooled.shape)
    of_relu = notebook.max_pool_gradient(stages.activated, WINDOW, of_pooled)
    of_convolution = of_relu * notebook.relu_derivative(stages.convolved)
    of_kernel = notebook.conv2d_kernel_gradient(image, kernel, of_convolution)

    below = f"p = arctan(s)\nt = {target:.4g}\nC = {notebook.cost(image, target, kernel, weights):.3g}"
    prediction = Column(0.75, (Panel("arctan p", np.array([[stages.prediction]]), below),))
    ends = (
        Column(0.75, (Panel("∂C/∂s = δ", delta, "(p − t)\n/ (1 + s²)"),), "←"),
        Column(0.75, (Panel("∂C/∂p", error, "p − t"),)),
    )
    turned = Panel("∂C/∂k", of_kernel, "rot90(convolve(x,\nrot90(∂C/∂y, 2)), 2)")
    convolution = Panel("convolution y", stages.convolved, "y = convolve(x, k)")
    activation = Panel("ReLU a", stages.activated, "a = max(y, 0)", dead, winners)
    forwards = (
        Column(1.8, (Panel("image x", image), Panel("kernel k", kernel)), "→"),
        Column(1.8, (convolution,), "→"),
        Column(1.8, (activation,), "→"),
        Column(0.95, (Panel("pooling m", pooled, "maximum of\neach 2×2 window"),), "→"),
        Column(1.8, (Panel("features f", stages.features, "m, flattened"), Panel("weights w", weights)), "→"),
        Column(0.75, (Panel("dense s", stages.weighted, "s = f · w"),), "→"),
        prediction,
    )
    backwards = (
        Column(1.8, (Panel("image x", image), turned), "←"),
        Column(1.8, (Panel("∂C/∂y", of_convolution, "relu′(y) ⊙ ∂C/∂a", dead, winners),), "←"),
        Column(1.8, (Panel("∂C/∂a", of_relu, "mask ⊙ grow(∂C/∂m)", None, winners),), "←"),
        Column(0.95, (Panel("∂C/∂m", of_pooled, "∂C/∂f, reshaped"),), "←"),
        Column(1.8, (Panel("∂C/∂f", of_features, "δ wᵀ"), Panel("∂C/∂w", of_weights, "fᵀ δ")), "←"),
        *ends,
    )

    grown = grow(weights.reshape(pooled.shape), WINDOW)
    summed = np.array([[grown_dense(stages.convolved, weights)]])
    equal = "=" if np.isclose(summed.item(), stages.weighted.item()) else "≠"
    tied = np.count_nonzero((block_reduce(winners, WINDOW, np.sum) > 1) & (pooled > 0))
    note, sums = "no window ties\nabove 0: the sum\nis f · w", "window sums,\nfᵀ δ"
    if tied:
        note, sums = f"windows that tie\nabove 0: {tied} of {pooled.size}.\nEach maximum\ncounts there", "fᵀ δ"
    both = (
        Column(1.1, (Panel("kernel k", kernel),), "→"),
        Column(1.76, (convolution,), "→"),
        Column(1.76, (activation,), "⊙"),
        Column(1.1, (Panel("mask", winners.astype(np.float64), "a = maximum", None, winners),), "⊙"),
        Column(0.6, (Panel("weights w", weights),), "→"),
        Column(1.76, (Panel("grown weights W", grown, "W = grow(w)"),), "→"),
        Column(0.75, (Panel("sum", summed, f"Σ a ⊙ mask\n⊙ W {equal} s"),), "→"),
        prediction,
    )
    back = (
        Column(1.1, (turned,), "←"),
        Column(1.76, (Panel("∂C/∂y", of_convolution, "δ relu′(y) ⊙ mask ⊙ W", dead, winners),), "←"),
        Column(1.76, (Panel("∂C/∂a", of_relu, "δ mask ⊙ W", None, winners),)),
        Column(1.1, (), "", note),
        Column(0.6, (Panel("∂C/∂w", of_weights, sums),), "←"),
        Column(1.76, (Panel("∂C/∂W", delta * stages.activated * winners, "δ a ⊙ mask", dead, winners),), "←"),
        *ends,
    )
    return (
        Picture("Forward", (forwards,)),
        Picture("Backward: the gradient of the cost C = (p − t)²/2 at each stage", (backwards,)),
        Picture("The two together: the weights grown to the size of the ReLUs, under one mask", (both, back)),
    )
