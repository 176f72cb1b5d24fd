"""What asking an operation leaves behind: its answers, and what changes when it is asked otherwise or again."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from ...layers import bounds
from ...layers.contract import OPERATIONS
from ..core.cases import Case
from ..core.memory_order import laid_out, reversed_entries
from ..core.trial import current
from ..target.target import Failure, parts


class Footprint(NamedTuple):
    """The first answer, and what differs from it or from what was given.

    `again` is the same question after another one, `other` that one, `kept` the first answer read again at the end of
    it, `handed` the arguments after the call, `fortran` and `sliced` the answers to those memory orders, `changed` that
    to the same arrays with the other question's values in them, and `written` that to the first question once the
    caller has written into the answer.
    """

    first: list[Any]
    again: list[Any]
    other: list[Any]
    kept: list[Any]
    handed: list[Any]
    fortran: list[Any]
    sliced: list[Any]
    changed: list[Any]
    written: list[Any]


def footprint(function: Any, name: str, case: Case) -> Footprint:
    """What a function, asked as the operation of this name, leaves behind; a `NotImplementedError` passes through."""
    arguments = case.arguments(*OPERATIONS[name].parameters)
    function = _of_arrays(function, name, arguments)

    def arrays(change: Callable[[Any], Any]) -> list[Any]:
        return [change(value) if isinstance(value, np.ndarray) else value for value in arguments]

    handed = arrays(np.array)
    given = _answered(function, handed)
    first = [np.array(part) for part in given]
    others = arrays(_other)
    other = [np.array(part) for part in _answered(function, others)]
    kept = _differences(given, first)
    again = _answered(function, arrays(np.array))
    fortran = _answered(function, arrays(lambda value: laid_out(value, "Fortran-ordered")))
    sliced = _answered(function, arrays(lambda value: laid_out(value, "sliced")))
    left = _differences(handed, list(arguments))
    _answered(function, handed)
    for array, value in zip(handed, others, strict=True):
        if isinstance(array, np.ndarray):
            array[...] = value
    changed = _differences(_answered(function, handed), other)
    return Footprint(
        first,
        again=_differences(again, first),
        other=_differences(other, first),
        kept=kept,
        handed=left,
        fortran=_differences(fortran, first),
        sliced=_differences(sliced, first),
        changed=changed,
        written=_written(function, arrays, first),
    )


def _written(function: Any, arrays: Callable[..., list[Any]], first: list[Any]) -> list[Any]:
    """What the answer differs by once the caller has written into the one before; what was written is put back."""
    given = [part for part in _answered(function, arrays(np.array)) if part.flags.writeable]
    before = [part.copy() for part in given]
    for part in given:
        part += 1.0
    found = [np.array(part) for part in _answered(function, arrays(np.array))]
    for part, value in zip(given, before, strict=True):
        part[...] = value
    return _differences(found, first)


def _other(value: Any) -> Any:
    """Half the entries, the other way round; what is not 0 is not 0 there."""
    return np.array(reversed_entries(np.where(value * 0.5 == 0, value, value * 0.5)))


def _of_arrays(function: Any, name: str, arguments: tuple[Any, ...]) -> Any:
    """The function with one array as its answer, or as they are the parts of a pair; numbers in whatever shape."""
    shapes = OPERATIONS[name].answer(current().target.layout, *arguments)
    if len(shapes) > 1:
        return function
    convert = np.asarray if isinstance(shapes[0], tuple) and shapes[0] else np.ravel
    return lambda *given: convert(function(*given))


def _answered(function: Any, arguments: list[Any]) -> list[Any]:
    """The parts of an answer as arrays; not a number for what crashes or is no array."""
    try:
        return [np.asarray(part, dtype=np.float64) for part in parts(function(*arguments))]
    except (Failure, ArithmeticError, LookupError, TypeError, ValueError):
        return [np.array(np.nan)]


def _differences(left: list[Any], right: list[Any]) -> list[Any]:
    """Entry by entry; 0 where both are infinite alike or not a number, which subtraction would hide."""
    pairs = [(x, y) for x, y in zip(left, right, strict=False) if isinstance(y, np.ndarray)]
    return [_difference(x, y) if np.shape(x) == np.shape(y) else np.array(np.nan) for x, y in pairs]


def _difference(x: Any, y: Any) -> Any:
    return np.where((x == y) | (np.isnan(x) & np.isnan(y)), 0.0, np.subtract(x, y))


class Asked:
    """One case, and the footprints that the target and the right formula leave on it."""

    def __init__(self, name: str, case: Case, function: Any, formula: Any) -> None:
        self.name, self.case = name, case
        self.mine, self.right = footprint(function, name, case), footprint(formula, name, case)
        largest = max(float(np.abs(np.nan_to_num(part)).max(initial=0.0)) for part in self.mine.first)
        self.bound = max(float(np.max(value.allowed)) for value in bounds.of(name, case))
        self._allowed = 4 * self.bound
        self._allowed += 64 * current().target.eps * min(largest, 1e300)  # differences of answers cancel

    @property
    def has_answer(self) -> bool:
        """Whether it has an answer at all: what crashes is like any other crash, whatever the formula."""
        return any(part.shape for part in self.mine.first)

    @property
    def wrong_parts(self) -> set[int]:
        """Which parts of the answer are wrong, where it has as many as it must."""
        pairs = enumerate(zip(self.mine.first, self.right.first, strict=False))
        return {number for number, (mine, value) in pairs if not self._agree([mine], [value])}

    @property
    def has_shape(self) -> bool:
        """Whether the answer's arrays have the shapes of the right one's."""
        return [part.shape for part in self.mine.first] == [part.shape for part in self.right.first]

    @property
    def is_right(self) -> bool:
        """Whether it is answered rightly, and leaves behind what the right formula does."""
        return self.fits(self.right)

    def changes(self, how: str) -> bool:
        """Whether anything differs in this field of the footprint."""
        differences = getattr(self.mine, how)
        return not self._agree(differences, [np.zeros_like(part) for part in differences])

    @property
    def is_stateful(self) -> bool:
        """Whether the same question was seen to get two answers, or an answer given out was seen to change."""
        return any(map(self.changes, ("again", "kept", "changed", "written")))

    @property
    def misbehaves(self) -> bool:
        """Whether it leaves anything behind that no answer, right or wrong, does."""
        return self.is_stateful or any(map(self.changes, ("handed", "fortran", "sliced")))

    def begins(self, function: Any) -> bool:
        """Whether the function's first answer is the target's."""
        arguments = self.case.arguments(*OPERATIONS[self.name].parameters)
        copies = [np.array(value) if isinstance(value, np.ndarray) else value for value in arguments]
        return self._agree(self.mine.first, _answered(_of_arrays(function, self.name, arguments), copies))

    def fits(self, theirs: Footprint, changes_alone: bool = False) -> bool:
        """Whether the target's footprint is this one to rounding; what is not finite must be so in both."""
        pairs = list(zip(self.mine, theirs, strict=True))
        return all(self._agree(mine, other) for mine, other in (pairs[1:] if changes_alone else pairs))

    def _agree(self, mine: list[Any], theirs: list[Any]) -> bool:
        return len(mine) == len(theirs) and all(_close(x, y, self._allowed) for x, y in zip(mine, theirs, strict=True))


def fits(function: Any, asked: list[Asked], stateful: bool) -> bool:
    """Whether a function leaves the target's footprint on every case, and a wrong one on some of those answered.

    What a target that keeps state answers hangs on what it was asked before; only its changes are compared then.
    """
    wrong = False
    with suppress(NotImplementedError):
        for one in asked:
            if not stateful and not one.begins(function):
                return False
            theirs = footprint(function, one.name, one.case)
            if not one.fits(theirs, changes_alone=stateful):
                return False
            wrong = wrong or (one.has_answer and not one.fits(one.right, changes_alone=stateful))
        return wrong
    return False


def _close(x: Any, y: Any, allowed: float) -> bool:
    """Equal to within what rounding allows the right answer, and to as many units of the two's own size."""
    if np.shape(x) != np.shape(y):
        return False
    finite, alike = np.isfinite(x) & np.isfinite(y), ~np.isfinite(x) & ~np.isfinite(y)
    rounding = 64 * current().target.eps * (np.abs(x) + np.abs(y))
    return bool((finite & (np.abs(x - y) <= allowed + rounding) | alike).all())
