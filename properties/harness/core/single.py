"""A target with channels or batches seen as one without: one image, one channel, one filter."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..target.target import HW, Operation, Target
from .cases import Case
from .layout import Layout

_LAYERS = ("convolution", "pooling", "network")
_IMAGES = ("image", "x", "upstream")


def single(target: Target) -> Target:
    """The target as its operations on (H, W) arrays make it: axes of size 1 are added, and taken away from answers."""
    if target.layout == HW:
        return target
    operations = {name: single_operation(one) for name, one in target.operations.items()}
    return replace(target, operations=operations, layout=HW)


def single_operation(operation: Operation) -> Operation:
    """One operation so; those of arrays without channels stay as they are."""
    if operation.signature.layer not in _LAYERS:
        return Operation(operation.name, operation.function, world=operation.world)
    return Operation(operation.name, _on_sides(operation), world=operation.world)


def _on_sides(operation: Operation) -> Callable[..., Any]:
    layout, signature = operation.layout, operation.signature

    def answer(*arguments: Any) -> Any:
        given = [widened(layout, name, value) for name, value in zip(signature.parameters, arguments, strict=True)]
        wanted = signature.answer(HW, *arguments)
        answered = operation.function(*given)
        parts = answered if len(wanted) > 1 and isinstance(answered, tuple | list) else [answered]
        parts = [_narrowed(part, shape) for part, shape in zip(parts, wanted, strict=False)]
        return parts[0] if len(wanted) == 1 else parts

    return answer


def widened(layout: Layout, name: str, value: Any) -> Any:
    """An argument of a target without channels, as a view with axes of size 1 for this layout."""
    if name == "target":
        return np.array([value]) if layout.batched else value
    if name in _IMAGES:
        return value.reshape(layout.shape(value.shape))
    return value.reshape(layout.kernel_shape(value.shape)) if name == "kernel" else value


def _narrowed(part: Any, shape: Any) -> Any:
    """What is of another size is left for the contract to refuse."""
    array = np.asarray(part)
    return array.reshape(shape) if shape and array.size == np.prod(shape) else part


def single_case(layout: Layout, case: Case) -> Case:
    """A case of the view, of one with a single image, channel and filter; else no case at all."""
    if len(case.get("features", [0])) > 1:
        return Case()
    shrunk = Case(case)
    for name in case.keys() & {"kernel", "target", *_IMAGES}:
        value = case[name]
        if name == "target":
            shrunk[name] = float(np.ravel(value)[0])
        elif np.ndim(value) == len(layout.name) or name == "kernel":
            sides = value.shape[-2:] if name == "kernel" else layout.sides(value)
            if value.size != sides[0] * sides[1]:
                return Case()
            shrunk[name] = value.reshape(sides)
    return shrunk
