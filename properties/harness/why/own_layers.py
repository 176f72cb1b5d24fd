"""What is wrong with the gradients of a target's own layer, as far as they and the derivatives by differences tell."""

import warnings
from collections.abc import Iterator
from contextlib import suppress
from itertools import combinations, permutations

import numpy as np

from ..core.reason import Reason
from ..core.setting import setting
from ..core.tape import SEED, Case, Tape
from ..core.values import Array, parts
from ..target.operation import Failure, Operation
from .conditions import confined
from .readings import ENOUGH, Measured, Part, likely, measured

CASES, MOST_ENTRIES, MOST_BLOCKS = 14, 120, 4
NOTHING = "its numbers fit none of what is looked for: a factor, a sign, a place, a block, a missing term"


def of_gradients(operation: Operation, failing: Case) -> tuple[Reason, ...]:
    """What the gradients say of a mistake, and of when they are wrong; nothing of a forward pass."""
    if not operation.signature.parts:
        return ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        asked = list(_asked(operation, failing))
    every = [
        Part(case, number, mine, value, allowed)
        for case, given, wanted, allowed in asked
        for number, (mine, value) in enumerate(zip(given, wanted, strict=True))
    ]
    wrong = {part.number for part in every if not part.is_near(part.value, 1e-9)}
    if not wrong:
        return ()
    names = operation.signature.parts
    right = [name for number, name in enumerate(names) if number not in wrong]
    place = f"of {', '.join(names)} it is {_listed([names[one] for one in sorted(wrong)])} whose gradient is wrong"
    found = _named(operation, asked, every, wrong) or NOTHING
    tried = [(part.case, not part.is_near(part.value, 1e-9)) for part in every if part.number in wrong]
    where = confined(tried, {name: operation.signature.takes[name] for name in names})
    return tuple(
        Reason(words)
        for words in (
            found,
            place if right else "",
            f"of what was tried, it is wrong exactly where {where}" if where else "",
        )
        if words
    )


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _asked(operation: Operation, failing: Case) -> Iterator[tuple[Case, list[Array], list[Array], float]]:
    """Small cases, the failing one first, with the gradients given and those by differences, and what they may err."""
    own, generator = setting().own_layers[operation.signature.layer], np.random.default_rng(SEED)
    cases = [failing] if failing.keys() >= operation.signature.takes.keys() else []
    for _ in range(8 * CASES):
        with suppress(Exception):
            cases.append(own.reader.generic(Tape(generator.bytes(2**14))))
    for case in [one for one in cases if sum(one[name].size for name in own.drawn) <= MOST_ENTRIES][:CASES]:
        with suppress(Failure, NotImplementedError):
            given, values = parts(operation.at(case)), own.derivatives(case)
            allowed = max(float(value.allowed.max(initial=0.0)) for value in values)
            if np.isfinite(allowed):
                yield case, list(given), [value.value for value in values], 2 * allowed


def _named(operation: Operation, asked: Measured, every: list[Part], wrong: set[int]) -> str | None:
    for number in sorted(wrong):
        own = [part for part in every if part.number == number]
        for reading in (_by_size, _swapped, _transposed, _blocks, _missing):
            if words := reading(operation, own, every):
                return f"the gradient for {operation.signature.parts[number]} {words}"
    return measured(operation.name, asked) or likely(operation.name, asked)


def _by_size(operation: Operation, parts: list[Part], every: list[Part]) -> str | None:
    """That it is divided by a size, or multiplied: a mean for a sum, or a sum for a mean."""
    own = setting().own_layers[operation.signature.layer]
    sizes = [own.sizes_of(part.case) for part in parts]
    for letter in sizes[0]:
        if len({one[letter] for one in sizes}) > 1:
            pairs = [(part, one[letter]) for part, one in zip(parts, sizes, strict=True)]
            if all(part.is_near(part.value / size) for part, size in pairs):
                return f"is divided by {letter}: a mean in place of a sum"
            if all(part.is_near(part.value * size) for part, size in pairs):
                return f"is {letter} times too large: a sum in place of a mean"
    return None


def _swapped(operation: Operation, parts: list[Part], every: list[Part]) -> str | None:
    """That it is the gradient for another array, in some cases in which the two have one shape of several entries."""
    for number, name in enumerate(operation.signature.parts):
        others = [part.value for part in every if part.number == number]
        pairs = [(part, other) for part, other in zip(parts, others, strict=True) if part.value.shape == other.shape]
        pairs = [(part, other) for part, other in pairs if other.size > 1]
        if number == parts[0].number or len(pairs) < ENOUGH or all(part.is_near(part.value) for part, _ in pairs):
            continue
        if all(part.is_near(other) for part, other in pairs):
            return f"is that for {name}: the two are swapped, or one is given twice"
    return None


def _transposed(operation: Operation, parts: list[Part], every: list[Part]) -> str | None:
    """That two of its axes are swapped, where they are as long."""
    axes = parts[0].value.ndim
    for first, second in combinations(range(axes), 2):
        square = [part for part in parts if part.value.shape[first] == part.value.shape[second] > 1]
        turned = [part.is_near(part.value.swapaxes(first, second)) for part in square]
        if square and all(turned) and not all(part.is_near(part.value) for part in square):
            return f"has axes {first} and {second} swapped, where they are as long"
    return None


def _blocks(operation: Operation, parts: list[Part], every: list[Part]) -> str | None:
    """That equal blocks along an axis, as the gates of a cell, are in another order, or wrong in one alone."""
    for axis in range(parts[0].value.ndim):
        for count in range(MOST_BLOCKS, 1, -1):
            fitting = [part for part in parts if part.value.shape[axis] % count == 0 and part.value.shape[axis] > 1]
            if len(fitting) < len(parts):
                continue
            pairs = [(p, np.split(p.mine, count, axis), np.split(p.value, count, axis)) for p in fitting]
            for order in permutations(range(count)):
                if order != tuple(range(count)) and all(
                    p.is_near(np.concatenate([wanted[one] for one in order], axis)) for p, _, wanted in pairs
                ):
                    return f"has the {count} blocks along axis {axis} in the order {', '.join(map(str, order))}"
            wrong = {
                one
                for p, given, wanted in pairs
                for one in range(count)
                if not p._replace(mine=given[one]).is_near(wanted[one])
            }
            if 0 < len(wrong) < count > 2:
                which = _listed([str(one) for one in sorted(wrong)])
                return f"is wrong in block {which} of {count} along axis {axis} alone, counted from 0"
    return None


def _missing(operation: Operation, parts: list[Part], every: list[Part]) -> str | None:
    """That what is missing is the same all along an axis, as what goes through a mean or a sum is."""
    for axis in range(parts[0].value.ndim):
        missing = [part.value - part.mine for part in parts if part.value.shape[axis] > 1]
        if len(missing) < ENOUGH or not any(
            np.abs(one).max(initial=0.0) > part.allowed for one, part in zip(missing, parts, strict=False)
        ):
            continue
        spread = [np.ptp(one, axis=axis).max(initial=0.0) for one in missing]
        if all(
            one <= 1e-9 * np.abs(gap).max(initial=0.0) + 4 * parts[0].allowed
            for one, gap in zip(spread, missing, strict=True)
        ):
            return f"lacks a term that is the same all along axis {axis}: what goes through a sum or a mean over it"
    return None
