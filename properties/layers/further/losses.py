"""The losses and their gradients: of predictions (N, m) and targets; of probabilities, or of logits through softmax,
(N, m) with labels (N, m); and of logits (N,) through the logistic function with labels (N,).

Losses are the mean over the images of each image's own, or where a target says so the sum; so are gradients.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from ...harness.core.limits import Limits, Pair
from ...harness.core.setting import setting
from ...harness.core.tape import Case, Tape
from ...harness.core.values import ALLOWED, LIBRARY, Array, Kind, Value, within
from ..base.registry import Ask, Layer, Read, Signature
from ..plain.turns import HALF_MEAN, HALF_SUM, MEAN, SQUARES, SUM, averaged, of_difference, of_squares
from .loss_cases import read_logits_and_labels, read_probabilities, read_row, read_squares, smaller
from .softmax import SIZES, off, softmax_of


def _mean(losses: Array, errors: Array) -> Value:
    """The mean, or the sum, of each image's loss, of which each may be off: the sum rounds too, and the quotient."""
    count = losses.shape[-1]
    rounding = setting().eps * (ALLOWED + (count + 1) / 2) * np.abs(losses)
    total = (errors + rounding).sum(axis=-1)
    return within(averaged(losses.sum(axis=-1), count), averaged(total, count))


def _each(gradient: Array, errors: Array, axis: int = -2) -> Value:
    """The gradient of the mean, or of the sum, by that of each image's own loss; a quotient rounds too."""
    count = gradient.shape[axis]
    total = errors + (ALLOWED + 1) * setting().eps * np.abs(gradient)
    return within(averaged(gradient, count), averaged(total, count))


def _squares(case: Case) -> Value:
    """Positive terms: each off by 3/2 units of its size, with the factor by two more, and their sum by m/2."""
    squares = (case.prediction - case.target) ** 2
    entries = squares.shape[-1]
    losses = of_squares(squares.sum(axis=-1), entries)
    return _mean(losses, setting().eps * (entries / 2 + 4) * losses)


def _differences(case: Case) -> Value:
    """A difference, and two factors of it."""
    gradient = of_difference(case.prediction - case.target, case.prediction.shape[-1])
    return _each(gradient, 2 * setting().eps * np.abs(gradient))


def _logarithms(case: Case) -> Value:
    """`−Σ labels log probabilities`, where a label is not 0; a logarithm is off by `LIBRARY` units.

    Where a label's probability is 0 any number is right.
    """
    counts = case.labels > 0
    known = counts & (case.probabilities > 0)
    terms = -case.labels * np.log(np.where(known, case.probabilities, 1.0))
    losses = terms.sum(axis=-1)
    errors = setting().eps * (LIBRARY + terms.shape[-1] / 2 + 1) * losses
    return _mean(losses, np.where((counts & ~known).any(axis=-1), np.inf, errors))


def _reciprocals(case: Case) -> Value:
    """`−labels / probabilities`, and 0 where a label is 0; where a label's probability is 0 any number is right."""
    counts = case.labels > 0
    known = counts & (case.probabilities > 0)
    gradient = -case.labels / np.where(known, case.probabilities, 1.0)
    return _each(gradient, np.where(counts & ~known, np.inf, setting().eps * np.abs(gradient)))


def _log_softmax(case: Case) -> Value:
    """`log Σ exp(logits) − Σ labels logits`, from the distances to the row's largest.

    It may also be the logarithm of softmax where that is not 0: an error relative to softmax is one of its logarithm,
    which is at most 2 M + log m for logits up to M, and off by `LIBRARY` units. The sum of m terms rounds by m/2 units
    of the largest of them.
    """
    shifted = case.logits - case.logits.max(axis=-1, keepdims=True)
    sums = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    losses = (case.labels * (sums - shifted)).sum(axis=-1)
    classes, largest = shifted.shape[-1], 2 * np.abs(case.logits).max(axis=-1) + np.log(shifted.shape[-1])
    errors = off(case.logits)[..., 0] + setting().eps * (LIBRARY + classes / 2 + 2) * largest
    return _mean(losses, errors)


def _softmax_less_labels(case: Case) -> Value:
    """`softmax(logits) − labels`, where softmax may be off."""
    softmax = softmax_of(case.logits)
    return _each(softmax - case.labels, softmax * off(case.logits) + setting().eps * (softmax + case.labels))


def _log_logistic(case: Case) -> Value:
    """`log(1 + exp(logits)) − labels logits`: an exponential and a logarithm of terms up to 1 + |logits|, and sums."""
    z = case.logits
    losses = np.maximum(z, 0) - case.labels * z + np.log1p(np.exp(-np.abs(z)))
    return _mean(losses, setting().eps * (ALLOWED + 2 * LIBRARY + 4) * (1 + np.abs(z)))


def _logistic_less_labels(case: Case) -> Value:
    """`σ(logits) − labels`: an exponential, a sum, a quotient and a difference of numbers up to 1."""
    decay = np.exp(-np.abs(case.logits))
    logistic = np.where(case.logits >= 0, 1.0, decay) / (1 + decay)
    return _each(logistic - case.labels, np.full(decay.shape, setting().eps * (2 * LIBRARY + 4)), axis=-1)


def _exponents(tape: Tape, case: Case, exponent: Callable[[Tape], int]) -> dict[str, int]:
    """One for both: their difference is squared."""
    return dict.fromkeys(case, int(exponent(tape) / 2))


def _convention(of_loss: Ask, of_gradient: Ask) -> str | None:
    """By the loss of one number, and of two, or else by the gradient's; None if it is none of the four."""
    found = []
    for entries in (1, 2):
        case = Case(prediction=np.full((1, entries), 5.0), target=np.full((1, entries), 2.0))
        if (loss := of_loss(case)) is not None:
            found.append(loss / (9.0 * entries))
        elif (slope := of_gradient(case)) is not None:
            found.append(float(slope[0, 0]) / 6.0)
        else:
            return None
    known = {(0.5, 0.5): HALF_SUM, (1.0, 1.0): SUM, (0.5, 0.25): HALF_MEAN, (1.0, 0.5): MEAN}
    return next((words for factors, words in known.items() if np.allclose(found, factors, rtol=1e-4)), None)


def _fresh(read: Callable[..., Case], number: int, seed: int) -> Case:
    """A case of two images, and of a number of classes of its own, with Gaussian values but for what is likely."""
    generator = np.random.default_rng([number, seed])
    case = read(Tape(generator.bytes(2**12)), (2, 53 + number % 64))
    drawn = [name for name in case if name in ("prediction", "target", "logits")]
    return case.changed(**{name: generator.standard_normal(case[name].shape).round(4) for name in drawn})


def _plain(read: Callable[..., Case], pair: Pair) -> Case:
    return read(Tape(None), (1, 2))


def _larger(read: Callable[..., Case], limits: Limits) -> Iterator[tuple[Limits, Read]]:
    for size in SIZES:
        yield limits, partial(read, size=size)


def _layer(
    name: str,
    kinds: dict[str, Kind],
    read: Callable[..., Case],
    loss: tuple[str, Callable[[Case], Value], str],
    slope: tuple[str, Callable[[Case], Value], str],
    **more: Any,
) -> Layer:
    """The layer of a loss and of its gradient: of each what it is in words, its value and its formula."""
    (first, kind), *_ = kinds.items()
    summary, value, formula = loss
    told, gradient, gradients_formula = slope
    return Layer(
        name,
        operations=(
            Signature(
                name,
                summary=f"{summary}, a mean over the images: a number.",
                takes=kinds,
                gives=(Kind.SCALAR,),
                shapes=lambda case: ((),),
                value=lambda case: (value(case),),
                formulas=(formula,),
                named_by=f"losses.{name}_is_its_definition",
                smooth=read,
            ),
            Signature(
                f"{name}_gradient",
                summary=f"The gradient of {name} for its {first}: {told}.",
                takes=kinds,
                gives=(Kind.ROW if kind is Kind.ROW else Kind.FEATURES,),
                shapes=lambda case: (case[first].shape,),
                value=lambda case: (gradient(case),),
                formulas=(gradients_formula,),
                named_by=f"losses.{name}_gradient_is_its_definition",
                smooth=read,
                parts=(first,),
                of=name,
                other_names=tuple(f"{name.replace('_', '')}{word}" for word in ("backward", "backprop", "grad")),
            ),
        ),
        kinds=kinds,
        read=read,
        larger=partial(_larger, read),
        smaller=smaller,
        fresh=partial(_fresh, read),
        plain=partial(_plain, read),
        takes_batches=True,
        statements="losses",
        **more,
    )


SQUARED_ERROR = _layer(
    "squared_error",
    {"prediction": Kind.FEATURES, "target": Kind.FEATURES},
    read_squares,
    (
        "Half the sum of squares of prediction − target, (N, m), of each image",
        _squares,
        "`L = 1/N Σ[i] c Σ[j] (prediction[i,j] − target[i,j])^2`, where `c` is 1/2, 1, 1/(2m) or 1/m",
    ),
    (
        "prediction − target over N, (N, m)",
        _differences,
        "`∂L/∂prediction[i,j] = 2 c (prediction[i,j] − target[i,j]) / N`, where `c` is the loss's own",
    ),
    finds={SQUARES: (("squared_error", "squared_error_gradient"), _convention)},
    exponents=_exponents,
)
CROSS_ENTROPY = _layer(
    "cross_entropy",
    {"probabilities": Kind.PROBABILITIES, "labels": Kind.LABELS},
    read_probabilities,
    (
        "`−log` of the label's probability, of probabilities (N, m) and labels (N,)",
        _logarithms,
        "`L = −1/N Σ[i] Σ[j] labels[i,j] log(probabilities[i,j])`",
    ),
    (
        "−1 over the label's probability and over N, else 0, (N, m)",
        _reciprocals,
        "`∂L/∂probabilities[i,j] = −labels[i,j] / (N probabilities[i,j])`",
    ),
    is_homogeneous=False,
)
SOFTMAX_CROSS_ENTROPY = _layer(
    "softmax_cross_entropy",
    {"logits": Kind.FEATURES, "labels": Kind.LABELS},
    read_logits_and_labels,
    (
        "`−log softmax(logits)` at the label, of logits (N, m) and labels (N,)",
        _log_softmax,
        "`L = 1/N Σ[i] (log(Σ[j] exp(logits[i,j])) − Σ[j] labels[i,j] logits[i,j])`",
    ),
    (
        "softmax less 1 at the label, over N, (N, m)",
        _softmax_less_labels,
        "`∂L/∂logits[i,j] = (softmax(logits)[i,j] − labels[i,j]) / N`",
    ),
    is_homogeneous=False,
)
LOGISTIC_CROSS_ENTROPY = _layer(
    "logistic_cross_entropy",
    {"logits": Kind.ROW, "labels": Kind.TRUTHS},
    read_row,
    (
        "`log(1 + exp(logits)) − labels logits`, of logits (N,) and labels (N,) of 0 and 1",
        _log_logistic,
        "`L = 1/N Σ[i] (log(1 + exp(logits[i])) − labels[i] logits[i])`",
    ),
    (
        "logistic(logits) − labels, over N, (N,)",
        _logistic_less_labels,
        "`∂L/∂logits[i] = (σ(logits[i]) − labels[i]) / N`, where `σ(x) = 1 / (1 + exp(−x))`",
    ),
    is_homogeneous=False,
)
LOSSES = (SQUARED_ERROR, CROSS_ENTROPY, SOFTMAX_CROSS_ENTROPY, LOGISTIC_CROSS_ENTROPY)
