"""What an operation was seen to do beside answering: it writes, it keeps, it takes an order of memory for granted."""

from contextlib import suppress
from itertools import chain, combinations, count
from typing import Any, NamedTuple

import numpy as np

from ...layers import layer_of
from ..checking.trial import current
from ..core.tape import Case
from ..core.values import FIXED, parts
from ..target.operation import Failure, Operation
from .footprints import ARRAYS, Footprints

KEEPS_STATE = "It keeps state between calls: the same question got two answers."
_FRESH = count()


class Seen(NamedTuple):
    """What was seen, and how to mend it; with the catalogue's name for it, or one of its kind."""

    name: str
    what: str
    mend: str


def seen(operation: Operation, asked: list[Footprints]) -> Seen | None:
    """What the operation was seen to do in these cases that no right one does; nothing if it only answers wrongly."""
    names = [name for name, kind in operation.signature.takes.items() if kind in ARRAYS]
    changed = [name for number, name in enumerate(names) if any(np.any(one.mine.handed[number]) for one in asked)]
    if changed:
        return Seen("argument overwritten", f"It changes its argument {' and '.join(changed)}.", "work on a copy")
    if any(one.changes("kept") for one in asked):
        return Seen("same buffer", "An answer that it gave out changes with a later call.", "return a new array")
    if earlier := remembered(operation):
        return earlier
    if any(one.changes("again") for one in asked):
        return Seen("state kept", KEEPS_STATE, "compute from the arguments alone")
    if any(one.changes("changed") for one in asked):
        what = "An array whose values are changed in place gets another answer than a new one with these values."
        return Seen("kept by identity", what, "compute from the arguments")
    if any(one.changes("written") for one in asked):
        what = "It keeps the array that it gives out: who writes into that changes its later answers."
        return Seen("kept array given out", what, "return a copy")
    orders = {"fortran": "Fortran-ordered", "sliced": "sliced"}
    if found := [
        words for order, words in orders.items() if any(not one.wrong_parts and one.changes(order) for one in asked)
    ]:
        what = f"The same values get another answer in {' and in '.join(found)} arrays."
        return Seen("memory order taken for granted", what, "go by indices or strides, or take np.ascontiguousarray")
    return None


def remembered(operation: Operation) -> Seen | None:
    """That it answers with values of an earlier call, if that was seen.

    In shapes that are new to it, it answers a first question rightly, and another one rightly but with some arguments
    of the first, though it is right on the like of that one where it comes first. In between the layer's other
    operations are asked the first question too, since they may share an object.
    """
    takes, layer = operation.signature.takes.items(), layer_of(operation.name)
    varied = [name for name, kind in takes if kind not in FIXED and operation.signature.is_given(name)]
    factors = {name: 1 + number * 2.0**-33 for number, name in enumerate(varied, start=1)}

    def answered(case: Case) -> tuple[Any, ...]:
        return parts(operation.at(case))

    def near(case: Case) -> Case:
        return case.changed(**{name: case[name] * factor for name, factor in factors.items()})

    number = next(_FRESH)
    first, second = (layer.fresh(number, seed) for seed in (0, 1))
    like = layer.fresh(next(_FRESH), 0)
    ways = {
        "kept by shape": ("of the same shape", second, like),
        "kept by print": ("that agrees in its first nine digits", near(first), near(like)),
    }
    with suppress(Failure, NotImplementedError):
        if not _agrees(operation, answered(first), first):
            return None
        for sibling in current().target.operations.values():
            if sibling.signature.layer == layer.name and sibling.name != operation.name:
                with suppress(Failure, NotImplementedError):
                    sibling.at(first)
        for name, (which, case, alone) in ways.items():
            answer = answered(case)
            if _agrees(operation, answer, case):
                continue
            for some in chain.from_iterable(combinations(factors, length) for length in range(1, len(factors) + 1)):
                earlier = case.changed(**{argument: first[argument] for argument in some})
                if _agrees(operation, answer, earlier) and _agrees(operation, answered(alone), alone):
                    what = f"It goes by the {' and '.join(some)} of an earlier call, {which}."
                    return Seen(name, what, "compute from the arguments")
    return None


def _agrees(operation: Operation, answer: tuple[Any, ...], case: Case) -> bool:
    values = zip(answer, operation.signature.value(case), strict=True)
    return all(bool((np.abs(part - value.value) <= 4 * value.allowed).all()) for part, value in values)
