"""The notebook that this network comes from: its data, its start, and its formulas, which are a target of their own.

`python -m backproof.reference.notebook` trains as the notebook does and says why that does not learn.
The formulas are right except at positive ties, where mask repeat gives every tied maximum the whole upstream value.
"""

import numpy as np
from scipy.signal import convolve2d
from skimage.measure import block_reduce

from ..arrays import Array
from ..pooling import grow

SEED, KERNEL_SCALE, WEIGHTS_SCALE, EPOCHS, LEARNING_RATE = 7839, 2.27, 6.1, 1000, 0.1
_FIRST = "1 1 0 1 0 1; 1 1 0 1 0 1; 1 1 0 1 0 1; 1 1 1 1 0 1; 1 1 1 1 0 1; 1 1 1 1 0 1"
_SECOND = "-1 0 -1 0 0 1; -1 0 -1 0 0 1; -1 0 -1 1 0 1; -1 -1 -1 0 0 -1; -1 0 -1 0 0 -1; -1 0 -1 0 0 -1"
IMAGES: Array = np.array([[row.split() for row in text.split(";")] for text in (_FIRST, _SECOND)], dtype=np.float64)
TARGETS: Array = np.arctan(IMAGES.sum(axis=(1, 2)))


def start(
    seed: int = SEED, scale: float = 1.0, kernel_shape: tuple[int, int] = (3, 3), features: int = 4
) -> tuple[Array, Array]:
    """The notebook's first kernel (3, 3) and weights (4, 1), from NumPy's legacy generator.

    Another seed, `scale` or shape gives another start, drawn in the same way. Source: the notebook.
    """
    generator = np.random.RandomState(seed)
    kernel = generator.randn(*kernel_shape) * (KERNEL_SCALE * scale)
    return kernel, generator.randn(features, 1) * (WEIGHTS_SCALE * scale)


def relu(x: Array) -> Array:
    """`x · [x > 0]`."""
    return np.asarray(x * ((x > 0) * 1.0))


def relu_derivative(x: Array) -> Array:
    """`[x > 0]`."""
    return np.asarray((x > 0) * 1.0)


def arctan(x: Array) -> Array:
    """`arctan(x)`."""
    return np.asarray(np.arctan(x))


def arctan_derivative(x: Array) -> Array:
    """`1 / (1 + x²)`."""
    return np.asarray(1 / (1 + x**2))


def logistic(x: Array) -> Array:
    """`1 / (1 + exp(-x))`, which warns of an overflow below -709."""
    return np.asarray(1 / (1 + np.exp(-1 * x)))


def logistic_derivative(x: Array) -> Array:
    """`σ(x) (1 - σ(x))`."""
    return logistic(x) * (1 - logistic(x))


def conv2d(image: Array, kernel: Array) -> Array:
    """SciPy's valid convolution."""
    return np.asarray(convolve2d(image, kernel, mode="valid"))


def conv2d_kernel_gradient(image: Array, kernel: Array, upstream: Array) -> Array:
    """The rot90 form: upstream turned, convolved with, and the result turned back."""
    return np.rot90(convolve2d(image, np.rot90(upstream, 2), mode="valid"), 2)


def max_pool(x: Array, window: tuple[int, int]) -> Array:
    """scikit-image's `block_reduce`, which would pad with zeros if the window did not divide `x`."""
    return np.asarray(block_reduce(x, window, np.max))


def max_pool_gradient(x: Array, window: tuple[int, int], upstream: Array) -> Array:
    """Mask repeat: the upstream value goes, whole, to every entry that equals the maximum."""
    mask = np.equal(x, grow(max_pool(x, window), window)).astype(int)
    return mask * grow(upstream, window)


def dense(features: Array, weights: Array) -> Array:
    """`features · weights`."""
    return features.dot(weights)


def dense_gradients(features: Array, weights: Array, upstream: Array) -> tuple[Array, Array]:
    """`(upstream · weightsᵀ, featuresᵀ · upstream)`."""
    return upstream.dot(weights.T), features.T.dot(upstream)


def predict(image: Array, kernel: Array, weights: Array) -> float:
    """The arctan of the pooled features times the weights."""
    features = max_pool(relu(conv2d(image, kernel)), (2, 2)).reshape(1, -1)
    return float(arctan(dense(features, weights)).item())


def cost(image: Array, target: float, kernel: Array, weights: Array) -> float:
    """Half the squared error."""
    return float(np.square(predict(image, kernel, weights) - target) * 0.5)


def gradients(image: Array, target: float, kernel: Array, weights: Array) -> tuple[Array, Array]:
    """The notebook's backward pass, its three parts for the weights and for the kernel."""
    convolved = conv2d(image, kernel)
    activated = relu(convolved)
    pooled = max_pool(activated, (2, 2))
    features = pooled.reshape(1, -1)
    weighted = dense(features, weights)
    delta = (arctan(weighted) - target) * arctan_derivative(weighted)
    features_gradient, weights_gradient = dense_gradients(features, weights, delta)
    window_gradient = max_pool_gradient(activated, (2, 2), features_gradient.reshape(pooled.shape))
    return conv2d_kernel_gradient(image, kernel, window_gradient * relu_derivative(convolved)), weights_gradient


def train_step(image: Array, target: float, kernel: Array, weights: Array, learning_rate: float) -> tuple[Array, Array]:
    """Both parameters moved by the gradients at the old ones."""
    kernel_gradient, weights_gradient = gradients(image, target, kernel, weights)
    return kernel - learning_rate * kernel_gradient, weights - learning_rate * weights_gradient
