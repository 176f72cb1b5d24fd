"""Which mistake gives a target's very answers: the catalogue's first, then every small edit of the right code.

A candidate is asked what the target was asked, on cases that are the same every time and on the failing one, and
must answer alike on each, where it is right and where it is wrong: on cases off kinks, and at kinks too if the
target is right off them.
"""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from msgspec.structs import replace as replaced

from ...layers import layer_of
from ...mistakes import Mistake, all_mistakes
from ...mistakes.channels import channel_mistakes
from ..checking.trial import unrecorded
from ..core.reason import Reason, of_form
from ..core.setting import SINGLE, Counts, setting, with_setting
from ..core.tape import Case
from ..core.values import Kind
from ..target.layout import Layout
from ..target.operation import Crashed, Failure, Malformed, Operation, Refuted
from .behaviour import Seen, remembered, seen
from .conditions import confined
from .consequences import causes, is_wrong_at
from .fitting import fitting
from .footprints import Footprints, fits
from .own_layers import of_gradients
from .questions import Further, asked_of, groups
from .readings import Measured, at_zero, likely, measured

MOST_NAMED = 2
NONE_FITS = "no catalogued mistake, and no small edit of the right code, gives these answers"
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
    if isinstance(failure, Crashed) and isinstance(failure.error, MemoryError):
        return failure  # it says so itself, and there may be none left to find out more
    if isinstance(failure, Crashed | Malformed):
        failing = next((one for one in own if one.name == failure.operation), None)
        if failing and layer_of(failing.name).has_oracle:
            of_form = _of_form(failing, failure)
            failure.diagnosis, failure.mistakes = failure.diagnosis + of_form.reasons, of_form.mistakes
    elif isinstance(failure, Refuted) and own and not layer_of(own[0].name).has_oracle:
        failure.diagnosis = failure.diagnosis or of_gradients(own[0], Case(failure.case))
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
        smooth_ones, kinked_ones = (asked_of(operation, group) for group in groups(operation, Case(failure.case)))
        asked = smooth_ones + kinked_ones
        if isinstance(failure, Crashed) and "read-only" in str(failure.error):
            found = seen(operation, asked)
            if found and found.name == "argument overwritten":
                return _of_behaviour(operation, found, all_mistakes())
            why = "it writes into an array that is read-only: work on a copy"
            return Diagnosis((Reason(why, kind="behaviour"),))
        deciding = smooth_ones if any(not one.is_right for one in smooth_ones) else asked
        further = Further(operation, deciding is asked)
        if named := _named(operation, deciding, further, False, all_mistakes()):
            return named
        if edited := fitting(deciding, further, False):
            return Diagnosis((edited,))
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
    operation: Operation, asked: list[Footprints], further: Further, stateful: bool, catalogue: tuple[Mistake, ...]
) -> Diagnosis | None:
    """The catalogued mistakes that give the operation's answers, if there are any."""
    own = (one for one in catalogue if one.operation == operation.name and one.is_written)
    found = [one for one in own if fits(_door(one), asked, stateful) and (stateful or further.fit(_door(one)))]
    if not found:
        return None
    return Diagnosis(tuple(_told(one) for one in found[:MOST_NAMED]), tuple(one.id for one in found))


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
            found = _by_conventions(operation, failing)
        return found if found.reasons else _diagnosed(operation, failing, channel_mistakes())
    return _by_conventions(operation, failing)


def _by_conventions(operation: Operation, failing: Case) -> Diagnosis:
    """The diagnosis, for either convention where the target offers nothing else to find it by: what says more."""
    known, signature = setting().conventions, operation.signature
    decides = not (signature.parts or signature.uses)  # a forward pass, which the convention was found by
    if not signature.follows or (known.convolution and not decides):
        return _diagnosed(operation, failing, all_mistakes())
    found = list[Diagnosis]()
    for convention in sorted(("convolution", "correlation"), key=lambda one: one != known.convolution):
        with with_setting(conventions=replace(known, convolution=convention)):
            found.append(_diagnosed(operation, failing, all_mistakes()))
        if not found[-1].reasons or found[-1].reasons[0].kind != "numbers":
            return found[-1]
    return found[0]


def _diagnosed(operation: Operation, failing: Case, catalogue: tuple[Mistake, ...]) -> Diagnosis:
    with _quietly():
        asked = [asked_of(operation, group) for group in groups(operation, failing)]
        wrong = [any(_is_wrong(operation, one, bool(kinked)) for one in group) for kinked, group in enumerate(asked)]
        if not any(wrong):
            return _of_behaviour(operation, remembered(operation), catalogue)
        deciding = asked[0] if wrong[0] else [one for group in asked for one in group]
        stateful = any(one.is_stateful for one in deciding)
        several = setting().has_several
        everything = [one for group in asked for one in group if one in deciding or one.case is failing]
        if not several and (why := causes(operation.name, lambda door: fits(door, everything, stateful))):
            return Diagnosis((Reason(FOLLOWS.format(" and ".join(why)), kind="consequence", causes=why),), causes=why)
        further = Further(operation, not wrong[0])
        if named := _named(operation, deciding, further, stateful, catalogue):
            return named
        if found := seen(operation, deciding):
            return _of_behaviour(operation, found, catalogue)
        if not several and (edited := fitting(deciding, further, stateful)):
            numbers = None if stateful else measured(operation.name, _answers(deciding))
            return Diagnosis((replaced(edited, what=f"{edited.what}; {numbers}") if numbers else edited,))
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
    return at_zero(operation.name, _answers(asked)) or f"{NONE_FITS}; it is right off ties and zeros"


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


def _of_numbers(operation: Operation, asked: list[Footprints], several: bool) -> str:
    """What the answers alone say, and where they are wrong."""
    answers = _answers(asked)
    words = measured(operation.name, answers) or likely(operation.name, answers) or NONE_FITS
    tried = [(one.case, not one.is_right) for one in asked]
    if several:
        return f"{words}; {_of_several(operation, tried)}"
    where = confined(tried, operation.signature.takes)
    return f"{words}; of what was tried, it is wrong exactly where {where}" if where else words


def _answers(asked: list[Footprints]) -> Measured:
    return [(one.case, one.mine.first, one.right.first, one.bound) for one in asked]


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


def _told(mistake: Mistake) -> Reason:
    mend = mistake.mend.replace("{flips}", "does" if setting().flips else "does not")
    right, wrong = mistake.lines
    return Reason(mistake.what, mistake.name, mistake.why, mend, mistake.seen, right, wrong, kind="mistake")
