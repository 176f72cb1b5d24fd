"""The list of statements, read from their modules: what each says, of which operations, and by whom."""

import inspect
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ...layers import LAYERS, OPERATIONS
from ...layers.own.declared import ROLES
from ..target.operation import Operation
from ..target.target import Target

PACKAGE, FOLDER = __name__.partition(".")[0], Path(__file__).parents[2]
FURTHER = "further"  # the folder of statements about options and further operations
OF_ALL = ("own_layers", "training", "exact", "calls")
FILES = tuple(
    f"{name}.py" if (FOLDER / f"{name}.py").is_file() else f"{FURTHER}/{name}.py"
    for name in dict.fromkeys((*(one.statements or one.name for one in LAYERS.values()), *OF_ALL))
)


@dataclass(frozen=True)
class Property:
    """One statement about a target: an entry of the report."""

    id: str
    nodeid: str
    operations: tuple[str, ...]
    statement: str
    source: str
    theorems: tuple[str, ...]
    function: Callable[..., None]

    @property
    def operation(self) -> str:
        """The operation that the statement is about: the first that it names."""
        return self.operations[0]

    @property
    def is_sampled(self) -> bool:
        """Whether it draws its examples, so that another seed gives others; else it is exhaustive."""
        return getattr(self.function, "is_hypothesis_test", False)


class _Properties(dict[str, Property]):
    """Properties by their node ids; those of a target's own layers are found too, but are none of the list."""

    def __missing__(self, nodeid: str) -> Property:
        base, _, name = nodeid.removesuffix("]").rpartition("[")
        entry = _about_own()[base]
        if name.rpartition(".")[2] not in entry.function.own:  # type: ignore[attr-defined]
            raise KeyError(nodeid)
        return _of_own(entry, name)


@cache
def all_properties() -> dict[str, Property]:
    """Every property by its pytest node id, in the order in which they run."""
    return _Properties({entry.nodeid: entry for file in FILES for entry in _statements(file)})


def properties_of(target: Target) -> dict[str, Property]:
    """Every property, those of the target's own layers too."""
    return all_properties() | {
        f"{base}[{name}]": _of_own(entry, name)
        for base, entry in _about_own().items()
        for name in _own_names(entry.function, target)
    }


def in_their_order(nodeids: Collection[str]) -> list[Property]:
    """The properties of these node ids, in the order in which they run, those of a target's own layers last."""
    known = all_properties()
    of_own = [nodeid for nodeid in nodeids if nodeid not in known]
    return [known[nodeid] for nodeid in [*(one for one in known if one in nodeids), *of_own]]


def names_about(function: Callable[..., None], target: Target) -> list[str]:
    """The operations that a statement about several is about, with those of the target's own layers."""
    return [*function.about, *_own_names(function, target)]  # type: ignore[attr-defined]


def _own_names(function: Any, target: Target) -> list[str]:
    return [f"{own.name}.{role}" for own in target.own_layers.values() for role in ROLES if role in function.own]


def _of_own(entry: Property, name: str) -> Property:
    nodeid = f"{entry.nodeid}[{name}]"
    operations = (name, OPERATIONS[name].of) if "function" in inspect.signature(entry.function).parameters else (name,)
    return replace(entry, id=f"{entry.id}[{name}]", nodeid=nodeid, operations=operations)


@cache
def _about_own() -> dict[str, Property]:
    """The statements about a target's own layers, by their node ids without the operation's name."""
    return {entry.nodeid: entry for file in FILES for entry in _statements(file, of_own=True)}


def nodeid_of(module: str, name: str) -> str:
    """The pytest node id of a statement of this name in a module of the package."""
    return f"{module.removeprefix(f'{PACKAGE}.').replace('.', '/')}.py::{name}"


def siblings_of(operation: Operation, target: Target) -> list[Operation]:
    """All operations of the same layer that the target offers, this one too."""
    return [other for other in target.operations.values() if other.signature.layer == operation.signature.layer]


def arguments_of(function: Callable[..., None], target: Target, operation: str | None = None) -> dict[str, Any] | None:
    """The operations that a statement names, or the one that it is asked about; None if the target lacks any."""
    offered = target.operations
    names = inspect.signature(function).parameters
    if "operation" not in names:
        return {name: offered[name] for name in names} if names.keys() <= offered.keys() else None
    of = OPERATIONS[operation].of if operation and "function" in names else operation
    if operation not in offered or of not in offered:
        return None
    named = {
        "operation": offered[operation],
        "function": offered[of],
        "siblings": siblings_of(offered[operation], target),
    }
    return {name: named[name] for name in names}


def _statements(file: str, of_own: bool = False) -> list[Property]:
    module = import_module(f"{PACKAGE}.{file.removesuffix('.py').replace('/', '.')}")
    stem = module.__name__.rpartition(".")[2]
    found = []
    for name, function in vars(module).items():
        if not name.startswith("test_") or (of_own and not getattr(function, "own", ())):
            continue
        statement, source, theorems = _read(function)
        parameters = list(inspect.signature(function).parameters)
        for suffix, operations in [("", ("",))] if of_own else _instances(function, parameters):
            found.append(
                Property(
                    id=f"{stem}.{name.removeprefix('test_')}{suffix}",
                    nodeid=f"{file}::{name}{suffix}",
                    operations=operations,
                    statement=statement,
                    source=source,
                    theorems=_about(operations[0], theorems) if suffix else theorems,
                    function=function,
                )
            )
    return found


def _instances(function: Any, parameters: list[str]) -> list[tuple[str, tuple[str, ...]]]:
    marks = [mark for mark in getattr(function, "pytestmark", []) if mark.name == "parametrize"]
    if marks or hasattr(function, "about"):
        names = marks[0].args[1] if marks else function.about
        with_function = "function" in parameters  # whose derivative the operation is
        return [(f"[{name}]", (name, OPERATIONS[name].of) if with_function else (name,)) for name in names]
    return [("", tuple(name for name in parameters if name in OPERATIONS))]


def _about(operation: str, theorems: tuple[str, ...]) -> tuple[str, ...]:
    """Of the theorems of a statement about several functions those that are called by this one's name, or else all."""
    function = OPERATIONS[operation].of or operation
    return tuple(one for one in theorems if one.partition(", ")[2].startswith(f"{function}_")) or theorems


def _read(function: Any) -> tuple[str, str, tuple[str, ...]]:
    text = inspect.getdoc(function) or ""
    statement, _, rest = text.partition("\n\n")
    source = re.search(r"\bSource: (.+?)(?:\s+Proof: (proofs/\w+\.v), ([\w\s,]+)\.)?\Z", rest, re.DOTALL)
    if not statement.strip() or not source:
        raise ValueError(f"{function.__name__} needs a statement and, last, words 'Source: …' in its docstring")
    theorems = tuple(f"{source[2]}, {name}" for name in re.findall(r"\w+", source[3] or ""))
    return " ".join(statement.split()), " ".join(source[1].split()), theorems
