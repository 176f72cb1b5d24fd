"""Mistakes that any operation can have: lost precision, kept state, arguments written into."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..harness.core.values import changed_parts, parts
from ..layers import OPERATIONS
from . import Mistake
from .activations import SURVEY
from .plain import right

GRADIENTS = ("conv2d_kernel_gradient", "conv2d_image_gradient", "dense_gradients", "gradients")
SUMS = ("conv2d", "max_pool_gradient", "arctan_derivative", "dense", *GRADIENTS, "train_step")
WHOLE = ("relu", "conv2d", "max_pool", "max_pool_gradient", "dense", *GRADIENTS, "train_step")
Answer = Callable[..., Any]


def _narrow(value: Any) -> Any:
    with np.errstate(over="ignore"):
        return np.float64(np.float32(value)) if np.ndim(value) == 0 else value.astype(np.float32).astype(np.float64)


def _single_precision(answer: Answer) -> Answer:
    """Arguments and answer are rounded to single precision."""

    def narrowed(*arguments: Any) -> Any:
        rounded = [_narrow(value) if isinstance(value, np.ndarray) else value for value in arguments]
        return changed_parts(_narrow, answer(*rounded))

    return narrowed


def _whole_numbers(answer: Answer) -> Answer:
    """The answer is written into an array of whole numbers, which cuts fractions off."""
    return lambda *arguments: changed_parts(np.trunc, answer(*arguments))


def _off_by_a_billionth(answer: Answer) -> Answer:
    """The answer is too large by a factor of 1 + 1e-9."""
    return lambda *arguments: changed_parts(lambda part: part * (1 + 1e-9), answer(*arguments))


def _never_reset(answer: Answer) -> Answer:
    """Answers of the same shapes pile up: the second call returns the sum."""
    before: dict[Any, Any] = {}

    def piled(*arguments: Any) -> Any:
        given = parts(answer(*arguments))
        key = tuple(part.shape for part in given)
        sums = tuple(part + last for part, last in zip(given, before.get(key, (0.0,) * len(given)), strict=True))
        before[key] = sums
        return changed_parts(np.array, sums if len(sums) > 1 else sums[0])

    return piled


def _argument_overwritten(answer: Answer) -> Answer:
    """The last array among the arguments is used as scratch space, and is changed after the call."""

    def scratching(*arguments: Any) -> Any:
        given = answer(*arguments)
        scratch = [value for value in arguments if isinstance(value, np.ndarray)][-1]
        scratch[...] = -scratch - 1
        return given

    return scratching


def _same_buffer(answer: Answer) -> Answer:
    """Every answer of one shape is handed out in the same array, so that the next call changes the last answer."""
    buffers: dict[Any, Any] = {}

    def reusing(*arguments: Any) -> Any:
        given = answer(*arguments)
        buffer: Any = buffers.setdefault(given.shape, given)
        buffer[...] = given
        return buffer

    return reusing


def _kept_by_shape(answer: Answer) -> Answer:
    """The first answer for each shape of the arguments is kept and given again, whatever their values."""
    kept: dict[Any, Any] = {}

    def cached(*arguments: Any) -> Any:
        key = tuple(getattr(value, "shape", ()) for value in arguments)
        if key not in kept:
            kept[key] = answer(*arguments)
        return kept[key]

    return cached


def _kept_array_given_out(answer: Answer) -> Answer:
    """Answers are kept by the values of the arguments, and the arrays that are kept are handed out themselves."""
    kept: dict[Any, Any] = {}

    def cached(*arguments: Any) -> Any:
        arrays = [np.asarray(value, dtype=np.float64) for value in arguments]
        key = tuple((array.shape, array.tobytes()) for array in arrays)
        if key not in kept:
            kept[key] = changed_parts(np.array, answer(*arguments))
        return kept[key]

    return cached


def _kept_by_identity(answer: Answer) -> Answer:
    """The last answer is given again if the arguments are the same objects, though their values have changed."""
    last: list[Any] = []

    def cached(*arguments: Any) -> Any:
        if not last or any(old is not new for old, new in zip(last[0], arguments, strict=True)):
            last[:] = [arguments, answer(*arguments)]
        return last[1]

    return cached


def _buffer_of_fixed_size(answer: Answer) -> Answer:
    """Of every array only the first 12 rows and columns are read."""

    def cut(value: Any) -> Any:
        if not isinstance(value, np.ndarray) or not value.ndim:
            return value
        kept = np.zeros(value.shape)
        corner = (..., slice(12), slice(12)) if value.ndim > 1 else slice(12)
        kept[corner] = value[corner]
        return kept

    return lambda *arguments: answer(*(cut(value) for value in arguments))


_KINDS: tuple[tuple[Callable[[Answer], Answer], tuple[str, ...], str, str, str, str], ...] = (
    (
        _single_precision,
        tuple(OPERATIONS),
        "float32 is the default of deep-learning frameworks",
        'compute in float64, or declare DTYPE = "float32"',
        SURVEY,
        "",
    ),
    (
        _whole_numbers,
        WHOLE,
        "the array is made from one of whole numbers: np.zeros_like(image)",
        "np.zeros(shape) of float64",
        SURVEY,
        "",
    ),
    (
        _off_by_a_billionth,
        SUMS,
        "a constant is typed with too few digits, or a table is interpolated",
        "compute the constant",
        "pytorch#57166 on small errors that a random projection dilutes",
        "",
    ),
    (
        _never_reset,
        GRADIENTS,
        "gradients are kept on the object",
        "start every call from 0",
        SURVEY,
        "keeps_the_contract",
    ),
    (
        _argument_overwritten,
        tuple(OPERATIONS),
        "in place saves memory: x[x < 0] = 0, kernel -= …",
        "work on a copy",
        SURVEY,
        "keeps_the_contract",
    ),
    (
        _same_buffer,
        ("conv2d", "max_pool", "relu"),
        "allocating once saves time",
        "return a new array",
        "",
        "keeps_the_contract",
    ),
    (
        _kept_by_shape,
        ("conv2d", "max_pool", "max_pool_gradient", "predict", "cost", *GRADIENTS, "dense", "train_step"),
        "a cache of the forward pass outlives it",
        "compute from the arguments",
        "",
        "",
    ),
    (
        _kept_array_given_out,
        tuple(name for name in OPERATIONS if name not in ("predict", "cost")),
        "a cache spares the second computation",
        "return a copy of what is kept",
        "",
        "gives_its_answers_away",
    ),
    (
        _kept_by_identity,
        ("conv2d", "predict", "gradients"),
        "a cache of the forward pass outlives it",
        "compute from the arguments",
        "",
        "keeps_the_contract",
    ),
    (
        _buffer_of_fixed_size,
        tuple(OPERATIONS),
        "tried on small input alone",
        "allocate by the input's shape",
        "",
        "holds_at_a_larger_size",
    ),
)


def _everywhere() -> Iterator[Mistake]:
    for wrong, operations, why, mend, seen, statement in _KINDS:
        name = wrong.__name__.strip("_").replace("_", " ")
        for operation in operations:
            named_by = f"calls.{statement}[{operation}]" if statement else OPERATIONS[operation].named_by
            what = (wrong.__doc__ or "").strip()

            def make(wrong: Callable[[Answer], Answer] = wrong, operation: str = operation) -> Answer:
                return wrong(right(operation))

            yield Mistake(name, operation, what, make, why, mend, named_by, seen)


EVERYWHERE = tuple(_everywhere())
