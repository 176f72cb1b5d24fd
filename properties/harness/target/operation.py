"""The door through which every call of a target goes: nothing that it does goes unseen, and nothing inside knows its
layout.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import replace

from ...layers import OPERATIONS, layer_of
from ...layers.base.registry import Signature
from ..core.reason import Difference, Reason, of_form
from ..core.tape import Case
from ..core.text import encoded, last_line
from ..core.values import Kind
from . import memory
from .calling import misfit
from .layout import HW, Layout
from .malformed import kind_of, slip, tuple_of
from .timeouts import WATCH, OutOfTime
from .world import EVERYBODYS


class Failure(Exception):
    """What ends a statement for this target: `case` is the input that it ended on, `diagnosis` what may mend it.

    `mistakes` names those of the catalogue that give the target's very answers, `follows_from` the target's own
    operations that alone explain them; `scripts` may show the failure without this project, the shortest first. Where
    one `operation` crashed or gave what is no answer, it is named.
    """

    case: dict[str, Any]
    operation: str = ""
    scripts: tuple[str, ...] = ()
    diagnosis: tuple[Reason, ...] = ()
    mistakes: tuple[str, ...] = ()
    follows_from: tuple[str, ...] = ()


class Crashed(Failure):
    """An operation raised something; `error` is what it raised."""

    def __init__(self, operation: str, error: BaseException) -> None:
        self.operation, self.error = operation, error
        super().__init__(str(error) if isinstance(error, OutOfTime) else f"{operation} raised {last_line(error)}")


class Refuted(Failure, AssertionError):
    """What a target gave is not what the statement says: both sides, and in which entries of its own it is `wrong`.

    The message may be how far it is off. `kind` says what the two sides are where they are not an answer of the
    statement's first operation.
    """

    def __init__(
        self,
        message: str | Difference,
        *,
        yours: object = None,
        expected: object = None,
        wrong: object = None,
        kind: Kind | None = None,
    ) -> None:
        self.message, self.yours, self.expected, self.wrong, self.kind = str(message), yours, expected, wrong, kind
        self.difference = message if isinstance(message, Difference) else None
        super().__init__(self.message)


class Malformed(Refuted):
    """An answer that is no array, or pair, of the shapes that the contract asks for."""

    def __init__(self, message: str, *, yours: object, expected: object) -> None:
        super().__init__(message, yours=yours, expected=expected, kind=Kind.ANY)


class Operation:
    """One operation of a target. Called, it hands copies over and gives float64 arrays of the right shape back.

    Arguments and answers are in the suite's one form, and go through the target's layout on their way. A pair comes
    back as a tuple of two arrays, a scalar as a float. Raises `Crashed` if the target raises, `Refuted` if the answer
    is not finite real numbers in the shape that the contract asks for; a `NotImplementedError` passes through. The
    target's code runs in its `world`. It `has` some of the operation's options, if nothing is said all. A `signature`
    is that of a target's own layer.
    """

    def __init__(
        self,
        name: str,
        function: Any,
        layout: Layout = HW,
        world: Any = EVERYBODYS,
        has: frozenset[str] | None = None,
        signature: Signature | None = None,
    ) -> None:
        self.name, self.function, self.layout = name, function, layout
        self.signature = OPERATIONS[name] if signature is None else signature
        self.world, self.has = world, self.signature.every_option if has is None else has

    def __call__(self, *arguments: Any) -> Any:
        return self.checked(self.raw(*self.handed(arguments)), arguments)

    def having(self, options: frozenset[str]) -> "Operation":
        """The same operation with these of its options."""
        return Operation(self.name, self.function, self.layout, self.world, options, self.signature)

    def at(self, case: Case) -> Any:
        """The answer to what it takes of a case."""
        return self(*self.signature.arguments(case))

    def handed(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """Copies of these arguments in the target's own layout, in C order."""
        case = self.signature.case(arguments)
        kinds = self.signature.takes.values()
        return tuple(
            _copy(self.layout.outward(kind, value, case)) for kind, value in zip(kinds, arguments, strict=True)
        )

    def case_of(self, handed: tuple[Any, ...]) -> Case:
        """The case that arguments in the target's own layout make; labels last, since others say how many classes."""
        case, given = Case(), dict(zip(self.signature.takes, handed, strict=True))
        for name, kind in sorted(self.signature.takes.items(), key=lambda item: item[1] is Kind.LABELS):
            case[name] = self.layout.inward(kind, given[name], case)
        return Case({name: case[name] for name in given})

    def raw(self, *own: Any) -> Any:
        """The target's answer to these very arguments of its own layout, unchecked. NumPy's error state stays ours."""
        with np.errstate():
            return self.bare(*own)

    def bare(self, *own: Any) -> Any:
        """As `raw`, but what the target does to NumPy's error state stays done."""
        WATCH.enter(self.name, own)
        try:
            with self.world:
                return self.function(*own)
        except (NotImplementedError, OutOfTime):
            raise
        except BaseException as error:
            if WATCH.is_users(error):
                raise
            crashed = Crashed(self.name, error)
            crashed.diagnosis = of_form(misfit(self.function, self.name, self.signature.parameters))
            crashed.diagnosis += memory.why_refused(error)
        finally:
            WATCH.leave()
        raise crashed  # out here it has no context: Hypothesis would take another one for another failure

    def checked(self, answer: object, arguments: tuple[Any, ...]) -> Any:
        """The answer to these arguments as float64 arrays of the shapes that the contract asks for, copied, in the
        suite's form.
        """
        case = self.signature.case(arguments)
        wanted = self.shapes(case)
        try:
            parts = self._parts(answer, wanted)
        except Malformed as error:
            error.diagnosis = of_form(slip(answer, wanted))
            error.operation = self.name
            raise
        kinds = self.signature.gives
        inward = [self.inward(kind, part, case) for kind, part in zip(kinds, parts, strict=True)]
        return tuple(inward) if len(inward) > 1 else float(inward[0]) if kinds[0] is Kind.SCALAR else inward[0]

    def inward(self, kind: Kind, part: Any, case: Case) -> Any:
        """A part of this kind of the target's answer as the suite has it; several may be stacked."""
        times = self.layout.times(self.signature, kind, case)
        value = self.layout.inward(kind, part, case)
        return value if times == 1 else value * times

    def outward(self, kind: Kind, part: Any, case: Case) -> Any:
        """A part of this kind of an answer, or what it may be off by, as the target gives it."""
        times = self.layout.times(self.signature, kind, case)
        value = self.layout.outward(kind, part, case) if np.ndim(part) == kind.axes else part
        return value if times == 1 else value / times

    def shapes(self, case: Case) -> tuple[tuple[int, ...], ...]:
        """The shapes that the parts of the answer must have in the target's layout."""
        shapes = zip(self.signature.gives, self.signature.shapes(case), strict=True)
        return tuple(self.layout.outward_shape(kind, shape) for kind, shape in shapes)

    def _parts(self, answer: object, shapes: tuple[tuple[int, ...], ...]) -> list[Any]:
        if len(shapes) == 1:
            return [self._array(answer, self.signature.gives[0], shapes[0])]
        if isinstance(answer, tuple | list) and len(answer) == len(shapes) + self.signature.more:
            answer = answer[: len(shapes)]
        if not isinstance(answer, tuple | list) or len(answer) != len(shapes):
            raise Malformed(
                f"{self.name} must return {tuple_of(len(shapes))}, but returned {kind_of(answer)}",
                yours=kind_of(answer),
                expected=f"{tuple_of(len(shapes))} of shapes {' and '.join(map(str, shapes))}",
            )
        return [self._array(*one) for one in zip(answer, self.signature.gives, shapes, strict=True)]

    def _array(self, answer: object, kind: Kind, shape: tuple[int, ...]) -> Any:
        try:
            array = np.asarray(answer)
        except Exception:
            array = np.asarray(None)
        is_number = kind is not Kind.ANY and not shape
        is_row = kind is Kind.NUMBERS and bool(shape)
        is_counted = is_row or (kind is Kind.BIAS and shape == (1,))  # one filter's may be a number
        given = array.size if is_number or is_counted or not shape else array.shape
        if array.dtype.kind not in "biuf" or given != (shape[0] if is_counted else shape or 1):
            wanted = f"an array of shape {shape}" if shape else "one number"
            wanted = f"as many numbers as images, {shape[0]}" if is_row else wanted
            raise Malformed(
                f"{self.name} must return {wanted}, but returned {kind_of(answer)}",
                yours=kind_of(answer),
                expected=wanted,
            )
        if not np.isfinite(array).all():
            wrong = ~np.isfinite(array)
            raise Refuted(
                f"{self.name} is not finite", yours=array, expected="finite numbers", wrong=wrong, kind=Kind.ANY
            )
        return np.array(array, dtype=np.float64).reshape(shape)


def _copy(argument: object) -> Any:
    return np.array(argument, order="C") if isinstance(argument, np.ndarray | np.generic) else argument


def options_of(operations: Iterable[Any]) -> frozenset[str]:
    """The options that cases may use where all of these are called: what one of them knows and has not is none."""
    every = [one for one in operations if isinstance(one, Operation)]
    known = frozenset().union(*(one.signature.every_option for one in every))
    return known.difference(*(one.signature.every_option - one.has for one in every))


OF_SUMS = " (reckoned with sums over the images)"


class Told(NamedTuple):
    """A failure in the target's own layout: its case, both sides, which entries are wrong, by how much; and a line."""

    case: dict[str, Any]
    yours: object
    expected: object
    wrong: Any
    difference: Difference | None
    message: str


def told(failure: Failure, operation: str, layout: Layout) -> Told:
    """What a failure of a statement about this operation says to whoever wrote the target.

    What the statement has made of answers, as an inner product, is of gradients that are sums, and the message says so.
    """
    case, kinds = Case(getattr(failure, "case", {})), layer_of(operation).kinds
    door = Operation(operation, None, layout)

    def turned(kind: Kind, value: Any) -> Any:
        has_axes = isinstance(value, np.ndarray) and value.ndim == kind.axes
        return layout.outward(kind, value, case) if has_axes or kind is Kind.RATE else value

    shown = {name: turned(kinds.get(name, Kind.ANY), value) for name, value in case.items()}
    yours, expected, wrong, given = (getattr(failure, name, None) for name in ("yours", "expected", "wrong", "kind"))
    axes = getattr(yours, "ndim", 0)
    kind: Kind = given if given and given.axes in (axes, None) else _kind_by_axes(operation, axes)
    is_answer = isinstance(yours, np.ndarray) and axes == kind.axes
    yours, expected = (
        door.outward(kind, side, case) if isinstance(side, np.ndarray) and side.ndim == kind.axes else side
        for side in (yours, expected)
    )
    wrong = turned(kind, wrong)
    times = layout.times(door.signature, kind, case) if is_answer else 1
    difference: Difference | None = getattr(failure, "difference", None)
    if difference:
        first = tuple(int(index) for index in np.argwhere(np.asarray(wrong))[0]) if np.ndim(wrong) else ()
        off, allowed = (encoded(float(size) / times) for size in (difference.off, difference.allowed))
        difference = replace(difference, first=first, off=off, allowed=allowed)
    message = str(difference or getattr(failure, "message", None) or failure)
    of_parameters = any(one.is_parameter for one in door.signature.gives)
    if of_parameters and layout.averaged(door.signature, case) > 1 and given is not Kind.ANY:
        message += "" if difference and is_answer else OF_SUMS
    return Told(shown, yours, expected, wrong, difference, message)


def _kind_by_axes(operation: str, axes: int) -> Kind:
    return next((kind for kind in OPERATIONS[operation].gives if kind.axes == axes), Kind.ANY)
