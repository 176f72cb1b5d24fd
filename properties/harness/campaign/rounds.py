"""A campaign: rounds of more and larger examples, one after the other, until its time is over.

The first round is an ordinary run. Each later one samples only, from a stream of its own, with twice the examples and
larger sizes, up to a ceiling of both. What all rounds did is one report, kept after each of them, to be resumed.
"""

import json
import os
import shlex
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import floor, inf
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct, to_builtins
from msgspec.structs import replace as replaced
from tqdm import tqdm

from ..checking.properties import all_properties
from ..core.limits import Limits
from ..core.shards import WHOLE, name_of
from ..report.data import Campaign, Entry, Found, Report
from ..report.report import Outcomes, Request, completed
from ..run.database import storage
from ..run.processes import stopping_by
from ..run.run import CannotRun, Frame, TimeIsOver, run
from .merge import joined
from .parts import CannotMerge, checked, of_kind, read_json

MOST_DOUBLINGS = 4  # of the examples: of many more Hypothesis keeps too much in memory, and a round takes long
OF_THE_TIME, OF_THE_TIMEOUT = 0.9, 0.5  # that a round and its slowest property are planned to take: cases get larger
_INSTANT = 1e-6
_SAME = {name: f"its {name}" for name in ("layout", "limits", "conventions")}
_SAME |= {
    "digest": "its code",
    "lacking": "the set of its operations",
    "kernel_layout": "its kernels' layout",
    "gradients_are": "its gradients",
    "declared": "what it declares",
}


class Pace(NamedTuple):
    """The seconds of a round beside its properties; of one example of all properties together, and of the slowest."""

    beside: float
    all: float
    slowest: float


class _Kept(Struct):
    """What is kept of a campaign, to be resumed."""

    keyword: str
    pace: Pace
    report: Report


class Plan(NamedTuple):
    """A round to come: its number, its examples a property, and whether they are fewer for want of time."""

    number: int
    examples: int
    is_cut: bool = False


def planned(number: int, asked: Request, pace: Pace, left: float) -> Plan | None:
    """The round of this number, for so many seconds at most; None if they are too few for an example of each property.

    The examples double from round to round, up to `MOST_DOUBLINGS` times, as far as no property runs out of its time.
    """
    wanted = asked.examples * 2 ** min(number - 1, MOST_DOUBLINGS)
    wanted = min(wanted, floor(OF_THE_TIMEOUT * asked.timeout / max(pace.slowest, _INSTANT)))
    possible = floor((OF_THE_TIME * left - pace.beside) / max(pace.all, _INSTANT))
    examples = min(wanted, possible)
    return Plan(number, examples, examples < wanted) if examples >= asked.shard[1] else None


def pace_of(report: Report, examples: int, workers: int) -> Pace | None:
    """The pace of a round with so many examples; None of one that was cut short, or in which nothing is sampled."""
    sampled = {entry.id for entry in all_properties().values() if entry.is_sampled}
    entries = [entry for entry in report.properties if entry.id in sampled and entry.examples]
    if report.totals["not run"] or not entries:
        return None
    beside = report.seconds - sum(entry.seconds for entry in report.properties) / workers
    seconds = [entry.seconds / examples for entry in entries]
    return Pace(max(beside, 0.0), sum(seconds) / workers, max(seconds))


def campaign(
    asked: Request,
    minutes: float,
    resume: bool = False,
    *,
    run: Callable[[Request, Frame], Report] = run,
    clock: Callable[[], float] = time.monotonic,
) -> Report:
    """The one report of rounds that go on for so many minutes, until one fails, or until the user interrupts.

    With `resume` the newest campaign goes on after its last round that was kept. Raises what `run` does; `CannotRun`
    and `CannotMerge` for what cannot be resumed.
    """
    until = clock() + 60 * minutes
    state = _read(asked) if resume else _State()
    state.minutes += minutes
    plan: Plan | None = Plan(1, asked.examples)
    if state.pace:
        plan = planned(state.rounds + 1, asked, state.pace, until - clock())
    try:
        with stopping_by(signal.default_int_handler):
            while plan:
                frame = Frame(until, _unchanged(asked, state), _heading(plan, state, lambda: until - clock()))
                newest = run(replace(asked, examples=plan.examples, round_number=plan.number), frame)
                state.add(newest, plan, asked.workers or 1)
                if not state.pace or newest.interrupted or _fails(newest):
                    break
                state.is_kept = _keep(asked, state)
                plan = None if plan.is_cut else planned(plan.number + 1, asked, state.pace, until - clock())
    except (KeyboardInterrupt, TimeIsOver) as end:
        if not state.report:
            raise
        state.report.interrupted = isinstance(end, KeyboardInterrupt)
    return state.told(shlex.join(_command(asked, minutes)))


@dataclass
class _State:
    """How far a campaign is: all its rounds' report and number, the minutes given to it, and the newest round's pace.

    It has no pace before its first round is done, nor if nothing is sampled. `is_kept` if it can be resumed.
    """

    report: Report | None = None
    rounds: int = 0
    minutes: float = 0.0
    pace: Pace | None = None
    is_kept: bool = False

    def add(self, newest: Report, plan: Plan, workers: int) -> None:
        """Join one more round's report."""
        self.report = joined(self.report, newest) if self.report else newest
        self.pace = pace_of(newest, plan.examples, workers) or self.pace
        self.rounds = plan.number

    def told(self, command: str = "") -> Report:
        """The report, with the verdict of the campaign: it is incomplete if not all of the first round ran.

        An interrupted one says by which command it is resumed.
        """
        assert self.report
        interrupted = self.report.interrupted
        finished = not interrupted and (not self.report.totals["not run"] or _fails(self.report))
        resume = command if interrupted and self.is_kept else None
        return completed(replaced(self.report, campaign=Campaign(self.rounds, self.minutes, finished, resume)))


def _fails(report: Report) -> bool:
    return any(entry.fails for entry in report.properties)


def _unchanged(asked: Request, state: _State) -> Callable[[Found], None]:
    """What refuses a target that is no longer the one that the campaign began with."""

    def check(found: Found) -> None:
        for name, what in _SAME.items():
            if state.report and getattr(found, name) != getattr(state.report, name):
                raise CannotRun(f"{asked.target} changed since its campaign began, {what}: begin a new one")

    return check


def _heading(plan: Plan, state: _State, left: Callable[[], float]) -> Callable[[Outcomes], str]:
    """What stands before the progress of a round."""
    side = Limits(growth=plan.number - 1).largest.kernel
    before = _examples(state.report.properties) if state.report else 0

    def heading(outcomes: Outcomes) -> str:
        examples, time_left = before + _examples(outcomes.results.values()), tqdm.format_interval(max(left(), 0.0))
        return f"round {plan.number}, kernels to {side}×{side}, {examples:,} examples, {time_left} left, "

    return heading


def _examples(entries: Iterable[Entry]) -> int:
    return sum(entry.examples for entry in entries)


def _command(asked: Request, minutes: float) -> list[str]:
    """The command that resumes a campaign."""
    options = (("-k", asked.keyword), ("-n", asked.workers), ("--known", asked.known))
    given = [word for option, value in options if value for word in (option, str(value))]
    fail_fast = ["--fail-fast"] if asked.fail_fast else []
    return [*asked.command, *given, *fail_fast, "--minutes", f"{minutes:g}", "--resume"]


def _path(asked: Request) -> Path:
    """Where the newest campaign of a target is kept, or of one shard of it."""
    part = f" {name_of(asked.shard)}" if asked.shard != WHOLE else ""
    return storage("campaigns", asked.target + part).with_suffix(".json")


def _keep(asked: Request, state: _State) -> bool:
    """Keep how far a campaign is, in the place of what was kept, whole or not at all; whether that was possible."""
    path = _path(asked)
    assert state.pace
    kept = json.dumps(to_builtins(_Kept(asked.keyword, state.pace, state.told())), allow_nan=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}")
        new.write_text(kept, encoding="utf-8")
        new.replace(path)
    except OSError:
        return False
    return True


def _read(asked: Request) -> _State:
    """What was kept of the newest campaign. Raises `CannotRun` if there is none, or another one; `CannotMerge`."""
    path = _path(asked)
    if not path.is_file():
        raise CannotRun(f"there is no campaign of {asked.target} to resume in {path.parent}")
    given = read_json(str(path))
    report = checked(str(path), given.get("report") if isinstance(given, dict) else None)
    kept, about = of_kind(str(path), given, _Kept), report.campaign
    if not about or about.rounds < 1 or not all(0 <= one < inf for one in kept.pace):
        raise CannotMerge(f"{path} is no campaign that can be resumed: its figures are damaged")
    begun = {"target": report.target, "--seed": report.seed, "--examples": report.examples, "-k": kept.keyword}
    now = {"target": asked.target, "--seed": asked.seed, "--examples": asked.examples, "-k": asked.keyword}
    for what, value in begun.items():
        if value != now[what]:
            raise CannotRun(f"the newest campaign of {asked.target} began with another {what}: {value!r}")
    return _State(report, about.rounds, about.minutes, kept.pace, is_kept=True)
