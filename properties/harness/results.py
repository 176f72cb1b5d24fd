"""What came of one property, as plain data that JSON, other processes and every kind of report can take."""

import traceback
from typing import Any

from properties.harness.target import Crashed, Refuted
from properties.harness.text import encoded, printable
from properties.harness.trial import Record

OUTCOMES = ("held", "refuted", "crashed", "not applicable", "known", "not run")
FAILING = ("refuted", "crashed")


def finished(record: Record, error: BaseException | None, seconds: float) -> dict[str, Any]:
    """The result of one property: its record, its outcome by what it raised, and both sides if it failed."""
    result: dict[str, Any] = {
        "outcome": "held",
        "examples": record.examples,
        "left_out": record.left_out,
        "comparisons": record.comparisons,
        "largest_error": record.largest_error,
        "seconds": round(seconds, 4),
        "counterexample": None,
        "yours": None,
        "expected": None,
        "diagnosis": [],
        "message": None,
    }
    flaky = record.refutation is not None and error is not record.refutation
    if error is None:
        return result
    if type(error).__name__ == "Skipped":
        return {**result, "outcome": "not applicable", "message": str(error)}
    if flaky and record.refutation is not None and not isinstance(error, Refuted | Crashed):
        error = record.refutation
        result["diagnosis"] = ["tried again on the same case it gave another answer: it is random or keeps state"]
    if isinstance(error, Refuted):
        result.update(
            outcome="refuted",
            yours=encoded(error.yours),
            expected=encoded(error.expected),
            diagnosis=[*result["diagnosis"], *error.diagnosis],
            message=error.message,
        )
    elif isinstance(error, Crashed):
        result.update(outcome="crashed", message=str(error), expected="an answer, or NotImplementedError")
        if "read-only" in str(error.error):
            result["diagnosis"] = [*result["diagnosis"], "it writes into its argument: work on a copy"]
    else:
        line = printable(traceback.format_exception_only(error)[-1].strip())
        place = traceback.extract_tb(error.__traceback__)[-1]
        message = f"the statement itself failed, in {place.name}, line {place.lineno}: {line}"
        result.update(outcome="crashed", message=message)
    case = getattr(error, "case", {})
    return {**result, "counterexample": {name: encoded(value) for name, value in case.items()} or None}
