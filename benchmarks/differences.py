"""Whether the errors that numerical derivatives claim are true: this suite's differences, and SciPy's.

Functions of one number whose derivatives are known, at points near 0 and far from it. A claim is false where the
derivative is further off than it says; `claimed` is the median claim, relative to the derivative.
"""

from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.differentiate import derivative

from benchmarks.command import command
from properties.harness.core.tape import SEED
from properties.layers.own.derivatives import MANY, NORM, SIXTH, SPACING
from properties.layers.own.differences import slopes

EPS = float(np.finfo(np.float64).eps)


def sigmoid(x: Any) -> Any:
    """`1 / (1 + e^-x)`."""
    return 1 / (1 + np.exp(-x))


FUNCTIONS: dict[str, Any] = {
    "tanh x": (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    "exp x": (np.exp, np.exp),
    "sin 20x": (lambda x: np.sin(20 * x), lambda x: 20 * np.cos(20 * x)),
    "log (x² + 1/1000)": (lambda x: np.log(x * x + 1e-3), lambda x: 2 * x / (x * x + 1e-3)),
    "x / √(x² + 1e-5)": (lambda x: x / np.sqrt(x * x + 1e-5), lambda x: 1e-5 / (x * x + 1e-5) ** 1.5),
    "(1 + x/1e6)² - 1": (lambda x: (1 + 1e-6 * x) ** 2 - 1, lambda x: 2e-6 * (1 + 1e-6 * x)),
    "x³": (lambda x: x**3, lambda x: 3 * x * x),
    "sigmoid 8x": (lambda x: sigmoid(8 * x), lambda x: 8 * sigmoid(8 * x) * sigmoid(-8 * x)),
    "max(x, 0)": (lambda x: np.maximum(x, 0), lambda x: float(x > 0)),
}


def ours(function: Any, x: float) -> tuple[float, float]:
    """The derivative and the error that is claimed, with the noise that the function's sixth differences show."""

    def along(step: float) -> tuple[float, float]:
        value = float(function(np.float64(x + step)))
        return value, 8 * EPS * abs(value)

    spacing, noise = SPACING * max(abs(x), 1.0), 0.0
    for end in (x, x + 0.125):
        values = [float(function(np.float64(end + at * spacing))) for at in range(-3, 4)]
        noise = max(noise, MANY * abs(float(SIXTH @ values)) / NORM)
    found = slopes(along, noise, abs(along(0.0)[0]))
    return (found.central.value, found.central.error) if not found.is_kink else (np.nan, np.inf)


def scipys(function: Any, x: float) -> tuple[float, float]:
    """What `scipy.differentiate.derivative` gives at its defaults."""
    found = derivative(function, np.float64(x))
    return float(found.df), float(found.error)


def main(points: int = 1000) -> dict[str, Any]:
    """Count false claims of either at so many points of each function."""
    generator, results = np.random.default_rng(SEED), {}
    table = Table("function", "ours false", "claimed", "SciPy false", "claimed", title=f"of {points} points each")
    for name, (function, right) in FUNCTIONS.items():
        told: dict[str, Any] = {}
        where = [
            float(generator.normal() * 10.0 ** generator.integers(-3, 1)) if number % 2 else number % 128 / 16 - 4
            for number in range(points)
        ]
        for who in (ours, scipys):
            with np.errstate(all="ignore"):
                claims = [(*who(function, x), float(right(x))) for x in where]
            false = sum(bool(abs(value - exact) > error + 1e-300) for value, error, exact in claims)
            relative = [error / abs(exact) for _, error, exact in claims if exact]
            told[who.__name__] = {"false": false, "claimed": float(np.nanmedian(relative))}
        results[name] = told
        table.add_row(
            name, *(f"{told[who][what]:{form}}" for who in told for what, form in (("false", "d"), ("claimed", ".0e")))
        )
    Console().print(table)
    return results


if __name__ == "__main__":
    command(main, points="how many points of each function")
