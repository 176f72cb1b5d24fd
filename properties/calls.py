"""What every operation owes whoever calls it, whatever it computes."""

from contextlib import contextmanager, suppress

import numpy as np
import pytest

from .harness.checking.cases import cases_of_layers
from .harness.checking.comparison import agree, require, require_right
from .harness.checking.fixed_cases import larger, smooth
from .harness.checking.scaled import scaled_cases
from .harness.checking.statement import about, each, given, shown_by
from .harness.checking.trial import current
from .harness.core.memory_order import ORDERS, PLAIN, laid_out, reversed_entries
from .harness.core.tape import Case
from .harness.core.values import FIXED, Kind, Value, parts
from .harness.target.operation import Crashed, Failure
from .harness.target.process_state import MENDS, process_state, put_back, settle_down, where_changed
from .harness.target.timeouts import WATCH
from .layers import OPERATIONS, layer_of
from .layers.own.declared import ROLES


def _read_call(layer, tape):
    count = max(len(signature.parameters) for signature in layer.operations)
    orders = [ORDERS[tape.choose(len(ORDERS))] for _ in range(count)]
    return Case(layer.read(tape), _orders=orders)


CALLS = cases_of_layers(_read_call)


@about(OPERATIONS, own=ROLES)
@given(case=CALLS)
def test_keeps_the_contract(operation, siblings, case):
    """The answer is finite, of the right shape, and the same for the same values: again, after other calls, read-only,
    in every memory order, and in arrays that held others before; no argument changes, nor an answer once given.

    Source: the contract, on what every operation owes.
    """
    arguments = operation.signature.arguments(case)
    own, handed = operation.handed(arguments), operation.handed(arguments)
    given_out = operation.raw(*handed)
    first = operation.checked(given_out, arguments)
    _unchanged(operation, own, handed)
    other = layer_of(operation.name).other(case)
    _call_others(operation, siblings, other)
    kept = operation.checked(given_out, arguments)
    laid = [laid_out(value, order) for value, order in zip(own, case["_orders"], strict=False)]
    named = zip(operation.signature.parameters, laid, case["_orders"], strict=False)
    special = [f"{name} {order}" for name, value, order in named if order != PLAIN and isinstance(value, np.ndarray)]
    case["memory"] = ", ".join(special) or f"everything {PLAIN}"
    in_order = operation.checked(operation.raw(*laid), arguments)
    _unchanged(operation, own, laid)
    again = operation.checked(operation.raw(*handed), arguments)
    answers = {
        "the answer given out, after other calls,": kept,
        "the answer to the same arguments again": again,
        f"the answer with {case.memory}": in_order,
    }
    for what, answer in answers.items():
        _same(answer, first, operation, case, what)
    others = operation.signature.arguments(other)
    for array, value in zip(handed, operation.handed(others), strict=True):
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
        if any(
            case[name] < 0 for name, kind in operation.signature.takes.items() if kind is Kind.RATE
        ):  # who refuses to go uphill says so openly
            raise NotImplementedError from None
        raise


FEW_CASES = 3
OF_SEVERAL = [
    name for name, one in OPERATIONS.items() if sum(kind is not Kind.SIDES for kind in one.takes.values()) > 1
]
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
GIVING_ARRAYS = [name for name, signature in OPERATIONS.items() if not {*signature.gives} & {Kind.NUMBERS, Kind.SCALAR}]


def _few_cases(operation, **_):
    return smooth(operation.signature, FEW_CASES)


@pytest.mark.parametrize("operation", OF_SEVERAL, indirect=True)
@each(_few_cases, ordered=False)
def test_goes_by_every_argument(operation, case):
    """After a question that differs in one argument alone, by a factor of 1/2 or in the order of the classes, it gives
    the answer to the new one.

    A cache whose key leaves an argument out does not. Source: the contract's "the same answer for the same arguments",
    which is the answer to these.
    """
    first = Case(case)
    for name, kind in operation.signature.takes.items():
        if kind is not Kind.SIDES and operation.signature.is_given(name):
            operation.at(first)
            case.update(first, **{name: _another(kind, first[name])})
            require_right(operation, case)


def _another(kind, value):
    if kind not in FIXED:  # of an array without axes NumPy makes no array
        return np.asarray(value * 0.5) if isinstance(value, np.ndarray) else value * 0.5
    return 1 - value if kind is Kind.TRUTHS else reversed_entries(value)


@about(GIVING_ARRAYS, own=ROLES)
@each(_few_cases, ordered=False)
@shown_by("expected = np.array(ANSWER)\nANSWER[...] = 7\nyours = ANSWER")
def test_gives_its_answers_away(operation, case):
    """What it gives out is its caller's to write into: that changes no later answer.

    A cache that hands out its own array answers with what the caller made of it. Source: the contract's "the same
    answer for the same arguments".
    """
    arguments = operation.signature.arguments(case)
    first = operation(*arguments)
    with _written_into(operation.raw(*operation.handed(arguments))):
        later = operation(*arguments)
    _same(later, first, operation, case, "the answer after its caller wrote into an earlier one")


@about(OPERATIONS, own=ROLES)
@each(_few_cases, ordered=False)
@shown_by(SHARED)
def test_leaves_its_surroundings_alone(operation, case):
    """A call leaves NumPy's error state, the random states and the working directory as they were.

    Who calls a function that seeds a generator or silences NumPy loses more than its answer. Source: the contract's
    "the same answer for the same arguments", for everybody else's functions.
    """

    def call():
        operation.bare(*operation.handed(operation.signature.arguments(case)))

    folder = current().target.folder
    found, before = process_state(), settle_down(folder)
    try:
        call()
    finally:
        after = process_state()
        put_back(found)
    for what, (seen, _) in after.items():
        expected = before[what].seen
        where = where_changed(what, call, folder) if seen != expected else ""
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


def _unchanged(operation, before, handed):
    for name, old, new in zip(operation.signature.parameters, before, handed, strict=True):
        changed = np.shape(old) != np.shape(new) or np.not_equal(old, new)
        what = f"{operation.name} changed its argument {name}"
        require(not np.any(changed), what, yours=new, expected=old, wrong=changed, kind=Kind.ANY)


def _call_others(operation, siblings, other):
    size = next(iter(other.values())).size
    for sibling in (operation, siblings[size % len(siblings)]):
        if sibling is not operation and (sibling.name in WATCH.spared or sibling.name in WATCH.stuck):
            continue
        with suppress(Failure, NotImplementedError):  # theirs to answer for
            sibling.at(other)


def _same(yours, before, operation, case, what):
    layer, kinds = layer_of(operation.name), operation.signature.gives
    values = operation.signature.value(case) if layer.bounds is None else layer.bounds(operation.name, case)
    for mine, part, value, kind in zip(parts(yours), parts(before), values, kinds, strict=True):
        agree(mine, Value(part, 2 * value.units, value.size, value.floor), what, kind)
