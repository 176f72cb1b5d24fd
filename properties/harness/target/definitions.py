"""Where the operations of a target are defined, and where they raised: the lines of its code that a report shows."""

import ast
import linecache
import os
import sys
import sysconfig
import tokenize
import warnings
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache, partial
from hashlib import sha256
from inspect import getattr_static
from pathlib import Path
from traceback import walk_tb
from types import CodeType, FunctionType, MethodType
from typing import Any

from ..core.text import printable
from .modules import BUNDLED, HOME, real_name
from .timeouts import WATCH

MOST_LINES, LONGEST_LINE = 40, 200  # of a function, and the characters of one, that are kept
MOST_FRAMES, LONGEST_CODE = 5, 100  # of a traceback, and the characters of a line of code, or of a name
LARGEST_FILE = 2**20  # bytes of a file that is read for its functions' lines
_DEEPEST = 100  # callables inside each other: a chain of `__wrapped__` may be endless
INSTALLED = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")]


def definitions(functions: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The `file` and the `line` in which each of these functions is defined, by the same names, and its `lines`.

    Decorators, partial calls, methods and objects that can be called are looked through, and no attribute of theirs is
    run for it. The file is as `in_repository` has it, or a notebook and its cell. No entry has what is in none of the
    user's: functions in C, of installed libraries (those installed inside the repository too).
    There are no `lines` of a file that is too large or no longer has the function, and of a long one the first.
    Whatever they are, nothing is raised but the user's own interruption.
    """
    found = {name: _definition(function) for name, function in functions.items()}
    return {name: place for name, place in found.items() if place}


def in_repository(path: Path) -> str:
    """A file relative to the repository, in GitHub Actions, or else to the current folder, with forward slashes.

    So it is the same on every machine. A file elsewhere stays absolute: whoever asked for it had to say where it is.
    """
    folder, file = Path(os.environ.get("GITHUB_WORKSPACE") or ".").resolve(), path.resolve()
    return (file.relative_to(folder) if file.is_relative_to(folder) else file).as_posix()


def digest(spec: str, places: Mapping[str, dict[str, Any]]) -> str | None:
    """A digest of the files that hold these definitions, and of that which the target's name names; None without any.

    Whatever they are, nothing is raised.
    """
    folder = Path(os.environ.get("GITHUB_WORKSPACE") or ".")
    files = {folder / place["file"] for place in places.values()}
    path, suffix, _ = max(spec.partition(".ipynb"), spec.partition(".py"), key=lambda parts: len(parts[1]))
    named = (
        f"{path}{suffix}"
        if suffix
        else getattr_static(sys.modules.get(real_name(spec.partition(":")[0])), "__file__", None)
    )
    contents = set()
    for file in (*files, Path(named if type(named) is str else "")):
        with suppress(OSError, ValueError):
            contents.add(sha256(file.read_bytes()).hexdigest())
    return sha256("".join(sorted(contents)).encode()).hexdigest() if contents else None


def _definition(function: Any) -> dict[str, Any] | None:
    """The place of the innermost function that has one."""
    try:
        for code in reversed(list(_codes(function))):
            name = str.__str__(code.co_filename)  # which may be of a class of the target's own
            path, cell, line = Path(name), _cell(name), code.co_firstlineno
            if line < 1 or any(path.resolve().is_relative_to(folder) for folder in INSTALLED):
                continue
            if path.is_file():
                return {"file": in_repository(path), "line": line, "lines": _lines(_text(path), line)}
            if cell:
                return {"file": printable(name), "line": line, "lines": _lines(cell, line)}
    except BaseException as error:  # a name that is no path, a folder that is gone; what a target's own key does
        if WATCH.is_users(error):
            raise
    return None


def _cell(name: str) -> str:
    """The source of a notebook's cell of this name: `linecache` keeps it, with no time at which a file was changed.

    So it keeps what libraries make up too, under names in angle brackets; empty for these, and for any other name.
    """
    kept: Any = linecache.cache.get(name, ())
    return "".join(kept[2]) if len(kept) == 4 and kept[1] is None and not name.startswith("<") else ""


def _text(path: Path) -> str:
    """What is in a file of Python; empty if it is too large, or cannot be read."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            return ""
        with tokenize.open(path) as file:
            return file.read()
    except (OSError, ValueError, SyntaxError):
        return ""


def _lines(text: str, first: int) -> list[str]:
    """The lines of the function that begins on this line of a text, each of them printable; none if there is none."""
    end = _ends(text).get(first, 0)
    found = [printable(line.expandtabs()) for line in text.split("\n")[first - 1 : end][: MOST_LINES + 1]]
    kept = found[:MOST_LINES] + ["…"] * (len(found) > MOST_LINES)
    return [line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…" for line in kept]


@lru_cache(maxsize=8)
def _ends(text: str) -> dict[int, int]:
    """On which line each function of a text ends, by the one on which it begins: that of its first decorator."""
    ends: dict[int, int] = {}
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):  # the file was changed since it was loaded
        return {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
            first = min(one.lineno for one in (node, *decorators))
            ends[first] = max(node.end_lineno or first, ends.get(first, first))
    return ends


def _codes(function: Any) -> Iterator[CodeType]:
    """The code of each function that this callable is made of, from the outside in, read without running any of it."""
    for _ in range(_DEEPEST):
        kind = type(function)
        call = None if kind is FunctionType else getattr_static(kind, "__call__", None)
        for one in (function, call):
            if type(one) is FunctionType:
                yield one.__code__
        if issubclass(kind, partial):
            function = partial.func.__get__(function)
        elif kind is MethodType:
            function = function.__func__
        else:
            function = getattr_static(function, "__wrapped__", call)


def frames_of(error: BaseException) -> list[dict[str, Any]]:
    """The `file`, `line`, `function` and `code` of the last `MOST_FRAMES` calls in the target that led to an exception.

    The newest stands last. Left out are this package's own frames and those of installed libraries. The file is as
    `in_repository` has it; the code is empty where it is in no file, nor in a cell that IPython keeps.
    """
    try:
        traceback = BaseException.__dict__["__traceback__"].__get__(error)  # its class may have one of its own
        last = deque((pair for pair in walk_tb(traceback) if _is_targets(pair[0].f_code.co_filename)), MOST_FRAMES)
        return [_frame(frame.f_code.co_filename, line, frame.f_code.co_qualname) for frame, line in last]
    except (OSError, ValueError, RuntimeError):  # a name that is no path, a folder that is gone
        return []


def _is_targets(name: str) -> bool:
    path = Path(name).resolve()
    if path.is_relative_to(HOME):
        return path.is_relative_to(HOME / BUNDLED)
    return not name.startswith("<frozen ") and not any(path.is_relative_to(folder) for folder in INSTALLED)


def _frame(name: str, line: int, function: str) -> dict[str, Any]:
    path = Path(name)
    code = linecache.getline(name, line).strip() if path.is_file() or name in linecache.cache else ""
    file = in_repository(path) if path.is_file() else name
    return {"file": printable(file), "line": line, "function": _short(function), "code": _short(code)}


def _short(text: str) -> str:
    text = printable(text)
    return text if len(text) <= LONGEST_CODE else f"{text[: LONGEST_CODE - 1]}…"
