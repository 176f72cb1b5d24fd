"""The smallest case on which a statement is seen to fail, by search among all that are smaller: without Hypothesis.

The size of a case is the number of entries of all arrays that a report shows of it. What is found is an upper bound of
the smallest: a smaller case may fail with numbers that were not tried.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from benchmarks.trials import is_further, reference_with, trial_of
from properties.calls import CALLS
from properties.harness.checking.properties import Property, arguments_of
from properties.harness.core.tape import SCALES, Case, Tape
from properties.harness.core.values import Kind
from properties.harness.target.layout import HW
from properties.harness.target.operation import Failure
from properties.layers import OPERATIONS, layer_of
from properties.mistakes import Mistake

SEED = 7840
BOUNDS = (2, 3, 5, 17, 256)  # of the bytes of a tape: small bytes are simple numbers
PARAMETERS = {name for signature in OPERATIONS.values() for name in signature.parameters}
Shapes = dict[str, tuple[int, ...]]


class NotSearched(Exception):
    """A layer's sizes are chosen each within the ones before: there are too many to go through."""


def shapes_of(case: Mapping[str, Any], operations: Iterable[str]) -> Shapes:
    """The shapes of the arrays that a report shows of a case of a property of these operations."""
    unused = PARAMETERS.difference(*(OPERATIONS[name].parameters for name in operations))
    return {name: x.shape for name, x in case.items() if isinstance(x, np.ndarray) and name not in unused}


def size_of(shapes: Shapes) -> int:
    """How many entries arrays of these shapes have."""
    return int(sum(np.prod(shape) for shape in shapes.values()))


def smallest(mistake: Mistake, entry: Property, size: int, tapes: int) -> tuple[Shapes, str] | None:
    """The smallest shapes below this size at which the property refutes the mistake, and how; None if none is found.

    Of a statement that samples, so many cases of each shape are tried, as of one that begins with large cases and cuts
    them down; of an exhaustive one all that it has. Each case is put to the wrong function anew, without what it may
    keep from others. Raises `NotSearched` for options and further operations.
    """
    if is_further(mistake.operation):
        raise NotSearched
    function = mistake.make()

    def anew(*arguments: Any) -> Any:
        return function(*arguments)

    with trial_of(reference_with({mistake.operation: anew})) as trial:
        arguments = arguments_of(entry.function, trial.target, entry.operation) or {}
        for case in _below(size, entry, arguments, tapes):
            function = mistake.make()
            shapes = _shapes(case, entry)
            try:
                entry.function.test(**arguments, case=case)  # type: ignore[attr-defined]
            except Failure as failure:
                return shapes, str(failure)
            except NotImplementedError:
                continue
    return None


def _shapes(case: Case, entry: Property) -> Shapes:
    """The same of a case in the suite's own form: as the target has it."""
    kinds = layer_of(entry.operation).kinds
    told = {name: HW.outward(kinds.get(name, Kind.ANY), value, case) for name, value in case.items()}
    return shapes_of(told, entry.operations)


def _below(size: int, entry: Property, arguments: dict[str, Any], tapes: int) -> Iterator[Case]:
    """The cases below this size that are searched, in the order of their sizes."""
    sampled = hasattr(entry.function, "hypothesis")
    if not sampled and not entry.function.cuts_down:  # type: ignore[attr-defined]
        cases = entry.function.cases(**arguments)  # type: ignore[attr-defined]
        every = [(size_of(_shapes(one, entry)), one) for one in cases]
        yield from (case for its, case in sorted(every, key=lambda pair: pair[0]) if its < size)
        return
    strategy = entry.function.cases if sampled else CALLS  # type: ignore[attr-defined]
    if isinstance(strategy, Mapping):
        strategy = strategy[OPERATIONS[entry.operation].layer]
    read = strategy.read
    generator = np.random.default_rng(SEED)
    read(first := _Sized(generator))
    ways: dict[tuple[int, tuple[Any, ...]], list[tuple[int, ...]]] = {}
    for sizes in product(*map(range, first.counts)):
        shapes = _shapes(read(_Sized(generator, sizes)), entry)
        ways.setdefault((size_of(shapes), tuple(shapes.items())), []).append(sizes)
    for (its, _), every in sorted(ways.items(), key=lambda item: item[0]):
        if its < size:
            yield from (read(_Sized(generator, sizes)) for sizes in every)
            for number in range(tapes):
                bound = BOUNDS[number % len(BOUNDS)]
                yield read(_Sized(generator, every[number // len(BOUNDS) % len(every)], bound))


class _Sized(Tape):
    """A tape that begins with these sizes; all bytes after them are random and below a bound.

    `counts` are of how many each size is chosen: every choice before the first scale or array is one of a size.
    """

    def __init__(self, generator: np.random.Generator, sizes: Sequence[int] | None = None, bound: int = 1) -> None:
        super().__init__(None)
        self.counts: list[int] = []
        self._generator, self._sizes, self._bound, self._begins = generator, sizes, bound, True

    def choose(self, count: int) -> int:
        if not self._begins:
            return super().choose(count)
        self.counts.append(count)
        return self._sizes[len(self.counts) - 1] if self._sizes else 0

    def scale(self, scales: tuple[float, ...] = SCALES) -> float:
        self._begins = False
        return super().scale(scales)

    def take(self, count: int) -> Any:
        self._begins = False
        return self._generator.integers(self._bound, size=count, dtype=np.uint8)
