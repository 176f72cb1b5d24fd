"""The trial under way: which target is tested, how much is tried, and what the property under way has seen."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from ..core.setting import Conventions, in_setting
from ..core.shards import WHOLE, Shard, examples_of, seed_of
from ..target.target import Target

DEFAULT_EXAMPLES = 100  # of a property; from so many up what is exhaustive leaves nothing out
MOST_POINTS = 256  # of one example, where the budget is large
FEWEST = 10  # examples of Hypothesis's, each with as many cases as make the budget: its own cost is most of one case's
Counts = dict[str, Counter[Any]]  # of each kind of thing that is counted


@dataclass
class Record:
    """What one property has done so far: examples run, cases left out, comparisons, largest error.

    The error is in units of rounding: multiples of epsilon times the size of the sums. `refutation` is the
    newest failure seen, which a run that is interrupted while shrinking reports; `case` is the one under way, and
    `proof` what an exhaustive statement adds to the certificate. `tried` counts what the examples were
    (`tried.note`), and as `errors` the entries compared, by the power of two of units that their error is below.
    `is_left` says that nothing to compare fell to this part of a campaign.
    """

    examples: int = 0
    left_out: int = 0
    comparisons: int = 0
    largest_error: float = 0.0
    refutation: Exception | None = None
    case: dict[str, Any] = field(default_factory=dict)
    proof: dict[str, Any] | None = None
    tried: Counts = field(default_factory=lambda: defaultdict(Counter))
    seconds_in_target: float = 0.0
    is_left: bool = False


@dataclass
class Trial:
    """A target with its conventions, and the record of the property that runs now."""

    target: Target = field(default_factory=lambda: Target("nothing", {}))
    conventions: Conventions = field(default_factory=Conventions)
    record: Record = field(default_factory=Record)
    examples: int = DEFAULT_EXAMPLES  # of the campaign, whatever this shard's share of them is
    shard: Shard = WHOLE
    seed: int | None = None  # of every property's cases; without one Hypothesis chooses
    wrong: dict[str, bool] = field(default_factory=dict)  # of each operation that it was asked of

    @property
    def share(self) -> float:
        """How much of what is exhaustive is tried: all of it, unless fewer examples are asked for than usual."""
        return min(self.examples / DEFAULT_EXAMPLES, 1.0)

    @property
    def budget(self) -> int:
        """How many cases a property is to try."""
        return examples_of(self.shard, self.examples)

    @property
    def together(self) -> int:
        """How many cases of one shape an example carries, if it can take them at once: 1 until there are 200 in all."""
        return max(1, min(self.budget // DEFAULT_EXAMPLES, MOST_POINTS))

    def carries(self, at_once: bool) -> int:
        """How many cases an example carries: of one shape if it can take them `at_once`, else each of its own."""
        several = max(1, min(self.budget // FEWEST, MOST_POINTS))
        return self.together if at_once and self.together > 1 else several

    def points(self, at_once: bool) -> int:
        """How many the next example carries: 1 once a failure was seen, so that it shrinks to one."""
        left = self.budget - self.record.examples
        return max(1, min(self.carries(at_once), left)) if self.record.refutation is None else 1

    @property
    def is_whole(self) -> bool:
        """Whether it is neither one shard of several nor a round after the first, which draws larger cases."""
        return self.shard == WHOLE and not self.target.limits.growth


_CURRENT: ContextVar[Trial] = ContextVar("trial")


def current() -> Trial:
    """The trial under way; without one, of a target that offers nothing."""
    trial = _CURRENT.get(None)
    if trial is None:
        trial = Trial()
        _CURRENT.set(trial)
    return trial


@contextmanager
def on_trial(
    target: Target,
    conventions: Conventions,
    examples: int = DEFAULT_EXAMPLES,
    shard: Shard = WHOLE,
    seed: int | None = None,
) -> Iterator[Trial]:
    """Make a target the one that is tried, in the setting that it asks for; `seed` is the whole campaign's."""
    own = seed_of(shard, seed, target.limits.growth + 1)
    token = _CURRENT.set(Trial(target, conventions, examples=examples, shard=shard, seed=own))
    try:
        with in_setting(target.setting(conventions)):
            yield current()
    finally:
        _CURRENT.reset(token)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Keep what is run here out of the record of the property under way."""
    trial = current()
    record, trial.record = trial.record, Record()
    try:
        yield
    finally:
        trial.record = record
