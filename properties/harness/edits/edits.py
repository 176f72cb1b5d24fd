"""Every small edit of the right code: one change in one place, as a slip of the pen or of the mind makes it."""

import ast
from collections.abc import Callable, Iterator
from itertools import chain, combinations, islice, pairwise, product
from textwrap import indent
from typing import Any

from .code import expression, likeness, names_in, remembered, written
from .edit import Change, Edit, places
from .expressions import Slip, Where, called, slips
from .values import with_constants, wrapped

_IN_PLACE: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+=", "add"),
    ast.Sub: ("-=", "subtract"),
    ast.Mult: ("*=", "multiply"),
    ast.Div: ("/=", "divide"),
}
LONGEST_NAME = 40  # of what an edit is told of

MOST_PAIRS, MOST_TWINS = 1500, 4000  # of a kind; of those with a constant


def edits(operation: str, flips: bool, source: str = "") -> Iterator[tuple[Edit, ...]]:
    """All single edits of the right code of an operation but those with a constant: of one way after the other.

    First of the way that is most like some `source`, so that an edit is told in the words of whoever wrote that.
    """
    ways = written(operation, flips)
    nearest_first = sorted(range(len(ways)), key=lambda number: -likeness(source, ways[number].parts[0]))
    return (_of_way(operation, flips, number) for number in nearest_first)


@remembered
def _of_way(operation: str, flips: bool, number: int) -> tuple[Edit, ...]:
    """The edits of one way, but for those functions that an earlier one calls too."""
    ways, found = written(operation, flips), list[Edit]()
    told = {part.name for way in ways[:number] for part in way.parts}
    for part, tree in enumerate(ways[number].parts):
        if tree.name not in told:
            slips = {
                (change.place, change.text): (change, slip)
                for change, slip in _all(tree, own=part == 0, first=number == 0)
            }
            found += [Edit(slip.what, ways[number], part, (change,), slip.rank) for change, slip in slips.values()]
    return tuple(found)


def edits_with_constants(operation: str, flips: bool, limits: tuple[float, ...]) -> Iterator[Edit]:
    """The edits that have a constant: a clip, a threshold, a slope, a factor; `limits` were read off answers.

    At first one of them by itself, and then the same in two lines, one below the other.
    """
    single = list[Edit]()
    for way in written(operation, flips)[:1]:
        for parent, name, index, node in list(places(way.parts[0])):
            if _is_value(parent, name, node):
                for slip in with_constants(node, _named(node), limits):
                    single.append(Edit(slip.what, way, 0, (Change(parent, name, index, slip.new),), slip.rank))
    yield from single
    names = [edit for edit in single if isinstance(edit.changes[0].old, ast.Name)]
    twins = _alike(names, lambda edit: edit.what.rpartition(": ")[2])
    near = (_both(*pair) for pair in twins if abs(pair[0].line - pair[1].line) == 1)
    yield from islice(filter(None, near), MOST_TWINS)


def _all(part: ast.FunctionDef, own: bool, first: bool) -> Iterator[tuple[Change, Slip]]:
    """The changes of one function; what is done to whole arguments and answers only in the `first` way."""
    parameters = tuple(one.arg for one in part.args.args)
    stored = (node.id for node in ast.walk(part) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    names = tuple(dict.fromkeys((*parameters, *stored)))
    counting = {id(inner) for node in ast.walk(part) for one in _counting(node) for inner in ast.walk(one)}
    for parent, name, index, node in list(places(part)):
        found = list[Slip]()
        if isinstance(node, ast.stmt):
            found += _statements(node, part)
        elif isinstance(node, ast.expr) and not _is_callee(parent, name):
            counts = id(node) in counting
            if not isinstance(getattr(node, "ctx", None), ast.Store) or isinstance(node, ast.Tuple):
                found += slips(node, Where(names, counts and not isinstance(parent, ast.Attribute)))
            outer = getattr(node, "id", "") in parameters or isinstance(parent, ast.Return)
            outer = outer or isinstance(parent, ast.keyword)
            if own and not counts and (first or not outer) and _is_value(parent, name, node):
                found += wrapped(node, _named(node), flat=len(parameters) == 1)
            if not counts and isinstance(node, ast.BinOp) and getattr(node.left, "id", "") in parameters:
                found += _in_place(node)
        text = ast.unparse(node)
        changes = ((Change(parent, name, index, slip.new), slip) for slip in found)
        yield from ((change, slip) for change, slip in changes if change.text != text)
    yield from _copied(part)
    yield from _exchanged(part)


def _counting(node: ast.AST) -> list[ast.expr]:
    """What within a node counts or measures: indices, ranges, shapes."""
    if isinstance(node, ast.Subscript):
        return [node.slice]
    if isinstance(node, ast.Call):
        name, method_of = called(node)
        if name in ("range", "zeros", "ones", "arange", "divmod"):
            return node.args
        if name in ("reshape", "repeat", "transpose", "pad", "unravel_index"):
            return node.args if method_of else node.args[1:]
    if isinstance(node, ast.Assign) and ".shape" in ast.unparse(node.value) and not _calls(node.value):
        return [node.value]
    return []


def _calls(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Call) for inner in ast.walk(node))


def _is_callee(parent: ast.AST, name: str) -> bool:
    return (isinstance(parent, ast.Call) and name == "func") or isinstance(parent, ast.arguments | ast.arg)


def _is_value(parent: ast.AST, name: str, node: ast.AST) -> bool:
    """Whether an expression has a value that something may be done to by mistake."""
    if not isinstance(node, ast.Name | ast.BinOp | ast.Call | ast.Subscript | ast.Compare):
        return False
    if isinstance(getattr(node, "ctx", None), ast.Store) or isinstance(parent, ast.Attribute | ast.For | ast.Slice):
        return False
    text = ast.unparse(node)
    return not text.startswith(("range(", "np.zeros(")) and text != "np"


def _named(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= LONGEST_NAME else "a value"


def _in_place(node: ast.BinOp) -> Iterator[Slip]:
    """`x = x - y` as `x -= y` makes it: the argument itself changes."""
    if found := _IN_PLACE.get(type(node.op)):
        sign, function = found
        left = ast.unparse(node.left)
        new = expression(f"np.{function}({{0}}, {{1}}, out={{0}})", node.left, node.right)
        yield Slip(f"{left} is changed in place, as by `{left} {sign}`", new, 2)


def _statements(node: ast.stmt, part: ast.FunctionDef) -> Iterator[Slip]:
    """What else may stand in the place of a statement."""
    if isinstance(node, ast.AugAssign):
        target, value = ast.unparse(node.target), ast.unparse(node.value)
        for sign in ("=", "-=", "*="):
            yield Slip(f"`{sign}` stands for `+=`", _parsed(f"{target} {sign} {value}"), 1)
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        added = f"{ast.unparse(node.targets[0])} += {ast.unparse(node.value)}"
        yield Slip("`+=` stands for `=`", _parsed(added), 1)
    if isinstance(node, ast.Assign | ast.AugAssign):
        yield from _names_exchanged(node, part)
    if isinstance(node, ast.Assign | ast.AugAssign | ast.If):
        yield Slip("a line is missing", _parsed("pass"), 1)
    if isinstance(node, ast.If):
        yield Slip("a condition is missing", list(node.body), 1)
    if isinstance(node, ast.For):
        yield from _loops(node, part)


def _names_exchanged(node: ast.stmt, part: ast.FunctionDef) -> Iterator[Slip]:
    """A line in which two names that count something are exchanged, wherever they stand in it."""
    loops = {one.target.id for one in ast.walk(part) if isinstance(one, ast.For) and isinstance(one.target, ast.Name)}
    unpacked = (one for one in ast.walk(part) if isinstance(one, ast.Tuple) and isinstance(one.ctx, ast.Store))
    counting = loops | {name.id for one in unpacked for name in one.elts if isinstance(name, ast.Name)}
    used = sorted(names_in(node) & counting)
    for one, other in combinations(used, 2):
        renamed = _Renamed({one: other, other: one}).visit(ast.parse(ast.unparse(node)))
        yield Slip(f"{one} and {other} are exchanged", renamed.body, 1)


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.copy_location(ast.Name(self.names.get(node.id, node.id), node.ctx), node)


def _loops(node: ast.For, part: ast.FunctionDef) -> Iterator[Slip]:
    """What else a loop may do: end too early, or begin anew in every step, or not in every one."""
    ends = [*node.body, *_parsed(ast.unparse(part.body[-1]))]
    yield Slip("`return` stands inside the loop", [_with_body(node, ends)], 1)
    yield Slip("the loop ends after its first step", [_with_body(node, [*node.body, *_parsed("break")])], 2)
    for made in part.body:
        if isinstance(made, ast.Assign) and "zeros" in ast.unparse(made.value):
            inside = _with_body(node, [*_parsed(ast.unparse(made)), *node.body])
            yield Slip("it begins anew in every step of the loop", [inside], 2)
    if isinstance(node.body[0], ast.Assign) and len(node.body) > 1:
        rest = _with_body(node, node.body[1:])
        yield Slip("it is set once, before the loop, and not in every step of it", [node.body[0], rest], 2)
    if isinstance(node.body[-1], ast.AugAssign) and len(node.body) > 1:
        rest = _with_body(node, node.body[:-1])
        yield Slip("it stands after the loop, and not within it", [rest, node.body[-1]], 2)
    read = (ast.unparse(one) for one in ast.walk(node) if isinstance(one, ast.Subscript))
    for entry in dict.fromkeys(text for text in read if text.endswith(f", {ast.unparse(node.target)}]")):
        if entry.split("[")[0] in [one.arg for one in part.args.args]:
            stopped = [*_parsed(f"if {entry} == 0:\n    break"), *node.body]
            yield Slip(f"it stops where {entry} is 0", [_with_body(node, stopped)], 3)


def _with_body(node: ast.For, body: list[ast.stmt]) -> ast.For:
    return ast.copy_location(ast.For(node.target, node.iter, body, node.orelse), node)


def _parsed(text: str) -> list[ast.stmt]:
    """Statements; in a loop, where `break` may stand."""
    loop = ast.parse("while 1:\n" + indent(text, "    ")).body[0]
    assert isinstance(loop, ast.While)
    return loop.body


def _neighbours(part: ast.FunctionDef) -> Iterator[tuple[Any, int]]:
    """Every two assignments that follow each other: what holds them, and where in its body the first one is."""
    for node in ast.walk(part):
        body = getattr(node, "body", None)
        for number, two in enumerate(pairwise(body if isinstance(body, list) else ())):
            if all(isinstance(one, ast.Assign | ast.AugAssign) for one in two):
                yield node, number


def _copied(part: ast.FunctionDef) -> Iterator[tuple[Change, Slip]]:
    """A line with the right side of the one above it, as one that was copied and not changed."""
    for node, number in _neighbours(part):
        one, other = node.body[number : number + 2]
        if type(one) is type(other) and not isinstance(node, ast.If):
            slip = Slip("the right side of the line above is copied", one.value, 1)
            yield Change(other, "value", None, one.value), slip


def _exchanged(part: ast.FunctionDef) -> Iterator[tuple[Change, Slip]]:
    """Two lines that follow each other, in the other order."""
    for node, number in _neighbours(part):
        one, other = node.body[number : number + 2]
        changed = [*node.body[:number], other, one, *node.body[number + 2 :]]
        yield Change(node, "body", None, changed), Slip("two lines are exchanged", changed, 2)


def two_edits(single: list[Edit], nearly: list[Edit]) -> Iterator[Edit]:
    """Two changes at once: the same in two places, a call that is made elsewhere, one that gives a part of the answers
    with any other, changes of the same kind in one line, and then in two, and any two slips in one line; of each so
    many at most.
    """
    slips = [edit for edit in single if edit.rank <= 3]
    small = [edit for edit in slips if edit.rank == 1]
    pairs = (
        sorted(_alike(small, lambda edit: edit.what), key=lambda pair: abs(pair[0].line - pair[1].line)),
        _moved_calls(slips),
        product(nearly, slips),
        _alike([edit for edit in small if " stands for " not in edit.what], lambda edit: (edit.kind, edit.line)),
        _alike(small, lambda edit: edit.line),
        _alike(small, lambda edit: edit.kind),
    )
    for some in pairs:
        yield from islice((two for pair in some if (two := _both(*pair))), MOST_PAIRS)


def _alike(edits: list[Edit], key: Callable[[Edit], Any]) -> Iterator[tuple[Edit, Edit]]:
    """Every two that are of one function and have something in common."""
    groups: dict[Any, list[Edit]] = {}
    for edit in edits:
        groups.setdefault((edit.way.name, edit.part, key(edit)), []).append(edit)
    return chain.from_iterable(combinations(group, 2) for group in groups.values())


def _moved_calls(slips: list[Edit]) -> Iterator[tuple[Edit, Edit]]:
    """A function that is missing in one place, with one that is too many in another."""
    lost = [edit for edit in slips if edit.what.endswith(" is missing") and isinstance(edit.changes[0].old, ast.Call)]
    put = [edit for edit in slips if " is put through " in edit.what or " is without what is negative" in edit.what]
    return product(lost, put)


def _both(one: Edit, other: Edit) -> Edit | None:
    """Both edits, if they are of the same function, in places that are not within each other."""
    if one.way is not other.way or one.part != other.part or one.changes[0].overlaps(other.changes[0]):
        return None
    what = one.what if one.what == other.what else f"{one.what}, and {other.what}"
    return Edit(what, one.way, one.part, (*one.changes, *other.changes), one.rank + other.rank)
