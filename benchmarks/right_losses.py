"""Correct variants of the losses: their conventions, other ways to write them, and what a target may declare."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, log_softmax, logsumexp, softmax, xlogy

Offered = dict[str, Any]


def _squares(share: Callable[[Any], float], images: Callable[[Any], int] = len) -> Offered:
    """The squared error and its gradient, times a share that goes by the predictions."""
    return {
        "squared_error": lambda p, t: share(p) * np.sum((p - t) ** 2) / images(p),
        "squared_error_gradient": lambda p, t: 2 * share(p) * (p - t) / images(p),
    }


def _one(array: Any) -> int:
    return 1


def _rows(labels: Any, classes: int) -> Any:
    return (labels[:, None] == np.arange(classes)).astype(float)


def _of_rows(images: Callable[[Any], int]) -> Offered:
    """The cross-entropies of labels that are rows, and of probabilities."""
    return {
        "LABELS": "one-hot",
        "cross_entropy": lambda p, y: -xlogy(y, np.maximum(p, 1e-15)).sum() / images(p),
        "cross_entropy_gradient": lambda p, y: np.where(y > 0, -y / np.maximum(p, 1e-15), 0.0) / images(p),
        "softmax_cross_entropy": lambda z, y: -(y * log_softmax(z, axis=1)).sum() / images(z),
        "softmax_cross_entropy_gradient": lambda z, y: (softmax(z, axis=1) - y) / images(z),
        "logistic_cross_entropy": lambda z, y: -(y * log_expit(z) + (1 - y) * log_expit(-z)).sum() / images(z),
        "logistic_cross_entropy_gradient": lambda z, y: ((1 - y) * expit(z) - y * expit(-z)) / images(z),
    }


def _dotted(p: Any, t: Any) -> Any:
    difference = p - t
    return np.einsum("ij,ij->", difference, difference) / (2 * len(p))


def _by_loops(logits: Any, labels: Any) -> float:
    total = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        most = max(row)
        total += most + np.log(sum(np.exp(value - most) for value in row)) - row[label]
    return float(total / len(logits))


def _clipped(p: Any, y: Any) -> Any:
    return np.clip(p[np.arange(len(y)), y], 1e-12, 1 - 1e-12)


def _scattered(p: Any, y: Any) -> Any:
    gradient = np.zeros_like(p)
    np.put_along_axis(gradient, y[:, None], -1 / _clipped(p, y)[:, None], axis=1)
    return gradient / len(y)


def _softmax_less_one(z: Any, y: Any) -> Any:
    gradient = softmax(z, axis=1)
    np.subtract.at(gradient, (np.arange(len(y)), y), 1.0)
    return gradient / len(y)


def _softplus(z: Any) -> Any:
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def _half(p: Any) -> float:
    return 0.5


def _whole(p: Any) -> float:
    return 1.0


def _in_single(function: Callable[..., Any]) -> Callable[..., Any]:
    def answer(first: Any, second: Any) -> Any:
        second = np.float32(second) if second.dtype.kind == "f" else second
        with np.errstate(over="ignore", under="ignore"):
            return np.float32(function(np.float32(first), second))

    return answer


INTEGERS: Offered = {
    "cross_entropy": lambda p, y: -np.log(_clipped(p, y)).mean(),
    "cross_entropy_gradient": _scattered,
    "softmax_cross_entropy": lambda z, y: np.mean(logsumexp(z, axis=1) - z[np.arange(len(y)), y]),
    "softmax_cross_entropy_gradient": _softmax_less_one,
    "logistic_cross_entropy": lambda z, y: np.mean(_softplus(np.where(y == 1, -z, z))),
    "logistic_cross_entropy_gradient": lambda z, y: np.where(y == 1, -expit(-z), expit(z)) / len(z),
}
VARIANTS: dict[str, Offered] = {
    "losses by indices": INTEGERS,
    "losses of rows": _of_rows(len),
    "losses of rows, summed": {"REDUCTION": "sum", **_of_rows(_one), **_squares(_half, _one)},
    "losses by loops": {"softmax_cross_entropy": _by_loops, "squared_error": _dotted},
    "losses of one-hot rows made of integers": {
        "softmax_cross_entropy": lambda z, y: -(_rows(y, z.shape[1]) * log_softmax(z, axis=1)).sum(axis=1).mean(),
        "softmax_cross_entropy_gradient": lambda z, y: (softmax(z, axis=1) - _rows(y, z.shape[1])) / len(z),
        "cross_entropy": lambda p, y: -np.log((p * _rows(y, p.shape[1])).sum(axis=1).clip(1e-15)).mean(),
    },
    "losses that take the logarithm of softmax where it has one": {
        "softmax_cross_entropy": lambda z, y: (
            -np.mean(
                np.where(softmax(z, axis=1) > 1e-300, np.log(softmax(z, axis=1).clip(1e-300)), log_softmax(z, axis=1))[
                    np.arange(len(y)), y
                ]
            )
        )
    },
    "logistic loss of two classes": {
        "logistic_cross_entropy": lambda z, y: np.mean(logsumexp([np.zeros(len(z)), z], axis=0) - y * z),
        "logistic_cross_entropy_gradient": lambda z, y: (softmax([np.zeros(len(z)), z], axis=0)[1] - y) / len(z),
    },
    "losses as arrays of no dimension": {name: lambda a, b, f=f: np.array(f(a, b)) for name, f in INTEGERS.items()},
    "the sum of squares": _squares(_whole),
    "the mean of squares": _squares(lambda p: 1 / p.shape[1]),
    "half the mean of squares": _squares(lambda p: 0.5 / p.shape[1]),
    "half the sum of squares by a norm": {"squared_error": lambda p, t: np.linalg.norm(p - t) ** 2 / 2 / len(p)},
    "the sum of squares, summed": {"REDUCTION": "sum", **_squares(_whole, _one)},
    "losses in single precision that says so": {
        "DTYPE": "float32",
        **{name: _in_single(function) for name, function in (INTEGERS | _squares(_half)).items()},
    },
}
