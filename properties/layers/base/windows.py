"""Windows of an array, (…, H, W) parted into (p, q), their maxima, and which gradients of pooling are legal.

Axes in front, of images, channels and points, are left as they are.
"""

from collections.abc import Callable, Iterator
from math import prod
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ...harness.core.limits import POOL, Shape
from ...harness.core.setting import setting
from ...harness.core.tape import Case
from ...harness.core.values import ALLOWED, Array
from .registry import Ask, Fault, Mask, Wrong

Number = TypeVar("Number", bound=np.generic)
LEGAL = "on each window's maxima its upstream value times weights in [0, 1] that sum to 1, elsewhere 0"


def blocks(x: NDArray[Number], window: Shape) -> NDArray[Number]:
    """A view of (…, H, W) as (…, H/p, W/q, p, q) windows."""
    rows, columns = x.shape[-2] // window[0], x.shape[-1] // window[1]
    return x.reshape(*x.shape[:-2], rows, window[0], columns, window[1]).swapaxes(-3, -2)


def max_pool(x: Array, window: Shape) -> Array:
    """The maximum of each window."""
    return blocks(x, window).max(axis=(-2, -1))


def grow(pooled: NDArray[Number], window: Shape) -> NDArray[Number]:
    """Each entry repeated over its window."""
    return pooled.repeat(window[0], axis=-2).repeat(window[1], axis=-1)


def maxima(x: Array, window: Shape) -> Mask:
    """Where `x` equals the maximum of its window."""
    return x == grow(max_pool(x, window), window)


def mask_repeat(x: Array, window: Shape, upstream: Array) -> Array:
    """Upstream repeated over its window, on every maximum: a gradient only where maxima are unique."""
    return maxima(x, window) * grow(upstream, window)


def argmax_scatter(x: Array, window: Shape, upstream: Array) -> Array:
    """Each upstream value on the first maximum of its window."""
    parted = blocks(x, window)
    flat = parted.reshape(*upstream.shape, -1)
    winners = flat.argmax(axis=-1)[..., None] == np.arange(flat.shape[-1])
    return (winners * upstream[..., None]).reshape(parted.shape).swapaxes(-3, -2).reshape(x.shape)


def is_tied(case: Case) -> bool:
    """Whether some window has more than one maximum."""
    return bool(maxima(case.x, case.window).sum() > case.upstream.size)


def slack(window: Shape) -> float:
    """How far weights that sum to 1 may be off after rounding: a rounding for each entry, and the units allowed."""
    return (ALLOWED + prod(window)) * setting().eps


def faults(gradient: Array, case: Case) -> Iterator[Fault | None]:
    """What keeps a gradient from being a subgradient: nothing off the maxima of a window, and on them the upstream
    value times weights in [0, 1] of sum 1.

    Source: Boustany, TMLR 2024.
    """
    maximal = maxima(case.x, case.window)
    upstream = grow(case.upstream, case.window)
    off_maxima = np.where(maximal, 0.0, gradient) != 0
    yield _fault("entries below their window's maximum get a gradient", off_maxima)
    allowed = slack(case.window) * np.abs(upstream)
    sums = blocks(gradient, case.window).sum(axis=(-2, -1))
    wrong = np.abs(sums - case.upstream) > blocks(allowed, case.window)[..., 0, 0]
    first = tuple(np.argwhere(wrong)[0]) if wrong.any() else (0,) * wrong.ndim
    yield _fault(
        f"in {wrong.sum()} of {wrong.size} {'window' if wrong.size == 1 else 'windows'} the gradient sums to "
        f"{sums[first]:.6g}, not to upstream's {case.upstream[first]:.6g}",
        maximal & grow(wrong, case.window),
    )
    share = np.where(maximal, gradient * np.where(upstream < 0, -1.0, 1.0), 0.0)
    yield _fault("a weight is outside [0, 1]", ~((share >= -allowed) & (share <= np.abs(upstream) + allowed)))


def _fault(message: str, wrong: Mask) -> Fault | None:
    return Fault(message, LEGAL, wrong) if wrong.any() else None


def separated(gradient: Array, case: Case) -> Wrong | None:
    """The direction that tells all subgradients from a gradient that is none; None for one that is.

    In turn: nothing off the maxima, a window's sum, and no weight outside [0, 1].
    """
    maximal, upstream = maxima(case.x, case.window), grow(case.upstream, case.window)
    allowed = slack(case.window) * np.abs(upstream)
    missing = upstream - grow(blocks(gradient, case.window).sum(axis=(-2, -1)), case.window)
    sign = np.where(upstream < 0, -1.0, 1.0)
    below, above = gradient * sign < -allowed, gradient * sign > np.abs(upstream) + allowed
    for direction, error in (
        (-np.sign(gradient) * ~maximal, np.zeros(gradient.shape)),
        (np.sign(missing) * (maximal & (np.abs(missing) > allowed)), allowed),
        (sign * maximal * (below * 1.0 - above), allowed),
    ):
        if direction.any():
            reach = blocks(np.where(maximal, direction * upstream, np.inf), case.window)
            allowance = float(np.max(blocks(np.abs(direction) * error, case.window), axis=(-2, -1)).sum())
            expected = argmax_scatter(case.x, case.window, case.upstream)
            least = float(reach.min(axis=(-2, -1)).sum())
            return Wrong(0, expected, allowance, direction=direction + 0.0, least=least)
    return None


_TIE_RULES: dict[str, Callable[[Array], Array]] = {
    "first": lambda tied: np.eye(tied.size)[tied.argmax()],
    "last": lambda tied: np.eye(tied.size)[tied.size - 1 - tied[::-1].argmax()],
    "even split": lambda tied: tied / tied.sum(),
    "all": lambda tied: tied * 1.0,
}


def tie_rule(ask: Ask) -> str | None:
    """Which of the rules fits at three sets of maxima; "other" for none, None without an answer."""
    pairs = setting().limits.poolings(tied=True)
    if not pairs:
        return None
    window, whole = min(pairs, key=lambda pair: pair[0] != POOL)
    size = prod(window)
    rules = set(_TIE_RULES)
    places = np.arange(size)
    for tied in (places >= 0, places % 2 == 1, places >= size - 2):
        if tied.sum() < 2:
            continue
        x = np.tile(np.reshape(tied * 1.0, window), (whole[0] // window[0], whole[1] // window[1]))[None, None]
        case = Case(x=x, window=window, upstream=1.0 + np.arange(x.size // size).reshape(max_pool(x, window).shape))
        if (answer := ask(case)) is None:
            return None
        weights = answer[0, 0, : window[0], : window[1]].ravel() / case.upstream[0, 0, 0, 0]
        rules = {rule for rule in rules if np.allclose(_TIE_RULES[rule](np.where(tied, 1.0, 0.0)), weights, rtol=1e-6)}
    return rules.pop() if len(rules) == 1 else "other"
