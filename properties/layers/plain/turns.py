"""What the right code hangs on in a setting: the half turns and indices by which the true convolution and the
cross-correlation differ, by how much losses are divided, what labels are, and which network is declared.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...harness.core.setting import setting
from ...harness.core.values import Array

Stage = tuple[str, tuple[tuple[str, Any], ...]]  # of a declared network: its name and options
LENET: tuple[Stage, ...] = (  # that cases are of where nothing is declared, and the code for declared networks
    ("conv2d", (("bias", True), ("padding", (1, 1)))),
    ("relu", ()),
    ("max_pool", (("window", (3, 3)), ("stride", (2, 2)))),
    ("flatten", ()),
    ("dense", (("bias", True),)),
    ("softmax_cross_entropy", ()),
)
SQUARES = "squared error of an image"  # the convention, by its name in reports
SUM, HALF_SUM, MEAN, HALF_MEAN = (
    "the sum of squares",
    "half the sum of squares",
    "the mean of squares",
    "half the mean of squares",
)


def form() -> tuple[Any, ...]:
    """All that it hangs on beside the half turns."""
    return setting().reduction, setting().labels, setting().network, setting().conventions.further


def unturned(array: Array) -> Array:
    """As it is for the true convolution; by 180° for the cross-correlation."""
    return array if setting().flips else np.rot90(array, 2)


def mirrored(index: int, side: int) -> int:
    """The index counted from the other end, for the true convolution; as it is for the cross-correlation."""
    return side - 1 - index if setting().flips else index


def averaged(total: Any, images: int) -> Any:
    """Divided by the number of images, unless losses are summed over them."""
    return total / images if setting().reduction == "mean" else total


def one_hot(labels: Array, classes: int) -> Array:
    """A row for each label that is the number of a class; as they are where they are rows."""
    return np.eye(classes)[labels] if setting().labels == "integers" else labels


def of_squares(squares: Any, entries: int) -> Any:
    """What a squared error is of the sum of squares: half of it, if nothing else was found."""
    chosen = setting().conventions.chosen(SQUARES)
    share = squares if chosen in (SUM, MEAN) else squares / 2
    return share / entries if chosen in (MEAN, HALF_MEAN) else share


def of_difference(difference: Array, entries: int) -> Array:
    """The derivative of that, of the difference."""
    chosen = setting().conventions.chosen(SQUARES)
    share = 2 * difference if chosen in (SUM, MEAN) else difference
    return share / entries if chosen in (MEAN, HALF_MEAN) else share


def _template(half: str, whole: str) -> str:
    chosen = setting().conventions.chosen(SQUARES)
    share = whole if chosen in (SUM, MEAN) else half
    return f"{share} / {{1}}" if chosen in (MEAN, HALF_MEAN) else share


CHOSEN: dict[str, Callable[[], str]] = {  # how calls of these are written out
    "averaged": lambda: "{0} / {1}" if setting().reduction == "mean" else "{0}",
    "one_hot": lambda: "np.eye({1})[{0}]" if setting().labels == "integers" else "{0}",
    "of_squares": lambda: _template("{0} / 2", "{0}"),
    "of_difference": lambda: _template("{0}", "2 * {0}"),
}
