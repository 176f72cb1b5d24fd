"""The contract: which operations a target may offer, what each takes, and the shape of what it returns."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ..harness.core.layout import Layout

Shape = tuple[int, ...]
Shapes = tuple[Shape | int, ...]  # two for a pair; () stands for a scalar, a number for so many in any shape


@dataclass(frozen=True)
class Signature:
    """One operation: its layer, the names of its positional parameters, and the shapes of its answer in a layout."""

    layer: str
    parameters: tuple[str, ...]
    answer: Callable[..., Shapes]


def _same(layout: Layout, x: Any) -> Shapes:
    return (x.shape,)


def _valid(layout: Layout, image: Any, kernel: Any) -> Shapes:
    rows, columns = (side - width + 1 for side, width in zip(layout.sides(image), kernel.shape[-2:], strict=True))
    return (layout.shape((rows, columns), layout.count(image), kernel.shape[0]),)


def _pooled(layout: Layout, x: Any, window: tuple[int, int]) -> Shapes:
    numbers = layout.numbers(x)
    return (layout.shape((numbers["H"] // window[0], numbers["W"] // window[1]), numbers["N"], numbers["C"]),)


def _like_x(layout: Layout, x: Any, window: tuple[int, int], upstream: Any) -> Shapes:
    return (x.shape,)


def _one_each(layout: Layout, image: Any, kernel: Any, weights: Any) -> Shapes:
    return (len(image) if layout.batched else (),)


def _parameters(layout: Layout, image: Any, target: Any, kernel: Any, weights: Any, *rate: float) -> Shapes:
    return kernel.shape, weights.shape


_ACTIVATIONS = ("relu", "arctan", "logistic")
_LAYER = ("image", "kernel", "upstream")
_POINT = ("image", "target", "kernel", "weights")

OPERATIONS: dict[str, Signature] = {
    **{
        name + suffix: Signature("activations", ("x",), _same)
        for name in _ACTIVATIONS
        for suffix in ("", "_derivative")
    },
    "conv2d": Signature("convolution", ("image", "kernel"), _valid),
    "conv2d_kernel_gradient": Signature("convolution", _LAYER, lambda layout, image, kernel, upstream: (kernel.shape,)),
    "conv2d_image_gradient": Signature("convolution", _LAYER, lambda layout, image, kernel, upstream: (image.shape,)),
    "max_pool": Signature("pooling", ("x", "window"), _pooled),
    "max_pool_gradient": Signature("pooling", ("x", "window", "upstream"), _like_x),
    "dense": Signature("dense", ("features", "weights"), lambda layout, features, weights: ((len(features), 1),)),
    "dense_gradients": Signature(
        "dense",
        ("features", "weights", "upstream"),
        lambda layout, features, weights, upstream: (features.shape, weights.shape),
    ),
    "predict": Signature("network", ("image", "kernel", "weights"), _one_each),
    "cost": Signature("network", _POINT, lambda *_: ((),)),
    "gradients": Signature("network", _POINT, _parameters),
    "train_step": Signature("network", (*_POINT, "learning_rate"), _parameters),
}


_OTHER_NAMES = {
    "sigmoid": "logistic",
    **dict.fromkeys(("sigmoidderivative", "sigmoidprime", "dsigmoid", "sigmoidgrad"), "logistic_derivative"),
    **dict.fromkeys(("reluprime", "drelu", "relugrad", "relubackward"), "relu_derivative"),
    **dict.fromkeys(("maxpoolbackward", "maxpoolgrad", "poolbackward"), "max_pool_gradient"),
    **dict.fromkeys(("convolve", "convolve2d", "convforward", "conv"), "conv2d"),
    **dict.fromkeys(("maxpoolforward", "maxpool2d", "pool"), "max_pool"),
}


def near_misses(names: Iterable[str], lacking: Iterable[str]) -> dict[str, str]:
    """Which of the target's own `names` looks like a misspelling of which `lacking` operation."""
    plain = {name.replace("_", "").lower(): name for name in names if name not in OPERATIONS}
    lacking = list(lacking)
    found = {plain[other]: _OTHER_NAMES[other] for other in plain if _OTHER_NAMES.get(other) in lacking}
    for operation in lacking:
        if close := get_close_matches(operation.replace("_", ""), plain, n=1, cutoff=0.86):
            found[plain[close[0]]] = operation
    return found
