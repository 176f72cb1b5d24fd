"""The scripts of a report's failures: each is run once, and written as a file beside the report."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..report.data import Report, Result
from . import attempt
from .processes import stopped

MARK = "# A failure that backproof found: "
_GLANCE = 0.2  # seconds between two looks whether the user stops a script
SECONDS = 60  # that a script may take, and all of them until the last one is begun
_CANNOT = "It cannot show the failure alone. When it was made it was run, and {}."
_TOLD = {
    1: "It ends with status 1 as long as it fails, with 0 once that is mended.",
    -signal.SIGINT: "It was not run when it was made. As long as it fails it should end with status 1, else with 0.",
}
_ENDS = {
    0: "ended with status 0: what fails rests on calls that were made before these, on the time, or on chance",
    3: "something else stopped it before the check, such as an import",
}


def settle_scripts(results: Iterable[Result], spec: str | None, is_stopped: Callable[[], bool] = lambda: False) -> None:
    """Give each failure its script: the first of those that may show it that does, run where the check was run.

    Each says in its header what came of that. Without `spec`, a target that can be imported, none is run, nor if
    time is up, the user stops it, or no file can be written.
    """
    failing = [result for result in results if result.scripts and result.fails]
    until = time.monotonic() + (SECONDS if spec else 0)
    notebook = [re.sub(r"(?<=\.ipynb):.*", "", spec)] if spec and ".ipynb" in spec else []
    for result in failing:
        result.script = _headed(result.scripts[0], _TOLD[-signal.SIGINT])
    with suppress(OSError), TemporaryDirectory() as folder:  # a full disk: they stay as they are

        def first_that_shows(number: int) -> None:
            result = failing[number]
            path = Path(folder, f"{number}.py")
            for script in result.scripts:
                path.write_text(_headed(script, ""), encoding="utf-8")
                status = _status(path, notebook, is_stopped) if time.monotonic() < until else -signal.SIGINT
                if status in _TOLD:
                    break
            result.script = _headed(script, _TOLD.get(status) or _CANNOT.format(_ENDS.get(status, _ended(status))))

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            try:
                list(pool.map(first_that_shows, range(len(failing))))
            except KeyboardInterrupt:
                until = 0.0


def _status(path: Path, notebook: Sequence[str], is_stopped: Callable[[], bool]) -> int:
    """How a script ends: its status, or less than 0 for a signal; one that is stopped by the user by SIGINT."""
    command = [sys.executable, "-P", attempt.__file__, str(path), str(SECONDS), *notebook]
    nowhere: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    until = time.monotonic() + SECONDS + 5
    with subprocess.Popen(command, **nowhere) as process:  # noqa: S603
        while True:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(_GLANCE)
            for asleep in stopped(process.pid, with_children=True):  # by itself, and nobody is to wake it
                with suppress(ProcessLookupError):
                    os.kill(asleep, signal.SIGKILL)
            if is_stopped() or time.monotonic() > until:
                process.kill()
                process.wait()
                return -signal.SIGINT if is_stopped() else -signal.SIGALRM


def _ended(status: int) -> str:
    if status == -signal.SIGALRM:
        return f"had not ended after {SECONDS} s"
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def _headed(script: str, told: str) -> str:
    """The script with its first line marked, and then what is told of it."""
    first, _, rest = script.partition("\n")
    return f"{MARK}{first}\n{textwrap.fill(told, 100, initial_indent='# ', subsequent_indent='# ')}\n{rest}"


def write_scripts(report: Report, beside: Path) -> tuple[dict[str, str], list[str]]:
    """Write each failure's script into a folder named after the report `beside` it: `report.json`, `report-failures`.

    Returns where each went by its property's id, and a line for whatever could not be written. Scripts of an earlier
    run are removed. A file that is no such script is left as it is, and so are links.
    """
    folder = beside.with_name(f"{beside.stem}-failures")
    wanted = {_file_name(entry.id): (entry.id, entry.script) for entry in report.properties if entry.script}
    written: dict[str, str] = {}
    refused: list[str] = []
    try:
        for path in sorted(folder.glob("*.py")):
            if path.name not in wanted and _is_ours(path):
                path.unlink()
        if wanted:
            folder.mkdir(exist_ok=True)
        elif folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        return {}, [f"cannot write the scripts of the failures into {folder}: {error.strerror}"]
    for name, (identifier, script) in wanted.items():
        path = folder / name
        if (path.exists() or path.is_symlink()) and not _is_ours(path):
            refused.append(f"{path} is left as it is: it is no script of a failure")
            continue
        try:
            path.write_text(script, encoding="utf-8")
        except OSError as error:
            refused.append(f"cannot write {path}: {error.strerror}")
            path.unlink(missing_ok=True)  # what is cut short is no script, and would be left as it is the next time
        else:
            written[identifier] = str(path)
    return written, refused


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.]+", "-", name).strip("-.") + ".py"


def _is_ours(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline().startswith(MARK)
