"""The network in DeZero (`dezero.functions`), with its gradients by `backward`, in double precision.

    python -m backproof examples/dezero_network.py --examples 20

- Library: dezero
- Verdict: holds
- Convolution: correlation
- Ties: first
- ReLU'(0): 0
- Precision: float64

DeZero is the framework that Goro Saito's book "Deep Learning from Scratch 3" builds. Images are (N, C, H, W), kernels
(F, C, h, w). Its last release is older than NumPy 1.24, which took away `np.int`: that is put back while it loads.
Beside `pooling` it has `pooling_simple`, made of `max`, which is refuted: it gives every tied maximum all of upstream.
"""

import numpy as np
from backproof.adapters import axes

np.int = int  # noqa: NPY001
import dezero  # noqa: E402
import dezero.functions as library  # noqa: E402

del np.int  # noqa: NPY001


class Arctan(dezero.Function):
    """DeZero has no inverse tangent; this is how it has its others written."""

    def forward(self, x):
        return np.arctan(x)

    def backward(self, upstream):
        (x,) = self.inputs
        return upstream / (1 + x**2)


def gradients_of(function, *inputs, upstream):
    """The gradients of `function(*inputs)` for each of the inputs, weighted by `upstream`."""
    variables = [dezero.Variable(one) for one in inputs]
    output = function(*variables)
    output.grad = dezero.Variable(upstream)
    output.backward()
    return [variable.grad.data for variable in variables]


def derivative(function, x):
    return gradients_of(function, x, upstream=np.ones(x.shape))[0]


def applied_arctan(x):
    return Arctan()(x)


def pooled(images, window):
    return library.pooling(images, window, window)


def network(images, kernels, weights):
    """Images (N, C, H, W), kernels (F, C, h, w) and weights (n, 1) to N predictions."""
    features = library.flatten(pooled(library.relu(library.conv2d(images, kernels)), (2, 2)))
    return applied_arctan(library.matmul(features, weights))


def relu(x):
    return library.relu(x).data


def relu_derivative(x):
    return derivative(library.relu, x)


def arctan(x):
    return applied_arctan(x).data


def arctan_derivative(x):
    return derivative(applied_arctan, x)


def logistic(x):
    return library.sigmoid(x).data


def logistic_derivative(x):
    return derivative(library.sigmoid, x)


def tanh(x):
    return library.tanh(x).data


def tanh_derivative(x):
    return derivative(library.tanh, x)


def conv2d(image, kernel):
    return axes(library.conv2d(axes(image, "HW", "NCHW"), axes(kernel, "hw", "FChw")).data, "NFHW", "HW")


def convolution_gradients(image, kernel, upstream):
    inputs = axes(image, "HW", "NCHW"), axes(kernel, "hw", "FChw")
    return gradients_of(library.conv2d, *inputs, upstream=axes(upstream, "HW", "NFHW"))


def conv2d_image_gradient(image, kernel, upstream):
    return axes(convolution_gradients(image, kernel, upstream)[0], "NCHW", "HW")


def conv2d_kernel_gradient(image, kernel, upstream):
    return axes(convolution_gradients(image, kernel, upstream)[1], "FChw", "hw")


def max_pool(x, window):
    return axes(pooled(axes(x, "HW", "NCHW"), window).data, "NCHW", "HW")


def max_pool_gradient(x, window, upstream):
    inputs = axes(x, "HW", "NCHW"), axes(upstream, "HW", "NCHW")
    return axes(gradients_of(lambda x: pooled(x, window), inputs[0], upstream=inputs[1])[0], "NCHW", "HW")


def dense(features, weights):
    return library.matmul(features, weights).data


def dense_gradients(features, weights, upstream):
    return gradients_of(library.matmul, features, weights, upstream=upstream)


def predict(image, kernel, weights):
    return network(axes(image, "HW", "NCHW"), axes(kernel, "hw", "FChw"), weights).data


def cost(image, target, kernel, weights):
    return (predict(image, kernel, weights) - target) ** 2 / 2


def gradients(image, target, kernel, weights):
    inputs = axes(image, "HW", "NCHW"), axes(kernel, "hw", "FChw"), weights
    residual = predict(image, kernel, weights) - target
    _, of_kernel, of_weights = gradients_of(network, *inputs, upstream=residual)
    return axes(of_kernel, "FChw", "hw"), of_weights


def train_step(image, target, kernel, weights, learning_rate):
    of_kernel, of_weights = gradients(image, target, kernel, weights)
    return kernel - learning_rate * of_kernel, weights - learning_rate * of_weights
