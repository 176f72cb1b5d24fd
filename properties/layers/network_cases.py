"""Cases for the whole network, each built to lie off every kink or on at least one.

The first entry of the kernel (the last, for a cross-correlation) is never 0, so each pre-activation moves with
an image entry of its own that comes after every entry used before it: going through the outputs in C order,
that entry can be set so that the pre-activation ties, vanishes, or avoids both. With channels it is an entry of the
first channel, which moves the pre-activations of all filters at once: it is set for one of them to tie or vanish, or
for all to avoid both.
"""

from functools import partial
from typing import Any

import numpy as np

from ..harness.core.cases import FINE, GRID, Case, Tape, blocks, decoded
from ..harness.core.limits import POOL, Shape
from ..harness.core.sizes import Shapes, fit_valid, joined_valid, read_shapes
from ..harness.core.trial import current
from ..harness.target.target import Array
from . import oracles

LARGEST_ENTRY = 64.0
IMAGE_SCALES = (1.0, FINE, 64.0, 2.0**-24)
NEAR = 2.0**-14  # the grid of targets that are as near to the prediction as this
RATES = (1.0, 1 / 16, 1 / 4, 2.0, 0.0)
WEIGHT_SCALES = (1.0, 1 / 16, 1 / 64)


def _read_shapes(tape: Tape) -> Shapes:
    limits = current().target.limits
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
        each = (-2, -1) if tape.several else None
        kernel = np.where(preactivations.max(axis=each, keepdims=True) < 0, -kernel, kernel)
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
    shape = current().target.layout.inner_shape
    counts = (shape(output, shapes.counts.images), shape(largest_output, shapes.most.images))
    plan = tape.matrix(*counts)
    _fill_first(kernel, 1.0)
    _settle(image, kernel, plan)
    return _case(tape, image, kernel, shapes, weight_scale, False)


def _fill_first(kernel: Array, value: float) -> None:
    """Let no filter's first entry be 0."""
    first = (kernel[:, 0] if kernel.ndim == 4 else kernel)[..., :1, 0]
    first[first == 0] = value


def _case(tape: Tape, image: Array, kernel: Array, shapes: Shapes, weight_scale: float, lively: bool) -> Case:
    layout = current().target.layout
    image = layout.outward(image)
    if not current().flips:
        kernel = kernel[..., ::-1, ::-1].copy()
    windows, most = (rows * columns for rows, columns in (shapes.fits, shapes.largest_fits))
    if layout.channelled:
        windows, most = windows * shapes.counts.filters, most * shapes.most.filters
    weights = tape.dyadic((windows, 1), (most, 1), weight_scale)
    target = _read_target(tape, shapes.counts.images, shapes.most.images)
    near = tape.choose(8) == 1
    rate = tape.scale(RATES)
    if near:
        prediction = oracles.forward(image, kernel, weights).prediction
        target = NEAR * (np.floor(prediction / NEAR) + (target > 0))
    if lively:
        weights = np.where(weights == 0, weight_scale, weights)
        target = target + 1.0 * (oracles.forward(image, kernel, weights).prediction == target)
    if not np.ndim(target):
        target = float(target)
    return Case(image=image, target=target, kernel=kernel, weights=weights, learning_rate=rate)


def _read_target(tape: Tape, images: int, most: int) -> Any:
    """A number, or for a target with batches one for each image."""
    if current().target.layout.batched:
        return tape.dyadic((images,), (most,)) / 2
    return tape.dyadic((1, 1), (1, 1))[..., 0, 0] / 2


def _settle(image: Array, kernel: Array, plan: Any) -> Array:
    """Set image entries in place; without a plan, to avoid every tie and zero; returns the pre-activations.

    The plan has a number per output of each image, whose remainder by 4 says: 1 ties it with the largest of its window
    so far, 2 makes it 0, else it stays as drawn, as it does where the entry would grow beyond what float32 holds
    exactly. With several filters a window's first number also says for which of them. The last output of the first
    window always ties or vanishes, whichever is a kink.
    """
    turned = kernel[..., ::-1, ::-1]
    result = oracles.correlation(image, turned)
    if plan is None and is_smooth(current().target.layout.outward(result)):
        return result
    if kernel.ndim == 3:
        for number in range(len(image)):
            if plan is not None or not is_smooth(result[number]):
                own = None if plan is None else plan[number]
                _settle_image(image[number][None], turned[number][None, None], own, result[number][None])
    elif image.ndim == 2:
        _settle_image(image[None], turned[None, None], plan, result[None])
    elif image.ndim == 3:
        _settle_image(image, turned, None if plan is None else plan[0], result)
    else:
        for number in range(len(image)):
            _settle_image(image[number], turned, None if plan is None else plan[number, 0], result[number])
    return result


def _settle_image(image: Array, turned: Array, plan: Any, result: Array) -> None:
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
                patch[0, -1, -1] += GRID
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


smooth_network_cases, kinked_network_cases = decoded(read_smooth), decoded(read_kinked)
lively_network_cases = decoded(partial(read_smooth, lively=True))
