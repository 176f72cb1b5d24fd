"""Mistakes that several images, channels or filters bring: of a target that is right with one of each.

They are apart from the rest of the catalogue, which is about one image of one channel. An answer that is confined to
some images or channels is 0 for the others.
"""

from collections.abc import Callable
from functools import cache, partial
from operator import itemgetter
from typing import Any

import numpy as np

from ..harness.core.limits import POOL
from ..harness.core.values import Array, changed_parts
from ..layers import OPERATIONS
from ..layers.base.windows import grow, max_pool
from . import Mistake
from .right import full, taking

Answer = Callable[..., Any]
_PER_IMAGE = ("image", "x", "upstream", "features", "target")
OF_OPTIONS = ("conv2d_kernel_gradient_with_options", "conv2d_bias_gradient")
SUMMED = ("conv2d_kernel_gradient", *OF_OPTIONS, "dense_gradients", "cost", "gradients", "train_step")
GRADIENTS = ("conv2d_kernel_gradient", *OF_OPTIONS, "dense_gradients", "gradients", "train_step")
AVERAGES = ("average_pool", "average_pool_gradient")
WITH_OPTIONS = ("conv2d_with_options", "conv2d_image_gradient_with_options")
SEPARATE = ("conv2d", "conv2d_image_gradient", *WITH_OPTIONS, "max_pool", "max_pool_gradient", *AVERAGES)
NETWORK = ("predict", "cost", "gradients", "train_step")
KERNELS = ("conv2d", "conv2d_image_gradient", "predict", "cost")


def _with(operation: str, arguments: Any, **changes: Callable[[Any], Any]) -> Any:
    """The right answer to arguments of which some are changed."""
    named = zip(OPERATIONS[operation].parameters, arguments, strict=True)
    return full(operation)(*(changes[name](value) if name in changes else value for name, value in named))


def _first(array: Array, axis: int) -> Any:
    """Its first entry along an axis, the rest 0."""
    return np.where(np.indices(array.shape)[axis] == 0, array, 0.0)


def _copied(array: Array, axis: int) -> Any:
    """Its first entry along an axis, over and over."""
    return np.repeat(array.take([0], axis), array.shape[axis], axis)


def _times(factor: int, array: Array) -> Array:
    return array * factor


def _swapped(kernel: Array) -> Any:
    return kernel.swapaxes(0, 1) if kernel.shape[0] == kernel.shape[1] else kernel


def _swapped_gradient(operation: str, *arguments: Any) -> Any:
    given = full(operation)(*arguments)
    return (_swapped(given[0]), given[1]) if isinstance(given, tuple) else _swapped(given)


def _on(operation: str, *arguments: Any, kept: slice) -> Any:
    """The right answer to some of the images alone."""
    part = _with(operation, arguments, **dict.fromkeys(_PER_IMAGE, itemgetter(kept)))
    return (full(operation)(*arguments)[0], part[1]) if operation == "dense_gradients" else part


def _weighed(operation: str, *arguments: Any, power: int) -> Any:
    """What is summed over the images, times their number to this power."""
    given, factor = full(operation)(*arguments), float(len(arguments[0])) ** power
    if operation == "train_step":
        return tuple(old + (new - old) * factor for old, new in zip(arguments[2:4], given, strict=True))
    if operation == "dense_gradients":
        return given[0], given[1] * factor
    return changed_parts(lambda part: part * factor, given)


def _every_target(operation: str, *arguments: Any) -> Any:
    """The sum over every pair of an image and a target, as (N, 1) − (N,) makes it."""
    image, target, *others = arguments
    given = [full(operation)(image, np.roll(target, shift), *others) for shift in range(len(image))]
    if operation == "cost":
        return sum(given)
    olds = others[:2] if operation == "train_step" else (0.0, 0.0)
    return tuple(old + sum(each[part] - old for each in given) for part, old in enumerate(olds))


def _flattened(operation: str, *arguments: Any, channels_last: bool) -> Any:
    """The features of each image with its channels last, or first where the layout has them last."""
    named = dict(zip(OPERATIONS[operation].parameters, arguments, strict=True))
    sides = zip(named["image"].shape[2:], named["kernel"].shape[2:], POOL, strict=True)
    shape = len(named["kernel"]), *((side - width + 1) // pool for side, width, pool in sides)
    places = np.arange(named["weights"].size).reshape(shape).transpose(1, 2, 0).ravel()
    if channels_last:
        places = places.argsort()
    given = _with(operation, arguments, weights=itemgetter(places))
    return (given[0], given[1][places.argsort()]) if isinstance(given, tuple) else given


def _winning_channel(operation: str, x: Array, window: Any, upstream: Array) -> Any:
    pooled = max_pool(x, window)
    served = pooled == pooled.max(axis=1, keepdims=True)
    return full(operation)(x, window, upstream) * grow(served * 1.0, window)


def _over_channels(operation: str, *arguments: Any) -> Any:
    given = full(operation)(*arguments)
    return given.mean(axis=1, keepdims=True).repeat(given.shape[1], 1)


_SUM = 'sum over the batch; where all gradients of parameters are means, declare GRADIENTS = "mean"'
_ONCE = 'add every image\'s share up once; where GRADIENTS = "mean" is declared, divide by their number'
_ADD_UP = "add every image's share up"
_OTHER_LAYOUT = (
    (
        "features flattened in the order of another layout",
        "The channels of the pooled features come last where the layout has them first, or the other way round.",
    ),
    (
        "arrays are transposed to another library's layout, and flattened there",
        "flatten each image's pooled array as the layout has it, in C order",
    ),
)
_TABLE: dict[tuple[tuple[str, ...], Answer], tuple[tuple[str, str], tuple[str, str]]] = {
    (SUMMED, partial(_weighed, power=-1)): (
        ("divided by the number of images", "For the {sum} it is a mean over the images in place of their sum."),
        ("losses of frameworks take the mean of a batch", _SUM),
    ),
    (GRADIENTS, partial(_weighed, power=1)): (
        ("times the number of images", "For the {sum} it is as many times too large as there are images."),
        ("a mean is declared and a sum computed, or each image counts for all", _ONCE),
    ),
    (SUMMED, partial(_on, kept=slice(0, 1))): (
        ("first image alone", "Only the first image of a batch counts."),
        ("what worked for one image is called on `[0]`, or `return` stands inside the loop", _ADD_UP),
    ),
    (SUMMED, partial(_on, kept=slice(-1, None))): (
        ("last image alone", "Only the last image of a batch counts."),
        ("`=` in the loop over the batch in place of `+=`", _ADD_UP),
    ),
    (NETWORK[1:], _every_target): (
        ("every image with every target", "Each prediction is held against the targets of all images."),
        ("(N, 1) − (N,) broadcasts to (N, N)", "bring both into one shape before they are subtracted"),
    ),
    (SEPARATE, lambda operation, *own: _first(full(operation)(*own), 0)): (
        ("first image alone", "Only the first image of a batch is served; the answer for the others is 0."),
        ("`return` stands inside the loop over the batch", "return after the loop"),
    ),
    (SEPARATE, lambda operation, *own: _first(full(operation)(*own), 1)): (
        ("first channel alone", "Only the first channel of the answer is computed; the others are 0."),
        ("what worked for one channel is called on `[0]`", "go through all channels"),
    ),
    (("conv2d",), lambda operation, *own: _with(operation, own, image=lambda image: _first(image, 1))): (
        ("first input channel alone", "Only the first channel of the image counts."),
        ("what worked for one channel is called on `[0]`", "sum over the input channels"),
    ),
    (("conv2d",), lambda operation, image, kernel: full(operation)(image, kernel) / kernel.shape[1]): (
        ("mean over input channels", "It is divided by the number of the image's channels."),
        ("np.mean in place of np.sum", "sum over the input channels"),
    ),
    (("conv2d_kernel_gradient",), lambda operation, *own: _copied(full(operation)(*own), 1)): (
        ("first channel copied", "The gradient of the kernel's first channel is given to all of them."),
        ("the loop's index is forgotten: `[0]` is left in", "an own correlation for each channel"),
    ),
    (("conv2d_kernel_gradient",), lambda operation, *own: _copied(full(operation)(*own), 0)): (
        ("first filter copied", "The gradient of the kernel's first filter is given to all of them."),
        ("the loop's index is forgotten: `[0]` is left in", "an own correlation for each filter"),
    ),
    (("conv2d",), lambda operation, *own: _with(operation, own, kernel=lambda kernel: _copied(kernel, 0))): (
        ("first filter for all", "Every channel of the output is made by the first filter."),
        ("the loop's index is forgotten: `[0]` is left in", "one filter for each channel of the output"),
    ),
    (("conv2d_image_gradient",), lambda operation, *own: full(operation)(*own[:2], _first(own[2], 1))): (
        ("first filter alone", "Only what the first filter passes back counts."),
        ("what worked for one filter is called on `[0]`", "sum over the filters"),
    ),
    (("conv2d_with_options",), lambda operation, *own: _with(operation, own, bias=partial(_times, own[0].shape[1]))): (
        ("bias for each input channel", "The bias is added once for each channel of the image."),
        ("it is added inside the loop over the image's channels", "once for each output"),
    ),
    (("conv2d_with_options",), lambda operation, *own: _with(operation, own, bias=lambda bias: _copied(bias, 0))): (
        ("first bias for all", "All channels of the output get the first filter's bias."),
        ("a bias of one number is meant", "bias[o] for channel o of the output"),
    ),
    (("conv2d_bias_gradient",), lambda _, image, kernel, upstream: np.full(len(kernel), upstream.sum())): (
        ("summed over the filters", "All of upstream is summed, for every filter."),
        ("np.sum without an axis", "upstream.sum(axis=(0, 2, 3)), over images and positions"),
    ),
    (KERNELS, lambda operation, *own: _with(operation, own, kernel=_swapped)): (
        ("filters and channels swapped", "The kernel is taken for (C_in, C_out, h, w), where these two are equal."),
        ("frameworks differ in the order of the two", "kernels are (C_out, C_in, h, w), or as KERNEL_LAYOUT says"),
    ),
    (("conv2d_kernel_gradient", "gradients"), _swapped_gradient): (
        ("filters and channels swapped", "The kernel's gradient is (C_in, C_out, h, w), where these two are equal."),
        ("frameworks differ in the order of the two", "kernels are (C_out, C_in, h, w), or as KERNEL_LAYOUT says"),
    ),
    (("max_pool",), lambda _, x, window: max_pool(x.max(axis=1, keepdims=True).repeat(x.shape[1], 1), window)): (
        ("pooled over the channels", "Every channel gets the maximum over all channels."),
        ("the maximum is taken over an axis too many", "pool each channel by itself"),
    ),
    (("max_pool_gradient",), _winning_channel): (
        ("winning channel alone", "Only the channel that holds the maximum over all channels is served."),
        ("the maximum is taken over an axis too many", "pool each channel by itself"),
    ),
    (AVERAGES, _over_channels): (
        ("averaged over the channels", "Every channel gets the mean over all channels."),
        ("the mean is taken over an axis too many", "pool each channel by itself"),
    ),
    (NETWORK, partial(_flattened, channels_last=True)): _OTHER_LAYOUT,
    (NETWORK, partial(_flattened, channels_last=False)): _OTHER_LAYOUT,
}


def _made(formula: Answer, operation: str) -> Answer:
    return taking(operation, partial(formula, operation))


@cache
def channel_mistakes() -> tuple[Mistake, ...]:
    """The mistakes of several images, channels or filters."""
    listed = []
    for (operations, formula), ((name, what), reasons) in _TABLE.items():
        for operation in operations:
            make, named_by = partial(_made, formula, operation), OPERATIONS[operation].named_by
            told = what.format(sum="weights" if operation == "dense_gradients" else "batch")
            listed.append(Mistake(name, operation, told, make, *reasons, named_by, layout="NCHW"))
    return tuple(listed)
