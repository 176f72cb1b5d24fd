"""Which calls may show a failure without its statement: from the fewest to all that it made, to be tried in turn."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from .checks import Evidence, by_itself, fails_if, following
from .contract import OPERATIONS
from .recording import Call, asked
from .target import Refuted, parts
from .text import literal
from .together import after_writing, together
from .trial import current

MOST_CALLS = 20


def evidence_in(calls: Sequence[Call]) -> Iterator[Evidence | None]:
    """Of the first call that is wrong by itself, or whose answer a later one changes: it, and it with others."""
    for number, call in enumerate(calls):
        if seen := by_itself(call):
            plain = asked(call.operation, [np.array(v) if isinstance(v, np.ndarray) else v for v in call.before])
            other = asked(call.operation, [2 * v + 1 if isinstance(v, np.ndarray) else v for v in call.before])
            same = [one for one in calls[:number] if one.operation.name == call.operation.name]
            yield replace(seen, calls=[plain])
            for before in ([], [other], same, calls[:number], _siblings(call), [plain] * MOST_CALLS):
                yield following(before, seen)
            return
        if call.changed_later:
            yield together(calls[number : number + 2])
            yield together(calls[number:])
            return


def evidence_of_contract(calls: Sequence[Call], operation: str) -> Iterator[Evidence | None]:
    """What shows that an operation does not keep its contract, in calls of which the first is one of its own."""
    own = [call for call in calls if call.operation.name == operation]
    pairs = [[own[0], later] for later in own[1:]]
    for some in [own[-1:], *pairs, own[:1] + own[-2:], own, calls[calls.index(own[0]) :] if own else []]:
        yield together(some) if some else None
    yield after_writing(own[0]) if own else None


def evidence_of_surroundings(calls: Sequence[Call]) -> Evidence:
    """That the call changes what it shares with others: as the statement about this has it."""
    name = calls[-1].operation.name
    helper = (
        "def shared():\n"
        '    """What a call must leave alone."""\n'
        "    kind, keys, *rest = np.random.get_state()\n"
        "    drawn = random.getstate(), (kind, keys.tobytes(), *rest)\n"
        '    return {"NumPy\'s error state": np.geterr(), "a random state": drawn, "the folder": os.getcwd()}'
    )
    lines = [
        "changed = [what for what, state in shared().items() if state != before[what]]",
        *fails_if("changed", f'"{name} changes " + " and ".join(changed)', f"{name} leaves all that alone"),
    ]
    bound = {-1: "random.seed(7)\nnp.random.seed(7)\nbefore = shared()\nCALL"}
    return Evidence(calls[-1:], bound, lines, [], ["import os", "import random", "", "", helper])


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


def _siblings(call: Call) -> list[Call]:
    """The other operations of the target that take some of the call's arguments, called on these."""
    offered = current().target.operations
    return [
        asked(offered[name], call.case.arguments(*signature.parameters))
        for name, signature in OPERATIONS.items()
        if name in offered and name != call.operation.name and call.case.keys() >= set(signature.parameters)
    ]
