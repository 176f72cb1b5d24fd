"""How training goes in the notebook's own steps, epoch by epoch, and the search for a start that learns."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from .. import notebook
from ..activations import arctan_derivative
from ..arrays import Array
from ..network import forward, train

SEEDS, SCALES = range(8), (1.0, 1 / 2, 1 / 4)
TRIES = len(SEEDS) * len(SCALES)
SATURATED = np.pi / 2 - np.abs(notebook.TARGETS)  # the error that remains where arctan has only the sign right
LEARNED = (SATURATED / 2) ** 2 / 2  # the cost of half that error
TRUE_SLOPES = np.cos(notebook.TARGETS) ** 2  # 1/(1+s²) where arctan(s) is the target


class History(NamedTuple):
    """A training: its last parameters, and three arrays (epochs, images) of how each image stood before its update.

    `alive` counts the ReLUs that pass a gradient on, of `entries` in all; `slopes` is arctan's `1/(1+s²)`.
    """

    kernel: Array
    weights: Array
    costs: Array
    alive: Array
    slopes: Array
    entries: int

    @property
    def outcome(self) -> str:
        """What the training comes to, as a verb.

        It learns if the cost of every image ends below `LEARNED` and that of one began above it.
        """
        if (self.costs[-1] < LEARNED).all():
            return "learns" if (self.costs[0] >= LEARNED).any() else "has nothing to learn"
        right_signs = self.costs[-1] < notebook.TARGETS**2 / 2
        return "gets the signs, not the sums" if right_signs.all() else "does not learn"

    def verdicts(self) -> list[str]:
        """For each image, one line that says what became of its gradient and of its cost."""
        return [f"image {index + 1}: {self._verdict(index)}" for index in range(len(notebook.IMAGES))]

    def _verdict(self, index: int) -> str:
        costs, alive, slopes = self.costs[:, index], self.alive[:, index], self.slopes[:, index]
        cost = f"cost {costs[0]:.3g}\xa0→\xa0{costs[-1]:.3g}"
        if not alive[-1]:
            since = len(alive) - np.argmax(alive[::-1] > 0) if alive.any() else 0
            when = f"from epoch {since + 1} on" if since else "in every epoch"
            return f"all {self.entries} ReLUs dead {when}, so no gradient; {cost}"
        state = f"{alive[-1]} of {self.entries} ReLUs alive"
        slope = f"slope {slopes[-1]:.1e}"
        if costs[-1] < LEARNED[index]:
            return f"{state}, arctan's {slope}: the prediction is near the truth; {cost}"
        if slopes[-1] < TRUE_SLOPES[index]:
            less = TRUE_SLOPES[index] / max(slopes[-1], np.finfo(float).tiny)
            return f"{state}, but arctan is saturated: {slope}, {less:.3g} times less than at the truth; {cost}"
        return f"{state}, arctan's {slope}: not there yet; {cost}"


class Found(NamedTuple):
    """A start that learns, by its seed and scale, and how many starts were tried until then."""

    seed: int
    scale: float
    tried: int
    history: History


def recorded(kernel: ArrayLike, weights: ArrayLike, learning_rate: float, epochs: int) -> History:
    """Train from this start on the notebook's images, with its `train_step` and `cost`, and record each epoch.

    `epochs` is 1 or more. Shapes and `ValueError` as in `reference.network.forward`; `FloatingPointError` if
    the numbers overflow. Source: the notebook.
    """
    seen: list[tuple[int, float]] = []

    def seen_cost(image: Array, target: float, kernel: Array, weights: Array) -> float:
        stages = forward(image, kernel, weights)
        if np.isinf(stages.weighted).any():
            raise FloatingPointError("the dense layer's sum overflows")
        seen.append((int(np.count_nonzero(stages.convolved > 0)), float(arctan_derivative(stages.weighted).item())))
        return notebook.cost(image, target, kernel, weights)

    images, targets = list(notebook.IMAGES), list(notebook.TARGETS)
    with np.errstate(over="raise", invalid="raise"):
        entries = forward(images[0], kernel, weights).convolved.size
        last_kernel, last_weights, costs = train(
            images, targets, kernel, weights, learning_rate, epochs, step=notebook.train_step, cost=seen_cost
        )
    alive, slopes = np.array(seen).reshape(*costs.shape, 2).transpose(2, 0, 1)
    return History(last_kernel, last_weights, costs, alive.astype(int), slopes, entries)


def find_start(kernel_shape: tuple[int, int], features: int, learning_rate: float, epochs: int) -> Found | None:
    """The first of `TRIES` starts that learns both images at this rate in these epochs, or `None`.

    Seeds 0 to 7 of the notebook's generator at the notebook's scale, then at a half, then at a quarter of it.
    A start is passed over if an image begins with its cost below `LEARNED`, or if all its ReLUs are dead at some time
    in the first tenth of the epochs. Shapes as in `reference.network.forward`.
    """
    starts = [(seed, scale) for scale in SCALES for seed in SEEDS]
    with tqdm(starts, desc="looking for a start that learns", unit="start", delay=1, disable=None) as bar:
        for tried, (seed, scale) in enumerate(bar, start=1):
            start = notebook.start(seed, scale, kernel_shape, features)
            try:
                first = recorded(*start, learning_rate, max(epochs // 10, 1))
                if (first.costs[0] < LEARNED).any() or not first.alive.all():
                    continue
                history = recorded(*start, learning_rate, epochs)
            except (FloatingPointError, ValueError):  # the numbers overflow
                continue
            if history.outcome == "learns":
                return Found(seed, scale, tried, history)
    return None
