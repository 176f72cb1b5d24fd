"""How small an error is always caught, and how much rounding is always let through, operation by operation.

An error is a factor 1 + e on the answer of the reference; it counts as caught if a property refutes it with every
seed. Rounding is noise of so many units of 2^-52 on every entry, its signs drawn anew for each answer; it counts as
let through if no property refutes it with any seed. PyTorch's `gradcheck` is asked the same at Gaussian points.
"""

import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
from tqdm import tqdm

import reference
from benchmarks import peers
from benchmarks.command import command
from benchmarks.trials import failures, reference_with, settle, trial_of
from properties.harness.core.values import changed_parts
from properties.layers import OPERATIONS

SEEDS = (0, 1, 2)
EXPONENTS = tuple(range(-1, -17, -1))
UNITS = (1, 2, 4, 8, 16, 32, 64)
PEER = "gradcheck"


def changed(operation: str, change: Callable[[Any], Any]) -> Callable[..., Any]:
    """The reference's operation with every part of its answer changed so."""
    function = getattr(reference, operation)

    return lambda *arguments: changed_parts(change, function(*arguments))


def noise(units: int) -> Callable[[Any], Any]:
    """Each entry off by so many units of rounding of its own size, not more, up or down by its values' own seed."""

    def change(part: Any) -> Any:
        part = np.asarray(part, dtype=np.float64)
        signs = np.random.default_rng(zlib.crc32(part.tobytes())).choice([-1.0, 1.0], part.shape)
        with np.errstate(over="ignore"):
            moved = part * (1 + units * 2.0**-52 * signs)
            too_far = np.abs(moved - part) > units * 2.0**-52 * np.abs(part)
            moved = np.where(too_far, np.nextafter(moved, part), moved)
        return np.where(np.isfinite(moved), moved, part)

    return change


def refuted(operation: str, change: Callable[[Any], Any], seed: int) -> bool:
    """Whether a property that samples and names the operation refutes it, changed so, with this seed."""
    settle(seed=seed, shrinks=False)
    with trial_of(reference_with({operation: changed(operation, change)})) as trial:
        return any(failure for _, failure in failures(trial, [operation], lambda entry: entry.is_sampled))


def floor(caught: Callable[[float], bool]) -> float | None:
    """The smallest error of those tried from large to small before the first that is not caught."""
    smallest = None
    for exponent in EXPONENTS:
        if not caught(10.0**exponent):
            break
        smallest = 10.0**exponent
    return smallest


def row(operation: str) -> dict[str, Any]:
    """What is found for one operation."""

    def ours(error: float) -> bool:
        return all(refuted(operation, lambda part: np.asarray(part) * (1 + error), seed) for seed in SEEDS)

    def theirs(error: float) -> bool:
        offered = reference_with({operation: changed(operation, lambda part: part * (1 + error))})
        return bool(peers.refuted(operation, offered, peers.POINTS[0], checkers=(PEER,))[PEER])

    let_through = 0
    for units in UNITS:
        if any(refuted(operation, noise(units), seed) for seed in SEEDS):
            break
        let_through = units
    return {"operation": operation, "caught": floor(ours), "let_through": let_through, PEER: floor(theirs)}


def main() -> list[dict[str, Any]]:
    """Measure every operation, print the table, and return what was found."""
    with ProcessPoolExecutor() as pool:
        rows = list(tqdm(pool.map(row, OPERATIONS), total=len(OPERATIONS), desc="detection floor", disable=None))
    print("| operation | relative error always caught | rounding always let through | `gradcheck` catches |")
    print("| --- | --- | --- | --- |")
    for one in rows:
        ours, theirs = (f"{value:.0e}" if value else "not 1e-1" for value in (one["caught"], one[PEER]))
        print(f"| `{one['operation']}` | {ours} | {one['let_through']} units | {theirs} |")
    return rows


if __name__ == "__main__":
    command(main)
