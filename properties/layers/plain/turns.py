"""The half turns and indices by which the true convolution and the cross-correlation differ."""

import numpy as np

from ...harness.core.setting import setting
from ...harness.core.values import Array


def unturned(array: Array) -> Array:
    """As it is for the true convolution; by 180° for the cross-correlation."""
    return array if setting().flips else np.rot90(array, 2)


def mirrored(index: int, side: int) -> int:
    """The index counted from the other end, for the true convolution; as it is for the cross-correlation."""
    return side - 1 - index if setting().flips else index
