"""How a target's function is called for an operation: which parameters it has, and which part of its answer counts."""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...layers import OPERATIONS
from ...layers.base.registry import Signature
from ..core.text import printable

DECLARED = "OPTIONS"


@dataclass(frozen=True)
class Adapted:
    """A target's function in the form of an operation: it takes all by position, and gives the operation's answer.

    The target's own takes some by their `places`, some by their `names`, and the other options not at all; what is
    `neutral` it is handed besides. Of its answer only the `part` of this number may count.
    """

    __wrapped__: Any  # where reports look for the lines of the code
    name: str
    takes: tuple[str, ...]
    places: tuple[str, ...]
    names: tuple[str, ...] = ()
    neutral: Mapping[str, Any] = field(default_factory=dict)
    part: int | None = None

    def __call__(self, *arguments: Any) -> Any:
        given = dict(zip(self.takes, arguments, strict=True))
        answer = self.__wrapped__(*(given[name] for name in self.places), **self._named(given))
        return answer if self.part is None else answer[self.part]

    def _named(self, given: Mapping[str, Any]) -> dict[str, Any]:
        beside = {name: make(*(given[one] for one in self.places)) for name, make in self.neutral.items()}
        return {name: given[name] for name in self.names} | beside

    def written(self, given: Mapping[str, Any], asked: Mapping[str, str]) -> str:
        """The call as code, of these arguments, each `asked` as it is written."""
        named = {name: asked.get(name) or _literal(value) for name, value in self._named(given).items()}
        arguments = [*(asked[name] for name in self.places), *(f"{name}={text}" for name, text in named.items())]
        return f"{self.name}({', '.join(arguments)})" + ("" if self.part is None else f"[{self.part}]")


def _literal(value: Any) -> str:
    return f"np.zeros({value.shape})" if isinstance(value, np.ndarray) else repr(value)


def offered_as(target: Any, signature: Signature) -> tuple[Any, frozenset[str]]:
    """What a target offers an operation as, in the operation's form, or None; and the options of it that it has.

    It has them too if it requires as many arguments as there are parameters, whatever it calls them.
    Raises `ValueError` if the target declares options that there are not.
    """
    own, name = getattr(target, signature.name, None), signature.function or signature.name
    if callable(own) and signature.function:
        return own, frozenset([*signature.options, *signature.found_out])
    function, part = getattr(target, name, None), None
    if not callable(function) and signature.part_of:
        name, part = signature.part_of
        function = getattr(target, name, None)
    if not callable(function):
        return None, frozenset()
    defaults, declared = _defaults(function), _declared(target).get(name, ())
    options = [one for one in signature.options if one in defaults or one in declared]
    found = [one for one in signature.found_out if one in declared]
    beside = {one: make for one, make in signature.neutral.items() if defaults.get(one) is inspect.Parameter.empty}
    needs = bool(signature.needs) and part is None and not _takes(function, signature.takes)
    if not (signature.options or beside or needs or part is not None):
        return function, frozenset(found)
    places = tuple(one for one in signature.takes if one not in signature.options)
    by_place = bool(signature.options) and not options and part is None
    if by_place and _takes(function, signature.takes) and not _takes(function, places):
        return function, frozenset([*signature.options, *found])  # it requires them, by names of its own
    if needs:
        places = signature.needs
    adapted = Adapted(function, name, signature.parameters, places, tuple(options), beside, part)
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


def _declared(target: Any) -> dict[str, tuple[str, ...]]:
    """The options that a target names, by function."""
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
    if isinstance(function, Adapted):
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
    return (function.name, function.__wrapped__) if isinstance(function, Adapted) else (name, function)


def called(name: str, function: Any, given: Mapping[str, Any], asked: Mapping[str, str]) -> str:
    """The call of a target's function as code, of these arguments, each `asked` as it is written."""
    if isinstance(function, Adapted):
        return function.written(given, asked)
    return f"{name}({', '.join(asked.values())})"
