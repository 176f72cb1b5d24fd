"""What the gradient checkers that people use today say of a hand-written operation.

`refuted` calls each of `CHECKERS` as its users do, with its own defaults, on a `Problem`: a function with the
vector-Jacobian product that was written for it. PyTorch, JAX and autograd are imported only by their checkers.
"""

import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import check_grad
from scipy.special import logsumexp

from properties.harness.core.values import Kind
from properties.layers import OPERATIONS

Array = NDArray[np.float64]
Point = tuple[Array, ...]
Operations = Mapping[str, Callable[..., Any]]
Verdicts = dict[str, bool | None]
Draw = Callable[..., Array]

POINTS = ("Gaussian", "small integers")
NETWORK = ("predict", "cost", "gradients", "train_step")
ACTIVATIONS = ("activation", "piecewise")  # what the layers of activations are called, or begin with
WINDOW, LEARNING_RATE, PARAMETER = (2, 2), 0.1, 0.3


def sound(answer: ArrayLike, shape: tuple[int, ...]) -> Array:
    """A fresh float64 array of this shape; `ValueError` if the answer has another or is not finite."""
    array = np.array(answer, dtype=np.float64, order="C")
    one_number = shape == () and array.size == 1  # the contract's scalars may be arrays of one element
    if not (array.shape == shape or one_number) or not np.isfinite(array).all():
        raise ValueError(f"a finite array of shape {shape} is due, not {answer!r}")
    return array.reshape(shape)


@dataclass(frozen=True)
class Problem:
    """`function(*point)`, `product(u, *point)` with a gradient per array of the point, and one such upstream `u`."""

    function: Callable[..., ArrayLike]
    product: Callable[..., Sequence[ArrayLike]]
    upstream: Array

    @np.errstate(all="ignore")
    def value(self, *point: Array) -> Array:
        """`f(x)`, in the shape of `upstream`; `ValueError` if it is unsound."""
        return sound(self.function(*point), self.upstream.shape)

    @np.errstate(all="ignore")
    def gradient(self, upstream: Array, *point: Array) -> Point:
        """`uᵀ ∂f/∂x` for each array `x` of the point, in its shape; `ValueError` if one is unsound."""
        slopes = self.product(upstream, *point)
        return tuple(sound(slope, array.shape) for slope, array in zip(slopes, point, strict=True))


class Asked(NamedTuple):
    """Which operation a problem is posed for, all of them, and how points and upstream are drawn."""

    operation: str
    operations: Operations
    draw: Draw
    normal: Draw
    generator: np.random.Generator


def posed(operation: str, operations: Operations, kind: str, generator: np.random.Generator) -> tuple[Problem, Point]:
    """The problem that the operation belongs to and a point: `x` (3, 4); image (6, 6), kernel (3, 3); `x` (4, 4) for
    2×2 windows; features (1, 4), weights (4, 1); the network's kernel (3, 3) and weights (4, 1), at a (6, 6) image and
    a target that are drawn too; of the layers in `FURTHER` as these functions say. `ValueError` for another operation,
    `KeyError` for another kind of point.
    """
    normal = generator.standard_normal
    entries = {"Gaussian": normal, "small integers": partial(generator.integers, -2, 3)}[kind]

    def draw(*shape: int) -> Array:
        return np.asarray(entries(size=shape), dtype=np.float64)

    signature = OPERATIONS.get(operation)
    if signature and signature.layer.startswith(ACTIVATIONS):
        family, rest = signature.of or operation, [PARAMETER] * (Kind.NUMBER in signature.takes.values())
        act, slope, gradient = (operations[f"{family}{word}"] for word in ("", "_derivative", "_gradient"))
        given = operation.endswith("_gradient")  # which of the two is asked about
        both = gradient if given else lambda x, u, *rest: u * sound(slope(x, *rest), x.shape)
        return Problem(lambda x: act(x, *rest), lambda u, x: (both(x, u, *rest),), normal((3, 4))), (draw(3, 4),)
    if signature and signature.layer in FURTHER:
        return FURTHER[signature.layer](Asked(operation, operations, draw, normal, generator))
    if operation.startswith("conv2d"):
        pair, slopes = (draw(6, 6), draw(3, 3)), [operations[f"conv2d_{name}_gradient"] for name in ("image", "kernel")]
        return Problem(operations["conv2d"], lambda u, *x: [slope(*x, u) for slope in slopes], normal((4, 4))), pair
    if operation.startswith("max_pool"):
        pool, scatter = operations["max_pool"], operations["max_pool_gradient"]
        return Problem(lambda x: pool(x, WINDOW), lambda u, x: (scatter(x, WINDOW, u),), normal((2, 2))), (draw(4, 4),)
    if operation.startswith("average_pool"):
        return averaging(operations, normal), (draw(4, 4),)
    if operation.startswith("dense"):
        pair, both = (draw(1, 4), draw(4, 1)), operations["dense_gradients"]
        return Problem(operations["dense"], lambda u, *x: both(*x, u), normal((1, 1))), pair
    if operation in NETWORK:
        return network(operation, operations, draw(6, 6), float(draw())), (draw(3, 3), draw(4, 1))
    raise ValueError(f"operation must be one of the contract's, not {operation!r}")


def convolving(asked: Asked) -> tuple[Problem, Point]:
    """The convolution of image (6, 6) with kernel (3, 3) and a bias, stride (2, 1), padding (1, 2), dilation (2, 1)."""
    options = (2, 1), (1, 2), (2, 1)
    slopes = [asked.operations[f"conv2d_{name}_gradient_with_options"] for name in ("image", "kernel")]

    def product(upstream: Array, image: Array, kernel: Array, bias: Array) -> Sequence[ArrayLike]:
        of_bias = asked.operations["conv2d_bias_gradient"](image, kernel, upstream)
        return [*(slope(image, kernel, upstream, *options) for slope in slopes), of_bias]

    function = asked.operations["conv2d_with_options"]
    return Problem(lambda *x: function(*x, *options), product, asked.normal((2, 8))), (
        asked.draw(6, 6),
        asked.draw(3, 3),
        asked.draw(1),
    )


def overlapping(asked: Asked) -> tuple[Problem, Point]:
    """Max pooling of `x` (4, 4) by 2×2 windows with a stride of (1, 2) and a padding of (1, 0): (5, 2)."""
    pool, scatter = asked.operations["max_pool_with_options"], asked.operations["max_pool_gradient_with_options"]
    options = (1, 2), (1, 0)
    return (
        Problem(
            lambda x: pool(x, WINDOW, *options), lambda u, x: (scatter(x, WINDOW, u, *options),), asked.normal((5, 2))
        ),
        (asked.draw(4, 4),),
    )


def affine(asked: Asked) -> tuple[Problem, Point]:
    """The dense layer of features (2, 3), weights (3, 2) and a bias (2,)."""
    gradients, of_bias = asked.operations["dense_gradients_with_options"], asked.operations["dense_bias_gradient"]
    return (
        Problem(
            asked.operations["dense_with_options"],
            lambda u, features, weights, bias: [*gradients(features, weights, u), of_bias(features, weights, u)],
            asked.normal((2, 2)),
        ),
        (asked.draw(2, 3), asked.draw(3, 2), asked.draw(2)),
    )


def softmaxing(asked: Asked) -> tuple[Problem, Point]:
    """Softmax of `x` (2, 3)."""
    gradient = asked.operations["softmax_gradient"]
    return Problem(asked.operations["softmax"], lambda u, x: (gradient(x, u),), asked.normal((2, 3))), (
        asked.draw(2, 3),
    )


def losing(asked: Asked) -> tuple[Problem, Point]:
    """A loss of two images and three classes; probabilities are drawn off 0, and need no sum."""
    loss = OPERATIONS[asked.operation].layer
    labels, truths = asked.generator.integers(0, 3, 2), asked.generator.integers(0, 2, 2) * 1.0
    right = {"squared_error": asked.draw(2, 3), "logistic_cross_entropy": truths}.get(loss, labels)
    point = asked.draw(2) if loss == "logistic_cross_entropy" else asked.draw(2, 3)
    if loss == "cross_entropy":
        point = np.abs(point) + 0.5
    function, gradient = asked.operations[loss], asked.operations[f"{loss}_gradient"]
    return Problem(lambda x: function(x, right), lambda u, x: (u * gradient(x, right),), np.ones(())), (point,)


def declared(asked: Asked) -> tuple[Problem, Point]:
    """The cost of the declared network at an image (4, 4) and a class, by kernel (3, 3), weights (1, 2) and biases; of
    its training step, `(before - after) / learning_rate`.
    """
    image, label = asked.draw(4, 4), asked.generator.integers(0, 2, 1)
    cost, step, gradients, predict = (
        asked.operations[f"declared_{name}"] for name in ("cost", "train_step", "gradients", "predict")
    )

    def function(*parameters: Array) -> ArrayLike:
        if asked.operation == "declared_predict":
            outputs = sound(predict(image, *parameters), (1, 2))
            return float(logsumexp(outputs) - outputs[0, label[0]])
        return cost(image, label, *parameters)

    def product(upstream: Array, *parameters: Array) -> list[Array]:
        if asked.operation != "declared_train_step":
            return [upstream * slope for slope in gradients(image, label, *parameters)]
        moved = zip(parameters, step(image, label, *parameters, LEARNING_RATE), strict=True)
        return [upstream * (before - sound(after, before.shape)) / LEARNING_RATE for before, after in moved]

    return Problem(function, product, np.ones(())), (asked.draw(3, 3), asked.draw(1), asked.draw(1, 2), asked.draw(2))


FURTHER: dict[str, Callable[[Asked], tuple[Problem, Point]]] = {  # by layer
    "convolution_options": convolving,
    "pooling_options": overlapping,
    "dense_options": affine,
    "softmax": softmaxing,
    **dict.fromkeys(("squared_error", "cross_entropy", "softmax_cross_entropy", "logistic_cross_entropy"), losing),
    "declared_network": declared,
}


def averaging(operations: Operations, normal: Callable[..., Array]) -> Problem:
    """Average pooling by 2×2 windows, with a stride of 1 and a padding of 1 if both functions have such options."""
    both = operations["average_pool"], operations["average_pool_gradient"]
    had = set.intersection(*({*inspect.signature(one).parameters} for one in both))
    options = {name: (1, 1) for name in ("stride", "padding") if name in had}
    side = 4 + 2 * ("padding" in options)
    outputs = side - 1 if "stride" in options else side // 2
    return Problem(
        lambda x: both[0](x, WINDOW, **options),
        lambda u, x: (both[1](x, WINDOW, u, **options),),
        normal((outputs, outputs)),
    )


def network(operation: str, operations: Operations, image: Array, target: float) -> Problem:
    """The cost `f(kernel, weights)` at this image and target; of `train_step`, `(before - after) / learning_rate`."""

    def function(*parameters: Array) -> ArrayLike:
        if operation == "predict":
            return (sound(operations["predict"](image, *parameters), ()) - target) ** 2 / 2
        return operations["cost"](image, target, *parameters)

    def product(upstream: Array, *parameters: Array) -> Point:
        if operation != "train_step":
            return tuple(upstream * slope for slope in operations["gradients"](image, target, *parameters))
        moved = zip(parameters, operations["train_step"](image, target, *parameters, LEARNING_RATE), strict=True)
        return tuple(upstream * (before - sound(after, before.shape)) / LEARNING_RATE for before, after in moved)

    return Problem(function, product, np.ones(()))


def gradcheck(problem: Problem, point: Point, *, fast_mode: bool = False) -> bool:
    """`torch.autograd.gradcheck`: central differences of every entry (fast mode: along one direction).
    Step 1e-6, `|a - n| ≤ 1e-5 + 1e-3 |n|`. Source: PyTorch's note "Extending PyTorch", for NumPy functions.
    """
    import torch

    class HandWritten(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, *tensors: Any) -> Any:
            context.save_for_backward(*tensors)
            return torch.from_numpy(problem.value(*(tensor.numpy() for tensor in tensors)))

        @staticmethod
        def backward(context: Any, upstream: Any) -> Any:
            arrays = (tensor.detach().numpy() for tensor in context.saved_tensors)
            return tuple(torch.from_numpy(slope) for slope in problem.gradient(upstream.numpy(), *arrays))

    tensors = tuple(torch.from_numpy(array).requires_grad_() for array in point)
    return torch.autograd.gradcheck(HandWritten.apply, tensors, fast_mode=fast_mode)


def scalar(problem: Problem, point: Point) -> tuple[Callable[[Array], float], Callable[[Array], Array], Array]:
    """`⟨f, u⟩` for `u` of norm 1, its hand-written gradient, and the point, by one vector of all arrays' entries."""
    direction = problem.upstream / np.linalg.norm(problem.upstream)
    ends = np.cumsum([array.size for array in point])[:-1]

    def arrays(vector: Array) -> list[Array]:
        return [part.reshape(array.shape) for part, array in zip(np.split(vector, ends), point, strict=True)]

    def objective(vector: Array) -> float:
        return float(np.sum(problem.value(*arrays(vector)) * direction))

    def gradient(vector: Array) -> Array:
        return np.concatenate([part.ravel() for part in problem.gradient(direction, *arrays(vector))])

    return objective, gradient, np.concatenate([array.ravel() for array in point])


def scipy_check_grad(problem: Problem, point: Point) -> bool:
    """`scipy.optimize.check_grad`, forward differences: is the 2-norm that it returns at most 1e-6? SciPy gives no
    verdict; the limit is ours. The norm is absolute (scipy#7766): a Gaussian `u` takes a right convolution to 2e-6.
    """
    return bool(check_grad(*scalar(problem, point)) <= 1e-6)


def jax_check_grads(problem: Problem, point: Point) -> bool:
    """`jax.test_util.check_grads`, reverse mode, first order: one direction, step 1e-4, tolerances 1e-5.
    Source: JAX's notes "External callbacks" and "Custom derivative rules".
    """
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_cpu_enable_async_dispatch", False)  # a callback may hang with it: jax#24255, jax#25861
    logging.getLogger("jax._src.callback").disabled = True  # prints a traceback for each crash of the operation

    value = partial(jax.pure_callback, lambda *arrays: problem.value(*map(np.asarray, arrays)), problem.upstream)
    gradient = partial(jax.pure_callback, lambda *arrays: problem.gradient(*map(np.asarray, arrays)), point)
    function = jax.custom_vjp(value)
    function.defvjp(lambda *arrays: (value(*arrays), arrays), lambda arrays, upstream: gradient(upstream, *arrays))
    check_grads(function, point, order=1, modes=("rev",))
    return True


def autograd_check_grads(problem: Problem, point: Point) -> bool:
    """`autograd.test_util.check_grads`, reverse mode, first order: one random direction, step and tolerances 1e-6.
    Source: autograd's tutorial, "Extend Autograd by defining your own primitives".
    """
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    function, every = primitive(problem.value), tuple(range(len(point)))
    defvjp(function, *(lambda _, *arrays, n=n: lambda upstream: problem.gradient(upstream, *arrays)[n] for n in every))
    check_grads(function, every, modes=["rev"], order=1)(*point)
    return True


def relative_error_loop(problem: Problem, point: Point) -> bool:
    """`|a - n| ≤ 1e-4 max(|a|, |n|)` for every entry `a` of `⟨f, u⟩`'s gradient, `n` by central differences, h = 1e-5.
    The limit is the one for objectives with kinks. Source: CS231n, Neural Networks Part 3, gradient checks.
    """
    objective, gradient, start = scalar(problem, point)
    analytic, steps = gradient(start), 1e-5 * np.eye(start.size)
    numerical = np.array([(objective(start + step) - objective(start - step)) / 2e-5 for step in steps])
    return bool(np.all(abs(analytic - numerical) <= 1e-4 * np.maximum(abs(analytic), abs(numerical))))


def cost_decreases(problem: Problem, point: Point) -> bool:
    """`f(x - 1e-4 g) ≤ f(x)`: a small step along the hand-written gradient does not increase the cost."""
    objective, gradient, start = scalar(problem, point)
    return objective(start - 1e-4 * gradient(start)) <= objective(start)


CHECKS: dict[str, Callable[[Problem, Point], bool]] = {
    "gradcheck": gradcheck,
    "gradcheck, fast mode": partial(gradcheck, fast_mode=True),
    "SciPy check_grad": scipy_check_grad,
    "JAX check_grads": jax_check_grads,
    "autograd check_grads": autograd_check_grads,
    "relative-error loop": relative_error_loop,
    "cost decreases": cost_decreases,
}
CHECKERS = tuple(CHECKS)


def accepts(name: str, problem: Problem, point: Point) -> bool:
    """Whether the checker passes; it does not if the operation crashes, or is unsound at the point itself."""
    try:
        problem.value(*(array.copy() for array in point))
        problem.gradient(problem.upstream.copy(), *(array.copy() for array in point))
        return CHECKS[name](problem, point)
    except ModuleNotFoundError:
        raise
    except Exception:
        return False


def refuted(
    operation: str,
    operations: Operations,
    kind: str,
    *,
    points: int = 20,
    seed: int = 7839,
    checkers: tuple[str, ...] = CHECKERS,
) -> Verdicts:
    """For each of the checkers: whether it refuted the operation at any of so many points; None where it has no say.
    `operations` has all of the contract; `kind` is one of `POINTS`: standard normal, or integers from -2 to 2.
    """
    verdicts: Verdicts = dict.fromkeys(checkers)
    for name in checkers if operation in NETWORK else [name for name in checkers if name != CHECKERS[-1]]:
        generator = np.random.default_rng(seed)
        np.random.seed(seed)  # noqa: NPY002 (autograd draws its directions from the global generator)
        cases = (posed(operation, operations, kind, generator) for _ in range(points))
        verdicts[name] = not all(accepts(name, *case) for case in cases)
    return verdicts
