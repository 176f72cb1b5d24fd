"""The right functions, of which mistakes are made; at kinks each makes one legal choice of several."""

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

import numpy as np

from ..harness.core.setting import setting
from ..harness.core.values import Kind
from ..harness.edits.code import written
from ..layers import OPERATIONS


def single(operation: str) -> Callable[..., Any]:
    """The right function of one image and channel, (H, W): the fastest way to write it, or else the oracle."""
    if ways := written(operation, setting().flips):
        return ways[-1].made()
    signature, oracle = OPERATIONS[operation], full(operation)

    def answer(*arguments: Any) -> Any:
        given = oracle(*map(_widened, signature.takes.values(), arguments))
        parts = given if isinstance(given, tuple) else (given,)
        narrow = tuple(map(_narrowed, signature.gives, parts))
        return narrow if len(narrow) > 1 else narrow[0]

    return answer


def with_parameters(operation: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of positional arguments as one that takes the operation's by name too, if it has options."""
    if not OPERATIONS[operation].options:
        return function
    kind = Parameter.POSITIONAL_OR_KEYWORD
    signature = Signature([Parameter(name, kind) for name in OPERATIONS[operation].parameters])

    def answer(*arguments: Any, **options: Any) -> Any:
        return function(*signature.bind(*arguments, **options).args)

    answer.__signature__ = signature  # type: ignore[attr-defined]
    return answer


def full(operation: str) -> Callable[..., Any]:
    """The right function of arrays with all their axes."""
    signature = OPERATIONS[operation]

    def answer(*arguments: Any) -> Any:
        parts = tuple(value.value for value in signature.value(signature.case(arguments)))
        return parts if len(parts) > 1 else parts[0]

    return answer


def _widened(kind: Kind, value: Any) -> Any:
    if kind in (Kind.IMAGES, Kind.KERNEL):
        return value[None, None]
    return np.array([value]) if kind is Kind.NUMBERS else value


def _narrowed(kind: Kind, value: Any) -> Any:
    if kind in (Kind.IMAGES, Kind.KERNEL):
        return value[0, 0]
    return float(np.ravel(value)[0]) if kind in (Kind.NUMBERS, Kind.SCALAR) else value
