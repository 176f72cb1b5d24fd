"""What may be done to the value of an expression by mistake: each in words, and how rare it is."""

import ast
from collections.abc import Iterator

import numpy as np

from ...layers.plain.confused import PUT_THROUGH
from .code import expression
from .expressions import Slip

_ROUND = {  # in words, how it is written, and how rare it is
    "turned by 180°": ("np.rot90({}, 2)", 2),
    "transposed": ("{}.T", 2),
    "turned upside down": ("{}[::-1]", 2),
    "mirrored": ("{}[:, ::-1]", 2),
    "turned by 90°": ("np.rot90({})", 3),
    "turned by 270°": ("np.rot90({}, 3)", 3),
    "read in column order": ("{0}.ravel(order='F').reshape(np.shape({0}))", 3),
    "read in column order and laid out by rows": ("{0}.reshape(-1).reshape(np.shape({0}), order='F')", 3),
    "read in the order of its memory": ("{0}.ravel(order='K').reshape({0}.shape)", 4),
    "replaced by its sum": ("np.sum({})", 3),
    "replaced by its mean": ("np.mean({})", 3),
    "replaced by its maximum": ("np.max({})", 4),
    "replaced by its first entry": ("{}.flat[0]", 4),
    "replaced by its last entry": ("{}.flat[-1]", 4),
    "cut down to its first row": ("{0} * (np.arange({0}.shape[0]) == 0)[:, None]", 4),
    "cut down to its first column": ("{0} * (np.arange({0}.shape[1]) == 0)", 4),
    "without its first row": ("{0} * (np.arange({0}.shape[0]) > 0)[:, None]", 4),
    "without its first column": ("{0} * (np.arange({0}.shape[1]) > 0)", 4),
    "without its last row": ("{0} * (np.arange({0}.shape[0]) < {0}.shape[0] - 1)[:, None]", 4),
    "without its last column": ("{0} * (np.arange({0}.shape[1]) < {0}.shape[1] - 1)", 4),
    "centred": ("{0} - np.mean({0})", 4),
    "divided by its norm": ("{0} / (np.sqrt(np.sum({0} ** 2)) or 1)", 4),
    "divided by its sum": ("{0} / (np.sum({0}) or 1)", 4),
    "divided by its largest size": ("{0} / (np.max(np.abs({0})) or 1)", 4),
    "divided by its first side": ("{0} / {0}.shape[0]", 3),
    "divided by its second side": ("{0} / {0}.shape[1]", 3),
}
_VALUES = {
    "with its sign turned": ("-{}", 2),
    "divided by its size": ("{0} / np.size({0})", 2),
    "without its signs": ("np.abs({})", 3),
    "without what is negative": ("np.maximum({}, 0)", 3),
    "without what is positive": ("np.minimum({}, 0)", 4),
    "squared": ("{} ** 2", 3),
    "replaced by its signs": ("np.sign({})", 3),
    "replaced by ones": ("np.ones(np.shape({}))", 3),
    "replaced by zeros": ("np.zeros(np.shape({}))", 3),
    "replaced by its root": ("np.sqrt(np.abs({}))", 4),
    "replaced by whether it is positive": ("({} > 0) * 1.0", 3),
    "replaced by whether it is not 0": ("({} != 0) * 1.0", 3),
    "rounded to single precision": ("np.float64(np.float32({}))", 2),
    "rounded to half precision": ("np.float64(np.float16({}))", 4),
    "cut down to whole numbers": ("np.trunc({})", 3),
    "made whole numbers": ("np.asarray({}).astype(int)", 3),
    "doubled": ("2 * {}", 2),
    "halved": ("{} / 2", 2),
    "rounded to whole numbers": ("np.round({})", 4),
    "rounded down to whole numbers": ("np.floor({})", 4),
    "kept in bytes": ("np.float64(np.asarray({}).astype(np.int64).astype(np.uint8))", 4),
    "kept in signed bytes": ("np.float64(np.asarray({}).astype(np.int64).astype(np.int8))", 5),
}
CONSTANTS = (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.9, 0.99)
LIMITS = (
    0.1,
    0.5,
    1.0,
    np.pi / 2,
    2.0,
    3.0,
    np.pi,
    4.0,
    5.0,
    6.0,
    8.0,
    10.0,
    16.0,
    20.0,
    50.0,
    100.0,
    127.0,
    255.0,
    1e3,
    1e4,
    1e6,
)
_WITH_CONSTANTS = (
    ("what is smaller than {} is dropped", "np.where(np.abs({{0}}) < {}, 0.0, {{0}})", CONSTANTS),
    ("{} is added", "{{0}} + {}", CONSTANTS),
    ("{} is taken away", "{{0}} - {}", CONSTANTS[:10]),
    ("it must be above {}, not above 0", "({{0}} > {}) * {{0}}", CONSTANTS),
    ("below 0 it has the slope {}", "np.where({{0}} > 0, {{0}}, {} * {{0}})", CONSTANTS[8:]),
    ("it is clipped to ±{}", "np.clip({{0}}, -{0}, {0})", LIMITS),
    ("it counts below {} alone", "({{0}} < {}) * {{0}}", LIMITS),
    ("it is cut off above {}", "np.minimum({{0}}, {})", LIMITS),
    ("it is cut off below −{}", "np.maximum({{0}}, -{})", LIMITS),
    ("it is cut off below {}", "np.maximum({{0}}, {})", CONSTANTS),
    ("it is shortened to a norm of {}", "{{0}} * min(1, {} / (np.sqrt(np.sum({{0}} ** 2)) or 1))", LIMITS[:10]),
    ("it is multiplied by {}", "{} * {{0}}", (*CONSTANTS[7:], 2.0, 3.0, 4.0, 1.1, 10.0, 100.0, 255.0)),
)


def wrapped(node: ast.AST, name: str, flat: bool) -> Iterator[Slip]:
    """The value of an expression, of so many axes as there are, after something that is done to it by mistake."""
    for table in (_VALUES, PUT_THROUGH) if flat else (_VALUES, PUT_THROUGH, _ROUND):
        for what, (template, rank) in table.items():
            yield Slip(f"{name} is {what}", expression(template, node), rank)


def with_constants(node: ast.AST, name: str, limits: tuple[float, ...]) -> Iterator[Slip]:
    """The value of an expression after something with a constant that is done to it; with `limits` of one's own too."""
    for what, template, constants in _WITH_CONSTANTS:
        for constant in (*constants, *limits):
            text = expression(template.format(repr(constant)), node)
            yield Slip(f"{name}: {what.format(format(constant, '.12g'))}", text, 5)
