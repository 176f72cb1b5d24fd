"""The dense layer with one output: features (N, n), weights (n, 1), outputs and upstream (N, 1); and its gradients."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import cycle

import numpy as np

from ..harness.core.limits import Limits, Pair
from ..harness.core.resizing import COUNTS, spans, without
from ..harness.core.setting import setting
from ..harness.core.sizes import read_counts
from ..harness.core.tape import FACTOR_SCALES, UPSTREAM_SCALES, Case, Tape
from ..harness.core.values import ALLOWED, Array, Kind, Value, exactly, inner_product, norms
from .base.registry import Layer, Read, Signature

_FEATURES = (10, 16, 17, 32, 33, 40, 64, 65, 128, 129, 257, 1000)


def _output(case: Case) -> tuple[Value]:
    """One inner product, for each image."""
    features, weights = case.features, case.weights
    size = norms(features, 2) * norms(weights, 2)
    return (Value(features @ weights, inner_product(weights.shape[-2]), size),)


def _gradients(case: Case) -> tuple[Value, Value]:
    """Products for the features, for the weights an inner product over the images."""
    features, upstream = case.features, case.upstream
    units = ALLOWED + features.shape[-2] - 1
    rows = features.swapaxes(-2, -1)
    weights_gradient = Value(rows @ upstream, units, np.abs(rows) @ np.abs(upstream))
    return exactly(upstream * case.weights.swapaxes(-2, -1)), weights_gradient


def read(tape: Tape, count: int = 0) -> Case:
    """`features`, `weights`, `upstream`, of so many features, else of at first 1 to 9; in batches, of 1 to 3 images."""
    counts, most_counts = read_counts(tape)
    images, most = counts.images, most_counts.images
    most_features = count or setting().limits.largest.features
    count = count or tape.choose(most_features) + 1
    return Case(
        features=tape.dyadic((images, count), (most, most_features), tape.scale(FACTOR_SCALES)),
        weights=tape.dyadic((count, 1), (most_features, 1), tape.scale(FACTOR_SCALES)),
        upstream=tape.dyadic((images, 1), (most, 1), tape.scale(UPSTREAM_SCALES)),
    )


def _larger(limits: Limits) -> Iterator[tuple[Limits, Read]]:
    for count, counts in zip(_FEATURES, cycle(COUNTS), strict=False):
        yield replace(limits, counts=counts), partial(read, count=count)


def _smaller(case: Case) -> Iterator[Case]:
    for span in spans(len(case.features)):
        yield case.changed(features=without(case.features, 0, span), upstream=without(case.upstream, 0, span))
    for span in spans(case.features.shape[1]):
        yield case.changed(features=without(case.features, 1, span), weights=without(case.weights, 0, span))


def _fresh(number: int, seed: int) -> Case:
    generator, length = np.random.default_rng([number, seed]), 53 + number % 64
    shapes = {"features": (1, length), "weights": (length, 1), "upstream": (1, 1)}
    return Case({name: generator.standard_normal(shape).round(4) for name, shape in shapes.items()})


def _plain(pair: Pair) -> Case:
    return Case({name: np.ones((1, 1)) for name in _BACKWARD})


def _no_bias(features: Array, weights: Array, *upstream: Array) -> Array:
    return np.zeros(np.shape(weights)[1])


_NEUTRAL = {"bias": _no_bias}
_FORWARD = {"features": Kind.FEATURES, "weights": Kind.WEIGHTS}
_BACKWARD = {**_FORWARD, "upstream": Kind.FEATURES}
DENSE = Layer(
    "dense",
    operations=(
        Signature(
            "dense",
            summary="Features (1, n) times weights (n, 1): (1, 1).",
            takes=_FORWARD,
            gives=(Kind.FEATURES,),
            shapes=lambda case: ((len(case.features), 1),),
            value=_output,
            formulas=("`s = Σ[k] features[k] weights[k]`",),
            neutral=_NEUTRAL,
            named_by="dense.dense_is_the_weighted_sum",
            smooth=read,
        ),
        Signature(
            "dense_gradients",
            summary="The gradients for features, (1, n), and weights, (n, 1), of upstream, (1, 1).",
            takes=_BACKWARD,
            gives=(Kind.FEATURES, Kind.WEIGHTS),
            shapes=lambda case: (case.features.shape, case.weights.shape),
            value=_gradients,
            formulas=("`∂C/∂features = upstream · weightsᵀ`", "`∂C/∂weights = featuresᵀ · upstream`"),
            named_by="dense.features_gradient_is_upstream_times_weights",
            smooth=read,
            parts=("features", "weights"),
            neutral=_NEUTRAL,
            more=1,
        ),
    ),
    kinds=_BACKWARD,
    read=read,
    larger=_larger,
    smaller=_smaller,
    fresh=_fresh,
    plain=_plain,
)
