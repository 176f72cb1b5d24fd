"""What turns a function of operations and a case into a statement: `given` samples cases, `each` takes them all.

A statement's docstring has its one-sentence statement first and ends with `Source: …`. Its parameters but
the drawn ones are the operations that it speaks about.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, cast

import hypothesis

from properties.harness.limits import NotApplicable
from properties.harness.reduction import reductions
from properties.harness.shards import LEFT_TO_OTHERS, own
from properties.harness.strategies import Case
from properties.harness.target import Failure
from properties.harness.trial import Record, current
from properties.harness.tried import note

Statement = Callable[..., None]
Strategy = hypothesis.strategies.SearchStrategy[Case]


class LeftOut(Exception):
    """The target does not support this case."""


def given(case: Strategy | Mapping[str, Strategy]) -> Callable[[Statement], Statement]:
    """Hypothesis's `given`, keeping the record; a case that the target does not support is replaced by another.

    With a strategy for each layer, the one of the `operation` under test is drawn from.
    """

    def decorate(test: Statement) -> Statement:
        @functools.wraps(test)
        def body(**arguments: Any) -> None:
            if isinstance(case, Mapping):
                data = arguments.pop("data")
                arguments["case"] = data.draw(case[arguments["operation"].signature.layer])
            try:
                _run(test, arguments)
            except LeftOut:
                hypothesis.reject()

        if not isinstance(case, Mapping):
            return _named(hypothesis.given(case=case)(body), test)
        body.__signature__ = _signature(test, {"case": "data"})  # type: ignore[attr-defined]
        return _named(hypothesis.given(data=hypothesis.strategies.data())(body), test)

    return decorate


def _named(statement: Any, test: Statement, *, cuts_down: bool = True) -> Statement:
    statement.test, statement.cuts_down = test, cuts_down
    return cast(Statement, statement)


def _signature(test: Statement, renamed: dict[str, str]) -> inspect.Signature:
    """The test's parameters, by keyword alone, with some renamed or, renamed to nothing, left out."""
    names = [renamed.get(name, name) for name in inspect.signature(test).parameters]
    return inspect.Signature([inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names if name])


def each(cases: Callable[..., Iterable[Case]], *, ordered: bool = True) -> Callable[[Statement], Statement]:
    """Every one of the `cases`, each passed as `case`; the first that fails is the counterexample.

    `cases` is called with the statement's operations. If they are not `ordered`, smallest first, the counterexample is
    cut down. Of a campaign in shards these are the shard's own, and it is `NotApplicable` to one that gets none.
    """

    def decorate(test: Statement) -> Statement:
        def exhaustively(**operations: Any) -> None:
            shard = current().shard
            case = None
            for case in own(shard, cases(**operations)):
                with suppress(LeftOut):
                    _run(test, {**operations, "case": case})
            if case is None and shard[0] > 1:  # the first shard has a case if there is any
                raise NotApplicable(LEFT_TO_OTHERS)

        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(exhaustively, name, getattr(test, name))
        exhaustively.__signature__ = _signature(test, {"case": ""})  # type: ignore[attr-defined]
        return _named(exhaustively, test, cuts_down=not ordered)

    return decorate


def reduced(statement: Statement, operations: dict[str, Any], failure: Failure) -> Failure:
    """The same statement's failure on the smallest case that taking parts away from its own leads to."""
    test = statement.test  # type: ignore[attr-defined]
    smaller = reductions(Case(failure.case)) if statement.cuts_down else iter(())  # type: ignore[attr-defined]
    while (case := next(smaller, None)) is not None:
        with suppress(LeftOut):
            try:
                _run(test, {**operations, "case": case})
            except Failure as error:
                failure, smaller = error, reductions(case)
    return failure


def _run(test: Statement, arguments: dict[str, Any]) -> None:
    record = current().record
    counting = record.refutation is None  # while Hypothesis shrinks, nothing is counted
    before, record.case = record.comparisons, arguments["case"]
    try:
        test(**arguments)
    except NotImplementedError:
        record.comparisons = before
        record.left_out += counting
        raise LeftOut from None
    except Failure as error:
        error.case = arguments["case"]
        record.refutation = error
        if counting:
            _count(record, arguments["case"])
        raise
    if counting:
        _count(record, arguments["case"])
    else:
        record.comparisons = before


def _count(record: Record, case: Case) -> None:
    record.examples += 1
    note(record.tried, case)
