"""Windows that may overlap, of an image with padding: taking them, and adding up what each hands to its entries.

The two are adjoint. A convolution multiplies its windows with the kernel, pooling takes their maximum or mean.
"""

from collections.abc import Callable

import numpy as np

from ...harness.core.limits import Shape
from ...harness.core.values import Array

ONE, NONE = (1, 1), (0, 0)


def reach(side: int, dilation: int) -> int:
    """How many rows or columns a window of this side spans."""
    return dilation * (side - 1) + 1


def sides_after(
    sides: Shape, window: Shape, stride: Shape = ONE, padding: Shape = NONE, dilation: Shape = ONE
) -> Shape:
    """How many windows there are in rows and in columns: `(H + 2a − d(h−1) − 1) // s + 1`.

    Source: Dumoulin & Visin, arXiv:1603.07285, relationship 15 (of the dilated convolution).
    """
    given = zip(sides, window, stride, padding, dilation, strict=True)
    rows, columns = ((side + 2 * a - reach(length, d)) // s + 1 for side, length, s, a, d in given)
    return rows, columns


def framed(image: Array, padding: Shape, fill: float = 0.0) -> Array:
    """The image with so many rows above and below it, and so many columns on its left and on its right."""
    (rows, columns), (above, left) = image.shape[-2:], padding
    whole = np.full((*image.shape[:-2], rows + 2 * above, columns + 2 * left), fill)
    whole[..., above : above + rows, left : left + columns] = image
    return whole


def inner(whole: Array, padding: Shape) -> Array:
    """What is framed, without its frame."""
    (rows, columns), (above, left) = whole.shape[-2:], padding
    return whole[..., above : rows - above, left : columns - left]


def unfolded(
    x: Array, window: Shape, stride: Shape = ONE, padding: Shape = NONE, dilation: Shape = ONE, fill: float = 0.0
) -> Array:
    """Every window of (…, H, W), as (…, rows, columns, height, width): a view of `x` as it is, copied or framed."""
    whole = framed(x, padding, fill) if any(padding) else np.ascontiguousarray(x)
    counts = sides_after((x.shape[-2], x.shape[-1]), window, stride, padding, dilation)
    *outer, row, column = whole.strides
    steps = row * stride[0], column * stride[1], row * dilation[0], column * dilation[1]
    return np.ndarray((*x.shape[:-2], *counts, *window), whole.dtype, whole, strides=(*outer, *steps))


def folded(
    share: Callable[[int, int], Array],
    window: Shape,
    sides: Shape,
    stride: Shape = ONE,
    padding: Shape = NONE,
    dilation: Shape = ONE,
) -> Array:
    """What windows hand to the entries of (…, H, W), of these `sides`, added up; what lands in the padding is dropped.

    `share(a, b)` is what each of them hands to its entry in row a and column b: (…, rows, columns).
    """
    whole: Array | None = None
    for a, b in np.ndindex(*window):
        part = share(a, b)
        if whole is None:
            whole = np.zeros((*part.shape[:-2], sides[0] + 2 * padding[0], sides[1] + 2 * padding[1]))
        rows, columns = (reach(count, step) for count, step in zip(part.shape[-2:], stride, strict=True))
        top, left = a * dilation[0], b * dilation[1]
        whole[..., top : top + rows : stride[0], left : left + columns : stride[1]] += part
    assert whole is not None
    return inner(whole, padding)
