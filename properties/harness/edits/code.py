"""The right code of an operation as a tree that can be edited: its lines, and the functions that its edits are."""

import ast
import inspect
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache, cached_property, wraps
from textwrap import dedent
from types import CodeType
from typing import Any, TypeVar

from ...layers.plain import is_plain, ways
from ...layers.plain.turns import CHOSEN, form
from ..core.setting import setting

Answer = TypeVar("Answer")
_TURNS = {
    "turned": (True, "np.rot90({}, 2)"),
    "unturned": (False, "np.rot90({}, 2)"),
    "mirrored": (True, "{1} - 1 - {0}"),
}
_IF_CHOSEN = "if_chosen"


class _Written(ast.NodeTransformer):
    """Writes what hangs on a convention out: a half turn or another index, or nothing, and then no name for it."""

    def __init__(self, flips: bool) -> None:
        self.flips = flips
        self.same: dict[str, str] = {}

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = getattr(node.func, "id", "")
        if name == _IF_CHOSEN:
            convention, value = map(ast.literal_eval, node.args[:2])
            return node.args[2 if setting().conventions.chosen(convention) == value else 3]
        where, template = _TURNS.get(name, (None, ""))
        if name in CHOSEN:
            return expression(CHOSEN[name](), *node.args)
        if where is None:
            return node
        return expression(template, *node.args) if where == self.flips else node.args[0]

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and isinstance(node.targets[0], ast.Name):
            self.same[node.targets[0].id] = node.value.id
            return None
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.copy_location(ast.Name(self.same.get(node.id, node.id), node.ctx), node)


def expression(template: str, *nodes: ast.AST) -> ast.expr:
    """A new expression: the template with the text of these nodes, each in brackets where it needs them."""
    texts = (
        f"({text})" if isinstance(node, ast.BinOp | ast.UnaryOp | ast.Compare | ast.Lambda) else text
        for node, text in ((node, ast.unparse(node)) for node in nodes)
    )
    return ast.parse(template.format(*texts) if nodes else template, mode="eval").body


@dataclass(eq=False)
class Way:
    """One way to write an operation: the function's tree, and those of the plain functions that it calls."""

    operation: str
    name: str
    parts: list[ast.FunctionDef]
    scope: dict[str, Any]
    codes: list[CodeType] = field(init=False)
    leaves: dict[int, Callable[..., Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.codes = [compiled(part) for part in self.parts]
        own = {part.name for part in self.parts}
        inner = [number for number, names in enumerate(self.names) if number and not own & names]
        fastest = {number: ways(self.parts[number].name)[-1:] for number in inner}
        self.leaves = {number: found[0] for number, found in fastest.items() if found}

    @cached_property
    def names(self) -> list[set[str]]:
        """The names that are used in each of the functions."""
        return list(map(names_in, self.parts))

    def made(self, part: int | None = None, code: CodeType | None = None) -> Callable[..., Any]:
        """The function, with another code for one of its parts; each time without any state from before.

        The other functions that it calls are there in the fastest of their ways.
        """
        scope = {**self.scope, "kept": {}}
        for number, own in enumerate(self.codes):
            if number == part:
                exec(code or own, scope)  # noqa: S102
            elif number in self.leaves:
                scope[self.parts[number].name] = self.leaves[number]
            else:
                exec(own, scope)  # noqa: S102
        function: Callable[..., Any] = scope[self.name]
        return function


def compiled(part: ast.FunctionDef) -> CodeType:
    """The code that defines a function."""
    return compile(ast.Module([part], []), "<right code>", "exec")


def remembered(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """As `functools.cache` has it, for each form that plain code may have in a setting."""

    @cache
    def kept(_: Any, *arguments: Any) -> Answer:
        return function(*arguments)

    return wraps(function)(lambda *arguments: kept(form(), *arguments))


@remembered
def written(operation: str, flips: bool) -> tuple[Way, ...]:
    """The ways to write an operation, for the true convolution or not, and for the further conventions in force."""
    return tuple(_way(operation, function, flips) for function in ways(operation))


def shown(operation: str, flips: bool) -> str:
    """The right code as reports show it: the first way, from its first line; empty for an operation without."""
    return next((ast.unparse(way.parts[0]) for way in written(operation, flips)), "")


def _way(operation: str, function: Callable[..., Any], flips: bool) -> Way:
    parts, scope = list[ast.FunctionDef](), dict[str, Any]()
    _collect(function, flips, parts, scope)
    return Way(operation, function.__name__, parts, scope)


def _collect(function: Callable[..., Any], flips: bool, parts: list[ast.FunctionDef], scope: dict[str, Any]) -> None:
    """Add a function and the plain ones that it calls, and whatever their modules know."""
    parts.append(parsed(inspect.getsource(function), flips))
    scope.update(function.__globals__)
    names = names_in(parts[-1])
    for name, value in function.__globals__.items():
        if name in names and is_plain(value) and all(part.name != name for part in parts):
            _collect(value, flips, parts, scope)


def likeness(source: str, tree: ast.AST) -> float:
    """The share of what two pieces of code are made of, kinds of nodes and what is called, that they have in common.

    It is 0 for a source that is no code by itself.
    """
    try:
        made = [_made_of(ast.parse(dedent(source))), _made_of(tree)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return 0.0
    return (made[0] & made[1]).total() / max(made[0].total(), made[1].total(), 1)


def _made_of(tree: ast.AST) -> Counter[str]:
    nodes = list(ast.walk(tree))
    called = [node.attr for node in nodes if isinstance(node, ast.Attribute)]
    return Counter([type(node).__name__ for node in nodes] + called)


def names_in(node: ast.AST) -> set[str]:
    """The names that are used in a tree."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def parsed(source: str, flips: bool) -> ast.FunctionDef:
    """The tree of a function without annotations, for this convention."""
    tree = ast.parse(source).body[0]
    assert isinstance(tree, ast.FunctionDef)
    tree.returns = None
    for argument in tree.args.args:
        argument.annotation = None
    found: ast.FunctionDef = _Written(flips).visit(tree)
    return found


def differing(right: str, wrong: str) -> tuple[str, str]:
    """Of two texts the lines that differ, from the first to the last; with their neighbours where one only moves."""
    before, after = right.splitlines(), wrong.splitlines()
    changed = [code for code in SequenceMatcher(None, before, after).get_opcodes() if code[0] != "equal"]
    lines = _between(before, after, changed, 0)
    return lines if all(lines) and lines[0] != lines[1] else _between(before, after, changed, 1)


def _between(before: list[str], after: list[str], changed: list[Any], more: int) -> tuple[str, str]:
    """The lines of both texts from the first change to the last, and so many more on either side."""
    sides = (before, changed[0][1], changed[-1][2]), (after, changed[0][3], changed[-1][4])
    right, wrong = (dedent("\n".join(lines[max(first - more, 0) : last + more])) for lines, first, last in sides)
    return right, wrong
