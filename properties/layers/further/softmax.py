"""Softmax over the last axis of x (N, m), and its gradient."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from ...harness.core.limits import Limits, Pair
from ...harness.core.resizing import spans, without
from ...harness.core.setting import setting
from ...harness.core.sizes import read_rows
from ...harness.core.tape import FINE, REACH, UPSTREAM_SCALES, Case, Tape
from ...harness.core.values import ALLOWED, LIBRARY, Array, Kind, Value, within
from ..base.registry import Layer, Read, Sides, Signature

MOST_CLASSES = 6
FURTHEST = 1e4  # of a logit from 0, beside what it is drawn as
LOGIT_SCALES = (1.0, FINE, 4.0, 256.0, FURTHEST / 4)
_OFFSETS = np.array([0.0, FURTHEST, -FURTHEST, 100.0])  # of a row: one offset for all is no good for its neighbour
SIZES = ((10, 3), (3, 10), (16, 17), (33, 2), (1, 100), (64, 10), (17, 33), (129, 5), (2, 257), (5, 300))


def softmax_of(x: Array) -> Array:
    """`exp(x[i,j]) / Σ[k] exp(x[i,k])`, of the distances to the row's largest."""
    exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def conditioning(x: Array) -> Array:
    """By how many units of itself each row's softmax may be off, one number a row, (…, 1).

    Each is `exp(x − c) / Σ exp(x − c)`, or `exp(x − c − log Σ exp(x − c))`, for c the row's largest M in size, or its
    log-sum-exp, at most M + log m. To round x, c and the difference moves the exponent by at most
    (M + (M + log m) + (2 M + log m)) / 2 ≤ 2 M + log m units, and a value that is a quotient of exponentials by twice
    that; two exponentials, or one and a logarithm, are off by `LIBRARY` units each; the sum of m positive terms by
    (m − 1)/2, and the quotient by 1/2. Source: Blanchard, Higham & Higham, IMA Journal of Numerical Analysis 41, 2021.
    """
    classes, largest = x.shape[-1], np.abs(x).max(axis=-1, keepdims=True)
    units: Array = 2 * (2 * largest + np.log(classes)) + 2 * LIBRARY + classes / 2
    return units


def off(x: Array) -> Array:
    """The relative error that a softmax may have, row by row, held against one that has it too."""
    return setting().eps * (ALLOWED + 2 * conditioning(x))


def value_of(case: Case) -> Value:
    """Each entry relative to its own size; what underflows is 0."""
    value = softmax_of(case.x)
    return within(value, value * off(case.x))


def gradient_of(case: Case) -> Value:
    """`s (u − ⟨u, s⟩)`, where s may be off; the two terms, their difference and the product round beside.

    What s loses to underflow counts times upstream.
    """
    softmax, upstream = softmax_of(case.x), case.upstream
    inner = (softmax * upstream).sum(axis=-1, keepdims=True)
    size = softmax * (np.abs(upstream) + (softmax * np.abs(upstream)).sum(axis=-1, keepdims=True))
    error = size * (2 * off(case.x) + (x_terms(case) + 3) * setting().eps)
    lost = setting().tiny * (1 + 2 * np.abs(upstream).sum(axis=-1, keepdims=True))
    return replace(within(softmax * (upstream - inner), error), floor=lost)


def x_terms(case: Case) -> int:
    """How many terms a row's sums have."""
    return int(case.x.shape[-1])


def read_logits(tape: Tape, shape: Sides, most: Sides, scales: tuple[float, ...] = LOGIT_SCALES) -> Array:
    """Short dyadic numbers times a scale of up to 2500, and in half of the cases an offset for each row beside; or
    those of other scales alone.
    """
    logits = tape.dyadic(shape, most, tape.scale(scales))
    if scales is not LOGIT_SCALES:
        return logits
    offsets = _OFFSETS.take(tape.matrix((shape[0], 1), (most[0], 1)), mode="wrap")
    return logits + offsets * tape.choose(2)


def read_sizes(tape: Tape, size: Sides = (), fewest: int = 1, most: int = MOST_CLASSES) -> tuple[Sides, Sides]:
    """So many images and classes, or up to three and six; and the most."""
    if size:
        return size, size
    images, most_images = read_rows(tape)
    return (images, tape.choose(most + 1 - fewest) + fewest), (most_images, most)


def read(tape: Tape, size: Sides = ()) -> Case:
    """`x` and `upstream`, of so many rows and classes, else of up to three and six."""
    shape, most = read_sizes(tape, size)
    x = read_logits(tape, shape, most)
    return Case(x=x, upstream=tape.dyadic(shape, most, tape.scale(UPSTREAM_SCALES)))


def read_scaled(tape: Tape) -> Case:
    """The same with an `other` upstream, both times one power of two, from the smallest to the largest."""
    shape, most = read_sizes(tape)
    reach = REACH[setting().dtype]
    exponent = (0, 1, -1, 40, -40, reach, -reach)[tape.choose(7)]
    upstreams = {name: np.ldexp(tape.dyadic(shape, most), exponent) for name in ("upstream", "other")}
    return Case(x=read_logits(tape, shape, most), **upstreams)


def read_moderate(tape: Tape) -> Case:
    """The same with numbers up to 4 in size, where differences tell something."""
    shape, most = read_sizes(tape)
    return Case(x=tape.dyadic(shape, most), upstream=tape.dyadic(shape, most))


def larger(limits: Limits) -> Iterator[tuple[Limits, Read]]:
    """Cases of more images and classes."""
    for size in SIZES:
        yield limits, partial(read, size=size)


def smaller(case: Case) -> Iterator[Case]:
    """A row or a class less, or half of them."""
    for axis in (0, 1):
        for span in spans(case.x.shape[axis]):
            yield case.changed(
                **{name: without(value, axis, span) for name, value in case.items() if isinstance(value, np.ndarray)}
            )


def _fresh(number: int, seed: int) -> Case:
    x, upstream = np.random.default_rng([number, seed]).standard_normal((2, 2, 53 + number % 64)).round(4)
    return Case(x=x, upstream=upstream)


def _plain(pair: Pair) -> Case:
    return Case(x=np.array([[0.0, 1.0]]), upstream=np.ones((1, 2)))


_ARRAYS = {"x": Kind.FEATURES, "upstream": Kind.FEATURES}
SOFTMAX = Layer(
    "softmax",
    operations=(
        Signature(
            "softmax",
            summary="`exp(x) / Σ exp(x)`, summed over the classes, for x (N, m); the same shape.",
            takes={"x": Kind.FEATURES},
            gives=(Kind.FEATURES,),
            shapes=lambda case: (case.x.shape,),
            value=lambda case: (value_of(case),),
            formulas=("`y[i,j] = exp(x[i,j]) / Σ[k] exp(x[i,k])`",),
            named_by="softmax.softmax_is_the_normalised_exponential",
            smooth=read,
        ),
        Signature(
            "softmax_gradient",
            summary="The gradient for x, (N, m), of upstream, the gradient for softmax(x).",
            takes=_ARRAYS,
            gives=(Kind.FEATURES,),
            shapes=lambda case: (case.x.shape,),
            value=lambda case: (gradient_of(case),),
            formulas=("`∂C/∂x[i,j] = y[i,j] (∂C/∂y[i,j] − Σ[k] ∂C/∂y[i,k] y[i,k])`, where `y = softmax(x)`",),
            named_by="softmax.gradient_is_the_jacobian_times_upstream",
            smooth=read,
            parts=("x",),
            of="softmax",
            other_names=("softmaxbackward", "softmaxbackprop", "softmaxgrad", "softmaxvjp"),
        ),
    ),
    kinds=_ARRAYS,
    read=read,
    larger=larger,
    smaller=smaller,
    fresh=_fresh,
    plain=_plain,
    is_homogeneous=False,
    takes_batches=True,
)
