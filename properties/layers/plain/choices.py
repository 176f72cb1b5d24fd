"""What hangs on a further convention of the target."""

from typing import TypeVar

from ...harness.core.setting import setting

Of = TypeVar("Of")


def if_chosen(name: str, value: str, then: Of, otherwise: Of) -> Of:
    """The one where the target chose this value of the convention of this name; else, or if none was found, the other.

    Both are computed.
    """
    return then if setting().conventions.chosen(name) == value else otherwise
