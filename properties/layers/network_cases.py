"""Cases for the whole network, each built to lie off every kink or on at least one; and what its operations are.

The first entry of the kernel (the last, for a cross-correlation) is never 0, so each pre-activation moves with
an image entry of its own that comes after every entry used before it: going through the outputs in C order,
that entry can be set so that the pre-activation ties, vanishes, or avoids both. With channels it is an entry of the
first channel, which moves the pre-activations of all filters at once: it is set for one of them to tie or vanish, or
for all to avoid both.
"""

from collections.abc import Iterator
from functools import partial
from math import prod
from typing import Any

import numpy as np

from ..harness.core.limits import POOL, Limits, Pair, Shape
from ..harness.core.resizing import COLUMNS, ROWS, cropped, ends, in_order, large_pairs, spans, thinned, without
from ..harness.core.setting import setting
from ..harness.core.sizes import Shapes, fit_valid, joined_valid, read_shapes
from ..harness.core.tape import FINE, GRID, Bytes, Case, Tape
from ..harness.core.values import Array, untied
from .base.registry import Read
from .base.windows import blocks
from .convolution import conv2d, correlation
from .network import forward

NAME = "network"
LARGEST_ENTRY = 64.0
IMAGE_SCALES = (1.0, FINE, 64.0, 2.0**-24)
NEAR = 2.0**-14  # the grid of targets that are as near to the prediction as this
RATES = (1.0, 1 / 16, 1 / 4, 2.0, 0.0)
WEIGHT_SCALES = (1.0, 1 / 16, 1 / 64)


def _read_shapes(tape: Tape) -> Shapes:
    limits = setting().limits
    return read_shapes(
        tape,
        limits.networks,
        (limits.largest.network_kernel, limits.largest.windows),
        lambda kernel, windows: joined_valid(kernel, (POOL[0] * windows[0], POOL[1] * windows[1])),
        _windows,
    )


def _windows(kernel: Shape, image: Shape) -> Shape:
    rows, columns = fit_valid(kernel, image)
    return rows // POOL[0], columns // POOL[1]


def read_smooth(tape: Tape, lively: bool = False) -> Case:
    """`image`, `target`, `kernel`, `weights`, `learning_rate`, where the network is differentiable.

    No pre-activation is 0 and none ties with another of its window. If `lively`, the gradient is not 0: some
    ReLU is alive, no weight and no residual is 0.
    """
    shapes = _read_shapes(tape)
    image_scale, weight_scale = tape.scale(IMAGE_SCALES), tape.scale(WEIGHT_SCALES)
    kernel, image = tape.dyadic(*shapes.kernel), tape.dyadic(*shapes.image)
    signs = tape.choose(6)
    if signs in (1, 2):  # so that all ReLUs are alive, or dead
        image, kernel = np.abs(image), np.abs(kernel) * (1.0 if signs == 1 else -1.0)
    _fill_first(kernel, -1.0 if signs == 2 else 1.0)
    preactivations = _settle(image, kernel, None)
    if lively:
        kernel = np.where(preactivations.max(axis=(-4, -3, -2, -1), keepdims=True) < 0, -kernel, kernel)
    return _case(tape, image * image_scale, kernel, shapes, weight_scale, lively)


def read_kinked(tape: Tape) -> Case:
    """`image`, `target`, `kernel`, `weights`, `learning_rate`, with a kink in the first window at least.

    There the maximum is positive and tied, or 0; elsewhere ties and zeros come as they are drawn. The
    kernel's entries are -1, 0 and 1, so that solving for an image entry stays on the grid.
    """
    shapes = _read_shapes(tape)
    weight_scale = tape.scale(WEIGHT_SCALES)
    kernel = np.array([0.0, 1.0, -1.0]).take(tape.matrix(*shapes.kernel), mode="wrap")
    image = tape.dyadic(*shapes.image)
    output, largest_output = fit_valid(shapes.part, shapes.whole), fit_valid((1, 1), shapes.largest_whole)
    plan = tape.matrix((shapes.counts.images, *output), (shapes.most.images, *largest_output))
    _fill_first(kernel, 1.0)
    _settle(image, kernel, plan)
    return _case(tape, image, kernel, shapes, weight_scale, False)


read_lively = partial(read_smooth, lively=True)


def _fill_first(kernel: Array, value: float) -> None:
    """Let no filter's first entry be 0."""
    first = kernel[..., 0, :1, 0]
    first[first == 0] = value


def _case(tape: Tape, image: Array, kernel: Array, shapes: Shapes, weight_scale: float, lively: bool) -> Case:
    if not setting().flips:
        kernel = kernel[..., ::-1, ::-1].copy()
    windows, most = prod(shapes.fits) * shapes.counts.filters, prod(shapes.largest_fits) * shapes.most.filters
    weights = tape.dyadic((windows, 1), (most, 1), weight_scale)
    target = tape.dyadic((shapes.counts.images,), (shapes.most.images,)) / 2
    near = tape.choose(8) == 1
    rate = tape.scale(RATES)
    if near:
        prediction = forward(image, kernel, weights).prediction
        target = NEAR * (np.floor(prediction / NEAR) + (target > 0))
    if lively:
        weights = np.where(weights == 0, weight_scale, weights)
        target = target + 1.0 * (forward(image, kernel, weights).prediction == target)
    return Case(image=image, target=target, kernel=kernel, weights=weights, learning_rate=rate)


def _settle(image: Array, kernel: Array, plan: Bytes | None) -> Array:
    """Set image entries in place; without a plan, to avoid every tie and zero; returns the pre-activations.

    The plan has a number per output of each image, whose remainder by 4 says: 1 ties it with the largest of its window
    so far, 2 makes it 0, else it stays as drawn, as it does where the entry would grow beyond what float32 holds
    exactly. With several filters a window's first number also says for which of them. The last output of the first
    window always ties or vanishes, whichever is a kink.
    """
    turned = kernel[..., ::-1, ::-1]
    result = correlation(image, turned)
    if plan is not None or not is_smooth(result):
        for place in np.ndindex(image.shape[:-3]):  # each image, of each point
            if plan is not None or not is_smooth(result[place]):
                _settle_image(image[place], turned[place[:-1]], None if plan is None else plan[place], result[place])
    return result


def _settle_image(image: Array, turned: Array, plan: Bytes | None, result: Array) -> None:
    """The same for one image, (C_in, H, W), a kernel (C_out, C_in, h, w), and its pre-activations, set in place too."""
    height, width = turned.shape[-2:]
    for i, j in np.ndindex(result.shape[1:]):
        patch = image[:, i : i + height, j : j + width]
        values = (turned * patch).sum(axis=(1, 2, 3))
        above, left = i - i % POOL[0], j - j % POOL[1]
        earlier = POOL[1] * (i - above) + j - left
        mates = result[:, above : above + POOL[0], left : left + POOL[1]].reshape(len(result), -1)[:, :earlier]
        if plan is None:
            while (values == 0).any() or (values[:, None] == mates).any():
                patch[0, -1, -1] += GRID  # the entry that no pre-activation before this one has met
                values = (turned * patch).sum(axis=(1, 2, 3))
        else:
            chosen = plan[above, left] // 4 % len(result)
            highest, value, kind = mates[chosen].max() if earlier else 0.0, values[chosen], plan[i, j] % 4
            forced = (i, j) == (POOL[0] - 1, POOL[1] - 1)
            if forced or kind == 2 or (kind == 1 and earlier):
                wanted = max(highest, 0.0) if forced else highest if kind == 1 else 0.0
                entry = patch[0, -1, -1] + (wanted - value) / turned[chosen, 0, -1, -1]
                if forced or abs(entry) <= LARGEST_ENTRY:
                    patch[0, -1, -1] = entry
                    values = (turned * patch).sum(axis=(1, 2, 3))
        result[:, i, j] = values


def is_smooth(preactivations: Array) -> bool:
    """Whether no pre-activation is 0 or ties with another of its window."""
    windows = np.sort(blocks(preactivations, POOL).reshape(-1, POOL[0] * POOL[1]), axis=1)
    return bool((windows != 0).all() and (windows[:, 1:] != windows[:, :-1]).all())


def larger(limits: Limits) -> Iterator[tuple[Limits, Read]]:
    """The limits that leave one size beyond those that are sampled, and what reads a case within them."""

    def squared(pair: Pair) -> Pair:
        return pair[0], (max(pair[1]),) * 2

    pairs = large_pairs(limits, POOL) if limits.networks() else ()
    for (kernel, image), counts in in_order(limits, NAME, pairs, squared):
        yield Limits(kernels=(kernel,), images=(image,), counts=counts), read_smooth


def smaller(case: Case) -> Iterator[Case]:
    """An image, channel or filter less; a row or column less of windows; or of the kernel and of what it met, if that
    makes or mends no kink.

    First of all, the pre-activations themselves as the image, with the kernel 1.
    """
    before = conv2d(case.image, case.kernel)
    filters = len(case.kernel)
    if case.kernel.shape[-2:] != (1, 1):
        yield case.changed(image=before, kernel=np.eye(filters).reshape(filters, filters, 1, 1))
    pooled = case.weights.reshape(filters, *(side // pool for side, pool in zip(before.shape[-2:], POOL, strict=True)))
    for thinner in (*thinned(case, image=0, target=0), *thinned(case, image=1, kernel=1)):
        if _alike(conv2d(thinner.image, thinner.kernel), before):
            yield thinner
    for span in spans(filters):
        kernel = without(case.kernel, 0, span)
        if _alike(conv2d(case.image, kernel), before):
            yield case.changed(kernel=kernel, weights=without(pooled, 0, span).reshape(-1, 1))
    for axis in (ROWS, COLUMNS):
        for start, stop in ends(pooled.shape[axis]):
            weights = without(pooled, axis, (start, stop)).reshape(-1, 1)
            yield case.changed(
                image=cropped(case.image, axis, start == 0, POOL[axis] * (stop - start)), weights=weights
            )
        for start, stop in ends(case.kernel.shape[axis]):
            image = cropped(case.image, axis, (start == 0) != setting().flips, stop - start)
            kernel = without(case.kernel, axis, (start, stop))
            if _alike(conv2d(image, kernel), before):
                yield case.changed(image=image, kernel=kernel)


def _alike(after: Array, before: Array) -> bool:
    """Whether there is a kink in both or in neither, and so for an entry that is positive."""
    return bool(is_smooth(after) == is_smooth(before) and (after > 0).any() == (before > 0).any())


def fresh(number: int, seed: int) -> Case:
    """Gaussian values in shapes that no other case has, by the number."""
    generator, length = np.random.default_rng([number, seed]), 53 + number % 64
    kernel = generator.standard_normal((1, 1, 5, length)).round(4)
    return Case(
        image=generator.standard_normal((1, 1, 4 + 2 * POOL[0], length - 1 + 2 * POOL[1])).round(4),
        target=generator.standard_normal(1).round(4),
        kernel=kernel,
        weights=generator.standard_normal((4, 1)).round(4) / 64,
        learning_rate=0.5,
    )


def plain(pair: Pair) -> Case:
    """A case of this pair of shapes without ties, which may be what is not implemented; arctan is not saturated."""
    count = max(prod(_windows(*pair)), 1)
    return Case(
        image=untied((1, 1, *pair[1])),
        target=np.array([0.5]),
        kernel=untied((1, 1, *pair[0])),
        weights=untied((count, 1)) / (count * prod(pair[0])),
        learning_rate=0.5,
    )


def windows(case: Case) -> Array | None:
    """The pooling windows of a case, or of points, (count, 4)."""
    if not {"image", "kernel"} <= case.keys():
        return None
    return blocks(conv2d(case.image, case.kernel), POOL).reshape(-1, prod(POOL))


def exponents(tape: Tape, case: Case, exponent: Any) -> dict[str, int]:
    """Those of image, kernel and weights, that add up to 0; the target's, squared in the cost, and the rate's."""
    names = ("kernel", "weights", "target", "learning_rate")
    drawn = {name: int(exponent(tape) / 4) * (tape.choose(2) == 0) for name in names}
    return {"image": -drawn["kernel"] - drawn["weights"], **drawn}
