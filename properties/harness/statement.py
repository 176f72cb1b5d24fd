"""What turns a function of operations and a case into a statement: `given` samples cases, `each` takes them all.

A statement's docstring has its one-sentence statement first and ends with `Source: …`. Its parameters but
the drawn ones are the operations that it speaks about.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis

from properties.harness.target import Failure, Operation
from properties.harness.trial import current

Statement = Callable[..., None]


class LeftOut(Exception):
    """The target does not support this case."""


def given(**strategies: hypothesis.strategies.SearchStrategy[Any]) -> Callable[[Statement], Statement]:
    """Hypothesis's `given`, keeping the record; a case that the target does not support is replaced by another."""

    def decorate(test: Statement) -> Statement:
        @functools.wraps(test)
        def body(**arguments: Any) -> None:
            try:
                _run(test, arguments)
            except LeftOut:
                hypothesis.reject()

        return hypothesis.given(**strategies)(body)

    return decorate


def each(cases: Callable[[], Iterable[dict[str, Any]]]) -> Callable[[Statement], Statement]:
    """Every one of the `cases`, smallest first, each passed as `case`; the first that fails is the counterexample."""

    def decorate(test: Statement) -> Statement:
        def exhaustively(**operations: Any) -> None:
            for case in cases():
                try:
                    _run(test, {**operations, "case": case})
                except LeftOut:
                    continue

        functools.update_wrapper(exhaustively, test, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
        del exhaustively.__dict__["__wrapped__"]
        parameters = [p for p in inspect.signature(test).parameters.values() if p.name != "case"]
        exhaustively.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return exhaustively

    return decorate


@contextmanager
def about(case: dict[str, Any], **more: Any) -> Iterator[None]:
    """Name the case that a statement draws by itself, and whatever else was drawn, in case it fails on it."""
    try:
        yield
    except Failure as error:
        error.case = {"case": case, **more}
        raise


def _run(test: Statement, arguments: dict[str, Any]) -> None:
    record = current().record
    counting = record.refutation is None  # while Hypothesis shrinks, nothing is counted
    before = record.comparisons
    try:
        test(**arguments)
    except NotImplementedError:
        record.comparisons = before
        record.left_out += counting
        raise LeftOut from None
    except Failure as error:
        drawn = {name: value for name, value in arguments.items() if not isinstance(value, Operation)}
        error.case = getattr(error, "case", drawn)
        record.examples += counting
        record.refutation = error
        raise
    if counting:
        record.examples += 1
    else:
        record.comparisons = before
