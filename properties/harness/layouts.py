"""The same values in another memory order: what an implementation that assumes one gets wrong."""

from typing import Any

import numpy as np

LAYOUTS = ("read-only", "Fortran-ordered", "sliced")


def laid_out(value: Any, layout: str) -> Any:
    """An array with the same entries, read-only, in the named layout; anything but an array as it is.

    A sliced array is every second entry, along every axis, of a larger one.
    """
    if not isinstance(value, np.ndarray):
        return value
    if layout == "sliced":
        larger = np.full([2 * side + 1 for side in value.shape], 7.0)
        result = larger[tuple(slice(1, None, 2) for _ in value.shape)]
        result[...] = value
    else:
        result = np.array(value, order="F" if layout == "Fortran-ordered" else "C")
    result.flags.writeable = False
    return result
