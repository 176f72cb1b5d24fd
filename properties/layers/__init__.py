"""What is right, layer by layer: what each operation takes and gives, its value and bound, and its cases.

The machine asks `LAYERS` and `OPERATIONS`, in the order of the contract, and knows no operation by its name.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from ..harness.core.setting import setting
from .activation_gradients import ACTIVATION_GRADIENTS
from .activations import ACTIVATIONS
from .base.registry import Layer, Signature
from .chains.chain import parsed_network as parsed_network
from .chains.declared_network import DECLARED_NETWORK
from .convolution import CONVOLUTION
from .declared import NETWORK
from .dense import DENSE
from .further.average_pooling import AVERAGE_POOLING
from .further.losses import LOSSES
from .further.piecewise import PIECEWISE_LAYER
from .further.softmax import SOFTMAX
from .options.convolution_options import CONVOLUTION_OPTIONS
from .options.dense_options import DENSE_OPTIONS
from .options.pooling_options import POOLING_OPTIONS
from .own.layer import layer_named, own_layer
from .pooling import POOLING

_OPTIONS = (CONVOLUTION_OPTIONS, POOLING_OPTIONS, DENSE_OPTIONS)
_FURTHER = (*_OPTIONS, AVERAGE_POOLING, PIECEWISE_LAYER, SOFTMAX, *LOSSES, NETWORK, DECLARED_NETWORK)
_ALL = (ACTIVATIONS, ACTIVATION_GRADIENTS, CONVOLUTION, POOLING, DENSE, *_FURTHER)


class _Layers(dict[str, Layer]):
    """Layers by name; those that are a target's own are found by name too, but are none of the list."""

    def __missing__(self, name: str) -> Layer:
        return own_layer(name)


class _Operations(dict[str, Signature]):
    """Operations by name; those of a target's own layers likewise."""

    def __missing__(self, name: str) -> Signature:
        return LAYERS[layer_named(name)].named()[name]


LAYERS = _Layers({layer.name: layer for layer in _ALL})
OPERATIONS = _Operations({name: one for layer in LAYERS.values() for name, one in layer.named().items()})

_FLIPPED = {True: ("i+h−1−a, j+w−1−b", "i+h−1−m, j+w−1−n"), False: ("i+a, j+b", "m−i, n−j")}


def in_order(names: Iterable[str]) -> list[str]:
    """Operations in the order of the contract, and behind them those of a target's own layers as they come."""
    found = dict.fromkeys(names)
    return [*(name for name in OPERATIONS if name in found), *(name for name in found if name not in OPERATIONS)]


def layer_of(operation: str) -> Layer:
    """The layer of an operation."""
    return LAYERS[OPERATIONS[operation].layer]


def formulas(operation: str, convolution: str | None) -> list[str]:
    """What is right for an operation, in lines of mathematics; of the true convolution where none was found.

    `image` (H, W), `kernel` (h, w), windows (p, q); `C` is the cost, `t` the target and `η` the learning rate. With
    channels, sums go over them and over the images of a batch too. Sources: those of the statements.
    """
    output, image = _FLIPPED[convolution != "correlation"]
    return [line.replace("{output}", output).replace("{image}", image) for line in OPERATIONS[operation].formulas]


def note_on(signature: Signature) -> tuple[str, ...]:
    """What a reader must know of the convention that an operation is held to."""
    if not signature.follows:
        return ()
    kind = "a true convolution (kernel flipped)" if setting().flips else "a cross-correlation (kernel not flipped)"
    return (f"conv2d is taken to be {kind}.",)


def near_misses(names: Iterable[str], lacking: Iterable[str]) -> dict[str, str]:
    """Which of the target's own `names` looks like a misspelling of which `lacking` operation."""
    plain = {name.replace("_", "").lower(): name for name in names if name not in OPERATIONS}
    found = dict[str, str]()
    words = {operation.replace("_", ""): operation for operation in lacking}
    for word, operation in words.items():
        found |= {plain[other]: operation for other in OPERATIONS[operation].other_names if other in plain}
        close = get_close_matches(word, plain, n=1, cutoff=0.86)
        if close and get_close_matches(close[0], words, n=1) == [word]:  # as elu_derivative is to RELU_derivative
            found[plain[close[0]]] = operation
    return found
