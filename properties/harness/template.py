"""A target to fill in, as `--template` prints it."""

from ..layers import OPERATIONS

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
'''
FUNCTION = '''

def {name}({parameters}):
    """{summary}"""
    raise NotImplementedError
'''


def template() -> str:
    """A module with a function for each operation, which says what that takes and gives."""
    operations = OPERATIONS.values()
    functions = (FUNCTION.format(name=o.name, parameters=", ".join(o.takes), summary=o.summary) for o in operations)
    return HEAD + "".join(functions)
