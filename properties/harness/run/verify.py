"""Verifying a target from Python, in this process: at once, or as tests of a pytest suite of one's own."""

import io
import json
import os
import re
import reprlib
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass
from functools import cached_property
from html import escape
from numbers import Integral, Real
from os import PathLike
from types import ModuleType, SimpleNamespace
from typing import Any

import hypothesis
import pytest
from msgspec import convert

from ...layers.own.declared import is_layer
from ..checking.conventions import examined
from ..checking.properties import Property, arguments_of, properties_of
from ..checking.statement import settled
from ..checking.trial import DEFAULT_EXAMPLES, on_trial
from ..core.setting import Conventions
from ..core.text import decoded, printable
from ..report import data as reported
from ..report.report import Request, applied, found, make_report
from ..report.results import finished, plain_lines
from ..report.terminal import brief, plain_console, show
from ..target.operation import Failure
from ..target.target import CannotLoad, Target, load, make_target
from ..target.timeouts import DEFAULT_TIMEOUT, LONGEST_TIMEOUT, SHORTEST_TIMEOUT, WATCH
from .progress import Progress
from .scripts import settle_scripts
from .session import KEPT, run_session
from .verdict import judged


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

    @cached_property
    def _typed(self) -> reported.Report:
        return convert(self.data, reported.Report)

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
        return [_failure(entry) for entry in self.data["properties"] if entry["outcome"] in reported.FAILING]

    def raise_if_refuted(self) -> None:
        """Raise `TargetRefuted`, an `AssertionError`, unless every property that applies holds."""
        if not self.holds:
            raise TargetRefuted(self)

    def as_json(self) -> str:
        """The report as strict JSON."""
        return reported.as_json(self._typed)

    def as_text(self) -> str:
        """The report as the command prints it."""
        with io.StringIO() as file:
            show(self._typed, plain_console(file))
            return file.getvalue().rstrip()

    def __str__(self) -> str:
        return brief(self._typed)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        try:
            from ..report.page import fragment
        except ModuleNotFoundError:  # the extra `report` is not installed
            whole = f"<pre>{escape(self.as_text())}</pre>"
        else:
            whole = fragment(self._typed)
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

    `target` is a module, an object with operations as attributes, a mapping of names to functions, `globals()`, a
    `Layer`, or what the command takes: a dotted module or a path, as a string. `name` is what the report calls it.
    Raises `CannotLoad` if it offers nothing to check, `TypeError` or `ValueError` for an argument of the wrong kind or
    value, a list of known deviations that does not fit too, and `KeyboardInterrupt` when interrupted. What the target
    does to its process it does to this one.
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
    asked = Request(
        offered.name, int(examples), int(seed), keyword, known=path, timeout=float(timeout), in_python=in_python
    )
    progress = Progress()
    stuck, WATCH.stuck = WATCH.stuck, {}
    try:
        with WATCH.over("a first look", timeout):
            offered, conventions = examined(offered)
        with on_trial(offered, conventions, asked.examples, seed=asked.seed), redirect_stderr(io.StringIO()) as errors:
            status = run_session(asked, progress.hear)
    finally:
        progress.bar.close()
        WATCH.stuck = stuck
    if progress.outcomes.interrupted:
        raise KeyboardInterrupt
    if status not in KEPT:
        raise ValueError(errors.getvalue().strip().removeprefix("ERROR: "))
    settle_scripts(progress.outcomes.results.values(), offered.importable_name)
    report = make_report(asked, found(offered, conventions), progress.outcomes, time.perf_counter() - started)
    if not applied(report):
        raise CannotLoad("nothing to check: no selected property applies to what the target offers")
    return Report(json.loads(reported.as_json(report)))


def check(forward: Callable[..., Any], backward: Callable[..., Any], /, **arrays: Any) -> Report:
    """Check that one function gives the gradients of another: the report is `verify`'s, of a target with this layer.

    The arrays are told as a `Layer` tells them: `check(forward, backward, x=("N", 3), W=(3, 4))`. For other options,
    verify the layer itself: `verify(Layer(forward, backward, x=(2, 3)), examples=1000)`. Raises what `verify` raises.
    """
    return verify(SimpleNamespace(forward=forward, backward=backward, arrays=arrays))


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
    if is_layer(target):
        own = getattr(target.forward, "__name__", "")
        called = own if own.isidentifier() and own.isascii() else "layer"
        return make_target(SimpleNamespace(LAYERS={called: target}), name or called)
    if isinstance(target, ModuleType):
        return make_target(target, name or target.__name__)
    return make_target(target, name or (target if isinstance(target, type) else type(target)).__name__)


def _failure(entry: dict[str, Any]) -> PropertyFailure:
    return PropertyFailure(
        **{key: entry[key] for key in ("id", "operation", "outcome", "statement", "message")},
        case={name: decoded(value) for name, value in (entry["counterexample"] or {}).items()},
        yours=decoded(entry["yours"]),
        expected=decoded(entry["expected"]),
        diagnosis=tuple(entry["diagnosis"]),
        mistakes=tuple(entry["mistakes"]),
        script=entry["script"],
        frames=tuple(entry["frames"]),
    )


def suite(target: Any, *, timeout: float = DEFAULT_TIMEOUT) -> type:
    """A class with a test for each property of this target, named after its id: `test_calls_keeps_the_contract_relu`.

    Dots and brackets become underscores: pytest's `--lf` does not find a name with brackets that are no parameter's.
    `-k` takes the id itself too.

    Two lines in a test module are enough, and pytest's and Hypothesis's own options hold (`-k`, `-x`, `-n`,
    `--lf`, `--hypothesis-profile`, `--hypothesis-seed`)::

        import backproof, my_network
        TestMyNetwork = backproof.suite(my_network)

    `target` is what `verify` takes; a property that does not apply to it is skipped. Raises `CannotLoad`.
    """
    offered, conventions = examined(target_of(target))
    tests = {_name(entry.id): _test(entry, offered, conventions, timeout) for entry in properties_of(offered).values()}
    return type("TestBackpropagation", (), {"__doc__": f"Properties of {offered.name}.", **tests})


def _name(identifier: str) -> str:
    return "test_" + re.sub(r"\W+", "_", identifier).strip("_")


def _test(entry: Property, target: Target, conventions: Conventions, timeout: float) -> Callable[[Any], None]:
    def test(self: Any) -> None:
        arguments = arguments_of(entry.function, target, entry.operation)
        if arguments is None:
            pytest.skip("the target has no " + ", ".join(sorted(set(entry.operations) - target.operations.keys())))
        settings = _settings()
        with on_trial(target, conventions, settings.max_examples) as trial:
            statement = settled(entry.function, settings) if entry.is_sampled else entry.function
            try:
                with judged(entry, statement, arguments, timeout):
                    statement(**arguments)
            except Failure as failure:
                result = finished(trial.record, failure, 0.0, entry.operations)
                told = "\n".join(plain_lines(entry.statement, result))
            else:
                return
        pytest.fail(told, pytrace=False)

    test.__doc__ = entry.statement
    setattr(test, entry.id, True)  # where pytest looks for what `-k` may name
    return test


def _settings() -> hypothesis.settings:
    """The user's settings in force; targets may be slow, and a failure is told once, in our words."""
    return hypothesis.settings(
        hypothesis.settings.default,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
