"""Words and arrays as JSON has them and as a person reads them; what comes from a target is escaped."""

import math
import re
import traceback
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST, LONGEST_LINE = 4000, 1000  # characters of what comes from a target, and of what it says in one go
MOST_SHOWN = 100  # entries of an array; of a larger one the corners are


def printable(text: str, longest: int = LONGEST) -> str:
    """`text` on one line, with whatever could steer a terminal written as an escape, and cut if it is too long."""
    rest = f"… ({len(text):,} characters)"
    escaped = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text[: longest + 1]
    )
    return escaped if len(escaped) <= longest else escaped[: longest - len(rest)] + rest


def last_line(error: BaseException) -> str:
    """The last line of an exception's traceback, printable and short: its type and message, without notes."""
    lines = traceback.format_exception_only(error)
    named = [line for line in lines if type(error).__name__ in line.partition(":")[0]]
    return printable((named or lines)[0].strip(), LONGEST_LINE)


def shown_encoded(value: object, wrong: Sequence[Sequence[int]] = ()) -> str:
    """An encoded value as `shown` has it: a list is a pair of arrays, or a tuple of numbers.

    Before the entries of an array that are `wrong`, by their indices, stands a star.
    """
    if not isinstance(value, list):
        plain = decoded(value)
        return _starred(shown(plain), plain, wrong)
    if any(isinstance(part, dict) for part in value):
        return "\n".join(shown(decoded(part)) for part in value)
    return f"({', '.join(str(part) for part in value)})"


def _starred(text: str, value: object, wrong: Sequence[Sequence[int]]) -> str:
    if not wrong or not isinstance(value, np.ndarray) or not 1 < value.size <= MOST_SHOWN:
        return text
    at = {int(np.ravel_multi_index(index, value.shape)) for index in wrong}
    numbers = count()
    return re.sub(r"[^][, \n]+", lambda entry: ("*" if next(numbers) in at else " ") + entry[0], text)


def shown(value: object) -> str:
    """A value as a person would write it: arrays as aligned rows at full precision, the rest by `repr`."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, np.ndarray) and value.ndim:
        text = np.array2string(
            value + value.dtype.type(0), separator=", ", floatmode="unique", threshold=MOST_SHOWN, max_line_width=10_000
        )
        return "\n".join(line for line in text.split("\n") if line.strip())
    return printable(repr(value.item() if isinstance(value, np.ndarray | np.generic) else value))


def encoded(value: object) -> Any:
    """A value as JSON has it: an array as its dtype, shape and data; what is not finite as a string."""
    if isinstance(value, np.ndarray):
        return {"dtype": str(value.dtype), "shape": list(value.shape), "data": encoded(value.tolist())}
    if isinstance(value, list | tuple):
        return [encoded(part) for part in value]
    if isinstance(value, np.generic):
        return encoded(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    return value if value is None or isinstance(value, bool | int | float | str) else printable(repr(value))


def decoded(value: object) -> Any:
    """An encoded array as an array again, a list as a tuple of what it holds; anything else as it is."""
    if isinstance(value, dict):
        return np.array(value["data"], dtype=value["dtype"]).reshape(value["shape"])
    return tuple(map(decoded, value)) if isinstance(value, list) else value


def literal(name: str, value: float | NDArray[np.float64]) -> str:
    """The line of Python that gives this name to a number or an array of float64, to the last bit."""
    opening = f"{name} = " if name else ""
    if not isinstance(value, np.ndarray):
        return opening + repr(float(value))
    opening += "np.array("
    rows = np.array2string(
        value, separator=", ", floatmode="unique", threshold=value.size + 1, max_line_width=110, prefix=opening
    )
    return f"{opening}{rows})"
