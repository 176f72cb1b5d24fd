"""Targets: loading one by its name, and calling its operations so that nothing they do goes unseen."""

import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from inspect import getattr_static
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...layers import OPERATIONS, near_misses
from ...layers.contract import Shape, Shapes
from ..core.limits import Limits
from ..core.text import last_line, printable
from . import memory, modules
from .layout import Layout
from .malformed import kind_of, misfit, slip
from .notebook import read_notebook
from .timeouts import WATCH, OutOfTime
from .world import EVERYBODYS, World

Array = NDArray[np.float64]
HW = Layout()


class CannotLoad(Exception):
    """The target cannot be tested at all; the message is the one line that says why."""


class Failure(Exception):
    """What ends a statement for this target: `case` is the input that it ended on, `diagnosis` what may mend it.

    `mistakes` names those of the catalogue that give the target's very answers, `follows_from` the target's own
    operations that alone explain them; `scripts` may show the failure without this project, the shortest first. Where
    one `operation` crashed or gave what is no answer, it is named.
    """

    case: dict[str, Any]
    operation: str = ""
    scripts: tuple[str, ...] = ()
    diagnosis: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()
    follows_from: tuple[str, ...] = ()


class Crashed(Failure):
    """An operation raised something; `error` is what it raised."""

    def __init__(self, operation: str, error: BaseException) -> None:
        self.operation, self.error = operation, error
        super().__init__(str(error) if isinstance(error, OutOfTime) else f"{operation} raised {last_line(error)}")


class Refuted(Failure, AssertionError):
    """What a target gave is not what the statement says: both sides, and in which entries of its own it is `wrong`."""

    def __init__(self, message: str, *, yours: Any = None, expected: Any = None, wrong: Any = None) -> None:
        self.message, self.yours, self.expected, self.wrong = message, yours, expected, wrong
        super().__init__(message)


class Malformed(Refuted):
    """An answer that is no array, or pair, of the shapes that the contract asks for."""


class Operation:
    """One operation of a target. Called, it hands copies over and gives float64 arrays of the right shape back.

    A pair comes back as a tuple of two arrays, a scalar as a float, a number for each image as an array (N,). Raises
    `Crashed` if the target raises, `Refuted` if the answer is not finite real numbers in the shape that the contract
    asks for; a `NotImplementedError` passes through. The target's code runs in its `world`.
    """

    def __init__(self, name: str, function: Any, layout: Layout = HW, world: Any = EVERYBODYS) -> None:
        self.name, self.function, self.signature, self.layout = name, function, OPERATIONS[name], layout
        self.world = world

    def __call__(self, *arguments: Any) -> Any:
        return self.checked(self.raw(*(_copy(argument) for argument in arguments)), arguments)

    def raw(self, *arguments: Any) -> Any:
        """The target's own answer to these very arguments, unchecked. NumPy's error state stays ours."""
        with np.errstate():
            return self.bare(*arguments)

    def bare(self, *arguments: Any) -> Any:
        """As `raw`, but what the target does to NumPy's error state stays done."""
        WATCH.enter(self.name, arguments)
        try:
            with self.world:
                return self.function(*arguments)
        except (NotImplementedError, OutOfTime):
            raise
        except BaseException as error:
            if WATCH.is_users(error):
                raise
            crashed = Crashed(self.name, error)
            crashed.diagnosis = tuple(filter(None, [misfit(self.function, self.name, self.signature.parameters)]))
            crashed.diagnosis += memory.why_refused(error)
        finally:
            WATCH.leave()
        raise crashed  # out here it has no context: Hypothesis would take another one for another failure

    def checked(self, answer: Any, arguments: tuple[Any, ...]) -> Any:
        """The answer as float64 arrays of the shapes that the contract asks for, copied."""
        shapes = self.signature.answer(self.layout, *arguments)
        try:
            return self._of_shapes(answer, shapes)
        except Malformed as error:
            error.diagnosis = tuple(filter(None, [slip(answer, shapes)]))
            error.operation = self.name
            raise

    def _of_shapes(self, answer: Any, shapes: Shapes) -> Any:
        if len(shapes) == 1:
            return self._array(answer, shapes[0])
        if not isinstance(answer, tuple | list) or len(answer) != len(shapes):
            raise Malformed(
                f"{self.name} must return a pair, but returned {kind_of(answer)}",
                yours=kind_of(answer),
                expected=f"a pair of shapes {shapes[0]} and {shapes[1]}",
            )
        return tuple(self._array(part, shape) for part, shape in zip(answer, shapes, strict=True))

    def _array(self, answer: Any, shape: Shape | int) -> Any:
        try:
            array = np.asarray(answer)
        except Exception:
            array = np.asarray(None)
        given = array.shape if shape and isinstance(shape, tuple) else array.size
        if array.dtype.kind not in "biuf" or given != (shape or 1):
            wanted = f"an array of shape {shape}" if shape else "one number"
            wanted = f"as many numbers as images, {shape}" if isinstance(shape, int) else wanted
            raise Malformed(
                f"{self.name} must return {wanted}, but returned {kind_of(answer)}",
                yours=kind_of(answer),
                expected=wanted,
            )
        if not np.isfinite(array).all():
            raise Refuted(
                f"{self.name} is not finite", yours=array, expected="finite numbers", wrong=~np.isfinite(array)
            )
        if shape or self.signature.layer == "activations":
            return np.array(array, dtype=np.float64).reshape(shape)
        return float(array.item())


def parts(answer: Any) -> tuple[Any, ...]:
    """An answer's arrays: those of a pair, or the one that it is."""
    return tuple(answer) if isinstance(answer, tuple | list) else (answer,)


def changed_parts(change: Callable[[Any], Any], answer: Any) -> Any:
    """An answer with every array of it changed."""
    return tuple(change(part) for part in answer) if isinstance(answer, tuple) else change(answer)


def _copy(argument: Any) -> Any:
    return np.array(argument, order="C") if isinstance(argument, np.ndarray | np.generic) else argument


@dataclass(frozen=True)
class Target:
    """The implementation under test: its operations, its limits, precision and layout, and where it was loaded."""

    name: str
    operations: dict[str, Operation]
    limits: Limits = field(default_factory=Limits)
    dtype: str = "float64"
    near_misses: dict[str, str] = field(default_factory=dict)
    layout: Layout = HW
    folder: str = field(default_factory=os.getcwd)

    @cached_property
    def eps(self) -> float:
        """One unit of rounding: the distance from 1 to the next number of the target's precision."""
        return float(np.finfo(self.dtype).eps)

    @property
    def importable_name(self) -> str | None:
        """Its name, if its operations can be imported by it; None for an object that was made in Python."""
        functions = {name: one.function for name, one in self.operations.items()}
        return self.name if modules.gives(self.name, functions) else None

    @cached_property
    def tiny(self) -> float:
        """The smallest normal number of the target's precision."""
        return float(np.finfo(self.dtype).tiny)


def make_target(offered: Any, name: str, world: Any = EVERYBODYS) -> Target:
    """The target that an object's attributes make; `CannotLoad` if it offers nothing or declares nonsense."""
    functions = {operation: getattr(offered, operation, None) for operation in OPERATIONS}
    operations = [key for key, function in functions.items() if callable(function)]
    public = [attribute for attribute in dir(offered) if not attribute.startswith("_")]
    misses = near_misses(public, [key for key in OPERATIONS if key not in operations])
    if not operations:
        hint = "".join(f"; did you mean {right} for {wrong}?" for wrong, right in misses.items())
        raise CannotLoad(
            f"{name} has none of the operations that can be checked: {', '.join(OPERATIONS)}" + printable(hint)
        )
    if isinstance(offered, type) and any(isinstance(getattr_static(offered, key), FunctionType) for key in operations):
        raise CannotLoad(f"{name} is a class: give an instance of it")
    dtype = getattr(offered, "DTYPE", "float64")
    if dtype not in ("float64", "float32"):
        raise CannotLoad(f'{name}: DTYPE must be "float64" or "float32", not {printable(repr(dtype))}')
    try:
        limits, layout = Limits.declared_by(offered), Layout(getattr(offered, "LAYOUT", "HW"))
    except ValueError as error:
        raise CannotLoad(f"{name}: {error}") from None
    callable_ones = {key: Operation(key, functions[key], layout, world) for key in operations}
    return Target(name, callable_ones, limits, dtype, misses, layout)


def load(spec: str) -> Target:
    """The target called `spec`: a dotted module or a path to a `.py` or `.ipynb` file, any with an `:attribute`.

    Raises `CannotLoad`, whose message is one line.
    """
    world = World()
    with _loading(spec), world.made():
        where, attribute = modules.parted(spec)
        if read := {".py": _file, ".ipynb": _notebook}.get(Path(where).suffix):
            return make_target(_attribute(read(Path(where), world), attribute, spec), spec, world)
        if any(not part.isidentifier() for part in [*where.split("."), *filter(None, attribute.split("."))]):
            raise _folder(spec) or CannotLoad(
                f"{printable(spec)} is neither a module, a module:attribute nor a path to a .py or .ipynb file"
            )
        found = modules.named(where, world)
        if getattr(found, "__file__", None) is None and (folder := _folder(spec)):
            raise folder
        return make_target(_attribute(found, attribute, spec), spec, world)


def _folder(spec: str) -> CannotLoad | None:
    """That a folder is no target, and a file in it that may be meant."""
    if not Path(spec).is_dir():
        return None
    files = sorted(Path(spec).glob("*.py")) + sorted(Path(spec).glob("*.ipynb"))
    files = [one for one in files if one.name == "__init__.py"] or files
    return CannotLoad(printable(f"{spec} is a folder: name a file in it" + (f", as {files[0]}" if files else "")))


def _file(path: Path, world: World) -> Any:
    if not path.is_file():
        raise CannotLoad(f"no such file: {path}")
    return modules.module_from(path, world)


def _notebook(path: Path, world: World) -> Any:
    if not path.is_file():
        raise CannotLoad(f"no such file: {path}")
    with modules.alone(path.resolve().parent, world):
        return read_notebook(path)


def _attribute(found: Any, attribute: str, spec: str) -> Any:
    for part in filter(None, attribute.split(".")):
        if not hasattr(found, part):
            raise CannotLoad(printable(f"{spec}: there is no {part} in {getattr(found, '__name__', 'it')}"))
        found = getattr(found, part)
    return found


@contextmanager
def _loading(spec: str) -> Iterator[None]:
    try:
        with np.errstate():
            yield
    except CannotLoad:
        raise
    except OutOfTime as error:
        raise CannotLoad(f"{spec} cannot be imported: {error}") from None
    except BaseException as error:
        if WATCH.is_users(error):
            raise
        raise CannotLoad(f"{spec} cannot be imported: {_reason(error, spec)}") from None


def _reason(error: BaseException, spec: str) -> str:
    asked = spec.partition(":")[0] + "."
    if isinstance(error, ModuleNotFoundError) and error.name and not asked.startswith(f"{error.name}."):
        return printable(f"{modules.needed(error)}, which is neither installed nor a file beside it")
    return last_line(error) + printable(_place(error)) + "".join(f"; {why}" for why in memory.why_refused(error))


def _place(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f" ({Path(error.filename or '').name}, line {error.lineno})"
    frame = [one for one in traceback.extract_tb(error.__traceback__) if one.filename != modules.__file__][-1]
    return "" if frame.filename.startswith("<") else f" ({Path(frame.filename).name}, line {frame.lineno})"
