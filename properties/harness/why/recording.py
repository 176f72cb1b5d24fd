"""The calls that a statement makes of a target, noted down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...layers import OPERATIONS
from ..checking.trial import unrecorded
from ..core.tape import Case
from ..core.values import changed_parts
from ..target.operation import Failure, Operation, Refuted


@dataclass(eq=False)
class Call:
    """One call: what was handed over, what that held then, and what came back or was raised.

    `answer` is a copy made when it came back, `given_out` the object itself, which a later call may change. `changed`
    names the arguments that were others then.
    """

    operation: Operation
    arguments: tuple[Any, ...]
    before: tuple[Any, ...]
    given_out: Any = None
    answer: Any = None
    error: BaseException | None = None
    changed: tuple[str, ...] = ()

    @property
    def case(self) -> Case:
        """The arguments by name, as they were before the call."""
        return Case(zip(OPERATIONS[self.operation.name].parameters, self.before, strict=True))

    @property
    def malformed(self) -> Refuted | None:
        """What keeps the answer from being finite numbers of the right shape."""
        try:
            self.operation.checked(self.answer, self.before)
        except Refuted as error:
            return error
        return None

    @property
    def checked(self) -> Any:
        """The answer as float64 arrays; only if it is not malformed."""
        return self.operation.checked(self.answer, self.before)

    @property
    def changed_later(self) -> bool:
        """Whether the answer that was given out is not any more what it was."""
        return not _same(self.given_out, self.answer)


def recorded(operations: dict[str, Any], calls: list[Call]) -> dict[str, Any]:
    """The arguments of a statement, with operations that note down their calls."""
    return {
        name: [_recording(one, calls) for one in value] if isinstance(value, list) else _recording(value, calls)
        for name, value in operations.items()
    }


def _recording(operation: Operation, calls: list[Call]) -> Operation:
    def noting(*arguments: Any) -> Any:
        call = Call(operation, arguments, tuple(_copied(value) for value in arguments))
        calls.append(call)
        try:
            call.given_out = operation.function(*arguments)
        except NotImplementedError:
            calls.remove(call)
            raise
        except BaseException as error:
            call.error = error
            raise
        call.answer = _copied(call.given_out)
        named = zip(operation.signature.parameters, arguments, call.before, strict=True)
        call.changed = tuple(name for name, handed, before in named if not np.array_equal(handed, before))
        return call.given_out

    return Operation(operation.name, noting, operation.layout, operation.world)


def asked(operation: Operation, arguments: Sequence[Any]) -> Call:
    """A call that is still to be made."""
    return Call(operation, tuple(arguments), tuple(_copied(value) for value in arguments))


def layout_of(array: Any) -> str:
    """The memory order of an array: "C", "F", or "sliced" for what is neither."""
    return "C" if array.flags.c_contiguous else "F" if array.flags.f_contiguous else "sliced"


def failing(test: Callable[[], Any]) -> Failure | None:
    """How this fails, if it does; that does not count as the property's."""
    with unrecorded():
        try:
            test()
        except Failure as failure:
            return failure
        except NotImplementedError:
            pass
    return None


def _copied(value: Any) -> Any:
    if isinstance(value, list):
        return [_copied(part) for part in value]
    return changed_parts(lambda part: part.copy() if isinstance(part, np.ndarray) else part, value)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list | tuple):
        return all(_same(part, counterpart) for part, counterpart in zip(one, other, strict=True))
    return not isinstance(one, np.ndarray) or one.dtype.kind not in "biuf" or np.array_equal(one, other, equal_nan=True)
