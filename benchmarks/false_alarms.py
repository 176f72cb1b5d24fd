"""Does the suite cry wolf? The reference and every correct variant, with many seeds: none may be refuted."""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from tqdm import tqdm

from benchmarks.command import command
from benchmarks.trials import failures, reference_with, settle, trial_of
from benchmarks.variants import VARIANTS
from properties.layers import OPERATIONS

REFERENCE = "the reference"
EXAMPLES = 100


def run(name: str, seed: int) -> tuple[int, list[str]]:
    """The examples that were run on one target with this seed, and the alarms that there were.

    Only statements that sample are run, and only those that name an operation in which the variant differs:
    exhaustive ones do the same every time.
    """
    settle(EXAMPLES, seed, shrinks=False)
    changed: Mapping[str, Any] = VARIANTS.get(name, dict.fromkeys(OPERATIONS))
    examples, alarms = 0, []
    with trial_of(reference_with(VARIANTS.get(name, {}))) as trial:
        for entry, failure in failures(trial, changed, lambda entry: entry.is_sampled):
            examples += trial.record.examples
            alarms += [f"{name}: {entry.id}, seed {seed}: {failure}"] if failure else []
    return examples, alarms


def main(runs: int = 1, seed: int = 0) -> dict[str, Any]:
    """Run so many seeds of every target; print and return how many examples there were, and every alarm."""
    names = [REFERENCE, *VARIANTS]
    asked = [(name, each) for each in range(seed, seed + runs) for name in names]
    with ProcessPoolExecutor() as pool:
        results = pool.map(run, *zip(*asked, strict=True))
        found = list(tqdm(results, total=len(asked), unit="run", desc="false alarms", disable=None))
    examples, alarms = sum(count for count, _ in found), [alarm for _, told in found for alarm in told]
    seeds = f"seeds {seed} to {seed + runs - 1}"
    print(f"{len(names)} correct targets, {seeds}: {examples:,} examples, {len(alarms)} false alarms")
    print("\n".join(alarms))
    return {"targets": names, "runs": runs, "examples": examples, "alarms": alarms}


if __name__ == "__main__":
    command(main, runs="seeds for each target", seed="the first of them")
