"""The same values in another memory order: what an implementation that assumes one gets wrong."""

from typing import Any

import numpy as np

PLAIN, READ_ONLY, FORTRAN, SLICED = "in C order", "read-only", "Fortran-ordered", "sliced"
ORDERS = (PLAIN, READ_ONLY, FORTRAN, SLICED, f"{READ_ONLY} and {FORTRAN}", f"{READ_ONLY} and {SLICED}")


def laid_out(value: Any, order: str) -> Any:
    """An array with the same entries in the named order, writable unless that says read-only; else the value itself.

    A sliced array is every second entry, along every axis, of a larger one.
    """
    if not isinstance(value, np.ndarray):
        return value
    if SLICED in order and value.ndim:
        larger = np.full([2 * side + 1 for side in value.shape], 7, value.dtype)
        result = larger[tuple(slice(1, None, 2) for _ in value.shape)]
        result[...] = value
    else:
        result = np.array(value, order="F" if FORTRAN in order else "C")
    result.flags.writeable = READ_ONLY not in order
    return result


def reversed_entries(value: Any) -> Any:
    """An array with its last axis reversed, a view of it, and one without axes with its sign turned."""
    if not isinstance(value, np.ndarray):
        return value
    return value[..., ::-1] if value.ndim else np.array(-value)
