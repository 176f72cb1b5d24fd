"""Loading a file, or a Jupyter notebook, as a module, so that files of one name do not get in each other's way."""

import ast
import importlib
import importlib.util
import json
import linecache
import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.machinery import PathFinder
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

from .world import World

PACKAGE, HOME = __name__.partition(".")[0], Path(__file__).resolve().parents[2]
BUNDLED = "reference"
_MAGIC = re.compile(r"^([ \t]*)[%!?]", re.MULTILINE)


def module_from(path: str | PathLike[str], world: World | None = None) -> ModuleType:
    """The module in the `.py` file or the notebook, `.ipynb`, at `path`, loaded anew, with its own folder first on the
    search path.

    A package is loaded by its `__init__.py`; of a notebook all code cells are run from the top. What is imported from
    that folder is its own too: two projects that both have a `utils.py` each get theirs, one loaded after the other or
    by the other. Nothing is left in `sys.path`, nor of the folder in `sys.modules`, so imports inside functions, run
    later, do not find it, unless in the target's `world`. Raises `FileNotFoundError`, `ImportError` for what is
    neither, `ValueError` for what is no notebook of format 4, and whatever the file raises.
    Source: the Python documentation of `importlib`, "Importing a source file directly".
    """
    file = Path(path).resolve()
    if not file.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    name, folder = file.stem, file.parent
    if file.suffix == ".ipynb":
        with alone(folder, world, name if _is_free(name, folder) else ""):
            return read_notebook(Path(path))
    if name == "__init__":  # of a package, which is found beside its folder
        name, folder = folder.name, folder.parent
    specification = importlib.util.spec_from_file_location(name, file)
    if specification is None or specification.loader is None:
        raise ImportError(f"neither a .py file nor a notebook: {path}")
    module = importlib.util.module_from_spec(specification)
    with alone(folder, world):
        register(module)
        specification.loader.exec_module(module)
    return module


def register(module: ModuleType) -> None:
    """Let a module be found by its name, where pickling looks for it, unless that is one of Python's own modules."""
    if module.__name__ not in sys.stdlib_module_names:  # a file may be called random.py
        sys.modules[module.__name__] = module


def real_name(name: str) -> str:
    """The module that a target's name means: what is bundled lies in the package, or beside it in a clone."""
    return f"{PACKAGE}.{name}" if _is_bundled(name) and (HOME / BUNDLED).is_dir() else name


def parted(spec: str) -> tuple[str, str]:
    """A target's file or module, and its attribute."""
    found = re.match(r"(.+?\.(?:py|ipynb)(?=:|$)|[^:]*):?(.*)", spec, re.DOTALL)
    return (found[1], found[2]) if found else (spec, "")


def gives(spec: str, functions: Mapping[str, Any]) -> bool:
    """Whether an import of what a target's name means gives these functions; of a file, whether there is one."""
    where, attribute = parted(spec)
    if where.endswith((".py", ".ipynb")):
        return Path(where).is_file()
    found: Any = sys.modules.get(real_name(where))
    for part in filter(None, attribute.split(".")):
        found = getattr(found, part, None)
    return where != "__main__" and all(getattr(found, name, None) == one for name, one in functions.items())


def named(name: str, world: World | None = None) -> ModuleType:
    """The module of this dotted name, looked for in the working directory first, unless it is bundled."""
    with importable(HOME.parent if _is_bundled(name) else Path.cwd(), world):
        return importlib.import_module(real_name(name))


def hiding() -> Path | None:
    """The file in the working directory that Python finds in place of this package when it is started there."""
    specification = PathFinder.find_spec(PACKAGE, [os.getcwd()])
    if specification is None or specification.origin is None or HOME.samefile(Path(specification.origin).parent):
        return None
    return Path(specification.origin)


def _is_bundled(name: str) -> bool:
    return _root(name) == BUNDLED


@contextmanager
def importable(folder: Path, world: World | None = None) -> Iterator[None]:
    """Put a folder first on the search path; in the target's `world` it stays there."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        if world:
            world.path = list(sys.path)
        with suppress(ValueError):  # it has made itself another path
            sys.path.remove(str(folder))


def needed(error: ModuleNotFoundError) -> str:
    """`FILE, line N, needs NAME`: what an import that failed was after, and the line of code that it stands in."""
    frames = traceback.extract_tb(error.__traceback__)
    frame = [one for one in frames if not one.filename.startswith("<frozen") and one.filename != importlib.__file__][-1]
    return f"{Path(frame.filename).name}, line {frame.lineno}, needs {error.name}"


@contextmanager
def alone(folder: Path, world: World | None = None, own: str = "") -> Iterator[None]:
    """Import from this folder first, and keep what comes of it apart from what others have imported.

    So is a module of its `own` that no import finds. They stay to be found in the target's `world`.
    """
    importlib.invalidate_caches()  # files may be newer than what was listed
    places = {_root(name): getattr(module, "__file__", None) for name, module in sys.modules.items() if "." not in name}
    rivals = {name for name, place in places.items() if name == own or _place(name, folder) not in (None, place)}
    aside = {name: sys.modules.pop(name) for name in list(sys.modules) if _root(name) in rivals}
    before = {_root(name) for name in sys.modules}
    try:
        with importable(folder, world):
            yield
    finally:
        world = world or World()
        world.is_own = lambda name: _place(_root(name), folder) is not None
        found = {_root(name) for name in sys.modules} - before
        added = {root for root in found if root == own or world.is_own(root)}
        world.take([name for name in sys.modules if _root(name) in added])
        sys.modules.update(aside)


def _is_free(name: str, folder: Path) -> bool:
    """Whether nothing else is imported by this name there: a notebook may be called like the library that it uses."""
    return "." not in name and PathFinder.find_spec(name, [str(folder), *sys.path]) is None


def _place(name: str, folder: Path) -> str | None:
    """The file that `import name` finds in this folder; None for Python's own modules, which it does not replace."""
    if name in sys.stdlib_module_names or name == "__main__":
        return None
    specification = PathFinder.find_spec(name, [str(folder)])
    return specification.origin if specification else None


def _root(name: str) -> str:
    return name.partition(".")[0]


def read_notebook(path: Path) -> ModuleType:
    """The module that the notebook's code cells make, run in their order as "Run All" does.

    Lines for IPython (`%magic`, `!command`) are left out, and cells that are not Python (`%%magic`). Raises
    `ValueError` for a file that is no notebook of format 4, and what a cell raises, with a note that says which.
    """
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    if _is_free(path.stem, path.parent):
        register(module)
    for number, source in enumerate(cells_of(path), start=1):
        name = f"{path.name}, code cell {number}"
        linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name  # for tracebacks and reports
        exec(compile(source, name, "exec"), vars(module))  # noqa: S102  # the target itself
    return module


def cells_of(path: Path) -> list[str]:
    """The code of each cell that has any, without what only IPython understands. `ValueError` for no such notebook."""
    try:
        cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is not a Jupyter notebook of format 4") from None
    return [_python("".join(cell["source"])) for cell in cells]


def _python(source: str) -> str:
    """A cell without what only IPython understands; a cell that is Python stays as it is."""
    if source.lstrip().startswith("%%"):
        return ""
    try:
        ast.parse(source)
    except SyntaxError:
        return _MAGIC.sub(r"\1pass  #", source)
    return source
