"""Plain changes of the right formula, for mistakes that no catalogue foresaw: a turn, a missing term, a lost sign."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ...layers import OPERATIONS
from ...mistakes.plain import right
from ..core.values import Array, Kind, changed_parts

Formula = Callable[..., Any]


@dataclass(frozen=True)
class Alteration:
    """The right formula with one argument or its answer changed: what is done to it, and what to do about it."""

    what: str
    mend: str
    make: Callable[[], Formula]


def _if_square(change: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda array: change(array) if array.shape[0] == array.shape[-1] else array


def _without(end: int, axis: int) -> Callable[[Array], Array]:
    def change(array: Array) -> Array:
        changed = array.copy()
        if array.shape[axis] > 1:
            changed[(slice(None),) * axis + (end,)] = 0.0
        return changed

    return change


def _only(place: int) -> Callable[[Array], Array]:
    def change(array: Array) -> Array:
        changed = np.zeros(array.shape)
        changed.flat[place] = array.flat[place]
        return changed

    return change


_TURNS: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "turned by 180°": ("turn it once more, or once less", lambda array: array[::-1, ::-1]),
    "turned by 90°": ("np.rot90 turns by 90° unless told otherwise", _if_square(lambda array: np.rot90(array))),
    "turned by 270°": ("np.rot90 turns by 90° unless told otherwise", _if_square(lambda array: np.rot90(array, 3))),
    "transposed": ("rows and columns are mixed up", _if_square(lambda array: array.T)),
    "turned upside down": ("one axis too many is flipped, or one too few", lambda array: array[::-1]),
    "mirrored": ("one axis too many is flipped, or one too few", lambda array: array[:, ::-1]),
    "flattened in column order": ("C order throughout", lambda array: array.ravel(order="F").reshape(array.shape)),
}
_LOSSES: dict[str, tuple[str, Callable[[Array], Array]]] = {
    f"without its {name} {line}": (
        f"a term is missing: a loop or a slice leaves the {name} {line} out",
        _without(end, axis),
    )
    for axis, line in enumerate(("row", "column"))
    for name, end in (("first", 0), ("last", -1))
}
_LOSSES |= {
    "with its first entry alone": ("`return` stands inside a loop, or its index is forgotten", _only(0)),
    "with its last entry alone": ("`=` in a loop in place of `+=`", _only(-1)),
}
_VALUES: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "with its sign turned": ("a sign is wrong", lambda array: -array),
    "without its signs": ("signs matter", np.abs),
    "with what is negative cut off": ("negative values count", lambda array: np.maximum(array, 0.0)),
    "replaced by its signs": ("sizes matter", np.sign),
    "squared": ("it counts twice", np.square),
    "replaced by ones": ("a factor is missing", lambda array: np.ones(array.shape)),
}


def alterations(operation: str, part: int | None = None) -> Iterator[Alteration]:
    """The right formula of this operation, its answer changed, or one of its arrays on the way in.

    If one `part` of a pair is given, that alone is changed.
    """
    signature = OPERATIONS[operation]
    flat = Kind.ANY in signature.gives
    changes = _VALUES if flat else {**_TURNS, **_LOSSES, **_VALUES}
    which = "" if part is None else f"for the {signature.parts[part]}, "
    for how, (mend, change) in changes.items():
        if how != "replaced by ones":
            make = partial(_in_part, operation, part, _answer_changed(operation, change))
            yield Alteration(f"{which}the right answer {how}", mend, make)
        for index, (name, kind) in enumerate(signature.takes.items()):
            if kind not in (Kind.WINDOW, Kind.NUMBERS, Kind.RATE):
                make = partial(_in_part, operation, part, _argument_changed(operation, index, change))
                yield Alteration(f"{which}the right answer for {name} {how}", mend, make)


def _in_part(operation: str, part: int | None, altered: Formula) -> Formula:
    if part is None:
        return altered

    def answer(*arguments: Any) -> Any:
        given = list(right(operation)(*arguments))
        given[part] = altered(*arguments)[part]
        return tuple(given)

    return answer


def _answer_changed(operation: str, change: Callable[[Array], Array]) -> Formula:
    def altered(*arguments: Any) -> Any:
        return changed_parts(
            lambda part: change(part) if np.ndim(part) == 2 or change in _FLAT else part, right(operation)(*arguments)
        )

    return altered


def _argument_changed(operation: str, index: int, change: Callable[[Array], Array]) -> Formula:
    def altered(*arguments: Any) -> Any:
        return right(operation)(*(change(value) if i == index else value for i, value in enumerate(arguments)))

    return altered


_FLAT = [change for _, change in _VALUES.values()]
