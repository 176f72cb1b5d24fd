"""Mistakes that several images, channels or filters bring: of a target that is right with one of each.

They are apart from the rest of the catalogue, which is about one image of one channel. An answer that is confined to
some images or channels is 0 for the others.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import product
from typing import Any

import numpy as np

from ..harness.core.limits import POOL
from ..harness.core.values import changed_parts
from ..layers import OPERATIONS
from ..layers.pooling import grow, max_pool
from . import Mistake

Answer = Callable[..., Any]
_PER_IMAGE = ("image", "x", "upstream", "features", "target")
SUMMED = ("conv2d_kernel_gradient", "dense_gradients", "cost", "gradients", "train_step")
SEPARATE = ("conv2d", "conv2d_image_gradient", "max_pool", "max_pool_gradient")
NETWORK = ("predict", "cost", "gradients", "train_step")


def _unchanged(formula: Answer) -> Answer:
    return formula


def right(operation: str) -> Answer:
    """The right function of arrays with all their axes; at kinks it makes one legal choice of several."""
    signature = OPERATIONS[operation]

    def answer(*arguments: Any) -> Any:
        parts = tuple(value.value for value in signature.value(signature.case(arguments)))
        return parts if len(parts) > 1 else parts[0]

    return answer


def _only(array: Any, axis: int) -> Any:
    """Its first entry along an axis, the rest 0."""
    kept = np.zeros(array.shape)
    here = (slice(None),) * axis + (slice(0, 1),)
    kept[here] = array[here]
    return kept


def _copied(array: Any, axis: int) -> Any:
    """Its first entry along an axis, over and over."""
    return np.repeat(array.take([0], axis), array.shape[axis], axis)


def _swapped(kernel: Any) -> Any:
    return kernel.swapaxes(0, 1) if kernel.shape[0] == kernel.shape[1] else kernel


def _swapped_gradient(given: Any) -> Any:
    return (_swapped(given[0]), given[1]) if isinstance(given, tuple) else _swapped(given)


def _on(operation: str, kept: slice) -> Answer:
    """The right answer to some of the images alone."""

    def answer(*arguments: Any) -> Any:
        named = zip(OPERATIONS[operation].parameters, arguments, strict=True)
        part = right(operation)(*(value[kept] if name in _PER_IMAGE else value for name, value in named))
        return (right(operation)(*arguments)[0], part[1]) if operation == "dense_gradients" else part

    return answer


def _mean(operation: str) -> Answer:
    def answer(*arguments: Any) -> Any:
        given, count = right(operation)(*arguments), len(arguments[0])
        if operation == "train_step":
            return tuple(old + (new - old) / count for old, new in zip(arguments[2:4], given, strict=True))
        if operation == "dense_gradients":
            return given[0], given[1] / count
        return changed_parts(lambda part: part / count, given)

    return answer


def _every_target(operation: str) -> Answer:
    """The sum over every pair of an image and a target, as (N, 1) − (N,) makes it."""

    def answer(*arguments: Any) -> Any:
        def with_targets(shift: int) -> Any:
            return right(operation)(arguments[0], np.roll(arguments[1], shift), *arguments[2:])

        given = [with_targets(shift) for shift in range(len(arguments[0]))]
        if operation == "cost":
            return sum(given)
        olds = arguments[2:4] if operation == "train_step" else (0.0, 0.0)
        return tuple(old + sum(each[part] - old for each in given) for part, old in enumerate(olds))

    return answer


def _of_answer(operation: str, change: Callable[[Any], Any]) -> Answer:
    return lambda *arguments: change(right(operation)(*arguments))


def _of_arguments(operation: str, **changes: Callable[[Any], Any]) -> Answer:
    def answer(*arguments: Any) -> Any:
        named = zip(OPERATIONS[operation].parameters, arguments, strict=True)
        return right(operation)(*(changes[name](value) if name in changes else value for name, value in named))

    return answer


def _flattened(operation: str, channels_last: bool) -> Answer:
    """The features of each image with its channels last, or first where the layout has them last."""

    def answer(*arguments: Any) -> Any:
        named = dict(zip(OPERATIONS[operation].parameters, arguments, strict=True))
        sides = zip(named["image"].shape[2:], named["kernel"].shape[2:], POOL, strict=True)
        rows, columns = ((side - width + 1) // pool for side, width, pool in sides)
        shape = len(named["kernel"]), rows, columns
        places = np.arange(named["weights"].size).reshape(shape).transpose(1, 2, 0).ravel()
        if channels_last:
            places = places.argsort()
        named["weights"] = named["weights"][places]
        given = right(operation)(*named.values())
        if operation in ("gradients", "train_step"):
            weights = np.empty(given[1].shape)
            weights[places] = given[1]
            return given[0], weights
        return given

    return answer


def _winning_channel(x: Any, window: Any, upstream: Any) -> Any:
    pooled = max_pool(x, window)
    served = pooled == pooled.max(axis=1, keepdims=True)
    return right("max_pool_gradient")(x, window, upstream) * grow(served * 1.0, window)


def _all_channels(pooled: Any) -> Any:
    return np.broadcast_to(pooled.max(axis=1, keepdims=True), pooled.shape)


def _listed() -> Iterator[tuple[str, str, str, Answer, str, str]]:
    """Name, operation, what it computes, the formula, why people write it, and how to mend it."""
    for name in SUMMED:
        what = "the weights" if name == "dense_gradients" else "the batch"
        yield (
            "divided by the number of images",
            name,
            f"For {what} it is a mean over the images in place of their sum.",
            _mean(name),
            "losses of frameworks take the mean of a batch",
            "sum over the batch",
        )
        for which, kept, why in (
            ("first", slice(0, 1), "what worked for one image is called on `[0]`, or `return` stands inside the loop"),
            ("last", slice(-1, None), "`=` in the loop over the batch in place of `+=`"),
        ):
            told = f"Only the {which} image of a batch counts."
            yield f"{which} image alone", name, told, _on(name, kept), why, "add every image's share up"
    for name in NETWORK[1:]:
        yield (
            "every image with every target",
            name,
            "Each prediction is held against the targets of all images.",
            _every_target(name),
            "(N, 1) − (N,) broadcasts to (N, N)",
            "bring both into one shape before they are subtracted",
        )
    for name in SEPARATE:
        yield (
            "first image alone",
            name,
            "Only the first image of a batch is served; the answer for the others is 0.",
            _of_answer(name, lambda answer: _only(answer, 0)),
            "`return` stands inside the loop over the batch",
            "return after the loop",
        )
        yield (
            "first channel alone",
            name,
            "Only the first channel of the answer is computed; the others are 0.",
            _of_answer(name, lambda answer: _only(answer, 1)),
            "what worked for one channel is called on `[0]`",
            "go through all channels",
        )
    first, why = {"image": lambda x: _only(x, 1)}, "what worked for one channel is called on `[0]`"
    yield (
        "first input channel alone",
        "conv2d",
        "Only the first channel of the image counts.",
        _of_arguments("conv2d", **first),
        why,
        "sum over the input channels",
    )
    yield (
        "mean over input channels",
        "conv2d",
        "It is divided by the number of the image's channels.",
        lambda image, kernel: right("conv2d")(image, kernel) / kernel.shape[1],
        "np.mean in place of np.sum",
        "sum over the input channels",
    )
    for axis, part in ((1, "channel"), (0, "filter")):
        yield (
            f"first {part} copied",
            "conv2d_kernel_gradient",
            f"The gradient of the kernel's first {part} is given to all of them.",
            _of_answer("conv2d_kernel_gradient", partial(_copied, axis=axis)),
            "the loop's index is forgotten: `[0]` is left in",
            f"an own correlation for each {part}",
        )
    yield (
        "first filter for all",
        "conv2d",
        "Every channel of the output is made by the first filter.",
        _of_arguments("conv2d", kernel=lambda kernel: _copied(kernel, 0)),
        "the loop's index is forgotten: `[0]` is left in",
        "one filter for each channel of the output",
    )
    yield (
        "first filter alone",
        "conv2d_image_gradient",
        "Only what the first filter passes back counts.",
        _of_arguments("conv2d_image_gradient", upstream=lambda upstream: _only(upstream, 1)),
        "what worked for one filter is called on `[0]`",
        "sum over the filters",
    )
    for name in ("conv2d", "conv2d_image_gradient", *NETWORK[:2]):
        yield (
            "filters and channels swapped",
            name,
            "The kernel is taken for (C_in, C_out, h, w), where these two are equal.",
            _of_arguments(name, kernel=_swapped),
            "frameworks differ in the order of the two",
            "kernels are (C_out, C_in, h, w)",
        )
    for name in ("conv2d_kernel_gradient", "gradients"):
        yield (
            "filters and channels swapped",
            name,
            "The kernel's gradient is (C_in, C_out, h, w), where these two are equal.",
            _of_answer(name, _swapped_gradient),
            "frameworks differ in the order of the two",
            "kernels are (C_out, C_in, h, w)",
        )
    yield (
        "pooled over the channels",
        "max_pool",
        "Every channel gets the maximum over all channels.",
        _of_answer("max_pool", _all_channels),
        "the maximum is taken over an axis too many",
        "pool each channel by itself",
    )
    yield (
        "winning channel alone",
        "max_pool_gradient",
        "Only the channel that holds the maximum over all channels is served.",
        _winning_channel,
        "the maximum is taken over an axis too many",
        "pool each channel by itself",
    )
    for name, channels_last in product(NETWORK, (True, False)):
        yield (
            "features flattened in the order of another layout",
            name,
            "The channels of the pooled features come last where the layout has them first, or the other way round.",
            _flattened(name, channels_last),
            "arrays are transposed to another library's layout, and flattened there",
            "flatten each image's pooled array as the layout has it, in C order",
        )


def _mistake(name: str, operation: str, what: str, formula: Answer, why: str, mend: str) -> Mistake:
    named_by = OPERATIONS[operation].named_by
    return Mistake(name, operation, what, partial(_unchanged, formula), why, mend, named_by, layout="NCHW")


@cache
def channel_mistakes() -> tuple[Mistake, ...]:
    """The mistakes of several images, channels or filters."""
    return tuple(_mistake(*listed) for listed in _listed())
