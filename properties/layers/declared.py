"""The operations of the network, as the machine knows them, and the chain rule through any layers."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from ..harness.core.limits import POOL
from ..harness.core.tape import Case
from ..harness.core.values import Array, Kind, Value
from . import network, network_cases
from .activations import relu
from .base.registry import Layer, Sides, Signature, Stage
from .convolution import pair_of
from .network import POINT, flattened
from .subgradients import gradient_faults, has_kink, separated_gradient, separated_step, step_faults

_PREDICT = {"image": Kind.IMAGES, "kernel": Kind.KERNEL, "weights": Kind.POOLED_WEIGHTS}
_POINT = {"image": Kind.IMAGES, "target": Kind.NUMBERS, "kernel": Kind.KERNEL, "weights": Kind.POOLED_WEIGHTS}
_STEP = {**_POINT, "learning_rate": Kind.RATE}


Functions = Mapping[str, Callable[..., Any]]
FORWARD = ("conv2d", "relu", "max_pool", "dense", "arctan")
BACKWARD = ("relu_derivative", "arctan_derivative", "max_pool_gradient", "dense_gradients", "conv2d_kernel_gradient")


def composed(name: str, part: Callable[..., Any]) -> Callable[..., Any]:
    """One operation of the network, by the chain rule through `part(operation, *arguments)`.

    Arrays are as everywhere: images (N, C, H, W), features (N, n), a prediction for each image.
    """

    def features_of(image: Array, kernel: Array) -> tuple[Array, Array, Array, Array]:
        convolved = part("conv2d", image, kernel)
        activated = part("relu", convolved)
        pooled = part("max_pool", activated, POOL)
        return convolved, activated, pooled, flattened(pooled)

    def predict(image: Array, kernel: Array, weights: Array) -> Array:
        features = features_of(image, kernel)[3]
        prediction: Array = part("arctan", part("dense", features, weights))[..., 0]
        return prediction

    def cost(image: Array, target: Array, kernel: Array, weights: Array) -> Array:
        return ((part("predict", image, kernel, weights) - target) ** 2).sum(axis=-1) / 2

    def gradients(image: Array, target: Array, kernel: Array, weights: Array) -> tuple[Array, Array]:
        convolved, activated, pooled, features = features_of(image, kernel)
        weighted = part("dense", features, weights)
        delta = (part("arctan", weighted) - target[..., None]) * part("arctan_derivative", weighted)
        features_gradient, weights_gradient = part("dense_gradients", features, weights, delta)
        upstream = part("max_pool_gradient", activated, POOL, features_gradient.reshape(pooled.shape))
        upstream = upstream * part("relu_derivative", convolved)
        return part("conv2d_kernel_gradient", image, kernel, upstream), weights_gradient

    def train_step(
        image: Array, target: Array, kernel: Array, weights: Array, learning_rate: float
    ) -> tuple[Array, Array]:
        moves = part("gradients", image, target, kernel, weights)
        return kernel - learning_rate * moves[0], weights - learning_rate * moves[1]

    made: Functions = {"predict": predict, "cost": cost, "gradients": gradients, "train_step": train_step}
    return made[name]


def _prediction(case: Case) -> tuple[Value]:
    image, kernel, weights = case.arguments("image", "kernel", "weights")
    nothing = np.zeros((*image.shape[:-4], image.shape[-4]))
    return (network.forward_values(image, nothing, kernel, weights).prediction,)


def _parameters(case: Case) -> tuple[Sides, Sides]:
    return case.kernel.shape, case.weights.shape


def _stages(case: Case, operation: str) -> Iterator[Stage]:
    """What the right network makes of a case: a target need not show its own."""
    stages = network.forward(case.image, case.kernel, case.weights)
    dead = stages.preactivation <= 0
    yield Stage("conv2d(image, kernel)", stages.preactivation, dead=dead)
    yield Stage("relu", relu(stages.preactivation), window=POOL, dead=dead)
    yield Stage("max_pool", stages.pooled)
    yield Stage("s = pooled · weights", stages.weighted)
    yield Stage("arctan(s)", stages.prediction)
    if operation in ("gradients", "train_step") and "target" in case:
        _, delta = network.residual_and_delta(stages, case.target)
        upstream = network.preactivation_gradient(stages, delta, case.weights)
        yield Stage("δ = (p − t) / (1 + s²)", delta)
        yield Stage("what reaches the convolution", upstream, dead=dead)


_operation = partial(
    Signature,
    smooth=network_cases.read_smooth,
    follows="convolution",
    kinked=network_cases.read_kinked,
    unless="NETWORK",
)
NETWORK = Layer(
    network_cases.NAME,
    operations=(
        _operation(
            "predict",
            summary="A number: arctan(max_pool(relu(conv2d(image, kernel)), (2, 2)), flattened in C order, times "
            "weights (n, 1)).",
            takes=_PREDICT,
            gives=(Kind.NUMBERS,),
            shapes=lambda case: ((len(case.image),),),
            value=_prediction,
            formulas=(
                "`p = arctan(s)`, `s = pooled · weights`",
                "`pooled = max_pool(relu(conv2d(image, kernel)))`, flattened by rows to (1, n)",
            ),
            named_by="network.predict_is_the_composition",
            uses=FORWARD,
        ),
        _operation(
            "cost",
            summary="A number: `(predict − target)² / 2`.",
            takes=_POINT,
            gives=(Kind.SCALAR,),
            shapes=lambda case: ((),),
            value=lambda case: (network.values_of(case).cost,),
            formulas=("`C = (p − t)² / 2`",),
            named_by="network.cost_is_half_the_squared_error",
            uses=(*FORWARD, "predict"),
        ),
        _operation(
            "gradients",
            summary="The cost's gradients for the kernel, (h, w), and the weights, (n, 1).",
            takes=_POINT,
            gives=(Kind.KERNEL, Kind.POOLED_WEIGHTS),
            shapes=_parameters,
            value=lambda case: network.gradient_values(*case.arguments(*POINT)),
            formulas=(
                "`δ = (p − t) / (1 + s²)`",
                "`∂C/∂weights = δ · pooled`, flattened by rows to (n, 1)",
                "`∂C/∂kernel[a,b] = Σ[i,j] u[i,j] image[{output}]`",
                "with `u[i,j] = δ` times the weight of its window where it wins there and is positive, elsewhere 0",
            ),
            named_by="network.gradients_are_the_chain_rule",
            is_kinked=has_kink,
            faults=gradient_faults,
            separated=separated_gradient,
            parts=("kernel", "weights"),
            uses=(*FORWARD, *BACKWARD),
        ),
        _operation(
            "train_step",
            summary="The new kernel and weights: both moved by −learning_rate times the gradients at the old ones.",
            takes=_STEP,
            gives=(Kind.KERNEL, Kind.POOLED_WEIGHTS),
            shapes=_parameters,
            value=lambda case: network.step_values(*case.arguments(*POINT, "learning_rate")),
            formulas=("`kernel' = kernel − η ∂C/∂kernel`", "`weights' = weights − η ∂C/∂weights`"),
            named_by="training.train_step_moves_by_the_old_gradients",
            is_kinked=has_kink,
            faults=step_faults,
            separated=separated_step,
            parts=("kernel", "weights"),
            uses=(*FORWARD, *BACKWARD, "gradients"),
        ),
    ),
    kinds=_STEP,
    read=network_cases.read_smooth,
    larger=network_cases.larger,
    smaller=network_cases.smaller,
    fresh=network_cases.fresh,
    plain=network_cases.plain,
    pairs=lambda limits: limits.networks(),
    pair=pair_of,
    exponents=network_cases.exponents,
    windows=network_cases.windows,
    stages=_stages,
    rests_on_others=True,
)
