"""What a statement's run comes to: it holds, does not apply, or fails on the smallest case, with its diagnosis."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis
import pytest

from ..checking.properties import Property, arguments_of
from ..checking.statement import FailedElsewhere, Statement, reduced, replayed, with_settings
from ..checking.trial import DEFAULT_EXAMPLES, Record, current, unrecorded
from ..core.limits import NotApplicable
from ..core.reason import Reason
from ..core.setting import with_setting
from ..core.shards import LEFT_TO_OTHERS
from ..core.text import decoded, last_line
from ..target.operation import Crashed, Failure, options_of
from ..target.timeouts import CALL_SHARE, WATCH, OutOfTime
from ..why.diagnosis import explained
from ..why.reproduction import of_one_call, reproductions

FAILED_LAST = pytest.StashKey[bool]()  # whether a property of the session failed the last time
COMPARED_NOTHING = "this property compared nothing: a defect of the suite"
TOO_FEW = "too few examples: none of them had anything to compare"
_PHASES = hypothesis.Phase.explicit, hypothesis.Phase.reuse, hypothesis.Phase.generate


@contextmanager
def judged(entry: Property, statement: Statement, operations: dict[str, Any], timeout: float) -> Iterator[Record]:
    """Run a statement on these operations in here, for at most `timeout` seconds; gives its record.

    Raises the `Failure`, shrunk and diagnosed, pytest's skip if it does not apply to the target, and
    `AssertionError` if it compared nothing.
    """
    record, before = Record(), WATCH.inside
    current().record = record
    try:
        with WATCH.over(entry.id, timeout), with_setting(options=options_of(operations.values())):
            try:
                try:
                    yield record
                except FailedElsewhere as elsewhere:
                    replayed(statement, operations, elsewhere.tape)
            except Failure as failure:
                found = reduced(statement, operations, failure)
                found.scripts = reproductions(entry, statement, operations, found)
                raise _explained(found, operations) from None
            except hypothesis.errors.Flaky:
                if isinstance(record.refutation, Failure):
                    found = record.refutation
                    found.scripts = reproductions(entry, statement, operations, found)
                    _explained(found, operations)
                raise
    except OutOfTime as error:
        raise _out_of_time(record, entry, error, timeout) from None
    except NotApplicable as error:
        pytest.skip(str(error))
    except hypothesis.errors.Unsatisfiable:
        if not record.left_out:
            raise
    finally:
        record.seconds_in_target = WATCH.inside - before
    if record.left_out and not record.examples:
        pytest.skip("the target leaves out every case")
    if not record.comparisons and not current().target.limits.any_shape:
        pytest.skip("the supported shapes leave nothing to compare")
    if not record.comparisons and not current().is_whole:
        record.is_left = True
        pytest.skip(LEFT_TO_OTHERS)
    if not record.comparisons and current().examples < DEFAULT_EXAMPLES:
        pytest.skip(TOO_FEW)
    if not record.comparisons:
        raise AssertionError(COMPARED_NOTHING)


def _explained(failure: Failure, operations: dict[str, Any]) -> Failure:
    """The failure with its diagnosis: a verdict is worth more than its name."""
    try:
        return explained(failure, operations.values())
    except Exception as error:
        why = f"the diagnosis itself failed, a defect of the suite: {last_line(error)}"
        failure.diagnosis += (Reason(why, kind="circumstance"),)
        return failure


def _out_of_time(record: Record, entry: Property, error: OutOfTime, timeout: float) -> Failure:
    """The newest failure that was seen, or else that time ran out, on the case under way."""
    if isinstance(record.refutation, Failure):
        record.refutation.diagnosis += (Reason(f"this is not the smallest case: {error}", kind="circumstance"),)
        return record.refutation
    failure = Crashed(entry.operation, error)
    failure.case = record.case
    if error.call:
        stuck = next(name for name, one in WATCH.stuck.items() if one.call is error.call)
        own = tuple(map(decoded, error.call.values()))
        failure.case = current().target.operations[stuck].case_of(own)
        spec = current().target.importable_name
        failure.scripts = of_one_call(entry, spec, stuck, error.call, str(error), timeout * CALL_SHARE)
    return failure


def fails_at_once(entry: Property, statement: Statement, timeout: float) -> bool:
    """Whether a property, whose statement this is, fails on the first few examples, or on those kept.

    Left out is what has a great many cases, and what holds operations against others: it does not say which is wrong.
    """
    arguments = arguments_of(statement, current().target, entry.operation)
    if arguments is None or len(entry.operations) > 1 or not statement.cuts_down:  # type: ignore[attr-defined]
        return False
    if entry.is_sampled:
        statement = with_settings(statement, max_examples=1, phases=_PHASES)
    try:
        restricted = with_setting(options=options_of(arguments.values()))
        with WATCH.over(entry.id, timeout), restricted, unrecorded(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the property's own run is to tell of them
            statement(**arguments)
    except (NotApplicable, hypothesis.errors.Unsatisfiable):
        return False
    except (Exception, FailedElsewhere, OutOfTime):  # to be judged in the property's own run
        return True
    return False
