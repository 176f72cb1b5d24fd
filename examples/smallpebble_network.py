"""The network in SmallPebble, with its gradients by `get_gradients`, in double precision.

    python -m backproof examples/smallpebble_network.py --examples 20

- Library: smallpebble
- Verdict: holds
- Convolution: correlation
- Ties: first
- ReLU'(0): 0
- Precision: float64

Images are (N, H, W, C) and kernels (h, w, C, F), as in TensorFlow. SmallPebble has no ReLU but the leaky one, whose
slope below 0 is its caller's, and no inverse tangent: a `Variable` that knows its slope is one.
"""

import numpy as np
import smallpebble
from backproof.adapters import axes
from smallpebble import Variable


def gradients_of(function, *inputs, upstream):
    """The gradients of `function(*inputs)` for each of the inputs, weighted by `upstream`."""
    variables = [Variable(one) for one in inputs]
    weighted = smallpebble.mul(function(*variables), Variable(upstream))
    found = smallpebble.get_gradients(smallpebble.sum(weighted))
    return [found[variable] for variable in variables]


def derivative(function, x):
    return gradients_of(function, x, upstream=np.ones(x.shape))[0]


def applied_relu(x):
    return smallpebble.leaky_relu(x, 0.0)


def applied_arctan(x):
    def times_slope(upstream):
        with np.errstate(over="ignore"):  # the square of a large x: the slope is 0 there
            return upstream / (1 + x.array**2)

    return Variable(np.arctan(x.array), [(x, times_slope)])


def convolved(images, kernels):
    return smallpebble.conv2d(images, kernels, "VALID")


def pooled(images, window):
    return smallpebble.maxpool2d(images, *window, "VALID", window)


def network(images, kernels, weights):
    """Images (N, H, W, C), kernels (h, w, C, F) and weights (n, 1) to N predictions."""
    maxima = pooled(applied_relu(convolved(images, kernels)), (2, 2))
    return applied_arctan(smallpebble.matmul(smallpebble.reshape(maxima, (len(images.array), -1)), weights))


def relu(x):
    return applied_relu(Variable(x)).array


def relu_derivative(x):
    return derivative(applied_relu, x)


def conv2d(image, kernel):
    inputs = axes(image, "HW", "NHWC"), axes(kernel, "hw", "hwCF")
    return axes(convolved(*map(Variable, inputs)).array, "NHWF", "HW")


def convolution_gradients(image, kernel, upstream):
    inputs = axes(image, "HW", "NHWC"), axes(kernel, "hw", "hwCF")
    return gradients_of(convolved, *inputs, upstream=axes(upstream, "HW", "NHWF"))


def conv2d_image_gradient(image, kernel, upstream):
    return axes(convolution_gradients(image, kernel, upstream)[0], "NHWC", "HW")


def conv2d_kernel_gradient(image, kernel, upstream):
    return axes(convolution_gradients(image, kernel, upstream)[1], "hwCF", "hw")


def max_pool(x, window):
    return axes(pooled(Variable(axes(x, "HW", "NHWC")), window).array, "NHWC", "HW")


def max_pool_gradient(x, window, upstream):
    inputs = axes(x, "HW", "NHWC"), axes(upstream, "HW", "NHWC")
    return axes(gradients_of(lambda x: pooled(x, window), inputs[0], upstream=inputs[1])[0], "NHWC", "HW")


def dense(features, weights):
    return smallpebble.matmul(Variable(features), Variable(weights)).array


def dense_gradients(features, weights, upstream):
    return gradients_of(smallpebble.matmul, features, weights, upstream=upstream)


def predict(image, kernel, weights):
    inputs = axes(image, "HW", "NHWC"), axes(kernel, "hw", "hwCF"), weights
    return network(*map(Variable, inputs)).array


def cost(image, target, kernel, weights):
    return (predict(image, kernel, weights) - target) ** 2 / 2


def gradients(image, target, kernel, weights):
    inputs = axes(image, "HW", "NHWC"), axes(kernel, "hw", "hwCF"), weights
    residual = predict(image, kernel, weights) - target
    _, of_kernel, of_weights = gradients_of(network, *inputs, upstream=residual)
    return axes(of_kernel, "hwCF", "hw"), of_weights


def train_step(image, target, kernel, weights, learning_rate):
    of_kernel, of_weights = gradients(image, target, kernel, weights)
    return kernel - learning_rate * of_kernel, weights - learning_rate * of_weights
