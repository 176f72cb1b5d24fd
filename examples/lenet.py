"""A network of one's own: the LeNet-like one of course notes, in plain NumPy, declared layer by layer.

Convolution with a bias and padding, ReLU, overlapping max pooling, a dense layer with a bias, softmax with
cross-entropy (LeCun, Bottou, Bengio & Haffner, Proceedings of the IEEE 86, 1998, for the first of its kind). `NETWORK`
says what `predict`, `cost`, `gradients` and `train_step` compute; `parameters` is a list of arrays in the order of the
layers, and so are gradients. Check it with

    python -m backproof examples/lenet.py

- Library: numpy
- Verdict: holds
- Convolution: correlation
- Ties: not offered
- ReLU'(0): not offered
- Precision: float64
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

LAYOUT = "NCHW"
NETWORK = [
    ("conv2d", {"bias": True, "padding": (1, 1)}),
    "relu",
    ("max_pool", {"window": (3, 3), "stride": (2, 2)}),
    "flatten",
    ("dense", {"bias": True}),
    "softmax_cross_entropy",
]


def patches_of(image, kernel):
    """Every patch of the padded image that a kernel (C_out, C_in, h, w) is laid on: (N, C_in, rows, columns, h, w)."""
    padded = np.pad(image, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return sliding_window_view(padded, kernel.shape[2:], axis=(2, 3))


def forward(image, parameters):
    """Images (N, C, H, W) to outputs (N, m), with what the way back needs."""
    kernel, bias, weights, offsets = parameters
    convolved = np.einsum("ncijab,ocab->noij", patches_of(image, kernel), kernel) + bias[:, None, None]
    windows = sliding_window_view(np.maximum(convolved, 0), (3, 3), axis=(2, 3))[:, :, ::2, ::2]
    windows = windows.reshape(*windows.shape[:4], 9)
    features = windows.max(axis=-1).reshape(len(image), -1)
    return convolved, windows.argmax(axis=-1), features, features @ weights + offsets


def predict(image, parameters):
    """The outputs, (N, m)."""
    return forward(image, parameters)[-1]


def cost(image, target, parameters):
    """The mean over the images of `log Σ exp y − y[target]`; `target` has the number of a class for each, (N,)."""
    outputs = predict(image, parameters)
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(target)), target])


def gradients(image, target, parameters):
    """The cost's gradients for kernel, bias, weights and offsets."""
    kernel, _, weights, _ = parameters
    convolved, winners, features, outputs = forward(image, parameters)
    delta = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    delta /= delta.sum(axis=1, keepdims=True)
    delta[np.arange(len(target)), target] -= 1
    delta /= len(target)
    upstream = (delta @ weights.T).reshape(winners.shape)
    reaching = np.zeros(convolved.shape)
    images, channels, rows, columns = np.indices(winners.shape)
    np.add.at(reaching, (images, channels, 2 * rows + winners // 3, 2 * columns + winners % 3), upstream)
    reaching *= convolved > 0
    kernel_gradient = np.einsum("ncijab,noij->ocab", patches_of(image, kernel), reaching)
    return [kernel_gradient, reaching.sum(axis=(0, 2, 3)), features.T @ delta, delta.sum(axis=0)]


def train_step(image, target, parameters, learning_rate):
    """The new parameters: all moved by the gradients at the old ones."""
    moves = gradients(image, target, parameters)
    return [parameter - learning_rate * move for parameter, move in zip(parameters, moves, strict=True)]
