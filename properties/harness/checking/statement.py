"""What turns a function of operations and a case into a statement: `given` samples cases, `each` takes them all.

A statement's docstring has its one-sentence statement first and ends with `Source: …`, and where its formula is proved
with `Proof: proofs/FILE.v, THEOREM.` Its parameters but the drawn ones are the operations that it speaks about.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, cast
from unittest import SkipTest

import hypothesis
import numpy as np
from hypothesis.database import InMemoryExampleDatabase
from numpy.typing import NDArray

from ...layers import layer_of
from ..core.limits import NotApplicable
from ..core.shards import LEFT_TO_OTHERS, own
from ..core.tape import Bytes, Case, Tape
from ..target.operation import Failure, Operation, Refuted
from .cases import Points
from .comparison import ONCE
from .coverage import note
from .reduction import reductions
from .trial import Record, current

Statement = Callable[..., None]
Offered = Operation | list[Operation]  # what a statement is handed by a name
AtOnce = Callable[..., NDArray[np.bool_]]
Strategy = hypothesis.strategies.SearchStrategy[Points]
PATIENCE = 10  # times as many cases are tried where the target leaves them out


class LeftOut(Exception):
    """The target does not support this case."""


class FailedElsewhere(BaseException):  # no Exception: Hypothesis is not to shrink what it did not draw
    """A point fails that was derived from the one drawn: here is its tape."""

    def __init__(self, tape: bytes) -> None:
        self.tape = tape
        super().__init__()


def given(case: Strategy | Mapping[str, Strategy], at_once: AtOnce | None = None) -> Callable[[Statement], Statement]:
    """Hypothesis's `given`, keeping the record; an example carries several cases, of its own tape and of derived ones.

    With a strategy for each layer, the one of the `operation` under test is drawn from. On a large budget the cases are
    of one shape if there is `at_once`: it takes the operations and all of them together, and says at which it holds;
    the others are left to the statement itself. Raises `FailedElsewhere` if the one that fails is not the one drawn.
    """

    def decorate(test: Statement) -> Statement:
        @functools.wraps(test)
        def body(**arguments: Any) -> None:
            if isinstance(case, Mapping):
                data = arguments.pop("data")
                arguments["case"] = data.draw(case[arguments["operation"].signature.layer])
            _run_points(test, arguments, at_once)

        drawn: dict[str, hypothesis.strategies.SearchStrategy[Any]] = {}
        if isinstance(case, Mapping):
            body.__signature__ = _signature(test, {"case": "data"})  # type: ignore[attr-defined]
            drawn["data"] = hypothesis.strategies.data()
        else:
            drawn["case"] = case

        def make(operations: Mapping[str, Offered]) -> Statement:
            given = {**drawn, **{name: hypothesis.strategies.just(one) for name, one in operations.items()}}
            statement: Any = _named(hypothesis.given(**given)(body), test, case)
            statement.make, statement.at_once = make, at_once
            return cast(Statement, statement)

        return make({})

    return decorate


def _named(statement: Any, test: Statement, cases: Any, *, cuts_down: bool = True) -> Statement:
    statement.test, statement.cases, statement.cuts_down = test, cases, cuts_down
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
                    _run_case(test, {**operations, "case": case})
            if case is None and shard[0] > 1:  # the first shard has a case if there is any
                current().record.is_left = True
                raise NotApplicable(LEFT_TO_OTHERS)

        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(exhaustively, name, getattr(test, name))
        exhaustively.__signature__ = _signature(test, {"case": ""})  # type: ignore[attr-defined]
        return _named(exhaustively, test, cases, cuts_down=not ordered)

    return decorate


def about(names: Iterable[str] = (), *, own: Iterable[str] = ()) -> Callable[[Statement], Statement]:
    """Declare the operations that a statement is about, each in turn, and of a target's own layers those of a role."""

    def decorate(test: Statement) -> Statement:
        test.about, test.own = tuple(names), tuple(own)  # type: ignore[attr-defined]
        return test

    return decorate


def shown_by(lines: str) -> Callable[[Statement], Statement]:
    """Declare the lines of a script that shows a failure: by one call, CALL, they make `yours` and `expected`.

    ANSWER stands for what it gives, as an array. What is shown is that the two differ.
    """

    def decorate(test: Statement) -> Statement:
        test.shown_by = lines  # type: ignore[attr-defined]
        return test

    return decorate


def settled(statement: Statement, settings: hypothesis.settings) -> Statement:
    """The same sampled statement as a new Hypothesis test, with these settings and the trial's seed.

    As its examples carry several cases, it draws as many examples less.
    """
    carries = current().carries(bool(statement.at_once))  # type: ignore[attr-defined]
    return _made(statement, hypothesis.settings(settings, max_examples=-(-settings.max_examples // carries)))


def with_settings(statement: Any, operations: Mapping[str, Offered] = {}, **changes: Any) -> Statement:
    """The same settled statement as a new Hypothesis test, with some settings changed; of these operations, if any."""
    return _made(statement, hypothesis.settings(statement.settings, **changes), operations)


def _made(statement: Any, settings: hypothesis.settings, operations: Mapping[str, Offered] = {}) -> Statement:
    made = statement.make(operations)
    if (seed := current().seed) is not None:
        made = hypothesis.seed(seed)(made)
    made = settings(made)  # after the seed, which turns the database off
    made.settings = settings
    return cast(Statement, made)


def replayed(statement: Any, operations: dict[str, Offered], tape: bytes) -> None:
    """Run a settled statement on the case of this tape, which fails: Hypothesis shrinks it, and begins there next time.

    Raises the failure, or Hypothesis's `Flaky` if there is none now.
    """
    record, database = current().record, statement.settings.database or InMemoryExampleDatabase()
    phases = [phase for phase in statement.settings.phases if phase.name == "shrink"] + [hypothesis.Phase.reuse]
    comparisons = record.comparisons
    again: Any = with_settings(statement, operations, database=database, derandomize=False, phases=phases)
    try:
        again.hypothesis.fuzz_one_input(tape)  # reads the case off the tape, and keeps it among those to be shrunk
    except Failure:
        record.comparisons = comparisons
        with suppress(SkipTest):  # with pytest's --hypothesis-seed nothing is read from the database
            again()
        raise
    raise hypothesis.errors.Flaky("the case did not fail again")


def reduced(statement: Statement, operations: dict[str, Offered], failure: Failure) -> Failure:
    """The same statement's failure on the smallest case that taking parts away from its own leads to."""
    test = statement.test  # type: ignore[attr-defined]
    layer = layer_of(_first(operations).name)
    smaller = reductions(layer, Case(failure.case)) if statement.cuts_down else iter(())  # type: ignore[attr-defined]
    while (case := next(smaller, None)) is not None:
        with suppress(LeftOut):
            try:
                _run_case(test, {**operations, "case": case})
            except Failure as error:
                failure, smaller = error, reductions(layer, case)
    return failure


def _run_points(test: Statement, arguments: dict[str, Any], at_once: AtOnce | None) -> None:
    trial, points = current(), arguments.pop("case")
    count = trial.points(bool(at_once))
    stream = f"{test.__qualname__} of {_first(arguments).name}, seed {trial.seed}"
    if at_once and count > 1 and trial.together > 1:
        _run_together(test, arguments, at_once, points, *points.together(stream, count))
        return
    ran = 0
    for tried, tape in enumerate(points.tapes(stream)):
        if ran == count or tried == (PATIENCE * count if ran else count):
            break
        with suppress(LeftOut):  # another takes its place
            _run(test, arguments, points, tape)
            ran += 1
    if not ran:
        hypothesis.reject()


def _run_together(
    test: Statement, arguments: dict[str, Any], at_once: AtOnce, points: Points, together: Case, tapes: Bytes
) -> None:
    """Take all cases at once, where that can be, and those that do not agree one by one."""
    record, agree = current().record, np.zeros(len(tapes), bool)
    seen: Failure | None = None
    record.case = together.taken(0)
    try:
        agree, seen = at_once(*arguments.values(), together), Refuted(ONCE)
    except NotImplementedError:
        pass
    except Failure as failure:
        seen = failure
    if agree.any():
        _count(record, arguments, together.taken(agree), int(agree.sum()))
    rest = np.flatnonzero(~agree)
    for number in rest:
        with suppress(LeftOut):
            _run(test, arguments, points, tapes[number].tobytes())
    if seen and len(rest):
        record.refutation, seen.case = seen, together.taken(rest[0])
        raise FailedElsewhere(tapes[rest[0]].tobytes())


def _run(test: Statement, arguments: dict[str, Any], points: Points, tape: bytes) -> None:
    """Run a statement on the case of this tape; a target's own layer may leave it out, or crash, while it is made."""
    record = current().record
    try:
        try:
            case = points.read(Tape(tape))
        except NotImplementedError:
            record.left_out += record.refutation is None
            raise LeftOut from None
        except Failure as failure:
            record.refutation = failure
            raise
        _run_case(test, {**arguments, "case": case})
    except Failure:
        if tape == points.drawn:
            raise
        raise FailedElsewhere(tape) from None


def _run_case(test: Statement, arguments: dict[str, Any]) -> None:
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
            _count(record, arguments, arguments["case"])
        raise
    if counting:
        _count(record, arguments, arguments["case"])
    else:
        record.comparisons = before


def _count(record: Record, arguments: dict[str, Any], case: Case, points: int = 0) -> None:
    operation = _first(arguments)
    record.examples += points or 1
    note(record.tried, layer_of(operation.name), operation.layout, case, points)


def _first(arguments: dict[str, Any]) -> Operation:
    """The operation that a statement is about."""
    return next(value for value in arguments.values() if isinstance(value, Operation))
