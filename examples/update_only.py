"""A layer that shows its kernel's gradient only in what an update makes of its kernel.

    python -m backproof examples/update_only.py --examples 20

- Library: numpy
- Verdict: holds
- Convolution: correlation
- Ties: not offered
- ReLU'(0): not offered
- Precision: float64

Many classes move their parameters within `backward`, and keep no gradient. `from_update` takes it from the update, at a
rate so large that the kernel's own digits do not drown it: at the usual 0.01 the quotient is off by far more than
rounding, and the suite would rightly refuse it.
"""

import numpy as np
from backproof.adapters import from_update


class Convolution:
    """The cross-correlation with one kernel (h, w), which `backward` moves."""

    def __init__(self, kernel):
        self.kernel = np.array(kernel)

    def patches(self, shape):
        rows, columns = shape
        for i, j in np.ndindex(self.kernel.shape):
            yield (i, j), (slice(i, i + rows), slice(j, j + columns))

    def forward(self, image):
        self.image = image
        shape = image.shape[0] - self.kernel.shape[0] + 1, image.shape[1] - self.kernel.shape[1] + 1
        return sum(self.kernel[index] * image[patch] for index, patch in self.patches(shape))

    def backward(self, upstream, learning_rate):
        image_gradient = np.zeros(self.image.shape)
        for index, patch in self.patches(upstream.shape):
            image_gradient[patch] += self.kernel[index] * upstream
            self.kernel[index] -= learning_rate * np.sum(self.image[patch] * upstream)
        return image_gradient


def conv2d(image, kernel):
    return Convolution(kernel).forward(image)


def conv2d_image_gradient(image, kernel, upstream):
    layer = Convolution(kernel)
    layer.forward(image)
    return layer.backward(upstream, learning_rate=0.01)


def conv2d_kernel_gradient(image, kernel, upstream):
    def updated(learning_rate):
        layer = Convolution(kernel)
        layer.forward(image)
        layer.backward(upstream, learning_rate)
        return layer.kernel

    return from_update(updated, before=kernel)
