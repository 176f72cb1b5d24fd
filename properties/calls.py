"""What every operation owes whoever calls it, whatever it computes."""

from contextlib import suppress
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from properties.harness import bounds
from properties.harness.bounds import Value
from properties.harness.comparison import agree, require
from properties.harness.contract import OPERATIONS
from properties.harness.layouts import LAYOUTS, laid_out
from properties.harness.limits import POOL, Limits, NotApplicable
from properties.harness.network_cases import read_smooth
from properties.harness.statement import each, given
from properties.harness.strategies import (
    Case,
    Tape,
    decoded,
    read_activation,
    read_convolution,
    read_dense,
    read_moderate,
    read_pooling,
)
from properties.harness.target import Failure
from properties.harness.trial import current, on_trial

READERS = {
    "activations": read_activation,
    "convolution": read_convolution,
    "pooling": read_pooling,
    "dense": read_dense,
    "network": read_smooth,
}


def _read_call(read, tape):
    layout = LAYOUTS[tape.choose(len(LAYOUTS))]
    return Case(read(tape), layout=layout)


CALLS = {layer: decoded(partial(_read_call, read)) for layer, read in READERS.items()}


@pytest.mark.parametrize("operation", list(OPERATIONS), indirect=True)
@given(case=CALLS)
def test_keeps_the_contract(operation, siblings, case):
    """The answer is finite, of the right shape, and the same for the same values: again, after other calls,
    read-only and in every memory order; and no argument changes, nor an answer once given.

    Source: the contract, on what every operation owes.
    """
    arguments = case.arguments(*operation.signature.parameters)
    handed = tuple(np.array(value) if isinstance(value, np.ndarray) else value for value in arguments)
    given_out = operation.raw(*handed)
    first = operation.checked(given_out, arguments)
    for name, before, after in zip(operation.signature.parameters, arguments, handed, strict=True):
        unchanged = np.array_equal(before, after)
        require(unchanged, f"{operation.name} changed its argument {name}", yours=after, expected=before)
    _call_others(operation, siblings, case)
    answers = {
        "the answer given out, after other calls,": operation.checked(given_out, arguments),
        "the answer to the same arguments again": operation(*arguments),
        f"the answer to {case.layout} arguments": operation.checked(
            operation.raw(*(laid_out(value, case.layout) for value in arguments)), arguments
        ),
    }
    for what, answer in answers.items():
        for yours, before, value in zip(_parts(answer), _parts(first), bounds.of(operation.name, case), strict=True):
            agree(yours, Value(before, 2 * value.units, value.size, value.floor), what)


def _larger_cases(operation, **_):
    trial = current()
    if trial.target.limits != Limits():
        raise NotApplicable("the target does not support every shape")
    layer = operation.signature.layer
    window = POOL if layer == "network" else LARGER_WINDOW
    limits = Limits(kernels=(LARGER_KERNEL,), windows=(window,), images=(LARGER_IMAGE,))
    generator = np.random.default_rng(LARGER_SEED)
    with on_trial(replace(trial.target, limits=limits), trial.conventions):
        return [LARGER_READERS[layer](Tape(generator.bytes(LARGER_BYTES))) for _ in range(LARGER_CASES)]


def _read_larger_dense(tape):
    return Case(
        features=tape.dyadic((1, LARGER_COUNT), (1, LARGER_COUNT)),
        weights=tape.dyadic((LARGER_COUNT, 1), (LARGER_COUNT, 1)),
        upstream=tape.dyadic((1, 1), (1, 1)),
    )


LARGER_KERNEL, LARGER_WINDOW, LARGER_IMAGE, LARGER_COUNT = (7, 6), (5, 3), (20, 33), 40
LARGER_SEED, LARGER_CASES, LARGER_BYTES = 7839, 8, 2**14
LARGER_READERS = {
    "activations": lambda tape: Case(x=np.resize(read_moderate(tape).x, (11, 13))),
    "convolution": read_convolution,
    "pooling": partial(read_pooling, maxima="unique"),
    "dense": _read_larger_dense,
    "network": read_smooth,
}


@pytest.mark.parametrize("operation", list(OPERATIONS), indirect=True)
@each(_larger_cases)
def test_holds_at_a_larger_size(operation, case):
    """It is right beyond the sizes that are sampled too: for 20×33 images, 7×6 kernels, 5×3 windows, 40 features.

    What fails is cut down as far as it goes on failing. Source: the definitions of the operations, which know no size.
    """
    answer = operation(*case.arguments(*operation.signature.parameters))
    for yours, value in zip(_parts(answer), bounds.of(operation.name, case), strict=True):
        agree(yours, value, operation.name)


def _call_others(operation, siblings, case):
    other = {name: value[..., ::-1] if isinstance(value, np.ndarray) else value for name, value in case.items()}
    size = next(iter(case.values())).size
    for sibling in (operation, siblings[size % len(siblings)]):
        with suppress(Failure, NotImplementedError):  # theirs to answer for
            sibling(*(other[name] for name in sibling.signature.parameters))


def _parts(answer):
    return answer if isinstance(answer, tuple) else (answer,)
