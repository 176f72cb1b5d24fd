"""Every stride, padding and dilation of a small convolution, whose pairs of basis vectors an exhaustive proof takes."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from ...harness.core.limits import NotApplicable, Pair, Shape
from ...harness.core.setting import setting
from ...harness.core.tape import Case
from ...harness.core.values import Array
from ..base.unfolding import sides_after
from ..exhaustive import basis
from .convolution_sides import MOST, NAME, NONE

PAIR: Pair = ((2, 2), (2, 3))  # the kernel, and an image that lets no two mix up rows and columns
LARGEST: Pair = ((2, 2), (3, 3))
MOST_OF_SEVERAL = 2
BESIDE_DILATION = (1, 1)  # the padding


def _pair() -> Pair:
    """The kernel's and the image's sides that are tried: where the target does not support these, the next smaller."""
    most = LARGEST[0] + LARGEST[1]
    pairs = setting().limits.convolutions(NAME)
    small = [pair for pair in pairs if all(side <= limit for side, limit in zip(pair[0] + pair[1], most, strict=True))]
    if not small:
        raise NotApplicable("no supported kernel is within 2×2 and no image within 3×3")
    return PAIR if PAIR in small else max(small)


def _most(option: str) -> int:
    """Up to which value an option is tried."""
    most = MOST[option] if setting().most.channels == 1 else MOST_OF_SEVERAL
    return most if setting().uses(option) else NONE[option][0]


def _options() -> list[dict[str, Shape]]:
    """The options that are tried with one another: all strides and paddings, and all strides and dilations."""
    values = {name: range(NONE[name][0], _most(name) + 1) for name in NONE}
    pairs: dict[str, list[Shape]] = {name: list(product(some, some)) for name, some in values.items()}
    found = [{"stride": s, "padding": p, "dilation": (1, 1)} for p in pairs["padding"] for s in pairs["stride"]]
    beside = BESIDE_DILATION if setting().uses("padding") else (0, 0)
    dilated = [{"stride": s, "padding": beside, "dilation": d} for d in pairs["dilation"] for s in pairs["stride"]]
    return found + [one for one in dilated if one["dilation"] != (1, 1)]


def every_option(share: float) -> Iterator[Case]:
    """A case for all options, each with the first basis vectors: with channels two of them, and two filters.

    Of a `share` below 1 so much fewer of them, spread evenly. `NotApplicable` where the target supports nothing small.
    """
    kernel, image = _pair()
    counts = [min(count, 2) for count in setting().most[1:]]
    for number, options in enumerate(_options()):
        sides = sides_after(image, kernel, *options.values())
        if min(sides) < 1 or int((number + 1) * share) == int(number * share):
            continue
        shapes = {
            "image": (1, counts[0], *image),
            "kernel": (*counts[::-1], *kernel),
            "upstream": (1, counts[1], *sides),
        }
        yield Case({name: basis(shape)[0] for name, shape in shapes.items()}, bias=np.zeros(counts[1]), **options)


def where(share: float) -> str:
    """For what these are all there are."""
    kernel, image = ("×".join(map(str, sides)) for sides in _pair())
    several = ", 2 channels and 2 filters" if setting().most.channels > 1 else ""
    used = {name: f"{name} up to {_most(name)}" for name in NONE if setting().uses(name)}
    dilated = used.pop("dilation", "")
    told = " and ".join(used.values()) or "no stride and no padding"
    beside = (
        f", and every {dilated}" + f" at a padding of {BESIDE_DILATION[0]}" * ("padding" in used) if dilated else ""
    )
    which = f"{share:.0%} of them, " if share < 1 else ""
    return f"for {which}{kernel} kernels on {image} images{several}, every {told}{beside}, of rows and columns apart"


def tensor(case: Case) -> Array:
    """`∂²y[o] / ∂image[m] ∂kernel[a]`, (image, kernel, output), each flattened in C order: it is 0 or 1.

    It is 1 where rows and columns go together, m + padding = stride · o + dilation · a, and so do channels and filters.
    """
    sides = []
    for axis in (-2, -1):
        lengths = [case[name].shape[axis] for name in ("image", "kernel", "upstream")]
        entry, weight, output = np.ix_(*map(range, lengths))
        met = lengths[1] - 1 - weight if setting().flips else weight
        step, more, spread = (case[name][axis] for name in NONE)
        sides.append((entry + more == output * step + met * spread) * 1.0)
    same = [np.eye(count) for count in (len(case.image), case.kernel.shape[1], len(case.kernel))]
    joined = np.einsum("mao,nbp,xy,cd,ef->xcmnfdabyeop", *sides, *same)
    return joined.reshape(case.image.size, case.kernel.size, case.upstream.size)
