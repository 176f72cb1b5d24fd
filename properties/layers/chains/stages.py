"""The stages of a declared network, each forwards and backwards, with what rounding may add to what it gives.

A stage takes and gives images (N, C, H, W) or features (N, n), each with a bound on its error; its parameters are a
kernel (C_out, C_in, h, w) and a bias (C_out,), or weights (n, m) and a bias (m,). Backwards it takes the gradient for
what it gave, and gives that for what it took and those for its parameters. First-order error propagation throughout:
Higham, Accuracy and Stability of Numerical Algorithms, section 3.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...harness.core.limits import Shape
from ...harness.core.setting import setting
from ...harness.core.values import ALLOWED, LIBRARY, Array, inner_product, norm
from ..base.smooth import SMOOTH, Smooth
from ..base.unfolding import NONE, ONE, folded, unfolded
from ..convolution import units
from ..further.averages import counts_padding
from ..options import strided


class Bounded(NamedTuple):
    """An array, and how far from each entry a correct one may lie."""

    value: Array
    error: Array

    @property
    def size(self) -> Array:
        """The largest size that each entry may have."""
        return np.abs(self.value) + self.error


Options = Mapping[str, Any]
Backward = tuple[Bounded, list[Bounded]]


class Kinked(NamedTuple):
    """What a stage decides, as on which side of 0 an entry is, and how far each is from being decided otherwise."""

    decided: Array
    room: Array


@dataclass(frozen=True)
class StageKind:
    """A kind of stage: the options that a declaration may give it, which of them it must, and what it does."""

    forward: Callable[[Bounded, Sequence[Array], Options], Bounded]
    backward: Callable[[Bounded, Sequence[Array], Options, Bounded], Backward]
    options: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    kinks: Callable[[Bounded, Options, bool], Kinked] | None = None
    is_smooth: bool = False


def _rounded(value: Array, carried: Array, units: float, size: Any) -> Bounded:
    return Bounded(value, carried + units * setting().eps * size + setting().tiny)


def _geometry(options: Options) -> tuple[Shape, Shape, Shape]:
    """A convolution's stride, padding and dilation."""
    return options.get("stride", ONE), options.get("padding", NONE), options.get("dilation", ONE)


def _convolve(x: Bounded, parameters: Sequence[Array], options: Options) -> Bounded:
    kernel, *bias = parameters
    added = bias[0][:, None, None] if bias else np.zeros((1, 1, 1))
    geometry, size = _geometry(options), norm(x.value) * norm(kernel) + np.abs(added)
    terms = units(x.value, kernel[0].size, kernel.shape[1]) + 1
    carried = strided.conv2d(x.error, np.abs(kernel), *geometry)
    return _rounded(strided.conv2d(x.value, kernel, *geometry) + added, carried, terms, size)


def _convolve_back(x: Bounded, parameters: Sequence[Array], options: Options, upstream: Bounded) -> Backward:
    kernel, *bias = parameters
    geometry, sides = _geometry(options), kernel.shape[-2:]

    def of_kernel(image: Array, above: Array) -> Array:
        return strided.conv2d_kernel_gradient(image, sides, above, *geometry)

    def of_image(weights: Array, above: Array) -> Array:
        return strided.conv2d_image_gradient(x.value.shape[-2:], weights, above, *geometry)

    images, filters, *outputs = upstream.value.shape
    carried = of_kernel(x.size, upstream.error) + of_kernel(x.error, np.abs(upstream.value))
    summed = units(x.value, images * int(np.prod(outputs)), images)
    gradients = [
        _rounded(of_kernel(x.value, upstream.value), carried, summed, norm(x.value) * norm(upstream.value)),
        *([_summed(upstream, (0, 2, 3))] if bias else []),
    ]
    terms, size = units(x.value, filters * int(np.prod(sides)), filters), norm(kernel) * norm(upstream.value)
    return _rounded(of_image(kernel, upstream.value), of_image(np.abs(kernel), upstream.error), terms, size), gradients


def _summed(upstream: Bounded, axes: tuple[int, ...]) -> Bounded:
    """Upstream summed over these axes: a bias's gradient."""
    terms = int(np.prod([upstream.value.shape[axis] for axis in axes]))
    size = np.abs(upstream.value).sum(axis=axes)
    return _rounded(upstream.value.sum(axis=axes), upstream.error.sum(axis=axes), ALLOWED + terms, size)


def _dense(x: Bounded, parameters: Sequence[Array], options: Options) -> Bounded:
    weights, *bias = parameters
    added = bias[0] if bias else np.zeros(1)
    size, own = np.abs(x.value) @ np.abs(weights) + np.abs(added), np.abs(weights)
    return _rounded(x.value @ weights + added, x.error @ own, inner_product(len(weights)) + 1, size)


def _dense_back(x: Bounded, parameters: Sequence[Array], options: Options, upstream: Bounded) -> Backward:
    weights, *bias = parameters
    above, columns = np.abs(upstream.value), np.abs(weights).T
    carried = x.size.T @ upstream.error + x.error.T @ above
    gradient = _rounded(x.value.T @ upstream.value, carried, inner_product(len(x.value)), np.abs(x.value).T @ above)
    gradients = [gradient, *([_summed(upstream, (0,))] if bias else [])]
    of_features = upstream.value @ weights.T
    terms = inner_product(weights.shape[1])
    return _rounded(of_features, upstream.error @ columns, terms, above @ columns), gradients


def _steps(options: Options) -> tuple[Shape, Shape]:
    """A pooling's stride, its own window where nothing is said, and padding."""
    return options.get("stride", options["window"]), options.get("padding", NONE)


def windows_of(x: Array, options: Options, fill: float) -> Array:
    """The pooling windows: (N, C, rows, columns, p, q)."""
    return unfolded(x, options["window"], *_steps(options), fill=fill)


def _winners(x: Array, options: Options) -> Array:
    """Which entry of each window is its maximum, the first of several."""
    windows = windows_of(x, options, -np.inf)
    flat = windows.reshape(*windows.shape[:-2], -1)
    return (flat.argmax(axis=-1)[..., None] == np.arange(flat.shape[-1])).reshape(windows.shape)


def _max_pool(x: Bounded, parameters: Sequence[Array], options: Options) -> Bounded:
    largest = windows_of(x.error, options, 0.0).max(axis=(-2, -1))
    return Bounded(windows_of(x.value, options, -np.inf).max(axis=(-2, -1)), largest)


def _max_pool_back(x: Bounded, parameters: Sequence[Array], options: Options, upstream: Bounded) -> Backward:
    winners = _winners(x.value, options)
    return _handed_on(winners * 1.0, x, options, upstream), []


def _handed_on(shares: Array, x: Bounded, options: Options, upstream: Bounded) -> Bounded:
    """Upstream by its share to each entry of each window; an entry sums as many as windows hold it."""

    def given(above: Array) -> Array:
        sides = x.value.shape[-2], x.value.shape[-1]
        return folded(lambda a, b: shares[..., a, b] * above, options["window"], sides, *_steps(options))

    terms = ALLOWED + 2 * int(np.prod(options["window"]))
    return _rounded(given(upstream.value), given(upstream.error), terms, given(np.abs(upstream.value)))


def _pool_kinks(x: Bounded, options: Options, is_rectified: bool) -> Kinked:
    """The lead of each window's maximum over every other entry; behind ReLU, zeros that tie are dead all the same."""
    windows, error = windows_of(x.value, options, -np.inf), windows_of(x.error, options, 0.0)
    flat = windows.reshape(*windows.shape[:-2], -1)
    if flat.shape[-1] == 1:
        return Kinked(np.zeros(0), np.zeros(0))
    first, second = np.sort(flat, axis=-1)[..., -1], np.sort(flat, axis=-1)[..., -2]
    lead = np.where((first == 0) & (second == 0) & is_rectified, np.inf, first - second)
    return Kinked(_winners(x.value, options), lead - 2 * error.max(axis=(-2, -1)))


def _average(x: Bounded, parameters: Sequence[Array], options: Options) -> Bounded:
    arrays = (x.value, x.error, np.abs(x.value))
    value, error, size = (
        windows_of(one, options, 0.0).sum(axis=(-2, -1)) / _counts(x.value, options) for one in arrays
    )
    return _rounded(value, error, inner_product(int(np.prod(options["window"]))) + 1, size)


def _counts(x: Array, options: Options) -> Array:
    """How many entries each window's mean is over: all of them, or those that are not padding."""
    if counts_padding():
        return np.array(float(np.prod(options["window"])))
    return windows_of(np.ones(x.shape), options, 0.0).sum(axis=(-2, -1))


def _average_back(x: Bounded, parameters: Sequence[Array], options: Options, upstream: Bounded) -> Backward:
    windows = windows_of(np.ones(x.value.shape), options, 0.0)
    shares = windows / np.broadcast_to(_counts(x.value, options), windows.shape[:-2])[..., None, None]
    return _handed_on(shares, x, options, upstream), []


def _flatten(x: Bounded, parameters: Sequence[Array], options: Options) -> Bounded:
    return Bounded(*(_rows(array) for array in x))


def _rows(array: Array) -> Array:
    """An image's entries in a row: by (C, H, W), or where channels come last by (H, W, C)."""
    return (np.moveaxis(array, 1, -1) if setting().channels_last else array).reshape(len(array), -1)


def _flatten_back(x: Bounded, parameters: Sequence[Array], options: Options, upstream: Bounded) -> Backward:
    images, channels, *sides = x.value.shape

    def back(array: Array) -> Array:
        if setting().channels_last:
            return np.moveaxis(array.reshape(images, *sides, channels), -1, 1)
        return array.reshape(x.value.shape)

    return Bounded(*map(back, upstream)), []


def _bent_at_zero(slopes: Callable[[Array, Options], Any], *options: str) -> StageKind:
    """A function of each entry that is linear on either side of 0, with these slopes."""

    def forward(x: Bounded, parameters: Sequence[Array], options: Options) -> Bounded:
        value = x.value * slopes(x.value, options)
        return _rounded(value, x.error, ALLOWED, np.abs(value))

    def backward(x: Bounded, parameters: Sequence[Array], options: Options, upstream: Bounded) -> Backward:
        slope = slopes(x.value, options)
        value = upstream.value * slope
        return _rounded(value, upstream.error * slope, ALLOWED, np.abs(value)), []

    return StageKind(forward, backward, options, options, lambda x, *_: Kinked(x.value > 0, np.abs(x.value) - x.error))


def _bent(one: Smooth) -> StageKind:
    """A smooth activation: no slope of those known is above 1, nor any second derivative."""

    def forward(x: Bounded, parameters: Sequence[Array], options: Options) -> Bounded:
        value = one.value(x.value)
        return Bounded(value.value, x.error + value.allowed)

    def backward(x: Bounded, parameters: Sequence[Array], options: Options, upstream: Bounded) -> Backward:
        slope = one.slope(x.value)
        value, error = upstream.value * slope.value, x.error + slope.allowed
        carried = np.abs(upstream.value) * error + upstream.error * (np.abs(slope.value) + error)
        return _rounded(value, carried, ALLOWED + LIBRARY, np.abs(value)), []

    return StageKind(forward, backward, is_smooth=True)


_POOLS = ("window", "stride", "padding")
STAGES: dict[str, StageKind] = {
    "conv2d": StageKind(_convolve, _convolve_back, ("bias", "stride", "padding", "dilation")),
    "dense": StageKind(_dense, _dense_back, ("bias",)),
    "max_pool": StageKind(_max_pool, _max_pool_back, _POOLS, ("window",), _pool_kinks),
    "average_pool": StageKind(_average, _average_back, _POOLS, ("window",)),
    "flatten": StageKind(_flatten, _flatten_back),
    "relu": _bent_at_zero(lambda x, options: (x > 0) * 1.0),
    "leaky_relu": _bent_at_zero(lambda x, options: np.where(x > 0, 1.0, options["slope"]), "slope"),
    **{one.name: _bent(one) for one in SMOOTH},
}
