"""The network in PyTorch's functions (`torch.nn.functional`), with its gradients by autograd, in double precision.

    python -m backproof examples/pytorch.py --examples 20

- Library: torch
- Verdict: holds
- Convolution: correlation
- Ties: first
- ReLU'(0): 0
- Precision: float64

What PyTorch calls convolution is the cross-correlation. `max_pool2d` sends the gradient of a tie to the first maximum,
row by row (`amax` would split it evenly). Images come in batches of several channels, as `LAYOUT` says: (N, C, H, W),
kernels (C_out, C_in, h, w), and the gradients are summed over the batch.
"""

import torch
from torch.nn import functional

LAYOUT = "NCHW"

torch.set_num_threads(1)  # the arrays are small: threads would cost more than they save


def tensor(array):
    """The array as a tensor of its own, since PyTorch has none that is read-only."""
    return torch.tensor(array)


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
    return functional.conv2d(tensor(image), tensor(kernel)).numpy()


def convolution_gradients(image, kernel, upstream):
    return gradients_of(functional.conv2d, tensor(image), tensor(kernel), upstream=tensor(upstream))


def conv2d_image_gradient(image, kernel, upstream):
    return convolution_gradients(image, kernel, upstream)[0]


def conv2d_kernel_gradient(image, kernel, upstream):
    return convolution_gradients(image, kernel, upstream)[1]


def max_pool(x, window):
    return functional.max_pool2d(tensor(x), window).numpy()


def max_pool_gradient(x, window, upstream):
    def pool(x):
        return functional.max_pool2d(x, window)

    (slope,) = gradients_of(pool, tensor(x), upstream=tensor(upstream))
    return slope


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


def half_squared_error(prediction, target):
    """Half the squared error, summed over the batch; target (N,)."""
    return ((prediction - target.reshape(-1, 1)) ** 2).sum() / 2


def predict(image, kernel, weights):
    return network(tensor(image), tensor(kernel), tensor(weights)).numpy()


def cost(image, target, kernel, weights):
    return half_squared_error(predict(image, kernel, weights), target)


def gradients(image, target, kernel, weights):
    def cost(kernel, weights):
        return half_squared_error(network(tensor(image), kernel, weights), tensor(target))

    return gradients_of(cost, tensor(kernel), tensor(weights))


def train_step(image, target, kernel, weights, learning_rate):
    parameters = [torch.nn.Parameter(one) for one in (tensor(kernel), tensor(weights))]
    half_squared_error(network(tensor(image), *parameters), tensor(target)).backward()
    torch.optim.SGD(parameters, lr=learning_rate).step()
    return [one.detach().numpy() for one in parameters]
