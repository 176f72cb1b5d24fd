"""Where a target raised: the last frames of its own code, as plain data."""

import linecache
from collections import deque
from pathlib import Path
from traceback import walk_tb
from typing import Any

from ..core.text import printable
from .definitions import INSTALLED, in_repository
from .modules import BUNDLED, HOME

MOST = 5
LONGEST = 100  # characters of a line of code, or of a name

Frame = dict[str, Any]


def frames_of(error: BaseException) -> list[Frame]:
    """The `file`, `line`, `function` and `code` of the last `MOST` calls in the target that led to an exception.

    The newest stands last. Left out are this package's own frames and those of installed libraries. The file is as
    `in_repository` has it; the code is empty where it is in no file, nor in a cell that IPython keeps.
    """
    try:
        traceback = BaseException.__dict__["__traceback__"].__get__(error)  # its class may have one of its own
        last = deque((pair for pair in walk_tb(traceback) if _is_targets(pair[0].f_code.co_filename)), MOST)
        return [_frame(frame.f_code.co_filename, line, frame.f_code.co_qualname) for frame, line in last]
    except (OSError, ValueError, RuntimeError):  # a name that is no path, a folder that is gone
        return []


def _is_targets(name: str) -> bool:
    path = Path(name).resolve()
    if path.is_relative_to(HOME):
        return path.is_relative_to(HOME / BUNDLED)
    return not name.startswith("<frozen ") and not any(path.is_relative_to(folder) for folder in INSTALLED)


def _frame(name: str, line: int, function: str) -> Frame:
    path = Path(name)
    code = linecache.getline(name, line).strip() if path.is_file() or name in linecache.cache else ""
    file = in_repository(path) if path.is_file() else name
    return {"file": printable(file), "line": line, "function": _short(function), "code": _short(code)}


def _short(text: str) -> str:
    text = printable(text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
