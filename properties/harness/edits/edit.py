"""An edit of the right code: other nodes, or statements, in one place of its tree or two."""

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from ...layers.plain import ways
from .code import Way, compiled, differing, parsed, remembered, written


@dataclass(frozen=True)
class Change:
    """Another node, or other statements, in one place of a tree."""

    parent: ast.AST
    name: str
    index: int | None
    new: Any

    @property
    def place(self) -> tuple[int, str, int | None]:
        """Where it is: two that agree are in one place."""
        return id(self.parent), self.name, self.index

    @property
    def nodes(self) -> list[ast.AST]:
        """What is put there."""
        return self.new if isinstance(self.new, list) else [self.new]

    @property
    def text(self) -> str:
        """What is put there, as it is read."""
        return ";".join(map(ast.unparse, self.nodes))

    def overlaps(self, other: "Change") -> bool:
        """Whether one of the two places is within the other, so that both cannot be changed."""
        one, two = self.old, other.old
        if isinstance(one, ast.expr) and isinstance(two, ast.expr) and one.lineno != two.lineno:
            return False
        if self.parent is other.parent and self.name == other.name:
            return self.index == other.index or None in (self.index, other.index)
        return any(inner is two.parent for one, two in ((self, other), (other, self)) for inner in ast.walk(one.old))

    @property
    def old(self) -> ast.AST:
        """What stands there in the right code."""
        value = getattr(self.parent, self.name)
        if self.index is not None:
            value = value[self.index]
        return value if isinstance(value, ast.AST) else self.parent  # whose whole body is another one

    def swap(self) -> Callable[[], None]:
        """Make the change; what is returned takes it back."""
        old = getattr(self.parent, self.name)
        at = self.index
        setattr(self.parent, self.name, self.new if at is None else [*old[:at], *self.nodes, *old[at + 1 :]])
        return lambda: setattr(self.parent, self.name, old)


@dataclass(frozen=True)
class Edit:
    """The right code with one or two changes: a sentence for their kind, and how rare they are."""

    what: str
    way: Way
    part: int
    changes: tuple[Change, ...]
    rank: int

    def code(self) -> Callable[[], Callable[..., Any]]:
        """What makes the function, with the changes; raises `SyntaxError` or `ValueError` where that is none."""
        return partial(self.way.made, self.part, self._changed(compiled))

    @cached_property
    def line(self) -> int:
        """The line of the source in which the first change is."""
        change = self.changes[0]
        line: int = getattr(change.old, "lineno", 0) or getattr(change.parent, "lineno", 0)
        return line

    @cached_property
    def kind(self) -> str:
        """The words for it without the names of what is edited."""
        names = self.way.names[self.part]
        return " ".join(word for word in self.what.split() if word.isalpha() and word not in names)

    def is_like(self, other: "Edit") -> bool:
        """Whether another one differs from it in a constant alone."""
        is_there = self.changes[0].place == other.changes[0].place
        return is_there and self.what != other.what and self.kind == other.kind

    @property
    def leaves_traces(self) -> bool:
        """Whether it may change an argument, or keep something from call to call."""
        texts = " ".join(change.text for change in self.changes)
        return "out=" in texts or "kept." in texts or "copy is missing" in self.what

    def lines(self) -> tuple[str, str]:
        """The lines as they should be, and as they are with the changes."""
        return differing(ast.unparse(self.way.parts[self.part]), self.text)

    @property
    def text(self) -> str:
        """The whole function with the changes."""
        changed: str = self._changed(ast.unparse)
        return changed

    def _changed(self, use: Callable[[ast.FunctionDef], Any]) -> Any:
        undo = [change.swap() for change in self.changes]
        try:
            return use(self.way.parts[self.part])
        finally:
            for one in reversed(undo):
                one()


@remembered
def rewritten(operation: str, right: str, wrong: str, flips: bool) -> Edit:
    """The first way of an operation in whose source the `right` text stands once, with the `wrong` one in its place.

    What hangs on a convention is written out afterwards. Raises `LookupError` if there is no such way.
    """
    for function, way in zip(ways(operation), written(operation, flips), strict=True):
        source = inspect.getsource(function)
        if source.count(right) == 1:
            body = parsed(source.replace(right, wrong), flips).body
            return Edit("", way, 0, (Change(way.parts[0], "body", None, body),), 0)
    raise LookupError(f"no way to write {operation} has this text once: {right}")


def places(part: ast.FunctionDef) -> Iterator[tuple[ast.AST, str, int | None, Any]]:
    """Every node below a function, with where it stands."""
    for node in ast.walk(part):
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                yield from ((node, name, index, one) for index, one in enumerate(value) if isinstance(one, ast.AST))
            elif isinstance(value, ast.AST):
                yield node, name, None, value
