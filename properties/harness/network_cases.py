"""Cases for the whole network, each built to lie off every kink or on at least one.

The first entry of the kernel (the last, for a cross-correlation) is never 0, so each pre-activation moves with
an image entry of its own that comes after every entry used before it: going through the outputs in C order,
that entry can be set so that the pre-activation ties, vanishes, or avoids both.
"""

from functools import partial
from typing import Any

import numpy as np

from properties.harness import oracles
from properties.harness.limits import LARGEST_NETWORK_KERNEL, MOST_WINDOWS, POOL, Shape
from properties.harness.strategies import (
    FINE,
    GRID,
    Case,
    Shapes,
    Tape,
    blocks,
    decoded,
    fit_valid,
    joined_valid,
    read_shapes,
)
from properties.harness.target import Array
from properties.harness.trial import current

LARGEST_ENTRY = 64.0
IMAGE_SCALES = (1.0, FINE, 64.0, 2.0**-24)
NEAR = 2.0**-14  # the grid of targets that are as near to the prediction as this
RATES = (1.0, 1 / 16, 1 / 4, 2.0, 0.0)
WEIGHT_SCALES = (1.0, 1 / 16, 1 / 64)


def _read_shapes(tape: Tape) -> Shapes:
    return read_shapes(
        tape,
        current().target.limits.networks,
        (LARGEST_NETWORK_KERNEL, MOST_WINDOWS),
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
    kernel = tape.dyadic(shapes.part, shapes.largest_part)
    image = tape.dyadic(shapes.whole, shapes.largest_whole)
    signs = tape.choose(6)
    if signs in (1, 2):  # so that all ReLUs are alive, or dead
        image, kernel = np.abs(image), np.abs(kernel) * (1.0 if signs == 1 else -1.0)
    kernel[0, 0] = kernel[0, 0] or (-1.0 if signs == 2 else 1.0)
    preactivations = _settle(image, kernel, None)
    if lively and preactivations.max() < 0:
        kernel = -kernel
    return _case(tape, image * image_scale, kernel, shapes, weight_scale, lively)


def read_kinked(tape: Tape) -> Case:
    """`image`, `target`, `kernel`, `weights`, `learning_rate`, with a kink in the first window at least.

    There the maximum is positive and tied, or 0; elsewhere ties and zeros come as they are drawn. The
    kernel's entries are -1, 0 and 1, so that solving for an image entry stays on the grid.
    """
    shapes = _read_shapes(tape)
    weight_scale = tape.scale(WEIGHT_SCALES)
    kernel = np.array([0.0, 1.0, -1.0]).take(tape.matrix(shapes.part, shapes.largest_part), mode="wrap")
    image = tape.dyadic(shapes.whole, shapes.largest_whole)
    output, largest_output = fit_valid(shapes.part, shapes.whole), fit_valid((1, 1), shapes.largest_whole)
    plan = tape.matrix(output, largest_output) % 4
    kernel[0, 0] = kernel[0, 0] or 1.0
    _settle(image, kernel, plan)
    return _case(tape, image, kernel, shapes, weight_scale, False)


def _case(tape: Tape, image: Array, kernel: Array, shapes: Shapes, weight_scale: float, lively: bool) -> Case:
    if not current().flips:
        kernel = np.rot90(kernel, 2).copy()
    windows, most = (rows * columns for rows, columns in (shapes.fits, shapes.largest_fits))
    weights = tape.dyadic((windows, 1), (most, 1), weight_scale)
    target, near = tape.dyadic((1, 1), (1, 1)).item() / 2, tape.choose(8) == 1
    rate = tape.scale(RATES)
    if near:
        prediction = oracles.forward(image, kernel, weights).prediction
        target = NEAR * (np.floor(prediction / NEAR) + (target > 0))
    if lively:
        weights = np.where(weights == 0, weight_scale, weights)
        target += float(oracles.forward(image, kernel, weights).prediction == target)
    return Case(image=image, target=float(target), kernel=kernel, weights=weights, learning_rate=rate)


def _settle(image: Array, kernel: Array, plan: Any) -> Array:
    """Set image entries in place; without a plan, to avoid every tie and zero; returns the pre-activations.

    The plan has a number per output: 1 ties it with the largest of its window so far, 2 makes it 0, else it
    stays as drawn, as it does where the entry would grow beyond what float32 holds exactly. The last output
    of the first window always ties or vanishes, whichever is a kink.
    """
    turned = kernel[::-1, ::-1]
    result = oracles.correlation(image, turned)
    if plan is None and is_smooth(result):
        return result
    rows, columns = result.shape
    for i, j in np.ndindex(rows, columns):
        patch = image[i : i + kernel.shape[0], j : j + kernel.shape[1]]
        value = float((patch * turned).sum())
        above, left = i - i % POOL[0], j - j % POOL[1]
        mates = [float(result[i, left])] if j > left else []
        if i > above:
            mates += result[above, left : left + POOL[1]].tolist()
        if plan is None:
            while value == 0 or value in mates:
                patch[-1, -1] += GRID
                value = float((patch * turned).sum())
        else:
            highest = max(mates, default=0.0)
            forced = (i, j) == (POOL[0] - 1, POOL[1] - 1)
            if forced or plan[i, j] == 2 or (plan[i, j] == 1 and mates):
                wanted = max(highest, 0.0) if forced else highest if plan[i, j] == 1 else 0.0
                entry = patch[-1, -1] + (wanted - value) / kernel[0, 0]
                if forced or abs(entry) <= LARGEST_ENTRY:
                    patch[-1, -1], value = entry, wanted
        result[i, j] = value
    return result


def is_smooth(preactivations: Array) -> bool:
    """Whether no pre-activation is 0 or ties with another of its window."""
    windows = np.sort(blocks(preactivations, POOL).reshape(-1, POOL[0] * POOL[1]), axis=1)
    return bool((windows != 0).all() and (windows[:, 1:] != windows[:, :-1]).all())


smooth_network_cases, kinked_network_cases = decoded(read_smooth), decoded(read_kinked)
lively_network_cases = decoded(partial(read_smooth, lively=True))
