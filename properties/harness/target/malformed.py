"""Answers that are not even of the right form: the slips that one makes at first."""

from typing import Any

from ..core.text import printable


def tuple_of(count: int) -> str:
    """So many arrays together, in words."""
    return {2: "a pair", 3: "a triple"}.get(count, f"a list of {count} arrays")


def slip(answer: object, wanted: tuple[Any, ...]) -> str | None:
    """What may have happened to an answer that is not of the `wanted` shapes; None if nothing is recognised."""
    if answer is None:
        return "it returns nothing: a return is missing"
    if isinstance(answer, tuple | list):
        shapes = [getattr(part, "shape", None) for part in answer]
        if len(wanted) == 1 and wanted[0] in shapes:
            return f"it returns {len(answer)} arrays: the contract asks for the one of shape {wanted[0]} alone"
        if len(wanted) == 2 and shapes == [*reversed(wanted)] and shapes[0] != shapes[1]:
            return "the two are in the other order"
        return None
    if len(wanted) > 1:
        return f"it returns one alone: the contract asks for {tuple_of(len(wanted))}"
    shape = getattr(answer, "shape", None)
    if shape is not None and len(wanted) == 1 and shape == tuple(side for side in wanted[0] if side > 1) != wanted[0]:
        return "it has lost its axes of length 1: no squeeze"
    if shape == () or isinstance(answer, float | int):
        return "it returns a number: the contract asks for an array"
    return None


def kind_of(answer: object) -> str:
    """What an answer is, in a few words."""
    if answer is None:
        return "None"
    try:
        if hasattr(answer, "shape") and hasattr(answer, "dtype"):
            return printable(f"shape {tuple(answer.shape)}, dtype {answer.dtype}")
        return printable(f"a {type(answer).__name__}" + (f" of {len(answer)}" if hasattr(answer, "__len__") else ""))
    except Exception:
        return "what cannot be described"
