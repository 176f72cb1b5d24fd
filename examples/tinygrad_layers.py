"""The network in tinygrad, with its gradients by `Tensor.gradient`, in double precision.

    python -m backproof examples/tinygrad_network.py --examples 10 -k "not exact"

- Library: tinygrad
- Verdict: refuted
- Convolution: correlation
- Ties: even split
- ReLU'(0): 0
- Precision: float64

Images are (N, C, H, W) and kernels (F, C, h, w).
"""

import os

os.environ.setdefault("DEV", "PYTHON")  # the device that needs no compiler

import numpy as np
from backproof.adapters import axes
from tinygrad import Tensor

KERNEL_SHAPES = [(1, 2), (2, 1), (3, 3)]
IMAGE_SHAPES = [(3, 4), (5, 4), (6, 6)]
WINDOW_SHAPES = [(1, 2), (2, 2), (3, 2)]


def tensor(array):
    return Tensor(np.array(array, order="C"))


def applied(function, *inputs):
    return function(*map(tensor, inputs)).numpy()


def gradients_of(function, *inputs, upstream):
    """The gradients of `function(*inputs)` for each of the inputs, weighted by `upstream`."""
    tensors = [tensor(one) for one in inputs]
    return [slope.numpy() for slope in function(*tensors).gradient(*tensors, gradient=tensor(upstream))]


def activation(function):
    """The function, and its derivative."""
    return (
        lambda x: applied(function, x),
        lambda x: gradients_of(function, x, upstream=np.ones(x.shape))[0],
    )


relu, relu_derivative = activation(Tensor.relu)
arctan, arctan_derivative = activation(Tensor.atan)
logistic, logistic_derivative = activation(Tensor.sigmoid)


def conv2d(image, kernel):
    return axes(applied(Tensor.conv2d, axes(image, "HW", "NCHW"), axes(kernel, "hw", "FChw")), "NFHW", "HW")


def convolution_gradients(image, kernel, upstream):
    inputs = axes(image, "HW", "NCHW"), axes(kernel, "hw", "FChw")
    return gradients_of(Tensor.conv2d, *inputs, upstream=axes(upstream, "HW", "NFHW"))


def conv2d_image_gradient(image, kernel, upstream):
    return axes(convolution_gradients(image, kernel, upstream)[0], "NCHW", "HW")


def conv2d_kernel_gradient(image, kernel, upstream):
    return axes(convolution_gradients(image, kernel, upstream)[1], "FChw", "hw")


def max_pool(x, window):
    return axes(applied(lambda x: x.max_pool2d(window), axes(x, "HW", "NCHW")), "NCHW", "HW")


def max_pool_gradient(x, window, upstream):
    inputs = axes(x, "HW", "NCHW"), axes(upstream, "HW", "NCHW")
    (slope,) = gradients_of(lambda x: x.max_pool2d(window), inputs[0], upstream=inputs[1])
    return axes(slope, "NCHW", "HW")


def dense(features, weights):
    return applied(Tensor.matmul, features, weights)


def dense_gradients(features, weights, upstream):
    return gradients_of(Tensor.matmul, features, weights, upstream=upstream)
