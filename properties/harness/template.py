"""A target to fill in. Check it with `python -m backproof FILE`; what still raises NotImplementedError is left out.

Arrays are NumPy float64. H×W image, h×w kernel, (p, q) pooling window that divides its input's shape, n features.
They may come read-only, in C or Fortran order, or as slices of larger arrays; no operation may change them.
"""

import numpy as np

# Uncomment what holds of your code:
# KERNEL_SHAPES = "square"  # or a list of (rows, columns); likewise WINDOW_SHAPES and IMAGE_SHAPES
# DTYPE = "float32"  # it computes in single precision
# LAYOUT = "NCHW"  # or "CHW", "NHWC": images with channels, in batches; kernels (C_out, C_in, h, w)


def relu(x):
    """`max(x, 0)` for x of any shape; the same shape."""
    raise NotImplementedError


def relu_derivative(x):
    """ReLU's derivative at the pre-activation x of any shape; the same shape. At 0 any number in [0, 1]."""
    raise NotImplementedError


def arctan(x):
    """The arctangent of x of any shape; the same shape."""
    raise NotImplementedError


def arctan_derivative(x):
    """`1 / (1 + x²)` at the pre-activation x of any shape; the same shape."""
    raise NotImplementedError


def logistic(x):
    """`1 / (1 + exp(−x))` for x of any shape; the same shape."""
    raise NotImplementedError


def logistic_derivative(x):
    """The logistic function's derivative at the pre-activation x of any shape; the same shape."""
    raise NotImplementedError


def conv2d(image, kernel):
    """The valid convolution of image (H, W) with kernel (h, w), flipped or not: (H−h+1, W−w+1)."""
    raise NotImplementedError


def conv2d_kernel_gradient(image, kernel, upstream):
    """The gradient for the kernel, (h, w), of upstream, (H−h+1, W−w+1)."""
    raise NotImplementedError


def conv2d_image_gradient(image, kernel, upstream):
    """The gradient for the image, (H, W), of upstream, (H−h+1, W−w+1)."""
    raise NotImplementedError


def max_pool(x, window):
    """The maximum of each window (p, q) of x (H, W), which do not overlap: (H/p, W/q)."""
    raise NotImplementedError


def max_pool_gradient(x, window, upstream):
    """The gradient for x, (H, W), of upstream, (H/p, W/q): to the maxima of each window, by weights of sum 1."""
    raise NotImplementedError


def dense(features, weights):
    """Features (1, n) times weights (n, 1): (1, 1)."""
    raise NotImplementedError


def dense_gradients(features, weights, upstream):
    """The gradients for features, (1, n), and weights, (n, 1), of upstream, (1, 1)."""
    raise NotImplementedError


def predict(image, kernel, weights):
    """A number: arctan(max_pool(relu(conv2d(image, kernel)), (2, 2)), flattened in C order, times weights (n, 1))."""
    raise NotImplementedError


def cost(image, target, kernel, weights):
    """A number: `(predict − target)² / 2`."""
    raise NotImplementedError


def gradients(image, target, kernel, weights):
    """The cost's gradients for the kernel, (h, w), and the weights, (n, 1)."""
    raise NotImplementedError


def train_step(image, target, kernel, weights, learning_rate):
    """The new kernel and weights: both moved by −learning_rate times the gradients at the old ones."""
    raise NotImplementedError
