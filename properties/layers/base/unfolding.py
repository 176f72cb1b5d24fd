"""Windows that may overlap, of an image with padding: taking them, and adding up what each hands to its entries.

The two are adjoint. A convolution multiplies its windows with the kernel, pooling takes their maximum or mean.
"""

import numpy as np

from ...harness.core.limits import Shape
from ...harness.core.values import Array

ONE, NONE = (1, 1), (0, 0)


def sides_after(
    sides: Shape, window: Shape, stride: Shape = ONE, padding: Shape = NONE, dilation: Shape = ONE
) -> Shape:
    """How many windows there are in rows and in columns: `(H + 2a − d(h−1) − 1) // s + 1`.

    Source: Dumoulin & Visin, arXiv:1603.07285, relationship 15 (of the dilated convolution).
    """
    given = zip(sides, window, stride, padding, dilation, strict=True)
    rows, columns = ((side + 2 * a - d * (length - 1) - 1) // s + 1 for side, length, s, a, d in given)
    return rows, columns


def unfolded(
    x: Array, window: Shape, stride: Shape = ONE, padding: Shape = NONE, dilation: Shape = ONE, fill: float = 0.0
) -> Array:
    """Every window of (…, H, W), as (…, rows, columns, height, width): a read-only view of the padded array."""
    around = [(0, 0)] * (x.ndim - 2) + [(side, side) for side in padding]
    padded = np.ascontiguousarray(np.pad(x, around, constant_values=fill)) if any(padding) else np.ascontiguousarray(x)
    shape = *x.shape[:-2], *sides_after((x.shape[-2], x.shape[-1]), window, stride, padding, dilation), *window
    *outer, row, column = padded.strides
    steps = row * stride[0], column * stride[1], row * dilation[0], column * dilation[1]
    return np.lib.stride_tricks.as_strided(padded, shape, (*outer, *steps), writeable=False)


def folded(windows: Array, sides: Shape, stride: Shape = ONE, padding: Shape = NONE, dilation: Shape = ONE) -> Array:
    """What windows (…, rows, columns, height, width) hand to the entries of (…, H, W), added up; off it all is lost."""
    rows, columns, height, width = windows.shape[-4:]
    down, across = (rows - 1) * stride[0] + 1, (columns - 1) * stride[1] + 1
    padded = np.zeros((*windows.shape[:-4], sides[0] + 2 * padding[0], sides[1] + 2 * padding[1]))
    for a, b in np.ndindex(height, width):
        top, left = a * dilation[0], b * dilation[1]
        padded[..., top : top + down : stride[0], left : left + across : stride[1]] += windows[..., a, b]
    return padded[..., padding[0] : padding[0] + sides[0], padding[1] : padding[1] + sides[1]]
