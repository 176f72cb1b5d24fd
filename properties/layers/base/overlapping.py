"""Windows that overlap, lie apart or reach into padding, their maxima, and which gradients of these are legal.

From one window (p, q) of an array (…, H, W) a stride (s, t) leads to the next, and padding (a, b) of −∞ lies around it.
Every window holds an entry of the array where a < p and b < q: the first ends at p > a, and the last begins at
H + 2a − p < H + a or before. Axes in front, of images, channels and points, are left as they are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import fsum, prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...harness.core.setting import setting
from ...harness.core.tape import Case
from ...harness.core.values import ALLOWED, Array
from .registry import Fault, Mask, Wrong
from .unfolding import folded, unfolded

LEGAL = "the sum over the windows of the upstream value times weights in [0, 1] of sum 1 on the window's maxima"
Indices = NDArray[np.intp]


def windows(case: Case) -> Array:
    """The padded `x` as windows, (…, h, w, p, q)."""
    return unfolded(case.x, case.window, case.stride, case.padding, fill=-np.inf)


def max_pool(case: Case) -> Array:
    """The maximum of each window."""
    return windows(case).max(axis=(-2, -1))


def maxima(case: Case) -> Mask:
    """Where the windows, (…, h, w, p, q), equal their maximum."""
    every = windows(case)
    return every == every.max(axis=(-2, -1), keepdims=True)


def summed(shares: Array, case: Case) -> Array:
    """What the windows, (…, h, w, p, q), give to each entry of `x`, added up; what lies in the padding is dropped."""
    sides = case.x.shape[-2], case.x.shape[-1]
    return folded(lambda i, j: shares[..., i, j], case.window, sides, case.stride, case.padding)


def first(tied: Mask) -> Array:
    """The first maximum of each window gets all."""
    flat = tied.reshape(*tied.shape[:-2], -1)
    return (flat.argmax(axis=-1)[..., None] == np.arange(flat.shape[-1])).reshape(tied.shape) * 1.0


def last(tied: Mask) -> Array:
    """The last maximum of each window gets all."""
    return first(tied[..., ::-1, ::-1])[..., ::-1, ::-1]


def even(tied: Mask) -> Array:
    """All maxima of a window get as much."""
    return np.divide(tied, tied.sum(axis=(-2, -1), keepdims=True))


CHOICES: tuple[Callable[[Mask], Array], ...] = (first, last, even)


def gradient(case: Case) -> Array:
    """Each upstream value on the first maximum of its window, and what lands on an entry added up."""
    return _chosen(first(maxima(case)), case)


def _chosen(weights: Array, case: Case) -> Array:
    return summed(weights * case.upstream[..., None, None], case)


def reach(case: Case) -> Array:
    """For each entry the sum of `|upstream|` over the windows whose maximum it is: what its gradient is made of."""
    return _reach(maxima(case), case)


def _reach(tied: Mask, case: Case) -> Array:
    return summed(tied * np.abs(case.upstream)[..., None, None], case)


def is_tied(case: Case) -> bool:
    """Whether some window has more than one maximum."""
    return bool(maxima(case).sum() > case.upstream.size)


def leads(case: Case) -> Array:
    """By how much the maximum of each window leads: 0 at a tie, infinity over padding alone."""
    every = np.sort(windows(case).reshape(case.upstream.size, -1), axis=1)
    return every[:, -1] - every[:, -2] if every.shape[1] > 1 else np.full(len(every), np.inf)


def overlap(case: Case) -> int:
    """In how many windows an entry lies at most."""
    return prod(-(-width // stride) for width, stride in zip(case.window, case.stride, strict=True))


def units(case: Case) -> int:
    """The units of rounding of what entries get, by `reach`: weights that sum to 1 take a rounding for each entry of
    the window, and the sum over the windows one for each.
    """
    return ALLOWED + prod(case.window) + overlap(case)


class Excess(NamedTuple):
    """Entries of `x` that together get what no legal gradient gives them: the total, and what may be between."""

    entries: Mask
    total: float
    least: float
    most: float
    allowed: float


@dataclass(frozen=True)
class _Joined:
    """Windows that are joined by maxima which they share: who owns which entry, upstream, and the entries' gradients.

    What a legal gradient gives to a set of entries is at most `Σ upstream` over the windows with a maximum in it, of
    those with a negative value only where all are in it; and least the other way round. These bounds, over all sets,
    and equality for the whole are what makes a gradient legal: the sum of scaled simplices is a base polytope, and
    bounded in all directions by what it is in those of 0 and 1. Source: Fujishige, Submodular Functions and
    Optimization, 2005, sections 2 and 6.
    """

    owners: Indices
    entries: Indices
    upstream: Array
    gradient: Array

    def bounds(self, chosen: Mask) -> tuple[float, float, float]:
        """What the chosen entries get at least and at most, and the sum of the sizes that this is made of."""
        members = np.bincount(self.owners, chosen[self.entries], len(self.upstream))
        touched, inside = members > 0, members == np.bincount(self.owners, minlength=len(self.upstream))
        up, down = np.maximum(self.upstream, 0), np.minimum(self.upstream, 0)
        least, most = (fsum([*up[one], *down[other]]) for one, other in ((inside, touched), (touched, inside)))
        return least, most, fsum(np.abs(self.upstream[touched]))

    def is_met(self, allowed: float) -> bool:
        """Whether flows that are not negative, from positive windows to their maxima and from maxima to negative
        windows, give the gradient: to rounding, of which so much of what is summed is allowed.
        """
        sizes = np.abs(self.upstream)
        reach = np.bincount(self.entries, sizes[self.owners])
        if len(reach) == 1 or len(sizes) == 1:
            weights = self.gradient if len(reach) == 1 else self.gradient * np.sign(self.upstream)
            total = fsum(self.upstream) if len(reach) == 1 else float(sizes[0])
            is_inside = len(reach) == 1 or bool((weights >= -allowed * sizes[0]).all())
            return is_inside and abs(fsum(weights) - total) <= allowed * fsum(sizes)
        return bool((np.abs(self._residue) <= allowed * np.concatenate([reach, sizes])).all())

    def sets(self) -> Iterator[Mask]:
        """Sets of entries of which one tells why the gradient is not legal: the whole, or an entry, or by the residue.

        If that is a direction in which the gradient is beyond every legal one, then it is so for one of the sets on
        which the residue is above, or below, some level (Lovász's extension).
        """
        count = len(self.gradient)
        yield np.ones(count, bool)
        yield from np.eye(count, dtype=bool)
        residue = self._residue[:count]
        levels = np.round(residue / (np.abs(residue).max() or 1.0), 9)
        for level in np.unique(levels):
            yield levels >= level
            yield levels <= level

    @cached_property
    def _residue(self) -> Array:
        """What least squares leave over of the entries' gradients, and of the windows' sums."""
        from scipy.optimize import nnls

        count, flows = len(self.gradient), np.arange(len(self.owners))
        system = np.zeros((count + len(self.upstream), len(flows)))
        system[self.entries, flows] = np.sign(self.upstream)[self.owners]
        system[count + self.owners, flows] = 1.0
        wanted = np.concatenate([self.gradient, np.abs(self.upstream)])
        scale = float(np.abs(wanted).max()) or 1.0
        solved, _ = nnls(system, wanted / scale, maxiter=100 * len(flows))
        residue: Array = wanted - scale * (system @ solved)
        return residue


def excess(yours: Array, case: Case) -> Excess | None:
    """What shows that a gradient is no sum of subgradients of each window; None for one that is.

    Source: Bartl, Linear Algebra and its Applications 428, 2008, for Farkas' lemma, of which this is a case.
    Proof: proofs/pooling.v, overlapping_gradients_are_the_subgradients.
    """
    tied = maxima(case)
    most = _reach(tied, case)
    off = (most == 0) & (yours != 0)
    if off.any():
        return Excess(off, float(np.abs(yours[off]).sum()), 0.0, 0.0, 0.0)
    allowed = units(case) * setting().eps
    if any((np.abs(yours - _chosen(choose(tied), case)) <= allowed * most).all() for choose in CHOICES):
        return None
    for joined, places in _joined(yours, case):
        for chosen in joined.sets() if not joined.is_met(allowed) else ():
            total = fsum(joined.gradient[chosen])
            least, greatest, size = joined.bounds(chosen)
            if not least - allowed * size <= total <= greatest + allowed * size:
                entries = np.zeros(case.x.size, bool)
                entries[places[chosen]] = True
                return Excess(entries.reshape(case.x.shape), total, least, greatest, allowed * size)
    return None


def _joined(yours: Array, case: Case) -> Iterator[tuple[_Joined, Indices]]:
    """The windows with an upstream value in parts that share no maxima, each with the places of its entries in `x`."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    tied = maxima(case) & (case.upstream != 0)[..., None, None]
    numbers = np.arange(float(case.x.size)).reshape(case.x.shape)
    places = windows(case.changed(x=numbers))[tied].astype(np.intp)  # no maximum lies in the padding
    owners = np.flatnonzero(tied) // prod(case.window)
    nodes, count = case.upstream.size + places, case.upstream.size + case.x.size
    graph = coo_array((np.ones(len(owners)), (owners, nodes)), shape=(count, count))
    part = connected_components(graph, directed=False)[1][owners]
    if not len(part):
        return
    order = np.argsort(part, kind="stable")
    for edges in np.split(order, np.flatnonzero(np.diff(part[order])) + 1):
        own, owner = np.unique(owners[edges], return_inverse=True)
        held, entry = np.unique(places[edges], return_inverse=True)
        yield _Joined(owner, entry, case.upstream.ravel()[own], yours.ravel()[held]), held


def faults(yours: Array, case: Case) -> Iterator[Fault | None]:
    """What keeps a gradient from being a sum of one subgradient of each window.

    Source: Boustany, TMLR 2024; where windows overlap Rockafellar, Convex Analysis, 1970, theorem 23.8.
    """
    found = excess(yours, case)
    if found is None:
        yield None
    elif not found.allowed:
        yield Fault("entries that are the maximum of no window with an upstream value get a gradient", LEGAL, found[0])
    else:
        count = int(found.entries.sum())
        which = "an entry gets" if count == 1 else f"{count} entries together get"
        bound = f"{found.least:.6g}" + (f" to {found.most:.6g}" if found.least < found.most else "")
        message = f"{which} {found.total:.6g}, where the windows whose maximum it is give {bound}"
        yield Fault(message if count == 1 else message.replace("it is", "is among them"), LEGAL, found.entries)


def separated(yours: Array, case: Case) -> Wrong | None:
    """The direction that tells all sums of subgradients from a gradient that is none; None for one that is."""
    found = excess(yours, case)
    if found is None:
        return None
    expected = gradient(case)
    if not found.allowed:
        return Wrong(0, expected, 0.0, direction=-np.sign(yours) * found.entries + 0.0, least=0.0)
    if found.total > found.most:
        return Wrong(0, expected, found.allowed, direction=np.where(found.entries, -1.0, 0.0), least=-found.most)
    return Wrong(0, expected, found.allowed, direction=np.where(found.entries, 1.0, 0.0), least=found.least)
