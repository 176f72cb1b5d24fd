"""What is wrong with the answer to one call, and the lines of Python that check it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...layers import bounds, membership, oracles
from ...layers.bounds import ALLOWED, Value
from ...layers.membership import require_subgradient
from ...layers.network_cases import is_smooth
from ..core.text import literal
from ..core.trial import current
from ..target.target import parts
from .recording import Call, failing

BOTH = 'print("yours:", yours, "expected:", expected, sep="\\n")'


@dataclass
class Evidence:
    """Calls that show a failure, and the lines that check their answers.

    `bound` says by a call's number what is done with its answer, where CALL stands for the call; `notes` are told to
    the reader, `helpers` are the functions that the lines use.
    """

    calls: Sequence[Call]
    bound: dict[int, str]
    lines: list[str]
    notes: list[str] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)


def by_itself(call: Call) -> Evidence | None:
    """What shows that the answer to a call is wrong, or that it does not come; None for one that is right."""
    name, case = call.operation.name, call.case
    if call.error:
        return _raises(call)
    if call.malformed:
        return _is_malformed(call)
    answers, values = parts(call.checked), exact_values(call)
    if name == "max_pool_gradient" and oracles.maxima(case.x, case.window).sum() > case.upstream.size:
        return _is_no_subgradient(call)
    if name in ("gradients", "train_step") and not is_smooth(oracles.conv2d(case.image, case.kernel)):
        return _is_no_choice(call) or _differs(call, 1, answers[1], values[1])
    for number, (yours, value) in enumerate(zip(answers, values, strict=True)):
        if evidence := _differs(call, number, yours, value):
            return evidence
    return _is_no_subgradient(call) if name == "max_pool_gradient" else None


def following(before: Iterable[Call], seen: Evidence | None) -> Evidence | None:
    """The same evidence with these calls made before its own, but for those that raise."""
    made = [call for call in before if not call.error]
    if not seen or not made:
        return seen
    note = "The last answer depends on the calls before it, so these are made too."
    return replace(seen, calls=[*made, *seen.calls], notes=[*seen.notes, note])


def exact_values(call: Call) -> tuple[Value, ...]:
    """What the call must give, and its bounds; at kinks one legal answer of several."""
    if call.operation.name == "relu_derivative":
        at_zero = call.case.x == 0
        return (Value((call.case.x > 0) + 0.5 * at_zero, ALLOWED, 1.0, 0.5 * at_zero),)
    return bounds.of(call.operation.name, call.case)


def part_of(call: Call, number: int) -> str:
    """How a part of the answer to CALL is had as an array, or as a number."""
    shapes = call.operation.signature.answer(call.operation.layout, *call.before)
    read = "np.ravel" if call.operation.name == "predict" else "np.asarray"  # N numbers in any shape
    array = f"{read}(CALL{f'[{number}]' if len(shapes) > 1 else ''})"
    is_array = shapes[number] or call.operation.signature.layer == "activations"  # of no axes, perhaps
    return array if is_array else f"{array}.item()"


def fails_if(wrong: str, message: str, otherwise: str) -> list[str]:
    """The lines that end a script: with status 1 and the message if that is true."""
    return [f"if {wrong}:\n    raise SystemExit({message})", f'print("{otherwise}")']


def _raises(call: Call) -> Evidence:
    name = call.operation.name
    lines = [
        "except BaseException as error:",
        "    traceback.print_exc()",
        f'    raise SystemExit(f"{name} raised {{type(error).__name__}}")',
        f'print("{name} came back")',
    ]
    return Evidence([call], {-1: "import traceback\n\ntry:\n    CALL"}, lines)


def _is_malformed(call: Call) -> Evidence:
    name, shapes = call.operation.name, call.operation.signature.answer(call.operation.layout, *call.before)
    several = "(yours if isinstance(yours, (tuple, list)) else [yours])" if len(shapes) > 1 else "[yours]"
    lines = [
        f"given, shapes = [np.asarray(part) for part in {several}], {[shape or 1 for shape in shapes]}",
        'print("yours:", *given, *((part.shape, part.dtype) for part in given), "expected:", shapes, sep="\\n")',
        "shaped = [part.shape if isinstance(shape, tuple) else part.size for part, shape in zip(given, shapes)]",
        'finite = all(part.dtype.kind in "biuf" and np.isfinite(part).all() for part in given)',
        *fails_if(
            "len(given) != len(shapes) or shaped != shapes or not finite",
            f'"{name} does not give what it must"',
            f"{name} gives finite real numbers in these shapes",
        ),
    ]
    return Evidence([call], {-1: "yours = CALL"}, lines)


def _differs(call: Call, number: int, yours: Any, value: Value) -> Evidence | None:
    right = np.asarray(value.value, dtype=np.float64)
    allowed = np.broadcast_to(np.asarray(value.allowed, dtype=np.float64), right.shape)
    off = np.abs(np.asarray(yours) - right)
    if (off <= allowed).all():
        return None
    short = np.array([float(f"{one:.3g}") for one in allowed.flat]).reshape(allowed.shape)
    if not (off <= short).all():
        allowed = short
    lines = [
        literal("expected", right),
        literal("allowed", allowed.flat[0] if (allowed == allowed.flat[0]).all() else allowed),
        BOTH,
        "off = np.abs(yours - expected)",
        *fails_if(
            "np.shape(yours) != np.shape(expected) or not np.all(off <= allowed)",
            f'f"{call.operation.name} is wrong: off by {{np.max(off):.3g}}, allowed {{np.max(allowed):.3g}}"',
            f"{call.operation.name} is right here",
        ),
    ]
    notes = []
    if call.operation.name == "relu_derivative" and (call.case.x == 0).any():
        notes.append("At 0 any number in [0, 1] is right: 0.5, and 0.5 more or less.")
    return Evidence([call], {-1: "yours = " + part_of(call, number)}, lines, notes)


def _is_no_subgradient(call: Call) -> Evidence | None:
    if not failing(lambda: require_subgradient(call.checked, call.case)):
        return None
    rows, columns = call.case.window
    slack = (ALLOWED + rows * columns) * current().target.eps
    moved = "np.moveaxis({}, -1, 1)" if call.operation.layout.name == "NHWC" else "{}"
    last = f"    array = {moved.format('array')}\n" if "moveaxis" in moved else ""
    helper = (
        "def windows(array):\n"
        f'    """The array in windows of {rows}×{columns}, whose entries are along the axes -3 and -1."""\n'
        f"{last}    high, wide = array.shape[-2] // {rows}, array.shape[-1] // {columns}\n"
        f"    return array.reshape(*array.shape[:-2], high, {rows}, wide, {columns})"
    )
    bound = (
        "below, whole = windows(x) < windows(x).max(axis=(-3, -1), keepdims=True), upstream.copy()\n"
        "yours = np.asarray(CALL)"
    )
    lines = [
        'expected = "on each window\'s maxima its upstream value times weights of sum 1, none below 0; elsewhere 0"',
        BOTH,
        f"given, whole = windows(yours), np.expand_dims({moved.format('whole')}, (-3, -1))",
        "sums = given.sum(axis=(-3, -1), keepdims=True)",
        f"allowed = {slack:.3g} * np.abs(whole)",
        *fails_if("given[below].any()", '"entries below their window\'s maximum get a gradient"', "")[:1],
        *fails_if(
            "not np.all(np.abs(sums - whole) <= allowed)",
            "f\"the windows' gradients sum to {sums.ravel()}, not to upstream's {whole.ravel()}\"",
            "",
        )[:1],
        *fails_if(
            "np.any(given * np.sign(whole) < -allowed)", '"a weight is below 0"', "max_pool_gradient is right here"
        ),
    ]
    return Evidence([call], {-1: bound}, lines, [], [helper])


def _is_no_choice(call: Call) -> Evidence | None:
    """At a kink: a direction in which every legal gradient for the kernel goes further than the one that was given."""
    case = call.case
    rate = case.get("learning_rate", 1.0)
    if not rate:
        return _differs(call, 0, parts(call.checked)[0], exact_values(call)[0])
    gradient = parts(call.checked)[0]
    if "learning_rate" in case:
        gradient = (case.kernel - gradient) / rate
    values = bounds.forward(*case.arguments("image", "target", "kernel", "weights"))
    direction, least, nearest = membership.separation(gradient, case, values)
    error = membership.error_of(case, values)
    if "learning_rate" in case:
        error += bounds.norm(exact_values(call)[0].allowed) / rate
    allowed = bounds.norm(direction) * error + bounds.tiny()
    if (direction * gradient).sum() >= least - allowed:
        return None
    lines = [
        literal("expected", nearest) + "  # the nearest of all that are right here",
        literal("direction", direction),
        literal("least", least) + "  # the least inner product that any of them has with the direction",
        literal("allowed", float(f"{allowed:.3g}")),
        BOTH,
        "product = np.sum(direction * yours)",
        *fails_if(
            "np.shape(yours) != np.shape(expected) or not product >= least - allowed",
            f'f"{call.operation.name} is wrong: the inner product is {{product:.6g}}, not {{least:.6g}} or more"',
            f"{call.operation.name} is right here",
        ),
    ]
    bound = "yours = np.asarray(CALL[0])"
    notes = ["At this kink many gradients are right; a direction tells them all from the one that is given."]
    if "learning_rate" in case:
        bound = f"before = kernel.copy()\nyours = (before - np.asarray(CALL[0])) / {rate!r}"
        notes.append("It is the gradient for the kernel that is looked at: how far the kernel moved, over the rate.")
    return Evidence([call], {-1: bound}, lines, notes)
