"""What the machine knows of a layer and of its operations: it calls them by what is declared here, and by no name."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...harness.core.limits import Limits, Pair
from ...harness.core.memory_order import reversed_entries
from ...harness.core.setting import setting
from ...harness.core.tape import Case, Tape
from ...harness.core.values import Array, Kind, Value

Mask = NDArray[np.bool_]
Read = Callable[[Tape], Case]
Ask = Callable[[Case], Any]  # what an operation answers on a case; None if it does not
Sides = tuple[int, ...]


class Fault(NamedTuple):
    """What is wrong with an answer that may be one of several: in words, in which entries, and what would be right."""

    message: str
    expected: Any
    wrong: Mask | None = None


class Stage(NamedTuple):
    """An array between arguments and answer, as a picture shows it; `window` parts it into windows, ReLU is dead where
    it is `dead`.
    """

    title: str
    values: Array
    window: tuple[int, int] | None = None
    dead: Mask | None = None


@dataclass(frozen=True)
class Wrong:
    """What shows that a part of an answer is wrong: it is further from `expected` than is `allowed`.

    Where many answers are right, `expected` is one of them, and a `direction` tells all of them from the one that was
    given: the inner product with it is `least` or more for every right one, but for what is allowed.
    """

    part: int
    expected: Any
    allowed: Any
    notes: tuple[str, ...] = ()
    direction: Array | None = None
    least: float = 0.0


@dataclass(frozen=True)
class Signature:
    """One operation: what it takes and gives, and what is right.

    The `summary` says for one image what it takes and gives. `takes` are its positional parameters, `shapes` those of
    the answer's parts, and `parts` says of what they are the gradients. `value` gives of a case each part of the
    right answer with its bound, at kinks of one legal answer of several. Where several are legal, `faults` tries an
    answer and says of each condition what is wrong, or None; a case `is_kinked` where that counts. `smooth` and
    `kinked` read cases off every kink, and at one. `named_by` is the property that says what the operation computes,
    `of` the function whose derivative it is, `uses` what the operation is composed of; it `follows` a convention, by
    whose name that can be found. Where `faults_tell_all` that can be wrong, they are asked off kinks too. `misshapen`
    says what (case, shape) of answers of another shape have in common.

    A target offers it as a `function` of this name, or of another one. Its `options` are parameters that are handed
    over by name, to a target that has them; those that are `found_out` have no parameter, and a question that tells.
    A parameter that a target has beside those taken is handed what is `neutral`, made of the arguments as the suite has
    them. It may be a `part_of` the answer of a function that gives several: the name, and which of them. A function of
    its own may take no more than what it `needs`. An answer may have so many `more` parts, which are other operations'
    to check. A target offers it `where`, or `unless`, it has an attribute of this name.
    """

    name: str
    summary: str
    takes: Mapping[str, Kind]
    gives: tuple[Kind, ...]
    shapes: Callable[[Case], tuple[Sides, ...]]
    value: Callable[[Case], tuple[Value, ...]]
    formulas: tuple[str, ...]
    named_by: str
    smooth: Read
    kinked: Read | None = None
    is_kinked: Callable[[Case], bool] = lambda case: False
    faults: Callable[[Any, Case], Iterator[Fault | None]] | None = None
    separated: Callable[[Any, Case], Wrong | None] | None = None
    parts: tuple[str, ...] = ()
    of: str = ""
    uses: tuple[str, ...] = ()
    follows: str = ""
    faults_tell_all: bool = False
    misshapen: Callable[[Sequence[tuple[Case, Sides]]], str | None] | None = None
    other_names: tuple[str, ...] = ()
    layer: str = ""
    function: str = ""
    options: tuple[str, ...] = ()
    found_out: Mapping[str, Callable[[Ask], bool]] = field(default_factory=dict)
    neutral: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    part_of: tuple[str, int] | None = None
    needs: tuple[str, ...] = ()
    more: int = 0
    where: str = ""
    unless: str = ""

    @property
    def every_option(self) -> frozenset[str]:
        """The names of its options, those without a parameter too."""
        return frozenset([*self.options, *self.found_out])

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its positional parameters."""
        return tuple(self.takes)

    def gives_slope(self, kind: Kind) -> bool:
        """Whether a part of this kind of its answer is the gradient of a parameter, and not one that has moved."""
        return bool(self.parts) and kind.is_parameter and Kind.RATE not in self.takes.values()

    def is_given(self, name: str) -> bool:
        """Whether it goes by what a case has of this name: not by an option that the target lacks."""
        return name not in self.every_option or setting().uses(name)

    def case(self, arguments: Iterable[Any]) -> Case:
        """Arguments by the names of the parameters."""
        return Case(zip(self.takes, arguments, strict=True))

    def arguments(self, case: Case) -> tuple[Any, ...]:
        """What it takes of a case, in the order of the parameters."""
        return case.arguments(*self.takes)


def _reversed(case: Case) -> Case:
    return Case({name: reversed_entries(value) for name, value in case.items()})


@dataclass(frozen=True)
class Layer:
    """Operations that belong together, and the cases on which they are tried.

    `kinds` are those of whatever a case may hold, by name. `read` reads any case; `larger` yields, smaller ones first,
    the limits that leave one size beyond those that are sampled, with what reads a case within them; `smaller` yields
    cases with one part less, or half the parts, where what a case was built for stays. `pairs` are the pairs of shapes
    that are supported, `pair` that of a case, and `plain` a case of such a pair without ties. `fresh` gives Gaussian
    values in a shape of its own for each number. `exponents` are those of two that arrays may be scaled by.
    `finds` says by what operation, or operations, a convention is found out, and how: it is handed what asks each.
    `windows` are the pooling windows of a case, (count, entries); `stages` what a picture shows of a case. A layer that
    `rests_on_others` is checked after them. One that `is_homogeneous` is so in each array, if all have axes.
    One that `takes_batches` has arrays with several rows in every layout, and code for them. Its statements are in the
    file of its name, or in another layer's, of these `statements`. An `other` case has the same shapes and other
    values. Of one that has no oracle, `bounds` says of an operation on a case how far right answers may be apart.
    """

    name: str
    operations: tuple[Signature, ...]
    kinds: Mapping[str, Kind]
    read: Read
    larger: Callable[[Limits], Iterator[tuple[Limits, Read]]]
    smaller: Callable[[Case], Iterator[Case]]
    fresh: Callable[[int, int], Case]
    plain: Callable[[Pair], Case]
    pairs: Callable[[Limits], tuple[Pair, ...]] = lambda limits: (((1, 1), (2, 3)),)
    pair: Callable[[Case], Pair | None] = lambda case: None
    exponents: Callable[[Tape, Case, Callable[[Tape], int]], dict[str, int]] | None = None
    windows: Callable[[Case], Array | None] = lambda case: None
    stages: Callable[[Case, str], Iterator[Stage]] = lambda case, operation: iter(())
    finds: Mapping[str, tuple[str | tuple[str, ...], Callable[..., Any]]] = field(default_factory=dict)
    rests_on_others: bool = False
    is_homogeneous: bool = True
    takes_batches: bool = False
    statements: str = ""
    has_oracle: bool = True
    other: Callable[[Case], Case] = _reversed
    bounds: Callable[[str, Case], tuple[Value, ...]] | None = None

    def named(self) -> dict[str, Signature]:
        """Its operations by name, each knowing the layer's."""
        return {one.name: replace(one, layer=self.name) for one in self.operations}
