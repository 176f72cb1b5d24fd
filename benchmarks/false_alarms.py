"""Does the suite cry wolf? The reference and every correct variant, with many seeds: none may be refuted."""

import argparse
import json
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tqdm import tqdm

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


def main() -> None:
    """Run so many seeds of every target, and print how many examples there were and every alarm."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.false_alarms", description=__doc__)
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="seeds for each target (default: 1)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the first of them (default: 0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found there")
    options = parser.parse_args()
    names = [REFERENCE, *VARIANTS]
    asked = [(name, seed) for seed in range(options.seed, options.seed + options.runs) for name in names]
    with ProcessPoolExecutor() as pool:
        results = pool.map(run, *zip(*asked, strict=True))
        found = list(tqdm(results, total=len(asked), unit="run", desc="false alarms", disable=None))
    examples, alarms = sum(count for count, _ in found), [alarm for _, told in found for alarm in told]
    print(
        f"{len(names)} correct targets, seeds {options.seed} to {options.seed + options.runs - 1}: "
        f"{examples:,} examples, {len(alarms)} false alarms"
    )
    print("\n".join(alarms))
    if options.json:
        options.json.write_text(
            json.dumps({"targets": names, "runs": options.runs, "examples": examples, "alarms": alarms}, indent=1)
            + "\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
