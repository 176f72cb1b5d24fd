"""What is right, layer by layer: what each operation takes and gives, its value and bound, and its cases.

The machine asks `LAYERS` and `OPERATIONS`, in the order of the contract, and knows no operation by its name.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from .activations import ACTIVATIONS
from .convolution import CONVOLUTION
from .declared import NETWORK
from .dense import DENSE
from .pooling import POOLING
from .registry import Layer, Signature

LAYERS = {layer.name: layer for layer in (ACTIVATIONS, CONVOLUTION, POOLING, DENSE, NETWORK)}
OPERATIONS: dict[str, Signature] = {name: one for layer in LAYERS.values() for name, one in layer.named().items()}


def layer_of(operation: str) -> Layer:
    """The layer of an operation."""
    return LAYERS[OPERATIONS[operation].layer]


def near_misses(names: Iterable[str], lacking: Iterable[str]) -> dict[str, str]:
    """Which of the target's own `names` looks like a misspelling of which `lacking` operation."""
    plain = {name.replace("_", "").lower(): name for name in names if name not in OPERATIONS}
    lacking, found = list(lacking), {}
    for operation in lacking:
        found |= {plain[other]: operation for other in OPERATIONS[operation].other_names if other in plain}
        if close := get_close_matches(operation.replace("_", ""), plain, n=1, cutoff=0.86):
            found[plain[close[0]]] = operation
    return found
