"""Steps against a gradient that provably cross no kink, and what the cost may do on them beyond first order."""

import math
from typing import Any

import numpy as np

from ..harness.core.cases import Case, blocks
from ..harness.core.limits import POOL
from ..harness.core.trial import current
from ..harness.target.target import Array
from . import bounds, oracles
from .bounds import ALLOWED


class Path:
    """The line θ − ηg through a case in both parameters, on the activation pattern of its start.

    There pooled(η) and weights(η) are linear, so `s(η) = s − ηb + η²c` for each image.
    """

    def __init__(self, case: Case, gradient: tuple[Array, Array]) -> None:
        self.case, self.gradient = case, gradient
        layout = current().target.layout
        self.squared_norm = float(sum((part * part).sum() for part in gradient))
        stages = oracles.forward(case.image, case.kernel, case.weights)
        winners = oracles.argmax_scatter(stages.preactivation, POOL, np.ones(stages.pooled.shape))
        speed = oracles.conv2d(case.image, gradient[0]) * winners * (stages.preactivation > 0)
        pooled_speed = layout.outward(blocks(speed, POOL).sum(axis=(-2, -1)))
        weights, weights_speed = case.weights.ravel(), gradient[1].ravel()
        images = zip(layout.images(stages.pooled), layout.images(pooled_speed), strict=True)
        moves = [(pooled.ravel(), moved.ravel()) for pooled, moved in images]
        self.first = [abs(float(pooled @ weights_speed + moved @ weights)) for pooled, moved in moves]
        self.second = [abs(float(moved @ weights_speed)) for _, moved in moves]
        self.residuals = layout.numbered(np.abs(stages.prediction - case.target))
        self.targets = layout.numbered(np.abs(case.target))
        self.room = oracles.margin(case.image, case.kernel, gradient[0]) / 2

    def curvature(self, rate: float) -> float:
        """A bound on the cost's second derivative in η up to `rate`: `(1 + 0.65 R)(|b| + 2η|c|)² + 2 R |c|`.

        R bounds the residual; 1 and R bound φ² and the residual in `φ² + r φ'`, and |φ'| < 0.65. Summed over images.
        """
        total = 0.0
        for first, second, start, target in zip(self.first, self.second, self.residuals, self.targets, strict=True):
            residual = min(start + first * rate + second * rate**2, target + math.pi / 2)
            total += (1 + 0.65 * residual) * (first + 2 * rate * second) ** 2 + 2 * residual * second
        return total

    def remainder(self, rate: float) -> float:
        """The second-order term of the cost's change: `η²/2` times the curvature; infinite across a kink."""
        return rate**2 / 2 * self.curvature(rate) if rate <= 2 * self.room else math.inf

    def longest(self) -> float:
        """The longest rate, down by powers of two, with no kink crossed and at least half the promised decrease."""
        rate = 2.0 ** math.floor(math.log2(min(self.room, 1.0)))
        while self.squared_norm and self.remainder(rate) > rate * self.squared_norm / 2:
            rate /= 2
        return rate

    def rates(self) -> tuple[float, float]:
        """The longest rate, and a short one at which the second-order term is about the rounding of the cost."""
        longest = self.longest()
        noise = rounding(self.case, self.case)
        balanced = math.sqrt(noise / (self.curvature(0.0) or 1.0)) or longest
        return longest, min(longest, 2.0 ** math.floor(math.log2(balanced)))

    def subtraction_error(self, rate: float) -> float:
        """What rounding θ − ηg adds to `‖Δ‖²/η`: the step's size over η times the parameters' rounding."""
        size = math.sqrt(sum(bounds.norm(self.case[name]) ** 2 for name in ("kernel", "weights")))
        step = rate * math.sqrt(self.squared_norm)
        units = 2 * ALLOWED + max(bounds.step_terms(self.case.image, self.case.weights))
        return units * current().target.eps * (size + step) * math.sqrt(self.squared_norm)


def rounding(*cases: Any) -> float:
    """What rounding may add to the costs of these cases, together."""
    points = [[case[name] for name in ("image", "target", "kernel", "weights")] for case in cases]
    return sum(float(bounds.forward(*point).cost.allowed) for point in points)
