"""The network, minimal: convolution → ReLU → 2×2 max pooling → dense → arctan, half the squared error.

One image, one kernel, NumPy float64. Every gradient is written out by hand, as backpropagation derives it.
"""

from .activations import *
from .convolution import *
from .dense import *
from .network import *
from .pooling import *
