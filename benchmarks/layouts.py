"""Correct targets in every layout, written against SciPy and the definitions: channels, and images in batches.

Kernels have their axes in other orders too, and parameters' gradients are means over the images.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.signal import convolve2d, correlate2d

from properties.layers import OPERATIONS

Shares = Callable[[Any], Any]
LAYOUTS = ("CHW", "NCHW", "NHWC")


def first(tied: Any) -> Any:
    """The first maximum of each window, (…, p·q) flags, alone."""
    return tied & (np.cumsum(tied, axis=-1) == 1)


def even(tied: Any) -> Any:
    """The same share for each maximum."""
    return tied / tied.sum(axis=-1, keepdims=True)


class Layered:
    """The network for (N, C, H, W) arrays, one channel of one image after the other."""

    LAYOUT = "NCHW"

    def __init__(self, flips: bool = True, shares: Shares = first, at_zero: float = 0.0) -> None:
        self.shares, self.at_zero = shares, at_zero
        self.forth, self.back = (convolve2d, correlate2d) if flips else (correlate2d, convolve2d)
        self.flips = flips

    def relu(self, x: Any) -> Any:
        return np.maximum(x, 0.0)

    def relu_derivative(self, x: Any) -> Any:
        return np.where(x == 0, self.at_zero, x > 0)

    def arctan(self, x: Any) -> Any:
        return np.arctan(x)

    def arctan_derivative(self, x: Any) -> Any:
        return 1 / np.hypot(1.0, x) / np.hypot(1.0, x)

    def conv2d(self, image: Any, kernel: Any) -> Any:
        return np.array(
            [
                [sum(self.forth(x, k, "valid") for x, k in zip(one, bank, strict=True)) for bank in kernel]
                for one in image
            ]
        )

    def conv2d_kernel_gradient(self, image: Any, kernel: Any, upstream: Any) -> Any:
        gradient = np.zeros(kernel.shape)
        for one, passed in zip(image, upstream, strict=True):
            for o, c in np.ndindex(kernel.shape[:2]):
                gradient[o, c] += correlate2d(one[c], passed[o], "valid")
        return gradient[..., ::-1, ::-1] if self.flips else gradient

    def conv2d_image_gradient(self, image: Any, kernel: Any, upstream: Any) -> Any:
        gradient = np.zeros(image.shape)
        for n, c in np.ndindex(image.shape[:2]):
            gradient[n, c] = sum(self.back(u, bank[c]) for u, bank in zip(upstream[n], kernel, strict=True))
        return gradient

    def _windows(self, x: Any, window: Any) -> Any:
        (images, channels, rows, columns), (p, q) = x.shape, window
        parted = x.reshape(images, channels, rows // p, p, columns // q, q).swapaxes(3, 4)
        return parted.reshape(images, channels, rows // p, columns // q, p * q)

    def max_pool(self, x: Any, window: Any) -> Any:
        return self._windows(x, window).max(axis=-1)

    def max_pool_gradient(self, x: Any, window: Any, upstream: Any) -> Any:
        parted = self._windows(x, window)
        shares = self.shares(parted == parted.max(axis=-1, keepdims=True)) * upstream[..., None]
        return shares.reshape(*upstream.shape, *window).swapaxes(3, 4).reshape(x.shape)

    def dense(self, features: Any, weights: Any) -> Any:
        return features @ weights

    def dense_gradients(self, features: Any, weights: Any, upstream: Any) -> Any:
        return upstream @ weights.T, features.T @ upstream

    def flat(self, pooled: Any) -> Any:
        """The features of each image, (N, n)."""
        return pooled.reshape(len(pooled), -1)

    def unflat(self, features: Any, shape: Any) -> Any:
        """The other way round."""
        return features.reshape(shape)

    def _forward(self, image: Any, kernel: Any, weights: Any) -> Any:
        convolved = self.conv2d(image, kernel)
        pooled = self.max_pool(self.relu(convolved), (2, 2))
        return convolved, pooled, self.flat(pooled) @ weights

    def predict(self, image: Any, kernel: Any, weights: Any) -> Any:
        return self.arctan(self._forward(image, kernel, weights)[2])

    def cost(self, image: Any, target: Any, kernel: Any, weights: Any) -> Any:
        return ((self.predict(image, kernel, weights).ravel() - target) ** 2).sum() / 2

    def gradients(self, image: Any, target: Any, kernel: Any, weights: Any) -> Any:
        convolved, pooled, weighted = self._forward(image, kernel, weights)
        delta = (self.arctan(weighted) - np.reshape(target, (-1, 1))) * self.arctan_derivative(weighted)
        features_gradient, weights_gradient = self.dense_gradients(self.flat(pooled), weights, delta)
        passed = self.unflat(features_gradient, pooled.shape)
        upstream = self.max_pool_gradient(self.relu(convolved), (2, 2), passed) * self.relu_derivative(convolved)
        return self.conv2d_kernel_gradient(image, kernel, upstream), weights_gradient

    def train_step(self, image: Any, target: Any, kernel: Any, weights: Any, learning_rate: float) -> Any:
        moves = self.gradients(image, target, kernel, weights)
        return kernel - learning_rate * moves[0], weights - learning_rate * moves[1]


class ChannelsLast(Layered):
    """The same whose features are flattened with the channels last."""

    def flat(self, pooled: Any) -> Any:
        return pooled.transpose(0, 2, 3, 1).reshape(len(pooled), -1)

    def unflat(self, features: Any, shape: Any) -> Any:
        images, channels, rows, columns = shape
        return features.reshape(images, rows, columns, channels).transpose(0, 3, 1, 2)


_IMAGES = {"conv2d": (0,), "conv2d_kernel_gradient": (0, 2), "conv2d_image_gradient": (0, 2), "max_pool": (0,)}
_IMAGES |= {"max_pool_gradient": (0, 2), **dict.fromkeys(("predict", "cost", "gradients", "train_step"), (0,))}
_GIVES_IMAGES = ("conv2d", "conv2d_image_gradient", "max_pool", "max_pool_gradient")


class Averaging(Layered):
    """The same whose gradients of parameters are means over the images; a step is along these."""

    def conv2d_kernel_gradient(self, image: Any, kernel: Any, upstream: Any) -> Any:
        return super().conv2d_kernel_gradient(image, kernel, upstream) / len(image)

    def dense_gradients(self, features: Any, weights: Any, upstream: Any) -> Any:
        return upstream @ weights.T, features.T @ upstream / len(features)


class AveragingChannelsLast(Averaging, ChannelsLast):
    """Both."""


def offered(layout: str, network: Layered | None = None, kernels: str = "OIhw", **choices: Any) -> dict[str, Any]:
    """The operations of a network for (N, C, H, W) in another layout, by their names, and `LAYOUT`.

    With `kernels`, those have their axes in the order of these letters, and `KERNEL_LAYOUT` says so.
    """
    made = network or (ChannelsLast if layout == "NHWC" else Layered)(**choices)
    names = [name for name in OPERATIONS if hasattr(made, name)]
    operations = {name: _laid_out(layout, name, getattr(made, name)) for name in names}
    if kernels == "OIhw":
        return {"LAYOUT": layout} | operations
    turned = {name: _with_kernels(kernels, name, function) for name, function in operations.items()}
    return {"LAYOUT": layout, "KERNEL_LAYOUT": kernels} | turned


def averaging(layout: str, **choices: Any) -> dict[str, Any]:
    """The same with gradients that are means, and `GRADIENTS`; where there are no batches they are those of one."""
    made = (AveragingChannelsLast if layout == "NHWC" else Averaging)()
    return {"GRADIENTS": "mean"} | offered(layout, made, **choices)


def _with_kernels(kernels: str, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    places = [one for one, parameter in enumerate(OPERATIONS[name].parameters) if parameter == "kernel"]
    if not places:
        return function

    def answer(*arguments: Any) -> Any:
        own = (
            np.einsum(f"{kernels}->OIhw", value) if number in places else value
            for number, value in enumerate(arguments)
        )
        given = function(*own)
        if name == "conv2d_kernel_gradient":
            return np.einsum(f"OIhw->{kernels}", given)
        return (np.einsum(f"OIhw->{kernels}", given[0]), given[1]) if name in ("gradients", "train_step") else given

    return answer


def _laid_out(layout: str, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    if layout == "NCHW" or name not in _IMAGES:
        return function

    def inward(x: Any) -> Any:
        return np.moveaxis(x, -1, 1) if layout == "NHWC" else x[None]

    def answer(*arguments: Any) -> Any:
        given = function(*(inward(value) if i in _IMAGES[name] else value for i, value in enumerate(arguments)))
        if name not in _GIVES_IMAGES:
            return given
        return np.moveaxis(given, 1, -1) if layout == "NHWC" else given[0]

    return answer


TARGETS: dict[str, dict[str, Any]] = {
    **{f"{layout}, convolution, first of a tie": offered(layout) for layout in LAYOUTS},
    **{
        f"{layout}, cross-correlation, ties shared": offered(layout, flips=False, shares=even, at_zero=0.5)
        for layout in LAYOUTS
    },
    "CHW, kernels (I, O, h, w)": offered("CHW", kernels="IOhw"),
    "NCHW, kernels (h, O, w, I)": offered("NCHW", kernels="hOwI", flips=False),
    "NHWC, kernels (h, w, I, O), as TensorFlow's": offered("NHWC", kernels="hwIO", flips=False, shares=even),
    **{f"{layout}, mean gradients": averaging(layout) for layout in LAYOUTS},
    "NHWC, kernels (h, w, I, O), mean gradients": averaging("NHWC", kernels="hwIO"),
}
