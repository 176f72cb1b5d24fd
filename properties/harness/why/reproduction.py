"""A failure as a script of its own: NumPy and the target's import, the arrays, the calls, and a check that fails."""

import keyword
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...layers import note_on
from ...layers.base.registry import Wrong
from ..checking.properties import Property
from ..checking.statement import Statement
from ..checking.trial import current, unrecorded
from ..core.tape import Case
from ..core.text import decoded, literal, printable
from ..core.values import FIXED, Array, Kind, parts
from ..target.calling import called
from ..target.malformed import tuple_of
from ..target.modules import parted, real_name
from ..target.operation import Failure, Operation, Refuted, told
from ..target.timeouts import OutOfTime

PATIENCE = 10  # seconds that a script waits for a call that does not come back
DEPENDS = "# What the last call gives depends on those before it."
Calls = Sequence["Call"]


@dataclass(eq=False)
class Call:
    """One call of a target's function: what it was handed, what that held then, and what came back or was raised.

    These are the target's own arrays; `case` has them as oracles do. `answer` is a copy of what was `given_out`, which
    a later call may change; `changed` is the first argument that it changed.
    """

    operation: Operation
    arguments: tuple[Any, ...]
    before: tuple[Any, ...] = field(init=False)
    given_out: Any = None
    answer: Any = None
    error: BaseException | None = None
    changed: str = ""

    def __post_init__(self) -> None:
        self.before = deepcopy(self.arguments)

    @property
    def case(self) -> Case:
        """The arguments by name, as they were before the call."""
        return self.operation.case_of(self.before)

    @property
    def reads(self) -> list[tuple[str, tuple[int, ...]]]:
        """How each part of the answer to CALL is had as an array, and of what shape: (1,) for a number."""
        shapes, kinds = self.operation.shapes(self.case), self.operation.signature.gives
        given = [f"CALL[{part}]" for part in range(len(shapes))] if len(shapes) > 1 else ["CALL"]
        reading = [
            "np.ravel" if kind is Kind.NUMBERS or not shape else "np.asarray"
            for kind, shape in zip(kinds, shapes, strict=True)
        ]
        return [(f"{read}({one})", shape or (1,)) for read, one, shape in zip(reading, given, shapes, strict=True)]


def reproductions(
    entry: Property, statement: Statement, operations: dict[str, Any], failure: Failure
) -> tuple[str, ...]:
    """Scripts that may show a statement's failure, the likeliest first; nothing if it calls no operation."""
    calls: list[Call] = []

    def noting(one: Any) -> Any:
        if isinstance(one, list):
            return [*map(noting, one)]
        return Operation(one.name, partial(_noted, one, calls), one.layout, one.world)

    test = statement.test  # type: ignore[attr-defined]
    try:
        why = told(failure, entry.operation, current().target.layout).message
        script = partial(_script, *_head(entry, current().target.importable_name, why))
        with unrecorded(), suppress(Failure, NotImplementedError):
            test(**{name: noting(one) for name, one in operations.items()}, case=Case(failure.case))
        lines = [getattr(test, "shown_by", "").replace("ANSWER", read) for call in calls[:1] for read, _ in call.reads]
        declared = [script(calls[0], one + _ending(repr(printable(why, 90)))) for one in filter(None, lines)]
        made = [call for call in calls if not isinstance(call.error, NotImplementedError)]
        return tuple(dict.fromkeys([*declared, *_candidates(made, script)]))
    except (Exception, OutOfTime):  # a verdict is worth more than its script
        return ()


def of_one_call(
    entry: Property, spec: str | None, operation: str, call: dict[str, Any], message: str, seconds: float = PATIENCE
) -> tuple[str, ...]:
    """The script of a call that raises nothing and does not come back: within so many seconds, or at all."""
    made = Call(Operation(operation, None, current().target.layout), tuple(map(decoded, call.values())))
    return (_script(*_head(entry, spec, message), made, _apart(made, seconds)),)


def _noted(operation: Operation, calls: list[Call], *arguments: Any) -> Any:
    """What the function gives, once the call is noted down."""
    calls.append(call := Call(operation, arguments))
    try:
        call.given_out = operation.function(*arguments)
    except BaseException as error:
        call.error = error
        raise
    call.answer = deepcopy(call.given_out)
    named = zip(operation.signature.parameters, call.before, arguments, strict=True)
    call.changed = next((name for name, held, handed in named if not np.array_equal(held, handed)), "")
    return call.given_out


def _candidates(calls: Calls, script: Callable[..., str]) -> Iterator[str]:
    """The first call that is wrong, or whose answer a later one changes: alone, with others, and in a row."""
    for number, call in enumerate(calls):
        name = call.operation.name
        earlier, later = ([one for one in some if not one.error] for some in (calls[:number], calls[number + 1 :]))
        same = [one for one in earlier if one.operation.name == name][:1]
        named = zip(call.operation.signature.takes.items(), call.before, strict=True)
        other = {
            key: np.array(7.0 - old) if isinstance(old, np.ndarray) and kind not in FIXED else old
            for (key, kind), old in named
        }
        offered = sorted(current().target.operations.values(), key=lambda one: one.name != name)
        fitting = [one for one in offered if other.keys() >= {*one.signature.parameters}]
        others = [[Call(one, one.signature.arguments(Case(other)))] for one in fitting]
        checks = list(_checks(call))
        yield from (script(call, lines, before) for before in ([], same, *others, earlier) for lines in checks)
        in_a_row = [f"for _ in range(20):  # until it is wrong\n{textwrap.indent(lines, '    ')}" for lines in checks]
        yield from (script(call, lines) for lines in in_a_row)
        for (read, _), now, then in zip(call.reads, parts(call.given_out), parts(call.answer), strict=False):
            if not checks and not np.array_equal(now, then):
                lines = f"yours = {read}\nexpected = yours.copy()\nAFTER"
                checks = [lines + _ending(f'"{name} changes an answer that it gave before"')]
                yield from (script(call, checks[0], (), after) for after in (*others, later))
        if checks:
            return
    if calls:
        yield script(calls[-1], "CALL", calls[:-1])


def _checks(call: Call) -> Iterator[str]:
    """The lines that make this call and end with status 1 as what comes of it is wrong; none for one that is right."""
    name, reads = call.operation.name, call.reads
    if call.error:
        yield 'expected = "an answer"\nCALL' if isinstance(call.error, Exception) else _apart(call)
        return
    try:
        wrongs = list(filter(None, [_wrong(call)]))
    except Refuted:
        any_number = 1e300, ("Any real numbers are allowed here, as many as these.",)
        values = enumerate(call.operation.signature.value(call.case))
        wrongs = [Wrong(part, value.value, *any_number) for part, value in values]
        if len(reads) > 1:
            counts = tuple(range(len(reads), len(reads) + call.operation.signature.more + 1))
            several = f"isinstance(answer, (tuple, list)) and len(answer) in {counts}"
            yield f"expected, answer = True, CALL\nyours = {several}" + _ending(
                f'"{name} is wrong: it must return {tuple_of(len(reads))}"'
            )
    for one in wrongs:
        read, shape = reads[one.part]
        own = partial(_own, call, one.part, shape)
        known = {"expected": own(one.expected), "allowed": own(one.allowed)}
        off = "np.abs(yours - expected)"
        if one.direction is not None:
            turned = call.operation.layout.outward(call.operation.signature.gives[one.part], one.direction, call.case)
            known |= {"direction": np.reshape(turned, shape), "least": own(one.least)}
            off = "least - np.sum(direction * yours)"
        lines = [*(f"# {note}" for note in one.notes), *(literal(*named) for named in known.items()), f"yours = {read}"]
        lines.append(f"off = {off} if yours.shape == expected.shape and np.isrealobj(yours) else np.inf")
        message = f'f"{name} is wrong: off by {{np.max(off):.3g}}, allowed {{np.max(allowed):.3g}}"'
        yield "\n".join(lines) + _ending(message, "np.all(off <= allowed)")
    if call.changed and not wrongs:
        held = f"expected = {call.changed}.copy()\nCALL\nyours = {call.changed}"
        yield held + _ending(f'"{name} changes its argument {call.changed}"')


def _own(call: Call, part: int, shape: tuple[int, ...], value: Any) -> Any:
    """A value of this part of the answer in the target's own layout and shape; a number stays one."""
    kind = call.operation.signature.gives[part]
    own = call.operation.outward(kind, value, call.case)
    return own if np.ndim(value) == 0 and kind.axes else np.reshape(own, shape)


def _wrong(call: Call) -> Wrong | None:
    """What shows that the answer to a call is wrong; None for one that is right. Raises `Refuted` if it is none."""
    signature, case = call.operation.signature, call.case
    answers = parts(call.operation.checked(call.answer, signature.arguments(case)))
    several = signature.separated and (signature.faults_tell_all or signature.is_kinked(case))
    if several and signature.separated and (found := signature.separated(answers[0], case)):
        told = "One of many that are right: with the direction each gives `least` or more."
        return replace(found, notes=(*note_on(signature), told))
    for part, (yours, value) in enumerate(zip(answers, signature.value(case), strict=True)):
        if not (several and part == 0) and np.any(np.abs(yours - value.value) > value.allowed):
            return Wrong(part, value.value, value.allowed, note_on(signature))
    return None


def _apart(call: Call, seconds: float = PATIENCE) -> str:
    """The lines that make a call in a process of its own, which it ends, or takes too long."""
    wait = int(np.ceil(min(seconds, PATIENCE)))
    return f"""\
import multiprocessing, os, signal
process = multiprocessing.get_context("fork").Process(target=lambda: (signal.alarm({wait}), CALL, os._exit(42)))
process.start(); process.join({wait})
yours, expected = process.exitcode, 42  # None if it still runs
process.kill()""" + _ending(f'f"{call.operation.name} ends its process, with status {{yours}}"')


def _ending(message: str, right: str = "np.array_equal(yours, expected)") -> str:
    """The lines that end a script, with status 1 and this message, an expression, unless that is right."""
    show = 'print("yours:", yours, "expected:", expected, sep="\\n")'
    return f"\n{show}\nif not {right}:\n    raise SystemExit({message})"


def _script(head: str, prefix: str, call: Call, lines: str, before: Calls = (), after: Calls = ()) -> str:
    """The head, and then each call below the arrays that it is handed; the one with these lines is checked."""
    bound: dict[str, tuple[Array, Array]] = {}  # of each name the array that it has, and what that holds

    def made(call: Call, lines: str = "CALL") -> str:
        above, asked = list[str](), dict[str, str]()
        for name, handed, values in zip(call.operation.signature.parameters, call.arguments, call.before, strict=True):
            if isinstance(values, np.ndarray):
                known, held = bound.get(name, (None, values))
                if handed is not known:
                    above.extend(_made(name, handed, values))
                elif not np.array_equal(held, values):
                    above.append(literal(f"{name}[...]", values))
                bound[name] = handed, values
                asked[name] = name
            else:
                asked[name] = repr(tuple(map(int, values)) if isinstance(values, tuple) else float(values))
        given = dict(zip(call.operation.signature.parameters, call.before, strict=True))
        asking = prefix + called(call.operation.name, call.operation.function, given, asked)
        return "\n".join([*above, "", lines.replace("CALL", asking)])

    calls = [*map(made, before), made(call, lines)]
    calls[-1] = calls[-1].replace("AFTER", "\n".join(map(made, after)))
    return "\n".join([head, *[DEPENDS] * bool(before), *calls, ""])


def _made(name: str, handed: Array, values: Array) -> Iterator[str]:
    """The lines that make an array of these values, in the memory order of the one that was handed over."""
    yield literal(name, values)
    if not (handed.flags.c_contiguous or handed.flags.f_contiguous):
        seven = repr(values.dtype.type(7).item())
        sides, every_second = tuple(2 * side + 1 for side in values.shape), ", ".join(["1::2"] * values.ndim)
        yield f"{name}, {name}[...] = np.full({sides}, {seven})[{every_second}], {name}  # a part of a larger array"
    elif not handed.flags.c_contiguous:
        yield f"{name} = np.asfortranarray({name})"
    if not handed.flags.writeable:
        yield f"{name}.flags.writeable = False"


def _head(entry: Property, spec: str | None, why: str) -> tuple[str, str]:
    """What a script begins with: header and imports; and what the names of the target's operations begin with."""
    told = (textwrap.wrap(printable(text), 98, break_on_hyphens=False) for text in (entry.statement, f"Because: {why}"))
    where, attribute = parted(spec or "")
    first, prefix = "# Run it in the folder in which the check was run.\nimport sys\n", "tested."
    path = Path(where).parent if Path(where).name == "__init__.py" else Path(where)
    lines = [f"sys.path.insert(0, {str(path.parent)!r})", f"import {path.stem} as tested"]
    if spec is None or where.endswith(".ipynb"):
        first = "# Paste it where the function is defined, or import that below."
        lines, prefix, attribute = [], f"{attribute}." if attribute else "", ""
    elif not where.endswith(".py"):
        lines = ['sys.path.insert(0, "")', f"import {real_name(where)} as tested"]
    elif not path.stem.isidentifier() or path.stem in {*keyword.kwlist, *sys.stdlib_module_names, "numpy"}:
        lines[1:] = ["import runpy, types", f"tested = types.SimpleNamespace(**runpy.run_path({where!r}))"]
    lines += [f"tested = tested.{attribute}"] if attribute else []
    header = [f"# {line}" for lines in ([entry.id], *told) for line in lines]
    lines = ["import numpy as np", "", *lines, "", "np.set_printoptions(precision=17)", ""]
    return "\n".join([*header, first, *lines]), prefix
