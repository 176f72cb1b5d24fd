"""A glance at a property with few examples, so that a run that stops at the first failure finds one early."""

import warnings
from typing import Any

import hypothesis
import pytest

from ..checking.properties import Property, arguments_of
from ..checking.statement import FailedElsewhere, with_settings
from ..core.limits import NotApplicable
from ..core.trial import current, unrecorded
from ..target.timeouts import WATCH, OutOfTime

EXAMPLES = 10
FAILED_LAST = pytest.StashKey[bool]()  # whether a property of the session failed the last time
_PHASES = hypothesis.Phase.explicit, hypothesis.Phase.reuse, hypothesis.Phase.generate


def fails_at_once(entry: Property, statement: Any, timeout: float) -> bool:
    """Whether a property, whose statement this is, fails on the first few examples, or on those kept.

    Left out is what has a great many cases, and what holds operations against others: it does not say which is wrong.
    """
    arguments = arguments_of(statement, current().target, entry.operation)
    if arguments is None or len(entry.operations) > 1 or not statement.cuts_down:
        return False
    if entry.is_sampled:
        statement = with_settings(statement, max_examples=min(EXAMPLES, current().budget), phases=_PHASES)
    try:
        with WATCH.over(entry.id, timeout), unrecorded(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the property's own run is to tell of them
            statement(**arguments)
    except (NotApplicable, hypothesis.errors.Unsatisfiable):
        return False
    except (Exception, FailedElsewhere, OutOfTime):  # to be judged in the property's own run
        return True
    return False
