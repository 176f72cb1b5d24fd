"""What every operation owes whoever calls it, whatever it computes."""

from contextlib import contextmanager, suppress
from functools import partial

import numpy as np
import pytest

from .harness.checking.cases import decoded
from .harness.checking.comparison import agree, require
from .harness.checking.fixed_cases import READERS, larger, smooth
from .harness.checking.scaled import scaled_cases
from .harness.checking.statement import each, given, shown_by
from .harness.checking.trial import current
from .harness.core.memory_order import LAYOUTS, PLAIN, laid_out, reversed_entries
from .harness.core.tape import Case
from .harness.core.values import Value, parts
from .harness.target.operation import Crashed, Failure
from .harness.target.process_state import MENDS, put_back, settle_down, surroundings, where_changed
from .harness.target.timeouts import WATCH
from .layers import OPERATIONS, bounds
from .layers.membership import require_right

MOST_ARGUMENTS = max(len(signature.parameters) for signature in OPERATIONS.values())


def _read_call(read, tape):
    layouts = [LAYOUTS[tape.choose(len(LAYOUTS))] for _ in range(MOST_ARGUMENTS)]
    return Case(read(tape), _layouts=layouts)


CALLS = {layer: decoded(partial(_read_call, read)) for layer, read in READERS.items()}


@pytest.mark.parametrize("operation", list(OPERATIONS), indirect=True)
@given(case=CALLS)
def test_keeps_the_contract(operation, siblings, case):
    """The answer is finite, of the right shape, and the same for the same values: again, after other calls, read-only,
    in every memory order, and in arrays that held others before; no argument changes, nor an answer once given.

    Source: the contract, on what every operation owes.
    """
    arguments = case.arguments(*operation.signature.parameters)
    handed = _copies(arguments)
    given_out = operation.raw(*handed)
    first = operation.checked(given_out, arguments)
    _unchanged(operation, arguments, handed)
    other = Case({name: reversed_entries(value) for name, value in case.items()})
    _call_others(operation, siblings, other)
    kept = operation.checked(given_out, arguments)
    laid = [laid_out(value, layout) for value, layout in zip(arguments, case["_layouts"], strict=False)]
    named = zip(operation.signature.parameters, laid, case["_layouts"], strict=False)
    special = [f"{name} {layout}" for name, value, layout in named if layout != PLAIN and isinstance(value, np.ndarray)]
    case["memory"] = ", ".join(special) or f"everything {PLAIN}"
    in_layout = operation.checked(operation.raw(*laid), arguments)
    _unchanged(operation, arguments, laid)
    again = operation.checked(operation.raw(*handed), arguments)
    answers = {
        "the answer given out, after other calls,": kept,
        "the answer to the same arguments again": again,
        f"the answer with {case.memory}": in_layout,
    }
    for what, answer in answers.items():
        _same(answer, first, operation, case, what)
    others = other.arguments(*operation.signature.parameters)
    for array, value in zip(handed, others, strict=True):
        if isinstance(array, np.ndarray):
            array[...] = value
    changed = operation.checked(operation.raw(*handed), others)
    _same(changed, operation(*others), operation, other, "the answer to the same arrays, changed in place,")


PATIENCE = 1.0  # seconds that a call may take for a larger one to follow
HOMOGENEOUS = [name for name, signature in OPERATIONS.items() if signature.layer in scaled_cases]


def _larger_cases(operation, **_):
    for case in larger(operation.signature.layer)[:: max(round(1 / current().share), 1)]:
        before = WATCH.inside
        yield case
        if WATCH.inside - before > PATIENCE:
            return


@pytest.mark.parametrize("operation", list(OPERATIONS), indirect=True)
@each(_larger_cases, ordered=False)
def test_holds_at_a_larger_size(operation, case):
    """It is right at larger sizes too: kernels to 11×11, windows to 17×17, sides to 70, up to 9 of whatever is counted.

    Sizes grow for as long as a call takes at most a second, and memory suffices: being right is not being fast. What
    fails is cut down as far as it goes on failing. Source: the definitions of the operations, which know no size.
    """
    try:
        require_right(operation, case)
    except Crashed as crashed:
        if isinstance(crashed.error, MemoryError):
            raise NotImplementedError from None
        raise


@pytest.mark.parametrize("operation", HOMOGENEOUS, indirect=True)
@given(case=scaled_cases)
def test_holds_at_every_scale(operation, case):
    """It is right at every scale of each of its arrays, from 2^-900 to 2^900, for targets and rates of every sign.

    Source: all but arctan and its like are homogeneous in each of their arrays, and scaling by a power of two is exact.
    """
    try:
        require_right(operation, case)
    except Crashed:
        if case.get("learning_rate", 0.0) < 0:  # who refuses to go uphill says so openly
            raise NotImplementedError from None
        raise


FEW_CASES = 3
OF_SEVERAL = [name for name, signature in OPERATIONS.items() if len({*signature.parameters} - {"window"}) > 1]
SHARED = """\
import os
import random


def shared():
    drawn = hash(random.getstate()), hash(str(np.random.get_state()))
    return {"NumPy's error state": np.geterr(), "random states": drawn, "working directory": os.getcwd()}


random.seed(7)
np.random.seed(7)
expected = shared()
CALL
yours = shared()"""
GIVING_ARRAYS = [name for name in OPERATIONS if name not in ("predict", "cost")]


def _few_cases(operation, **_):
    return smooth(operation.signature.layer, FEW_CASES)


@pytest.mark.parametrize("operation", OF_SEVERAL, indirect=True)
@each(_few_cases, ordered=False)
def test_goes_by_every_argument(operation, case):
    """After a question that differs in one argument alone, by a factor of 1/2, it gives the answer to the new one.

    A cache whose key leaves an argument out does not. Source: the contract's "the same answer for the same arguments",
    which is the answer to these.
    """
    first = Case(case)
    for name in operation.signature.parameters:
        if name != "window":
            operation(*first.arguments(*operation.signature.parameters))
            case.update(first, **{name: first[name] * 0.5})
            require_right(operation, case)


@pytest.mark.parametrize("operation", GIVING_ARRAYS, indirect=True)
@each(_few_cases, ordered=False)
@shown_by("expected = np.array(ANSWER)\nANSWER[...] = 7\nyours = ANSWER")
def test_gives_its_answers_away(operation, case):
    """What it gives out is its caller's to write into: that changes no later answer.

    A cache that hands out its own array answers with what the caller made of it. Source: the contract's "the same
    answer for the same arguments".
    """
    arguments = case.arguments(*operation.signature.parameters)
    first = operation(*arguments)
    with _written_into(operation.raw(*_copies(arguments))):
        later = operation(*arguments)
    _same(later, first, operation, case, "the answer after its caller wrote into an earlier one")


@pytest.mark.parametrize("operation", list(OPERATIONS), indirect=True)
@each(_few_cases, ordered=False)
@shown_by(SHARED)
def test_leaves_its_surroundings_alone(operation, case):
    """A call leaves NumPy's error state, the random states and the working directory as they were.

    Who calls a function that seeds a generator or silences NumPy loses more than its answer. Source: the contract's
    "the same answer for the same arguments", for everybody else's functions.
    """

    def call():
        operation.bare(*_copies(case.arguments(*operation.signature.parameters)))

    found, before = surroundings(), settle_down()
    try:
        call()
    finally:
        after = surroundings()
        put_back(found)
    for what, (seen, _) in after.items():
        expected = before[what].seen
        where = where_changed(what, call) if seen != expected else ""
        message = f"{operation.name} changed {what}{where}"
        require(seen == expected, message, yours=seen, expected=expected, diagnosis=MENDS[what])


@contextmanager
def _written_into(answer):
    """Write into the arrays of an answer, and put back what they held: what keeps them is not to spoil other cases."""
    arrays = [part for part in parts(answer) if isinstance(part, np.ndarray) and part.flags.writeable]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array[...] = 7
    try:
        yield
    finally:
        for array, values in zip(arrays, before, strict=True):
            array[...] = values


def _unchanged(operation, arguments, handed):
    for name, before, after in zip(operation.signature.parameters, arguments, handed, strict=True):
        changed = np.shape(before) != np.shape(after) or np.not_equal(before, after)
        what = f"{operation.name} changed its argument {name}"
        require(not np.any(changed), what, yours=after, expected=before, wrong=changed)


def _copies(arguments):
    return tuple(np.array(value) if isinstance(value, np.ndarray) else value for value in arguments)


def _call_others(operation, siblings, other):
    size = next(iter(other.values())).size
    for sibling in (operation, siblings[size % len(siblings)]):
        if sibling is not operation and (sibling.name in WATCH.spared or sibling.name in WATCH.stuck):
            continue
        with suppress(Failure, NotImplementedError):  # theirs to answer for
            sibling(*other.arguments(*sibling.signature.parameters))


def _same(yours, before, operation, case, what):
    for mine, part, value in zip(parts(yours), parts(before), bounds.of(operation.name, case), strict=True):
        agree(mine, Value(part, 2 * value.units, value.size, value.floor), what)
