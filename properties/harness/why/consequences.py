"""What a failure of the network follows from: a right network gives the very same answers with that layer in it."""

from collections.abc import Callable
from typing import Any

from ...layers import OPERATIONS
from ...layers.declared import composed
from ...mistakes.right import full
from ..checking.comparison import agree_throughout, require_legal
from ..checking.fixed_cases import kinked, smooth
from ..checking.trial import current, unrecorded
from ..core.tape import Case
from ..target.operation import Failure, Operation
from .footprints import FULL

CASES = 12


def causes(name: str, fits: Callable[[Operation], bool]) -> tuple[str, ...]:
    """The target's own wrong operations that alone make a right network answer as its operation `name` does.

    `fits` says whether a function gives the target's answers. Nothing, if they do not explain them.
    """
    offered = current().target.operations
    wrong = [part for part in OPERATIONS[name].uses if part in offered and is_wrong(offered[part])]
    for chosen in [[part] for part in wrong] + [wrong] * (len(wrong) > 1):
        if fits(_with(name, chosen)):
            for part in chosen[:-1]:
                rest = [one for one in chosen if one != part]
                if fits(_with(name, rest)):
                    chosen = rest
            return tuple(chosen)
    return ()


def _with(name: str, chosen: list[str]) -> Operation:
    """One operation of the network, made of these operations of the target and of right ones for the rest."""
    offered = current().target.operations

    def part(operation: str, *arguments: Any) -> Any:
        if operation in chosen:
            return offered[operation](*arguments)
        whole = composed(operation, part) if OPERATIONS[operation].uses else full(operation)
        return whole(*arguments)

    return Operation(name, composed(name, part), FULL)


def is_wrong(operation: Operation) -> bool:
    """Whether an operation of the target is wrong by itself, on a few cases off kinks and at them; asked once."""
    trial = current()
    if operation.name not in trial.wrong:
        signature = operation.signature
        with unrecorded():
            wrong = any(is_wrong_at(operation, case, True) for case in smooth(signature, CASES)) or any(
                is_wrong_at(operation, case, False) for case in kinked(signature, CASES)
            )
        trial.wrong[operation.name] = wrong
    return trial.wrong[operation.name]


def is_wrong_at(operation: Operation, case: Case, is_smooth: bool) -> bool:
    """Whether the answer there is wrong; what the target leaves out is not."""
    try:
        if is_smooth or not operation.signature.faults:
            agree_throughout(operation, case)
        else:
            require_legal(operation, operation.at(case), case)
    except NotImplementedError:
        return False
    except Failure:
        return True
    return False
