"""The network in JAX (`jax.numpy`, `jax.lax`, `jax.nn`), compiled, with its gradients by `vjp`, in double precision.

    python -m backproof examples/jax_network.py --examples 20

- Library: jax
- Verdict: holds
- Convolution: correlation
- Ties: first
- ReLU'(0): 0
- Precision: float64

Images are (N, H, W, C) and kernels (h, w, C, F), as in TensorFlow. Pooling is `lax.reduce_window`, whose gradient of a
tie goes to the first maximum; `jnp.max` over windows would split it evenly. `jax.nn.relu` has derivative 0 at 0,
`jnp.maximum(x, 0)` 1/2. Each new shape is compiled anew, half a second for the network's gradients, so a few shapes are
declared. Without those three lines it holds too, by `--examples 20 -k "not exact"`, in two minutes.
"""

from functools import partial

import jax
import jax.numpy as jnp
from backproof.adapters import axes
from jax import lax

KERNEL_SHAPES = [(1, 2), (2, 1), (3, 3)]
IMAGE_SHAPES = [(3, 4), (5, 4), (6, 6)]
WINDOW_SHAPES = [(1, 2), (2, 2), (3, 2)]

jax.config.update("jax_enable_x64", True)

relu = jax.jit(jax.nn.relu)
arctan = jax.jit(jnp.arctan)
logistic = jax.jit(jax.nn.sigmoid)


def derivative(function):
    return jax.jit(lambda x: jax.vjp(function, x)[1](jnp.ones_like(x))[0])


relu_derivative = derivative(jax.nn.relu)
arctan_derivative = derivative(jnp.arctan)
logistic_derivative = derivative(jax.nn.sigmoid)


def convolve(images, kernels):
    return lax.conv_general_dilated(images, kernels, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def pool(images, window):
    sides = (1, *window, 1)
    return lax.reduce_window(images, -jnp.inf, lax.max, sides, sides, "VALID")


def network(images, kernel, weights):
    """Images (N, H, W, C), kernels (h, w, C, F) and weights (n, 1) to N predictions."""
    pooled = pool(jax.nn.relu(convolve(images, kernel)), (2, 2))
    return jnp.arctan(pooled.reshape(len(images), -1) @ weights)


def half_squared_error(images, targets, kernel, weights):
    return ((network(images, kernel, weights) - targets) ** 2).sum() / 2


@jax.jit
def convolution_gradients(images, kernels, upstream):
    return jax.vjp(convolve, images, kernels)[1](upstream)


@partial(jax.jit, static_argnums=1)
def pooling_gradient(images, window, upstream):
    return jax.vjp(lambda images: pool(images, window), images)[1](upstream)[0]


@jax.jit
def dense_gradients(features, weights, upstream):
    return jax.vjp(jnp.matmul, features, weights)[1](upstream)


compiled_convolve, compiled_network, dense = jax.jit(convolve), jax.jit(network), jax.jit(jnp.matmul)
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
