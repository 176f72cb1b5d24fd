"""What every operation owes whoever calls it, whatever it computes."""

from contextlib import suppress
from functools import partial

import numpy as np
import pytest

from properties.harness import bounds
from properties.harness.bounds import Value
from properties.harness.comparison import agree, require
from properties.harness.contract import OPERATIONS
from properties.harness.layouts import LAYOUTS, laid_out
from properties.harness.probes import READERS, larger
from properties.harness.statement import each, given
from properties.harness.strategies import Case, decoded
from properties.harness.target import Failure


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


LARGER_CASES = 8


def _larger_cases(operation, **_):
    return larger(operation.signature.layer, LARGER_CASES)


@pytest.mark.parametrize("operation", list(OPERATIONS), indirect=True)
@each(_larger_cases, ordered=False)
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
