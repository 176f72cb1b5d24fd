"""Which mistake gives a target's very answers: the catalogue's first, then plain changes of the right formula.

A candidate is asked what the target was asked, on cases that are the same every time and on the failing one, and
must answer alike on each, where it is right and where it is wrong: on cases off kinks, and at kinks too if the
target is right off them.
"""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from msgspec.structs import replace as replaced

from ...mistakes import Mistake, all_mistakes
from ...mistakes.channels import channel_mistakes
from ..checking.fixed_cases import kinked, larger, smooth
from ..checking.trial import unrecorded
from ..core.limits import NotApplicable
from ..core.reason import Reason, of_form
from ..core.setting import SINGLE, Counts, setting, with_setting
from ..core.tape import Case
from ..core.values import Kind
from ..target.layout import Layout
from ..target.operation import Crashed, Failure, Malformed, Operation, Refuted
from .alterations import alterations
from .behaviour import Seen, remembered, seen
from .consequences import causes, is_wrong_at
from .footprints import Footprints, fits, is_single
from .readings import at_zero, confined, likely, measured

CASES, ACTIVATION_CASES, LARGER_CASES = 20, 60, 2  # those are small, and their exponents many
MOST_NAMED = 2
NONE_FITS = "no catalogued mistake, and no plain change of the right formula, gives these answers"
FOLLOWS = "a right network with your {} in it gives these very answers: mend that first"


@dataclass(frozen=True)
class Diagnosis:
    """What was found about one operation: reasons to be read, the names of the catalogued mistakes that fit, and the
    target's own operations that explain it.
    """

    reasons: tuple[Reason, ...] = ()
    mistakes: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


def explained(failure: Failure, operations: Iterable[Any]) -> Failure:
    """The failure, with what is found about each of the operations of its statement that is wrong by itself.

    Of one that crashes, or gives what is no answer, it says where it does so, and whether it writes into an argument.
    What says itself what may mend it is left alone.
    """
    own = [one for one in operations if isinstance(one, Operation)]
    if isinstance(failure, Crashed | Malformed):
        failing = next((one for one in own if one.name == failure.operation), None)
        if failing:
            of_form = _of_form(failing, failure)
            failure.diagnosis, failure.mistakes = failure.diagnosis + of_form.reasons, of_form.mistakes
    elif isinstance(failure, Refuted) and not failure.diagnosis:
        found = {one.name: diagnosed(one, Case(failure.case)) for one in own}
        first = next(iter(found), "")
        failure.diagnosis = tuple(
            reason if name == first else replaced(reason, about=name)
            for name, one in found.items()
            for reason in one.reasons
        )
        failure.mistakes = tuple(name for one in found.values() for name in one.mistakes)
        failure.follows_from = found[first].causes if first else ()
    return failure


def _of_form(operation: Operation, failure: Crashed | Malformed) -> Diagnosis:
    """What is seen of an operation that crashed or gave what is no answer, asked on all that is tried."""
    with with_setting(most=SINGLE), _quietly():
        smooth_ones, kinked_ones = (_asked(operation, group) for group in _groups(operation, Case(failure.case)))
        asked = smooth_ones + kinked_ones
        if isinstance(failure, Crashed) and "read-only" in str(failure.error):
            found = seen(operation, asked)
            if found and found.name == "argument overwritten":
                return _of_behaviour(operation, found, all_mistakes())
            why = "it writes into an array that is read-only: work on a copy"
            return Diagnosis((Reason(why, kind="behaviour"),))
        deciding = smooth_ones if any(not one.is_right for one in smooth_ones) else asked
        if named := _named(operation, deciding, False, all_mistakes()):
            return named
        shapes = [(one.case, one.mine.first[0].shape) for one in asked]
        misshapen = operation.signature.misshapen
        mode = misshapen(shapes) if misshapen and isinstance(failure, Malformed) else None
        for fails in ([not one.is_right for one in asked], [not one.has_shape for one in asked]):
            tried = [(one.case, failed) for one, failed in zip(asked, fails, strict=True)]
            if where := confined(tried, operation.signature.takes):
                break
        place = f"of what was tried, it fails exactly where {where}" if where else None
        return Diagnosis(of_form(mode) + of_form(place))


def _named(
    operation: Operation, asked: list[Footprints], stateful: bool, catalogue: tuple[Mistake, ...]
) -> Diagnosis | None:
    """The catalogued mistakes that give the operation's answers, if there are any."""
    own = (one for one in catalogue if one.operation == operation.name)
    fitting = [one for one in own if fits(_door(one), asked, stateful)]
    if not fitting:
        return None
    return Diagnosis(tuple(_told(one) for one in fitting[:MOST_NAMED]), tuple(one.id for one in fitting))


def _door(mistake: Mistake) -> Operation:
    """What asks a mistake as a target is asked."""
    return Operation(mistake.operation, mistake.make(), Layout(mistake.layout))


def diagnosed(operation: Operation, failing: Case) -> Diagnosis:
    """The mistakes and changes that give the operation's answers; nothing if it is right on all that is tried.

    `failing` is the case of a property that it refutes. With channels or batches the operation is tried with one of
    each first: what is wrong there is told by the catalogue, what is right there by the mistakes of several.
    """
    if setting().has_several:
        with with_setting(most=SINGLE):
            found = _diagnosed(operation, failing, all_mistakes())
        return found if found.reasons else _diagnosed(operation, failing, channel_mistakes())
    return _diagnosed(operation, failing, all_mistakes())


def _diagnosed(operation: Operation, failing: Case, catalogue: tuple[Mistake, ...]) -> Diagnosis:
    with _quietly():
        asked = [_asked(operation, group) for group in _groups(operation, failing)]
        wrong = [any(_is_wrong(operation, one, bool(kinked)) for one in group) for kinked, group in enumerate(asked)]
        if not any(wrong):
            return _of_behaviour(operation, remembered(operation), catalogue)
        deciding = asked[0] if wrong[0] else [one for group in asked for one in group]
        stateful = any(one.is_stateful for one in deciding)
        several = setting().has_several
        everything = [one for group in asked for one in group if one in deciding or one.case is failing]
        if not several and (why := causes(operation.name, lambda door: fits(door, everything, stateful))):
            return Diagnosis((Reason(FOLLOWS.format(" and ".join(why)), kind="consequence", causes=why),), causes=why)
        if named := _named(operation, deciding, stateful, catalogue):
            return named
        if found := seen(operation, deciding):
            return _of_behaviour(operation, found, catalogue)
        words = _of_numbers(operation, deciding, several) if wrong[0] else _at_kinks(operation, asked[1])
        return Diagnosis((Reason(words),))


def _is_wrong(operation: Operation, one: Footprints, kinked: bool) -> bool:
    """Whether the operation does wrong on a case; at kinks one right answer of several is not."""
    if one.is_right or not kinked:
        return not one.is_right
    with unrecorded():
        return one.misbehaves or is_wrong_at(operation, one.case, False)


def _at_kinks(operation: Operation, asked: list[Footprints]) -> str:
    """What is said of an operation that is right off kinks."""
    answers = [(one.case, one.mine.first, one.right.first, one.bound) for one in asked]
    return at_zero(operation.name, answers) or f"{NONE_FITS}; it is right off ties and zeros"


@contextmanager
def _quietly() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _of_behaviour(operation: Operation, found: Seen | None, catalogue: tuple[Mistake, ...]) -> Diagnosis:
    """What was seen, by the catalogue's words for it where it has a name."""
    if found is None:
        return Diagnosis()
    named = (one for one in catalogue if one.operation == operation.name and one.name == found.name)
    if told := next((replace(one, what=found.what) for one in named), None):
        return Diagnosis((_told(told),), (told.id,))
    return Diagnosis((Reason(found.what, found.name, mend=found.mend, kind="behaviour"),))


def _asked(operation: Operation, cases: list[Case]) -> list[Footprints]:
    """What the cases leave behind; those that the target leaves out are left out here too."""
    found = []
    for case in cases:
        with suppress(NotImplementedError):
            found.append(Footprints(operation, case))
    return found


def _of_numbers(operation: Operation, asked: list[Footprints], several: bool) -> str:
    """What the answers alone say, and where they are wrong."""
    answers = [(one.case, one.mine.first, one.right.first, one.bound) for one in asked]
    words = measured(operation.name, answers)
    if not words and not several:
        wrong = set[int]().union(*(one.wrong_parts for one in asked))
        part = min(wrong) if len(wrong) == 1 and len(asked[0].right.first) > 1 else None
        changes = alterations(operation.name, part)
        altered = next((one for one in changes if fits(Operation(operation.name, one.make()), asked, False)), None)
        words = f"{altered.what}: {altered.mend}" if altered else None
    words = words or likely(operation.name, answers) or NONE_FITS
    tried = [(one.case, not one.is_right) for one in asked]
    if several:
        return f"{words}; {_of_several(operation, tried)}"
    where = confined(tried, operation.signature.takes)
    return f"{words}; of what was tried, it is wrong exactly where {where}" if where else words


def _of_several(operation: Operation, tried: list[tuple[Case, bool]]) -> str:
    """Whether more than one image, channel or filter is what it goes wrong with, given that it is right with one."""
    for kind in Counts._fields:
        if all((getattr(_counts(operation, case), kind) > 1) == wrong for case, wrong in tried):
            return f"it is wrong exactly where there is more than one of the {kind}"
    return "it is wrong only with several images, channels or filters"


def _counts(operation: Operation, case: Case) -> Counts:
    """The images, channels and filters of a case."""
    kinds = operation.signature.takes.items()
    images = next((np.shape(case[name])[:2] for name, kind in kinds if kind is Kind.IMAGES), None)
    filters = next((len(case[name]) for name, kind in kinds if kind is Kind.KERNEL), 1)
    return (
        Counts(images[0], images[1], filters) if images else Counts(images=len(case[operation.signature.parameters[0]]))
    )


def _groups(operation: Operation, failing: Case) -> list[list[Case]]:
    """Cases off kinks, where there is one right answer, and cases at them."""
    signature = operation.signature
    count = ACTIVATION_CASES if Kind.ANY in signature.gives else CASES
    groups = [smooth(signature, count), kinked(signature, count)]
    with suppress(NotApplicable):
        groups[0] += larger(signature.layer, LARGER_CASES)
    fits = setting().has_several or is_single(operation.name, failing)
    if fits and failing.keys() >= set(signature.parameters):
        groups[signature.is_kinked(failing)].insert(0, failing)
    return groups


def _told(mistake: Mistake) -> Reason:
    mend = mistake.mend.replace("{flips}", "does" if setting().flips else "does not")
    return Reason(mistake.what, mistake.name, mistake.why, mend, mistake.seen, kind="mistake")
