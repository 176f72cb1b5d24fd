"""The contract: which operations a target may offer, what each takes, and the shape of what it returns."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]  # one for a single array, two for a pair; () stands for a scalar


@dataclass(frozen=True)
class Signature:
    """One operation: its layer, the names of its positional parameters, and the shapes of its answer."""

    layer: str
    parameters: tuple[str, ...]
    answer: Callable[..., Shapes]


def _same(x: Any) -> Shapes:
    return (x.shape,)


def _valid(image: Any, kernel: Any) -> Shapes:
    return (tuple(side - width + 1 for side, width in zip(image.shape, kernel.shape, strict=True)),)


def _pooled(x: Any, window: Shape) -> Shapes:
    return ((x.shape[0] // window[0], x.shape[1] // window[1]),)


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
    "conv2d_kernel_gradient": Signature("convolution", _LAYER, lambda image, kernel, upstream: (kernel.shape,)),
    "conv2d_image_gradient": Signature("convolution", _LAYER, lambda image, kernel, upstream: (image.shape,)),
    "max_pool": Signature("pooling", ("x", "window"), _pooled),
    "max_pool_gradient": Signature("pooling", ("x", "window", "upstream"), lambda x, window, upstream: (x.shape,)),
    "dense": Signature("dense", ("features", "weights"), lambda features, weights: ((1, 1),)),
    "dense_gradients": Signature(
        "dense",
        ("features", "weights", "upstream"),
        lambda features, weights, upstream: (features.shape, weights.shape),
    ),
    "predict": Signature("network", ("image", "kernel", "weights"), lambda *_: ((),)),
    "cost": Signature("network", _POINT, lambda *_: ((),)),
    "gradients": Signature("network", _POINT, lambda image, target, kernel, weights: (kernel.shape, weights.shape)),
    "train_step": Signature(
        "network",
        (*_POINT, "learning_rate"),
        lambda image, target, kernel, weights, learning_rate: (kernel.shape, weights.shape),
    ),
}


def near_misses(names: Iterable[str], lacking: Iterable[str]) -> dict[str, str]:
    """Which of the target's own `names` looks like a misspelling of which `lacking` operation."""
    plain = {name.replace("_", "").lower(): name for name in names if name not in OPERATIONS}
    found = {}
    for operation in lacking:
        if close := get_close_matches(operation.replace("_", ""), plain, n=1, cutoff=0.86):
            found[plain[close[0]]] = operation
    return found
