"""Where an operation is wrong: what the arrays of those cases have in common, and those of no other case."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..core.tape import Case
from ..core.values import Array, Kind

ENOUGH = 3  # cases that it takes to tell a rule from chance

_CONDITIONS: dict[str, Callable[[Array], bool]] = {
    "{} is square": lambda value: value.shape[0] == value.shape[-1],
    "{} has one entry": lambda value: value.size == 1,
    "{} is not square": lambda value: value.shape[0] != value.shape[-1],
    "{} has more than one entry": lambda value: value.size > 1,
    "{} has one row": lambda value: value.shape[0] == 1,
    "{} has one column": lambda value: value.shape[-1] == 1,
    "{} has one row or one column": lambda value: 1 in (value.shape[0], value.shape[-1]),
    "{} has more than one row": lambda value: value.shape[0] > 1,
    "{} has more than one column": lambda value: value.shape[-1] > 1,
    "{} has an even number of rows": lambda value: value.shape[0] % 2 == 0,
    "{} has an even number of columns": lambda value: value.shape[-1] % 2 == 0,
    "{} has an odd number of rows": lambda value: value.shape[0] % 2 == 1,
    "{} has an odd number of columns": lambda value: value.shape[-1] % 2 == 1,
    "{} has negative entries": lambda value: bool((value < 0).any()),
    "{} has no positive entry": lambda value: bool((value <= 0).all()),
    "{} has an entry that is 0": lambda value: bool((value == 0).any()),
    "{} has entries above 100": lambda value: bool((np.abs(value) > 100).any()),
    "{} has entries below 0.001 alone": lambda value: bool((np.abs(value) < 1e-3).all()),
}


class Condition(NamedTuple):
    """Something that holds of some cases and of others not, in words."""

    words: str
    holds: Callable[[Case], bool]


def confined(cases: list[tuple[Case, bool]], takes: Mapping[str, Kind]) -> str:
    """What holds of all cases that are wrong and of no right one, as of an array; nothing if either are too few."""
    wrong, right = ([case for case, is_wrong in cases if is_wrong == wanted] for wanted in (True, False))
    if min(len(wrong), len(right)) < ENOUGH:
        return ""
    found = condition(takes, wrong, right, with_lengths=False)
    return found.words if found else ""


def condition(
    takes: Mapping[str, Kind], wrong: list[Case], right: list[Case], with_lengths: bool = True
) -> Condition | None:
    """What holds of an array in all cases that are wrong and in none of those that are right, if anything does.

    `with_lengths` it may be that a side is longer than it is in any that is right.
    """
    for name, kind in takes.items():
        ones, others = ([_plain(kind, case[name]) for case in cases] for cases in (wrong, right))
        found = [(words.format(name), holds) for words, holds in _CONDITIONS.items()]
        for axis, side in ((0, "row"), (-1, "column")) if with_lengths else ():
            most = max(one.shape[axis] for one in others)
            plural = "s" * (most > 1)
            found.append((f"{name} has more than {most} {side}{plural}", partial(_is_longer, axis, most)))
        for words, holds in found:
            if all(map(holds, ones)) and not any(map(holds, others)):
                return Condition(words, partial(_holds, name, kind, holds))
    return None


def _is_longer(axis: int, most: int, value: Array) -> bool:
    return value.shape[axis] > most


def _holds(name: str, kind: Kind, holds: Callable[[Array], bool], case: Case) -> bool:
    return holds(_plain(kind, case[name]))


def _plain(kind: Kind, value: Any) -> Array:
    """A value as an array of rows and columns, where it has these."""
    if kind is Kind.SIDES:
        return np.zeros(value)
    return np.asarray(value[0, 0]) if kind in (Kind.IMAGES, Kind.KERNEL) else np.atleast_1d(value)
