"""The kinds of arrays that operations take and give, each in the one form that it has everywhere but in a target.

Only the door, `Operation`, knows of a target's own layout.
"""

from enum import Enum


class Kind(Enum):
    """What an argument or a part of an answer is; the value says its axes."""

    IMAGES = "(N, C, H, W)"
    KERNEL = "(C_out, C_in, h, w)"
    NUMBERS = "(N,)"  # one for each image
    SCALAR = "()"
    FEATURES = "(N, n)"
    WEIGHTS = "(n, 1)"
    POOLED_WEIGHTS = "(C h w, 1)"  # one for each pooled entry, in the order of (C, h, w)
    WINDOW = "(p, q)"
    RATE = "a number"
    ANY = "any shape"

    @property
    def axes(self) -> int | None:
        """How many axes such an array has; None for one of any number, or what is no array."""
        if self in (Kind.WINDOW, Kind.RATE, Kind.ANY):
            return None
        return 0 if self is Kind.SCALAR else self.value.count(",") + (self is not Kind.NUMBERS)
