"""Correct variants of leaky ReLU and ELU: other ways to write them, and every choice at 0. All must pass."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Offered = dict[str, Callable[..., Any]]


def _leaky_at_zero(choice: Callable[[float], float]) -> Offered:
    """Leaky ReLU's derivative, and the gradient by it, with this choice at 0."""

    def derivative(x: Any, slope: float) -> Any:
        return np.where(x == 0, choice(slope), np.where(x > 0, 1.0, slope))

    return {
        "leaky_relu_derivative": derivative,
        "leaky_relu_gradient": lambda x, upstream, slope: upstream * derivative(x, slope),
    }


def _elu_at_zero(choice: Callable[[float], float]) -> Offered:
    """ELU's derivative, and the gradient by it, with this choice at 0."""

    def derivative(x: Any, alpha: float) -> Any:
        return np.where(x == 0, choice(alpha), np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0))))

    return {
        "elu_derivative": derivative,
        "elu_gradient": lambda x, upstream, alpha: upstream * derivative(x, alpha),
    }


def _by_entries(function: Callable[..., float]) -> Callable[..., Any]:
    """Entry by entry, on Python's numbers."""
    return lambda x, p: np.array([function(value, p) for value in np.ravel(x).tolist()]).reshape(np.shape(x))


def _leaky_in_place(x: Any, slope: float) -> Any:
    output = np.array(x)
    np.multiply(output, slope, out=output, where=output < 0)
    return output


def _leaky_gradient_by_index(x: Any, upstream: Any, slope: float) -> Any:
    gradient = np.array(upstream)
    gradient[np.nonzero(np.atleast_1d(x) < 0) if np.ndim(x) else x < 0] *= slope
    return gradient


def _elu_slope(x: Any, alpha: float) -> Any:
    return np.exp(np.minimum(x, 0)) * np.where(x > 0, 1.0, alpha)


VARIANTS: dict[str, Offered] = {
    "leaky ReLU as a maximum": {"leaky_relu": lambda x, slope: np.maximum(slope * x, x)},
    "leaky ReLU as a product": {
        "leaky_relu": lambda x, slope: x * np.where(x >= 0, 1.0, slope),
        "leaky_relu_derivative": lambda x, slope: (x > 0) * 1.0 + (x <= 0) * slope,
    },
    "leaky ReLU of x and its size": {
        "leaky_relu": lambda x, slope: 0.5 * (1 + slope) * x + 0.5 * (1 - slope) * np.abs(x),
        "leaky_relu_derivative": lambda x, slope: 0.5 * (1 + slope) + 0.5 * (1 - slope) * np.sign(x),
        "leaky_relu_gradient": lambda x, u, slope: (0.5 * (1 + slope) + 0.5 * (1 - slope) * np.sign(x)) * u,
    },
    "leaky ReLU as two ReLUs": {"leaky_relu": lambda x, slope: np.maximum(x, 0) - slope * np.maximum(-x, 0)},
    "leaky ReLU with the rest added": {"leaky_relu": lambda x, slope: slope * x + (1 - slope) * np.maximum(x, 0)},
    "leaky ReLU on a copy": {"leaky_relu": _leaky_in_place, "leaky_relu_gradient": _leaky_gradient_by_index},
    "leaky ReLU by entries": {"leaky_relu": _by_entries(lambda x, slope: x if x > 0 else slope * x)},
    "leaky ReLU's slope by the output": {
        "leaky_relu_derivative": lambda x, slope: np.where(np.maximum(x, slope * x) > 0, 1.0, slope),
        "leaky_relu_gradient": lambda x, u, slope: np.where(np.maximum(x, slope * x) > 0, u, u * slope),
    },
    "leaky ReLU's slope by piecewise": {
        "leaky_relu_derivative": lambda x, slope: np.piecewise(x, [x < 0, x >= 0], [slope, 1.0]),
        "leaky_relu_gradient": lambda x, u, slope: np.select([x > 0, x <= 0], [u, slope * u]),
    },
    "leaky ReLU's derivative 1 at 0": _leaky_at_zero(lambda slope: 1.0),
    "leaky ReLU's derivative the slope at 0": _leaky_at_zero(lambda slope: slope),
    "leaky ReLU's derivative halfway at 0": _leaky_at_zero(lambda slope: (1 + slope) / 2),
    "ELU by exp": {"elu": lambda x, alpha: np.where(x > 0, x, alpha * (np.exp(x) - 1))},
    "ELU by expm1": {"elu": lambda x, alpha: np.where(x < 0, alpha * np.expm1(x), x)},
    "ELU with a bracket opened": {"elu": lambda x, alpha: np.where(x > 0, x, alpha * np.exp(x) - alpha)},
    "ELU as a sum of parts": {
        "elu": lambda x, alpha: np.maximum(x, 0) + np.minimum(0, alpha * (np.exp(x) - 1)),
        "elu_derivative": lambda x, alpha: (x > 0) + (x <= 0) * alpha * np.exp(np.minimum(x, 0)),
    },
    "ELU as two ReLUs": {"elu": lambda x, alpha: np.maximum(x, 0) - alpha * np.maximum(1 - np.exp(x), 0)},
    "ELU by entries": {
        "elu": _by_entries(lambda x, alpha: x if x > 0 else alpha * (math.exp(x) - 1)),
        "elu_derivative": _by_entries(lambda x, alpha: 1.0 if x > 0 else alpha * math.exp(x)),
    },
    "ELU's slope by the output": {
        "elu_derivative": lambda x, alpha: np.where(x > 0, 1.0, alpha * np.expm1(np.minimum(x, 0)) + alpha),
        "elu_gradient": lambda x, u, alpha: u * np.where(x > 0, 1.0, alpha * (np.exp(np.minimum(x, 0)) - 1) + alpha),
    },
    "ELU's slope by a minimum": {
        "elu_derivative": _elu_slope,
        "elu_gradient": lambda x, u, alpha: _elu_slope(x, alpha) * u,
    },
    "ELU's gradient side by side": {"elu_gradient": lambda x, u, alpha: np.where(x > 0, u, u * alpha * np.exp(x))},
    "ELU's slope by the power of two": {
        "elu_derivative": lambda x, alpha: np.where(x > 0, 1.0, alpha * np.exp2(np.minimum(x, 0) * math.log2(math.e))),
    },
    "ELU's derivative 1 at 0": _elu_at_zero(lambda alpha: 1.0),
    "ELU's derivative alpha at 0": _elu_at_zero(lambda alpha: alpha),
    "ELU's derivative halfway at 0": _elu_at_zero(lambda alpha: (1 + alpha) / 2),
    "ELU's derivative the root of alpha at 0": _elu_at_zero(math.sqrt),
}
