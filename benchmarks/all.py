"""All that the page of measurements shows, measured anew in one go, and written there.

`benchmarks/README.md` has a place for what each command prints, between `<!-- python -m benchmarks.NAME … -->` and
`<!-- end -->`; the commands run one after the other, as they stand there. Where one fails its place stays as it was.
"""

import re
import shlex
import subprocess
import sys
import time
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from rich.console import Console

from benchmarks.command import command

PAGE = Path(__file__).parent / "README.md"
PLACE = re.compile(
    r"<!-- python -m (?P<module>benchmarks\.\w+)(?P<options>[^\n]*) -->\n(?P<found>.*?)<!-- end -->", re.S
)


def in_markdown(printed: str) -> str:
    """What a benchmark printed, tables as they are and all else as text."""
    parts = []
    for is_table, lines in groupby(printed.strip().splitlines(), lambda line: line.startswith("|")):
        text = "\n".join(line.rstrip() for line in lines).strip("\n")
        if text:
            parts.append(text if is_table else f"```text\n{text}\n```")
    return "\n\n".join(parts)


def measured(place: re.Match[str]) -> str:
    """A place of the page with what its command prints now, or as it was if that fails."""
    module, options, console = place["module"], place["options"], Console(stderr=True)
    name = f"python -m {module}{options}"
    console.print(name, markup=False, highlight=False)
    started = time.perf_counter()
    called = [sys.executable, "-m", module, *shlex.split(options)]
    ended = subprocess.run(called, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        console.print(f"{name} ended with {ended.returncode}: its figures stay", style="red", markup=False)
        return place[0]
    when = f"{datetime.now(UTC):%Y-%m-%d}, {time.perf_counter() - started:.0f} s"
    return f"<!-- {name} -->\n`{name}`, on {when}:\n\n{in_markdown(ended.stdout)}\n<!-- end -->"


def main(only: str = "", page: str = str(PAGE)) -> dict[str, int]:
    """Measure, and write the page after each command; how many there were."""
    wanted, path = only.split(","), Path(page)
    places = list(PLACE.finditer(path.read_text(encoding="utf-8")))
    chosen = [one for one in places if not only or one["module"].removeprefix("benchmarks.") in wanted]
    for place in chosen:
        found = measured(place)
        path.write_text(path.read_text(encoding="utf-8").replace(place[0], found), encoding="utf-8")
    return {"measured": len(chosen)}


if __name__ == "__main__":
    command(main, only="these benchmarks alone, by commas", page="the page to write")
