"""The files that reports are written to: which of them are refused, so that nothing a user made is lost."""

import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterable, Mapping
from importlib.machinery import PathFinder
from itertools import combinations
from pathlib import Path

from ..core.text import printable
from ..target.modules import real_name

SOURCES = (".py", ".ipynb")


def place(text: str) -> str:
    """The path of a file that can be written, for `argparse`."""
    path = Path(text)
    if path.is_dir() or not path.resolve().parent.is_dir():
        raise ArgumentTypeError(f"cannot write to {text}: " + ("a folder" if path.is_dir() else "no such folder"))
    return text


def refusal(outputs: Mapping[str, str], inputs: Iterable[str], target: str | None) -> str | None:
    """The line that says why these reports are not written, by their options; None if all of them can be.

    A report is written neither over Python source or a notebook, nor over one of the `inputs` or the target's file,
    nor through a link to such a file, nor where another report goes. Without a target, a value that looks like one
    is the target whose report's file was forgotten.
    """
    read = [Path(name) for name in inputs] + [file for file in [source_of(target or "")] if file]
    for option, name in outputs.items():
        path, forgotten = Path(name), f"argument {option}: {name} looks like the target: name a file for the report"
        if _is_source(path) or (target is None and _is_source(Path(name.partition(":")[0]))):
            kind = f"argument {option}: no report is written over Python source or a notebook, {name}"
            return printable(forgotten if target is None else kind)
        if target is None and not path.exists() and source_of(name):
            return printable(forgotten)
        if any(_is_same(path, other) for other in read):
            return printable(f"argument {option}: no report is written over what is read, {name}")
    for first, second in combinations(outputs, 2):
        if _is_same(Path(outputs[first]), Path(outputs[second])):
            return printable(f"arguments {first} and {second}: two reports in one file, {outputs[second]}")
    return None


def write(path: str, content: str | bytes) -> str | None:
    """Write a report; the line that says why it cannot be."""
    try:
        data = content if isinstance(content, bytes) else content.encode(errors="backslashreplace")
        Path(path).write_bytes(data)
    except OSError as error:
        return f"cannot write to {path}: {error.strerror}"
    return None


def source_of(target: str) -> Path | None:
    """The file that a target's name means, a path or a dotted module with or without an attribute, if there is one.

    Nothing is imported for it.
    """
    name = target.partition(":")[0]
    if name.endswith(SOURCES):
        return Path(name) if Path(name).is_file() else None
    origin, places = None, [os.getcwd(), *sys.path]
    for part in real_name(name).split("."):
        specification = PathFinder.find_spec(part, places) if part.isidentifier() else None
        if specification is None:
            return None
        origin, places = specification.origin, specification.submodule_search_locations or []
    return Path(origin) if origin else None


def _is_source(path: Path) -> bool:
    return path.resolve().suffix.lower() in SOURCES or path.suffix.lower() in SOURCES


def _is_same(one: Path, other: Path) -> bool:
    """Whether two names are of one file, now or once it is written; a device is no file that is lost."""
    if one.exists() and other.exists():
        return one.is_file() and one.samefile(other)
    return one.resolve() == other.resolve()
