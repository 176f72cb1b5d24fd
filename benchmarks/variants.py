"""Correct variants of the reference: every choice that the contract leaves, and every way to round. All must pass."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.fft
import scipy.signal
from numpy.lib.stride_tricks import sliding_window_view

import reference
from benchmarks import (
    right_average_pooling,
    right_convolution_options,
    right_losses,
    right_piecewise,
    right_pooling_options,
    right_softmax,
)
from benchmarks.trials import reference_with
from properties.harness.core.setting import Conventions, with_setting
from properties.harness.core.values import changed_parts
from properties.layers import OPERATIONS
from properties.mistakes.right import single, taking
from reference import arctan, dense, max_pool, relu

Offered = dict[str, Any]
RIGHT = reference_with({})


def network(
    convolve: Callable[..., Any] = reference.conv2d,
    kernel_gradient: Callable[..., Any] = reference.conv2d_kernel_gradient,
    pooling_gradient: Callable[..., Any] = reference.max_pool_gradient,
    relu_slope: Callable[[Any], Any] = reference.relu_derivative,
    scalar: Callable[[Any], Any] = float,
    pair: Callable[[Any], Any] = tuple,
) -> Offered:
    """The network's four operations made of these parts."""

    def forward(image: Any, kernel: Any, weights: Any) -> tuple[Any, Any, Any, float]:
        convolved = convolve(image, kernel)
        pooled = max_pool(relu(convolved), (2, 2))
        weighted = dense(pooled.reshape(1, -1), weights)
        return convolved, pooled, weighted, float(arctan(weighted).item())

    def gradients(image: Any, target: float, kernel: Any, weights: Any) -> Any:
        convolved, pooled, weighted, prediction = forward(image, kernel, weights)
        delta = (prediction - target) * reference.arctan_derivative(weighted)
        upstream = pooling_gradient(relu(convolved), (2, 2), (delta * weights).reshape(pooled.shape))
        return pair(
            (kernel_gradient(image, kernel, upstream * relu_slope(convolved)), pooled.reshape(-1, 1) * delta.item())
        )

    def train_step(image: Any, target: float, kernel: Any, weights: Any, learning_rate: float) -> Any:
        moves = gradients(image, target, kernel, weights)
        return pair((kernel - learning_rate * moves[0], weights - learning_rate * moves[1]))

    return {
        "predict": lambda image, kernel, weights: scalar(forward(image, kernel, weights)[3]),
        "cost": lambda image, target, kernel, weights: scalar((forward(image, kernel, weights)[3] - target) ** 2 / 2),
        "gradients": gradients,
        "train_step": train_step,
    }


def convolution(valid: Callable[[Any, Any], Any], full: Callable[[Any, Any], Any] | None = None) -> Offered:
    """The true convolution and its gradients by one routine for `Σ x[i+a, j+b] k[a,b]`, and the network with them."""
    padded = full or (lambda x, k: valid(np.pad(x, [(side - 1, side - 1) for side in k.shape]), k))
    layers = {
        "conv2d": lambda image, kernel: valid(image, kernel[::-1, ::-1]),
        "conv2d_kernel_gradient": lambda image, kernel, upstream: valid(image, upstream)[::-1, ::-1],
        "conv2d_image_gradient": lambda image, kernel, upstream: padded(upstream, kernel),
    }
    return {**layers, **network(layers["conv2d"], layers["conv2d_kernel_gradient"])}


def _shares(weigh: Callable[[Any], Any]) -> Callable[..., Any]:
    """A pooling gradient that weighs the maxima of a window, (…, p·q) flags, and hands shares of sum 1 out."""

    def gradient(x: Any, window: Any, upstream: Any) -> Any:
        (rows, columns), (p, q) = upstream.shape, window
        parted = x.reshape(rows, p, columns, q).swapaxes(1, 2).reshape(rows, columns, p * q)
        weights = weigh(parted == parted.max(axis=2, keepdims=True)) * 1.0
        shares = weights / weights.sum(axis=2, keepdims=True) * upstream[..., None]
        return shares.reshape(rows, columns, p, q).swapaxes(1, 2).reshape(x.shape)

    return gradient


def _by_windows(x: Any, k: Any) -> Any:
    return np.einsum("ijab,ab->ij", sliding_window_view(x, k.shape), k)


def _by_columns(x: Any, k: Any) -> Any:
    patches = sliding_window_view(x, k.shape)
    return (patches.reshape(-1, k.size) @ k.reshape(-1, 1)).reshape(patches.shape[:2])


def _by_loops(x: Any, k: Any, total: Callable[[list[float]], float] = sum) -> Any:
    shape = x.shape[0] - k.shape[0] + 1, x.shape[1] - k.shape[1] + 1
    result = np.zeros(shape)
    for i, j in np.ndindex(shape):
        result[i, j] = total([float(x[i + a, j + b] * k[a, b]) for a, b in np.ndindex(k.shape)])
    return result


def _by_fft(x: Any, k: Any) -> Any:
    return scipy.signal.fftconvolve(x, k[::-1, ::-1], "valid")


def _by_frequencies(x: Any, k: Any) -> Any:
    spectrum = scipy.fft.rfft2(x) * np.conj(scipy.fft.rfft2(k, x.shape))
    return scipy.fft.irfft2(spectrum, x.shape)[: x.shape[0] - k.shape[0] + 1, : x.shape[1] - k.shape[1] + 1]


def _in_long_doubles(x: Any, k: Any) -> Any:
    return np.float64(_by_windows(np.longdouble(x), np.longdouble(k)))


def _answers(change: Callable[[Any], Any], *names: str) -> Offered:
    """The reference's operations with every array of their answers passed through `change`."""

    def changed(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments: changed_parts(change, function(*arguments))

    return {name: changed(RIGHT[name]) for name in names}


def _frozen(array: Any) -> Any:
    array = np.array(array)
    array.flags.writeable = False
    return array


def _is_real(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _in_single(name: str) -> Callable[..., Any]:
    function = RIGHT[name]

    def answer(*arguments: Any) -> Any:
        with np.errstate(over="ignore", under="ignore"):
            given = function(*(np.float32(one) if _is_real(one) else one for one in arguments))
            return changed_parts(np.float32, given)

    return taking(name, answer)


def _square_only(function: Callable[..., Any]) -> Callable[..., Any]:
    def answer(image: Any, kernel: Any, *rest: Any) -> Any:
        if kernel.shape[0] != kernel.shape[1]:
            raise NotImplementedError("square kernels alone")
        return function(image, kernel, *rest)

    return answer


ARRAYS = ("relu", "arctan", "conv2d", "conv2d_kernel_gradient", "conv2d_image_gradient", "max_pool")
CONVOLUTIONS = ("conv2d", "conv2d_kernel_gradient", "conv2d_image_gradient")
LAST = _shares(lambda tied: np.cumsum(tied[..., ::-1], axis=2)[..., ::-1] * tied == 1)
EVEN = _shares(lambda tied: tied)
UNEVEN = _shares(lambda tied: tied * np.arange(1, tied.shape[2] + 1))


def _at_zero(value: float) -> Callable[[Any], Any]:
    return lambda x: np.where(x == 0, value, x > 0)


def _correlating() -> Offered:
    layers: Mapping[str, Callable[..., Any]] = {
        "conv2d": _by_windows,
        "conv2d_kernel_gradient": lambda image, kernel, upstream: _by_windows(image, upstream),
        "conv2d_image_gradient": lambda image, kernel, upstream: scipy.signal.convolve2d(upstream, kernel),
    }
    with with_setting(conventions=Conventions("correlation")):
        further = {name: single(name) for name, one in OPERATIONS.items() if one.follows and one.function}
    return {**layers, **further, **network(_by_windows, layers["conv2d_kernel_gradient"])}


VARIANTS: dict[str, Offered] = {
    "cross-correlation": _correlating(),
    "convolution through the FFT": convolution(_by_fft),
    "convolution by periodic spectra": convolution(_by_frequencies),
    "convolution over sliding windows": convolution(_by_windows),
    "convolution as a matrix product": convolution(_by_columns),
    "convolution by loops": convolution(_by_loops),
    "sums without rounding": convolution(lambda x, k: _by_loops(x, k, math.fsum)),
    "sums from the last term": convolution(lambda x, k: _by_loops(x, k, lambda terms: sum(reversed(terms)))),
    "long doubles inside": convolution(_in_long_doubles),
    "last of tied maxima": {"max_pool_gradient": LAST, **network(pooling_gradient=LAST)},
    "tied maxima share evenly": {"max_pool_gradient": EVEN, **network(pooling_gradient=EVEN)},
    "tied maxima share unevenly": {"max_pool_gradient": UNEVEN, **network(pooling_gradient=UNEVEN)},
    "ReLU's derivative 1/2 at 0": {"relu_derivative": _at_zero(0.5), **network(relu_slope=_at_zero(0.5))},
    "ReLU's derivative 1 at 0": {"relu_derivative": _at_zero(1.0), **network(relu_slope=_at_zero(1.0))},
    "even shares and 1/2 at 0": network(pooling_gradient=EVEN, relu_slope=_at_zero(0.5)),
    "slope as the squared cosine": {"arctan_derivative": lambda x: np.cos(np.arctan(x)) ** 2},
    "slope by the complex step": {"arctan_derivative": lambda x: (1 / (1 + 1j * x)).real},
    "logistic by tanh": {"logistic": lambda x: (1 + np.tanh(x / 2)) / 2},
    "logistic derivative by tanh": {"logistic_derivative": lambda x: (1 - np.tanh(x / 2) ** 2) / 4},
    "tanh by one exponential": {"tanh": lambda x: 1 - 2 / (np.exp(2 * np.clip(x, -50, 50)) + 1)},
    "tanh's slope from the output": {"tanh_derivative": lambda x: (1 - np.tanh(x)) * (1 + np.tanh(x))},
    "softplus by log1p": {"softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))},
    "softplus's slope by tanh": {"softplus_derivative": lambda x: (1 + np.tanh(x / 2)) / 2},
    "gradients from the outputs": {
        "tanh_gradient": lambda x, upstream: upstream * (1 - np.tanh(x) ** 2),
        "logistic_gradient": lambda x, upstream: upstream * RIGHT["logistic"](x) * (1 - RIGHT["logistic"](x)),
    },
    "ReLU's gradient whole at 0": {"relu_gradient": lambda x, upstream: np.where(x >= 0, upstream, 0)},
    "ReLU's gradient halved at 0": {"relu_gradient": lambda x, upstream: upstream * np.heaviside(x, 0.5)},
    "ReLU as a product": {"relu": lambda x: x * (x > 0), "relu_derivative": lambda x: (x > 0).astype(int)},
    "answers in Fortran order": _answers(np.asfortranarray, *ARRAYS, "max_pool_gradient", "dense_gradients"),
    "answers that are read-only": _answers(_frozen, *ARRAYS, "max_pool_gradient", "dense_gradients", "gradients"),
    "scalars as arrays of no dimension": network(scalar=np.array),
    "scalars of shape 1×1, pairs as lists": network(scalar=lambda value: np.full((1, 1), value), pair=list),
    "single precision that says so": {"DTYPE": "float32"} | {name: _in_single(name) for name in OPERATIONS},
    "square kernels alone, by NotImplementedError": {
        name: _square_only(getattr(reference, name)) for name in CONVOLUTIONS
    },
}
FURTHER: dict[str, Offered] = {
    **right_convolution_options.VARIANTS,
    **right_pooling_options.VARIANTS,
    **right_average_pooling.VARIANTS,
    **right_piecewise.VARIANTS,
    **right_softmax.VARIANTS,
    **right_losses.VARIANTS,
}
VARIANTS |= FURTHER
