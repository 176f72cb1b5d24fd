"""Layers in the manner of Stanford's CS231n: `out, cache = conv_forward(x, w)`, `dx, dw = conv_backward(dout, cache)`.

    python -m backproof examples/cs231n.py --examples 20

- Library: numpy
- Verdict: holds
- Convolution: correlation
- Ties: first
- ReLU'(0): 0
- Precision: float64

Images are (N, C, H, W) and kernels (F, C, h, w). The functions from `conv_forward` to `network_backward` are what a
student hands in; what follows them is all that it takes to check them: `from_pair` for the caches, `axes` for the
batch and the channel.
"""

import numpy as np
from backproof.adapters import axes, from_pair


def conv_forward(x, w):
    """(N, C, H, W) and (F, C, h, w) to (N, F, H−h+1, W−w+1)."""
    patches = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.einsum("nchwij,fcij->nfhw", patches, w), (x, w, patches)


def conv_backward(dout, cache):
    x, w, patches = cache
    dx = np.zeros(x.shape)
    for i, j in np.ndindex(dout.shape[2:]):
        dx[:, :, i : i + w.shape[2], j : j + w.shape[3]] += np.einsum("nf,fcij->ncij", dout[:, :, i, j], w)
    return dx, np.einsum("nchwij,nfhw->fcij", patches, dout)


def relu_forward(x):
    return np.maximum(x, 0), x


def relu_backward(dout, x):
    return dout * (x > 0)


def max_pool_forward(x, window):
    """(N, C, H, W) to (N, C, H/p, W/q); the cache has the index of each window's first maximum."""
    count, channels, rows, columns = x.shape
    p, q = window
    windows = x.reshape(count, channels, rows // p, p, columns // q, q).swapaxes(3, 4)
    windows = windows.reshape(*windows.shape[:4], p * q)
    return windows.max(axis=4), (x.shape, window, windows.argmax(axis=4))


def max_pool_backward(dout, cache):
    shape, (p, q), winners = cache
    windows = np.zeros((*dout.shape, p * q))
    np.put_along_axis(windows, winners[..., None], dout[..., None], axis=4)
    return windows.reshape(*dout.shape, p, q).swapaxes(3, 4).reshape(shape)


def affine_forward(x, w):
    """(N, …) and (n, 1) to (N, 1)."""
    return x.reshape(len(x), -1) @ w, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout


def arctan_forward(x):
    return np.arctan(x), x


def arctan_backward(dout, x):
    with np.errstate(over="ignore"):  # the square of a large x: the slope is 0 there
        return dout / (1 + x**2)


def network_forward(x, w1, w2):
    out, conv_cache = conv_forward(x, w1)
    out, relu_cache = relu_forward(out)
    out, pool_cache = max_pool_forward(out, (2, 2))
    out, affine_cache = affine_forward(out, w2)
    out, arctan_cache = arctan_forward(out)
    return out, (conv_cache, relu_cache, pool_cache, affine_cache, arctan_cache)


def network_backward(dout, cache):
    conv_cache, relu_cache, pool_cache, affine_cache, arctan_cache = cache
    dout, dw2 = affine_backward(arctan_backward(dout, arctan_cache), affine_cache)
    dx, dw1 = conv_backward(relu_backward(max_pool_backward(dout, pool_cache), relu_cache), conv_cache)
    return dx, dw1, dw2


relu, relu_gradients = from_pair(relu_forward, relu_backward)
arctan, arctan_gradients = from_pair(arctan_forward, arctan_backward)
convolve, convolve_gradients = from_pair(conv_forward, conv_backward)
dense, dense_gradients = from_pair(affine_forward, affine_backward)
network, network_gradients = from_pair(network_forward, network_backward)


def relu_derivative(x):
    return relu_gradients(x, np.ones(x.shape))[0]


def arctan_derivative(x):
    return arctan_gradients(x, np.ones(x.shape))[0]


def conv2d(image, kernel):
    return axes(convolve(axes(image, "HW", "NCHW"), axes(kernel, "hw", "FChw")), "NFHW", "HW")


def conv2d_image_gradient(image, kernel, upstream):
    inputs = axes(image, "HW", "NCHW"), axes(kernel, "hw", "FChw"), axes(upstream, "HW", "NFHW")
    return axes(convolve_gradients(*inputs)[0], "NCHW", "HW")


def conv2d_kernel_gradient(image, kernel, upstream):
    inputs = axes(image, "HW", "NCHW"), axes(kernel, "hw", "FChw"), axes(upstream, "HW", "NFHW")
    return axes(convolve_gradients(*inputs)[1], "FChw", "hw")


def max_pool(x, window):
    return axes(max_pool_forward(axes(x, "HW", "NCHW"), window)[0], "NCHW", "HW")


def max_pool_gradient(x, window, upstream):
    cache = max_pool_forward(axes(x, "HW", "NCHW"), window)[1]
    return axes(max_pool_backward(axes(upstream, "HW", "NCHW"), cache), "NCHW", "HW")


def predict(image, kernel, weights):
    return network(axes(image, "HW", "NCHW"), axes(kernel, "hw", "FChw"), weights)


def cost(image, target, kernel, weights):
    return (predict(image, kernel, weights) - target) ** 2 / 2


def gradients(image, target, kernel, weights):
    residual = predict(image, kernel, weights) - target
    inputs = axes(image, "HW", "NCHW"), axes(kernel, "hw", "FChw"), weights
    _, of_kernel, of_weights = network_gradients(*inputs, residual)
    return axes(of_kernel, "FChw", "hw"), of_weights


def train_step(image, target, kernel, weights, learning_rate):
    of_kernel, of_weights = gradients(image, target, kernel, weights)
    return kernel - learning_rate * of_kernel, weights - learning_rate * of_weights
