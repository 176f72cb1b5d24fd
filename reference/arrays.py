"""What an argument must be before any mathematics: real numbers in the right shape."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def real(value: ArrayLike, name: str) -> Array:
    """`value` as a float64 array of any shape; `ValueError` if it is empty, complex, NaN or no number."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} must be an array of real numbers, not ragged lists") from None
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold real numbers, not {array.dtype}")
    if not array.size:
        raise ValueError(f"{name} must not be empty, but its shape is {array.shape}")
    if nans := np.count_nonzero(array != array):  # NaN alone differs from itself
        raise ValueError(f"{name} must hold numbers, but {nans} of {array.size} are NaN")
    return array.astype(np.float64, copy=False)


def matrix(value: ArrayLike, name: str, shape: tuple[int, int] | None = None) -> Array:
    """`value` as a matrix, of the given shape if there is one; `ValueError` if it is anything else."""
    array = real(value, name)
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, but has {array.shape}")
    if array.ndim != 2:
        raise ValueError(f"{name} must be a matrix, but its shape is {array.shape}")
    return array


def scalar(value: ArrayLike, name: str) -> float:
    """`value`, a number or an array of exactly one, as a float; `ValueError` if it is anything else."""
    array = real(value, name)
    if array.size != 1:
        raise ValueError(f"{name} must be one number, but its shape is {array.shape}")
    return float(array.item())
