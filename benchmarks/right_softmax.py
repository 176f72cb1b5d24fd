"""Correct variants of softmax and its gradient: other ways to write them, and to round."""

import math
from typing import Any

import numpy as np
import scipy.special

Offered = dict[str, Any]


def _softmax(x: Any) -> Any:
    exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _by_rows(x: Any) -> Any:
    return np.array([np.exp(row - row.max()) / np.exp(row - row.max()).sum() for row in x])


def _in_pure_python(x: Any) -> Any:
    rows = [[math.exp(value - max(row)) for value in row] for row in x.tolist()]
    return [[value / math.fsum(row) for value in row] for row in rows]


def _by_whole_jacobians(x: Any, upstream: Any) -> Any:
    softmax = _softmax(x)
    jacobians = np.einsum("ij,jk->ijk", softmax, np.eye(x.shape[1])) - np.einsum("ij,ik->ijk", softmax, softmax)
    return np.einsum("ijk,ik->ij", jacobians, upstream)


def _by_two_terms(x: Any, upstream: Any) -> Any:
    softmax = _softmax(x)
    return softmax * upstream - softmax * np.einsum("ij,ij->i", softmax, upstream)[:, None]


def _by_loops(x: Any, upstream: Any) -> Any:
    gradient, softmax = np.zeros(x.shape), _softmax(x)
    for i, j, k in np.ndindex(*x.shape, x.shape[1]):
        gradient[i, k] += upstream[i, j] * softmax[i, j] * ((j == k) - softmax[i, k])
    return gradient


def _in_single(x: Any, *upstream: Any) -> Any:
    x, upstream = np.float32(x), tuple(map(np.float32, upstream))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return np.float32(_by_two_terms(x, *upstream) if upstream else _softmax(x))


VARIANTS: dict[str, Offered] = {
    "softmax by SciPy": {"softmax": lambda x: scipy.special.softmax(x, axis=1)},
    "softmax by log-sum-exp": {
        "softmax": lambda x: np.exp(x - scipy.special.logsumexp(x, axis=1, keepdims=True)),
        "softmax_gradient": _by_two_terms,
    },
    "softmax by log-softmax": {"softmax": lambda x: np.exp(scipy.special.log_softmax(x, axis=1))},
    "softmax by rows": {"softmax": _by_rows, "softmax_gradient": _by_whole_jacobians},
    "softmax in pure Python": {"softmax": _in_pure_python},
    "softmax by loops": {"softmax_gradient": _by_loops},
    "softmax in Fortran order": {"softmax": lambda x: np.asfortranarray(_softmax(x))},
    "softmax in long doubles": {"softmax": lambda x: np.float64(_softmax(np.longdouble(x)))},
    "softmax that clips to what is no smaller than the smallest number": {
        "softmax": lambda x: np.clip(_softmax(x), np.finfo(float).tiny, 1.0)
    },
    "softmax in single precision that says so": {
        "DTYPE": "float32",
        "softmax": _in_single,
        "softmax_gradient": _in_single,
    },
}
