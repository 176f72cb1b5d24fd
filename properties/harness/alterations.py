"""Plain changes of the right formula, for mistakes that no catalogue foresaw: a factor, a turn, a missing term."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .contract import OPERATIONS
from .mistakes import right
from .strategies import Case
from .target import Array, changed_parts
from .trial import current

ROUNDING = 1e-11  # far above what rounding does to a sum here, and below the smallest error that must be refuted
ENOUGH = 3  # cases that it takes to tell a rule from chance
Measured = list[tuple[Case, list[Array], list[Array], float]]


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


def alterations(operation: str, part: int | None = None) -> Iterator[Alteration]:
    """The right formula of this operation, its answer changed, or one of its arrays on the way in.

    If one `part` of a pair is given, that alone is changed.
    """
    signature = OPERATIONS[operation]
    flat = signature.layer == "activations"
    changes = _VALUES if flat else {**_TURNS, **_LOSSES, **_VALUES}
    which = "" if part is None else f"for the {_part_names(operation)[part]}, "
    for how, (mend, change) in changes.items():
        if how != "replaced by ones":
            make = partial(_in_part, operation, part, _answer_changed(operation, change))
            yield Alteration(f"{which}the right answer {how}", mend, make)
        for index, name in enumerate(signature.parameters):
            if name not in ("window", "target", "learning_rate"):
                make = partial(_in_part, operation, part, _argument_changed(operation, index, change))
                yield Alteration(f"{which}the right answer for {name} {how}", mend, make)


def _part_names(operation: str) -> tuple[str, str]:
    return ("features", "weights") if operation == "dense_gradients" else ("kernel", "weights")


def _in_part(operation: str, part: int | None, altered: Callable[..., Any]) -> Callable[..., Any]:
    if part is None:
        return altered

    def answer(*arguments: Any) -> Any:
        given = list(right(operation)(*arguments))
        given[part] = altered(*arguments)[part]
        return tuple(given)

    return answer


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
    """What the numbers alone say of (case, answers, right answers, bound): a factor, an order, entries lost, precision.

    It says only what holds of every case; nothing if an answer is not finite, or of another shape.
    """
    return _read(operation, answers, (_constant, _factor, _shift, _limits, _order, _zeros, _precision))


def scaled(operation: str, answers: Measured) -> str | None:
    """That every answer is the right one times a factor of its own, if that is so: the least that numbers can say."""
    return _read(operation, answers, (_varying_factor,))


def _read(
    operation: str, answers: Measured, readings: tuple[Callable[[str, list["Part"]], str | None], ...]
) -> str | None:
    parts = [
        Part(case, number, mine, value, allowed)
        for case, given, wanted, allowed in answers
        for number, (mine, value) in enumerate(zip(given, wanted, strict=False))
    ]
    if not all(part.mine.shape == part.value.shape and np.isfinite(part.mine).all() for part in parts):
        return None
    wrong = {part.number for part in parts if not part.is_near(part.value, 64 * current().target.eps)}
    parts = [part for part in parts if part.number in wrong]
    if not parts:
        return None
    where = ""
    if len(wrong) == 1 and len(answers[0][2]) == 2:
        where = f" for the {_part_names(operation)[min(wrong)]}"
    return next((f"the answer{where} {words}" for one in readings if (words := one(operation, parts))), None)


class Part(NamedTuple):
    """One array of an answer, the right one, and how far rounding may take them apart."""

    case: Case
    number: int
    mine: Array
    value: Array
    allowed: float

    def is_near(self, value: Array, relative: float = ROUNDING) -> bool:
        """Whether the answer is this to so much of each entry's size, or to rounding."""
        return bool((np.abs(self.mine - value) <= relative * np.abs(value) + self.allowed).all())


def _entries(parts: list[Part]) -> tuple[Array, Array]:
    """All entries of the answers, and of the right ones."""
    return np.concatenate([part.mine.ravel() for part in parts]), np.concatenate([p.value.ravel() for p in parts])


def _constant(operation: str, parts: list[Part]) -> str | None:
    mine, value = _entries(parts)
    return f"is {mine[0]:.12g} everywhere, whatever is asked" if not np.ptp(mine) and np.ptp(value) else None


def _factors(parts: list[Part]) -> list[tuple[Part, float]]:
    """The factor between each answer and the right one, where that is not 0; none if there is not one for each."""
    pairs = [(p, float((p.mine * p.value).sum() / (p.value * p.value).sum())) for p in parts if np.any(p.value)]
    proportional = all(factor and part.is_near(factor * part.value) for part, factor in pairs)
    return pairs if proportional and not any(np.any(p.mine) for p in parts if not np.any(p.value)) else []


def _factor(operation: str, parts: list[Part]) -> str | None:
    """One factor for all, or one that goes by the size of an argument."""
    factors = np.array([factor for _, factor in _factors(parts)])
    if not len(factors) or np.all(np.abs(factors - 1) <= 10 * ROUNDING):
        return None
    if np.all(np.abs(factors + 1) <= 10 * ROUNDING):
        return "has its sign turned"
    if np.ptp(factors) <= 10 * ROUNDING * abs(factors[0]):
        return f"is the right one times {factors[0]:.12g}, always: a factor is wrong or missing"
    cases = [part.case for part, _ in _factors(parts)]
    for name in OPERATIONS[operation].parameters:
        sizes = np.array([np.prod(case[name]) if name == "window" else np.size(case[name]) for case in cases])
        if np.ptp(sizes) and np.ptp(factors * sizes) <= 10 * ROUNDING * abs(factors[0] * sizes[0]):
            return f"is divided by the size of {name}: a mean in place of a sum"
    return None


def _varying_factor(operation: str, parts: list[Part]) -> str | None:
    """A factor that changes, as arrays of several entries alone can show."""
    factors = [factor for part, factor in _factors(parts) if np.count_nonzero(part.value) > 1]
    if len(factors) < ENOUGH or np.ptp(factors) <= 10 * ROUNDING * abs(factors[0]):
        return None
    return "is the right one times a factor that changes from case to case: a factor is wrong or missing"


def _shift(operation: str, parts: list[Part]) -> str | None:
    mine, value = _entries(parts)
    shift = float(np.median(mine - value))
    if abs(shift) <= max(part.allowed for part in parts) or not all(p.is_near(p.value + shift) for p in parts):
        return None
    return f"is the right one plus {shift:.6g}, always: a constant is added"


def _limits(operation: str, parts: list[Part]) -> str | None:
    """That the right answer is cut off below, above or both, at a number that several entries reach."""
    mine, value = _entries(parts)
    if len(np.unique(value)) < ENOUGH:  # of a step nothing is cut off
        return None
    below, above = (mine == mine.min()) & (value < mine), (mine == mine.max()) & (value > mine)
    low, high = mine.min() if below.sum() > 1 else -np.inf, mine.max() if above.sum() > 1 else np.inf
    reached = " and ".join(f"{limit:.9g}" for limit in (low, high) if np.isfinite(limit))
    fits = reached and all(part.is_near(np.clip(part.value, low, high)) for part in parts)
    return f"is the right one cut off at {reached}" if fits else None


def _order(operation: str, parts: list[Part]) -> str | None:
    known = [part for part in parts if part.value.size > 1]
    if len(known) < ENOUGH or not all(
        part._replace(mine=np.sort(part.mine, axis=None)).is_near(np.sort(part.value, axis=None)) for part in parts
    ):
        return None
    if all(any(part.is_near(change(part.value)) for _, change in _TURNS.values()) for part in parts):
        return None
    if all(_by_columns(part) for part in parts):
        return "is that of pooled entries flattened by columns: flatten them by rows, in C order"
    return "has the right numbers in another order: a permutation"


def _by_columns(part: Part) -> bool:
    """Whether a gradient for the weights is the right one for windows counted down the columns."""
    case, value = part.case, part.value
    if not {"image", "weights"} <= case.keys() or case.image.ndim > 2 or value.shape != case.weights.shape:
        return False
    rows, columns = ((side - width + 1) // 2 for side, width in zip(case.image.shape, case.kernel.shape, strict=True))
    return part.is_near(value.reshape(rows, columns).reshape(-1, 1, order="F"))


def _zeros(operation: str, parts: list[Part]) -> str | None:
    """That entries are 0 where they must not be, and the others right; at least one of those."""
    mine, value = _entries(parts)
    lost = (mine == 0) & (value != 0)
    if not all(part.is_near(np.where(part.mine == 0, part.mine, part.value)) for part in parts) or not mine.any():
        return None
    largest, least = np.abs(value[lost]).max(), np.abs(value[~lost & (value != 0)]).min()
    if largest < least:
        return f"is 0 where the right one is below a threshold, somewhere from {largest:.3g} to {least:.3g}"
    return "is right but for entries that are 0: terms or places are left out"


def _precision(operation: str, parts: list[Part]) -> str | None:
    known = [part for part in parts if np.any(part.value)]
    errors = [float(np.abs(part.mine - part.value).max() / np.abs(part.value).max()) for part in known]
    if max(errors) > 1e-4 or sum(error > 64 * current().target.eps for error in errors) < len(parts) / 2:
        return None
    if all(np.array_equal(part.mine.astype(np.float32), part.mine) for part in parts):
        return 'is in single precision: compute in float64, or declare DTYPE = "float32"'
    return (
        f"is right to {max(errors):.1g} of its size: precision is lost, as by a rounded constant, a finite difference "
        "or single precision inside"
    )


_KINDS: dict[str, Callable[[Array], bool]] = {
    "{} is not square": lambda value: value.shape[0] != value.shape[-1],
    "{} has more than one entry": lambda value: value.size > 1,
    "{} has one row": lambda value: value.shape[0] == 1,
    "{} has one column": lambda value: value.shape[-1] == 1,
    "{} has one row or one column": lambda value: 1 in (value.shape[0], value.shape[-1]),
    "{} has more than one row": lambda value: value.shape[0] > 1,
    "{} has more than one column": lambda value: value.shape[-1] > 1,
    "{} has an even number of rows": lambda value: value.shape[0] % 2 == 0,
    "{} has an even number of columns": lambda value: value.shape[-1] % 2 == 0,
    "{} has an odd number of rows": lambda value: value.shape[0] % 2 == 1,
    "{} has an odd number of columns": lambda value: value.shape[-1] % 2 == 1,
    "{} has negative entries": lambda value: bool((value < 0).any()),
    "{} has no positive entry": lambda value: bool((value <= 0).all()),
    "{} has an entry that is 0": lambda value: bool((value == 0).any()),
    "{} has entries above 100": lambda value: bool((np.abs(value) > 100).any()),
    "{} has entries below 0.001 alone": lambda value: bool((np.abs(value) < 1e-3).all()),
}


def confined(cases: list[tuple[Case, bool]], parameters: tuple[str, ...]) -> str:
    """What all (case, is wrong) that are wrong have in common and no right one has; nothing if either are too few."""
    if min(sum(wrong for _, wrong in cases), sum(not wrong for _, wrong in cases)) < ENOUGH:
        return ""
    for name in parameters:
        for kind, holds in _KINDS.items():
            values = [np.zeros(case[name]) if name == "window" else np.atleast_1d(case[name]) for case, _ in cases]
            if all(holds(value) == wrong for value, (_, wrong) in zip(values, cases, strict=True)):
                return f"; of what was tried, it is wrong exactly where {kind.format(name)}"
    return ""
