"""The notebook's run from any start, in words and as a figure: `python -m backproof.reference.notebook`."""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np

from .. import notebook
from ..activations import arctan_derivative
from ..arrays import Array
from ..network import forward
from .history import History, find_start, recorded

FORMATS = (".svg", ".png", ".pdf")
SHOWN = 2


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"reference.notebook: {message} (see --help)\n")


def _number(kind: Callable[[str], float], fits: Callable[[float], bool], wanted: str) -> Callable[[str], float]:
    """Makes the reader of an option: a number of this kind that fits, or an error that says what is wanted."""

    def read(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = np.nan
        if not fits(number):
            raise argparse.ArgumentTypeError(f"{wanted} is wanted, not {text!r}")
        return number

    return read


def _rows(text: str) -> Array:
    try:
        rows = np.array([row.split() for row in text.split(";")], dtype=np.float64)
    except ValueError:
        rows = np.array([[np.nan]])
    if not rows.size or not np.isfinite(rows).all():
        raise argparse.ArgumentTypeError(f"rows of as many finite numbers, with ';' between them, not {text!r}")
    return rows


def _output(text: str) -> Path:
    path = Path(text)
    folder = path.resolve().parent
    reason = None
    if path.suffix.lower() not in FORMATS:
        reason = f"its ending must be {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
    elif path.is_dir():
        reason = "a folder"
    elif not folder.is_dir():
        reason = "no such folder"
    elif not os.access(path if path.exists() else folder, os.W_OK):
        reason = "permission denied"
    if reason:
        raise argparse.ArgumentTypeError(f"cannot write to {text}: {reason}")
    return path


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    result = _Parser(
        prog=f"python -m {__package__}",
        description="Train as the notebook does, and say why that learns or does not.",
        epilog="Exit status: 0 done, 2 it cannot be done as asked.",
    )
    add = result.add_argument
    add(
        "--figure",
        type=_output,
        metavar="FILE",
        help="draw the forward pass, the backward pass, both with the weights grown, and the training beside that of a "
        "start that learns; FILE ends in .svg, .png or .pdf",
    )
    add(
        "--image",
        type=int,
        choices=range(1, len(notebook.IMAGES) + 1),
        default=SHOWN,
        help="whose passes are drawn (default: %(default)s; from the notebook's start 1 has none but dead ReLUs)",
    )
    add("--kernel", type=_rows, metavar="ROWS", help="first kernel, as in '1 0 2; 0 1 0; 0 0 1' (default: drawn)")
    add("--weights", type=_rows, metavar="ROWS", help="first weights, one for each window, in C order (default: drawn)")
    add(
        "--seed",
        type=_number(int, lambda seed: 0 <= seed < 2**32, "a whole number from 0 to 2³²−1"),
        default=notebook.SEED,
        metavar="N",
        help="of NumPy's legacy generator, for what is drawn (default: %(default)s)",
    )
    whole = _number(int, lambda epochs: epochs >= 1, "a whole number from 1 up")
    add("--epochs", type=whole, default=notebook.EPOCHS, metavar="N", help="(default: %(default)s)")
    rate = _number(float, lambda rate: 0 < rate < np.inf, "a finite number above 0")
    add("--rate", type=rate, default=notebook.LEARNING_RATE, metavar="R", help="learning rate (default: %(default)s)")
    return result


def _start(options: argparse.Namespace) -> tuple[Array, Array]:
    kernel_shape = (3, 3) if options.kernel is None else options.kernel.shape
    rows, columns = np.subtract(notebook.IMAGES[0].shape, kernel_shape) + 1
    kernel, weights = notebook.start(options.seed, 1.0, kernel_shape, max(rows // 2 * (columns // 2), 1))
    return (
        kernel if options.kernel is None else options.kernel,
        weights if options.weights is None else options.weights.reshape(-1, 1),
    )


def _name(options: argparse.Namespace) -> str:
    given = [name for name in ("kernel", "weights") if getattr(options, name) is not None]
    parts = [] if len(given) == 2 else [f"seed {options.seed}"]
    return ", ".join(parts + ([f"{' and '.join(given)} as given"] if given else []))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the notebook from the top, print what it does and why it learns or does not, draw it where asked.

    Ends with status 2 and one line on standard error if something cannot be done as asked.
    """
    asked = parser()
    options = asked.parse_args(arguments)
    if options.figure:
        try:
            from . import figure
        except ModuleNotFoundError as error:
            if str(error.name).partition(".")[0] != "matplotlib":
                raise
            asked.error("--figure needs the extra: pip install '.[report]' in a clone of backproof")
    try:
        kernel, weights = _start(options)
        history = recorded(kernel, weights, options.rate, options.epochs)
    except FloatingPointError:
        asked.error("the numbers overflow: smaller parameters or a smaller rate are wanted")
    except ValueError as error:
        asked.error(str(error))
    name = _name(options)
    _tell(f"{name}, {options.epochs} epochs, learning rate {options.rate}", kernel, weights, history)
    if options.figure:
        title = f"The notebook's network on image {options.image}: {name}"
        index = options.image - 1
        found = find_start(kernel.shape, weights.size, options.rate, options.epochs)
        drawn = figure.draw(notebook.IMAGES[index], notebook.TARGETS[index], kernel, weights, title, history, found)
        try:
            figure.write(drawn, options.figure)
        except OSError as error:
            asked.error(f"cannot write to {options.figure}: {error.strerror}")
        print(f"\nfigure                  {options.figure}")


def _tell(run: str, kernel: Array, weights: Array, history: History) -> None:
    ends = (("start", (kernel, weights)), ("end", (history.kernel, history.weights)))
    before, after = (
        np.array([notebook.predict(image, *parameters) for image in notebook.IMAGES]) for _, parameters in ends
    )
    first, last = history.costs[0].sum(), history.costs[-1].sum()
    print(f"The notebook, run from the top: {run}\n")
    print(f"ground truth            {notebook.TARGETS}")
    print(f"predictions before      {before}")
    print(f"predictions after       {after}")
    print(f"total cost              {first:.8f} before, {last:.8f} in the last epoch\n")
    print(f"Why it {history.outcome}, at the start and at the end:")
    for when, parameters in ends:
        for number, image in enumerate(notebook.IMAGES, start=1):
            stages = forward(image, *parameters)
            alive, s = stages.convolved > 0, stages.weighted.item()
            slope = arctan_derivative(stages.weighted).item()
            reason = f"arctan at s = {s:.2f} passes on 1/(1+s²) = {slope:.1e} of the error"
            if not alive.any():
                reason = "all dead: no gradient reaches a parameter"
            print(f"  {when:5s} image {number}: {alive.sum():2d} of {alive.size} ReLUs alive, {reason}")
            for row in alive:
                print("    " + " ".join("alive" if entry else "dead " for entry in row).rstrip())


if __name__ == "__main__":
    main()
