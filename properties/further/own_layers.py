"""What holds of every layer, whatever it computes: its backward pass gives the gradients of its forward pass."""

from itertools import chain

import numpy as np

from ..harness.checking.cases import cases_of_layers
from ..harness.checking.comparison import agree, require
from ..harness.checking.fixed_cases import read_off, smooth
from ..harness.checking.statement import about, each, given
from ..harness.checking.trial import current
from ..harness.core.limits import NotApplicable
from ..harness.core.memory_order import reversed_entries
from ..harness.core.reason import Reason
from ..harness.core.setting import setting
from ..harness.core.tape import SEED, Case
from ..harness.core.values import Value, parts
from ..layers.own.cases import direction
from ..layers.own.declared import is_upstream
from ..layers.own.differences import FIRST

any_cases = cases_of_layers(lambda layer, tape: layer.read(tape))
kinked_cases = cases_of_layers(lambda layer, tape: setting().own_layers[layer.name].reader.at_kinks(tape))
LOOSE = 2.0**-10  # of the size, at kinks: there one is a jump away, or right
FEW, CONFIRMED = 3, FIRST / 24
NEAR, NEIGHBOURS, ALIKE = 2.0**-12, 300, 12  # how far, how many, and after how many alike there is no kink
MOST_ENTRIES = 512


def _of(operation):
    return setting().own_layers[operation.signature.layer]


@about(own=["backward"])
@given(case=any_cases)
def test_gradients_match_differences(operation, function, case):
    """Along a line the gradient for each array is the derivative of `⟨forward, upstream⟩`, off kinks.

    It is refuted where it is further off than the error that the differences claim, for two sets of steps.
    Source: Ridders, Advances in Engineering Software 4, 1982.
    """
    _agree_along_lines(operation, case)


@about(own=["backward"])
@each(lambda operation, **_: smooth(operation.signature, FEW), ordered=False)
def test_every_entry_matches_differences(operation, function, case):
    """Every entry of every gradient is the derivative of `⟨forward, upstream⟩` as that entry moves, off kinks.

    Source: the definition of a gradient, and Ridders, Advances in Engineering Software 4, 1982.
    """
    own = _of(operation)
    for name, gradient in zip(own.drawn, parts(operation.at(case)), strict=True):
        for index in list(np.ndindex(gradient.shape))[:MOST_ENTRIES]:
            only = np.zeros(gradient.shape)
            only[index] = 1.0
            _agree_along(own, case, name, gradient, only)


@about(own=["backward"])
@each(lambda operation, **_: chain(*(read_off(read, 1) for read in _of(operation).reader.longer())), ordered=False)
def test_gradients_match_differences_at_a_larger_size(operation, function, case):
    """With sides of 17, 33 and 70, one letter at a time, the gradients along a line are the derivatives too.

    Source: the definition of a gradient, which knows no size.
    """
    _agree_along_lines(operation, case)


@about(own=["backward"])
@given(case=kinked_cases)
def test_gradients_at_kinks_lie_between(operation, function, case):
    """At kinks, of one output, the gradient along a line lies between the derivatives from the two sides.

    Each array moves alone, then all together: of two tied arrays each may get all of it, but not both. The derivatives
    next to it count too, and as much again to either side as they span, as one kink may be met twice.
    Source: Clarke, Optimization and Nonsmooth Analysis, 1983, for what lies between; BVLC/caffe#1334, for the wish.
    """
    own = _of(operation)
    answers = dict(zip(own.drawn, parts(operation.at(case)), strict=True))
    together = [tuple(answers)] if len(answers) > 1 else []
    for names in [*((name,) for name in answers), *together]:
        gradients = {name: answers[name] for name in names}
        _between(own, case, gradients, {name: np.ones(one.shape) for name, one in gradients.items()})
        _between(own, case, gradients, {name: direction(case, name) for name in names})


@about(own=["backward"])
@given(case=any_cases)
def test_is_linear_in_the_upstream(operation, case):
    """`backward(a u + b v) = a backward(u) + b backward(v)`, for factors large and small; 0 for an upstream of 0.

    Source: the chain rule: a gradient is the adjoint of a linear map, at one point.
    """
    own = _of(operation)
    names = list(filter(is_upstream, case))
    there = parts(operation.at(case))
    bounds = own.bounds(operation.name, case)
    for factor in (2.0**40, -(2.0**-40)):
        scaled = operation.at(case.changed(**{name: factor * case[name] for name in names}))
        _linear(
            own, scaled, [(factor * one, abs(factor) * bound.size) for one, bound in zip(there, bounds, strict=True)]
        )
    second = {name: reversed_entries(case[name]) + 0.5 for name in names}
    reversed_ones = case.changed(**second)
    others, beside = parts(operation.at(reversed_ones)), own.bounds(operation.name, reversed_ones)
    both = operation.at(case.changed(**{name: 2 * case[name] - 3 * second[name] for name in names}))
    sums = zip(there, bounds, others, beside, strict=True)
    _linear(own, both, [(2 * one - 3 * other, 2 * first.size + 3 * last.size) for one, first, other, last in sums])
    nothing = parts(operation.at(case.changed(**{name: np.zeros_like(case[name]) for name in names})))
    for name, one in zip(own.drawn, nothing, strict=True):
        message = f"for an upstream of 0 the gradient for {name} is not 0"
        reason = Reason("it adds what does not hang on the upstream gradient", kind="numbers")
        require(not one.any(), message, yours=one, expected=np.zeros_like(one), wrong=one != 0, diagnosis=(reason,))


@about(own=["forward", "backward"])
@given(case=any_cases)
def test_rows_do_not_influence_each_other(operation, case):
    """Where rows are declared to be independent, a row alone gives what it gives among others; gradients of what has
    no rows add up.

    Source: the declaration, and the linearity of a gradient in the upstream gradient.
    """
    own = _of(operation)
    if not own.rows:
        raise NotApplicable("no rows are declared to be independent")
    count = own.sizes_of(case)[own.rows]
    bounds = own.bounds(operation.name, case)
    alone = [parts(operation.at(_row(own, case, row, count))) for row in range(count)]
    for number, (whole, bound) in enumerate(zip(parts(operation.at(case)), bounds, strict=True)):
        several = [answer[number] for answer in alone]
        has_rows = operation.name.endswith("forward") or own.has_rows(own.drawn[number])
        expected = np.concatenate(several) if has_rows else sum(several)
        agree(whole, Value(expected, 4.0 * count, bound.size), f"{operation.name} of all rows")


def _row(own, case, row, count):
    of_rows = [name for name in case if is_upstream(name) or own.has_rows(name)]
    fixed = [name for name in own.specs if name not in own.drawn and len(np.atleast_1d(case[name])) == count]
    return case.changed(**{name: case[name][row : row + 1] for name in [*of_rows, *fixed] if np.ndim(case[name])})


def _linear(own, answers, expected):
    for name, mine, (value, size) in zip(own.drawn, parts(answers), expected, strict=True):
        agree(mine, Value(value, 4.0, size), f"the gradient for {name} of a sum of upstream gradients")


def _agree_along_lines(operation, case):
    own = _of(operation)
    for name, gradient in zip(own.drawn, parts(operation.at(case)), strict=True):
        _agree_along(own, case, name, gradient, direction(case, name))


def _agree_along(own, case, name, gradient, moved):
    size = float(np.abs(gradient * moved).sum())
    beside = float((own.rounding(case, name) * np.abs(moved)).sum()) + own.least
    mine, quick = float((gradient * moved).sum()), own.imaginary(case, {name: moved})
    if quick and not quick.excludes(mine, 2 * beside):
        _agreed(mine, quick, 2 * beside, size, name)
        return
    slopes = own.slopes(case, {name: moved}, size)
    if slopes.is_kink or not np.isfinite(slopes.central.error):
        return
    allowed = slopes.central.error + beside
    if abs(mine - slopes.central.value) > allowed:
        again = own.slopes(case, {name: moved}, size, CONFIRMED)
        if again.is_kink or not again.central.excludes(mine, beside):
            return
        whole = own.derivative(case, name) if gradient.size <= MOST_ENTRIES else None
        if whole is not None:
            agree(gradient, whole, f"the gradient for {name}")
    _agreed(mine, slopes.central, beside, size, name)


def _agreed(mine, estimate, beside, size, name):
    """Hold a gradient along a line against a derivative, and count what relative precision was reached."""
    allowed, scale = estimate.error + beside, size or 1.0
    current().record.tried["precisions"][2.0 ** np.ceil(np.log2(allowed / scale))] += 1
    expected = Value(estimate.value, allowed / scale / setting().eps, scale)
    agree(mine, expected, f"the gradient for {name}, along a line")


def _between(own, case, gradients, moved):
    mine = float(sum((one * moved[name]).sum() for name, one in gradients.items()))
    size = sum(float(np.abs(one * moved[name]).sum()) for name, one in gradients.items())
    size += sum(float(np.abs(one).sum()) for one in own.upstreams(case))
    slopes = own.slopes(case, moved, size)
    if not all(np.isfinite(one.error) for one in slopes):
        return
    loose = LOOSE * size + sum(one.error for one in slopes)
    low, high = slopes.ends
    if not low - loose <= mine <= high + loose:
        low, high = _span(own, case, moved, size, mine, (low, high))
    span = high - low if high - low > loose else 0.0
    holds = low - span - loose <= mine <= high + span + loose
    ends = f"[{low:.6g}, {high:.6g}]"
    told = f"the gradient for {next(iter(moved))}" if len(moved) == 1 else f"the gradients for {', '.join(moved)}"
    message = f"{told} along a line: {mine:.6g}, but the derivatives there lie in {ends}"
    reasons = _at_kinks(mine, low, high)
    yours = gradients[next(iter(moved))] if len(moved) == 1 else tuple(gradients.values())
    require(holds, message, yours=yours, expected=f"in {ends} along the line", diagnosis=reasons)


def _span(own, case, moved, size, mine, ends):
    """The derivatives along the line of the case and of what lies next to it, sought towards the gradient's own.

    The first are anywhere around; then a quarter of the entries is drawn anew, and kept if that is no worse.
    """
    generator, (low, high) = np.random.default_rng(SEED), ends
    beside = {one: generator.uniform(-1, 1, case[one].shape) for one in own.drawn}
    noise = np.inf  # that of what lies far enough off the kink
    last = None
    for tried in range(NEIGHBOURS):
        share = 1.0 if tried <= ALIKE else 0.25
        others = {key: generator.uniform(-1, 1, value.shape) for key, value in beside.items()}
        other = {key: np.where(generator.random(one.shape) < share, others[key], one) for key, one in beside.items()}
        away = Case(case, **{key: case[key] + NEAR * value for key, value in other.items()})
        noise = min(noise, own.noise(away)) if tried <= ALIKE else noise
        found = own.slopes(away, moved, size, NEAR / 64, noise).central
        if not np.isfinite(found.error) or found.error > LOOSE * size:
            continue
        low, high = min(low, found.value), max(high, found.value)
        if low <= mine <= high or (tried == ALIKE and high - low <= LOOSE * size):
            break
        if last is None or abs(mine - found.value) <= abs(mine - last):
            beside, last = other, found.value
    return low, high


def _at_kinks(mine, low, high):
    if high - low > LOOSE * (abs(low) + abs(high)) or not mine or not low:
        return (Reason("it is no choice between the two sides of the kink", kind="numbers"),)
    times = mine / low
    whole = (
        f", as if each of {round(times)} tied entries got it whole"
        if abs(times - round(times)) < 1e-6 and times > 1
        else ""
    )
    return (Reason(f"it is {times:.6g} times the derivative, which is the same on both sides{whole}", kind="numbers"),)
