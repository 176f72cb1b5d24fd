"""Plain changes of the right formula, for mistakes that no catalogue foresaw: a factor, a turn, a missing term."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .contract import OPERATIONS
from .mistakes import right
from .strategies import Case
from .target import Array, changed_parts
from .trial import current

ROUNDING = 1e-11  # far above what rounding does to a sum here, and below the smallest error that must be refuted
Measured = list[tuple[Case, list[Array], list[Array]]]


@dataclass(frozen=True)
class Alteration:
    """The right formula with one argument or its answer changed: what is done to it, and what to do about it."""

    what: str
    mend: str
    make: Callable[[], Callable[..., Any]]


def _if_square(change: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda array: change(array) if array.shape[0] == array.shape[-1] else array


def _without(end: int, axis: int) -> Callable[[Array], Array]:
    def change(array: Array) -> Array:
        changed = array.copy()
        if array.shape[axis] > 1:
            changed[(slice(None),) * axis + (end,)] = 0.0
        return changed

    return change


_TURNS: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "turned by 180°": ("turn it once more, or once less", lambda array: array[::-1, ::-1]),
    "turned by 90°": ("np.rot90 turns by 90° unless told otherwise", _if_square(lambda array: np.rot90(array))),
    "turned by 270°": ("np.rot90 turns by 90° unless told otherwise", _if_square(lambda array: np.rot90(array, 3))),
    "transposed": ("rows and columns are mixed up", _if_square(lambda array: array.T)),
    "turned upside down": ("one axis too many is flipped, or one too few", lambda array: array[::-1]),
    "mirrored": ("one axis too many is flipped, or one too few", lambda array: array[:, ::-1]),
    "flattened in column order": ("C order throughout", lambda array: array.ravel(order="F").reshape(array.shape)),
}
_LOSSES: dict[str, tuple[str, Callable[[Array], Array]]] = {
    f"without its {name} {line}": (
        f"a term is missing: a loop or a slice leaves the {name} {line} out",
        _without(end, axis),
    )
    for axis, line in enumerate(("row", "column"))
    for name, end in (("first", 0), ("last", -1))
}
_VALUES: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "with its sign turned": ("a sign is wrong", lambda array: -array),
    "without its signs": ("signs matter", np.abs),
    "with what is negative cut off": ("negative values count", lambda array: np.maximum(array, 0.0)),
    "replaced by ones": ("a factor is missing", lambda array: np.ones(array.shape)),
}


def alterations(operation: str) -> Iterator[Alteration]:
    """The right formula of this operation, its answer changed, or one of its arrays on the way in."""
    signature = OPERATIONS[operation]
    flat = signature.layer == "activations"
    changes = _VALUES if flat else {**_TURNS, **_LOSSES, **_VALUES}
    for how, (mend, change) in changes.items():
        if how != "replaced by ones":
            yield Alteration(f"the right answer {how}", mend, partial(_answer_changed, operation, change))
        for index, name in enumerate(signature.parameters):
            if name not in ("window", "target", "learning_rate"):
                what = f"the right answer for {name} {how}"
                yield Alteration(what, mend, partial(_argument_changed, operation, index, change))


def _answer_changed(operation: str, change: Callable[[Array], Array]) -> Callable[..., Any]:
    def altered(*arguments: Any) -> Any:
        return changed_parts(
            lambda part: change(part) if np.ndim(part) == 2 or change in _FLAT else part, right(operation)(*arguments)
        )

    return altered


def _argument_changed(operation: str, index: int, change: Callable[[Array], Array]) -> Callable[..., Any]:
    def altered(*arguments: Any) -> Any:
        return right(operation)(*(change(value) if i == index else value for i, value in enumerate(arguments)))

    return altered


_FLAT = [change for _, change in _VALUES.values()]


def measured(operation: str, answers: Measured) -> str | None:
    """What the numbers alone say of (case, answers, right answers): a factor, an order, entries lost, precision."""
    parts = [
        (case, number, mine, value)
        for case, given, wanted in answers
        for number, (mine, value) in enumerate(zip(given, wanted, strict=False))
        if mine.shape == value.shape and np.isfinite(mine).all()
    ]
    rounding = 64 * current().target.eps
    wrong = {number for _, number, mine, value in parts if not _near(mine, value, rounding)}
    parts = [part for part in parts if part[1] in wrong and np.any(part[3])]
    if not parts:
        return None
    where = ""
    if len(wrong) == 1 and len(answers[0][2]) == 2:
        names = ("features", "weights") if operation == "dense_gradients" else ("kernel", "weights")
        where = f" for the {names[min(wrong)]}, and it alone,"
    return _factor(operation, parts, where) or _order(parts, where) or _precision(parts, where)


def _near(mine: Array, value: Array, relative: float) -> bool:
    return bool((np.abs(mine - value) <= relative * np.abs(value).max(initial=0.0) + current().target.tiny).all())


def _factor(operation: str, parts: list[Any], where: str) -> str | None:
    factors = np.array([float((mine * value).sum() / (value * value).sum()) for _, _, mine, value in parts])
    if not all(
        _near(mine, factor * value, ROUNDING) for factor, (_, _, mine, value) in zip(factors, parts, strict=True)
    ):
        return None
    if np.all(np.abs(factors + 1) <= 10 * ROUNDING):
        return f"the answer{where} has its sign turned"
    if np.ptp(factors) <= 10 * ROUNDING * abs(factors[0]):
        return f"the answer{where} is the right one times {factors[0]:.12g}, always: a factor is wrong or missing"
    for name in OPERATIONS[operation].parameters:
        sizes = np.array([np.prod(case[name]) if name == "window" else np.size(case[name]) for case, *_ in parts])
        if np.ptp(sizes) and np.ptp(factors * sizes) <= 10 * ROUNDING * abs(factors[0] * sizes[0]):
            return f"the answer{where} is divided by the size of {name}: a mean in place of a sum"
    return f"the answer{where} is the right one times a factor that changes from case to case: a factor is wrong"


def _order(parts: list[Any], where: str) -> str | None:
    if all(_near(np.sort(mine, axis=None), np.sort(value, axis=None), ROUNDING) for _, _, mine, value in parts):
        return None if all(np.ndim(part[2]) < 2 for part in parts) else _ordered(parts, where)
    if all(_near(np.where(mine == 0, value, mine), value, ROUNDING) for _, _, mine, value in parts):
        return f"the answer{where} is right but for entries that are 0: terms or places are left out"
    return None


def _ordered(parts: list[Any], where: str) -> str | None:
    turned = all(
        any(_near(mine, change(value), ROUNDING) for _, change in _TURNS.values()) for _, _, mine, value in parts
    )
    if turned:
        return None
    if all(_by_columns(case, mine, value) for case, _, mine, value in parts):
        return f"the answer{where} is that of pooled entries flattened by columns: flatten them by rows, in C order"
    return f"the answer{where} has the right numbers in another order: a permutation"


def _by_columns(case: Case, mine: Array, value: Array) -> bool:
    """Whether a gradient for the weights is the right one for windows counted down the columns."""
    if not {"image", "weights"} <= case.keys() or case.image.ndim > 2 or value.shape != case.weights.shape:
        return False
    rows, columns = ((side - width + 1) // 2 for side, width in zip(case.image.shape, case.kernel.shape, strict=True))
    return _near(mine, value.reshape(rows, columns).reshape(-1, 1, order="F"), ROUNDING)


def _precision(parts: list[Any], where: str) -> str | None:
    error = max(float(np.abs(mine - value).max() / np.abs(value).max()) for _, _, mine, value in parts)
    if error > 1e-4:
        return None
    if all(np.array_equal(mine.astype(np.float32), mine) for _, _, mine, _ in parts):
        return f'the answer{where} is in single precision: compute in float64, or declare DTYPE = "float32"'
    return (
        f"the answer{where} is right to {error:.1g} of its size: precision is lost, as by a rounded constant, a finite "
        "difference or single precision inside"
    )


_KINDS: dict[str, Callable[[Array], bool]] = {
    "{} is not square": lambda value: value.shape[0] != value.shape[-1],
    "{} has more than one entry": lambda value: value.size > 1,
    "{} has more than one row": lambda value: value.shape[0] > 1,
    "{} has more than one column": lambda value: value.shape[-1] > 1,
    "{} has an even number of rows": lambda value: value.shape[0] % 2 == 0,
    "{} has an even number of columns": lambda value: value.shape[-1] % 2 == 0,
    "{} has negative entries": lambda value: bool((value < 0).any()),
    "{} has no positive entry": lambda value: bool((value <= 0).all()),
    "{} has an entry that is 0": lambda value: bool((value == 0).any()),
    "{} has entries above 100": lambda value: bool((np.abs(value) > 100).any()),
    "{} has entries below 0.001 alone": lambda value: bool((np.abs(value) < 1e-3).all()),
}


def confined(cases: list[tuple[Case, bool]], parameters: tuple[str, ...]) -> str:
    """What all (case, is wrong) that are wrong have in common and no right one has; nothing if they are all wrong."""
    if all(wrong for _, wrong in cases):
        return ""
    for name in parameters:
        for kind, holds in _KINDS.items():
            values = [np.zeros(case[name]) if name == "window" else np.atleast_1d(case[name]) for case, _ in cases]
            if all(holds(value) == wrong for value, (_, wrong) in zip(values, cases, strict=True)):
                return f"; it is wrong exactly where {kind.format(name)}"
    return ""
