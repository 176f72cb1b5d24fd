"""Which small edit of the right code gives a target's very answers: one change, two, or one with a constant."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from typing import Any

import numpy as np
from msgspec.structs import replace

from ..core.reason import Reason
from ..core.setting import setting
from ..core.tape import Case
from ..edits.edit import Edit
from ..edits.edits import edits, edits_with_constants, two_edits
from ..target.definitions import definitions
from ..target.operation import Operation
from .conditions import Condition, condition
from .footprints import Agreement, Footprints, fits
from .questions import Further

MOST_FITS = 24  # edits that fit and are told apart
MOST_TOLD = 2  # edits beside the one that is told
FIRST = 25  # entries, or nearly so many, of the case that an edit is tried on first
NEARLY = 8  # edits that give a part of the answer, and are tried with every other


@dataclass(frozen=True)
class Fit:
    """An edit that answers as the target does; under a condition, without which the target is right."""

    edit: Edit
    make: Callable[[], Callable[..., Any]]
    condition: Condition | None = None

    @property
    def effort(self) -> tuple[bool, int, bool, float]:
        """How rare it is: what is missing is the simplest, and then what differs least."""
        added = not self.edit.what.endswith(" is missing")
        return self.condition is not None, self.edit.rank, added, -SequenceMatcher(None, *self.edit.lines()).ratio()

    @property
    def is_plain(self) -> bool:
        """Whether nothing simpler can be hoped for: a slip of the pen, everywhere."""
        return self.condition is None and self.edit.rank == 1

    def door(self) -> Operation:
        """What asks it as a target is asked, without any state from before."""
        return Operation(self.edit.way.operation, _guarded(self.make()))

    def reason(self) -> Reason:
        """As it is told: in words, with the line as it should be and the line that answers so."""
        right, wrong = self.edit.lines()
        where = f", where {self.condition.words}" if self.condition else ""
        return Reason(f"{self.edit.what}{where}", right=right, wrong=wrong, kind="edit")


def fitting(asked: list[Footprints], further: Further, stateful: bool) -> Reason | None:
    """The simplest edit that leaves the target's footprints on all that was asked, and answers so on further cases.

    None for a target that crashes wherever it is not right: one crash is like any other.
    """
    if not any(one.has_answer for one in asked if not one.is_right):
        return None
    name, flips = further.operation.name, setting().flips
    search, single, found = _Search(asked, further, stateful), list[Edit](), list[Fit]()
    own = definitions({name: further.operation.function}).get(name, {"lines": []})
    for some in edits(name, flips, "\n".join(own["lines"])):
        single += some
        found += search.among(one for one in some if one.leaves_traces or not stateful)
        if any(fit.is_plain for fit in found):
            break
    if not found and not stateful:
        with_constants = edits_with_constants(name, flips, _reached(search.wrong))
        found = search.among(with_constants) or search.among(two_edits(single, search.nearly))
    if not found:
        return None
    best, *others = sorted(found, key=lambda fit: fit.effort)
    return _beside(best, [one.edit.what for one in others if one.edit.is_like(best.edit)])


def _beside(best: Fit, others: list[str]) -> Reason:
    """The reason, with those that differ from it in a constant alone, if any fit too."""
    reason = best.reason()
    if not others:
        return reason
    told = " or ".join(others[:MOST_TOLD])
    return replace(reason, what=f"{reason.what}; what was tried does not tell it from this: {told}")


def _reached(wrong: list[Footprints]) -> tuple[float, ...]:
    """The numbers that the largest entries of several answers are: limits at which something may be cut off."""
    largest = Counter(float(np.abs(part).max(initial=0.0)) for one in wrong for part in one.mine.first)
    return tuple(value for value, count in largest.most_common(MOST_TOLD) if count > 1 and 0 < value < np.inf)


class _Search:
    """The cases in the order in which edits are tried on them, and the edits that gave a part of the answer."""

    def __init__(self, asked: list[Footprints], further: Further, stateful: bool) -> None:
        self.further, self.stateful = further, stateful
        wrong, self.right = [one for one in asked if not one.is_right], [one for one in asked if one.is_right]
        first = min(wrong, key=lambda one: (not one.has_answer, abs(_entries(one.case) - FIRST)))
        self.wrong = [first, *(one for one in wrong if one is not first)]
        self.nearly: list[Edit] = []

    def among(self, candidates: Iterable[Edit]) -> list[Fit]:
        """Those of the edits that fit, the first of them if there are very many."""
        found = islice((fit for edit in candidates if (fit := self._fit(edit))), MOST_FITS)
        return [fit for fit in found if self.stateful or self.further.fit(fit.door(), fit.condition)]

    def _fit(self, edit: Edit) -> Fit | None:
        try:
            fit = Fit(edit, edit.code())
        except (SyntaxError, ValueError):
            return None
        if self.stateful:
            return fit if all(fits(fit.door(), some, True) for some in (self.wrong[:4], self.wrong)) else None
        door = fit.door()
        agreement = self.wrong[0].agreement(door)
        if agreement is not Agreement.FULL:
            if agreement is Agreement.PARTLY and len(self.nearly) < NEARLY:
                self.nearly.append(edit)
            return None
        if not all(one.begins(door) for one in self.wrong[1:]):
            return None
        differs = [one.case for one in self.right if not one.begins(door)]
        if differs:
            under = condition(door.signature.takes, [one.case for one in self.wrong], differs)
            if under is None:
                return None
            fit = Fit(edit, fit.make, under)
        alike = [one for one in (*self.wrong, *self.right) if not any(one.case is case for case in differs)]
        return fit if fits(fit.door(), alike, False) else None


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which raises a `ValueError` for whatever goes wrong in it."""

    def answer(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception as error:
            raise ValueError from error

    return answer


def _entries(case: Case) -> int:
    return sum(np.size(value) for value in case.values())
