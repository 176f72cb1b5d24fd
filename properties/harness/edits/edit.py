"""An edit of the right code: other nodes, or statements, in one place of its tree or two."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from .code import Way, compiled, differing


@dataclass(frozen=True)
class Change:
    """Another node, or other statements, in one place of a tree."""

    parent: ast.AST
    name: str
    index: int | None
    new: Any

    @property
    def key(self) -> tuple[int, str, int | None, str]:
        """Where it is, and what it says there: two that agree are the same."""
        new = self.new if isinstance(self.new, list) else [self.new]
        return id(self.parent), self.name, self.index, ";".join(map(ast.unparse, new))

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
        return (
            value
            if self.index is None and isinstance(value, ast.AST)
            else value[self.index]
            if self.index is not None
            else self.parent
        )

    def swap(self) -> Callable[[], None]:
        """Make the change; what is returned takes it back."""
        old = getattr(self.parent, self.name)
        if self.index is None:
            setattr(self.parent, self.name, self.new)
        else:
            new = self.new if isinstance(self.new, list) else [self.new]
            setattr(self.parent, self.name, [*old[: self.index], *new, *old[self.index + 1 :]])
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
        places = ((change.parent, change.name, change.index) for one in (self, other) for change in one.changes[:1])
        return self.what != other.what and self.kind == other.kind and next(places) == next(places)

    @property
    def leaves_traces(self) -> bool:
        """Whether it may change an argument, or keep something from call to call."""
        nodes = [node for one in self.changes for node in (one.new if isinstance(one.new, list) else [one.new])]
        texts = " ".join(map(ast.unparse, nodes))
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


def places(part: ast.FunctionDef) -> Iterator[tuple[ast.AST, str, int | None, Any]]:
    """Every node below a function, with where it stands."""
    for node in ast.walk(part):
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                yield from ((node, name, index, one) for index, one in enumerate(value) if isinstance(one, ast.AST))
            elif isinstance(value, ast.AST):
                yield node, name, None, value
