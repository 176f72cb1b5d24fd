"""Steps against a gradient that provably cross no kink, and what the cost may do on them beyond first order."""

import math

import numpy as np

from ..harness.core.limits import POOL
from ..harness.core.setting import setting
from ..harness.core.tape import Case
from ..harness.core.values import ALLOWED, Array, norm
from .convolution import conv2d
from .network import flattened, forward, margin, step_terms, values_of
from .pooling import argmax_scatter, blocks


class Path:
    """The line θ − ηg through a case in both parameters, on the activation pattern of its start.

    There pooled(η) and weights(η) are linear, so `s(η) = s − ηb + η²c` for each image.
    """

    def __init__(self, case: Case, gradient: tuple[Array, Array]) -> None:
        self.case, self.gradient = case, gradient
        self.squared_norm = float(sum((part * part).sum() for part in gradient))
        stages = forward(case.image, case.kernel, case.weights)
        winners = argmax_scatter(stages.preactivation, POOL, np.ones(stages.pooled.shape))
        speed = conv2d(case.image, gradient[0]) * winners * (stages.preactivation > 0)
        pooled_speed = flattened(blocks(speed, POOL).sum(axis=(-2, -1)))
        self.first = np.abs(flattened(stages.pooled) @ gradient[1] + pooled_speed @ case.weights)[:, 0]
        self.second = np.abs(pooled_speed @ gradient[1])[:, 0]
        self.residuals = np.abs(stages.prediction - case.target)
        self.room = margin(case.image, case.kernel, gradient[0]) / 2

    def curvature(self, rate: float) -> float:
        """A bound on the cost's second derivative in η up to `rate`: `(1 + 0.65 R)(|b| + 2η|c|)² + 2 R |c|`.

        R bounds the residual; 1 and R bound φ² and the residual in `φ² + r φ'`, and |φ'| < 0.65. Summed over images.
        """
        moved = self.residuals + self.first * rate + self.second * rate**2
        residual = np.minimum(moved, np.abs(self.case.target) + math.pi / 2)
        steepness = (1 + 0.65 * residual) * (self.first + 2 * rate * self.second) ** 2
        return float((steepness + 2 * residual * self.second).sum())

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
        size = math.sqrt(sum(norm(self.case[name]) ** 2 for name in ("kernel", "weights")))
        step = rate * math.sqrt(self.squared_norm)
        units = 2 * ALLOWED + max(step_terms(self.case.image, self.case.weights))
        return units * setting().eps * (size + step) * math.sqrt(self.squared_norm)


def rounding(*cases: Case) -> float:
    """What rounding may add to the costs of these cases, together."""
    return sum(float(values_of(case).cost.allowed) for case in cases)
