"""Mutation testing of the reference, with the properties as its only tests: `cosmic-ray` in a clone of this commit.

`cosmic-ray.toml` says how. Functions that no operation of the contract calls are left to `tests/reference`. It takes
about an hour, and prints every mutant that survives.
"""

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.command import command

ROOT = Path(__file__).parents[1]
NOT_CALLED = ("grow", "grown_dense", "mask_repeat", "train")  # by any operation
SURVIVORS = """
    select spec.module_path, spec.definition_name, spec.start_pos_row, result.diff
    from mutation_specs spec join work_results result using (job_id)
    where result.test_outcome = 'SURVIVED' order by 1, 3
"""


def leave_out(session: Path) -> None:
    """Take the mutants of functions that no operation calls out of a session."""
    with sqlite3.connect(session) as database:
        for name in NOT_CALLED:
            jobs = database.execute("select job_id from mutation_specs where definition_name = ?", (name,)).fetchall()
            for table in ("mutation_specs", "work_items"):
                database.executemany(f"delete from {table} where job_id = ?", jobs)  # noqa: S608 (names of our own)


def found(session: Path) -> dict[str, Any]:
    """How many mutants ran and how many survived, and of each survivor its place and its changed lines."""
    with sqlite3.connect(session) as database:
        ran = database.execute("select count(*) from work_results").fetchone()[0]
        rows = database.execute(SURVIVORS).fetchall()
    survivors = [{"module": m, "function": f, "line": line, "change": _changed(diff)} for m, f, line, diff in rows]
    return {"mutants": ran, "survived": len(survivors), "survivors": survivors}


def _changed(diff: str) -> list[str]:
    lines = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return [f"{line[0]} {line[1:].strip()}" for line in lines]


def main() -> dict[str, Any]:
    """Mutate, run, print and return what survived."""
    with tempfile.TemporaryDirectory() as folder:
        clone, session = Path(folder) / "clone", Path(folder) / "session.sqlite"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)  # noqa: S607
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        for command in ("init", "exec"):
            asked = [sys.executable, "-m", "cosmic_ray.cli", command, "cosmic-ray.toml", str(session)]
            subprocess.run(asked, cwd=clone, env=environment, check=True)
            if command == "init":
                leave_out(session)
        report = found(session)
    print(f"{report['mutants']} mutants, {report['survived']} survived")
    for one in report["survivors"]:
        print(f"\n{one['module']}, line {one['line']}, {one['function']}", *one["change"], sep="\n  ")
    return report


if __name__ == "__main__":
    command(main)
