"""The derivatives of a layer's forward pass, contracted with an upstream gradient, and what rounding may do to them."""

import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from ...harness.core.setting import setting
from ...harness.core.tape import SEED, Case
from ...harness.core.values import Array, Value, parts
from .cases import direction
from .declared import Drawn, Spec
from .differences import FIRST, LEVELS, Estimate, Slopes, slopes

LINES, SPACING = 2, 2.0**-18  # along which answers are asked for, and how far apart, of each array's largest entry
SIXTH = np.array([1.0, -6.0, 15.0, -20.0, 15.0, -6.0, 1.0])
NORM = float(np.linalg.norm(SIXTH))
MANY = 16  # times such a typical error that one may be
ROUNDED = 8  # units that every value of a function may be off beside what that shows
STEP = 2.0**-100  # into the imaginary
LEAST = 2.0**64  # times the smallest normal number: what underflow may lose


class Derivatives:
    """What is asked of the two functions of a layer: `doors` are the target's operations, by their role.

    Errors are bounded by what is seen of rounding: without it the sixth differences of answers along a line vanish, far
    below a unit. Source: Hamming, Numerical Methods for Scientists and Engineers, 1962, for noise from differences, and
    Moré & Wild, SIAM J. Sci. Comput. 33, 2011.
    """

    def __init__(self, name: str, specs: Mapping[str, Spec]) -> None:
        self.name, self.specs, self.backward = name, specs, f"{name}.backward"
        self.drawn = tuple(key for key, one in specs.items() if isinstance(one, Drawn))
        self._fixed = {*specs}.difference(self.drawn) | {"_orders", "memory"}
        self.doors: dict[str, Any] = {}
        self._noises: tuple[Any, dict[str, Any]] = (None, {})

    @property
    def least(self) -> float:
        """What underflow may put a gradient off by."""
        return LEAST * setting().tiny

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

    def slopes(
        self, case: Case, moved: Mapping[str, Array], size: float, first: float = FIRST, noise: float | None = None
    ) -> Slopes:
        """The derivatives of ⟨forward, upstream⟩ along a line, from both sides and from either."""
        noise = self.noise(case) if noise is None else noise
        return slopes(partial(self.along, case, moved), noise, size, first, LEVELS)

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
        key = tuple(key_of(case[name], None) for name in case if name[0] != "_")
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
        return MANY * noise

    def _changes(self, case: Case) -> dict[str, tuple[Array, ...]]:
        """For each operation what it may be off by, part by part.

        Beside what is seen, by a few units of what may be summed: of a function that is linear in each of its arrays no
        term is larger than the product of their largest entries, and of 1 where one has no part in it.
        """
        found = {}
        largest = {name: float(np.abs(case[name]).max(initial=0.0)) for name in case if name not in self._fixed}
        for role, door in self.doors.items():
            answer = parts(door.at(case))
            rounded = [MANY * np.max(several, axis=0) for several in zip(*self._rounded(role, case), strict=True)]
            summed = float(np.prod([1.0 + largest[name] for name in self.drawn]))
            if role == "backward":
                summed *= max(largest[name] for name in largest if name not in self.specs)
            found[door.name] = tuple(
                one + ROUNDED * setting().eps * (np.abs(part) + summed)
                for one, part in zip(rounded, answer, strict=True)
            )
        return found

    def _rounded(self, role: str, case: Case) -> Iterable[tuple[Array, ...]]:
        """How an answer's sixth differences along a line vary, part by part, in units of what a single one does."""
        door, generator = self.doors[role], np.random.default_rng(SEED)
        names = [name for name in case if name in self.drawn or name.startswith("upstream")]
        sizes = {name: SPACING * np.abs(case[name]).max(initial=0.0) for name in names}
        for _ in range(LINES):
            moved = {name: sizes[name] * _uneven(generator, case[name]) for name in names}
            points = [
                case.changed(**{name: case[name] + at * one for name, one in moved.items()}) for at in range(-3, 4)
            ]
            answers = zip(*(parts(door.at(one)) for one in points), strict=True)
            yield tuple(np.abs(np.tensordot(SIXTH, np.array(several), 1)) / NORM for several in answers)

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


def key_of(value: Any, spec: Spec | None) -> Any:
    if isinstance(spec, Drawn):
        return None
    return (value.shape, value.tobytes()) if isinstance(value, np.ndarray) else repr(value)
