"""The report as data: the JSON has these fields in this order, and its schema is made from these types."""

import json
from typing import Any, Literal, TypedDict, get_args

from msgspec import UNSET, Struct, UnsetType, to_builtins
from msgspec.json import schema

from ..core.limits import Declared
from ..core.reason import Difference, Reason

Outcome = Literal["held", "refuted", "crashed", "not applicable", "known", "not run"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
FAILING = ("refuted", "crashed")
Why = Literal["refuted", "crashed", "stale", "known"]  # that an operation is not certified
Counts = dict[str, int]  # by the name of what is counted
Limits = dict[Literal["kernels", "windows", "images"], Declared]


class Encoded(TypedDict):
    """An array; what is not finite is a string."""

    dtype: str
    shape: list[int]
    data: list[Any] | float | str


Value = Encoded | list[Any] | str | bool | float | int | None  # a list is a pair of arrays, or a tuple of numbers


class Conventions(Struct):
    """What the target chose, as far as it was found out, and its precision."""

    convolution: Literal["convolution", "correlation"] | None
    ties: str | None
    relu_derivative_at_zero: float | None
    dtype: str
    further: dict[str, str | float] = {}


class Declarations(Struct):
    """What the target declares of its losses and its network, of which a stage is its name and pairs of options."""

    reduction: Literal["mean", "sum"]
    labels: Literal["integers", "one-hot"]
    network: list[Any]


class Definition(Struct):
    """Where an operation of the target is defined, and the lines of its code."""

    file: str
    line: int
    lines: list[str]


class Frame(Struct):
    """One call in the target of those that led to an exception."""

    file: str
    line: int
    function: str
    code: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}, {self.function}: {self.code}".rstrip(": ")


class Proof(Struct, kw_only=True):
    """What an exhaustive property tried. A wrong polynomial of this degree is given away by uniform points.

    In the certificate it has the property's id. `part` are the shards of which it tells, if these are not all.
    """

    id: str | UnsetType = UNSET
    what: str
    where: str
    covered: int | UnsetType = UNSET
    of: int | UnsetType = UNSET
    degree: int | UnsetType = UNSET
    values: int | UnsetType = UNSET
    points: int | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    part: str | UnsetType = UNSET


class Proved(Proof, kw_only=True):
    """A proof with how many cases it took; `chance` bounds that of a wrong polynomial to pass one shape or pattern."""

    cases: int
    left_out: int
    exactly: bool
    chance: float | None


class Sampled(Struct):
    """How much was tried by properties that sample."""

    properties: int
    examples: int
    rounds: int


class Precision(Struct):
    """The relative precision of differences that gradients were held against: half of the times, and nine of ten."""

    median: float
    nine_tenths: float


class Certified(Struct):
    """What was proved of an operation, on how much, and what a failure leaves of that.

    `theorems` prove for every shape the formula of the property that says what it computes. What is held against
    differences has the `precision` that these reached.
    """

    operation: str
    refuted: bool
    why: Why | None
    theorems: list[str]
    proved: list[Proved]
    partly: list[Proved]
    sampled: Sampled
    largest_error: float
    precision: Precision | None = None


class Certificate(Struct):
    """What the run allows one to say of each operation, and what no run proves."""

    operations: list[Certified]
    not_proved: list[str]


class Entry(Struct, kw_only=True):
    """One property: what it states, what came of it, and how to run it again.

    `theorems` prove its formula for every shape: each is a file of proofs/ and a name in it.
    Of a failure it has the arguments, both sides, the indices of the entries that are wrong and how far they are off,
    the reasons (`diagnosis` has them as sentences), the catalogue's mistakes that give these very answers, and the
    target's own operations that alone explain it. `note` says what else the outcome rests on: a known deviation that no
    longer fails, or that nothing to compare falls to this part of a campaign.
    """

    id: str
    operation: str
    operations: list[str]
    statement: str
    source: str
    theorems: list[str]
    outcome: Outcome
    examples: int
    left_out: int
    comparisons: int
    largest_error: float
    seconds: float
    seconds_in_target: float
    proof: Proof | None
    counterexample: dict[str, Value] | None
    yours: Value
    expected: Value
    message: str | None
    note: Literal["no longer fails", "left to other parts"] | None
    difference: Difference | None
    script: str | None
    listed: str | None
    wrong: list[list[int]]
    diagnosis: list[str]
    reasons: list[Reason]
    mistakes: list[str]
    follows_from: list[str]
    frames: list[Frame]
    reproduce: str

    @property
    def fails(self) -> bool:
        """Whether it is refuted or crashed."""
        return self.outcome in FAILING


class Result(Entry, kw_only=True):
    """What came of one property, before a report names it: with what its cases were, and scripts that may show it."""

    tried: dict[str, Counts]
    scripts: list[str]


class Tried(Struct):
    """What all cases together were: shapes, ties, margins, patterns; and the errors seen in each operation, and the
    relative precisions of differences, by the powers of two that they are below.
    """

    shapes: dict[str, Counts]
    maxima: Counts
    margins: Counts
    patterns: Counts
    errors: dict[str, Counts]
    precisions: dict[str, Counts] = {}


class Merged(Struct):
    """Of how many shards a merged report is, and which are missing."""

    shards: int
    missing: list[int]


class Campaign(Struct):
    """The rounds of a campaign, and the command that goes on with it."""

    rounds: int
    minutes: float
    finished: bool
    resume: str | None


class Found(Struct, kw_only=True):
    """What a report says of the target itself: what it chose, declares and lacks, and where it is defined."""

    conventions: Conventions
    layout: str
    kernel_layout: str
    gradients_are: Literal["sum", "mean"]
    declared: Declarations
    limits: Limits
    lacking: list[str]
    near_misses: dict[str, str]
    definitions: dict[str, Definition]
    digest: str | None


class Report(Struct, kw_only=True):
    """What came of checking a target."""

    schema_version: Literal[1]
    target: str
    verdict: Literal["holds", "refuted", "broken", "incomplete"]
    totals: dict[Outcome, int]
    shapes: dict[str, list[list[int]]]
    certificate: Certificate
    conventions: Conventions
    layout: str
    kernel_layout: str
    gradients_are: Literal["sum", "mean"]
    declared: Declarations
    limits: Limits
    lacking: list[str]
    near_misses: dict[str, str]
    definitions: dict[str, Definition]
    digest: str | None
    tried: Tried
    properties: list[Entry]
    warnings: Counts
    interrupted: bool
    seed: int
    examples: int
    round: int
    shard: list[int] | None
    merged: Merged | None
    campaign: Campaign | None
    date: str
    seconds: float
    versions: dict[str, str]
    summary: str


def as_json(report: Report) -> str:
    """The report as strict JSON."""
    return json.dumps(to_builtins(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_schema() -> str:
    """The schema of that JSON, by JSON Schema's draft 2020-12."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | schema(Report), indent=2, ensure_ascii=False) + "\n"
