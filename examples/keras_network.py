"""The network in Keras (`keras.ops`) on JAX, compiled, with its gradients by JAX, in single precision.

    python -m backproof examples/keras_network.py --examples 10 -k "not exact"

- Library: keras
- Verdict: refuted
- Refuted: activations.relu_is_the_positive_part
- Refuted: activations.relu_parts_its_argument
- Refuted: activations.relu_derivative_is_the_step
- Convolution: correlation
- Ties: first
- ReLU'(0): 0
- Precision: float32

It needs `pip install keras` and JAX. Keras has no gradients of its own but its backend's: TensorFlow's, PyTorch's or
JAX's. NumPy, its lightest backend, has none, and `fit` raises `NotImplementedError` there. Images are (N, H, W, C) and
kernels (h, w, C, F).

What is refuted is XLA, which takes subnormal numbers for 0: `relu(1e-45)` is 0, and so is its derivative there. The
precision is single because that is what `ops.arctan` and `ops.tanh` of Keras 3.15.1 give on JAX for double, with
`set_floatx("float64")` too. Its `ops.max_pool` without strides is a `TypeError` on JAX, so the window is given twice.
"""

import os
from functools import partial

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
from backproof.adapters import axes
from keras import ops

DTYPE = "float32"
KERNEL_SHAPES = [(1, 2), (2, 1), (3, 3)]
IMAGE_SHAPES = [(3, 4), (5, 4), (6, 6)]
WINDOW_SHAPES = [(1, 2), (2, 2), (3, 2)]


def activation(function):
    """The function, and its derivative."""
    return jax.jit(function), jax.jit(lambda x: jax.vjp(function, x)[1](jnp.ones_like(x))[0])


def convolve(images, kernels):
    return ops.conv(images, kernels)


def pool(images, window):
    return ops.max_pool(images, window, window)


def network(images, kernels, weights):
    """Images (N, H, W, C), kernels (h, w, C, F) and weights (n, 1) to N predictions."""
    pooled = pool(ops.relu(convolve(images, kernels)), (2, 2))
    return ops.arctan(ops.matmul(ops.reshape(pooled, (len(images), -1)), weights))


def half_squared_error(images, target, kernels, weights):
    return ops.sum((network(images, kernels, weights) - target) ** 2) / 2


@jax.jit
def convolution_gradients(images, kernels, upstream):
    return jax.vjp(convolve, images, kernels)[1](upstream)


@partial(jax.jit, static_argnums=1)
def pooling_gradient(images, window, upstream):
    return jax.vjp(lambda images: pool(images, window), images)[1](upstream)[0]


@jax.jit
def dense_gradients(features, weights, upstream):
    return jax.vjp(ops.matmul, features, weights)[1](upstream)


relu, relu_derivative = activation(ops.relu)
arctan, arctan_derivative = activation(ops.arctan)
logistic, logistic_derivative = activation(ops.sigmoid)
compiled_convolve, compiled_network, dense = jax.jit(convolve), jax.jit(network), jax.jit(ops.matmul)
compiled_pool = jax.jit(pool, static_argnums=1)
cost_and_gradients = jax.jit(jax.value_and_grad(half_squared_error, argnums=(2, 3)))


def conv2d(image, kernel):
    return axes(compiled_convolve(axes(image, "HW", "NHWC"), axes(kernel, "hw", "hwCF")), "NHWF", "HW")


def conv2d_image_gradient(image, kernel, upstream):
    inputs = axes(image, "HW", "NHWC"), axes(kernel, "hw", "hwCF"), axes(upstream, "HW", "NHWF")
    return axes(convolution_gradients(*inputs)[0], "NHWC", "HW")


def conv2d_kernel_gradient(image, kernel, upstream):
    inputs = axes(image, "HW", "NHWC"), axes(kernel, "hw", "hwCF"), axes(upstream, "HW", "NHWF")
    return axes(convolution_gradients(*inputs)[1], "hwCF", "hw")


def max_pool(x, window):
    return axes(compiled_pool(axes(x, "HW", "NHWC"), window), "NHWC", "HW")


def max_pool_gradient(x, window, upstream):
    return axes(pooling_gradient(axes(x, "HW", "NHWC"), window, axes(upstream, "HW", "NHWC")), "NHWC", "HW")


def predict(image, kernel, weights):
    return compiled_network(axes(image, "HW", "NHWC"), axes(kernel, "hw", "hwCF"), weights)


def cost(image, target, kernel, weights):
    return cost_and_gradients(axes(image, "HW", "NHWC"), target, axes(kernel, "hw", "hwCF"), weights)[0]


def gradients(image, target, kernel, weights):
    point = axes(image, "HW", "NHWC"), target, axes(kernel, "hw", "hwCF"), weights
    _, (of_kernel, of_weights) = cost_and_gradients(*point)
    return axes(of_kernel, "hwCF", "hw"), of_weights


def train_step(image, target, kernel, weights, learning_rate):
    of_kernel, of_weights = gradients(image, target, kernel, weights)
    return kernel - learning_rate * of_kernel, weights - learning_rate * of_weights
