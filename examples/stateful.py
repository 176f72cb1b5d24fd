"""Layers as objects with state, `forward` and `backward`, built anew for each call by `from_layer`.

    python -m backproof examples/stateful.py --examples 20

- Library: numpy
- Verdict: holds
- Convolution: convolution
- Ties: even split
- ReLU'(0): 1
- Precision: float64

The layers add to their gradients, as many classes do, so that a batch may be fed image by image; whoever trains has to
call `reset`. Built anew they are right; what becomes of them in use is in `kept_layers.py`.
"""

import numpy as np
from backproof.adapters import from_layer
from scipy.signal import convolve2d, correlate2d


class Convolution:
    """The true convolution with one kernel (h, w)."""

    def __init__(self, kernel):
        self.kernel = np.array(kernel)
        self.reset()

    def reset(self):
        self.kernel_gradient = np.zeros(self.kernel.shape)

    def forward(self, image):
        self.image = image
        return convolve2d(image, self.kernel, mode="valid")

    def backward(self, upstream):
        turned = convolve2d(self.image, np.rot90(upstream, 2), mode="valid")
        self.kernel_gradient = self.kernel_gradient + np.rot90(turned, 2)
        return correlate2d(upstream, self.kernel, mode="full")


class ReLU:
    """The positive part; its derivative at 0 is 1."""

    def forward(self, x):
        self.passed = x >= 0
        return np.where(self.passed, x, 0.0)

    def backward(self, upstream):
        return upstream * self.passed


class MaxPooling:
    """The maximum of each (p, q) window; maxima that tie share the gradient evenly."""

    def __init__(self, window):
        self.window = window

    def repeated(self, array):
        return array.repeat(self.window[0], axis=0).repeat(self.window[1], axis=1)

    def forward(self, x):
        (rows, columns), (p, q) = x.shape, self.window
        pooled = x.reshape(rows // p, p, columns // q, q).max(axis=(1, 3))
        maximal = x == self.repeated(pooled)
        counts = maximal.reshape(rows // p, p, columns // q, q).sum(axis=(1, 3))
        self.shares = maximal / self.repeated(counts)
        return pooled

    def backward(self, upstream):
        return self.repeated(upstream) * self.shares


class Dense:
    """One row of features times the weights, (n, 1)."""

    def __init__(self, weights):
        self.weights = np.array(weights)
        self.reset()

    def reset(self):
        self.weights_gradient = np.zeros(self.weights.shape)

    def forward(self, features):
        self.features = features
        return features @ self.weights

    def backward(self, upstream):
        self.weights_gradient = self.weights_gradient + self.features.T @ upstream
        return upstream @ self.weights.T


class Arctan:
    """The inverse tangent."""

    def forward(self, x):
        self.cosine = 1 / np.hypot(1.0, x)
        return np.arctan(x)

    def backward(self, upstream):
        return upstream * self.cosine**2


class Flatten:
    """All entries in one row."""

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(1, -1)

    def backward(self, upstream):
        return upstream.reshape(self.shape)


class Network:
    """The layers one after the other; `step` moves the parameters."""

    def __init__(self, kernel, weights):
        self.convolution, self.dense = Convolution(kernel), Dense(weights)
        self.layers = [self.convolution, ReLU(), MaxPooling((2, 2)), Flatten(), self.dense, Arctan()]

    @property
    def gradients(self):
        return self.convolution.kernel_gradient, self.dense.weights_gradient

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, upstream):
        for layer in reversed(self.layers):
            upstream = layer.backward(upstream)
        return upstream

    def step(self, rate):
        self.convolution.kernel -= rate * self.convolution.kernel_gradient
        self.dense.weights -= rate * self.dense.weights_gradient


conv2d, convolution_gradients = from_layer(Convolution, "kernel_gradient")
relu, relu_gradients = from_layer(ReLU)
arctan, arctan_gradients = from_layer(Arctan)
dense, dense_gradients = from_layer(Dense, "weights_gradient")
predict, network_gradients = from_layer(Network, "gradients")


def relu_derivative(x):
    return relu_gradients(x, np.ones(x.shape))[0]


def arctan_derivative(x):
    return arctan_gradients(x, np.ones(x.shape))[0]


def conv2d_image_gradient(image, kernel, upstream):
    return convolution_gradients(image, kernel, upstream)[0]


def conv2d_kernel_gradient(image, kernel, upstream):
    return convolution_gradients(image, kernel, upstream)[1]


def max_pool(x, window):
    return MaxPooling(window).forward(x)


def max_pool_gradient(x, window, upstream):
    layer = MaxPooling(window)
    layer.forward(x)
    return layer.backward(upstream)


def cost(image, target, kernel, weights):
    return (predict(image, kernel, weights) - target) ** 2 / 2


def gradients(image, target, kernel, weights):
    residual = predict(image, kernel, weights) - target
    return network_gradients(image, kernel, weights, residual)[1]


def train_step(image, target, kernel, weights, learning_rate):
    network = Network(kernel, weights)
    network.backward(network.forward(image) - target)
    network.step(learning_rate)
    return network.convolution.kernel, network.dense.weights
