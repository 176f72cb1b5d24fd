"""The notebook that this network comes from: its data, its start, its run, and its formulas as a target.

`python -m reference.notebook` trains as it does and says why that does not learn. Its formulas are right
except at positive ties, where its mask repeat hands out the upstream value once per tied maximum.
"""

import numpy as np
from scipy.signal import convolve2d
from skimage.measure import block_reduce

from reference.arrays import Array
from reference.network import forward, train
from reference.pooling import grow

SEED, KERNEL_SCALE, WEIGHTS_SCALE, EPOCHS, LEARNING_RATE = 7839, 2.27, 6.1, 1000, 0.1
_FIRST = "1 1 0 1 0 1; 1 1 0 1 0 1; 1 1 0 1 0 1; 1 1 1 1 0 1; 1 1 1 1 0 1; 1 1 1 1 0 1"
_SECOND = "-1 0 -1 0 0 1; -1 0 -1 0 0 1; -1 0 -1 1 0 1; -1 -1 -1 0 0 -1; -1 0 -1 0 0 -1; -1 0 -1 0 0 -1"
IMAGES = np.array([[row.split() for row in text.split(";")] for text in (_FIRST, _SECOND)], dtype=np.float64)
TARGETS = np.arctan(IMAGES.sum(axis=(1, 2)))


def start() -> tuple[Array, Array]:
    """The notebook's first kernel (3, 3) and weights (4, 1), from NumPy's legacy generator."""
    generator = np.random.RandomState(SEED)
    kernel = generator.randn(3, 3) * KERNEL_SCALE
    return kernel, generator.randn(4, 1) * WEIGHTS_SCALE


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


def _predictions(kernel: Array, weights: Array) -> Array:
    return np.array([predict(image, kernel, weights) for image in IMAGES])


def main() -> None:
    """Run the notebook from the top and print what it does and why it does not learn."""
    kernel, weights = start()
    trained_kernel, trained_weights, costs = train(
        list(IMAGES), list(TARGETS), kernel, weights, LEARNING_RATE, EPOCHS, step=train_step, cost=cost
    )
    print(f"The notebook, run from the top: seed {SEED}, {EPOCHS} epochs, learning rate {LEARNING_RATE}\n")
    print(f"ground truth            {TARGETS}")
    print(f"predictions before      {_predictions(kernel, weights)}")
    print(f"predictions after       {_predictions(trained_kernel, trained_weights)}")
    print(f"total cost              {costs[0].sum():.8f} before, {costs[-1].sum():.8f} in the last epoch\n")
    print("Why it does not learn, at the start and at the end:")
    for when, parameters in (("start", (kernel, weights)), ("end", (trained_kernel, trained_weights))):
        for number, image in enumerate(IMAGES, start=1):
            stages = forward(image, *parameters)
            alive, s = stages.convolved > 0, float(stages.weighted.item())
            slope = float(arctan_derivative(stages.weighted).item())
            reason = f"arctan at s = {s:.2f} passes on 1/(1+s²) = {slope:.1e} of the error"
            if not alive.any():
                reason = "all dead: no gradient reaches a parameter"
            print(f"  {when:5s} image {number}: {alive.sum():2d} of {alive.size} ReLUs alive, {reason}")
            for row in alive:
                print("    " + " ".join("alive" if entry else "dead " for entry in row).rstrip())


if __name__ == "__main__":
    main()
