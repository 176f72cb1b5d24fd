"""The files that reports are written to: which of them are refused, so that nothing a user made is lost."""

import os
import sys
from collections.abc import Iterable, Mapping
from importlib.machinery import PathFinder
from itertools import combinations
from pathlib import Path

from .modules import real_name
from .text import printable

SOURCES = (".py", ".ipynb")


def refusal(outputs: Mapping[str, str], inputs: Iterable[str], target: str | None) -> str | None:
    """The line that says why these reports are not written, by their options; None if all of them can be.

    A report is written neither over Python source or a notebook, nor over one of the `inputs` or the target's file,
    nor through a link to such a file, nor where another report goes. Without a target, a value that looks like one
    is the target whose report's file was forgotten.
    """
    read = [Path(name) for name in inputs] + [place for place in [source_of(target or "")] if place]
    for option, name in outputs.items():
        path, forgotten = Path(name), f"argument {option}: {name} looks like the target: name a file for the report"
        if _is_source(path) or (target is None and _is_source(Path(name.partition(":")[0]))):
            kind = f"argument {option}: no report is written over Python source or a notebook, {name}"
            return printable(kind if target else forgotten)
        if target is None and not path.exists() and source_of(name):
            return printable(forgotten)
        if any(_is_same(path, other) for other in read):
            return printable(f"argument {option}: no report is written over what is read, {name}")
    for first, second in combinations(outputs, 2):
        if _is_same(Path(outputs[first]), Path(outputs[second])):
            return printable(f"arguments {first} and {second}: two reports in one file, {outputs[second]}")
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
