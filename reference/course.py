"""How training goes, epoch by epoch, in the notebook's own steps, and the search for a start that learns."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from . import notebook
from .activations import arctan_derivative
from .arrays import Array
from .network import forward, train

SEEDS, SCALES = range(8), (1.0, 1 / 2, 1 / 4)
TRIES = len(SEEDS) * len(SCALES)
SATURATED = np.pi / 2 - np.abs(notebook.TARGETS)  # the error that remains where arctan has only the sign right
LEARNED = (SATURATED / 2) ** 2 / 2
TRUE_SLOPES = np.cos(notebook.TARGETS) ** 2  # 1/(1+s²) where arctan(s) is the target


class Course(NamedTuple):
    """A training: its last parameters, and per epoch and image, before its update, (epochs, images) each.

    `alive` counts the ReLUs that pass a gradient on, `entries` in all; `slopes` is arctan's `1/(1+s²)`.
    """

    kernel: Array
    weights: Array
    costs: Array
    alive: Array
    slopes: Array
    entries: int

    @property
    def learned(self) -> bool:
        """Whether every prediction ends, and not every one begins, within half the way from its target to ±π/2.

        A saturated arctan, which has the signs and nothing more, stays the whole way off.
        """
        return bool((self.costs[-1] < LEARNED).all() and (self.costs[0] >= LEARNED).any())

    @property
    def outcome(self) -> str:
        """What the training comes to, as a verb."""
        if (self.costs[-1] < LEARNED).all():
            return "learns" if self.learned else "has nothing to learn"
        right_signs = self.costs[-1] < notebook.TARGETS**2 / 2
        return "gets the signs, not the sums" if right_signs.all() else "does not learn"


class Found(NamedTuple):
    """A start that learns, by its seed and scale, and how many starts were tried until then."""

    seed: int
    scale: float
    tried: int
    course: Course


def follow(kernel: ArrayLike, weights: ArrayLike, learning_rate: float, epochs: int) -> Course:
    """Train from this start on the notebook's images, with its `train_step` and `cost`, and record each epoch.

    `epochs` is 1 or more. Shapes and `ValueError` as in `reference.network.forward`; `FloatingPointError` if
    the numbers overflow. Source: the notebook.
    """
    seen: list[tuple[int, float]] = []

    def recorded(image: Array, target: float, kernel: Array, weights: Array) -> float:
        stages = forward(image, kernel, weights)
        if np.isinf(stages.weighted).any():
            raise FloatingPointError("the dense layer's sum overflows")
        seen.append((int(np.count_nonzero(stages.convolved > 0)), float(arctan_derivative(stages.weighted).item())))
        return notebook.cost(image, target, kernel, weights)

    with np.errstate(over="raise", invalid="raise"):
        entries = forward(notebook.IMAGES[0], kernel, weights).convolved.size
        last_kernel, last_weights, costs = train(
            list(notebook.IMAGES),
            list(notebook.TARGETS),
            kernel,
            weights,
            learning_rate,
            epochs,
            step=notebook.train_step,
            cost=recorded,
        )
    alive, slopes = np.array(seen).reshape(*costs.shape, 2).transpose(2, 0, 1)
    return Course(last_kernel, last_weights, costs, alive.astype(int), slopes, entries)


def find_start(kernel_shape: tuple[int, int], features: int, learning_rate: float, epochs: int) -> Found | None:
    """The first of `TRIES` starts that learns both images at this rate in these epochs, or `None`.

    Seeds 0 to 7 of the notebook's generator at the notebook's scale, then at a half, then at a quarter of it.
    One is passed over if an image begins with its cost below `LEARNED`, or if all its ReLUs are dead at some time in
    the first tenth of the epochs. Shapes as in `reference.network.forward`.
    """
    starts = [(seed, scale) for scale in SCALES for seed in SEEDS]
    with tqdm(starts, desc="looking for a start that learns", unit="start", delay=1, disable=None) as bar:
        for tried, (seed, scale) in enumerate(bar, start=1):
            start = notebook.start(seed, scale, kernel_shape, features)
            try:
                first = follow(*start, learning_rate, max(epochs // 10, 1))
                if (first.costs[0] < LEARNED).any() or not first.alive.all():
                    continue
                course = follow(*start, learning_rate, epochs)
            except (FloatingPointError, ValueError):  # the numbers overflow
                continue
            if course.learned:
                return Found(seed, scale, tried, course)
    return None


def verdicts(course: Course) -> list[str]:
    """For each image, one line that says what became of its gradient and of its cost."""
    return [f"image {index + 1}: {_verdict(course, index)}" for index in range(len(notebook.IMAGES))]


def _verdict(course: Course, index: int) -> str:
    costs, alive, slopes = course.costs[:, index], course.alive[:, index], course.slopes[:, index]
    cost = f"cost {costs[0]:.3g}\xa0→\xa0{costs[-1]:.3g}"
    if not alive[-1]:
        since = len(alive) - np.argmax(alive[::-1] > 0) if alive.any() else 0
        when = f"from epoch {since + 1} on" if since else "in every epoch"
        return f"all {course.entries} ReLUs dead {when}, so no gradient; {cost}"
    state = f"{alive[-1]} of {course.entries} ReLUs alive"
    if costs[-1] < LEARNED[index]:
        return f"{state}, arctan's slope {slopes[-1]:.1e}: the prediction is near the truth; {cost}"
    if slopes[-1] < TRUE_SLOPES[index]:
        less = TRUE_SLOPES[index] / max(slopes[-1], np.finfo(float).tiny)
        saturated = f"arctan is saturated: slope {slopes[-1]:.1e}, {less:.3g} times less than at the truth"
        return f"{state}, but {saturated}; {cost}"
    return f"{state}, arctan's slope {slopes[-1]:.1e}: not there yet; {cost}"
