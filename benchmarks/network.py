"""One training step, forward, backward and update, of the reference beside its peers, and how each grows.

It times the reference, the notebook's formulas (SciPy and scikit-image as it calls them), PyTorch eager and compiled,
and JAX compiled, in one run, on square images and a 3×3 kernel, all
in double precision. Each peer's step must first give the reference's numbers. It needs
`pip install '.[benchmarks]'`.
"""

import timeit
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import reference
from benchmarks.command import command
from reference import notebook

Array = NDArray[np.float64]
Point = tuple[Array, float, Array, Array]
Step = Callable[[], tuple[Any, Any]]
RATE, AGREEMENT, REPEATS = 0.01, 1e-9, 5


def drawn(side: int) -> Point:
    """An image (side, side), a target, a kernel (3, 3) and weights small enough that arctan is not saturated."""
    generator = np.random.default_rng(side)
    windows = ((side - 2) // 2) ** 2
    normal = generator.standard_normal
    return normal((side, side)), 0.5, normal((3, 3)), normal((windows, 1)) / windows


def pytorch_cost(image: Any, target: float, kernel: Any, weights: Any) -> Any:
    """The cost of tensors; the true convolution is PyTorch's cross-correlation with the kernel turned."""
    import torch
    from torch.nn.functional import conv2d, max_pool2d

    convolved = conv2d(image[None, None], kernel.flip(0, 1)[None, None])
    features = max_pool2d(convolved.relu(), 2).reshape(1, -1)
    return (torch.atan(features @ weights) - target).square().sum() / 2


def of_pytorch(point: Point, *, compiled: bool) -> Step:
    """The step with PyTorch's autograd."""
    import torch

    image, kernel, weights = (torch.tensor(point[number]) for number in (0, 2, 3))
    cost: Callable[..., Any] = pytorch_cost
    if compiled:
        torch.compiler.reset()  # or it would be compiled for images of any size
        cost = torch.compile(pytorch_cost, dynamic=False)

    def step() -> tuple[Any, Any]:
        parameters = [value.detach().requires_grad_() for value in (kernel, weights)]
        gradients = torch.autograd.grad(cost(image, point[1], *parameters), parameters)
        with torch.no_grad():
            return tuple(value - RATE * slope for value, slope in zip(parameters, gradients, strict=True))

    return step


def jax_cost(image: Any, target: Any, kernel: Any, weights: Any) -> Any:
    """The cost of JAX's arrays."""
    import jax

    convolved = jax.lax.conv(image[None, None], kernel[None, None, ::-1, ::-1], (1, 1), "VALID")
    rows, columns = (side // 2 for side in convolved.shape[2:])
    pooled = jax.nn.relu(convolved).reshape(rows, 2, columns, 2).max(axis=(1, 3))
    return jax.numpy.sum((jax.numpy.arctan(pooled.reshape(1, -1) @ weights) - target) ** 2) / 2


def of_jax(point: Point) -> Step:
    """The step with JAX's autograd, compiled as a whole."""
    import jax

    jax.config.update("jax_enable_x64", True)
    image, kernel, weights = (jax.numpy.asarray(point[number]) for number in (0, 2, 3))

    @jax.jit
    def step(image: Any, kernel: Any, weights: Any) -> Any:
        slopes = jax.grad(jax_cost, argnums=(2, 3))(image, point[1], kernel, weights)
        return tuple(value - RATE * slope for value, slope in zip((kernel, weights), slopes, strict=True))

    return lambda: jax.block_until_ready(step(image, kernel, weights))


MAKERS: dict[str, Callable[[Point], Step]] = {
    "reference": lambda point: lambda: reference.train_step(*point, RATE),
    "notebook": lambda point: lambda: notebook.train_step(*point, RATE),
    "PyTorch eager": lambda point: of_pytorch(point, compiled=False),
    "PyTorch compiled": lambda point: of_pytorch(point, compiled=True),
    "JAX jit": of_jax,
}


def milliseconds(step: Step, wanted: tuple[Array, Array]) -> float | None:
    """The time of one step, the best of several; None if it cannot run here. `ValueError` for another answer."""
    try:
        answers = step()
    except Exception as error:  # a compiler that is not there, or does not know this machine
        print(f"  cannot run: {str(error).strip().splitlines()[0]}")
        return None
    for answer, right in zip(answers, wanted, strict=True):
        if not np.allclose(np.asarray(answer), right, rtol=AGREEMENT, atol=AGREEMENT):
            raise ValueError("this is another network: its step gives other parameters")
    timer = timeit.Timer(step)
    number, _ = timer.autorange()
    return min(timer.repeat(REPEATS, number)) / number * 1e3


def main(sides: tuple[int, ...] = (6, 28, 64, 256)) -> dict[str, dict[str, float | None]]:
    """Measure, print, and return the figures."""
    figures: dict[str, dict[str, float | None]] = {name: {} for name in MAKERS}
    for side in sides:
        point = drawn(side)
        wanted = reference.train_step(*point, RATE)
        for name, make in MAKERS.items():
            figures[name][f"{side}×{side}"] = milliseconds(make(point), wanted)
    print(f"{'ms a step':18s}" + "".join(f"{side:>12d}²" for side in sides))
    for name, row in figures.items():
        print(
            f"{name:18s}" + "".join(f"{'–' if value is None else format(value, '.3f'):>13s}" for value in row.values())
        )
    return figures


if __name__ == "__main__":
    command(main, sides="of the image")
