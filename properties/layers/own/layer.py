"""A target's own layer as the machine knows layers: two operations, whose right answers are found by differences."""

import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ...harness.core.memory_order import reversed_entries
from ...harness.core.setting import setting
from ...harness.core.tape import SEED, Case, Tape
from ...harness.core.values import Array, Kind, Value, parts
from ..base.registry import Layer, Signature
from .cases import Reader, direction
from .declared import ROLES, Drawn, Sizes, Spec
from .differences import FIRST, LEVELS, Estimate, Slopes, slopes

PERTURBED = 3  # times that arguments are moved to either side
ROUNDED = 8  # units that every value of a function may be off beside what that shows
STEP = 2.0**-100  # into the imaginary
LEAST = 2.0**64  # times the smallest normal number: what underflow may lose
_TRIED = 64
UNKNOWN = Kind.ANY


class OwnLayer:
    """One of a target's own layers: what it declares, and its two operations once they can be called.

    `doors` are the operations of the target by their role. Errors are bounded by what answers a little to either side
    show: without rounding their mean is the answer in between. Four times what it is off, or eight for a gradient, is
    what rounding may do. Source: Moré & Wild, SIAM J. Sci. Comput. 33, 2011, for noise from second differences.
    """

    def __init__(self, name: str, specs: Mapping[str, Spec], rows: str = "") -> None:
        self.name, self.specs, self.rows = name, specs, rows
        self.drawn = tuple(key for key, one in specs.items() if isinstance(one, Drawn))
        self.doors: dict[str, Any] = {}
        self._shapes: dict[Any, tuple[tuple[int, ...], ...]] = {}
        self._noises: tuple[Any, dict[str, Any]] = (None, {})
        self.reader, self.backward = Reader(specs, self.shapes), f"{name}.backward"
        self.made_for(1)

    def made_for(self, outputs: int) -> None:
        """Become a layer whose forward pass gives so many arrays: `layer` is what the machine knows of it."""
        takes = dict.fromkeys(self.specs, UNKNOWN)
        upstream = ["upstream"] if outputs == 1 else [f"upstream{number}" for number in range(1, outputs + 1)]
        forward = Signature(
            name=f"{self.name}.forward",
            summary="",
            takes=takes,
            gives=(UNKNOWN,) * outputs,
            shapes=self.shapes,
            value=self._answer,
            formulas=(),
            named_by="",
            smooth=self.reader.generic,
        )
        backward = replace(
            forward,
            name=self.backward,
            takes=takes | dict.fromkeys(upstream, UNKNOWN),
            gives=(UNKNOWN,) * len(self.drawn),
            shapes=lambda case: tuple(case[name].shape for name in self.drawn),
            value=self.derivatives,
            kinked=self.reader.at_kinks,
            parts=self.drawn,
            of=forward.name,
        )
        self.layer = Layer(
            name=self.name,
            operations=(forward, backward),
            kinds=dict.fromkeys([*takes, *upstream], UNKNOWN),
            read=self.reader.any,
            larger=lambda limits: iter(()),
            smaller=lambda case: iter(()),
            fresh=lambda number, seed: self.reader.generic(_tape(number + seed)),
            plain=lambda pair: self.reader.generic(_tape(0)),
            other=self.other,
            bounds=self.bounds,
            has_oracle=False,
        )

    def count(self) -> int:
        """How many arrays the forward pass gives; 1, if it takes no case of those that are tried."""
        for seed in range(_TRIED):
            with suppress(Exception):
                case = self.reader.generic(_tape(seed))
                return len(self.upstreams(case))
        return 1

    def sizes_of(self, case: Case) -> Sizes:
        """The sizes that a case's letters have."""
        found = {}
        for name in self.drawn:
            for side, length in zip(self.specs[name].sides, case[name].shape, strict=True):  # type: ignore[union-attr]
                if not isinstance(side, int):
                    found[side[1]] = length // side[0]
        return found

    def has_rows(self, name: str) -> bool:
        """Whether the first axis of an array is that of the rows."""
        spec = self.specs.get(name)
        return isinstance(spec, Drawn) and bool(spec.sides) and spec.sides[0] == (1, self.rows)

    @property
    def least(self) -> float:
        """What underflow may put a gradient off by."""
        return LEAST * setting().tiny

    def other(self, case: Case) -> Case:
        """A case that differs: arrays are reversed along their last axis, those of one entry halved."""
        return case.changed(**{name: reversed_entries(case[name]) for name in self.drawn if case[name].ndim})

    def shapes(self, case: Case) -> tuple[tuple[int, ...], ...]:
        """The shapes of what the forward pass gives; it is asked once for arguments of the same shapes."""
        key = tuple((np.shape(case[name]), _key(case[name], self.specs[name])) for name in self.specs)
        if key not in self._shapes:
            door = self.doors["forward"]
            self._shapes[key] = tuple(np.shape(part) for part in parts(door.raw(*door.handed(self._arguments(case)))))
        return self._shapes[key]

    def _arguments(self, case: Case) -> tuple[Any, ...]:
        return case.arguments(*self.specs)

    def outputs(self, case: Case) -> tuple[Array, ...]:
        """What the forward pass gives, as arrays. Raises what the door raises."""
        return parts(self.doors["forward"](*self._arguments(case)))

    def upstreams(self, case: Case) -> tuple[Array, ...]:
        """The upstream gradients of a case."""
        return tuple(case[name] for name in case if name.startswith("upstream"))

    def along(self, case: Case, moved: Mapping[str, Array], step: float) -> tuple[float, float]:
        """⟨forward, upstream⟩ so far along a line, and what rounds it; NaN where the forward pass has no value."""
        try:
            outputs = self.outputs(case.changed(**{name: case[name] + step * one for name, one in moved.items()}))
        except Exception:  # beyond what it is defined for
            return np.nan, 0.0
        products = [output * upstream for output, upstream in zip(outputs, self.upstreams(case), strict=True)]
        sizes = sum(float(np.abs(one).sum()) for one in products)
        return sum(float(one.sum()) for one in products), ROUNDED * setting().eps * sizes

    def slopes(self, case: Case, moved: Mapping[str, Array], size: float, first: float = FIRST) -> Slopes:
        """The derivatives of ⟨forward, upstream⟩ along a line, from both sides and from either."""
        return slopes(partial(self.along, case, moved), self.noise(case), size, first, LEVELS)

    def imaginary(self, case: Case, moved: Mapping[str, Array]) -> Estimate | None:
        """The derivative along a line by a step into the imaginary, which no difference rounds; None where the forward
        pass does not take complex numbers, or was found not to be analytic.

        Source: Squire & Trapp, SIAM Review 40, 1998.
        """
        return self._by_complex(case, moved) if self._noise(case)["is_analytic"] else None

    def _by_complex(self, case: Case, moved: Mapping[str, Array]) -> Estimate | None:
        door = self.doors["forward"]
        arguments = self._arguments(case.changed(**{name: case[name] + 1j * STEP * one for name, one in moved.items()}))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what drops an imaginary part
            try:
                answers = [np.imag(part) / STEP for part in parts(door.raw(*door.handed(arguments)))]
                products = [one * upstream for one, upstream in zip(answers, self.upstreams(case), strict=True)]
            except Exception:
                return None
        sizes = sum(float(np.abs(one).sum()) for one in products)
        found = Estimate(sum(float(one.sum()) for one in products), ROUNDED * setting().eps * sizes)
        return found if np.isfinite(sizes) else None

    def _is_analytic(self, case: Case, noise: float) -> bool:
        """Whether a step into the imaginary gives what differences give, along one line for all arrays."""
        if setting().dtype != "float64":
            return False
        moved = {name: direction(case, name) for name in self.drawn}
        found = self._by_complex(case, moved)
        if found is None:
            return False
        known = slopes(partial(self.along, case, moved), noise, abs(found.value) + noise)
        return not known.is_kink and not known.central.excludes(found.value, found.error)

    def noise(self, case: Case) -> float:
        """How far off ⟨forward, upstream⟩ may be, there and a step away."""
        return float(self._noise(case)["noise"])

    def bounds(self, operation: str, case: Case) -> tuple[Value, ...]:
        """How far two right answers to the same arguments may be apart, for each part: the values are of no account."""
        return tuple(Value(np.zeros_like(one), 1.0, one / setting().eps) for one in self._noise(case)[operation])

    def _noise(self, case: Case) -> dict[str, Any]:
        key = tuple(_key(case[name], None) for name in case if name[0] != "_")
        if self._noises[0] != key:
            noise = self._forward_noise(case)
            self._noises = key, {"noise": noise, "is_analytic": self._is_analytic(case, noise), **self._changes(case)}
        return self._noises[1]

    def _forward_noise(self, case: Case) -> float:
        noise, upstreams = 0.0, self.upstreams(case)
        away = case.changed(**{name: case[name] + FIRST * direction(case, name) for name in self.drawn})
        for base in (case, away):
            with suppress(Exception):
                for rounded in self._rounded("forward", base):
                    noise = max(
                        noise, sum(float(np.abs(one * u).sum()) for one, u in zip(rounded, upstreams, strict=True))
                    )
        return 4 * noise

    def _changes(self, case: Case) -> dict[str, tuple[Array, ...]]:
        """For each operation what it may be off by, part by part."""
        found = {}
        for role, door in self.doors.items():
            answer = parts(door.at(case))
            rounded = [8 * np.max(several, axis=0) for several in zip(*self._rounded(role, case), strict=True)]
            found[door.name] = tuple(
                one + ROUNDED * setting().eps * (np.abs(part) + np.abs(part).max(initial=0.0))
                for one, part in zip(rounded, answer, strict=True)
            )
        return found

    def _rounded(self, role: str, case: Case) -> Iterable[tuple[Array, ...]]:
        """By how much an answer differs from the mean of those to either side of it, part by part."""
        door, generator = self.doors[role], np.random.default_rng(SEED)
        share = np.sqrt(setting().eps) / 16  # of the largest entry: so small that curvature is below rounding
        names = [name for name in case if name in self.drawn or name.startswith("upstream")]
        before = parts(door.at(case))
        for _ in range(PERTURBED):
            moved = {
                name: share * np.abs(case[name]).max(initial=0.0) * _uneven(generator, case[name]) for name in names
            }
            after, other = (
                parts(door.at(case.changed(**{name: case[name] + sign * one for name, one in moved.items()})))
                for sign in (1, -1)
            )
            yield tuple(np.abs(one + two - 2 * three) for one, two, three in zip(after, other, before, strict=True))

    def _answer(self, case: Case) -> tuple[Value, ...]:
        """What the forward pass gives: it defines itself."""
        noises = self._noise(case)[f"{self.name}.forward"]
        return tuple(
            Value(part, 1.0, noise / setting().eps) for part, noise in zip(self.outputs(case), noises, strict=True)
        )

    def derivatives(self, case: Case) -> tuple[Value, ...]:
        """The gradient of ⟨forward, upstream⟩ for each array, entry by entry by differences, with what they may err."""
        return tuple(self.derivative(case, name) for name in self.drawn)

    def derivative(self, case: Case, name: str) -> Value:
        """The gradient for one array, entry by entry; at kinks what lies between the one-sided derivatives is right."""
        value, allowed = np.zeros(case[name].shape), np.zeros(case[name].shape)
        size = sum(float(np.abs(one).sum()) for one in self.upstreams(case))
        rounding = dict(zip(self.drawn, self._noise(case)[self.backward], strict=True))[name]
        for index in np.ndindex(value.shape):
            only = np.zeros(value.shape)
            only[index] = 1.0
            found = self.slopes(case, {name: only}, size)
            value[index], allowed[index] = found.central
            if found.is_kink:
                low, high = found.ends
                value[index] = (low + high) / 2
                allowed[index] = (high - low) / 2 + found.left.error + found.right.error
        allowed += rounding + self.least
        return Value(value, 1.0, allowed / setting().eps)


def _uneven(generator: np.random.Generator, array: Array) -> Array:
    return np.asarray(generator.uniform(0.5, 1, array.shape) * generator.choice((-1, 1), array.shape))


def _tape(seed: int) -> Tape:
    return Tape(np.random.default_rng((SEED, seed)).bytes(2**14))


def _key(value: Any, spec: Spec | None) -> Any:
    if isinstance(spec, Drawn):
        return None
    return value.tobytes() if isinstance(value, np.ndarray) else repr(value)


def layer_named(operation: str) -> str:
    """The name of the own layer whose operation this is. `KeyError` for any other name."""
    layer, _, role = operation.rpartition(".")
    if not layer or role not in ROLES:
        raise KeyError(operation)
    return layer


def own_layer(name: str) -> Layer:
    """The layer of this name of the target that is tried.

    A report is made where there is no target: of its layers no more than the operations' names is known there.
    """
    declared = setting().own_layers
    own: OwnLayer = declared[name] if name in declared else OwnLayer(name, {})
    return own.layer
