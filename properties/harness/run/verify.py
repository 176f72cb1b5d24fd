"""Verifying a target from Python: in this process, so that functions that are redefined are seen."""

import io
import os
import reprlib
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass
from html import escape
from numbers import Integral, Real
from os import PathLike
from types import ModuleType, SimpleNamespace
from typing import Any

from ..checking.conventions import examined
from ..checking.trial import DEFAULT_EXAMPLES, on_trial
from ..core.text import decoded, printable
from ..report.report import Asked, applied, as_json, found, make_report
from ..report.results import FAILING
from ..report.terminal import brief, plain_console, show
from ..target.target import CannotLoad, Target, load, make_target
from ..target.timeouts import DEFAULT_TIMEOUT, LONGEST_TIMEOUT, SHORTEST_TIMEOUT, WATCH
from .progress import Hearing
from .scripts import settle_scripts
from .session import KEPT, run_session


class TargetRefuted(AssertionError):
    """Some property does not hold; the message is the report, whose failures are in `failures`."""

    def __init__(self, report: "Report") -> None:
        self.failures = report.failures
        super().__init__(report.as_text())


@dataclass(frozen=True)
class PropertyFailure:
    """One property that does not hold: on which case, what the target gave there, and what would have been right.

    `case` has the arguments by name, arrays as NumPy arrays; `yours` and `expected` are arrays, numbers or words.
    `frames` are the last calls in the target of what it raised: each a `file`, `line`, `function` and its `code`.
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
    frames: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Report:
    """What came of verifying a target. Printed it is brief, and shown in a notebook too, with the page to unfold.

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

    def as_text(self) -> str:
        """The report as the command prints it."""
        with io.StringIO() as file:
            show(self.data, plain_console(file))
            return file.getvalue().rstrip()

    def __str__(self) -> str:
        return brief(self.data)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        try:
            from ..report.page import fragment
        except ModuleNotFoundError:  # the extra `report` is not installed
            whole = f"<pre>{escape(self.as_text())}</pre>"
        else:
            whole = fragment(self.data)
        return f"<pre>{escape(str(self))}</pre>\n<details><summary>The whole report</summary>\n{whole}\n</details>"


def verify(
    target: Any,
    *,
    examples: int = DEFAULT_EXAMPLES,
    seed: int = 0,
    keyword: str = "",
    known: str | PathLike[str] | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    name: str | None = None,
) -> Report:
    """Check a target in this process and report on it; `keyword`, `known` and `timeout` are as on the command line.

    `target` is a module, an object with operations as attributes, a mapping of names to functions, `globals()`, or
    what the command takes: a dotted module or a path, as a string. `name` is what the report calls it. Raises
    `CannotLoad` if it offers nothing to check, `TypeError` or `ValueError` for an argument of the wrong kind or value,
    a list of known deviations that does not fit too, and `KeyboardInterrupt` when interrupted. What the target does to
    its process it does to this one.
    """
    started = time.perf_counter()
    _check("examples", examples, Integral, "a whole number from 1 up", lambda value: value >= 1)
    _check("seed", seed, Integral, "a whole number from 0 up", lambda value: value >= 0)
    _check("keyword", keyword, str, "an expression of words, as pytest's -k takes it,")
    _check("known", known, str | PathLike | None, "the path of a list of known deviations")
    seconds = f"a number of seconds from {SHORTEST_TIMEOUT:g} to {LONGEST_TIMEOUT:g}"
    _check("timeout", timeout, Real, seconds, lambda value: SHORTEST_TIMEOUT <= value <= LONGEST_TIMEOUT)
    _check("name", name, str | None, "a name for the report to use")
    offered = target_of(target, name)
    in_python = not isinstance(target, str)
    path = None if known is None else os.fspath(known)
    asked = Asked(
        offered.name, int(examples), int(seed), keyword, known=path, timeout=float(timeout), in_python=in_python
    )
    hearing = Hearing()
    stuck, WATCH.stuck = WATCH.stuck, {}
    try:
        with WATCH.over("a first look", timeout):
            offered, conventions = examined(offered)
        with on_trial(offered, conventions, asked.examples), redirect_stderr(io.StringIO()) as errors:
            status = run_session(asked, hearing.hear)
    finally:
        hearing.bar.close()
        WATCH.stuck = stuck
    if hearing.outcomes.interrupted:
        raise KeyboardInterrupt
    if status not in KEPT:
        raise ValueError(errors.getvalue().strip().removeprefix("ERROR: "))
    settle_scripts(hearing.outcomes.results.values(), offered.importable_name)
    report = make_report(asked, found(offered, conventions), hearing.outcomes, time.perf_counter() - started)
    if not applied(report):
        raise CannotLoad("nothing to check: no selected property applies to what the target offers")
    return Report(report)


def _check(name: str, value: Any, kind: Any, wanted: str, fits: Callable[[Any], bool] = lambda _: True) -> None:
    """Raise `TypeError` or `ValueError`, in one line, for an argument of another kind, or one that does not fit."""
    is_of_kind = isinstance(value, kind) and not isinstance(value, bool)
    if not is_of_kind or not fits(value):
        raise (ValueError if is_of_kind else TypeError)(
            printable(f"{name}: {wanted} is wanted, not {reprlib.repr(value)}")
        )


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
        frames=tuple(entry["frames"]),
    )


def _value(value: Any) -> Any:
    return tuple(decoded(part) for part in value) if isinstance(value, list) else decoded(value)
