"""The network in numpy-ml (`numpy_ml.neural_nets`), layers as classes that keep what `backward` needs.

    python -m backproof examples/numpy_ml_network.py --examples 20 -k "not exact"

- Library: numpy-ml
- Verdict: holds
- Convolution: correlation
- Ties: first
- ReLU'(0): 0
- Precision: float64

Images are (N, H, W, C) and kernels (h, w, C, F). A stride is one number, so pooling windows are square. An activation
that is called makes a row (1, n) of an array (n,); its `fn` does not. The last release is older than Python 3.10, which
took `Hashable` out of `collections`: that is put back while it loads.
"""

import collections
import collections.abc
import warnings

import numpy as np
from backproof.adapters import axes, from_layer

WINDOW_SHAPES = "square"

collections.Hashable = collections.abc.Hashable
with warnings.catch_warnings(action="ignore"):  # that gym, which only reinforcement learning needs, is not installed
    from numpy_ml.neural_nets import activations, layers
del collections.Hashable


def with_parameter(layer, weights):
    """The layer with these weights and no bias, which it gets at its first use otherwise."""
    bias = np.zeros((1,) * (weights.ndim - 1) + weights.shape[-1:])
    layer.parameters, layer.is_initialized = {"W": weights, "b": bias}, True
    layer.gradients = {name: np.zeros(array.shape) for name, array in layer.parameters.items()}
    layer.derived_variables = {"Z": [], "out_rows": [], "out_cols": []}
    return layer


class Arctan(activations.ActivationBase):
    """numpy-ml has no inverse tangent; this is how it has its others written."""

    def fn(self, z):
        return np.arctan(z)

    def grad(self, x):
        with np.errstate(over="ignore"):  # the square of a large x: the slope is 0 there
            return 1 / (1 + x**2)


class Network:
    """All layers, of kernels (h, w, C, F) and weights (n, 1)."""

    def __init__(self, kernels, weights):
        self.convolution = convolution(kernels, activations.ReLU())
        self.pooling = pooling((2, 2))
        self.dense = with_parameter(layers.FullyConnected(1, Arctan()), weights)
        self.layers = [self.convolution, self.pooling, layers.Flatten(), self.dense]

    @property
    def gradients(self):
        return self.convolution.gradients["W"], self.dense.gradients["W"]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, upstream):
        for layer in reversed(self.layers):
            upstream = layer.backward(upstream)
        return upstream


def convolution(kernels, activation=None):
    return with_parameter(layers.Conv2D(kernels.shape[3], kernels.shape[:2], act_fn=activation), kernels)


def pooling(window):
    return layers.Pool2D(window, window[0])


def affine(weights):
    return with_parameter(layers.FullyConnected(1), weights)


relu, relu_derivative = activations.ReLU().fn, activations.ReLU().grad
arctan, arctan_derivative = Arctan().fn, Arctan().grad
logistic, logistic_derivative = activations.Sigmoid().fn, activations.Sigmoid().grad
tanh, tanh_derivative = activations.Tanh().fn, activations.Tanh().grad
convolve, convolve_gradients = from_layer(convolution, "gradients")
pool, pool_gradients = from_layer(pooling)
dense, affine_gradients = from_layer(affine, "gradients")
network, network_gradients = from_layer(Network, "gradients")


def conv2d(image, kernel):
    return axes(convolve(axes(image, "HW", "NHWC"), axes(kernel, "hw", "hwCF")), "NHWF", "HW")


def conv2d_image_gradient(image, kernel, upstream):
    inputs = axes(image, "HW", "NHWC"), axes(kernel, "hw", "hwCF"), axes(upstream, "HW", "NHWF")
    return axes(convolve_gradients(*inputs)[0], "NHWC", "HW")


def conv2d_kernel_gradient(image, kernel, upstream):
    inputs = axes(image, "HW", "NHWC"), axes(kernel, "hw", "hwCF"), axes(upstream, "HW", "NHWF")
    return axes(convolve_gradients(*inputs)[1]["W"], "hwCF", "hw")


def max_pool(x, window):
    return axes(pool(axes(x, "HW", "NHWC"), window), "NHWC", "HW")


def max_pool_gradient(x, window, upstream):
    (gradient,) = pool_gradients(axes(x, "HW", "NHWC"), window, axes(upstream, "HW", "NHWC"))
    return axes(gradient, "NHWC", "HW")


def dense_gradients(features, weights, upstream):
    of_features, of_parameters = affine_gradients(features, weights, upstream)
    return of_features, of_parameters["W"]


def predict(image, kernel, weights):
    return network(axes(image, "HW", "NHWC"), axes(kernel, "hw", "hwCF"), weights)


def cost(image, target, kernel, weights):
    return (predict(image, kernel, weights) - target) ** 2 / 2


def gradients(image, target, kernel, weights):
    residual = predict(image, kernel, weights) - target
    inputs = axes(image, "HW", "NHWC"), axes(kernel, "hw", "hwCF"), weights
    _, (of_kernel, of_weights) = network_gradients(*inputs, residual)
    return axes(of_kernel, "hwCF", "hw"), of_weights


def train_step(image, target, kernel, weights, learning_rate):
    of_kernel, of_weights = gradients(image, target, kernel, weights)
    return kernel - learning_rate * of_kernel, weights - learning_rate * of_weights
