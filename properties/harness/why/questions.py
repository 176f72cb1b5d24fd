"""What a target is asked, so that formulas that answer alike are told apart: cases that are the same every time."""

from contextlib import suppress
from functools import cached_property

import numpy as np

from ...layers.base.registry import Signature
from ..checking.fixed_cases import kinked, larger, smooth
from ..core.limits import NotApplicable
from ..core.setting import setting
from ..core.tape import Case
from ..core.values import FIXED, Kind
from ..target.operation import Operation
from .conditions import Condition
from .footprints import Footprints, is_single

CASES, ACTIVATION_CASES, LARGER_CASES = 20, 60, 2  # those are small, and their exponents many
FURTHER, FURTHER_LARGER = 40, 6
SLACK = 1e-10  # of the largest entry: on these, what is wrong may cancel more than what is right
SIZES = 2.0**12, 2.0**12, 2.0**-12, 2.0**-12  # powers of two: what ties still ties


def groups(operation: Operation, failing: Case) -> list[list[Case]]:
    """Cases off kinks, where there is one right answer, and cases at them."""
    signature = operation.signature
    count = ACTIVATION_CASES if Kind.ANY in signature.gives else CASES
    found = [smooth(signature, count), kinked(signature, count)]
    with suppress(NotApplicable):
        found[0] += larger(signature.layer, LARGER_CASES)
    fits = setting().has_several or is_single(operation.name, failing)
    if fits and failing.keys() >= set(signature.parameters):
        for case in (*_asked_besides(signature, failing), failing):
            found[signature.is_kinked(case)].insert(0, case)
    return found


def _asked_besides(signature: Signature, failing: Case) -> list[Case]:
    """What a statement of a second argument, as linearity, asks with it: that in place of the first, and their sum."""
    arrays = {name: value for name, value in failing.items() if isinstance(value, np.ndarray)}
    second = [value for name, value in arrays.items() if name not in signature.takes]
    free = [name for name, kind in signature.takes.items() if name in arrays and kind not in FIXED]
    pairs = [(name, arrays[name], one) for name in free for one in second]
    alike = [(name, one, two) for name, one, two in pairs if one.shape == two.shape and two.dtype.kind == "f"]
    return [failing.changed(**{name: value}) for name, one, two in alike for value in (two, one + two)]


def asked_of(operation: Operation, cases: list[Case], slack: float = 0.0) -> list[Footprints]:
    """What the cases leave behind; those that the target leaves out are left out here too."""
    found = []
    for case in cases:
        with suppress(NotImplementedError):
            found.append(Footprints(operation, case, slack))
    return found


class Further:
    """Cases that were not asked at first, which a formula that fits must stand; asked once one is there."""

    def __init__(self, operation: Operation, at_kinks: bool) -> None:
        self.operation, self.at_kinks = operation, at_kinks

    @cached_property
    def footprints(self) -> list[Footprints]:
        """What the target leaves behind on them."""
        signature = self.operation.signature
        cases = smooth(signature, ACTIVATION_CASES + FURTHER)[-FURTHER:]
        if self.at_kinks:
            cases += kinked(signature, ACTIVATION_CASES + FURTHER)[-FURTHER:]
        sized = ((name, case, size) for name in self._scalable for case, size in zip(cases, SIZES, strict=False))
        cases += [case.changed(**{name: case[name] * size}) for name, case, size in list(sized)]
        with suppress(NotApplicable):
            cases += [
                one for one in larger(signature.layer, FURTHER_LARGER) if self.at_kinks or not signature.is_kinked(one)
            ]
        return asked_of(self.operation, cases, SLACK)

    @property
    def _scalable(self) -> list[str]:
        """The arguments that may be multiplied: arrays, and numbers but rates."""
        takes = self.operation.signature.takes
        return [name for name, kind in takes.items() if kind.is_array and kind not in (Kind.ANY, *FIXED)]

    def fit(self, door: Operation, under: Condition | None = None) -> bool:
        """Whether a function answers as the target does, or where a condition does not hold the target is right."""
        return all(
            one.begins(door) or bool(under and not under.holds(one.case) and one.is_right) for one in self.footprints
        )
