"""The network in plain Python: loops over lists of numbers, nothing to install.

    python -m backproof examples/pure_python.py --examples 20

- Library: Python
- Verdict: holds
- Convolution: convolution
- Ties: last
- ReLU'(0): 0
- Precision: float64

It takes what the contract gives, arrays, by their entries alone, and returns lists: the contract takes these for
arrays. Pooling keeps the index of the last maximum of a window (`>=` while it looks), and the gradient goes there.
"""

from itertools import product
from math import atan, exp

WINDOW = (2, 2)


def entrywise(function):
    """The function for arrays of any shape, as nested lists."""

    def applied(x):
        is_nested = isinstance(x, list) or getattr(x, "shape", ())
        return [applied(part) for part in x] if is_nested else function(float(x))

    return applied


relu = entrywise(lambda x: max(x, 0.0))
relu_derivative = entrywise(lambda x: 1.0 if x > 0 else 0.0)
arctan = entrywise(atan)
arctan_derivative = entrywise(lambda x: 1 / (1 + x * x))


@entrywise
def logistic(x):
    tail = exp(-abs(x))  # exp(-x) would overflow
    return (1.0 if x > 0 else tail) / (1 + tail)


@entrywise
def logistic_derivative(x):
    tail = exp(-abs(x))
    return tail / (1 + tail) ** 2


def zeros(rows, columns):
    return [[0.0] * columns for _ in range(rows)]


def size(matrix):
    return len(matrix), len(matrix[0])


def terms(image, kernel):
    """Every (output, image, kernel) triple of indices whose product is summed: the kernel is flipped."""
    (rows, columns), (height, width) = size(image), size(kernel)
    for i, j in product(range(rows - height + 1), range(columns - width + 1)):
        for a, b in product(range(height), range(width)):
            yield (i, j), (i + height - 1 - a, j + width - 1 - b), (a, b)


def conv2d(image, kernel):
    output = zeros(len(image) - len(kernel) + 1, len(image[0]) - len(kernel[0]) + 1)
    for (i, j), (m, n), (a, b) in terms(image, kernel):
        output[i][j] += float(image[m][n] * kernel[a][b])
    return output


def conv2d_image_gradient(image, kernel, upstream):
    gradient = zeros(*size(image))
    for (i, j), (m, n), (a, b) in terms(image, kernel):
        gradient[m][n] += float(upstream[i][j] * kernel[a][b])
    return gradient


def conv2d_kernel_gradient(image, kernel, upstream):
    gradient = zeros(*size(kernel))
    for (i, j), (m, n), (a, b) in terms(image, kernel):
        gradient[a][b] += float(upstream[i][j] * image[m][n])
    return gradient


def winners(x, window):
    """The index of each window's last maximum, by the window's own."""
    (rows, columns), (p, q) = size(x), window
    found = {}
    for i, j in product(range(rows), range(columns)):
        best = found.setdefault((i // p, j // q), (i, j))
        if x[i][j] >= x[best[0]][best[1]]:
            found[i // p, j // q] = i, j
    return found


def max_pool(x, window):
    output = zeros(len(x) // window[0], len(x[0]) // window[1])
    for (i, j), (m, n) in winners(x, window).items():
        output[i][j] = float(x[m][n])
    return output


def max_pool_gradient(x, window, upstream):
    gradient = zeros(*size(x))
    for (i, j), (m, n) in winners(x, window).items():
        gradient[m][n] = float(upstream[i][j])
    return gradient


def dense(features, weights):
    return [[sum(float(feature * weight) for feature, (weight,) in zip(features[0], weights, strict=True))]]


def dense_gradients(features, weights, upstream):
    delta = float(upstream[0][0])
    return [[delta * float(weight) for (weight,) in weights]], [[delta * float(feature)] for feature in features[0]]


def forward(image, kernel, weights):
    """Every stage: convolved, activated, the features in one row, the weighted sum."""
    convolved = conv2d(image, kernel)
    activated = relu(convolved)
    features = [[value for row in max_pool(activated, WINDOW) for value in row]]
    return convolved, activated, features, dense(features, weights)[0][0]


def predict(image, kernel, weights):
    return atan(forward(image, kernel, weights)[3])


def cost(image, target, kernel, weights):
    return (predict(image, kernel, weights) - float(target)) ** 2 / 2


def gradients(image, target, kernel, weights):
    convolved, activated, features, weighted = forward(image, kernel, weights)
    delta = (atan(weighted) - float(target)) / (1 + weighted * weighted)
    (of_features,), of_weights = dense_gradients(features, weights, [[delta]])
    columns = len(convolved[0]) // WINDOW[1]
    upstream = [of_features[start : start + columns] for start in range(0, len(of_features), columns)]
    passed = max_pool_gradient(activated, WINDOW, upstream)
    masked = [
        [slope * step for slope, step in zip(*rows, strict=True)]
        for rows in zip(passed, relu_derivative(convolved), strict=True)
    ]
    return conv2d_kernel_gradient(image, kernel, masked), of_weights


def train_step(image, target, kernel, weights, learning_rate):
    def moved(parameter, slopes):
        pairs = zip(parameter, slopes, strict=True)
        return [[float(p) - learning_rate * g for p, g in zip(*rows, strict=True)] for rows in pairs]

    of_kernel, of_weights = gradients(image, target, kernel, weights)
    return moved(kernel, of_kernel), moved(weights, of_weights)
