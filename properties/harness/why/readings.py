"""What the numbers of an answer alone say of a mistake that no formula gives: a factor, a limit, an order, a place."""

from collections.abc import Callable, Iterable
from math import prod
from typing import NamedTuple

import numpy as np

from ...layers import OPERATIONS
from ...layers.base.registry import Signature
from ..core.limits import POOL
from ..core.setting import setting
from ..core.tape import Case
from ..core.values import Array, Kind

ROUNDING = 1e-11  # far above what rounding does to a sum here, and below the smallest error that must be refuted
ENOUGH = 3  # cases that it takes to tell a rule from chance
HUGE = 1e100  # what overflows from here on says nothing
Measured = list[tuple[Case, list[Array], list[Array], float]]


def measured(operation: str, answers: Measured) -> str | None:
    """What the numbers alone say of (case, answers, right answers, bound): a constant, a factor, a limit.

    It says only what holds of every case; nothing if an answer is not finite, or of another shape.
    """
    return _read(operation, answers, (_constant, _factor, _turn, _shift, _decay, _limits, _rate, _shortened))


def likely(operation: str, answers: Measured) -> str | None:
    """What numbers say that no formula gives: other places, entries lost, precision, a factor that changes."""
    return _read(operation, answers, (_order, _zeros, _precision, _varying_factor))


def at_zero(operation: str, answers: Measured) -> str | None:
    """That the answer is right but where an activation's argument is 0, and what it is there."""
    return _read(operation, answers, (_at_zero,)) if Kind.ANY in OPERATIONS[operation].gives else None


def _read(
    operation: str, answers: Measured, readings: tuple[Callable[[str, list["Part"]], str | None], ...]
) -> str | None:
    signature, rate = OPERATIONS[operation], _rate_of(operation)
    if rate:
        answers = [_gradients(signature, rate, one) for one in answers if one[0][rate]]
    parts = [
        Part(case, number, mine, value, allowed)
        for case, given, wanted, allowed in answers
        for number, (mine, value) in enumerate(zip(given, wanted, strict=False))
    ]
    parts = [part for part in parts if np.isfinite(part.mine).all() or np.abs(part.value).max() < HUGE]
    if not all(part.mine.shape == part.value.shape and np.isfinite(part.mine).all() for part in parts):
        return None
    wrong = {part.number for part in parts if not part.is_near(part.value, 64 * setting().eps)}
    parts = [part for part in parts if part.number in wrong]
    if not parts:
        return None
    where = " that it steps by" if rate else ""
    if len(wrong) == 1 and len(answers[0][2]) > 1:
        where += f" for the {signature.parts[min(wrong)]}"
    what = "gradient" if rate else "answer"
    return next((f"the {what}{where} {words}" for one in readings if (words := one(operation, parts))), None)


def _rate_of(operation: str) -> str:
    """The name of the rate that an operation takes, if it is a step."""
    return next((name for name, kind in OPERATIONS[operation].takes.items() if kind is Kind.RATE), "")


def _gradients(
    signature: Signature, rate: str, answers: tuple[Case, list[Array], list[Array], float]
) -> tuple[Case, list[Array], list[Array], float]:
    """What a step goes by, and should go by: how far the parameters move, over the rate."""
    case, given, wanted, allowed = answers
    olds = case.arguments(*signature.parts)
    mine, right = ([(old - new) / case[rate] for old, new in zip(olds, part, strict=False)] for part in (given, wanted))
    return case, mine, right, 2 * allowed / case[rate]


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
    largest = [(part, np.abs(part.value).argmax()) for part in parts if np.any(part.value)]
    pairs = [(part, float(part.mine.flat[place] / part.value.flat[place])) for part, place in largest]
    proportional = all(factor and part.is_near(factor * part.value) for part, factor in pairs)
    return pairs if proportional and not any(np.any(p.mine) for p in parts if not np.any(p.value)) else []


def _times(parts: list[Part], factors: Iterable[float]) -> bool:
    """Whether each answer is the right one times its factor."""
    return all(part.is_near(factor * part.value) for part, factor in zip(parts, factors, strict=True))


def _factor(operation: str, parts: list[Part]) -> str | None:
    """One factor for all, or one that goes by the size of an argument."""
    factors = [factor for _, factor in _factors(parts)]
    if not factors:
        return None
    if _times(parts, [-1.0] * len(parts)):
        return "has its sign turned"
    factor = float(np.median(factors))
    if abs(factor - 1) > 10 * ROUNDING and _times(parts, [factor] * len(parts)):
        return f"is the right one times {factor:.12g}, always: a factor is wrong or missing"
    for name, kind in OPERATIONS[operation].takes.items():
        sizes = [np.prod(part.case[name]) if kind is Kind.SIDES else np.size(part.case[name]) for part in parts]
        if np.ptp(sizes) and _times(parts, [1 / size for size in sizes]):
            return f"is divided by the size of {name}: a mean in place of a sum"
    return None


_TURNS: dict[str, Callable[[Array], Array]] = {
    "turned by 180°": lambda plane: plane[..., ::-1, ::-1],
    "transposed": lambda plane: plane.swapaxes(-2, -1),
    "turned upside down": lambda plane: plane[..., ::-1, :],
    "mirrored": lambda plane: plane[..., ::-1],
    "turned by 90°": lambda plane: np.rot90(plane, 1, (-2, -1)),
    "turned by 270°": lambda plane: np.rot90(plane, 3, (-2, -1)),
}


def _turn(operation: str, parts: list[Part]) -> str | None:
    """That it is turned or reflected, always or where it is square."""
    if any(part.value.ndim != 4 for part in parts):
        return None
    for words, turn in _TURNS.items():
        turned = [(part, turn(part.value)) for part in parts]
        if all(part.is_near(value if value.shape == part.value.shape else part.value) for part, value in turned):
            return f"is the right one {words}"
    return None


def _rate(operation: str, parts: list[Part]) -> str | None:
    """That a step goes by a rate of its own, always or where the given one is larger."""
    name = _rate_of(operation)
    factors = _factors(parts) if name else []
    others = [(part, factor) for part, factor in factors if not part.is_near(part.value)]
    if len(others) < ENOUGH or len({part.case[name] for part, _ in others}) < 2:
        return None
    rate = float(np.median([part.case[name] * factor for part, factor in others]))
    if not _times([part for part, _ in others], [rate / part.case[name] for part, _ in others]):
        return None
    return f"is the right one as for a rate of {rate:.6g} where that is another: the rate is cut off, or not used"


def _varying_factor(operation: str, parts: list[Part]) -> str | None:
    """A factor that changes, as arrays of several entries alone can show."""
    factors = [factor for part, factor in _factors(parts) if np.count_nonzero(part.value) > 1]
    if len(factors) < ENOUGH or np.ptp(factors) <= 1e-6 * abs(factors[0]):
        return None
    return "is the right one times a factor that changes from case to case: a factor is wrong or missing"


def _shift(operation: str, parts: list[Part]) -> str | None:
    mine, value = _entries(parts)
    shift = float(np.median(mine - value))
    if abs(shift) <= max(part.allowed for part in parts) or not all(p.is_near(p.value + shift) for p in parts):
        return None
    return f"is the right one plus {shift:.6g}, always: a constant is added"


def _decay(operation: str, parts: list[Part]) -> str | None:
    """That a multiple of what the gradient is for is added."""
    names = OPERATIONS[operation].parts
    if not names:
        return None
    added = [part.case[names[part.number]] for part in parts]
    if any(np.shape(one) != np.shape(p.value) for one, p in zip(added, parts, strict=True)):
        return None
    products = [((p.mine - p.value) * one).sum() for one, p in zip(added, parts, strict=True) if np.any(one)]
    shares = np.array(products) / [(one * one).sum() for one in added if np.any(one)]
    share = float(np.median(shares)) if len(shares) else 0.0
    if not share or not all(p.is_near(p.value + share * one) for one, p in zip(added, parts, strict=True)):
        return None
    return f"is the right one plus {share:.6g} times {' or '.join(sorted({names[p.number] for p in parts}))}, always"


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


def _shortened(operation: str, parts: list[Part]) -> str | None:
    """That all parts together are brought to one length where they are longer, or always."""
    together: dict[int, list[Part]] = {}
    for part in parts:
        together.setdefault(id(part.case), []).append(part)
    ratios = []
    for some in together.values():
        mine, value = (float(np.linalg.norm(entries)) for entries in _entries(some))
        if not all(part.is_near(part.value) for part in some):
            ratios.append((some, mine, value))
    length = float(np.median([mine for _, mine, _ in ratios])) if ratios else 0.0
    if len(ratios) < ENOUGH or not all(
        value and _times(some, [length / value] * len(some)) for some, _, value in ratios
    ):
        return None
    return f"is the right one brought to a length of {length:.6g}: a norm is clipped"


def _at_zero(operation: str, parts: list[Part]) -> str | None:
    mine, _ = _entries(parts)
    zeros = np.concatenate([part.case.x.ravel() == 0 for part in parts])
    right = all(part.is_near(np.where(part.case.x == 0, part.mine, part.value)) for part in parts)
    return f"is {mine[zeros][0]:.6g} where x is 0, and right elsewhere" if right and zeros.any() else None


def _order(operation: str, parts: list[Part]) -> str | None:
    known = [part for part in parts if part.value.size > 1 and not part.is_near(part.value)]
    if len(known) < ENOUGH or not all(
        part._replace(mine=np.sort(part.mine, axis=None)).is_near(np.sort(part.value, axis=None)) for part in parts
    ):
        return None
    if all(_by_columns(part) for part in parts):
        return "is that of pooled entries flattened by columns: flatten them by rows, in C order"
    return "has the right numbers, but in other places"


def _by_columns(part: Part) -> bool:
    """Whether a gradient for the weights is the right one for windows counted down the columns."""
    case, value = part.case, part.value
    if not {"image", "weights"} <= case.keys() or value.shape != case.weights.shape:
        return False
    pairs = zip(case.image.shape[-2:], case.kernel.shape[-2:], POOL, strict=True)
    pooled = tuple((side - width + 1) // pool for side, width, pool in pairs)
    return prod(pooled) == value.size and part.is_near(value.reshape(pooled).reshape(-1, 1, order="F"))


def _zeros(operation: str, parts: list[Part]) -> str | None:
    """That entries are 0 where they must not be, and the others right; at least one of those."""
    mine, value = _entries(parts)
    lost = (mine == 0) & (value != 0)
    if not lost.any() or not mine.any():
        return None
    if not all(part.is_near(np.where(part.mine == 0, part.mine, part.value)) for part in parts):
        return None
    largest, least = np.abs(value[lost]).max(), np.abs(value[~lost & (value != 0)]).min(initial=np.inf)
    if largest < least:
        return f"is 0 where the right one is below a threshold, somewhere from {largest:.3g} to {least:.3g}"
    return "is 0 in some entries where it must not be, and right in the others"


def _precision(operation: str, parts: list[Part]) -> str | None:
    known = [part for part in parts if np.any(part.value)]
    errors = [float(np.abs(part.mine - part.value).max() / np.abs(part.value).max()) for part in known]
    if max(errors) > 1e-4 or sum(error > 64 * setting().eps for error in errors) < len(parts) / 2:
        return None
    if all(np.array_equal(part.mine.astype(np.float32), part.mine) for part in parts):
        return 'is in single precision: compute in float64, or declare DTYPE = "float32"'
    return (
        f"is right to {max(errors):.1g} of its size: precision is lost, as by a rounded constant, a finite difference "
        "or single precision inside"
    )
