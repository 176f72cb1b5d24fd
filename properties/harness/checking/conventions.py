"""A first look at a target: for which shapes it is implemented, and what it chose where it may."""

from dataclasses import asdict, fields, replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from ...layers import LAYERS, OPERATIONS
from ..core.limits import Pair
from ..core.setting import SINGLE, Conventions, in_setting
from ..core.tape import Case
from ..core.values import Array, parts
from ..target.calling import part_of
from ..target.operation import Crashed, Failure, Operation, options_of
from ..target.target import Target
from ..target.timeouts import OutOfTime
from .fixed_cases import smooth

FOUND_BY = {
    "convolution": tuple(name for name, one in OPERATIONS.items() if one.follows == "convolution"),
    **{
        name: (by,) if isinstance(by, str) else by for layer in LAYERS.values() for name, (by, _) in layer.finds.items()
    },
}
_PROBES, _ASKED_FIRST = 5, 24
_DRAWN = 256  # of which one in sixteen has the padding that a target may have alone


def examined(target: Target, growth: int = 0) -> tuple[Target, Conventions]:
    """The target with the shapes that it implements, and the conventions that it follows, found without `growth`."""
    target = explored(asked_for_options(target))
    conventions = find(target)
    if growth:
        target = explored(replace(target, limits=replace(target.limits, left_out=frozenset(), growth=growth)))
    return target, conventions


def look_of(target: Target, conventions: Conventions) -> dict[str, Any]:
    """What a first look found, in plain values: for a process that is not to look for itself."""
    return {
        "offered": {name: sorted(one.has) for name, one in target.operations.items()},
        "left_out": target.limits.left_out,
        "growth": target.limits.growth,
        "conventions": asdict(conventions),
    }


def with_look(target: Target, look: dict[str, Any]) -> tuple[Target, Conventions]:
    """What `examined` gave, from what that found."""
    operations = {name: target.operations[name].having(frozenset(has)) for name, has in look["offered"].items()}
    limits = replace(target.limits, left_out=look["left_out"], growth=look["growth"])
    return replace(target, operations=operations, limits=limits), Conventions(**look["conventions"])


def asked_for_options(target: Target) -> Target:
    """The target with the options that it has though it declares none: a question tells. Of what has only options an
    operation without any is not offered.
    """
    operations = {}
    for name, one in target.operations.items():
        with in_setting(replace(target.setting(), most=SINGLE)):
            asked = one.signature.found_out.items()
            found = {option for option, has in asked if option in one.has or has(partial(_answer, target, name))}
        is_base = not (one.signature.function and one.signature.every_option)
        if (one.has | found or is_base) and not _lacks_the_part(one, target):
            operations[name] = one.having(one.has | found)
    return replace(target, operations=operations)


def _lacks_the_part(operation: Operation, target: Target) -> bool:
    """Whether it is to be a part of an answer that has no such part."""
    layer, pairs = LAYERS[operation.signature.layer], LAYERS[operation.signature.layer].pairs(target.limits)
    if part_of(operation.function) is None or not pairs:
        return False
    try:
        with in_setting(replace(target.setting(), most=SINGLE)):
            operation.at(layer.plain(pairs[0]))
    except Crashed as crashed:
        return isinstance(crashed.error, IndexError)
    except (Failure, NotImplementedError, OutOfTime):
        return False  # the properties will say so
    return False


def explored(target: Target) -> Target:
    """The target with its limits narrowed to what it implements, if a few shapes show that there is need to ask.

    A pair of shapes is left out where every operation of its layer that the target offers leaves it out. Cases
    are then mostly drawn from the rest: a case left out proves nothing. An operation that leaves every shape out
    is not offered, unless with some of its options it does not. With channels or batches one of each is asked.
    """
    left_out: set[tuple[str, Pair]] = set()
    stubs: set[str] = set()
    for name, layer in LAYERS.items():
        shapes = layer.pairs(target.limits)
        operations = [one for one in target.operations.values() if one.signature.layer == name]
        first = [layer.plain(pair) for pair in shapes[:: len(shapes) // _ASKED_FIRST + 1]] if operations else []
        asked = [one for one in operations if any(_leaves_out(one, case) for case in first)]
        bare = {one.name for one in asked if all(_leaves_out(one, layer.plain(pair)) for pair in shapes)}
        stubs |= {one.name for one in asked if one.name in bare and not _with_options(target, one, 1)}
        if rest := [one for one in operations if one.name not in bare] if asked else []:
            left_out |= {(name, pair) for pair in shapes if all(_leaves_out(one, layer.plain(pair)) for one in rest)}
    if not stubs and not left_out:
        return target
    offered = {name: one for name, one in target.operations.items() if name not in stubs}
    limits = replace(target.limits, left_out=frozenset(left_out)) if left_out else target.limits
    return replace(target, operations=offered, limits=limits)


def _with_options(target: Target, operation: Operation, count: int) -> list[Case]:
    """Up to so many cases, of one image, channel and filter, with options of the operation's that it implements."""
    if not operation.signature.options:
        return []
    with in_setting(replace(target.setting(), most=SINGLE, options=options_of([operation]))):
        drawn = smooth(operation.signature, _DRAWN)
        return list(islice((case for case in drawn if not _leaves_out(operation, case)), count))


def _leaves_out(operation: Operation, case: Case) -> bool:
    try:
        operation.raw(*operation.handed(operation.signature.arguments(case)))
    except NotImplementedError:
        return True
    except (Failure, OutOfTime):
        return False  # the properties will say so
    return False


def find(target: Target) -> Conventions:
    """The target's conventions; each stays None where it offers nothing to find it by, or fits nothing known.

    They are found with one image, one channel and one filter.
    """
    with in_setting(replace(target.setting(), most=SINGLE)):
        ways = {name: how for layer in LAYERS.values() for name, (_, how) in layer.finds.items()}
        found = {name: how(*(partial(_answer, target, one) for one in FOUND_BY[name])) for name, how in ways.items()}
    own = {field.name: found.pop(field.name) for field in fields(Conventions) if field.name in found}
    further = tuple((name, value) for name, value in found.items() if value is not None)
    return Conventions(convolution=_convolution(target), **own, further=further)


def _answer(target: Target, operation: str, case: Case) -> Any:
    try:
        return target.operations[operation].at(case)
    except (Failure, NotImplementedError, OutOfTime, KeyError):
        return None  # the properties will say so


def _convolution(target: Target) -> str | None:
    """The first operation to agree with one of the two on more probes decides: layers before the network.

    One that agrees with neither decides by being a multiple of one of them.
    """
    for operation in FOUND_BY["convolution"]:
        if operation in target.operations:
            votes = {name: _agreements(target, operation, name) for name in ("convolution", "correlation")}
            if votes["convolution"] != votes["correlation"]:
                return max(votes, key=lambda name: votes[name])
    return None


def _agreements(target: Target, operation: str, convention: str) -> tuple[bool, bool, int]:
    """Whether the operation gives what it should on most probes under this convention, or a multiple; on how many."""
    signature, layer = OPERATIONS[operation], LAYERS[OPERATIONS[operation].layer]
    agreements, answers, wanted = 0, [np.zeros(0)], [np.zeros(0)]
    with in_setting(replace(target.setting(Conventions(convention)), most=SINGLE)):
        left_out = target.limits.left_out
        pairs = layer.pairs(target.limits)
        pairs = tuple(pair for pair in pairs if pair[0] != (1, 1) and (layer.name, pair) not in left_out)
        plain = [layer.plain(pair) for pair in pairs[:: len(pairs) // _PROBES + 1]]
        asked = target.operations[operation]
        bare = asked.signature.options and all(_leaves_out(asked, case) for case in plain)
        for case in _with_options(target, asked, _PROBES) if bare else plain:
            expected = signature.value(case)[0]
            answer = _answer(target, operation, case)
            if answer is not None:
                answer = np.asarray(parts(answer)[0])
                agreements += bool(np.all(np.abs(answer - expected.value) <= expected.allowed))
                answers.append(answer.ravel())
                wanted.append(np.ravel(expected.value))
    return 2 * agreements >= len(answers), _is_multiple(np.concatenate(answers), np.concatenate(wanted)), agreements


def _is_multiple(answers: Array, wanted: Array) -> bool:
    factor = float(answers @ wanted) / (float(wanted @ wanted) or 1.0)
    allowed = 1e-6 * np.abs(answers).max(initial=0.0)
    return bool(factor and (np.abs(answers - factor * wanted) <= allowed).all())
