"""A network that a target declares, `NETWORK = [("conv2d", {"bias": True}), "relu", …, "softmax_cross_entropy"]`: its
values and the chain rule, with what rounding may add to them.

Source: Rumelhart, Hinton & Williams, Nature 323, 1986.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ...harness.core.setting import setting
from ...harness.core.tape import Case
from ...harness.core.values import ALLOWED, LIBRARY, Array, Kind, Value, within
from ..plain.turns import LENET, Stage, of_squares
from .stages import STAGES, Bounded, Kinked, Options

LOSSES = ("squared_error", "softmax_cross_entropy")
OF_IMAGES = ("conv2d", "max_pool", "average_pool")
FLAG, PAIRS = "bias", ("window", "stride", "padding", "dilation")


def parsed_network(declared: Any) -> tuple[Stage, ...]:
    """A declaration in one form: each stage's name and options. `ValueError` says what is wrong with it."""
    if not isinstance(declared, list | tuple) or not declared:
        raise ValueError('NETWORK must be a list of layers, as ["flatten", ("dense", {"bias": True}), "squared_error"]')
    stages = tuple(_stage(one) for one in declared)
    names = [name for name, _ in stages]
    if names[-1] not in LOSSES or set(names[:-1]) & set(LOSSES):
        raise ValueError(f"NETWORK must end with its loss, one of {' and '.join(LOSSES)}, and have no other")
    flat = names.index("flatten") if "flatten" in names else 0
    if "dense" not in names or names.count("flatten") > 1 or set(names[:flat]) & {"dense"}:
        raise ValueError("NETWORK must have a dense layer, after at most one flatten")
    if set(names[flat:]) & set(OF_IMAGES):
        raise ValueError(f"NETWORK: {', '.join(OF_IMAGES)} take images, and need a flatten behind them")
    return stages


def _stage(declared: Any) -> Stage:
    name, options = declared if isinstance(declared, list | tuple) and len(declared) == 2 else (declared, {})
    if name not in (*STAGES, *LOSSES):
        raise ValueError(f"NETWORK: there is no layer {name!a}; there are {', '.join((*STAGES, *LOSSES))}")
    kind = STAGES.get(name)
    known, required = (kind.options, kind.required) if kind else ((), ())
    if not isinstance(options, dict) or set(options) - set(known) or set(required) - set(options):
        has = f"the options {', '.join(known)}" if known else "no options"
        needs = f", of which it must have {', '.join(required)}" if required else ""
        raise ValueError(f"NETWORK: {name} has {has}{needs}, not {options!a}")
    return str(name), tuple((key, _option(name, key, value)) for key, value in sorted(options.items()))


def _option(name: str, key: str, value: Any) -> Any:
    if key == FLAG:
        return bool(value)
    try:
        if key not in PAIRS:
            return float(value)
        rows, columns = value
        pair = int(rows), int(columns)
    except (TypeError, ValueError):
        raise ValueError(f"NETWORK: the {key} of {name} must be (rows, columns), not {value!a}") from None
    if min(pair) < (key != "padding"):
        raise ValueError(f"NETWORK: the {key} of {name} must be positive, not {value!a}")
    return pair


class Layered(NamedTuple):
    """One stage of the network under way: its name and options, and the names of its parameters in a case."""

    name: str
    options: Options
    parameters: tuple[str, ...]


def network() -> tuple[tuple[Layered, ...], str]:
    """The stages of the network that is declared, and its loss."""
    return _layered(setting().network or LENET)


@cache
def _layered(declared: tuple[Stage, ...]) -> tuple[tuple[Layered, ...], str]:
    *stages, (loss, _) = declared
    layered, number = list[Layered](), 0
    for name, given in stages:
        options = dict(given)
        number += name in _PARAMETERS
        own = [_PARAMETERS[name]] if name in _PARAMETERS else []
        own += [FLAG] if options.pop(FLAG, False) else []
        layered.append(Layered(name, options, tuple(f"{part}{number}" for part in own)))
    return tuple(layered), loss


_PARAMETERS = {"conv2d": "kernel", "dense": "weights"}
_KINDS = {"kernel": Kind.KERNEL, "weights": Kind.WEIGHTS, "bias": Kind.BIAS}


def parameters() -> dict[str, Kind]:
    """The network's parameters by the names that they have in a case, in the order of its layers."""
    names = [name for one in network()[0] for name in one.parameters]
    return {name: _KINDS[name.rstrip("0123456789")] for name in names}


def label_kind() -> Kind:
    """What the target is: a distribution over the classes, or numbers like the outputs."""
    return Kind.LABELS if network()[1] == "softmax_cross_entropy" else Kind.FEATURES


class Walk(NamedTuple):
    """What each stage took, first the image, and last the outputs."""

    taken: list[Bounded]

    @property
    def outputs(self) -> Bounded:
        """What the last stage gave: (N, m)."""
        return self.taken[-1]


def forward(case: Case) -> Walk:
    """The network of a case stage by stage."""
    taken = [Bounded(case.image, np.zeros(case.image.shape))]
    for one in network()[0]:
        taken.append(STAGES[one.name].forward(taken[-1], case.arguments(*one.parameters), one.options))
    return Walk(taken)


def kinks(walk: Walk) -> list[Kinked]:
    """What each stage that is not differentiable everywhere decides, and the room for it."""
    layered, before = network()[0], ""
    found = []
    for one, x in zip(layered, walk.taken, strict=False):
        if bent := STAGES[one.name].kinks:
            found.append(bent(x, one.options, before == "relu"))
        before = one.name
    return found


class Back(NamedTuple):
    """What reaches a stage on the way back, and the gradients for the parameters of those behind it by their names."""

    reaching: Bounded
    gradients: dict[str, Bounded]


def backward(case: Case, walk: Walk, upstream: Bounded, stop: int | None = None, start: int = 0) -> Back:
    """The way back from behind the stage before `stop`, where upstream reaches, to the stage `start`; or all of it."""
    found: dict[str, Bounded] = {}
    for one, x in reversed(list(zip(network()[0], walk.taken, strict=False))[start:stop]):
        given = case.arguments(*one.parameters)
        upstream, gradients = STAGES[one.name].backward(x, given, one.options, upstream)
        found |= zip(one.parameters, gradients, strict=True)
    return Back(upstream, {name: found[name] for name in parameters() if name in found})


def cost_of(outputs: Bounded, labels: Array) -> Value:
    """The loss, a mean over the images unless it is declared to be their sum, with its bound."""
    rows, error = _losses(outputs, labels)
    count = 1 if setting().reduction == "sum" else len(rows)
    rounding = (ALLOWED + 2 * len(rows)) * setting().eps * np.abs(rows).sum()
    return within(rows.sum() / count, (error.sum() + rounding) / count)


def _losses(outputs: Bounded, labels: Array) -> tuple[Array, Array]:
    """The loss of each image, and what it may be off by: `log Σ exp z − ⟨z, t⟩`, or half the squared distance.

    The first is 2-Lipschitz in the largest change of z; its terms round by eps times their sizes, and a softmax of m
    classes by m + the library's units besides.
    """
    z, eps = outputs.value, setting().eps
    units = ALLOWED + 2 * LIBRARY + 2 * z.shape[1]
    if network()[1] == "squared_error":
        residual, factor = z - labels, of_squares(1.0, z.shape[1])
        off = outputs.error + ALLOWED * eps * (np.abs(z) + np.abs(labels))
        error = 2 * np.abs(residual) * off + off**2 + units * eps * residual**2
        return factor * (residual**2).sum(axis=1), factor * error.sum(axis=1)
    highest = z.max(axis=1)
    spread = np.log(np.exp(z - highest[:, None]).sum(axis=1))
    size = np.abs(z).max(axis=1) + spread + 1
    losses = spread + ((highest[:, None] - z) * labels).sum(axis=1)
    return losses, 2 * outputs.error.max(axis=1) + units * eps * size


def upstream_of(outputs: Bounded, labels: Array) -> Bounded:
    """The loss's gradient for the outputs: `(softmax(z) − t) / N`, or the residual over N; for a sum without N.

    The softmax is off by at most its own size times twice the largest error of a row, and times the rounding of its
    exponents and its sum.
    """
    z, eps = outputs.value, setting().eps
    count = 1 if setting().reduction == "sum" else len(z)
    units = ALLOWED + 2 * LIBRARY + 2 * z.shape[1]
    if network()[1] == "squared_error":
        factor = 2 * of_squares(1.0, z.shape[1])
        off = outputs.error + units * eps * (np.abs(z) + np.abs(labels))
        return Bounded(factor * (z - labels) / count, factor * off / count)
    exponents = z - z.max(axis=1, keepdims=True)
    softmax = np.exp(exponents) / np.exp(exponents).sum(axis=1, keepdims=True)
    relative = 2 * outputs.error.max(axis=1, keepdims=True) + eps * (units + 2 * np.abs(z).max(axis=1, keepdims=True))
    error = softmax * relative + ALLOWED * eps * (softmax + labels)
    return Bounded((softmax - labels) / count, error / count + setting().tiny)


def gradients_of(case: Case) -> tuple[Value, ...]:
    """The cost's gradients for every parameter, off every kink."""
    walk = forward(case)
    found = backward(case, walk, upstream_of(walk.outputs, case.target)).gradients
    return tuple(within(one.value, one.error) for one in found.values())


def stepped_of(case: Case) -> tuple[Value, ...]:
    """Every parameter after one step: the gradients' errors times the rate, and the rounding of the subtraction.

    A gradient's terms may be taken off the parameter one by one, as many as there are positions in the images at most.
    """
    rate, found = case.learning_rate, []
    for name, gradient in zip(parameters(), gradients_of(case), strict=True):
        step = rate * gradient.value
        rounding = (ALLOWED + case.image.size) * setting().eps * (np.abs(case[name]) + np.abs(step))
        found.append(within(case[name] - step, abs(rate) * gradient.allowed + rounding))
    return tuple(found)


def moved(case: Case, gradients: Sequence[Array], rate: float) -> Case:
    """The case with its parameters moved against these gradients."""
    return case.changed(**{name: case[name] - rate * one for name, one in zip(parameters(), gradients, strict=True)})
