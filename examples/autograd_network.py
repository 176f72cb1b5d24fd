"""The network in HIPS autograd (`autograd.numpy` and its own `convolve`), in double precision.

    python -m backproof examples/autograd_network.py --examples 200 -k "not exact"

- Library: autograd
- Verdict: broken
- Crashed: convolution.image_gradient_is_the_full_correlation
- Crashed: convolution.image_gradient_is_the_adjoint
- Crashed: convolution.image_gradient_matches_differences
- Crashed: calls.keeps_the_contract[conv2d_image_gradient]
- Crashed: calls.holds_at_every_scale[conv2d_image_gradient]
- Convolution: convolution
- Ties: even split
- ReLU'(0): 0.5
- Precision: float64

`autograd.scipy.signal.convolve` is the true convolution: it flips its kernel, (C, F, h, w), as autograd's own example
of a convolutional network has it. `np.max` splits a tie evenly, and so does `np.maximum(x, 0)` between its two
arguments: ReLU's derivative at 0 is 1/2.

The image's gradient is a full convolution, and for two arrays of one size of which neither holds the other, such as
1×2 and 2×1, autograd's swaps them forever: `convolve(np.ones((1, 2)), np.ones((2, 1)))` is a `RecursionError`. The
network does not need it, and holds.
"""

import autograd.numpy as np
from autograd import elementwise_grad, grad, make_vjp
from autograd.scipy.signal import convolve
from autograd.scipy.special import expit as logistic
from backproof.adapters import axes


def relu(x):
    return np.maximum(x, 0.0)


arctan = np.arctan
relu_derivative, arctan_derivative, logistic_derivative = map(elementwise_grad, (relu, arctan, logistic))


def convolved(images, kernels):
    """Images (N, C, H, W) and kernels (C, F, h, w) to (N, F, H−h+1, W−w+1)."""
    return convolve(images, kernels, axes=([2, 3], [2, 3]), dot_axes=([1], [0]), mode="valid")


def pooled(images, window):
    count, channels, rows, columns = images.shape
    p, q = window
    return np.max(np.reshape(images, (count, channels, rows // p, p, columns // q, q)), axis=(3, 5))


def network(images, kernels, weights):
    """Images (N, C, H, W), kernels (C, F, h, w) and weights (n, 1) to N predictions."""
    features = np.reshape(pooled(relu(convolved(images, kernels)), (2, 2)), (len(images), -1))
    return arctan(np.dot(features, weights))


def half_squared_error(parameters, images, targets):
    return np.sum((network(images, *parameters) - targets) ** 2) / 2


def conv2d(image, kernel):
    return axes(convolved(axes(image, "HW", "NCHW"), axes(kernel, "hw", "CFhw")), "NFHW", "HW")


def conv2d_image_gradient(image, kernel, upstream):
    product, _ = make_vjp(convolved, 0)(axes(image, "HW", "NCHW"), axes(kernel, "hw", "CFhw"))
    return axes(product(axes(upstream, "HW", "NFHW")), "NCHW", "HW")


def conv2d_kernel_gradient(image, kernel, upstream):
    product, _ = make_vjp(convolved, 1)(axes(image, "HW", "NCHW"), axes(kernel, "hw", "CFhw"))
    return axes(product(axes(upstream, "HW", "NFHW")), "CFhw", "hw")


def max_pool(x, window):
    return axes(pooled(axes(x, "HW", "NCHW"), window), "NCHW", "HW")


def max_pool_gradient(x, window, upstream):
    product, _ = make_vjp(pooled, 0)(axes(x, "HW", "NCHW"), window)
    return axes(product(axes(upstream, "HW", "NCHW")), "NCHW", "HW")


dense = np.dot


def dense_gradients(features, weights, upstream):
    return tuple(make_vjp(dense, number)(features, weights)[0](upstream) for number in (0, 1))


def predict(image, kernel, weights):
    return network(axes(image, "HW", "NCHW"), axes(kernel, "hw", "CFhw"), weights)


def cost(image, target, kernel, weights):
    return half_squared_error((axes(kernel, "hw", "CFhw"), weights), axes(image, "HW", "NCHW"), target)


def gradients(image, target, kernel, weights):
    parameters = axes(kernel, "hw", "CFhw"), weights
    of_kernel, of_weights = grad(half_squared_error)(parameters, axes(image, "HW", "NCHW"), target)
    return axes(of_kernel, "CFhw", "hw"), of_weights


def train_step(image, target, kernel, weights, learning_rate):
    of_kernel, of_weights = gradients(image, target, kernel, weights)
    return kernel - learning_rate * of_kernel, weights - learning_rate * of_weights
