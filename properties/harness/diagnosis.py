"""Which mistake gives a target's very answers: the catalogue's first, then plain changes of the right formula.

A candidate is asked what the target was asked, on cases that are the same every time and on the failing one, and
must answer alike on each, where it is right and where it is wrong: on cases off kinks, and at kinks too if the
target is right off them.
"""

import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from . import bounds, oracles
from .alterations import Alteration, alterations, confined, measured
from .consequences import causes
from .large import larger
from .layouts import laid_out, reversed_entries
from .limits import NotApplicable
from .mistakes import Mistake, all_mistakes, right
from .mistakes.channels import channel_mistakes
from .network_cases import is_smooth
from .probes import kinked, smooth
from .single import single, single_case, single_operation
from .sizes import Counts
from .strategies import Case
from .target import HW, Failure, Malformed, Operation, Refuted, parts
from .trial import current, on_trial

CASES, LARGER_CASES = 20, 2
MOST_NAMED = 2
NONE_FITS = "no catalogued mistake, and no plain change of the right formula, gives these answers"
FOLLOWS = "a right network with your {} in it gives these very answers: mend that first"
KEEPS_STATE = "it keeps state between calls: the same arguments must give the same answer, others another one"


@dataclass(frozen=True)
class Diagnosis:
    """What was found about one operation: reasons to be read, the names of the catalogued mistakes that fit, and the
    target's own operations that explain it.
    """

    reasons: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


def explained(failure: Failure, operations: Iterable[Any]) -> Failure:
    """The failure, with what is found about each of the operations of its statement that is wrong by itself.

    One that says itself what may mend it is left alone.
    """
    if isinstance(failure, Refuted) and not isinstance(failure, Malformed) and not failure.diagnosis:
        found = {one.name: diagnosed(one, Case(failure.case)) for one in operations if isinstance(one, Operation)}
        first = next(iter(found), "")
        failure.diagnosis = tuple(
            reason if name == first else f"{name}: {reason}" for name, one in found.items() for reason in one.reasons
        )
        failure.mistakes = tuple(name for one in found.values() for name in one.mistakes)
        failure.follows_from = found[first].causes if first else ()
    return failure


def diagnosed(operation: Operation, failing: Case) -> Diagnosis:
    """The mistakes and changes that give the operation's answers; nothing if it is right on all that is tried.

    `failing` is the case of a property that it refutes. With channels or batches the operation is tried with one of
    each first: what is wrong there is told by the catalogue, what is right there by the mistakes of several.
    """
    trial = current()
    if trial.target.layout == HW:
        return _diagnosed(operation, failing, all_mistakes())
    with on_trial(single(trial.target), trial.conventions):
        found = _diagnosed(single_operation(operation), single_case(trial.target.layout, failing), all_mistakes())
    return found if found.reasons else _diagnosed(operation, failing, channel_mistakes())


def _diagnosed(operation: Operation, failing: Case, catalogue: tuple[Mistake, ...]) -> Diagnosis:
    groups = _groups(operation, failing)
    formula = right(operation.name)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        asked = [[Asked(operation, case, operation.raw, formula) for case in group] for group in groups]
        wrong = [any(not one.fits(one.right) for one in group) for group in asked]
        if not any(wrong):
            return Diagnosis()
        deciding = asked[0] if wrong[0] else [one for group in asked for one in group]
        stateful = any(one.is_stateful for one in deciding)

        def fits(candidate: Mistake | Alteration) -> bool:
            return _fits(candidate.make(), deciding, stateful)

        several = current().target.layout != HW
        if not several and (why := causes(operation.name, lambda function: _fits(function, deciding, stateful))):
            return Diagnosis((FOLLOWS.format(" and ".join(why)),), causes=why)
        fitting = [one for one in catalogue if one.operation == operation.name and fits(one)]
        if fitting:
            return Diagnosis(tuple(_told(one) for one in fitting[:MOST_NAMED]), tuple(one.id for one in fitting))
        if stateful:
            return Diagnosis((KEEPS_STATE,))
        words = measured(operation.name, [(one.case, one.mine.first, one.right.first) for one in deciding])
        if not words and several:
            words = NONE_FITS
        if not words:
            altered = next((one for one in alterations(operation.name) if fits(one)), None)
            words = f"{altered.what}: {altered.mend}" if altered else NONE_FITS
        tried = [(one.case, not one.fits(one.right)) for one in deciding]
        where = _of_several(tried) if several else confined(tried, operation.signature.parameters)
        return Diagnosis((words + where,))


def _of_several(tried: list[tuple[Case, bool]]) -> str:
    """Whether more than one image, channel or filter is what it goes wrong with, given that it is right with one."""
    for kind in Counts._fields:
        if all((getattr(_counts(case), kind) > 1) == wrong for case, wrong in tried):
            return f"; it is wrong exactly where there is more than one of the {kind}"
    return "; it is wrong only with several images, channels or filters"


def _counts(case: Case) -> Counts:
    """The images, channels and filters of a case."""
    layout = current().target.layout
    if "features" in case:
        return Counts(images=len(case.features))
    numbers = layout.numbers(case.x if "x" in case else case.image)
    return Counts(numbers["N"], numbers["C"], len(case.kernel) if "kernel" in case and layout.channelled else 1)


def _groups(operation: Operation, failing: Case) -> list[list[Case]]:
    """Cases off kinks, where there is one right answer, and cases at them."""
    layer = operation.signature.layer
    groups = [smooth(layer, CASES), kinked(layer, CASES)]
    with suppress(NotApplicable):
        groups[0] += larger(layer, LARGER_CASES)
    if failing.keys() >= set(operation.signature.parameters):
        groups[_is_kinked(operation.name, failing)].insert(0, failing)
    if operation.name == "relu_derivative":
        groups[0] = [Case(x=np.where(case.x == 0, 1.0, case.x)) for case in groups[0]]
    elif layer == "activations":
        groups[1] = []
    return groups


def _is_kinked(operation: str, case: Case) -> bool:
    if operation == "relu_derivative":
        return bool((case.x == 0).any())
    if operation == "max_pool_gradient":
        return bool((oracles.maxima(case.x, case.window).sum()) > case.upstream.size)
    return "kernel" in case and "target" in case and not is_smooth(oracles.conv2d(case.image, case.kernel))


class Footprint(NamedTuple):
    """What asking leaves behind: the first answer, and what differs from it or from what was given.

    `again` is the same question after another one, `other` that one, `kept` the first answer read again at the end of
    it, `handed` the arguments after the call, `fortran` the answer to Fortran-ordered ones, and `changed` that to the
    same arrays with the other question's values in them.
    """

    first: list[Any]
    again: list[Any]
    other: list[Any]
    kept: list[Any]
    handed: list[Any]
    fortran: list[Any]
    changed: list[Any]


def _footprint(function: Any, operation: Operation, case: Case) -> Footprint:
    arguments = case.arguments(*operation.signature.parameters)
    if operation.name in ("predict", "cost"):  # numbers, in whatever shape
        function = _in_a_row(function)

    def arrays(change: Callable[[Any], Any]) -> list[Any]:
        return [change(value) if isinstance(value, np.ndarray) else value for value in arguments]

    handed = arrays(np.array)
    given = _answered(function, handed)
    first = [np.array(part) for part in given]
    others = arrays(lambda value: reversed_entries(value) * 0.5)
    other = [np.array(part) for part in _answered(function, others)]
    kept = _differences(given, first)
    again = _answered(function, arrays(np.array))
    fortran = _answered(function, arrays(lambda value: laid_out(value, "read-only and Fortran-ordered")))
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
        changed=changed,
    )


def _in_a_row(function: Any) -> Any:
    return lambda *arguments: np.ravel(function(*arguments))


def _answered(function: Any, arguments: list[Any]) -> list[Any]:
    """The parts of an answer as arrays; not a number for what crashes or is no array."""
    try:
        return [np.asarray(part, dtype=np.float64) for part in parts(function(*arguments))]
    except (Failure, NotImplementedError, TypeError, ValueError):
        return [np.array(np.nan)]


def _differences(left: list[Any], right: list[Any]) -> list[Any]:
    """Entry by entry; 0 where both are infinite alike or not a number, which subtraction would hide."""
    pairs = [(x, y) for x, y in zip(left, right, strict=False) if isinstance(y, np.ndarray)]
    return [_difference(x, y) if np.shape(x) == np.shape(y) else np.array(np.nan) for x, y in pairs]


def _difference(x: Any, y: Any) -> Any:
    return np.where((x == y) | (np.isnan(x) & np.isnan(y)), 0.0, np.subtract(x, y))


class Asked:
    """One case, and the footprints that the target and the right formula leave on it."""

    def __init__(self, operation: Operation, case: Case, function: Any, formula: Any) -> None:
        self.operation, self.case = operation, case
        self.mine, self.right = _footprint(function, operation, case), _footprint(formula, operation, case)
        largest = max(float(np.abs(np.nan_to_num(part)).max(initial=0.0)) for part in self.mine.first)
        self._allowed = 4 * max(float(np.max(value.allowed)) for value in bounds.of(operation.name, case))
        self._allowed += 64 * current().target.eps * min(largest, 1e300)  # differences of answers cancel

    @property
    def is_stateful(self) -> bool:
        """Whether the same question gets another answer, or another question the same one where it must not."""
        nothing = [np.zeros_like(part) for part in self.mine.again]
        same = [np.zeros_like(part) for part in self.mine.other]
        if not self._agree(self.mine.again, nothing):
            return True
        finite = all(np.isfinite(part).all() for part in self.mine.first)
        return finite and self._agree(self.mine.other, same) and not self._agree(self.right.other, same)

    def fits(self, theirs: Footprint, changes_alone: bool = False) -> bool:
        """Whether the target's footprint is this one to rounding; what is not finite must be so in both."""
        pairs = list(zip(self.mine, theirs, strict=True))
        return all(self._agree(mine, other) for mine, other in (pairs[1:] if changes_alone else pairs))

    def _agree(self, mine: list[Any], theirs: list[Any]) -> bool:
        return len(mine) == len(theirs) and all(_close(x, y, self._allowed) for x, y in zip(mine, theirs, strict=True))


def _fits(function: Any, asked: list[Asked], stateful: bool) -> bool:
    """Whether a function leaves the target's footprint on every case, and a wrong one on some.

    What a target that keeps state answers hangs on what it was asked before; only its changes are compared then.
    """
    wrong = False
    for one in asked:
        theirs = _footprint(function, one.operation, one.case)
        if not one.fits(theirs, changes_alone=stateful):
            return False
        wrong = wrong or not one.fits(one.right, changes_alone=stateful)
    return wrong


def _close(x: Any, y: Any, allowed: float) -> bool:
    """Equal to within what rounding allows the right answer, and to as many units of the two's own size."""
    if np.shape(x) != np.shape(y):
        return False
    rounding = 64 * current().target.eps * (np.abs(x) + np.abs(y))
    return bool(((np.abs(x - y) <= allowed + rounding) | (~np.isfinite(x) & ~np.isfinite(y))).all())


def _told(mistake: Mistake) -> str:
    seen = f" Seen: {mistake.seen}." if mistake.seen else ""
    mend = mistake.mend.replace("{flips}", "does" if current().flips else "does not")
    return f"{mistake.name}: {mistake.what} Why: {mistake.why}. Mend: {mend}.{seen}"
