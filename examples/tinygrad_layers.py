"""Layers of tinygrad, with their gradients by `Tensor.gradient`, in double precision.

    python -m backproof examples/tinygrad_layers.py --examples 5 -k "not exact and not calls"

- Library: tinygrad
- Verdict: refuted
- Refuted: activations.smooth_derivative_is_the_complex_step[arctan_derivative]
- Convolution: correlation
- Ties: even split
- ReLU'(0): 0
- Precision: float64

Images are (N, C, H, W) and kernels (F, C, h, w). In tinygrad 0.14.0 the derivative of `atan` is 0 at 0 and not 1, as it
is the sign of x times a function of |x|, and both have derivative 0 there. A polynomial for single precision is in it:
`atan(1)` is off by 1e-8, and for x² beyond the largest number it is 0. So arctan itself and the network are left out.

It needs `pip install tinygrad`, which compiles with Clang; its device PYTHON needs no compiler but time, so that a few
shapes are declared.
"""

import os

os.environ.setdefault("DEV", "PYTHON")

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


def slopes(function, *inputs, upstream):
    """The gradients of `function(*inputs)` for each of the inputs, weighted by `upstream`."""
    tensors = [tensor(one) for one in inputs]
    return [slope.numpy() for slope in function(*tensors).gradient(*tensors, gradient=tensor(upstream))]


def derivative(function, x):
    """Of x as a vector, since what has no axis is computed on another device."""
    return slopes(function, x.ravel(), upstream=np.ones(x.size))[0].reshape(x.shape)


def relu(x):
    return applied(Tensor.relu, x.ravel()).reshape(x.shape)


def relu_derivative(x):
    return derivative(Tensor.relu, x)


def logistic(x):
    return applied(Tensor.sigmoid, x.ravel()).reshape(x.shape)


def logistic_derivative(x):
    return derivative(Tensor.sigmoid, x)


def arctan_derivative(x):
    return derivative(Tensor.atan, x)


def conv2d(image, kernel):
    return axes(applied(Tensor.conv2d, axes(image, "HW", "NCHW"), axes(kernel, "hw", "FChw")), "NFHW", "HW")


def convolution_slopes(image, kernel, upstream):
    inputs = axes(image, "HW", "NCHW"), axes(kernel, "hw", "FChw")
    return slopes(Tensor.conv2d, *inputs, upstream=axes(upstream, "HW", "NFHW"))


def conv2d_image_gradient(image, kernel, upstream):
    return axes(convolution_slopes(image, kernel, upstream)[0], "NCHW", "HW")


def conv2d_kernel_gradient(image, kernel, upstream):
    return axes(convolution_slopes(image, kernel, upstream)[1], "FChw", "hw")


def max_pool(x, window):
    return axes(applied(lambda x: x.max_pool2d(window), axes(x, "HW", "NCHW")), "NCHW", "HW")


def max_pool_gradient(x, window, upstream):
    inputs = axes(x, "HW", "NCHW"), axes(upstream, "HW", "NCHW")
    (slope,) = slopes(lambda x: x.max_pool2d(window), inputs[0], upstream=inputs[1])
    return axes(slope, "NCHW", "HW")


def dense(features, weights):
    return applied(Tensor.matmul, features, weights)


def dense_gradients(features, weights, upstream):
    return slopes(Tensor.matmul, features, weights, upstream=upstream)
