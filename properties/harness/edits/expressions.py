"""What else may stand in the place of an expression of the right code: each slip in words, and how rare it is."""

import ast
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from ...layers.plain.confused import CONFUSED
from .code import expression


class Slip(NamedTuple):
    """Another expression, or other statements, in words; `rank` is 1 for a slip of the pen, more for what is rarer."""

    what: str
    new: ast.AST | list[ast.stmt]
    rank: int


class Where(NamedTuple):
    """Where an expression stands: the names that are known there, and whether it counts or measures."""

    names: tuple[str, ...]
    counts: bool  # within an index, a range or a shape


_OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Add, ast.Div, ast.MatMult),
    ast.Div: (ast.Mult, ast.Sub),
    ast.FloorDiv: (ast.Mod, ast.Mult),
    ast.Mod: (ast.FloorDiv,),
    ast.MatMult: (ast.Mult, ast.Add),
    ast.Pow: (ast.Mult,),
}
_COMPARISONS = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!="}
_TEXTS = {"valid": ("same", "full"), "full": ("same", "valid")}


def slips(node: ast.AST, where: Where) -> Iterator[Slip]:
    """What else may be written for this expression, or for a part of it, by itself."""
    if isinstance(node, ast.BinOp):
        yield from _of_operation(node, where)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        if ast.unparse(node) == "-np.inf":
            yield from (Slip(f"{start} stands for -np.inf", expression(f"({start})"), 1) for start in (0, -1, -9999))
        yield Slip(f"the sign of {ast.unparse(node.operand)} is missing", node.operand, 1)
    elif isinstance(node, ast.Compare):
        yield from _of_comparison(node)
    elif isinstance(node, ast.Constant):
        yield from _of_constant(node)
    elif isinstance(node, ast.Name) and node.id in where.names:
        others = (name for name in where.names if name != node.id)
        yield from (Slip(f"{name} stands for {node.id}", expression(name), 1) for name in others)
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Attribute):
        yield from _of_attribute(node)
    elif isinstance(node, ast.Tuple) and 2 <= len(node.elts) <= 4:
        yield from _of_tuple(node)
    elif isinstance(node, ast.Slice):
        yield from _of_slice(node)
    elif isinstance(node, ast.BoolOp):
        for one in node.values:
            rest = [other for other in node.values if other is not one]
            fewer = expression(" and ".join(["{}"] * len(rest)), *rest)
            yield Slip(f"the condition {ast.unparse(one)} is missing", fewer, 1)
    elif isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice | ast.Tuple):
        yield Slip(f"the index {ast.unparse(node.slice)} is missing", node.value, 2)
    if where.counts and isinstance(node, ast.BinOp | ast.Name | ast.Subscript):
        text = ast.unparse(node)
        yield Slip(f"{text} is one too many", expression("{} + 1", node), 1)
        yield Slip(f"{text} is one too few", expression("{} - 1", node), 1)
        yield Slip(f"{text} is one too few, unless it is 1", expression("max({} - 1, 1)", node), 3)
        yield Slip(f"{text} is halved", expression("{} // 2", node), 4)
        yield Slip(f"{text} is doubled", expression("2 * {}", node), 4)


def _of_operation(node: ast.BinOp, where: Where) -> Iterator[Slip]:
    left, right = node.left, node.right
    kind = "term" if isinstance(node.op, ast.Add | ast.Sub) else "factor"
    for kept, lost in ((left, right), (right, left)):
        yield Slip(f"the {kind} {ast.unparse(lost)} is missing", kept, 1)
    if isinstance(node.op, ast.Div) and not (isinstance(left, ast.Constant) and left.value == 1):
        yield Slip(f"the factor {ast.unparse(left)} is missing", expression("1 / {}", right), 1)
    for other in _OPERATORS[type(node.op)]:
        new = f"({ast.unparse(left)}) {_sign(other())} ({ast.unparse(right)})"
        yield Slip(f"`{_sign(other())}` stands for `{_sign(node.op)}`", expression(new), 1)
    if not isinstance(node.op, ast.Add | ast.Mult):
        text = f"({ast.unparse(right)}) {_sign(node.op)} ({ast.unparse(left)})"
        yield Slip(f"the two sides of `{_sign(node.op)}` are exchanged", expression(text), 1)
    if isinstance(node.op, ast.Mult) and not where.counts:
        for name in where.names:
            yield Slip(f"the factor {name} is one too many", expression(f"{{}} * {name}", node), 2)
        for kept, lost in ((left, right), (right, left)):
            words = f"{ast.unparse(kept)} stands for {ast.unparse(lost)}"
            yield Slip(words, expression("{} * {}", kept, kept), 2)
    if isinstance(node.op, ast.Mult | ast.Div) and not where.counts:
        yield Slip("a factor counts twice", expression("{} * {}", node, right), 2)
        yield Slip("a factor counts twice", expression("{} * {}", node, left), 2)
    yield from (Slip("a bracket is misplaced", new, 1) for new in _rebracketed(node))


def _rebracketed(node: ast.BinOp) -> Iterator[ast.expr]:
    """The same signs on the same operands, with brackets in other places; and what a function is taken of."""
    left, right = node.left, node.right
    if isinstance(left, ast.BinOp):
        template = f"{{0}} {_sign(left.op)} ({{1}} {_sign(node.op)} {{2}})"
        yield expression(template, left.left, left.right, right)
        yield expression(f"({{0}} {_sign(node.op)} {{2}}) {_sign(left.op)} {{1}}", left.left, left.right, right)
    if isinstance(right, ast.BinOp):
        template = f"({{0}} {_sign(node.op)} {{1}}) {_sign(right.op)} {{2}}"
        yield expression(template, left, right.left, right.right)
    if isinstance(left, ast.Call) and len(left.args) == 1:
        inner = expression(f"{{0}} {_sign(node.op)} {{1}}", left.args[0], right)
        yield expression(f"{ast.unparse(left.func)}({{}})", inner)


def _sign(operator: ast.operator) -> str:
    return ast.unparse(ast.BinOp(ast.Name("a"), operator, ast.Name("b")))[1:-1].strip()


def _of_comparison(node: ast.Compare) -> Iterator[Slip]:
    left, right = ast.unparse(node.left), ast.unparse(node.comparators[0])
    sign = next(text for kind, text in _COMPARISONS.items() if isinstance(node.ops[0], kind))
    for other in _COMPARISONS.values():
        if other != sign:
            rare = 1 + (other in ("==", "!="))
            yield Slip(f"`{other}` stands for `{sign}`", expression(f"({left}) {other} ({right})"), rare)
    yield Slip(f"the mask {ast.unparse(node)} is missing", expression("np.ones(np.shape({}), dtype=bool)", node), 1)
    if sign == "==":
        close = expression("np.isclose({}, {})", node.left, node.comparators[0])
        yield Slip("it is compared with a tolerance", close, 2)
    else:
        for tolerance in (1e-3, 1e-6, 1e-7, 1e-8, 1e-9, 1e-12):
            text = f"({left}) {sign} {f'{tolerance!r}' if right == '0' else f'({right}) + {tolerance!r}'}"
            yield Slip("it is compared with a tolerance", expression(text), 3)


def _of_constant(node: ast.Constant) -> Iterator[Slip]:
    if isinstance(node.value, str):
        others = _TEXTS.get(node.value, ())
        yield from (Slip(f"{other} stands for {node.value}", expression(repr(other)), 1) for other in others)
    elif isinstance(node.value, bool):
        yield Slip(f"{not node.value} stands for {node.value}", expression(repr(not node.value)), 2)
    elif isinstance(node.value, int | float):
        for other in (node.value + 1, node.value - 1, -node.value if node.value else 0.5):
            yield Slip(f"{other} stands for {node.value}", expression(f"({other!r})"), 1)


def called(node: ast.Call) -> tuple[str, ast.expr | None]:
    """The name of what is called, and what it is a method of, if it is one and no function of NumPy's."""
    if not isinstance(node.func, ast.Attribute):
        return getattr(node.func, "id", ""), None
    return node.func.attr, node.func.value if ast.unparse(node.func.value) != "np" else None


def _call(node: ast.Call, arguments: list[ast.expr], *keywords: ast.keyword) -> ast.expr:
    """The same call with these arguments and keywords alone."""
    return expression(ast.unparse(ast.Call(node.func, arguments, list(keywords))))


def _of_call(node: ast.Call) -> Iterator[Slip]:
    name, method_of = called(node)
    kept = method_of or next(iter(node.args), None)
    if kept is not None and name != "range":
        yield Slip(f"{name} is missing", kept, 1)
    for other in CONFUSED.get(name, ()):
        new = ast.unparse(node).replace(ast.unparse(node.func), ast.unparse(node.func)[: -len(name)] + other, 1)
        yield Slip(f"{other} stands for {name}", expression(new), 1)
    if name == "range" and len(node.args) == 1:
        yield Slip("a loop begins one too late", expression("range(1, {})", node.args[0]), 1)
        yield Slip("a loop is walked in steps of two", expression("range(0, {}, 2)", node.args[0]), 3)
        yield Slip("a loop does its first step alone", expression("range(min({}, 1))", node.args[0]), 2)
        yield Slip("a loop does its last step alone", expression("range(max({0} - 1, 0), {0})", node.args[0]), 2)
        yield Slip("a loop is walked from its end", expression("reversed(range({}))", node.args[0]), 2)
    if name == "rot90":
        for text in ("{}[::-1]", "{}[:, ::-1]"):
            yield Slip("one axis alone is flipped", expression(text, node.args[0]), 1)
        yield Slip("it is transposed in place of turned", expression("{}.T", node.args[0]), 1)
    for i, j in combinations(range(len(node.args)), 2):
        arguments = list(node.args)
        arguments[i], arguments[j] = arguments[j], arguments[i]
        words = f"{ast.unparse(arguments[j])} and {ast.unparse(arguments[i])} are exchanged"
        yield Slip(words, _call(node, arguments, *node.keywords), 1)
    for number, keyword in enumerate(node.keywords):
        rest = [one for place, one in enumerate(node.keywords) if place != number]
        yield Slip(f"{keyword.arg} is left out", _call(node, node.args, *rest), 1)
    if name in ("reshape", "ravel"):
        by_columns = _call(node, node.args, ast.keyword("order", ast.Constant("F")))
        yield Slip("column order stands for row order", by_columns, 1)
    if name == "ravel":
        by_memory = _call(node, node.args, ast.keyword("order", ast.Constant("K")))
        yield Slip("the order of memory stands for row order", by_memory, 2)
    if name == "repeat" and isinstance(node.func, ast.Attribute):
        inner = node.func.value
        if isinstance(inner, ast.Call) and getattr(inner.func, "attr", "") == "repeat":
            base = inner.func.value  # type: ignore[attr-defined]
            tiled = expression("np.tile({}, ({}, {}))", base, inner.args[0], node.args[0])
            yield Slip("tile stands for repeat", tiled, 1)
    if name in ("zeros", "ones") and node.args:
        yield Slip("an array of whole numbers is made", expression("np.zeros({}, dtype=int)", node.args[0]), 2)
        key = expression(f"kept.setdefault({ast.unparse(node)!r} + str({{0}}), {{1}})", node.args[0], node)
        yield Slip("an array is kept from call to call, and never reset", key, 2)
    if name in ("maximum", "minimum", "multiply", "abs", "exp"):
        in_place = _call(node, node.args, ast.keyword("out", node.args[0]))
        yield Slip("an argument is written into", in_place, 2)


def _of_attribute(node: ast.Attribute) -> Iterator[Slip]:
    if node.attr == "T":
        yield Slip(f"the transposition of {ast.unparse(node.value)} is missing", node.value, 1)
    elif node.attr == "size":
        yield Slip("one side stands for the size", expression("{}.shape[0]", node.value), 2)


def _of_tuple(node: ast.Tuple) -> Iterator[Slip]:
    for i, j in combinations(range(len(node.elts)), 2):
        elements = list(node.elts)
        elements[i], elements[j] = elements[j], elements[i]
        words = f"{ast.unparse(node.elts[i])} and {ast.unparse(node.elts[j])} are exchanged"
        yield Slip(words, _like(node, elements), 1)
    if isinstance(node.ctx, ast.Load) and len(node.elts) == 2 and not any(isinstance(e, ast.Slice) for e in node.elts):
        for one in node.elts:
            yield Slip(f"{ast.unparse(one)} stands for both", _like(node, [one, one]), 1)
            if isinstance(one, ast.Constant):
                yield Slip(f"{ast.unparse(one)} alone stands for both", one, 1)
        for which, words in (("max", "larger"), ("min", "smaller")):
            both = expression(f"({which}({{0}}, {{1}}), {which}({{0}}, {{1}}))", *node.elts)
            yield Slip(f"the {words} of the two stands for both", both, 2)


def _like(node: ast.Tuple, elements: list[ast.expr]) -> ast.Tuple:
    return ast.copy_location(ast.Tuple(elements, node.ctx), node)


def _of_slice(node: ast.Slice) -> Iterator[Slip]:
    for name, what in (("lower", "begin"), ("upper", "end"), ("step", "step")):
        if getattr(node, name) is not None:
            left = {"lower": node.lower, "upper": node.upper, "step": node.step} | {name: None}
            new = ast.copy_location(ast.Slice(left["lower"], left["upper"], left["step"]), node)
            yield Slip(f"the {what} of the slice {ast.unparse(node)} is missing", new, 1)
