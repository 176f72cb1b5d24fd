"""Targets: the implementation under test, and loading one by its name."""

import os
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from inspect import getattr_static
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from ...layers import OPERATIONS, near_misses, parsed_network
from ...layers.own.declared import ROLES, specs_of
from ...layers.own.layer import OwnLayer
from ..core.limits import Limits
from ..core.setting import NO_LAYERS, UNKNOWN, Conventions, OwnLayers, Setting
from ..core.text import last_line, printable
from . import memory, modules
from .calling import LAYERS, OwnFunction, offered_as, options_named_by, own
from .layout import HW, Layout
from .operation import Operation
from .timeouts import WATCH, OutOfTime
from .world import EVERYBODYS, World

_WORDS = {"DTYPE": ("float64", "float32"), "REDUCTION": ("mean", "sum"), "LABELS": ("integers", "one-hot")}


class CannotLoad(Exception):
    """The target cannot be tested at all; the message is the one line that says why."""


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
    reduction: str = "mean"
    labels: str = "integers"
    network: tuple[Any, ...] = ()
    own_layers: OwnLayers = NO_LAYERS

    def setting(self, conventions: Conventions = UNKNOWN) -> Setting:
        """What values, bounds and cases depend on when it is held to these conventions."""
        return Setting(
            self.dtype,
            self.limits,
            conventions,
            self.layout.most,
            reduction=self.reduction,
            labels=self.labels,
            network=self.network,
            channels_last=self.layout.channels_last,
            own_layers=self.own_layers,
        )

    @property
    def importable_name(self) -> str | None:
        """Its name, if its operations can be imported by it; None for an object that was made in Python."""
        functions = dict(own(name, one.function) for name, one in self.operations.items())
        return self.name if modules.gives(self.name, functions) else None


def make_target(offered: Any, name: str, world: Any = EVERYBODYS) -> Target:
    """The target that an object's attributes make; `CannotLoad` if it offers nothing or declares nonsense."""
    try:
        layout = Layout.declared_by(offered)
        named = options_named_by(offered)
        own_layers, own_operations = _own_layers(offered, world)
        functions = {key: offered_as(offered, signature, named, layout) for key, signature in OPERATIONS.items()}
    except ValueError as error:
        raise CannotLoad(f"{name}: {error}") from None
    operations = [key for key, (function, _) in functions.items() if function is not None]
    public = [attribute for attribute in dir(offered) if not attribute.startswith("_")]
    names = {OPERATIONS[key].function or key for key in OPERATIONS if key not in operations}
    misses = near_misses(public, [key for key in OPERATIONS if key in names])
    if not operations and not own_operations:
        hint = "".join(f"; did you mean {right} for {wrong}?" for wrong, right in misses.items())
        raise CannotLoad(
            f"{name} has none of the operations that can be checked: {', '.join(OPERATIONS)}" + printable(hint)
        )
    if isinstance(offered, type) and any(
        isinstance(getattr_static(offered, key, None), FunctionType) for key in operations
    ):
        raise CannotLoad(f"{name} is a class: give an instance of it")
    try:
        dtype, reduction, labels = (_declared(offered, attribute, *words) for attribute, words in _WORDS.items())
        limits, layout = Limits.declared_by(offered), replace(layout, labels=labels)
        network = parsed_network(offered.NETWORK) if hasattr(offered, "NETWORK") else ()
    except ValueError as error:
        raise CannotLoad(f"{name}: {error}") from None
    callable_ones = {key: Operation(key, functions[key][0], layout, world, functions[key][1]) for key in operations}
    every, folder = callable_ones | own_operations, os.getcwd()
    return Target(name, every, limits, dtype, misses, layout, folder, reduction, labels, network, own_layers)


def _own_layers(offered: Any, world: Any) -> tuple[OwnLayers, dict[str, Operation]]:
    """The layers that an object declares by itself, and their operations. `ValueError`, with one line, for nonsense.

    How many arrays a forward pass gives is found by asking it; where it answers nothing, the properties will say so.
    """
    declared = getattr(offered, LAYERS, {})
    if not isinstance(declared, Mapping):
        raise ValueError(f"{LAYERS} must be a dictionary of layers by name, not {type(declared).__name__}")
    layers, operations = OwnLayers(), dict[str, Operation]()
    for name, one in declared.items():
        specs = specs_of(name, one)
        functions = {role: OwnFunction(getattr(one, role), f"{LAYERS}[{name!r}].{role}", declared) for role in ROLES}
        own = OwnLayer(name, specs, getattr(one, "rows", "") or "")
        layers[own.layer.name] = own
        own.doors = _doors(own, functions, world)
        own.made_for(own.count())
        own.doors = _doors(own, functions, world)
        operations |= {door.name: door for door in own.doors.values()}
    return layers, operations


def _doors(own: OwnLayer, functions: Mapping[str, OwnFunction], world: Any) -> dict[str, Operation]:
    return {
        role: Operation(signature.name, functions[role], world=world, signature=signature)
        for role, signature in zip(ROLES, own.layer.named().values(), strict=True)
    }


def _declared(offered: Any, attribute: str, usual: str, other: str) -> str:
    """Which of two words an object's attribute is, the usual one without it; `ValueError` if it is neither."""
    word = getattr(offered, attribute, usual)
    if not isinstance(word, str) or word not in (usual, other):
        raise ValueError(f'{attribute} must be "{usual}" or "{other}", not {printable(repr(word))}')
    return word


def load(spec: str) -> Target:
    """The target called `spec`: a dotted module or a path to a `.py` or `.ipynb` file, any with an `:attribute`.

    Raises `CannotLoad`, whose message is one line.
    """
    world = World()
    with _loading(spec), world.made():
        where, attribute = modules.parted(spec)
        if Path(where).suffix in (".py", ".ipynb"):
            return make_target(_attribute(_file(Path(where), world), attribute, spec), spec, world)
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
