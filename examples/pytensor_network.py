"""The network in PyTensor (what Theano has become), its gradients by `grad` and `pullback`, in double precision.

    python -m backproof examples/pytensor_network.py --examples 20 -k "not exact"

- Library: pytensor
- Verdict: refuted
- Refuted: pooling.gradient_at_ties_is_a_subgradient
- Refuted: pooling.gradient_obeys_eulers_identity
- Refuted: network.gradients_at_kinks_are_conservative
- Refuted: training.train_step_at_kinks_is_conservative
- Refuted: calls.holds_at_a_larger_size[max_pool_gradient]
- Refuted: calls.holds_at_every_scale[max_pool_gradient]
- Convolution: convolution
- Ties: all
- ReLU'(0): 1
- Precision: float64

`signal.convolve2d` is the true convolution. There is no pooling but `max` over the windows' axes, whose gradient gives
every tied maximum the whole of upstream: `grad(x.max(), x)` at [[1, 1]] is [[1, 1]]. `pt.maximum` of two arrays gives
it to the first of them, so that ReLU's derivative at 0 is 1; it is 0 if one writes `pt.maximum(0.0, x)`.

It needs `pip install pytensor`, 250 MB with Numba. Each graph is compiled once for all shapes. In mode "py" that needs
no compiler, which would take longer than the calls.
"""

import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.gradient import pullback
from pytensor.tensor.signal import convolve2d

MODE = Mode("py", "fast_compile")


def compiled(inputs, outputs):
    return pytensor.function(inputs, outputs, mode=MODE)


def relu_of(x):
    return pt.maximum(x, 0.0)


def convolved(images, kernels):
    return convolve2d(images, kernels, mode="valid", method="direct")


def pooled(x, p, q):
    rows, columns = x.shape
    return x.reshape((rows // p, p, columns // q, q)).max(axis=(1, 3))


def network(image, kernel, weights):
    return pt.arctan(pooled(relu_of(convolved(image, kernel)), 2, 2).reshape((1, -1)) @ weights)


def activation(function):
    """The function on arrays of any shape, and its derivative."""
    x = pt.dvector()
    value = compiled([x], function(x))
    slope = compiled([x], pytensor.grad(function(x).sum(), x))
    return lambda x: value(x.ravel()).reshape(x.shape), lambda x: slope(x.ravel()).reshape(x.shape)


x, kernel, weights, upstream = pt.dmatrices("x", "kernel", "weights", "upstream")
p, q = pt.lscalars("p", "q")
target, rate = pt.dscalars("target", "rate")

relu, relu_derivative = activation(relu_of)
arctan, arctan_derivative = activation(pt.arctan)
logistic, logistic_derivative = activation(pt.sigmoid)
tanh, tanh_derivative = activation(pt.tanh)

convolution = convolved(x, kernel)
convolution_gradients = pullback(convolution, [x, kernel], upstream)
conv2d = compiled([x, kernel], convolution)
conv2d_image_gradient = compiled([x, kernel, upstream], convolution_gradients[0])
conv2d_kernel_gradient = compiled([x, kernel, upstream], convolution_gradients[1])

pool = compiled([x, p, q], pooled(x, p, q))
pool_gradient = compiled([x, p, q, upstream], pullback(pooled(x, p, q), x, upstream))

dense = compiled([x, weights], x @ weights)
dense_gradients = compiled([x, weights, upstream], pullback(x @ weights, [x, weights], upstream))

prediction = network(x, kernel, weights)
squared_error = ((prediction - target) ** 2).sum() / 2
slopes = pytensor.grad(squared_error, [kernel, weights])
predict = compiled([x, kernel, weights], prediction)
cost = compiled([x, target, kernel, weights], squared_error)
gradients = compiled([x, target, kernel, weights], slopes)
train_step = compiled([x, target, kernel, weights, rate], [kernel - rate * slopes[0], weights - rate * slopes[1]])


def max_pool(x, window):
    return pool(x, *window)


def max_pool_gradient(x, window, upstream):
    return pool_gradient(x, *window, upstream)
