"""Mistakes that any operation can have: lost precision, kept state, arguments written into."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..harness.core.values import changed_parts, parts
from ..layers import OPERATIONS
from . import Mistake
from .activations import SURVEY
from .right import single, with_parameters

Answer = Callable[..., Any]
State = dict[Any, Any]
ALL = tuple(OPERATIONS)
GRADIENTS = ("conv2d_kernel_gradient", "conv2d_image_gradient", "dense_gradients", "gradients")
SUMS = ("conv2d", "max_pool_gradient", "arctan_derivative", "dense", *GRADIENTS, "train_step")
WHOLE = ("relu", "conv2d", "max_pool", "max_pool_gradient", "dense", *GRADIENTS, "train_step")
CACHED = ("conv2d", "max_pool", "max_pool_gradient", "predict", "cost", *GRADIENTS, "dense", "train_step")
EVERYWHERE: list[Mistake] = []


def _made(wrong: Answer, operation: str) -> Answer:
    return with_parameters(operation, partial(wrong, {}, single(operation)))


def _in(
    operations: tuple[str, ...], why: str, mend: str, seen: str = "", statement: str = ""
) -> Callable[[Answer], Answer]:
    """Make a function of the state kept so far, the right answer and its arguments a mistake in these operations.

    What names it is this `statement` on calls, or the one that names each operation's mistakes.
    """

    def decorate(wrong: Answer) -> Answer:
        name, what = wrong.__name__.strip("_").replace("_", " "), wrong.__doc__ or ""
        for operation in operations:
            named_by = f"calls.{statement}[{operation}]" if statement else OPERATIONS[operation].named_by
            make = partial(_made, wrong, operation)
            EVERYWHERE.append(Mistake(name, operation, what, make, why, mend, named_by, seen))
        return wrong

    return decorate


def _narrow(value: Any) -> Any:
    with np.errstate(over="ignore"):
        return np.float64(np.float32(value))


@_in(
    ALL,
    "float32 is the default of deep-learning frameworks",
    'compute in float64, or declare DTYPE = "float32"',
    SURVEY,
)
def _single_precision(_: State, answer: Answer, *arguments: Any) -> Any:
    """Arguments and answer are rounded to single precision."""
    rounded = [_narrow(value) if isinstance(value, np.ndarray) else value for value in arguments]
    return changed_parts(_narrow, answer(*rounded))


@_in(WHOLE, "the array is made from one of whole numbers: np.zeros_like(image)", "np.zeros(shape) of float64", SURVEY)
def _whole_numbers(_: State, answer: Answer, *arguments: Any) -> Any:
    """The answer is written into an array of whole numbers, which cuts fractions off."""
    return changed_parts(np.trunc, answer(*arguments))


@_in(
    SUMS,
    "a constant is typed with too few digits, or a table is interpolated",
    "compute the constant",
    "pytorch#57166 on small errors that a random projection dilutes",
)
def _off_by_a_billionth(_: State, answer: Answer, *arguments: Any) -> Any:
    """The answer is too large by a factor of 1 + 1e-9."""
    return changed_parts(lambda part: part * (1 + 1e-9), answer(*arguments))


@_in(GRADIENTS, "gradients are kept on the object", "start every call from 0", SURVEY, "keeps_the_contract")
def _never_reset(before: State, answer: Answer, *arguments: Any) -> Any:
    """Answers of the same shapes pile up: the second call returns the sum."""
    given = parts(answer(*arguments))
    key = tuple(part.shape for part in given)
    sums = tuple(part + last for part, last in zip(given, before.get(key, (0.0,) * len(given)), strict=True))
    before[key] = sums
    return changed_parts(np.array, sums if len(sums) > 1 else sums[0])


@_in(ALL, "in place saves memory: x[x < 0] = 0, kernel -= …", "work on a copy", SURVEY, "keeps_the_contract")
def _argument_overwritten(_: State, answer: Answer, *arguments: Any) -> Any:
    """The last array among the arguments is used as scratch space, and is changed after the call."""
    given = answer(*arguments)
    scratch = [value for value in arguments if isinstance(value, np.ndarray)][-1]
    scratch[...] = -scratch - 1
    return given


@_in(("conv2d", "max_pool", "relu"), "allocating once saves time", "return a new array", statement="keeps_the_contract")
def _same_buffer(buffers: State, answer: Answer, *arguments: Any) -> Any:
    """Every answer of one shape is handed out in the same array, so that the next call changes the last answer."""
    given = answer(*arguments)
    buffer: Any = buffers.setdefault(given.shape, given)
    buffer[...] = given
    return buffer


@_in(CACHED, "a cache of the forward pass outlives it", "compute from the arguments")
def _kept_by_shape(kept: State, answer: Answer, *arguments: Any) -> Any:
    """The first answer for each shape of the arguments is kept and given again, whatever their values."""
    key = tuple(getattr(value, "shape", ()) for value in arguments)
    if key not in kept:
        kept[key] = answer(*arguments)
    return kept[key]


@_in(
    tuple(name for name in ALL if name not in ("predict", "cost")),
    "a cache spares the second computation",
    "return a copy of what is kept",
    statement="gives_its_answers_away",
)
def _kept_array_given_out(kept: State, answer: Answer, *arguments: Any) -> Any:
    """Answers are kept by the values of the arguments, and the arrays that are kept are handed out themselves."""
    arrays = [np.asarray(value, dtype=np.float64) for value in arguments]
    key = tuple((array.shape, array.tobytes()) for array in arrays)
    if key not in kept:
        kept[key] = changed_parts(np.array, answer(*arguments))
    return kept[key]


@_in(
    ("conv2d", "predict", "gradients"),
    "a cache of the forward pass outlives it",
    "compute from the arguments",
    statement="keeps_the_contract",
)
def _kept_by_identity(kept: State, answer: Answer, *arguments: Any) -> Any:
    """The last answer is given again if the arguments are the same objects, though their values have changed."""
    if not kept or any(old is not new for old, new in zip(kept["arguments"], arguments, strict=True)):
        kept |= {"arguments": arguments, "answer": answer(*arguments)}
    return kept["answer"]


@_in(ALL, "tried on small input alone", "allocate by the input's shape", statement="holds_at_a_larger_size")
def _buffer_of_fixed_size(_: State, answer: Answer, *arguments: Any) -> Any:
    """Of every array only the first 12 rows and columns are read."""

    def cut(array: Any) -> Any:
        return np.where(np.all(np.indices(array.shape)[-2:] < 12, axis=0), array, 0.0)

    return answer(*(cut(value) if isinstance(value, np.ndarray) else value for value in arguments))
