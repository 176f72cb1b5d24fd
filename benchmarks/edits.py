"""Every small edit of the right code against every property, and some of them against the checkers used today.

An edit replaces one operation. What no property refutes, those that take every case of a kind included, must give the
right answers on further cases too: then it is equivalent, and listed with what its answers differ in. Else it survives.
"""

import warnings
from collections import Counter
from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

import hypothesis
import numpy as np

from benchmarks import peers
from benchmarks.trials import failures, settle, trial_of
from properties.harness.checking.comparison import require_right
from properties.harness.checking.fixed_cases import MOST_BYTES
from properties.harness.checking.properties import Property
from properties.harness.checking.trial import on_trial
from properties.harness.core.setting import Conventions
from properties.harness.core.tape import Tape
from properties.harness.core.values import parts
from properties.harness.edits.edit import Edit
from properties.harness.edits.edits import edits
from properties.harness.target.operation import Failure, Operation
from properties.harness.target.target import make_target
from properties.layers import OPERATIONS, layer_of
from properties.layers.plain import ways

SLIPS = 2  # the rank up to which edits are slips of the pen
CHUNK, FEW, MANY = 40, 10, 100  # edits that a process takes at once; examples at first, and for what then survives
Row = dict[str, Any]
FURTHER = 100  # cases of each kind, with seeds of their own, that an edit must be right on which nothing refutes
TO_THE_BIT = "the same to the bit"
BUT_FOR_ROUNDING = "the same but for rounding"
ANOTHER_CHOICE = "another legal choice at kinks"


@cache
def slips(operation: str) -> tuple[Edit, ...]:
    """The single edits of an operation's own code that are slips, for the true convolution."""
    return tuple(edit for some in edits(operation, True) for edit in some if edit.rank <= SLIPS and edit.part == 0)


def offered_with(operation: str, function: Any) -> dict[str, Any]:
    """A target of right operations, the fastest of their ways, with one of them replaced."""
    return {name: ways(name)[-1] for name in OPERATIONS} | {operation: function}


def refuted_by(operation: str, edit: Edit) -> str:
    """The id of the property that refutes an edit, of few examples first; empty if none does."""
    make = edit.code()
    settle(FEW, shrinks=False)
    target = make_target(SimpleNamespace(**offered_with(operation, make())), "double")
    with on_trial(target, Conventions("convolution", "first", 0.0)) as trial:
        if by := _first(failures(trial, [operation], _own)):
            return by
    settle(MANY, shrinks=False)
    with trial_of(offered_with(operation, make())) as trial:
        return _first(failures(trial, [operation]))


def _first(found: Iterator[tuple[Property, Failure | None]]) -> str:
    try:
        return next((entry.id for entry, failure in found if failure), "")
    except hypothesis.errors.Flaky:
        return "another answer to the same question"


def _own(entry: Property) -> bool:
    return entry.is_sampled and len(entry.operations) == 1


def rows(chunk: tuple[str, int, int]) -> list[Row]:
    """What is found about the edits of an operation from one number to another."""
    operation, start, stop = chunk
    found = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for number, edit in enumerate(slips(operation)[start:stop], start):
            try:
                right, wrong = edit.lines()
                by = refuted_by(operation, edit)
            except (SyntaxError, ValueError):
                continue  # no code at all
            row: Row = {"operation": operation, "number": number, "what": edit.what, "right": right, "wrong": wrong}
            found.append(row | {"refuted_by": by, "why": "" if by else why_equivalent(operation, edit)})
    return found


def chunks(every: int) -> list[tuple[str, int, int]]:
    """All edits, or one in so many, in portions."""
    found = [(name, start, start + CHUNK) for name in OPERATIONS for start in range(0, len(slips(name)), CHUNK)]
    return [(name, start, start + max(CHUNK // every, 1)) for name, start, _ in found]


def why_equivalent(operation: str, edit: Edit) -> str:
    """How the answers of an edit that nothing refutes differ from those of the code that it was made of.

    On cases that no property drew: Gaussian ones, and others off kinks and at them. Empty if an answer is wrong.
    """
    signature, generator = OPERATIONS[operation], np.random.default_rng(FURTHER)
    reads = [read for read in (signature.smooth, signature.kinked) if read]
    cases = [layer_of(operation).fresh(number, FURTHER) for number in range(FURTHER)]
    cases += [read(Tape(generator.bytes(MOST_BYTES))) for read in reads for _ in range(FURTHER)]
    with trial_of(offered_with(operation, edit.code()())) as trial:
        edited, right = trial.target.operations[operation], Operation(operation, edit.way.made())
        differences = set()
        for case in cases:
            try:
                require_right(edited, case)
                pairs = list(zip(parts(edited.at(case)), parts(right.at(case)), strict=True))
            except Failure:
                return ""
            if not all(np.array_equal(*pair) for pair in pairs):
                near = all(np.allclose(*pair, rtol=1e-9, atol=1e-9 * np.max(np.abs(pair), initial=0)) for pair in pairs)
                differences.add(BUT_FOR_ROUNDING if near or not signature.is_kinked(case) else ANOTHER_CHOICE)
    return " and ".join(sorted(differences)) or TO_THE_BIT


def checked(row: Row) -> Row:
    """What the checkers say of an edit that was refuted; None where they have no say."""
    operation = row["operation"]
    make = slips(operation)[row["number"]].code()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        said = {kind: peers.refuted(operation, offered_with(operation, make()), kind) for kind in peers.POINTS}
    return row | {"checkers": said}


def summary(found: list[Row], compared: list[Row]) -> str:
    """Markdown: by operation how many edits are refuted and how many equivalent, and what the checkers refute."""
    lines = ["| operation | edits | refuted | equivalent | survive |", "| --- | ---: | ---: | ---: | ---: |"]
    for name in (*OPERATIONS, ""):
        some = [row for row in found if name in ("", row["operation"])]
        counts = Counter("refuted" if row["refuted_by"] else "equivalent" if row["why"] else "survive" for row in some)
        cells = [len(some), counts["refuted"], counts["equivalent"], counts["survive"]]
        lines.append(f"| {name or '**all**'} | {' | '.join(f'{cell:,}' for cell in cells)} |")
    lines += ["", f"Of {len(compared)} of those that are refuted, the checkers refute:", ""]
    lines += ["| checker | points | edits refuted |", "| --- | --- | ---: |"]
    for checker in peers.CHECKERS:
        for kind in peers.POINTS:
            said = [row["checkers"][kind][checker] for row in compared]
            lines.append(f"| {checker} | {kind} | {sum(map(bool, said))} of {len(said) - said.count(None)} |")
    return "\n".join(lines)


def equivalents(found: list[Row]) -> str:
    """Markdown: the edits that nothing refutes, each with what its answers differ in; a wrong one is our defect."""
    lines = ["| operation | edit | right | edited | its answers are |", "| --- | --- | --- | --- | --- |"]
    for row in found:
        if not row["refuted_by"]:
            cells = [
                row["operation"],
                row["what"],
                f"`{row['right']}`",
                f"`{row['wrong']}`",
                row["why"] or "**wrong**",
            ]
            lines.append(f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' / ') for cell in cells)} |")
    return "\n".join(lines)
