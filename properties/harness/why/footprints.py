"""What asking an operation leaves behind: its answers, and what changes when it is asked otherwise or again."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ...layers import OPERATIONS, layer_of
from ...layers.plain import ways
from ...mistakes.right import full, single
from ..core.memory_order import laid_out, reversed_entries
from ..core.setting import setting
from ..core.tape import Case
from ..core.values import FIXED, Array, Kind, parts
from ..target.layout import Layout
from ..target.operation import Failure, Operation

FULL = Layout("NCHW", labels="one-hot")  # that of what takes arrays as the suite has them
ARRAYS = {kind for kind in Kind if kind.is_array}
CHANGED = ARRAYS - {Kind.NUMBERS}  # in place: some layouts have a number alone for these
TURNED = (Kind.IMAGES, Kind.KERNEL, Kind.NUMBERS)  # what has other axes in other layouts


class Footprint(NamedTuple):
    """The first answer, and what differs from it or from what was given.

    `again` is the same question after another one, `other` that one, `kept` the first answer read again at the end of
    it, `handed` the arguments after the call, `fortran` and `sliced` the answers to those memory orders, `changed` that
    to the same arrays with the other question's values in them, and `written` that to the first question once the
    caller has written into the answer.
    """

    first: list[Array]
    again: list[Array]
    other: list[Array]
    kept: list[Array]
    handed: list[Array]
    fortran: list[Array]
    sliced: list[Array]
    changed: list[Array]
    written: list[Array]


def footprint(door: Operation, ask: Callable[..., Any], case: Case, brief: bool = False) -> Footprint:
    """What a function leaves behind that is asked through this door, or, in `brief`, its first answer alone.

    A `NotImplementedError` passes through.
    """
    gives, takes = door.signature.gives, door.signature.takes
    inner = door.signature.arguments(case)
    own = door.handed(inner)
    pairs = zip(takes.values(), inner, strict=True)
    others = door.handed(tuple(_other(kind, value) if kind in CHANGED else value for kind, value in pairs))

    def arrays(change: Callable[[Any], Any], values: tuple[Any, ...] = own) -> list[Array]:
        return [change(value) if isinstance(value, np.ndarray) else value for value in values]

    def answered(arguments: list[Array]) -> list[Array]:
        return _answered(door, ask, arguments)

    handed = arrays(np.array)
    given = answered(handed)
    first = [np.array(part) for part in given]
    if brief:
        return Footprint(_inward(door, gives, first, case), *([] for _ in Footprint._fields[1:]))
    other = [np.array(part) for part in answered(arrays(np.array, others))]
    kept = _differences(given, first)
    again = answered(arrays(np.array))
    fortran = answered(arrays(lambda value: laid_out(value, "Fortran-ordered")))
    sliced = answered(arrays(lambda value: laid_out(value, "sliced")))
    numbers = [number for number, kind in enumerate(takes.values()) if kind in ARRAYS]
    left = _differences(*([np.asarray(arguments[number]) for number in numbers] for arguments in (handed, own)))
    answered(handed)
    for array, value in zip(handed, others, strict=True):
        if isinstance(array, np.ndarray):
            array[...] = value
    changed = _differences(answered(handed), other)
    found = Footprint(
        first,
        again=_differences(again, first),
        other=_differences(other, first),
        kept=kept,
        handed=left,
        fortran=_differences(fortran, first),
        sliced=_differences(sliced, first),
        changed=changed,
        written=_written(answered, arrays, first),
    )
    of_arrays = [kind for kind in takes.values() if kind in ARRAYS]
    parts = {name: _inward(door, gives, value, case) for name, value in found._asdict().items()}
    return Footprint(**{**parts, "handed": _inward(door, of_arrays, found.handed, case)})


def _inward(door: Operation, kinds: Sequence[Kind], arrays: list[Array], case: Case) -> list[Array]:
    """Arrays in the suite's form, where they have the shape that is theirs in the layout."""
    layout, is_answer = door.layout, kinds is door.signature.gives

    def turned(kind: Kind, one: Any) -> Any:
        has_axes = kind in TURNED and layout.axes(kind) == one.ndim
        has_shape = one.shape == case.weights.shape if kind is Kind.POOLED_WEIGHTS else has_axes
        times = layout.times(door.signature, kind, case) if is_answer else 1
        return (layout.inward(kind, one, case) if has_shape else one) * times

    return list(map(turned, kinds, arrays)) if len(arrays) == len(kinds) else arrays


def _written(
    answered: Callable[[list[Array]], list[Array]], arrays: Callable[..., list[Array]], first: list[Array]
) -> list[Array]:
    """What the answer differs by once the caller has written into the one before; what was written is put back."""
    given = [part for part in answered(arrays(np.array)) if part.flags.writeable]
    before = [part.copy() for part in given]
    for part in given:
        part += 1.0
    found = [np.array(part) for part in answered(arrays(np.array))]
    for part, value in zip(given, before, strict=True):
        part[...] = value
    return _differences(found, first)


def _other(kind: Kind, value: Any) -> Any:
    """Half the entries, the other way round; what is not 0 is not 0 there. What is not multiplied is turned alone."""
    half = value if kind in FIXED else np.where(value * 0.5 == 0, value, value * 0.5)
    return np.array(reversed_entries(half))


def _answered(door: Operation, ask: Callable[..., Any], own: list[Array]) -> list[Array]:
    """The parts of an answer as arrays, numbers in whatever shape; not a number for what crashes or is no array."""
    try:
        answer = ask(*own)
        if len(door.signature.gives) > 1:
            return [np.asarray(part, dtype=np.float64) for part in parts(answer)]
        if answer is None:
            return [np.array(np.nan)]
        array = np.asarray(answer, dtype=np.float64)
        is_number = door.signature.gives[0] in (Kind.NUMBERS, Kind.SCALAR)
        return [array.ravel() if is_number or not array.ndim else array]
    except (Failure, ArithmeticError, LookupError, NameError, TypeError, ValueError):
        return [np.array(np.nan)]


def _differences(left: list[Array], right: list[Array]) -> list[Array]:
    """Entry by entry; 0 where both are infinite alike or not a number, which subtraction would hide."""
    pairs = [(x, y) for x, y in zip(left, right, strict=False) if isinstance(y, np.ndarray)]
    return [_difference(x, y) if np.shape(x) == np.shape(y) else np.array(np.nan) for x, y in pairs]


def _difference(x: Array, y: Array) -> Array:
    return np.where((x == y) | (np.isnan(x) & np.isnan(y)), 0.0, np.subtract(x, y))


Agreement = Enum("Agreement", "FULL PARTLY NONE")
_FACTORS, _NEARLY = (-1.0, 2.0, -2.0, 0.5, -0.5), 1e-6  # by which an answer is another one's multiple


class Footprints:
    """One case, and the footprints that the target and the right formula leave on it.

    Answers agree to rounding, or to a `slack` of the largest entry; with that the first answer alone is asked for.
    """

    def __init__(self, operation: Operation, case: Case, slack: float = 0.0) -> None:
        self.name, self.case = operation.name, case
        self._handed: dict[Layout, tuple[Any, ...]] = {}
        right = right_door(operation.name, is_single(operation.name, case))
        self.mine = footprint(operation, operation.raw, case, bool(slack))
        self.right = footprint(right, right.function, case, bool(slack))
        largest = max(float(np.abs(np.nan_to_num(part)).max(initial=0.0)) for part in self.mine.first)
        self.bound = max(float(np.max(value.allowed)) for value in operation.signature.value(case))
        self._allowed = 4 * self.bound
        self._allowed += max(64 * setting().eps, slack) * min(largest, 1e300)  # differences of answers cancel

    @cached_property
    def _wrong(self) -> set[int]:
        return self.wrong_parts

    @property
    def has_answer(self) -> bool:
        """Whether it has an answer at all: what crashes is like any other crash, whatever the formula.

        So is a single entry that is not finite, unless the operation gives one number alone.
        """
        alone = OPERATIONS[self.name].gives == (Kind.SCALAR,)
        return any(part.shape and (alone or part.size > 1 or np.isfinite(part).all()) for part in self.mine.first)

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

    def begins(self, door: Operation) -> bool:
        """Whether the function's first answer is the target's."""
        return self._agree(self.mine.first, self._first(door))

    def agreement(self, door: Operation) -> Agreement:
        """How far the function's first answer is the target's: partly in one of the wrong parts, or times a factor."""
        theirs, mine = self._first(door), self.mine.first
        if len(theirs) != len(mine):
            return Agreement.NONE
        agree = [_close(x, y, self._allowed) for x, y in zip(mine, theirs, strict=True)]
        if all(agree):
            return Agreement.FULL
        some = any(agree[part] for part in self._wrong)
        times = bool(self._wrong) and all(_is_multiple(mine[part], theirs[part], self._allowed) for part in self._wrong)
        return Agreement.PARTLY if some or times else Agreement.NONE

    def _first(self, door: Operation) -> list[Array]:
        if (layout := door.layout) not in self._handed:
            self._handed[layout] = door.handed(door.signature.arguments(self.case))
        own = [np.array(value) if isinstance(value, np.ndarray) else value for value in self._handed[layout]]
        return _inward(door, door.signature.gives, _answered(door, door.function, own), self.case)

    def fits(self, theirs: Footprint, changes_alone: bool = False) -> bool:
        """Whether the target's footprint is this one to rounding; what is not finite must be so in both."""
        pairs = list(zip(self.mine, theirs, strict=True))
        return all(self._agree(mine, other) for mine, other in (pairs[1:] if changes_alone else pairs))

    def _agree(self, mine: list[Array], theirs: list[Array]) -> bool:
        return len(mine) == len(theirs) and all(_close(x, y, self._allowed) for x, y in zip(mine, theirs, strict=True))


def fits(door: Operation, asked: list[Footprints], stateful: bool) -> bool:
    """Whether what is asked through a door leaves the target's footprint on every case, and a wrong one on some.

    What a target that keeps state answers hangs on what it was asked before; only its changes are compared then.
    """
    wrong = False
    with suppress(NotImplementedError):
        for one in asked:
            if not stateful and not one.begins(door):
                return False
            theirs = footprint(door, door.function, one.case)
            if not one.fits(theirs, changes_alone=stateful):
                return False
            wrong = wrong or (one.has_answer and not one.fits(one.right, changes_alone=stateful))
        return wrong
    return False


def _close(x: Array, y: Array, allowed: float) -> bool:
    """Equal to within what rounding allows the right answer, and to as many units of the two's own size."""
    if np.shape(x) != np.shape(y):
        return False
    finite, alike = np.isfinite(x) & np.isfinite(y), ~np.isfinite(x) & ~np.isfinite(y)
    rounding = 64 * setting().eps * (np.abs(x) + np.abs(y))
    return bool((finite & (np.abs(x - y) <= allowed + rounding) | alike).all())


def _is_multiple(mine: Array, theirs: Array, allowed: float) -> bool:
    if mine.shape != theirs.shape or mine.size < 2 or not (np.isfinite(mine).all() and np.isfinite(theirs).all()):
        return False
    place = np.abs(theirs).argmax()
    factor = mine.flat[place] / theirs.flat[place] if theirs.flat[place] else 0.0
    plain = min(_FACTORS, key=lambda one: abs(one - factor))
    return abs(plain - factor) < _NEARLY and _close(mine, theirs * plain, allowed)


def is_single(operation: str, case: Case) -> bool:
    """Whether a case has one image, one channel and one filter, or as many images as the layer's own code takes."""
    if (layer := layer_of(operation)).takes_batches:
        return True
    axes = {Kind.IMAGES: 2, Kind.KERNEL: 2, Kind.FEATURES: 1, Kind.NUMBERS: 1}
    counts = (np.shape(value)[: axes.get(layer.kinds[name], 0)] for name, value in case.items() if name in layer.kinds)
    return all(side == 1 for sides in counts for side in sides)


def right_door(operation: str, is_one: bool) -> Operation:
    """The right formula; at kinks it makes one legal choice of several."""
    if is_one and (ways(operation) or not OPERATIONS[operation].where):
        return Operation(operation, single(operation))
    return Operation(operation, full(operation), FULL)
