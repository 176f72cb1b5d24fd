"""Finding out, by probing, what a target chose where the contract leaves it the choice."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ...layers import bounds
from ..core.single import single
from ..core.trial import Conventions, on_trial
from ..target.target import Array, Failure, Target
from ..target.timeouts import OutOfTime
from .support import explored

FOUND_BY = {
    "convolution": (
        *("conv2d", "conv2d_kernel_gradient", "conv2d_image_gradient"),
        *("predict", "gradients", "cost", "train_step"),
    ),
    "ties": ("max_pool_gradient",),
    "relu_derivative_at_zero": ("relu_derivative",),
}
_PROBES = 5
_TIE_RULES: dict[str, Callable[[Any], Any]] = {
    "first": lambda tied: np.eye(tied.size)[tied.argmax()],
    "last": lambda tied: np.eye(tied.size)[tied.size - 1 - tied[::-1].argmax()],
    "even split": lambda tied: tied / tied.sum(),
    "all": lambda tied: tied * 1.0,
}


def examined(target: Target, growth: int = 0) -> tuple[Target, Conventions]:
    """The target with the shapes that it implements, and the conventions that it follows, found without `growth`."""
    target = explored(target)
    conventions = find(target)
    if growth:
        target = explored(replace(target, limits=replace(target.limits, left_out=frozenset(), growth=growth)))
    return target, conventions


def look_of(target: Target, conventions: Conventions) -> dict[str, Any]:
    """What a first look found, in plain values: for a process that is not to look for itself."""
    return {
        "offered": list(target.operations),
        "left_out": target.limits.left_out,
        "growth": target.limits.growth,
        "conventions": asdict(conventions),
    }


def with_look(target: Target, look: dict[str, Any]) -> tuple[Target, Conventions]:
    """What `examined` gave, from what that found."""
    operations = {name: target.operations[name] for name in look["offered"]}
    limits = replace(target.limits, left_out=look["left_out"], growth=look["growth"])
    return replace(target, operations=operations, limits=limits), Conventions(**look["conventions"])


def find(target: Target) -> Conventions:
    """The target's conventions; each stays None where it offers nothing to find it by, or fits nothing known.

    Of a target with channels or batches they are found with one of each.
    """
    target = single(target)
    return Conventions(_convolution(target), _ties(target), _relu_derivative_at_zero(target))


def _answer(target: Target, operation: str, *arguments: Any) -> Any:
    try:
        return target.operations[operation](*arguments)
    except (Failure, NotImplementedError, OutOfTime):
        return None  # the properties will say so


def _convolution(target: Target) -> str | None:
    """The first operation to agree with one of the two on more probes decides: layers before the network.

    One that agrees with neither decides by being a multiple of one of them.
    """
    for operation in FOUND_BY["convolution"]:
        if operation in target.operations:
            votes = {name: _agreements(target, operation, name) for name in ("convolution", "correlation")}
            if votes["convolution"] != votes["correlation"]:
                return max(votes, key=lambda name: votes[name])
    return None


def _agreements(target: Target, operation: str, convention: str) -> tuple[bool, bool, int]:
    """Whether the operation gives what it should on most probes under this convention, or a multiple; on how many."""
    layer = target.operations[operation].signature.layer
    pairs = target.limits.convolutions() if layer == "convolution" else target.limits.networks()
    left_out = target.limits.left_out
    pairs = tuple(pair for pair in pairs if pair[0] != (1, 1) and (layer, pair) not in left_out)
    generator = np.random.default_rng(7839)
    agreements, answers, wanted = 0, [np.zeros(0)], [np.zeros(0)]
    with on_trial(target, Conventions(convention)):
        for kernel_shape, shape in pairs[:: len(pairs) // _PROBES + 1]:
            image, kernel = (generator.integers(-32, 33, size) / 16 for size in (shape, kernel_shape))
            output = shape[0] - kernel_shape[0] + 1, shape[1] - kernel_shape[1] + 1
            case = {
                "image": image,
                "kernel": kernel,
                "upstream": generator.integers(-32, 33, output) / 16,
                "target": 0.5,
                "learning_rate": 0.5,
                "weights": generator.integers(1, 33, (max(output[0] * output[1] // 4, 1), 1)) / 64,
            }
            expected = bounds.of(operation, case)[0]
            arguments = [case[name] for name in target.operations[operation].signature.parameters]
            answer = _answer(target, operation, *arguments)
            answer = answer[0] if isinstance(answer, tuple) else answer
            if answer is not None:
                agreements += bool(np.all(np.abs(answer - expected.value) <= expected.allowed))
                answers.append(np.ravel(answer))
                wanted.append(np.ravel(expected.value))
    return 2 * agreements >= len(answers), _is_multiple(np.concatenate(answers), np.concatenate(wanted)), agreements


def _is_multiple(answers: Array, wanted: Array) -> bool:
    factor = float(answers @ wanted) / (float(wanted @ wanted) or 1.0)
    allowed = 1e-6 * np.abs(answers).max(initial=0.0)
    return bool(factor and (np.abs(answers - factor * wanted) <= allowed).all())


def _ties(target: Target) -> str | None:
    pairs = target.limits.poolings(tied=True)
    if "max_pool_gradient" not in target.operations or not pairs:
        return None
    window, shape = min(pairs, key=lambda pair: pair[0] != (2, 2))
    size = window[0] * window[1]
    rules = set(_TIE_RULES)
    for tied in (np.ones(size), np.arange(size) % 2 == 1, np.arange(size) >= size - 2):
        if tied.sum() < 2:
            continue
        x: Array = np.tile(np.reshape(tied * 1.0, window), (shape[0] // window[0], shape[1] // window[1]))
        upstream = np.arange(1.0, x.size // size + 1).reshape(shape[0] // window[0], shape[1] // window[1])
        answer = _answer(target, "max_pool_gradient", x, window, upstream)
        if answer is None:
            return None
        weights = answer[: window[0], : window[1]].ravel() / upstream[0, 0]
        rules = {rule for rule in rules if np.allclose(_TIE_RULES[rule](tied), weights, rtol=1e-6)}
    return rules.pop() if len(rules) == 1 else "other"


def _relu_derivative_at_zero(target: Target) -> float | None:
    if "relu_derivative" not in target.operations:
        return None
    answer = _answer(target, "relu_derivative", np.zeros(1))
    return None if answer is None else float(answer[0])
