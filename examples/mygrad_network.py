"""The network in MyGrad (`mygrad.nnet`), with its gradients by `backward`, in double precision.

    python -m backproof examples/mygrad_network.py --examples 20

- Library: mygrad
- Verdict: holds
- Convolution: correlation
- Ties: first
- ReLU'(0): 0
- Precision: float64

Images are (N, C, H, W) and kernels (F, C, h, w).
"""

import mygrad
import numpy as np
from backproof.adapters import axes
from mygrad import nnet


def gradients_of(function, *inputs, upstream):
    """The gradients of `function(*inputs)` for each of the inputs, weighted by `upstream`."""
    tensors = [mygrad.tensor(one) for one in inputs]
    function(*tensors).backward(upstream)
    return [tensor.grad for tensor in tensors]


def derivative(function, x):
    return gradients_of(function, x, upstream=np.ones(x.shape))[0]


def convolved(images, kernels):
    return nnet.conv_nd(images, kernels, stride=1)


def pooled(images, window):
    return nnet.max_pool(images, window, window)


def network(images, kernels, weights):
    """Images (N, C, H, W), kernels (F, C, h, w) and weights (n, 1) to N predictions."""
    features = pooled(nnet.relu(convolved(images, kernels)), (2, 2)).reshape(len(images), -1)
    return mygrad.arctan(features @ weights)


def relu(x):
    return nnet.relu(mygrad.tensor(x)).data


def relu_derivative(x):
    return derivative(nnet.relu, x)


def arctan(x):
    return mygrad.arctan(x).data


def arctan_derivative(x):
    return derivative(mygrad.arctan, x)


def logistic(x):
    return nnet.sigmoid(mygrad.tensor(x)).data


def logistic_derivative(x):
    return derivative(nnet.sigmoid, x)


def tanh(x):
    return mygrad.tanh(x).data


def tanh_derivative(x):
    return derivative(mygrad.tanh, x)


def conv2d(image, kernel):
    inputs = axes(image, "HW", "NCHW"), axes(kernel, "hw", "FChw")
    return axes(convolved(*map(mygrad.tensor, inputs)).data, "NFHW", "HW")


def convolution_gradients(image, kernel, upstream):
    inputs = axes(image, "HW", "NCHW"), axes(kernel, "hw", "FChw")
    return gradients_of(convolved, *inputs, upstream=axes(upstream, "HW", "NFHW"))


def conv2d_image_gradient(image, kernel, upstream):
    return axes(convolution_gradients(image, kernel, upstream)[0], "NCHW", "HW")


def conv2d_kernel_gradient(image, kernel, upstream):
    return axes(convolution_gradients(image, kernel, upstream)[1], "FChw", "hw")


def max_pool(x, window):
    return pooled(mygrad.tensor(x), window).data


def max_pool_gradient(x, window, upstream):
    return gradients_of(lambda x: pooled(x, window), x, upstream=upstream)[0]


def dense(features, weights):
    return mygrad.matmul(features, weights).data


def dense_gradients(features, weights, upstream):
    return gradients_of(mygrad.matmul, features, weights, upstream=upstream)


def predict(image, kernel, weights):
    inputs = axes(image, "HW", "NCHW"), axes(kernel, "hw", "FChw"), weights
    return network(*map(mygrad.tensor, inputs)).data


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
