"""The command line that all benchmarks have: `python -m benchmarks.NAME [--json FILE]` and options of their own."""

import argparse
import inspect
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def compiled(changed: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process whose start is timed, with some variables changed.

    It keeps what it compiles, as an installed package does, in a folder of its own: the first process takes longer.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {"PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "backproof-bytecode"), **kept, **(changed or {})}


def command(main: Callable[..., Any], **helps: str) -> None:
    """Call a benchmark's `main` with the options of the command line, and write what it returns where `--json` says.

    Each parameter of `main` is an option, described in `helps`. Its default says what it takes: a number, numbers where
    it is a tuple, a file to write where it is None. The module's docstring is the description.
    """
    module = sys.modules[main.__module__]
    name = module.__spec__.name if module.__spec__ else module.__name__
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=module.__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found there")
    for option, parameter in inspect.signature(main).parameters.items():
        default, text = parameter.default, helps.get(option, "")
        if default is None:
            parser.add_argument(f"--{option}", type=Path, metavar="FILE", help=text)
        elif isinstance(default, tuple):
            text = f"{text} (default: {' '.join(map(str, default))})"
            parser.add_argument(f"--{option}", type=int, nargs="*", default=default, metavar="N", help=text)
        else:
            text = f"{text} (default: %(default)s)"
            parser.add_argument(f"--{option}", type=type(default), default=default, metavar="N", help=text)
    options = vars(parser.parse_args())
    path = options.pop("json")
    found = main(**options)
    if path:
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
