"""ReLU, arctan and the logistic function, each with its derivative at the pre-activation `x`.

All take and return arrays of any shape, and raise `ValueError` for anything but real numbers.
"""

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array, real

__all__ = ["arctan", "arctan_derivative", "logistic", "logistic_derivative", "relu", "relu_derivative"]


def relu(x: ArrayLike) -> Array:
    """The positive part, `max(x, 0)`. Source: Nair & Hinton, ICML 2010."""
    return np.maximum(real(x, "x"), 0.0)


def relu_derivative(x: ArrayLike) -> Array:
    """`1` where `x > 0`, else `0`; at the kink, where any value in [0, 1] is a subgradient, it is `0`.

    Source: Bertoin, Bolte, Gerchinovitz & Pauwels, NeurIPS 2021, on the choice at 0.
    """
    return (real(x, "x") > 0).astype(np.float64)


def arctan(x: ArrayLike) -> Array:
    """The inverse tangent, in (-π/2, π/2). Source: NIST Digital Library of Mathematical Functions, 4.23."""
    return np.asarray(np.arctan(real(x, "x")))


def arctan_derivative(x: ArrayLike) -> Array:
    """`1 / (1 + x²)`, through `hypot(1, x)`, which does not overflow where `x²` would.

    Source: NIST Digital Library of Mathematical Functions, 4.24.
    """
    return np.asarray((1.0 / np.hypot(1.0, real(x, "x"))) ** 2)


def logistic(x: ArrayLike) -> Array:
    """`1 / (1 + exp(-x))`, below 0 as `exp(x) / (1 + exp(x))`: neither overflows.

    Source: Higham, Accuracy and Stability of Numerical Algorithms, SIAM 2002, on rewriting what overflows.
    """
    x = real(x, "x")
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x < 0, small, 1.0) / (1.0 + small))


def logistic_derivative(x: ArrayLike) -> Array:
    """`σ(x) σ(-x)`, which keeps both tails: in `σ (1 - σ)` the right one is lost to cancellation.

    Source: `σ' = σ (1 - σ)` and `1 - σ(x) = σ(-x)`.
    """
    x = real(x, "x")
    return logistic(x) * logistic(-x)
