"""Which of a statement's calls show that it fails, without the statement: the fewest that go on showing it."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from .checks import Evidence, by_itself, exact_values
from .recording import Call, asked, replayed
from .target import Refuted, parts
from .text import literal
from .together import together

MOST_CALLS = 20
Judge = Callable[[Sequence[Call]], Evidence | None]


def evidence_in(calls: Sequence[Call]) -> Evidence | None:
    """The first call that is wrong by itself, or whose answer a later one changes; the others where they matter.

    None if all are right, and remain so with other calls before them.
    """
    for number, call in enumerate(calls):
        if by_itself([call]):
            plain = asked(call.operation, [np.array(v) if isinstance(v, np.ndarray) else v for v in call.before])
            before = [one for one in calls[:number] if one.operation.name == call.operation.name][1 - MOST_CALLS :]
            fewer = [[plain], [call], [_other(plain), plain, plain]]
            if before and _rests_on(before, call):
                fewer = []
            return _shortest([*before, call], by_itself, fewer)
        if call.changed_later:
            return _shortest(calls[number : number + MOST_CALLS], together, [calls[number : number + 2]])
    for call in {call.operation.name: call for call in calls}.values():
        if evidence := by_itself(replayed([_other(call), call, call])):
            return evidence
    return None


def evidence_of_contract(calls: Sequence[Call], operation: str) -> Evidence | None:
    """What shows that an operation does not keep its contract, in calls of which the first is one of its own."""
    own = [call for call in calls if call.operation.name == operation]
    pairs = [[own[0], later] for later in own[1:]]
    return _shortest(calls, together, [own[-1:], *pairs, own[:1] + own[-2:], own])


def evidence_of_relation(calls: Sequence[Call], failure: Refuted) -> Evidence:
    """The answers that a statement refuted together, though none is wrong by itself: that they are still the same."""
    some = [call for call in calls if not call.error and not call.malformed][-MOST_CALLS:]
    lines = []
    for number, call in enumerate(some, start=1):
        given = ", ".join(literal("", part) for part in parts(call.checked))
        lines.append(f"same.append(np.array_equal(answer_{number}, {f'({given})' if ',' in given else given}))")
    return Evidence(
        some,
        {number: f"answer_{number + 1} = CALL" for number in range(len(some))},
        ["same = []", *lines, f"if all(same):\n    raise SystemExit({failure.message!r})"],
        ["None of these answers is wrong by itself. It fails as long as they are the same as they were."],
    )


def _shortest(calls: Sequence[Call], judge: Judge, fewer: Iterable[Sequence[Call]]) -> Evidence | None:
    """What the first of the `fewer` calls that fail too shows, made anew; else all of them."""
    whole = judge(calls)
    for some in fewer:
        again = replayed(some)
        evidence = judge(again) if len(again) == len(some) else None
        if evidence and not (len(some) == 1 and _keeps_state(again[0])):
            return evidence
    return whole


def _other(call: Call) -> Call:
    """A call with other arguments of the same shapes."""
    return asked(call.operation, [2 * v + 1 if isinstance(v, np.ndarray) else v for v in call.before])


def _rests_on(before: Sequence[Call], call: Call) -> bool:
    """Whether the call, with arrays that it was not made with yet, is right alone and wrong after those before."""
    for shift in (0.0, 0.0625):

        def changed(one: Call, shift: float = shift) -> Call:
            return asked(one.operation, [1.3125 * v + shift if isinstance(v, np.ndarray) else v for v in one.before])

        if not _is_wrong([changed(call)]) and _is_wrong([changed(one) for one in (*before, call)]):
            return True
    return False


def _is_wrong(calls: Sequence[Call]) -> bool:
    made = replayed(calls)
    return len(made) == len(calls) and by_itself(made) is not None


def _keeps_state(call: Call) -> bool:
    """Whether the call is answered otherwise after another one, or another one with its very answer."""
    made = [call, *replayed([_other(call), call])]
    if len(made) < 3 or any(one.error or one.malformed for one in made):
        return False
    _, other, again = made
    if not _same(call, again):
        return True
    right = [[value.value for value in exact_values(one)] for one in (call, other)]
    differ = any(not np.allclose(one, two, rtol=1e-3) for one, two in zip(*right, strict=True))
    return (
        differ and _same(call, other) and (any(map(np.any, parts(call.checked))) or call.given_out is other.given_out)
    )


def _same(one: Call, other: Call) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(parts(one.checked), parts(other.checked), strict=True))
