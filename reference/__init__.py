"""The network, minimal: convolution → ReLU → 2×2 max pooling → dense → arctan, half the squared error.

One image, one kernel, NumPy float64. Every gradient is written out by hand, as backpropagation derives it.
"""

from .activations import (
    arctan,
    arctan_derivative,
    logistic,
    logistic_derivative,
    relu,
    relu_derivative,
)
from .convolution import conv2d, conv2d_image_gradient, conv2d_kernel_gradient
from .dense import dense, dense_gradients
from .network import cost, gradients, grown_dense, predict, train, train_step
from .pooling import mask_repeat, max_pool, max_pool_gradient

__all__ = [
    "arctan",
    "arctan_derivative",
    "conv2d",
    "conv2d_image_gradient",
    "conv2d_kernel_gradient",
    "cost",
    "dense",
    "dense_gradients",
    "gradients",
    "grown_dense",
    "logistic",
    "logistic_derivative",
    "mask_repeat",
    "max_pool",
    "max_pool_gradient",
    "predict",
    "relu",
    "relu_derivative",
    "train",
    "train_step",
]
