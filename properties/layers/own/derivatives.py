"""The derivatives of a layer's forward pass, contracted with an upstream gradient, and what rounding may do to them."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from ...harness.core.setting import setting
from ...harness.core.tape import SEED, Case
from ...harness.core.values import Array, Value, parts
from .cases import direction
from .declared import Drawn, Spec, is_upstream
from .differences import FIRST, Estimate, Slopes, slopes

LINES, SPACING = 2, 2.0**-18  # along which answers are asked for, and how far apart, of each array's largest entry
SIXTH = np.array([1.0, -6.0, 15.0, -20.0, 15.0, -6.0, 1.0])
NORM = float(np.linalg.norm(SIXTH))
MANY = 16  # times such a typical error that one may be
ROUNDED = 8  # units that every value of a function may be off beside what that shows
STEP, TRIALS = 2.0**-100, 4  # into the imaginary, and on how many cases it is tried whether that is right
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
        self.doors: dict[str, Any] = {}
        self._kept: tuple[Any, dict[str, Any]] = (None, {})
        self._is_analytic: list[bool] = []

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
        return tuple(case[name] for name in case if is_upstream(name))

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
        return slopes(partial(self.along, case, moved), noise, size, first)

    def imaginary(self, case: Case, moved: Mapping[str, Array]) -> Estimate | None:
        """The derivative along a line by a step into the imaginary, which no difference rounds; None where the forward
        pass does not take complex numbers, or was found not to be analytic.

        That is found on the first few cases. Source: Squire & Trapp, SIAM Review 40, 1998.
        """
        if len(self._is_analytic) < TRIALS and all(self._is_analytic):
            self._is_analytic.append(self._fits(case))
        return self._by_complex(case, moved) if all(self._is_analytic) else None

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

    def _fits(self, case: Case) -> bool:
        """Whether a step into the imaginary gives what differences give, along one line for all arrays."""
        if setting().dtype != "float64":
            return False
        moved = {name: direction(case, name) for name in self.drawn}
        found = self._by_complex(case, moved)
        if found is None:
            return False
        known = self.slopes(case, moved, abs(found.value))
        return not known.is_kink and not known.central.excludes(found.value, found.error)

    def noise(self, case: Case) -> float:
        """How far off ⟨forward, upstream⟩ may be, there and a step away."""
        return float(self._once(case, "noise", self._noise))

    def bounds(self, operation: str, case: Case) -> tuple[Value, ...]:
        """How far two right answers to the same arguments may be apart, for each part: the values are of no account."""
        role = operation.rpartition(".")[2]
        found = self._once(case, role, partial(self._changes, role))
        return tuple(Value(np.zeros_like(one), 1.0, one / setting().eps) for one in found)

    def rounding(self, case: Case, name: str) -> Array:
        """How far off the gradient for one array may be."""
        bounds = zip(self.drawn, self.bounds(self.backward, case), strict=True)
        return np.asarray(next(bound.allowed for key, bound in bounds if key == name))

    def _once(self, case: Case, what: str, measure: Callable[[Case], Any]) -> Any:
        """What is measured on a case, kept until another one is asked about."""
        key = tuple(key_of(value) for name, value in case.items() if name in self.specs or is_upstream(name))
        if self._kept[0] != key:
            self._kept = key, {}
        if what not in self._kept[1]:
            self._kept[1][what] = measure(case)
        return self._kept[1][what]

    def _noise(self, case: Case) -> float:
        noise, upstreams = 0.0, self.upstreams(case)
        away = case.changed(**{name: case[name] + FIRST * direction(case, name) for name in self.drawn})
        for base in (case, away):
            with suppress(Exception):
                for rounded in self._rounded("forward", base):
                    products = [one * upstream for one, upstream in zip(rounded, upstreams, strict=True)]
                    noise = max(noise, sum(float(np.abs(one).sum()) for one in products))
        return MANY * noise

    def _changes(self, role: str, case: Case) -> tuple[Array, ...]:
        """What an operation may be off by, part by part.

        Beside what is seen, by a few units of what may be summed: of a function that is linear in each of its arrays no
        term is larger than the product of their largest entries, and of 1 where one has no part in it.
        """
        rounded = [MANY * np.max(several, axis=0) for several in zip(*self._rounded(role, case), strict=True)]
        summed = float(np.prod([1.0 + np.abs(case[name]).max(initial=0.0) for name in self.drawn]))
        if role == "backward":
            summed *= max(float(np.abs(one).max(initial=0.0)) for one in self.upstreams(case))
        answer = zip(rounded, parts(self.doors[role].at(case)), strict=True)
        return tuple(one + ROUNDED * setting().eps * (np.abs(part) + summed) for one, part in answer)

    def _rounded(self, role: str, case: Case) -> Iterable[tuple[Array, ...]]:
        """How an answer's sixth differences along a line vary, part by part, in units of what a single one does."""
        door, generator = self.doors[role], np.random.default_rng(SEED)
        names = [name for name in case if name in self.drawn or is_upstream(name)]
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
        bounds = zip(self.outputs(case), self.bounds(f"{self.name}.forward", case), strict=True)
        return tuple(Value(part, 1.0, bound.size) for part, bound in bounds)

    def derivatives(self, case: Case) -> tuple[Value, ...]:
        """The gradient of ⟨forward, upstream⟩ for each array, entry by entry by differences, with what they may err."""
        return tuple(self.derivative(case, name) for name in self.drawn)

    def derivative(self, case: Case, name: str) -> Value:
        """The gradient for one array, entry by entry; at kinks what lies between the one-sided derivatives is right."""
        value, allowed = np.zeros(case[name].shape), np.zeros(case[name].shape)
        size = sum(float(np.abs(one).sum()) for one in self.upstreams(case))
        rounding = self.rounding(case, name)
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


def key_of(value: Any) -> Any:
    """What is the same for equal values alone, to be a key."""
    return (value.shape, value.tobytes()) if isinstance(value, np.ndarray) else repr(value)
