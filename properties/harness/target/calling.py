"""How a target's function is called for an operation: which parameters it has, and which part of its answer counts."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...layers import OPERATIONS
from ...layers.base.registry import Signature
from ..core.tape import Case
from ..core.text import printable
from ..core.values import Kind
from .layout import HW, Layout

DECLARED, LAYERS = "OPTIONS", "LAYERS"
PLAIN = ("image", "target", "learning_rate")  # what is no parameter of a declared network


@dataclass(frozen=True)
class Adapted:
    """A target's function in the form of an operation: it takes all by position, and gives the operation's answer.

    The target's own takes some by their `places`, some by their `names`, and the other options not at all; what is
    `neutral` it is handed besides: made of the arguments, by their `takes`, in the suite's form. Of its answer only the
    `part` of this number may count.
    """

    __wrapped__: Any  # where reports look for the lines of the code
    name: str
    takes: Mapping[str, Kind]
    places: tuple[str, ...]
    names: tuple[str, ...] = ()
    neutral: Mapping[str, Any] = field(default_factory=dict)
    part: int | None = None
    layout: Layout = HW

    def __call__(self, *arguments: Any) -> Any:
        given = dict(zip(self.takes, arguments, strict=True))
        answer = self.__wrapped__(*(given[name] for name in self.places), **self._named(given))
        return answer if self.part is None else answer[self.part]

    def _named(self, given: Mapping[str, Any]) -> dict[str, Any]:
        beside = {name: make(*self._inward(given)) for name, make in self.neutral.items()}
        return {name: given[name] for name in self.names} | beside

    def _inward(self, given: Mapping[str, Any]) -> Iterator[Any]:
        """What it takes by place, as the suite has it."""
        case = Case()
        for name, kind in self.takes.items():
            case[name] = self.layout.inward(kind, given[name], case)
        return iter(case.arguments(*self.places))

    def written(self, given: Mapping[str, Any], asked: Mapping[str, str]) -> str:
        """The call as code, of these arguments, each `asked` as it is written."""
        named = {name: asked.get(name) or _literal(value) for name, value in self._named(given).items()}
        arguments = [*(asked[name] for name in self.places), *(f"{name}={text}" for name, text in named.items())]
        return f"{self.name}({', '.join(arguments)})" + ("" if self.part is None else f"[{self.part}]")


def _literal(value: Any) -> str:
    return f"np.zeros({value.shape})" if isinstance(value, np.ndarray) else repr(value)


@dataclass(frozen=True)
class Packed:
    """A target's function of a declared network in the form of an operation: its parameters are one list of arrays."""

    __wrapped__: Any
    name: str
    signature: Signature

    def __call__(self, *arguments: Any) -> Any:
        answer = self.__wrapped__(*self._packed(dict(zip(self.signature.takes, arguments, strict=True)), list).values())
        return answer[0] if self._gives_one and isinstance(answer, tuple | list) and len(answer) == 1 else answer

    @property
    def _gives_one(self) -> bool:
        """Whether it gives a list of one array: the operation gives the array itself."""
        return bool(self.signature.parts) and len(self.signature.gives) == 1

    def _packed(self, given: Mapping[str, Any], pack: Callable[[list[Any]], Any]) -> dict[str, Any]:
        names = [name for name in given if name not in PLAIN]
        before = {name: given[name] for name in PLAIN[:-1] if name in given}
        after = {name: given[name] for name in PLAIN[-1:] if name in given}
        return {**before, "parameters": pack([given[name] for name in names]), **after}

    def written(self, given: Mapping[str, Any], asked: Mapping[str, str]) -> str:
        """The call as code, of these arguments, each `asked` as it is written."""
        packed = self._packed(asked, lambda names: f"[{', '.join(names)}]").values()
        return f"{self.name}({', '.join(packed)})" + "[0]" * self._gives_one


@dataclass(frozen=True)
class OwnFunction:
    """A function of a target's own layer: where it gives a tuple, or a list, of one array, that array is its answer."""

    __wrapped__: Any  # where reports look for the lines of the code
    name: str
    layers: Any

    def __call__(self, *arguments: Any) -> Any:
        answer = self.__wrapped__(*arguments)
        return answer[0] if isinstance(answer, tuple | list) and len(answer) == 1 else answer

    def written(self, given: Mapping[str, Any], asked: Mapping[str, str]) -> str:
        """The call as code, of these arguments, each `asked` as it is written."""
        return f"{self.name}({', '.join(asked[name] for name in given)})"


Named = Mapping[str, tuple[str, ...]]  # options by the function that has them


def offered_as(target: Any, signature: Signature, named: Named, layout: Layout = HW) -> tuple[Any, frozenset[str]]:
    """What a target offers an operation as, in the operation's form, or None; and the options of it that it has.

    It has them too if it requires as many arguments as there are parameters, whatever it calls them. Of what has only
    options an operation without any is not offered, where there is no question that may yet tell. It `named` some of
    the options itself.
    """
    own, name = getattr(target, signature.name, None), signature.function or signature.name
    if callable(own) and signature.function:
        return own, frozenset([*signature.options, *signature.found_out])
    if (signature.unless and hasattr(target, signature.unless)) or not hasattr(target, signature.where or "__class__"):
        return None, frozenset()
    function, part = getattr(target, name, None), None
    if callable(function) and signature.where:
        return Packed(function, name, signature), frozenset()
    if not callable(function) and signature.part_of:
        name, part = signature.part_of
        function = getattr(target, name, None)
    if not callable(function):
        return None, frozenset()
    defaults, declared = _defaults(function), named.get(name, ())
    options = [one for one in signature.options if one in defaults or one in declared]
    found = [one for one in signature.found_out if one in declared]
    if signature.function and not signature.found_out and not options:
        return None, frozenset()  # it has nothing but options
    beside = {one: make for one, make in signature.neutral.items() if defaults.get(one) is inspect.Parameter.empty}
    needs = bool(signature.needs) and part is None and not _takes(function, signature.takes)
    if not (signature.function or signature.options or beside or needs or part is not None):
        return function, frozenset(found)
    places = tuple(one for one in signature.takes if one not in signature.options)
    by_place = bool(signature.options) and not options and part is None
    if by_place and _takes(function, signature.takes) and not _takes(function, places):
        return function, frozenset([*signature.options, *found])  # it requires them, by names of its own
    if needs:
        places = signature.needs
    adapted = Adapted(function, name, signature.takes, places, tuple(options), beside, part, layout)
    return adapted, frozenset([*options, *found])


def _defaults(function: Any) -> dict[str, Any]:
    """The default of each parameter that a function can be given by name; none where its signature cannot be read."""
    try:
        taken = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {one.name: one.default for one in taken if one.kind in named}


def _takes(function: Any, parameters: Iterable[str]) -> bool:
    """Whether a function can be called with so many arguments by position."""
    try:
        inspect.signature(function).bind(*parameters)
    except (TypeError, ValueError):
        return False
    return True


def options_named_by(target: Any) -> Named:
    """The options that a target declares, by function. `ValueError` if there are no such."""
    declared = getattr(target, DECLARED, {})
    known: dict[str, set[str]] = {}
    for one in OPERATIONS.values():
        for name in (one.function or one.name, *(one.part_of or ())[:1]):
            known.setdefault(str(name), set()).update(one.options, one.found_out)
    try:
        found = {str(name): tuple(map(str, options)) for name, options in declared.items()}
    except (AttributeError, TypeError):
        raise ValueError(f"{DECLARED} must name options by function, not {declared!a}") from None
    for name, options in found.items():
        if strange := sorted({*options} - known.get(name, set())):
            has = ", ".join(sorted(known.get(name, set()))) or "no options"
            raise ValueError(f"{DECLARED}: there is no option {strange[0]!a} of {printable(name)}, which has {has}")
    return found


def misfit(function: Any, name: str, parameters: tuple[str, ...]) -> str | None:
    """That a function cannot be called with the operation's positional parameters, if that is so."""
    if isinstance(function, Adapted | Packed | OwnFunction):
        return None
    try:
        taken = inspect.signature(function)
    except (TypeError, ValueError):  # it has none that Python knows of
        return None
    try:
        taken.bind(*parameters)
    except TypeError:
        return f"it is called as {name}({', '.join(parameters)}), but takes {printable(str(taken))}"
    return None


def part_of(function: Any) -> int | None:
    """Which part of the answer of a target's function counts, if not all of it."""
    return function.part if isinstance(function, Adapted) else None


def own(name: str, function: Any) -> tuple[str, Any]:
    """The name by which a target offers this function, and the function itself."""
    if isinstance(function, OwnFunction):
        return LAYERS, function.layers
    return (function.name, function.__wrapped__) if isinstance(function, Adapted | Packed) else (name, function)


def called(name: str, function: Any, given: Mapping[str, Any], asked: Mapping[str, str]) -> str:
    """The call of a target's function as code, of these arguments, each `asked` as it is written."""
    if isinstance(function, Adapted | Packed | OwnFunction):
        return function.written(given, asked)
    return f"{name}({', '.join(asked.values())})"
