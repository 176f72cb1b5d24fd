"""The certificate: for each operation what was proved, on how much, how surely, and what was not."""

from collections.abc import Iterator, Mapping

import numpy as np
from msgspec import UNSET
from msgspec.structs import asdict

from ...layers import OPERATIONS, in_order
from ..target.layout import Layout
from .data import Certified, Counts, Entry, Precision, Proof, Proved, Sampled, Why
from .results import grouped

SEVERAL_CHANNELS = "several channels"
NOT_PROVED = (
    "larger shapes than these, but for the cases that were tried",
    "code that decides by the values of its input, but for the values that were tried",
    SEVERAL_CHANNELS,
    "that training succeeds",
)
_WORDS: dict[Why, str] = {
    "refuted": "refuted",
    "crashed": "crashed",
    "stale": "a known deviation no longer fails",
    "known": "not proved: a known deviation fails",
}


def not_proved(layout: Layout) -> list[str]:
    """What no run proves of a target with this layout."""
    return [words for words in NOT_PROVED if words != SEVERAL_CHANNELS or not layout.channelled]


def certificate(entries: list[Entry], rounds: int = 1, precisions: Mapping[str, Counts] = {}) -> list[Certified]:
    """What the results of a run, or of so many, allow one to say of each operation that was checked and not refuted.

    `chance` is the Schwartz–Zippel bound (degree / values)^points that a wrong polynomial of this degree passes on one
    shape, or on one activation pattern; `exactly` means that every answer was equal, not only within rounding.
    What leaves a case out is `partly` proved. `precisions` are those of differences, counted for each operation.
    """
    ran = grouped([entry for entry in entries if entry.outcome not in ("not applicable", "not run")])
    return [_of(name, ran[name], rounds, precisions.get(name, {})) for name in in_order(ran)]


def counted_rounds(rounds: int) -> str:
    """So many rounds, in words."""
    return f"{rounds} round{'s' if rounds > 1 else ''}"


def _of(operation: str, entries: list[Entry], rounds: int, precisions: Counts) -> Certified:
    held = [entry for entry in entries if entry.outcome == "held"]
    proofs = [(_proved(entry, entry.proof), entry.left_out) for entry in held if entry.proof]
    sampled = [entry for entry in held if not entry.proof]
    outcomes = {"stale" if entry.note == "no longer fails" else entry.outcome for entry in entries}
    why = next((why for why in _WORDS if why in outcomes), None)
    return Certified(
        operation,
        why is not None,
        why,
        [theorem for entry in held if entry.id == OPERATIONS[operation].named_by for theorem in entry.theorems],
        [proof for proof, left_out in proofs if not left_out],
        [proof for proof, left_out in proofs if left_out],
        Sampled(len(sampled), sum(entry.examples for entry in sampled), rounds),
        max((entry.largest_error for entry in held), default=0.0),
        _precision(precisions),
    )


def _precision(counted: Counts) -> Precision | None:
    reached = np.repeat(np.array([float(one) for one in counted]), list(counted.values()))
    return Precision(*np.quantile(reached, (0.5, 0.9)).tolist()) if len(reached) else None


def _proved(entry: Entry, proof: Proof) -> Proved:
    chance = None
    if proof.degree is not UNSET and proof.values is not UNSET and proof.points is not UNSET:
        chance = (proof.degree / proof.values) ** proof.points
    return Proved(
        **asdict(proof) | {"id": entry.id},
        cases=entry.examples,
        left_out=entry.left_out,
        exactly=entry.largest_error == 0,
        chance=chance,
    )


def told(found: list[Certified]) -> Iterator[tuple[str, list[str]]]:
    """The certificate in words: each operation with its lines."""
    for one in found:
        lines = [*map(_line, one.proved), *map(_partly, one.partly)]
        sampled = one.sampled
        if sampled.properties:
            error = f"within {one.largest_error:.2g} units of rounding" if one.largest_error else "exact"
            if one.precision:
                precision = f"{one.precision.median:.0e}, nine of ten times {one.precision.nine_tenths:.0e}"
                error = f"to differences of relative precision {precision}"
            noun = "property" if sampled.properties == 1 else "properties"
            rounds = f" in {counted_rounds(sampled.rounds)}" if sampled.rounds > 1 else ""
            lines.append(f"sampled by {sampled.properties} {noun} on {sampled.examples:,} examples{rounds}, {error}")
        if one.theorems:
            file = one.theorems[0].partition(", ")[0]
            lines.insert(0, f"formula proved for every shape ({file}), code on these")
        yield one.operation, [_WORDS[one.why]] if one.why else lines


def _partly(proof: Proved) -> str:
    """A proof with gaps, which is none."""
    part = f" in {proof.part}" if proof.part else ""
    return (
        f"tried {proof.what} {proof.where}{part}: right {'exactly' if proof.exactly else 'to rounding'} in "
        f"{proof.cases:,} cases, {proof.left_out:,} left out as not implemented, so not proved"
    )


def _line(proof: Proved) -> str:
    how = "exactly" if proof.exactly else "to rounding"
    right = f"right {how} in {proof.part}" if proof.part else f"right {how}"
    if proof.chance is None:
        return f"{right if proof.part else f'proved {how}'} {proof.what} {proof.where} ({proof.cases:,} cases)"
    patterns = f"{proof.covered} of {proof.of} patterns, " if proof.of else ""
    unseen = "" if proof.exactly else ", unless it differs by less than rounding"
    return (
        f"{right} {proof.what} {proof.where} ({patterns}{proof.cases:,} cases): a wrong polynomial of degree "
        f"{proof.degree} would pass {'one of them' if patterns else 'a shape'} with a chance of at most "
        f"{proof.chance:.0e}{unseen}"
    )
