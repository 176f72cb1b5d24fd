"""What several calls of one operation show that none shows alone: state, aliases, and memory order."""

from collections.abc import Sequence

import numpy as np

from . import bounds
from .checks import BOTH, Evidence, by_itself, fails_if, following, part_of
from .recording import Call, asked, layout_of
from .target import parts
from .text import literal


def together(calls: Sequence[Call]) -> Evidence | None:
    """What shows that the first call's operation does not keep its contract over these calls.

    The last call fails; or an argument changes; or an answer that was given out; or the same values, in the same
    arrays or in others, are answered otherwise.
    """
    if calls[-1].error or calls[-1].malformed:
        return following(calls[:-1], by_itself(calls[-1]))
    if len(calls) == 1:
        return _changes_its_argument(calls)
    first = calls[0]
    if first.changed_later:
        return _changes_its_answer(calls)
    arrays = [number for number, value in enumerate(first.arguments) if isinstance(value, np.ndarray)]
    for later, call in enumerate(calls[1:], start=1):
        if call.operation.name != first.operation.name or call.error:
            continue
        same = all(np.array_equal(one, other) for one, other in zip(call.before, first.before, strict=True))
        other_layout = any(
            layout_of(call.arguments[number]) != layout_of(first.arguments[number])
            or not call.arguments[number].flags.writeable
            for number in arrays
        )
        same_arrays = all(call.arguments[number] is first.arguments[number] for number in arrays)
        if same and (same_arrays or other_layout):
            what = "the same values in another memory order" if other_layout else "the same arguments again"
            if evidence := _differ(calls, 0, later, f"the answer to {what}"):
                return evidence
        elif same_arrays and later + 1 < len(calls):
            what = "the answer to the same arrays with other values in them"
            return _differ(calls, len(calls) - 1, later, what)
    return None


def after_writing(call: Call) -> Evidence:
    """What shows that the same question is answered otherwise once its caller has written into an answer."""
    name, part = call.operation.name, part_of(call, 0).replace("asarray", "array")
    calls = [
        asked(call.operation, [np.array(v) if isinstance(v, np.ndarray) else v for v in call.before]) for _ in "123"
    ]
    write = "for part in CALL:\n    part[...] = 7" if "[0]" in part else "np.asarray(CALL)[...] = 7"
    lines = [
        BOTH,
        *fails_if(
            "not np.array_equal(yours, expected)",
            f'"{name}: the answer after its caller wrote into an earlier one is another"',
            f"{name} keeps no answer that its caller can write into",
        ),
    ]
    return Evidence(calls, {0: f"expected = {part}", 1: write, 2: f"yours = {part}"}, lines)


def _changes_its_argument(calls: Sequence[Call]) -> Evidence | None:
    (call,) = calls
    for parameter, handed, before in zip(call.operation.signature.parameters, call.arguments, call.before, strict=True):
        if isinstance(before, np.ndarray) and not np.array_equal(handed, before):
            lines = [
                f"yours, expected = {parameter}, before",
                BOTH,
                *fails_if(
                    "not np.array_equal(yours, expected)",
                    f'"{call.operation.name} changes its argument {parameter}"',
                    f"{call.operation.name} leaves {parameter} alone",
                ),
            ]
            return Evidence(calls, {0: f"before = {parameter}.copy()\nCALL"}, lines)
    return None


def _changes_its_answer(calls: Sequence[Call]) -> Evidence:
    first, name = calls[0], calls[0].operation.name
    pairs = zip(parts(first.given_out), parts(first.answer), strict=True)
    number = next(number for number, (now, then) in enumerate(pairs) if not np.array_equal(now, then))
    wrong = "not np.array_equal(yours, expected)"
    lines = [
        BOTH,
        *fails_if(wrong, f'"{name} changes an answer that it gave before"', f"{name} leaves its answer alone"),
    ]
    bound = f"yours = {part_of(first, number)}\nexpected = np.array(yours)"
    return Evidence([call for call in calls if not call.error], {0: bound}, lines)


def _differ(calls: Sequence[Call], right: int, wrong: int, what: str) -> Evidence | None:
    """That two calls are answered differently: as the statement has it, by more than twice what either may be off."""
    one, two, name = calls[right], calls[wrong], calls[right].operation.name
    if any(call.error or call.malformed for call in (one, two)):
        return None
    values = bounds.of(name, one.case)
    for number, (expected, yours, value) in enumerate(zip(parts(one.checked), parts(two.checked), values, strict=True)):
        allowed = 2 * value.units * value.unit + value.floor
        if (np.abs(yours - expected) <= allowed).all():
            continue
        some = [call for call in calls[: max(right, wrong) + 1] if not call.error]
        bound = {some.index(two): "yours = " + part_of(two, number).replace("asarray", "array")}
        bound[some.index(one)] = "expected = " + part_of(one, number).replace("asarray", "array")
        lines = [
            literal("allowed", float(f"{np.min(allowed):.3g}")),
            BOTH,
            *fails_if(
                "not np.all(np.abs(yours - expected) <= allowed)",
                f'"{name}: {what} is another"',
                f"{name}: {what} is the same",
            ),
        ]
        return Evidence(some, bound, lines)
    return None
