"""A layer whose padding cannot be switched off: a convolution with a kernel of any size, and a ring of zeros built in.

    python -m backproof examples/padded.py --examples 20

- Library: numpy
- Verdict: holds
- Convolution: correlation
- Ties: not offered
- ReLU'(0): not offered
- Precision: float64

`Convolution` stands for a layer that someone wrote with `padding=1` in it. The plain `conv2d` cannot be had of it, and
is not offered. What it has is the option `padding` at one value: the functions at the end take that parameter,
and raise `NotImplementedError` for any other. Such cases are left out and counted, and an exhaustive proof with gaps
says that it is none. Cropping the output to where no zero is met would make a plain `conv2d` of it too, but nothing
would then be said of its border.
"""

import numpy as np
from backproof.adapters import from_layer

PADDING = 1


class Convolution:
    """The cross-correlation of an image, in a ring of zeros, with one kernel."""

    def __init__(self, kernel):
        self.kernel = kernel

    def forward(self, image):
        self.padded = np.pad(image, PADDING)
        return self.patches(self.kernel.shape, self.kernel)

    def patches(self, shape, factor):
        return np.einsum("ijab,ab->ij", np.lib.stride_tricks.sliding_window_view(self.padded, shape), factor)

    def backward(self, upstream):
        self.kernel_gradient = self.patches(upstream.shape, upstream)
        gradient = np.zeros(self.padded.shape)
        for i, j in np.ndindex(upstream.shape):
            gradient[i : i + self.kernel.shape[0], j : j + self.kernel.shape[1]] += upstream[i, j] * self.kernel
        return gradient[PADDING:-PADDING, PADDING:-PADDING]


output, both_gradients = from_layer(Convolution, "kernel_gradient")


def built_in(padding):
    if tuple(padding) != (PADDING, PADDING):
        raise NotImplementedError(f"the padding is {PADDING}")


def conv2d(image, kernel, padding):
    built_in(padding)
    return output(image, kernel)


def conv2d_gradients(image, kernel, upstream, padding):
    built_in(padding)
    return both_gradients(image, kernel, upstream)
