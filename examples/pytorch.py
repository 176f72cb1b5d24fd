"""The network in PyTorch's functions (`torch.nn.functional`), with its gradients by autograd, in double precision.

    python -m properties examples/pytorch.py

- Library: torch
- Verdict: holds
- Convolution: correlation
- Ties: first
- ReLU'(0): 0
- Precision: float64

What PyTorch calls convolution is the cross-correlation. `max_pool2d` sends the gradient of a tie to the first maximum,
row by row (`amax` would split it evenly). The functions are written for batches of several channels, (N, C, H, W);
`axes` puts the two axes on that the contract does not have.
"""

import torch
from torch.nn import functional

from properties.adapters import axes

torch.set_num_threads(1)  # the arrays are small: threads would cost more than they save


def tensor(array, given="x", wanted="x"):
    """The array as a tensor of its own, since PyTorch has none that is read-only."""
    return torch.tensor(array if given == wanted else axes(array, given, wanted))


def gradients_of(function, *inputs, upstream=None):
    """The gradients of `function(*inputs)` for each of the inputs, weighted by `upstream`."""
    for one in inputs:
        one.requires_grad_()
    return [slope.numpy() for slope in torch.autograd.grad(function(*inputs), inputs, upstream)]


def derivative(function, x):
    x = tensor(x)
    (slope,) = gradients_of(function, x, upstream=torch.ones_like(x))
    return slope


def relu(x):
    return functional.relu(tensor(x)).numpy()


def relu_derivative(x):
    return derivative(functional.relu, x)


def arctan(x):
    return torch.atan(tensor(x)).numpy()


def arctan_derivative(x):
    return derivative(torch.atan, x)


def logistic(x):
    return torch.sigmoid(tensor(x)).numpy()


def logistic_derivative(x):
    return derivative(torch.sigmoid, x)


def conv2d(image, kernel):
    output = functional.conv2d(tensor(image, "HW", "NCHW"), tensor(kernel, "hw", "FChw"))
    return axes(output, "NFHW", "HW")


def convolution_gradients(image, kernel, upstream):
    inputs = tensor(image, "HW", "NCHW"), tensor(kernel, "hw", "FChw")
    return gradients_of(functional.conv2d, *inputs, upstream=tensor(upstream, "HW", "NFHW"))


def conv2d_image_gradient(image, kernel, upstream):
    return axes(convolution_gradients(image, kernel, upstream)[0], "NCHW", "HW")


def conv2d_kernel_gradient(image, kernel, upstream):
    return axes(convolution_gradients(image, kernel, upstream)[1], "FChw", "hw")


def max_pool(x, window):
    return axes(functional.max_pool2d(tensor(x, "HW", "NCHW"), window), "NCHW", "HW")


def max_pool_gradient(x, window, upstream):
    def pool(x):
        return functional.max_pool2d(x, window)

    (slope,) = gradients_of(pool, tensor(x, "HW", "NCHW"), upstream=tensor(upstream, "HW", "NCHW"))
    return axes(slope, "NCHW", "HW")


def apply_dense(features, weights):
    return functional.linear(features, weights.T)


def dense(features, weights):
    return apply_dense(tensor(features), tensor(weights)).numpy()


def dense_gradients(features, weights, upstream):
    return gradients_of(apply_dense, tensor(features), tensor(weights), upstream=tensor(upstream))


def network(image, kernel, weights):
    """Images (N, C, H, W), kernels (F, C, h, w) and weights (n, 1) to N predictions."""
    pooled = functional.max_pool2d(functional.relu(functional.conv2d(image, kernel)), 2)
    return torch.atan(apply_dense(pooled.flatten(1), weights))


def squared_error(prediction, target):
    return ((prediction - target) ** 2).sum() / 2


def predict(image, kernel, weights):
    return network(tensor(image, "HW", "NCHW"), tensor(kernel, "hw", "FChw"), tensor(weights)).numpy()


def cost(image, target, kernel, weights):
    return squared_error(predict(image, kernel, weights), target)


def gradients(image, target, kernel, weights):
    def cost(kernel, weights):
        return squared_error(network(tensor(image, "HW", "NCHW"), kernel, weights), target)

    of_kernel, of_weights = gradients_of(cost, tensor(kernel, "hw", "FChw"), tensor(weights))
    return axes(of_kernel, "FChw", "hw"), of_weights


def train_step(image, target, kernel, weights, learning_rate):
    parameters = [torch.nn.Parameter(one) for one in (tensor(kernel, "hw", "FChw"), tensor(weights))]
    squared_error(network(tensor(image, "HW", "NCHW"), *parameters), target).backward()
    torch.optim.SGD(parameters, lr=learning_rate).step()
    kernel, weights = (one.detach().numpy() for one in parameters)
    return axes(kernel, "FChw", "hw"), weights
