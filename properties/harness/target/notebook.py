"""A Jupyter notebook as a module: its code cells, run from the top."""

import ast
import json
import linecache
import re
from pathlib import Path
from types import ModuleType

from .modules import register

_MAGIC = re.compile(r"^([ \t]*)[%!?]", re.MULTILINE)


def read_notebook(path: Path) -> ModuleType:
    """The module that the notebook's code cells make, run in their order as "Run All" does.

    Lines for IPython (`%magic`, `!command`) are left out, and cells that are not Python (`%%magic`). Raises
    `ValueError` for a file that is no notebook of format 4, and what a cell raises, with a note that says which.
    """
    module = ModuleType(path.stem)
    module.__file__ = str(path)
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
