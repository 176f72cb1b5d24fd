"""The scripts of a report's failures: each is run once, and written as a file beside the report."""

import os
import re
import signal
import stat
import sys
import textwrap
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired

from ..core.reason import Reason
from ..report.data import Report, Result
from ..target.modules import cells_of
from ..why.reproduction import DEPENDS
from .outputs import write

MARK = "# A failure that backproof found: "
SECONDS, _GLANCE = 60, 0.2  # that a script may take, and all until the last one is begun; between looks for a stop
NOT_ALONE = Reason(
    "alone in a new process it answers otherwise: what it gives rests on earlier calls, on the time or on chance",
    mend="compute from the arguments alone",
    kind="behaviour",
)
_RUN = """\
import sys
names = {"__name__": "__main__"}
try:
    exec(sys.stdin.buffer.read(), names)
except Exception:
    sys.exit(1 if "expected" in names else 3)"""
_SHOWS, _NOT_RUN = 1, -signal.SIGINT
_CANNOT = "It cannot show the failure alone. When it was made it was run, and"
_TOLD = {
    _SHOWS: "It ends with status 1 as long as it fails, with 0 once that is mended.",
    _NOT_RUN: "It was not run when it was made. As long as it fails it should end with status 1, else with 0.",
    0: f"{_CANNOT} ended with status 0: what fails rests on calls before these, on the time, or on chance.",
    3: f"{_CANNOT} something else stopped it before the check, such as an import.",
    -signal.SIGALRM: f"{_CANNOT} had not ended after {SECONDS} s.",
}


def settle_scripts(results: Iterable[Result], spec: str | None, is_stopped: Callable[[], bool] = lambda: False) -> None:
    """Give each failure its script: the first of those that may show it that does, run where the check was run.

    Each says in its header what came of that. Without `spec`, a target that can be imported, none is run, nor if
    time is up or the user stops it. A notebook's cells are run before it.
    """
    failing = [result for result in results if result.scripts and result.fails]
    until = time.monotonic() + (SECONDS if spec else 0)
    above = ""
    if (notebook := re.match(r"(.*\.ipynb)(:|$)", spec or "")) and Path(notebook[1]).is_file():
        place = Path(notebook[1])
        above = "\n".join([f"import sys; sys.path.insert(0, {str(place.parent)!r})", *cells_of(place)]) + "\n"

    def try_in_turn(result: Result) -> None:
        for script in result.scripts:
            status = _status(above + script, is_stopped) if time.monotonic() < until else _NOT_RUN
            ended = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
            told = "\n# ".join(["", *textwrap.wrap(_TOLD.get(status, f"{_CANNOT} {ended}."), 98)])
            result.script = MARK + script[2:].replace("\n", f"{told}\n", 1)
            if status in (_SHOWS, _NOT_RUN):
                break
        if DEPENDS in script or not status:
            result.reasons = result.reasons or [NOT_ALONE]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            list(pool.map(try_in_turn, failing))
        except (KeyboardInterrupt, OSError):  # no process can be started
            until = 0.0


def _status(script: str, is_stopped: Callable[[], bool]) -> int:
    """How a script ends: its status, or less than 0 for a signal; one that is stopped by the user by SIGINT."""
    until, source = time.monotonic() + SECONDS, iter([script.encode()])
    with Popen([sys.executable, "-P", "-c", _RUN], stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL) as process:  # noqa: S603
        while not is_stopped() and time.monotonic() < until:
            with suppress(TimeoutExpired):
                process.communicate(next(source, None), _GLANCE)
                return process.returncode
        process.kill()
    return _NOT_RUN if is_stopped() else -signal.SIGALRM


def write_scripts(report: Report, beside: Path) -> tuple[dict[str, str], list[str]]:
    """Write each failure's script into a folder named after the report `beside` it: `report.json`, `report-failures`.

    Returns where each went by its property's id, and a line for whatever could not be written. Scripts of an earlier
    run are removed. A file that is no such script is left as it is, and so are links.
    """
    folder = beside.with_name(f"{beside.stem}-failures")
    failing = [(entry.id, entry.script) for entry in report.properties if entry.script]
    written, refused = dict[str, str](), list[str]()
    try:
        for path in folder.glob("*.py"):
            if stat.S_ISREG(path.lstat().st_mode) and path.read_bytes().startswith(MARK.encode()):
                path.unlink()
        with suppress(OSError):
            folder.rmdir()  # if there is nothing else in it
        if failing:
            folder.mkdir(exist_ok=True)
    except OSError as error:
        return {}, [f"cannot write the scripts of the failures into {folder}: {error.strerror}"]
    for identifier, script in failing:
        path = folder / (re.sub(r"[^\w.]+", "-", identifier).strip("-.") + ".py")
        if os.path.lexists(path):
            refused.append(f"{path} is left as it is: it is no script of a failure")
        elif complaint := write(str(path), script):
            refused.append(complaint)
            path.unlink(missing_ok=True)  # what is cut short is no script, and would be left as it is the next time
        else:
            written[identifier] = str(path)
    return written, refused
