"""What a target has made of Python's own state: in force while its code runs, and out of everybody else's way."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import islice
from types import ModuleType

EVERYBODYS = nullcontext()  # of functions that somebody else has loaded


class World:
    """A target's search path, the modules of its own folder, and its recursion limit.

    Within `with` its code finds what it would find by itself: its own module in `sys.modules`, where pickling and
    multiprocessing look for it, and its neighbours on the path. What it changes of all that is kept for the next time.
    """

    def __init__(self) -> None:
        self.path: list[str] = []
        self.modules: dict[str, ModuleType] = {}
        self.is_own: Callable[[str], bool] = lambda name: False
        self._limit: int | None = None
        self._entered = 0

    @contextmanager
    def made(self) -> Iterator[None]:
        """Let the target be loaded here. Everything is then as it was, but for modules that it does not own."""
        path, entries, limit = sys.path, list(sys.path), sys.getrecursionlimit()
        try:
            yield
        finally:
            self.path, sys.path = self.path or list(sys.path), path
            path[:] = entries
            self._keep_limit(limit, limit)

    def take(self, names: Iterable[str]) -> None:
        """Take these modules, which are its own, out of everybody else's sight."""
        self.modules |= {name: sys.modules.pop(name) for name in names}

    def __enter__(self) -> None:
        self._entered += 1
        if self._entered > 1:
            return
        self._others_path, sys.path = sys.path, self.path
        self._others = {name: sys.modules.get(name) for name in self.modules}
        sys.modules.update(self.modules)
        self._count = len(sys.modules)
        self._others_limit = self._set_limit = sys.getrecursionlimit()
        if self._limit:
            self._set_limit = self._limit + _depth()
            sys.setrecursionlimit(self._set_limit)

    def __exit__(self, *_: object) -> None:
        self._entered -= 1
        if self._entered:
            return
        self._keep_limit(self._set_limit, self._others_limit)
        self.path, sys.path = sys.path, self._others_path
        if (more := len(sys.modules) - self._count) > 0:
            newest = list(islice(reversed(sys.modules), more))
            self.take(name for name in newest if name not in self.modules and self.is_own(name))
        self.take(name for name in list(self.modules) if name in sys.modules)
        sys.modules.update({name: module for name, module in self._others.items() if module is not None})

    def _keep_limit(self, known: int, others: int) -> None:
        if sys.getrecursionlimit() != known:
            self._limit = sys.getrecursionlimit()
        if sys.getrecursionlimit() != others:
            sys.setrecursionlimit(others)


def _depth() -> int:
    """How many calls deep this is: so much more than by itself the target is allowed."""
    frame, depth = sys._getframe(), 0
    while frame := frame.f_back:  # type: ignore[assignment]
        depth += 1
    return depth
