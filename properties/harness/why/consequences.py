"""What a failure of the network follows from: a right network gives the very same answers with that layer in it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...layers import bounds, membership
from ...mistakes import right
from ..checking.comparison import agree, agree_throughout
from ..checking.fixed_cases import kinked, smooth
from ..core.cases import Case
from ..core.limits import POOL
from ..core.trial import current, unrecorded
from ..target.target import Failure, Operation

CASES = 12
_FORWARD = ("conv2d", "relu", "max_pool", "dense", "arctan")
_BACKWARD = ("relu_derivative", "arctan_derivative", "max_pool_gradient", "dense_gradients", "conv2d_kernel_gradient")
PARTS = {
    "predict": _FORWARD,
    "cost": (*_FORWARD, "predict"),
    "gradients": (*_FORWARD, *_BACKWARD),
    "train_step": (*_FORWARD, *_BACKWARD, "gradients"),
}

Functions = Mapping[str, Callable[..., Any]]


def causes(name: str, fits: Callable[[Callable[..., Any]], bool]) -> tuple[str, ...]:
    """The target's own wrong operations that alone make a right network answer as its operation `name` does.

    `fits` says whether a function gives the target's answers. Nothing, if they do not explain them.
    """
    offered = current().target.operations
    wrong = [part for part in PARTS.get(name, ()) if part in offered and is_wrong(offered[part])]
    for chosen in [[part] for part in wrong] + [wrong] * (len(wrong) > 1):
        if fits(composed(name, {part: offered[part].raw for part in chosen})):
            for part in chosen[:-1]:
                rest = [one for one in chosen if one != part]
                if fits(composed(name, {one: offered[one].raw for one in rest})):
                    chosen = rest
            return tuple(chosen)
    return ()


def composed(name: str, given: Functions) -> Callable[..., Any]:
    """One operation of the network, made of the operations that are `given` and of right ones for the rest."""

    def part(operation: str, *arguments: Any) -> Any:
        if operation in given:
            return given[operation](*arguments)
        return composed(operation, given)(*arguments) if operation in PARTS else right(operation)(*arguments)

    def predict(image: Any, kernel: Any, weights: Any) -> Any:
        activated = part("relu", part("conv2d", image, kernel))
        features = np.reshape(part("max_pool", activated, POOL), (1, -1))
        return np.asarray(part("arctan", part("dense", features, weights))).item()

    def cost(image: Any, target: float, kernel: Any, weights: Any) -> Any:
        return (part("predict", image, kernel, weights) - target) ** 2 / 2

    def gradients(image: Any, target: float, kernel: Any, weights: Any) -> Any:
        convolved = part("conv2d", image, kernel)
        activated = part("relu", convolved)
        pooled = part("max_pool", activated, POOL)
        features = np.reshape(pooled, (1, -1))
        weighted = part("dense", features, weights)
        delta = (part("arctan", weighted) - target) * part("arctan_derivative", weighted)
        features_gradient, weights_gradient = part("dense_gradients", features, weights, delta)
        upstream = part("max_pool_gradient", activated, POOL, np.reshape(features_gradient, np.shape(pooled)))
        upstream = upstream * part("relu_derivative", convolved)
        return part("conv2d_kernel_gradient", image, kernel, upstream), weights_gradient

    def train_step(image: Any, target: float, kernel: Any, weights: Any, learning_rate: float) -> Any:
        moves = part("gradients", image, target, kernel, weights)
        return kernel - learning_rate * moves[0], weights - learning_rate * moves[1]

    made: Functions = {"predict": predict, "cost": cost, "gradients": gradients, "train_step": train_step}
    return made[name]


def is_wrong(operation: Operation) -> bool:
    """Whether an operation of the target is wrong by itself, on a few cases off kinks and at them; asked once."""
    trial = current()
    if operation.name not in trial.wrong:
        layer = operation.signature.layer
        with unrecorded():
            wrong = any(is_wrong_at(operation, case, True) for case in smooth(layer, CASES)) or any(
                is_wrong_at(operation, case, False) for case in kinked(layer, CASES)
            )
        trial.wrong[operation.name] = wrong
    return trial.wrong[operation.name]


def is_wrong_at(operation: Operation, case: Case, is_smooth: bool) -> bool:
    """Whether the answer there is wrong; what the target leaves out is not."""
    try:
        if is_smooth:
            agree_throughout(operation, case)
            return False
        return not _is_legal(operation, case)
    except NotImplementedError:
        return False
    except Failure:
        return True


def _is_legal(operation: Operation, case: Case) -> bool:
    """Whether the answer at a kink is one of those that some choice of subgradients gives."""
    name = operation.name
    if name not in ("max_pool_gradient", "gradients", "train_step", "relu_derivative"):
        agree_throughout(operation, case)
        return True
    answer = operation(*case.arguments(*operation.signature.parameters))
    if name == "max_pool_gradient":
        membership.require_subgradient(answer, case)
        return True
    if name == "relu_derivative":
        return bool(((answer >= 0) & (answer <= 1))[case.x == 0].all())
    one_choice, rate = bounds.of(name, case), case.learning_rate if name == "train_step" else 0.0
    agree(answer[1], one_choice[1], name)
    if name == "train_step" and not rate:
        agree(answer[0], one_choice[0], name)
        return True
    gradient = (case.kernel - answer[0]) / rate if rate else answer[0]
    distance, allowed = membership.distance(
        gradient, case, bounds.forward(*case.arguments("image", "target", "kernel", "weights"))
    )
    return distance <= allowed + (bounds.norm(one_choice[0].allowed) / rate if rate else 0.0)
