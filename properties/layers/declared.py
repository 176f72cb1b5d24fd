"""The operations of the network, as the machine knows them."""

from collections.abc import Iterator

import numpy as np

from ..harness.core.kinds import Kind
from ..harness.core.limits import POOL
from ..harness.core.tape import Case
from ..harness.core.values import Value
from . import network, network_cases
from .activations import relu
from .convolution import pair_of
from .network import BACKWARD, FORWARD, POINT
from .registry import Layer, Sides, Signature, Stage
from .subgradients import gradient_faults, has_kink, step_faults

_PREDICT = {"image": Kind.IMAGES, "kernel": Kind.KERNEL, "weights": Kind.POOLED_WEIGHTS}
_POINT = {"image": Kind.IMAGES, "target": Kind.NUMBERS, "kernel": Kind.KERNEL, "weights": Kind.POOLED_WEIGHTS}
_STEP = {**_POINT, "learning_rate": Kind.RATE}


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


NETWORK = Layer(
    network_cases.NAME,
    operations=(
        Signature(
            "predict",
            takes=_PREDICT,
            gives=(Kind.NUMBERS,),
            shapes=lambda case: ((len(case.image),),),
            value=_prediction,
            formulas=(
                "`p = arctan(s)`, `s = pooled · weights`",
                "`pooled = max_pool(relu(conv2d(image, kernel)))`, flattened by rows to (1, n)",
            ),
            named_by="network.predict_is_the_composition",
            smooth=network_cases.read_smooth,
            follows="convolution",
            kinked=network_cases.read_kinked,
            uses=FORWARD,
        ),
        Signature(
            "cost",
            takes=_POINT,
            gives=(Kind.SCALAR,),
            shapes=lambda case: ((),),
            value=lambda case: (network.values_of(case).cost,),
            formulas=("`C = (p − t)² / 2`",),
            named_by="network.cost_is_half_the_squared_error",
            smooth=network_cases.read_smooth,
            follows="convolution",
            kinked=network_cases.read_kinked,
            uses=(*FORWARD, "predict"),
        ),
        Signature(
            "gradients",
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
            smooth=network_cases.read_smooth,
            follows="convolution",
            kinked=network_cases.read_kinked,
            is_kinked=has_kink,
            faults=gradient_faults,
            parts=("kernel", "weights"),
            uses=(*FORWARD, *BACKWARD),
        ),
        Signature(
            "train_step",
            takes=_STEP,
            gives=(Kind.KERNEL, Kind.POOLED_WEIGHTS),
            shapes=_parameters,
            value=lambda case: network.step_values(*case.arguments(*_STEP)),
            formulas=("`kernel' = kernel − η ∂C/∂kernel`", "`weights' = weights − η ∂C/∂weights`"),
            named_by="training.train_step_moves_by_the_old_gradients",
            smooth=network_cases.read_smooth,
            follows="convolution",
            kinked=network_cases.read_kinked,
            is_kinked=has_kink,
            faults=step_faults,
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
