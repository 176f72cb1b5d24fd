"""Making a counterexample smaller where Hypothesis stops: at a size that can only shrink together with a move."""

from collections.abc import Iterator

from ...layers.base.registry import Layer
from ..core.setting import setting
from ..core.tape import Case


def is_supported(layer: Layer, case: Case) -> bool:
    """Whether the shapes of a case are within what the target supports."""
    limits, pair = setting().limits, layer.pair(case)
    return limits.any_shape or pair is None or limits.supports(layer.name, pair)


def reductions(layer: Layer, case: Case) -> Iterator[Case]:
    """Every case that has one part less, or half the parts, within what the target supports."""
    return (smaller for smaller in layer.smaller(case) if is_supported(layer, smaller))
