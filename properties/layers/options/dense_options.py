"""The dense layer with several outputs and a bias: features (N, n), weights (n, m), bias (m,), outputs (N, m).

Its gradients are one function's, a pair, or with a bias a triple.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import cycle

import numpy as np

from ...harness.core.limits import Limits, Pair
from ...harness.core.resizing import COUNTS, spans, without
from ...harness.core.setting import setting
from ...harness.core.sizes import read_rows
from ...harness.core.tape import FACTOR_SCALES, UPSTREAM_SCALES, Case, Tape
from ...harness.core.values import ALLOWED, Kind, Value, inner_product
from ..base.registry import Ask, Layer, Read, Sides, Signature

MOST_OUTPUTS = 4
_SIZES = ((10, 3), (16, 10), (3, 17), (33, 2), (64, 10), (17, 33), (129, 5), (2, 65), (257, 9), (9, 128))


def outputs_of(case: Case) -> Value:
    """`y[i,o] = Σ[k] features[i,k] weights[k,o] + bias[o]`, (N, m)."""
    features, weights, bias = case.features, case.weights, case.bias[..., None, :]
    size = np.abs(features) @ np.abs(weights) + np.abs(bias)
    return Value(features @ weights + bias, inner_product(weights.shape[-2]) + 1, size)


def gradients_of(case: Case) -> tuple[Value, Value]:
    """`upstream weightsᵀ` and `featuresᵀ upstream`: an inner product over the outputs, and one over the images."""
    features, weights, upstream = case.features, case.weights, case.upstream
    columns, rows = weights.swapaxes(-2, -1), features.swapaxes(-2, -1)
    return (
        Value(upstream @ columns, inner_product(weights.shape[-1]), np.abs(upstream) @ np.abs(columns)),
        Value(rows @ upstream, inner_product(features.shape[-2]), np.abs(rows) @ np.abs(upstream)),
    )


def bias_gradient_of(case: Case) -> Value:
    """`Σ[i] upstream[i,o]`, (m,)."""
    upstream = case.upstream
    return Value(upstream.sum(axis=-2), ALLOWED + 2 * upstream.shape[-2], np.abs(upstream).sum(axis=-2))


def read(tape: Tape, size: Sides = ()) -> Case:
    """`features`, `weights`, `bias`, `upstream`, of so many features and outputs, else of up to 9 and of up to 4.

    There is one output where the target has no more, and in a layout without batches then one image; the bias is 0
    where it takes none.
    """
    images, most_images = read_rows(tape, "outputs")
    most = size or (setting().limits.largest.features, MOST_OUTPUTS if setting().uses("outputs") else 1)
    count, outputs = size or (tape.choose(most[0]) + 1, tape.choose(most[1]) + 1)
    bias = tape.dyadic((outputs,), (most[1],), tape.scale(FACTOR_SCALES))
    return Case(
        features=tape.dyadic((images, count), (most_images, most[0]), tape.scale(FACTOR_SCALES)),
        weights=tape.dyadic((count, outputs), most, tape.scale(FACTOR_SCALES)),
        upstream=tape.dyadic((images, outputs), (most_images, most[1]), tape.scale(UPSTREAM_SCALES)),
        bias=bias if setting().uses("bias") else np.zeros_like(bias),
    )


def _larger(limits: Limits) -> Iterator[tuple[Limits, Read]]:
    for (count, outputs), counts in zip(_SIZES, cycle(COUNTS), strict=False):
        size = count, outputs if setting().uses("outputs") else 1
        yield replace(limits, counts=counts), partial(read, size=size)


def _smaller(case: Case) -> Iterator[Case]:
    """An image, a feature or an output less, or half of them."""
    for axes in ({"features": 0, "upstream": 0}, {"features": 1, "weights": 0}, _OUTPUTS):
        name, axis = next(iter(axes.items()))
        for span in spans(case[name].shape[axis]):
            yield case.changed(**{name: without(case[name], axis, span) for name, axis in axes.items()})


def _fresh(number: int, seed: int) -> Case:
    generator, length = np.random.default_rng([number, seed]), 53 + number % 64
    outputs = 3 if setting().uses("outputs") else 1
    shapes = {"features": (1, length), "weights": (length, outputs), "upstream": (1, outputs), "bias": (outputs,)}
    case = Case({name: generator.standard_normal(shape).round(4) for name, shape in shapes.items()})
    return case if setting().uses("bias") else case.changed(bias=np.zeros(outputs))


def _plain(pair: Pair) -> Case:
    return Case(features=np.ones((1, 1)), weights=np.ones((1, 1)), upstream=np.ones((1, 1)), bias=np.zeros(1))


def _has_outputs(ask: Ask) -> bool:
    shapes = {"features": (4, 3), "weights": (3, 2), "upstream": (4, 2), "bias": (2,)}
    return ask(Case({name: np.zeros(shape) for name, shape in shapes.items()})) is not None


_OUTPUTS = {"weights": 1, "upstream": 1, "bias": 0}
_ARRAYS = {"features": Kind.FEATURES, "weights": Kind.WEIGHTS}
_BACKWARD = {**_ARRAYS, "upstream": Kind.FEATURES}
_ASKED = {"outputs": _has_outputs}
DENSE_OPTIONS = Layer(
    "dense_options",
    operations=(
        Signature(
            "dense_with_options",
            summary="Features (1, n) times weights (n, m), and bias (m,) added: (1, m).",
            takes={**_ARRAYS, "bias": Kind.BIAS},
            gives=(Kind.FEATURES,),
            shapes=lambda case: ((len(case.features), case.weights.shape[1]),),
            value=lambda case: (outputs_of(case),),
            formulas=("`y[i,o] = Σ[k] features[i,k] weights[k,o] + bias[o]`",),
            named_by="dense_options.dense_with_options_is_the_weighted_sums",
            smooth=read,
            function="dense",
            options=("bias",),
            found_out=_ASKED,
        ),
        Signature(
            "dense_gradients_with_options",
            summary="The gradients for features, (1, n), and weights, (n, m), of upstream, (1, m).",
            takes=_BACKWARD,
            gives=(Kind.FEATURES, Kind.WEIGHTS),
            shapes=lambda case: (case.features.shape, case.weights.shape),
            value=gradients_of,
            formulas=("`∂C/∂features = upstream · weightsᵀ`", "`∂C/∂weights = featuresᵀ · upstream`"),
            named_by="dense_options.features_gradient_is_upstream_times_all_weights",
            smooth=read,
            parts=("features", "weights"),
            function="dense_gradients",
            found_out=_ASKED,
            more=1,
        ),
        Signature(
            "dense_bias_gradient",
            summary="The gradient for the bias, (m,), of upstream, (1, m).",
            takes=_BACKWARD,
            gives=(Kind.BIAS,),
            shapes=lambda case: (case.weights.shape[1:],),
            value=lambda case: (bias_gradient_of(case),),
            formulas=("`∂C/∂bias[o] = Σ[i] upstream[i,o]`",),
            named_by="dense_options.bias_gradient_is_the_sum_of_upstream",
            smooth=read,
            parts=("bias",),
            found_out=_ASKED,
            part_of=("dense_gradients", 2),
            needs=("upstream",),
        ),
    ),
    kinds={**_BACKWARD, "bias": Kind.BIAS},
    read=read,
    larger=_larger,
    smaller=_smaller,
    fresh=_fresh,
    plain=_plain,
    takes_batches=True,
)
