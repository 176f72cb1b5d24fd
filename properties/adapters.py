"""Helpers for targets that are made of someone else's code; `examples/` shows each of them at work.

Foreign layers differ in what surrounds their arithmetic: axes, state, caches, updates in place of gradients. `value`
and `gradients` are what the contract asks for: `value(x, *parameters)`, and `gradients(x, *parameters, upstream)`, a
tuple with the gradient for `x` first.
"""

import math
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .harness.target.modules import module_from

__all__ = ["Layer", "axes", "between", "from_layer", "from_pair", "from_update", "kept", "module_from"]

Value = Callable[..., ArrayLike]
Gradients = Callable[..., tuple[ArrayLike, ...]]
Make = Callable[..., Any]  # makes a layer of its parameters

RATE = 2.0**60
_KEPT = 64


class Layer:
    """A layer that no table knows: `forward(*arrays)` and `backward(*arrays, *upstream)`, for a target's `LAYERS`.

    `forward` gives an array or a tuple of them, and `backward`, which takes an upstream gradient for each of these, a
    gradient for each array that has one, in their order. The `arrays` are told by name: by their shape, as `x=(2, 3)`,
    of which a side may be a letter, as `x=("N", 3)` or `W=("D", "4H")`, that is one size wherever it stands; or with
    `between(shape, low, high)` by shape and range. What has no gradient, as labels, masks or a stride, is given by a
    list of values, by a Hypothesis strategy, or by a function that makes either of sizes, as
    `labels=lambda N, C: arrays(int, N, elements=integers(0, C - 1))`.

    `CannotLoad` is raised, in a line, when a target declares what does not fit.
    Source of the form: PyTorch's `gradcheck`, which takes a function and its inputs.
    """

    def __init__(self, forward: Callable[..., Any], backward: Callable[..., Any], /, **arrays: Any) -> None:
        self.forward, self.backward, self.arrays, self.rows = forward, backward, arrays, ""

    @classmethod
    def of(cls, make: Make, /, *names: str, **arrays: Any) -> "Layer":
        """Such a layer of a class: `make(*parameters)` is called as `from_layer` does, `x` is the first of the arrays.

        `names` are the attributes in which its `backward` leaves the gradients for parameters.
        """
        return cls(*from_layer(make, *names), **arrays)

    def with_rows(self, letter: str) -> "Layer":
        """The same layer, which declares that rows of this letter, a first axis, do not influence each other."""
        layer = type(self)(self.forward, self.backward, **self.arrays)
        layer.rows = letter
        return layer


class Between(NamedTuple):
    """An array of this shape, whose entries lie between two numbers."""

    shape: tuple[int | str, ...]
    low: float
    high: float


def between(shape: tuple[int | str, ...], low: float, high: float) -> Between:
    """An array for a `Layer`, whose entries lie between two numbers, as probabilities do, or what a logarithm takes."""
    return Between(shape, low, high)


def axes(array: ArrayLike, given: str, wanted: str) -> NDArray[Any]:
    """`array`, whose axes are named by the letters `given`, as a view whose axes are those `wanted`.

    Letters of both are transposed; one of `wanted` alone is put on with size 1, one of `given` alone has size 1 and is
    taken off: `axes(image, "HW", "NCHW")` has shape (1, 1, H, W), `axes(kernel, "hw", "hwCF")` (h, w, 1, 1), and
    `axes(answer, "NHWC", "HW")` (H, W). `ValueError` for a letter twice, another number of axes than letters, or an
    axis to be taken off that is longer. Source: einops (Rogozhnikov, ICLR 2022), for axes by name.
    """
    array = np.asarray(array)
    if len(set(given)) < len(given) or len(set(wanted)) < len(wanted):
        raise ValueError(f"a letter names one axis, but {given!r} to {wanted!r} has one twice")
    if array.ndim != len(given):
        raise ValueError(f"{given!r} names {len(given)} axes, but the array's shape is {array.shape}")
    off = tuple(number for number, letter in enumerate(given) if letter not in wanted)
    for number in off:
        if array.shape[number] != 1:
            raise ValueError(
                f"axis {given[number]} of {given!r} must be 1 to be taken off, but the shape is {array.shape}"
            )
    left = [letter for letter in given if letter in wanted]
    put = tuple(number for number, letter in enumerate(wanted) if letter not in given)
    order = [left.index(letter) for letter in wanted if letter in given]
    return np.expand_dims(array.squeeze(off).transpose(order), put)


def from_pair(
    forward: Callable[..., tuple[Any, Any]], backward: Callable[[Any, Any], tuple[Any, ...]]
) -> tuple[Value, Gradients]:
    """`value` and `gradients` of `output, cache = forward(x, …)` and `dx, … = backward(upstream, cache)`.

    Shapes are theirs, and so is whatever they raise. Source: the assignments of Stanford's CS231n.
    """

    def value(*arguments: ArrayLike) -> ArrayLike:
        return forward(*arguments)[0]

    def gradients(*arguments: ArrayLike) -> tuple[ArrayLike, ...]:
        *inputs, upstream = arguments
        given = backward(upstream, forward(*inputs)[1])
        return tuple(given) if isinstance(given, tuple | list) else (given,)

    return value, gradients


def from_layer(make: Make, *names: str) -> tuple[Value, Gradients]:
    """`value` and `gradients` of a layer `make(*parameters)` that has `forward(x)` and `backward(upstream)`.

    The gradients are what `backward` returns and then, by their `names`, the attributes in which it leaves those for
    parameters. `make` builds the layer anew for each call, unless it is `kept`; initial weights that it draws then cost
    nobody else's generator a number. Shapes and errors are the layer's.
    Source: Torch's modules (Collobert, Kavukcuoglu & Farabet, 2011).
    """

    def value(x: ArrayLike, *parameters: ArrayLike) -> ArrayLike:
        return _built(make, parameters).forward(x)

    def gradients(x: ArrayLike, *arguments: ArrayLike) -> tuple[ArrayLike, ...]:
        *parameters, upstream = arguments
        layer = _built(make, parameters)
        layer.forward(x)
        return (layer.backward(upstream), *(getattr(layer, name) for name in names))

    return value, gradients


def kept(make: Make) -> Make:
    """`make(*parameters)`, but for equal arrays the same layer as before, as a loop over images would use it.

    What a layer carries over from one call to the next then shows: a gradient that piles up is refuted by
    `calls.keeps_the_contract`. The 64 layers used last are kept. `make` gets arrays of its own, and may draw initial
    weights; what it raises is passed on.
    """
    layers: dict[object, Any] = {}

    def made(*parameters: ArrayLike) -> Any:
        arrays = [np.array(parameter, order="C") for parameter in parameters]
        key = tuple((array.shape, array.dtype.str, array.tobytes()) for array in arrays)
        layers[key] = layer = layers.pop(key) if key in layers else _built(make, arrays)
        if len(layers) > _KEPT:
            del layers[next(iter(layers))]
        return layer

    return made


def _built(make: Make, parameters: Sequence[ArrayLike]) -> Any:
    """A layer. Its making is not what is checked, so the random states are put back to what they were."""
    state, legacy = random.getstate(), np.random.get_state(legacy=False)  # noqa: NPY002
    try:
        return make(*parameters)
    finally:
        random.setstate(state)
        np.random.set_state(legacy)  # noqa: NPY002


def from_update(update: Callable[[float], ArrayLike], before: ArrayLike, rate: float = RATE) -> NDArray[Any]:
    """The gradient g of a parameter that is seen only as `update(rate) = before − rate · g`: `(before − after) / rate`.

    It has the parameter's shape; what `update` raises is passed on. With the usual rates the parameter's own rounding
    drowns the gradient: `after` is off by u |before − rate g|, u = eps/2, which the quotient divides by the rate. With
    rate = 2^n the product and the quotient are exact (but for over- and underflow), and the two subtractions give
    `g (1 + 2u) + u |before| / 2^n` to first order: one unit, and half a unit of `before / 2^n`, so below the four that
    the contract allows wherever `|before| ≤ 2^n · 6 |g|`. Where 2^60 is not enough for that, and no
    other rate is given, `update` is called again with the largest power of two at which nothing overflows. Source:
    Higham, Accuracy and Stability of Numerical Algorithms, 2.2.
    """
    before = np.array(before)  # an update in place must not change it
    gradient = (before - np.asarray(update(rate))) / rate
    drowning = float(np.abs(before).max(initial=0.0)) / rate
    largest = float(np.abs(gradient).max(initial=0.0)) + drowning  # no entry of the gradient is larger
    if rate == RATE and drowning > largest / 2 and np.isfinite(largest):
        rate = 2.0 ** min(1000 - math.ceil(math.log2(largest)), 1023)
        gradient = (before - np.asarray(update(rate))) / rate
    return gradient
