"""Which calls may show a failure without its statement: from the fewest to all that it made, to be tried in turn."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ...layers.contract import OPERATIONS
from ..core.text import literal
from ..core.trial import current
from ..target.target import Refuted, parts
from .checks import BOTH, Evidence, by_itself, fails_if, following, part_of
from .recording import Call, asked

MOST_CALLS = 20


def evidence_in(calls: Sequence[Call]) -> Iterator[Evidence | None]:
    """Of the first call that is wrong or changes an argument, or whose answer a later one changes: it, and others."""
    for number, call in enumerate(calls):
        if seen := by_itself(call) or _changes_its_argument(call):
            plain = asked(call.operation, [np.array(v) if isinstance(v, np.ndarray) else v for v in call.before])
            other = asked(call.operation, [2 * v + 1 if isinstance(v, np.ndarray) else v for v in call.before])
            same = [one for one in calls[:number] if one.operation.name == call.operation.name]
            yield replace(seen, calls=[plain])
            for before in ([], same[:1], [other], same, calls[:number], _siblings(call), [plain] * MOST_CALLS):
                yield following(before, seen)
            return
        if call.changed_later:
            for some in (calls[number : number + 2], calls[number:]):
                yield _changes_its_answer([one for one in some if not one.error])
            return


def _changes_its_argument(call: Call) -> Evidence | None:
    if not call.changed:
        return None
    name, parameter = call.operation.name, call.changed[0]
    lines = [
        f"yours, expected = {parameter}, before",
        BOTH,
        *fails_if(
            "not np.array_equal(yours, expected)",
            f'"{name} changes its argument {parameter}"',
            f"{name} leaves {parameter} alone",
        ),
    ]
    return Evidence([call], {-1: f"before = {parameter}.copy()\nCALL"}, lines)


def _changes_its_answer(calls: Sequence[Call]) -> Evidence:
    """That the first call's answer is another one after the rest."""
    first, name = calls[0], calls[0].operation.name
    pairs = zip(parts(first.given_out), parts(first.answer), strict=True)
    number = next(number for number, (now, then) in enumerate(pairs) if not np.array_equal(now, then))
    lines = [
        BOTH,
        *fails_if(
            "not np.array_equal(yours, expected)",
            f'"{name} changes an answer that it gave before"',
            f"{name} leaves its answer alone",
        ),
    ]
    return Evidence(calls, {0: f"yours = {part_of(first, number)}\nexpected = np.array(yours)"}, lines)


def evidence_of_writing(call: Call) -> Evidence:
    """That the same question is answered otherwise once its caller has written into an answer."""
    name, part = call.operation.name, part_of(call, 0).replace("asarray", "array")
    copies = [[np.array(v) if isinstance(v, np.ndarray) else v for v in call.before] for _ in range(3)]
    write = "for part in CALL:\n    part[...] = 7" if "[0]" in part else "np.asarray(CALL)[...] = 7"
    lines = [
        BOTH,
        *fails_if(
            "not np.array_equal(yours, expected)",
            f'"{name}: the answer after its caller wrote into an earlier one is another"',
            f"{name} keeps no answer that its caller can write into",
        ),
    ]
    calls = [asked(call.operation, values) for values in copies]
    return Evidence(calls, {0: f"expected = {part}", 1: write, 2: f"yours = {part}"}, lines)


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
