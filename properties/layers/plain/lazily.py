"""SciPy's functions as plain code uses them, imported with the first call: that takes a second, seldom needed."""

from typing import Any


def convolve2d(*arguments: Any, **options: Any) -> Any:
    """`scipy.signal.convolve2d`."""
    from scipy.signal import convolve2d

    return convolve2d(*arguments, **options)


def correlate2d(*arguments: Any, **options: Any) -> Any:
    """`scipy.signal.correlate2d`."""
    from scipy.signal import correlate2d

    return correlate2d(*arguments, **options)


def expit(x: Any) -> Any:
    """`scipy.special.expit`."""
    from scipy.special import expit

    return expit(x)
