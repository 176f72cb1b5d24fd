"""The certificate: for each operation what was proved, on how much, how surely, and what was not."""

from collections.abc import Iterator
from typing import Any

from ...layers import OPERATIONS
from ..target.layout import Layout
from .results import FAILING, NO_LONGER_FAILS

SEVERAL_CHANNELS = "several channels"
NOT_PROVED = (
    "larger shapes than these, but for the cases that were tried",
    "code that decides by the values of its input, but for the values that were tried",
    SEVERAL_CHANNELS,
    "that training succeeds",
)


_WORDS = {
    "refuted": "refuted",
    "crashed": "crashed",
    "stale": "a known deviation no longer fails",
    "known": "not proved: a known deviation fails",
}


def not_proved(layout: Layout) -> list[str]:
    """What no run proves of a target with this layout."""
    return [words for words in NOT_PROVED if words != SEVERAL_CHANNELS or not layout.channelled]


def certificate(entries: list[dict[str, Any]], rounds: int = 1) -> list[dict[str, Any]]:
    """What the results of a run, or of so many, allow one to say of each operation that was checked and not refuted.

    `chance` is the Schwartz–Zippel bound (degree / values)^points that a wrong polynomial of this degree passes on one
    shape, or on one activation pattern; `exactly` means that every answer was equal, not only within rounding.
    What leaves a case out is `partly` proved.
    """
    return [
        _of(name, mine, rounds)
        for name in OPERATIONS
        if (mine := [e for e in entries if e["operation"] == name and _ran(e)])
    ]


def counted_rounds(rounds: int) -> str:
    """So many rounds, in words."""
    return f"{rounds} round{'s' if rounds > 1 else ''}"


def _ran(entry: dict[str, Any]) -> bool:
    return entry["outcome"] not in ("not applicable", "not run")


def _of(operation: str, entries: list[dict[str, Any]], rounds: int) -> dict[str, Any]:
    held = [entry for entry in entries if entry["outcome"] == "held"]
    sampled = [entry for entry in held if not entry["proof"]]
    return {
        "operation": operation,
        "refuted": any(entry["outcome"] in (*FAILING, "known") for entry in entries),
        "why": next((why for why in _WORDS if any(_why(entry) == why for entry in entries)), None),
        "proved": [_proof(entry) for entry in held if entry["proof"] and not entry["left_out"]],
        "partly": [_proof(entry) for entry in held if entry["proof"] and entry["left_out"]],
        "sampled": {
            "properties": len(sampled),
            "examples": sum(entry["examples"] for entry in sampled),
            "rounds": rounds,
        },
        "largest_error": max((entry["largest_error"] for entry in held), default=0.0),
    }


def _why(entry: dict[str, Any]) -> str:
    return "stale" if entry["message"] == NO_LONGER_FAILS else str(entry["outcome"])


def _proof(entry: dict[str, Any]) -> dict[str, Any]:
    proof = entry["proof"]
    chance = (proof["degree"] / proof["values"]) ** proof["points"] if "degree" in proof else None
    return {
        "id": entry["id"],
        **proof,
        "cases": entry["examples"],
        "left_out": entry["left_out"],
        "exactly": entry["largest_error"] == 0,
        "chance": chance,
    }


def told(found: list[dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """The certificate in words: each operation with its lines."""
    for one in found:
        lines = [*map(_line, one["proved"]), *map(_partly, one["partly"])]
        sampled = one["sampled"]
        if sampled["properties"]:
            error = f"within {one['largest_error']:.2g} units of rounding" if one["largest_error"] else "exact"
            noun = "property" if sampled["properties"] == 1 else "properties"
            rounds = f" in {counted_rounds(sampled['rounds'])}" if sampled["rounds"] > 1 else ""
            lines.append(
                f"sampled by {sampled['properties']} {noun} on {sampled['examples']:,} examples{rounds}, {error}"
            )
        yield one["operation"], [_WORDS[one["why"]]] if one["refuted"] else lines


def _partly(proof: dict[str, Any]) -> str:
    """A proof with gaps, which is none."""
    part = f" in {proof['part']}" if "part" in proof else ""
    return (
        f"tried {proof['what']} {proof['where']}{part}: right {'exactly' if proof['exactly'] else 'to rounding'} in "
        f"{proof['cases']:,} cases, {proof['left_out']:,} left out as not implemented, so not proved"
    )


def _line(proof: dict[str, Any]) -> str:
    how = "exactly" if proof["exactly"] else "to rounding"
    cases = f"{proof['cases']:,} cases"
    right = f"right {how} in {proof['part']}" if "part" in proof else f"right {how}"
    if proof["chance"] is None:
        return f"{right if 'part' in proof else f'proved {how}'} {proof['what']} {proof['where']} ({cases})"
    patterns = f"{proof['covered']} of {proof['of']} patterns, " if "of" in proof else ""
    unseen = "" if proof["exactly"] else ", unless it differs by less than rounding"
    return (
        f"{right} {proof['what']} {proof['where']} ({patterns}{cases}): a wrong polynomial of degree "
        f"{proof['degree']} would pass {'one of them' if patterns else 'a shape'} with a chance of at most "
        f"{proof['chance']:.0e}{unseen}"
    )
