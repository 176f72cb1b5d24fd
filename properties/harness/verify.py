"""Verifying a target from Python: in this process, so that functions that are redefined are seen."""

import io
import time
from collections.abc import Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass
from html import escape
from types import ModuleType, SimpleNamespace
from typing import Any

from .conventions import examined
from .hearing import Hearing
from .report import Asked, applied, as_json, found, make_report
from .reproduction import importable_name
from .results import FAILING
from .scripts import settle_scripts
from .session import KEPT, run_session
from .target import CannotLoad, Target, load, make_target
from .terminal import plain_console, show
from .text import decoded
from .trial import DEFAULT_EXAMPLES, on_trial
from .watch import DEFAULT_TIMEOUT, WATCH


class TargetRefuted(AssertionError):
    """Some property does not hold; the message is the report, whose failures are in `failures`."""

    def __init__(self, report: "Report") -> None:
        self.failures = report.failures
        super().__init__(str(report))


@dataclass(frozen=True)
class PropertyFailure:
    """One property that does not hold: on which case, what the target gave there, and what would have been right.

    `case` has the arguments by name, arrays as NumPy arrays; `yours` and `expected` are arrays, numbers or words.
    """

    id: str
    operation: str
    outcome: str
    statement: str
    message: str
    case: dict[str, Any]
    yours: Any
    expected: Any
    diagnosis: tuple[str, ...]
    mistakes: tuple[str, ...]
    script: str | None


@dataclass(frozen=True)
class Report:
    """What came of verifying a target. Printed it is the terminal's report, in a notebook it shows as HTML.

    `data` is the report as `--json` writes it.
    """

    data: dict[str, Any]

    @property
    def verdict(self) -> str:
        """`holds`, `refuted` or `broken`."""
        return str(self.data["verdict"])

    @property
    def holds(self) -> bool:
        """Whether every property that applies holds."""
        return self.verdict == "holds"

    @property
    def conventions(self) -> dict[str, Any]:
        """What was found of the target's choices: convolution, ties, ReLU's derivative at 0, precision."""
        return dict(self.data["conventions"])

    @property
    def failures(self) -> list[PropertyFailure]:
        """The properties that do not hold, with arrays."""
        return [_failure(entry) for entry in self.data["properties"] if entry["outcome"] in FAILING]

    def raise_if_refuted(self) -> None:
        """Raise `TargetRefuted`, an `AssertionError`, unless every property that applies holds."""
        if not self.holds:
            raise TargetRefuted(self)

    def as_json(self) -> str:
        """The report as strict JSON."""
        return as_json(self.data)

    def __str__(self) -> str:
        with io.StringIO() as file:
            show(self.data, plain_console(file))
            return file.getvalue().rstrip()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        try:
            from .page import fragment
        except ModuleNotFoundError:  # the extra `report` is not installed
            return f"<pre>{escape(str(self))}</pre>"
        return fragment(self.data)


def verify(
    target: Any,
    *,
    examples: int = DEFAULT_EXAMPLES,
    seed: int = 0,
    keyword: str = "",
    known: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    name: str | None = None,
) -> Report:
    """Check a target in this process and report on it; `keyword`, `known` and `timeout` are as on the command line.

    `target` is a module, an object with operations as attributes, a mapping of names to functions, `globals()`, or
    what the command takes: a dotted module or a path, as a string. `name` is what the report calls it. Raises
    `CannotLoad` if it offers nothing to check, `ValueError` for a list of known deviations that does not fit, and
    `KeyboardInterrupt` when interrupted. What the target does to its process it does to this one.
    """
    started = time.perf_counter()
    offered = target_of(target, name)
    in_python = not isinstance(target, str)
    asked = Asked(offered.name, examples, seed, keyword, known=known, timeout=timeout, in_python=in_python)
    hearing = Hearing()
    stuck, WATCH.stuck = WATCH.stuck, {}
    try:
        with WATCH.over("a first look", timeout):
            offered, conventions = examined(offered)
        with on_trial(offered, conventions, examples), redirect_stderr(io.StringIO()) as errors:
            status = run_session(asked, hearing.hear)
    finally:
        hearing.bar.close()
        WATCH.stuck = stuck
    if hearing.outcomes.interrupted:
        raise KeyboardInterrupt
    if status not in KEPT:
        raise ValueError(errors.getvalue().strip().removeprefix("ERROR: "))
    settle_scripts(hearing.outcomes.results.values(), importable_name(offered))
    report = make_report(asked, found(offered, conventions), hearing.outcomes, time.perf_counter() - started)
    if not applied(report):
        raise CannotLoad("nothing to check: no selected property applies to what the target offers")
    return Report(report)


def target_of(target: Any, name: str | None = None) -> Target:
    """The target that an object, a module, a mapping or a name makes. Raises `CannotLoad`."""
    if isinstance(target, str):
        return load(target)
    if isinstance(target, Mapping):
        return make_target(
            SimpleNamespace(**{key: target[key] for key in target if isinstance(key, str)}), name or "mapping"
        )
    if isinstance(target, ModuleType):
        return make_target(target, name or target.__name__)
    return make_target(target, name or (target if isinstance(target, type) else type(target)).__name__)


def _failure(entry: dict[str, Any]) -> PropertyFailure:
    return PropertyFailure(
        **{key: entry[key] for key in ("id", "operation", "outcome", "statement", "message")},
        case={name: _value(value) for name, value in (entry["counterexample"] or {}).items()},
        yours=_value(entry["yours"]),
        expected=_value(entry["expected"]),
        diagnosis=tuple(entry["diagnosis"]),
        mistakes=tuple(entry["mistakes"]),
        script=entry["script"],
    )


def _value(value: Any) -> Any:
    return tuple(decoded(part) for part in value) if isinstance(value, list) else decoded(value)
