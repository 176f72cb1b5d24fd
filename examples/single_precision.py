"""A network in single precision, which says so: `DTYPE = "float32"` scales every bound to it.

    python -m backproof examples/single_precision.py --examples 20

- Library: numpy
- Verdict: holds
- Convolution: correlation
- Ties: first
- ReLU'(0): 0
- Precision: float32

Without that line it is refuted: an error of 1e-8 in a gradient is an error, unless it is all that the numbers hold.
Integers and short dyadic numbers hide it, so the suite also draws numbers that single precision does not hold.
"""

import numpy as np

DTYPE = "float32"


def single(function):
    """The function on arguments rounded to single precision; what is too large or small for it goes quietly."""

    def rounded(value):
        return value.astype(np.float32) if isinstance(value, np.ndarray) else value

    def applied(*arguments):
        with np.errstate(over="ignore", under="ignore"):
            return function(*map(rounded, arguments))

    return applied


@single
def relu(x):
    return np.maximum(x, 0)


@single
def relu_derivative(x):
    return np.heaviside(x, 0)


arctan = single(np.arctan)


@single
def arctan_derivative(x):
    return 1 / (1 + x**2)


def columns(image, shape):
    """The patches of this shape, one a row: (outputs, h·w)."""
    return np.lib.stride_tricks.sliding_window_view(image, shape).reshape(-1, shape[0] * shape[1])


@single
def conv2d(image, kernel):
    output = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    return (columns(image, kernel.shape) @ kernel.ravel()).reshape(output)


@single
def conv2d_kernel_gradient(image, kernel, upstream):
    return (upstream.ravel() @ columns(image, kernel.shape)).reshape(kernel.shape)


@single
def conv2d_image_gradient(image, kernel, upstream):
    padded = np.pad(upstream, [(side - 1,) * 2 for side in kernel.shape])
    return (columns(padded, kernel.shape) @ kernel[::-1, ::-1].ravel()).reshape(image.shape)


def windows(x, window):
    """The entries of each window in one row: (windows, p·q)."""
    (rows, columns), (p, q) = x.shape, window
    return x.reshape(rows // p, p, columns // q, q).swapaxes(1, 2).reshape(-1, p * q)


@single
def max_pool(x, window):
    return windows(x, window).max(axis=1).reshape(x.shape[0] // window[0], -1)


@single
def max_pool_gradient(x, window, upstream):
    rows = windows(x, window)
    scattered = np.zeros_like(rows)
    np.put_along_axis(scattered, rows.argmax(axis=1)[:, None], upstream.reshape(-1, 1), axis=1)
    return scattered.reshape(*upstream.shape, *window).swapaxes(1, 2).reshape(x.shape)


dense = single(np.matmul)


@single
def dense_gradients(features, weights, upstream):
    return upstream @ weights.T, features.T @ upstream


def forward(image, kernel, weights):
    """Every stage: convolved, the features in one row, the weighted sum (1, 1)."""
    convolved = conv2d(image, kernel)
    features = max_pool(relu(convolved), (2, 2)).reshape(1, -1)
    return convolved, features, dense(features, weights)


@single
def predict(image, kernel, weights):
    return arctan(forward(image, kernel, weights)[2])


@single
def cost(image, target, kernel, weights):
    return (predict(image, kernel, weights) - np.float32(target)) ** 2 / 2


@single
def gradients(image, target, kernel, weights):
    convolved, features, weighted = forward(image, kernel, weights)
    delta = (arctan(weighted) - np.float32(target)) * arctan_derivative(weighted)
    of_features, of_weights = dense_gradients(features, weights, delta)
    upstream = of_features.reshape(convolved.shape[0] // 2, -1)
    passed = max_pool_gradient(relu(convolved), (2, 2), upstream) * relu_derivative(convolved)
    return conv2d_kernel_gradient(image, kernel, passed), of_weights


@single
def train_step(image, target, kernel, weights, learning_rate):
    of_kernel, of_weights = gradients(image, target, kernel, weights)
    return kernel - np.float32(learning_rate) * of_kernel, weights - np.float32(learning_rate) * of_weights
