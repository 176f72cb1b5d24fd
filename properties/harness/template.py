"""A target to fill in, or one that is filled in with the right code, as `--template` prints them."""

from ..layers import OPERATIONS
from .edits.code import shown

HEAD = '''\
"""A target to fill in. Check it with `python -m backproof FILE`; what still raises NotImplementedError is left out.

Arrays are NumPy float64. H×W image, h×w kernel, (p, q) pooling window that divides its input's shape, n features.
They may come read-only, in C or Fortran order, or as slices of larger arrays; no operation may change them.
"""

import numpy as np

# Uncomment what holds of your code:
# KERNEL_SHAPES = "square"  # or a list of (rows, columns); likewise WINDOW_SHAPES and IMAGE_SHAPES
# DTYPE = "float32"  # it computes in single precision
# LAYOUT = "NCHW"  # or "CHW", "NHWC": images with channels, in batches; kernels (C_out, C_in, h, w)
# KERNEL_LAYOUT = "hwIO"  # or any order of O (C_out), I (C_in), h, w, where a LAYOUT has channels
# GRADIENTS = "mean"  # those of kernel, weights and bias are divided by the number of images
# REDUCTION = "sum"  # losses are summed over the images, not averaged
# LABELS = "one-hot"  # labels are rows (N, m) of sum 1, not the numbers of classes (N,)
# A bias, a stride or a padding is checked too where a function has a parameter of that name.
# LAYERS = {"my_layer": backproof.Layer(forward, backward, x=("N", 3), W=(3, "M"))}  # what no function here is for
'''
FILLED = '"""The right code of every operation, for the true convolution. Check it with `python -m backproof FILE`.\n'
FUNCTION = '''

def {name}({parameters}):
    """{summary}"""
{body}
'''


def template(filled: bool = False) -> str:
    """A module with a function for each operation, which says what that takes and gives; `filled` with right code."""
    head = FILLED + HEAD.partition("\n")[2] if filled else HEAD
    functions = []
    for operation in (one for one in OPERATIONS.values() if not one.function):
        lines = shown(operation.name, True).splitlines()[1:] if filled else []
        body = "\n".join(lines) or "    raise NotImplementedError"
        parameters = ", ".join(operation.needs or operation.takes)
        functions.append(
            FUNCTION.format(name=operation.name, parameters=parameters, summary=operation.summary, body=body)
        )
    return head + "".join(functions)
