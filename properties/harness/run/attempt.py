"""Run a failure's script once, as a process of its own: `attempt.py SCRIPT SECONDS [NOTEBOOK]`.

It ends with status 1 only if the script's own check does; with 3 if anything else stops it, such as an import. It ends
itself after so many seconds, whatever becomes of the process that started it. What the notebook defines is there.
"""

import faulthandler
import runpy
import signal
import sys
from importlib import import_module
from pathlib import Path

PATIENCE = 10  # seconds, for a call that does not come back


def attempt(script: str, seconds: int, notebook: str = "") -> int:
    """The status with which the script ends."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)
    later = faulthandler.dump_traceback_later

    def sooner(wait: float, exit: bool) -> None:  # noqa: A002  # as it is called there
        later(min(wait, PATIENCE), exit=exit)

    faulthandler.dump_traceback_later = sooner  # type: ignore[assignment]
    known = {}
    try:
        if notebook:
            package = Path(__file__).resolve().parents[2]
            sys.path.insert(0, str(package.parent))
            read = import_module(f"{package.name}.harness.target.notebook").read_notebook
            sys.path[0] = str(Path(notebook).parent)
            known = vars(read(Path(notebook)))
        sys.argv = [script]
        runpy.run_path(script, known, "__main__")
    except KeyboardInterrupt:
        raise
    except SystemExit as end:
        return 1 if isinstance(end.code, str) else 0 if end.code is None else end.code
    except BaseException:
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(attempt(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
