"""What a target warns of, counted as it is said, so that no number or length of warnings fills the memory."""

import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..core.text import LONGEST_LINE, printable

MOST = 20  # different warnings that are told
OTHERS = "other warnings"


@contextmanager
def counted() -> Iterator[dict[str, int]]:
    """Count the warnings that are given here, by what they say; they go nowhere else.

    The user's filters hold, and of those of Python those that leave something out, but for deprecations. No warning is
    kept to be left out the next time, as Python does by default.
    """
    found: dict[str, int] = {}

    def count(message: Warning | str, category: type[Warning], *_: Any) -> None:
        add(found, {printable(f"{category.__name__}: {message}", LONGEST_LINE): 1})

    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.filterwarnings("always", category=DeprecationWarning)
            warnings.filterwarnings("always", category=PendingDeprecationWarning)
        warnings.simplefilter("always", append=True)
        warnings.showwarning = count  # type: ignore[assignment]
        yield found


def add(counts: dict[str, int], more: Mapping[str, int]) -> None:
    """Add to the numbers of warnings; of too many different ones the last count together."""
    for text, number in more.items():
        known = text if text in counts or len(counts) < MOST else OTHERS
        counts[known] = counts.get(known, 0) + number
