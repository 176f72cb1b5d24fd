"""A failure as a script of its own: NumPy and the target's import, the arrays, the calls, and a check that fails."""

import keyword
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...layers.contract import OPERATIONS
from ..checking.properties import Property
from ..checking.statement import Statement
from ..core.cases import Case
from ..core.memory_order import reversed_entries
from ..core.text import decoded, literal, printable
from ..core.trial import current
from ..target.modules import real_name
from ..target.target import Failure, Operation, Refuted, Target
from ..target.timeouts import OutOfTime
from .checks import Evidence
from .evidence import evidence_in, evidence_of_relation, evidence_of_surroundings, evidence_of_writing
from .recording import Call, asked, failing, layout_of, recorded

WIDTH = 100


def reproductions(
    entry: Property, statement: Statement, operations: dict[str, Any], failure: Failure
) -> tuple[str, ...]:
    """Scripts that may show a statement's failure, the shortest first; nothing if it calls no operation."""
    calls: list[Call] = []
    arguments = {**recorded(operations, calls), "case": Case(failure.case)}
    try:
        again = failing(lambda: statement.test(**arguments))  # type: ignore[attr-defined]
        spec = importable_name(current().target)
        seen = [_script(entry, spec, str(failure), one) for one in _evidence(entry, calls, again)]
    except (Exception, OutOfTime):  # a verdict is worth more than its script
        return ()
    return tuple(dict.fromkeys(seen))


def _evidence(entry: Property, calls: list[Call], failure: Failure | None) -> Iterator[Evidence]:
    """What may show the failure, from the fewest calls to all; at the least that these came back."""
    seen = list(filter(None, evidence_in(calls)))
    if calls and entry.id.startswith("calls.gives_its_answers_away"):
        seen.append(evidence_of_writing(calls[0]))
    if not seen and isinstance(failure, Refuted) and calls:
        about_others = entry.id.startswith("calls.leaves_its_surroundings_alone")
        seen = [evidence_of_surroundings(calls) if about_others else evidence_of_relation(calls, failure)]
    yield from seen or [Evidence(calls, {}, ['print("all calls came back")'])] * bool(calls)


def of_one_call(
    entry: Property, spec: str | None, operation: str, call: dict[str, Any], message: str, seconds: float | None = None
) -> tuple[str, ...]:
    """The script of a call that raises nothing and does not come back: within so many seconds, or at all."""
    arguments = [decoded(value) for value in call.values()]
    arguments = [tuple(value) if isinstance(value, list) else value for value in arguments]
    made = asked(Operation(operation, None, current().target.layout), arguments)
    back = f"{operation} came back"
    seen = Evidence([made], {-1: "CALL"}, [f'print("{back}")'])
    if seconds:
        seen.notes.append(f"It did not come back, so it is ended after {seconds:g} s.")
        seen.bound = {-1: f"import faulthandler\n\nfaulthandler.dump_traceback_later({seconds:g}, exit=True)\nCALL"}
        seen.lines.insert(0, "faulthandler.cancel_dump_traceback_later()")
    elif _imports(spec)[1] == "tested.":
        seen.bound = {-1: _APART.format(operation, back)}
    return (_script(entry, spec, message, seen),)


_APART = """\
import faulthandler
import subprocess

if "apart" not in sys.argv:  # it ends its process, so it is called in another one
    done = subprocess.run([sys.executable, __file__, "apart"], stdout=subprocess.PIPE)
    if b"{1}" not in done.stdout:
        raise SystemExit(f"{0} ends its process, with status {{done.returncode}}")
    raise SystemExit
faulthandler.enable()
CALL"""


def _script(entry: Property, spec: str | None, why: str, seen: Evidence) -> str:
    """Header, imports, arrays, calls and the check; `spec` is None for a target that no import gives."""
    lines, prefix = _imports(spec)
    arrays, calls = _calls(seen, prefix)
    header = [entry.id, *_comment(entry.statement), *_comment(f"Because: {why}")]
    layers = {call.operation.signature.layer for call in seen.calls}
    if layers & {"convolution", "network"}:
        kind = "a true convolution (kernel flipped)" if current().flips else "a cross-correlation (kernel not flipped)"
        header += _comment(f"conv2d is taken to be {kind}.")
    for note in seen.notes:
        header += _comment(note)
    helpers = ["", "", *seen.helpers, "", ""] if seen.helpers else [""]
    text = [*header, *lines, *helpers, *arrays, "", *calls, *seen.lines]
    return "\n".join(line.rstrip() for line in text) + "\n"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(printable(text), WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _imports(spec: str | None) -> tuple[list[str], str]:
    """The lines that import NumPy and the target, and what its operations' names begin with."""
    precise = ["", "np.set_printoptions(precision=17)"]
    where, attribute = _parted(spec) if spec else ("", "")
    if spec is None or where.endswith(".ipynb"):
        first = ["# Paste it where the function is defined, or import that below.", "import numpy as np"]
        return [*first, *precise], f"{attribute}." if attribute else ""
    first = ["# Run it in the folder in which the check was run.", "import sys", "", "import numpy as np", ""]
    if where.endswith(".py"):
        path = Path(where) if Path(where).stem != "__init__" else Path(where).parent  # of a package
        name, taken = path.stem, {*keyword.kwlist, *sys.stdlib_module_names, "numpy"}
        first.append(f"sys.path.insert(0, {str(path.parent)!r})")
        if name.isidentifier() and name not in taken:
            first.append(f"import {name} as tested")
        else:
            first = [*first[:2], "from importlib.util import module_from_spec, spec_from_file_location", *first[2:]]
            first.append(f"specification = spec_from_file_location({name!r}, {where!r})")
            first.append("tested = module_from_spec(specification)")
            first += [f"sys.modules[{name!r}] = tested"] if name not in sys.stdlib_module_names else []
            first.append("specification.loader.exec_module(tested)")
    else:
        first += ['sys.path.insert(0, "")', f"import {real_name(where)} as tested"]
    if attribute:
        first.append(f"tested = tested.{attribute}")
    return [*first, *precise], "tested."


def _parted(spec: str) -> tuple[str, str]:
    """A target's module or file, and its attribute; as `target.load` reads it."""
    for suffix in (".py", ".ipynb"):
        path, is_path, attribute = spec.partition(suffix)
        if is_path and (not attribute or attribute.startswith(":")):
            return path + suffix, attribute[1:]
    module, _, attribute = spec.partition(":")
    return module, attribute


def importable_name(target: Target) -> str | None:
    """The target's name, if it came from a file or module of this name, and is no object that was made in Python."""
    where, attribute = _parted(target.name)
    if where.endswith((".py", ".ipynb")):
        return target.name if Path(where).is_file() else None
    found = sys.modules.get(real_name(where))
    for part in filter(None, attribute.split(".")):
        found = getattr(found, part, None)
    same = all(getattr(found, name, None) == one.function for name, one in target.operations.items())
    return target.name if same and where != "__main__" else None


def _calls(seen: Evidence, prefix: str) -> tuple[list[str], list[str]]:
    """The lines that make the arrays, and those that make the calls."""
    arrays: list[str] = []
    lines: list[str] = []
    named: list[tuple[str, Any, Any]] = []  # name, the object that was handed over, its values now
    made: dict[str, Any] = {}  # the values that it was made with

    def name_of(parameter: str, handed: Any, before: Any) -> str:
        if not isinstance(before, np.ndarray):
            return repr(tuple(map(int, before)) if isinstance(before, tuple) else float(before))
        for number, (name, known, values) in enumerate(named):
            if handed is known:
                if not np.array_equal(values, before):
                    source = name_of(parameter, before, before)
                    lines.append(f"{name}[...] = {source}")
                    named[number] = name, known, before
                return name
        names = {name for name, *_ in named}
        plain = [parameter] if any(handed is one for one in main.arguments) else []
        name = next(one for one in [*plain, *(f"{parameter}_{n}" for n in range(2, 99))] if one not in names)
        arrays.extend(_made(name, handed, before, made))
        made[name] = before
        named.append((name, handed, before))
        return name

    count = len(seen.calls)
    main = seen.calls[-1 if -1 in seen.bound else 0]
    for number, call in enumerate(seen.calls):
        parameters = OPERATIONS[call.operation.name].parameters
        names = [name_of(*one) for one in zip(parameters, call.arguments, call.before, strict=True)]
        asked_for = f"{prefix}{call.operation.name}({', '.join(names)})"
        bound = seen.bound.get(number, seen.bound.get(number - count, "CALL"))
        lines.append(bound.replace("CALL", asked_for))
    return arrays, lines


def _made(name: str, handed: Any, values: Any, made: dict[str, Any]) -> Iterator[str]:
    for other, known in made.items():
        if (
            other.partition("_")[0] == name.partition("_")[0]
            and known.shape == values.shape
            and (np.array_equal(known, values) or np.array_equal(reversed_entries(known), values))
        ):
            turned = "[..., ::-1].copy()" if values.ndim else " * -1"
            yield f"{name} = {other}{'.copy()' if np.array_equal(known, values) else turned}"
            break
    else:
        yield literal(name, values)
    layout = layout_of(handed)
    if layout == "F":
        yield f"{name} = np.asfortranarray({name})"
    elif layout == "sliced":
        sides = tuple(2 * side + 1 for side in values.shape)
        yield f"{name}_values, {name} = {name}, np.full({sides}, 7.0)[{', '.join(['1::2'] * values.ndim)}]"
        yield f"{name}[...] = {name}_values  # every second entry of a larger array"
    if not handed.flags.writeable:
        yield f"{name}.flags.writeable = False"
