"""What a target declares of a layer of its own: the arrays by their shapes, of which a letter is one size, and what is
fixed: labels, masks, indices.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import hypothesis
from hypothesis.strategies import SearchStrategy

Sizes = Mapping[str, int]
Side = int | tuple[int, str]  # a number, or so many times a letter

LARGEST = 7  # of a letter
ROLES = ("forward", "backward")
_UPSTREAM = re.compile(r"upstream\d*")
_SIDE = re.compile(r"(\d*)([A-Za-z]\w*)")
_EXAMPLES = 48  # that are taken of a strategy


def is_upstream(name: str) -> bool:
    """Whether this is what an upstream gradient is called in a case."""
    return _UPSTREAM.fullmatch(name) is not None


def is_layer(one: Any) -> bool:
    """Whether an object declares a layer: by its attributes, whatever its class."""
    return hasattr(one, "arrays") and all(callable(getattr(one, role, None)) for role in ROLES)


@dataclass(frozen=True)
class Drawn:
    """An array of this shape, with real entries, or with such that lie between two numbers."""

    sides: tuple[Side, ...]
    low: float | None = None
    high: float | None = None

    def shape(self, sizes: Sizes) -> tuple[int, ...]:
        """Its shape, for these sizes of the letters."""
        return tuple(side if isinstance(side, int) else side[0] * sizes[side[1]] for side in self.sides)

    def letters(self) -> set[str]:
        """The letters of its shape."""
        return {side[1] for side in self.sides if not isinstance(side, int)}


@dataclass(frozen=True, eq=False)
class Fixed:
    """What has no gradient: one of several values, which may hang on the sizes of some letters."""

    values: Callable[..., Any]
    names: tuple[str, ...] = ()
    made: dict[tuple[int, ...], list[Any]] = field(default_factory=dict)

    def of(self, sizes: Sizes) -> list[Any]:
        """The values that there are, for these sizes; made once."""
        own = tuple(sizes[name] for name in self.names)
        if own not in self.made:
            self.made[own] = self._of(own)
        return self.made[own]

    def _of(self, sizes: tuple[int, ...]) -> list[Any]:
        found = self.values(*sizes)
        if isinstance(found, SearchStrategy):
            with ThreadPoolExecutor(1) as beside:  # where Hypothesis draws it would not begin another test
                found = beside.submit(_examples, found).result()
        found = list(found)
        if not found:
            raise ValueError("a fixed argument has no values")
        return found

    def letters(self) -> set[str]:
        """The letters that it hangs on."""
        return {*self.names}


Spec = Drawn | Fixed


def _examples(strategy: SearchStrategy[Any]) -> list[Any]:
    """Values of a strategy, simple ones among them, always the same."""
    found: list[Any] = []

    @hypothesis.settings(
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=_EXAMPLES,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found


def specs_of(name: str, declared: Any) -> dict[str, Spec]:
    """What a layer declares of each of its arguments, in their order. `ValueError`, with one line, for nonsense."""
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
        raise ValueError(f"a layer's name must be letters, digits and underscores, not {name!a}")
    if not is_layer(declared):
        raise ValueError(
            f"LAYERS: {name} must be a Layer(forward, backward, x=(2, 3), …), not {type(declared).__name__}"
        )
    found = {argument: _spec(f"{name}, {argument}", one) for argument, one in declared.arrays.items()}
    if not any(isinstance(one, Drawn) for one in found.values()):
        raise ValueError(f"LAYERS: {name} has no array that it could have a gradient for")
    drawn = set[str]().union(*(one.letters() for one in found.values() if isinstance(one, Drawn)))
    for argument, one in found.items():
        if strange := sorted(one.letters() - drawn):
            raise ValueError(f"LAYERS: {name}, {argument}: no array has a side {strange[0]!a}")
    if clash := list(filter(is_upstream, found)):
        raise ValueError(f"LAYERS: {name}: {clash[0]} is what the upstream gradient is called; give it another name")
    rows = getattr(declared, "rows", "")
    if rows and rows not in drawn:
        raise ValueError(f"LAYERS: {name}: no array has rows {rows!a}")
    return found


def _spec(where: str, one: Any) -> Spec:
    if isinstance(one, list | SearchStrategy):
        return Fixed(lambda: one)
    if hasattr(one, "low") and hasattr(one, "shape"):
        return Drawn(_sides(where, one.shape), float(one.low), float(one.high))
    if isinstance(one, tuple):
        return Drawn(_sides(where, one))
    if callable(one):
        return Fixed(one, tuple(inspect.signature(one).parameters))
    raise ValueError(
        f"LAYERS: {where} must be a shape, as (2, 3) or ('N', 3), a list of values, a strategy, or a function of "
        f"letters that gives either, not {type(one).__name__}"
    )


def _sides(where: str, shape: Any) -> tuple[Side, ...]:
    return tuple(_side(where, side) for side in shape)


def _side(where: str, side: Any) -> Side:
    if isinstance(side, int) and not isinstance(side, bool) and side > 0:
        return side
    match = _SIDE.fullmatch(side) if isinstance(side, str) else None
    if not match:
        raise ValueError(f"LAYERS: {where}: a side is a number from 1 up, a letter, or as '4H', not {side!a}")
    return int(match[1] or 1), match[2]
