"""The cases of losses: probabilities and labels, those that could be no surer, and steps for differences."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np

from ...harness.core.resizing import spans, without
from ...harness.core.setting import setting
from ...harness.core.tape import FACTOR_SCALES, Case, Tape
from ...harness.core.values import Array
from ..base.registry import Sides
from ..plain.turns import averaged
from .softmax import FURTHEST, LOGIT_SCALES, read_logits, read_sizes

Scales = tuple[float, ...]
MODEST = (1.0,)
GRAIN = 2**12  # probabilities are multiples of one in so many
STEPS = {"float64": (2.0**-13, 2.0**-14), "float32": (2.0**-6, 2.0**-5)}  # of logits, and of a probability's own size
BENDS = 0.1  # the third derivative of log Σ exp by one logit is p (1 − p) (1 − 2p), at most 1/(6 √3)


def _read_labels(tape: Tape, shape: Sides, most: Sides) -> Array:
    """A class for each row; where labels may be distributions half of them are, in sixteenths, some of them 0."""
    classes, drawn = shape[-1], tape.matrix((shape[0],), (most[0],)).astype(np.int64)
    chosen = np.eye(classes)[drawn % classes if classes < 256 else drawn * classes // 256]
    shares = tape.matrix(shape, most) % 4
    if setting().labels == "integers" or not tape.choose(2):
        return chosen
    parted = np.floor(16 * shares / np.maximum(shares.sum(axis=-1, keepdims=True), 1)) / 16
    return parted + chosen * (1 - parted.sum(axis=-1, keepdims=True))


def _read_probabilities(tape: Tape, labels: Array, most: Sides, with_zeros: bool) -> Array:
    """Rows of sum 1 to the bit, of multiples of 2^-12, of which none is 1.

    Those in between the first and the last may be 0 where neither the label is there nor in the order reversed.
    """
    drawn = tape.matrix(labels.shape[-2:], most).astype(np.int64)
    weights = (1 + drawn // 16) * 2 ** (drawn % 8)
    may_be = (labels == 0) & (labels[..., ::-1] == 0) & with_zeros
    may_be[..., [0, -1]] = False
    weights = np.where(may_be & (drawn % 3 == 1), 0, weights)
    positive = weights > 0
    left = GRAIN - positive.sum(axis=-1, keepdims=True)
    parts = left * weights // weights.sum(axis=-1, keepdims=True) + positive
    parts[..., 0] += GRAIN - parts.sum(axis=-1)
    return np.asarray(parts / GRAIN, dtype=np.float64)


def read_squares(tape: Tape, size: Sides = (), scales: Scales = FACTOR_SCALES) -> Case:
    """`prediction` and `target`, each with a scale of its own."""
    shape, most = read_sizes(tape, size)
    return Case({name: tape.dyadic(shape, most, tape.scale(scales)) for name in ("prediction", "target")})


def read_probabilities(tape: Tape, size: Sides = (), with_zeros: bool = True) -> Case:
    """`probabilities` of two classes at least, and `labels`, of which none is at a probability of 0."""
    shape, most = read_sizes(tape, size, fewest=2)
    labels = _read_labels(tape, shape, most)
    return Case(probabilities=_read_probabilities(tape, labels, most, with_zeros), labels=labels)


def read_logits_and_labels(tape: Tape, size: Sides = (), fewest: int = 1, scales: Scales = LOGIT_SCALES) -> Case:
    """`logits` up to 2·10⁴ in size, or of these scales alone, and `labels`."""
    shape, most = read_sizes(tape, size, fewest)
    logits = read_logits(tape, shape, most, scales)
    return Case(logits=logits, labels=_read_labels(tape, shape, most))


def read_row(tape: Tape, size: Sides = (), scales: Scales = LOGIT_SCALES) -> Case:
    """`logits` up to 2·10⁴ in size, or of these scales alone, and `labels` of 0 and 1; where they may be distributions
    in sixteenths too.
    """
    (images, _), (most, _) = read_sizes(tape, size, most=1)
    logits = read_logits(tape, (images, 1), (most, 1), scales)[..., 0]
    drawn = tape.matrix((images,), (most,))
    is_soft = setting().labels != "integers" and tape.choose(2)
    return Case(logits=logits, labels=(drawn % 17) / 16 if is_soft else (drawn % 2) * 1.0)


def read_impossible(tape: Tape) -> Case:
    """Each row's likeliest label has the probability 0; the next class has what it had."""
    case = read_probabilities(tape, with_zeros=False)
    hit = np.eye(case.labels.shape[-1])[case.labels.argmax(axis=-1)]
    moved = np.roll(hit, 1, axis=-1) * (case.probabilities * hit).sum(axis=-1, keepdims=True)
    return case.changed(probabilities=case.probabilities * (1 - hit) + moved)


def read_moderate_logits(tape: Tape) -> Case:
    """Two classes at least, and logits up to 4: none is less likely than one in 20,000."""
    return read_logits_and_labels(tape, fewest=2, scales=MODEST)


def every_labelling(name: str) -> Iterator[Case]:
    """For up to two images of two to four classes every way to label them, with one array of this name."""
    for images, classes in product((1, 2), (2, 3, 4)):
        array = np.arange(1.0, classes * images + 1).reshape(images, classes) / 64
        if name == "probabilities":
            array[:, 0] += 1 - array.sum(axis=1)
        for labels in product(range(classes), repeat=images):
            yield Case({name: array, "labels": np.eye(classes)[list(labels)]})


MODERATE: dict[str, Callable[[Tape], Case]] = {  # where differences tell something
    "squared_error": partial(read_squares, scales=MODEST),
    "cross_entropy": partial(read_probabilities, with_zeros=False),
    "softmax_cross_entropy": partial(read_logits_and_labels, scales=MODEST),
    "logistic_cross_entropy": partial(read_row, scales=MODEST),
}


def rows_of(case: Case, rows: Sequence[int]) -> Case:
    """The case with these of its images, in this order."""
    return Case({name: value[list(rows)] for name, value in case.items() if isinstance(value, np.ndarray)})


def smaller(case: Case) -> Iterator[Case]:
    """An image or a class less, or half of them; what was likely of a class goes to the first one that is left."""
    first, names = next(iter(case.values())), [name for name, value in case.items() if isinstance(value, np.ndarray)]
    for span in spans(len(first)):
        yield case.changed(**{name: without(case[name], 0, span) for name in names})
    for span in spans(first.shape[1]) if first.ndim > 1 and first.shape[1] > 1 + ("probabilities" in case) else ():
        fewer = case.changed(**{name: _without_class(name, case[name], span) for name in names})
        if _is_proper(fewer) or not _is_proper(case):
            yield fewer


def _without_class(name: str, array: Array, span: tuple[int, int]) -> Array:
    left = without(array, 1, span)
    if name in ("probabilities", "labels"):
        left[:, 0] += array[:, slice(*span)].sum(axis=1)
    return left


def _is_proper(case: Case) -> bool:
    """Whether no label is at a probability of 0, nor in the order reversed, and none is 1."""
    if "probabilities" not in case:
        return True
    counts = (case.labels > 0) | (case.labels[:, ::-1] > 0)
    counts[:, [0, -1]] = True
    return bool((case.probabilities[counts] > 0).all())


def certain(case: Case) -> Case:
    """The case with its labels certain, each row's likeliest alone."""
    if "labels" not in case:
        return Case(case)
    labels = case.labels
    likeliest = np.eye(labels.shape[1])[labels.argmax(axis=1)] if labels.ndim > 1 else (labels >= 0.5) * 1.0
    return case.changed(labels=likeliest)


def sure(case: Case) -> Case:
    """A case of certain labels with the right answer, of which one can be no surer."""
    if "prediction" in case:
        return case.changed(prediction=case.target.copy())
    if "probabilities" in case:
        return case.changed(probabilities=case.labels.copy())
    return case.changed(logits=FURTHEST * (2 * case.labels - 1))


class Step(NamedTuple):
    """A direction, how far one goes along it and back, and what the difference is off by beside rounding."""

    direction: Array
    length: float
    truncation: float


def steps(case: Case) -> Iterator[Step]:
    """Along each entry; of probabilities from an entry to its neighbour, so that they stay a distribution.

    Squares have no third derivative; that of −t log p is 2 t / p³. A central difference is off by h²/6 of the largest.
    """
    name, array = next(iter(case.items()))
    images, (length, share) = len(array), STEPS[setting().dtype]
    for place in np.ndindex(array.shape):
        direction, third, step = np.zeros(array.shape), BENDS * (name == "logits"), length
        direction[place] = 1.0
        if name == "probabilities":
            row, entry = place
            neighbour = row, (entry + 1) % array.shape[1]
            direction[neighbour] = -1.0
            least = min(array[place], array[neighbour])
            step = share * 2.0 ** np.floor(np.log2(least))
            third = sum(2 * case.labels[one] / (array[one] - step) ** 3 for one in (place, neighbour))
        yield Step(direction, float(step), float(averaged(step**2 / 6 * third, images)))
