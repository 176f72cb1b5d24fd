"""How often max pooling ties on photographs, and how far that leads mask repeat from every legal kernel gradient.

It takes every grey 8-bit photograph that scikit-image ships through convolution, ReLU and 2×2 max pooling. All numbers
are short dyadic ones: sums of products have no rounding error, a tie is a tie.
"""

from typing import Any

import numpy as np
from scipy.optimize import nnls
from skimage import data
from skimage.filters import threshold_otsu
from skimage.util import view_as_blocks, view_as_windows
from tqdm import tqdm

from benchmarks.command import command
from reference import conv2d, conv2d_kernel_gradient, mask_repeat, relu, relu_derivative
from reference.arrays import Array
from reference.network import WINDOW
from reference.notebook import SEED

NAMES = ["brick", "camera", "cell", "clock", "coins", "grass", "gravel", "microaneurysms", "moon", "page", "text"]
KERNEL_SHAPE, DRAWS, TOLERANCE, ROUNDING, ITERATIONS = (3, 3), 25, 1e-6, 1e-9, 1000
HEADER = """\
| photograph | size | windows that tie | random kernel: positive ties | relative error | \
flat background: positive ties | relative error |
| --- | --- | --- | --- | --- | --- | --- |"""
LEGEND = """\
Ties: the share of 2×2 windows whose maximum is not unique, in the photograph itself (moon has every pixel doubled), and
after convolution and ReLU where that maximum is positive (ties at 0 are harmless: ReLU's derivative there is 0). Flat
background: the same kernel, but the side of Otsu's threshold that the border's median lies on is set to that median.
Relative error: how far mask repeat's kernel gradient is from the nearest legal one, whatever the subgradients chosen,
over that one's norm; a certified lower bound on that distance; the median of {draws} random upstream gradients."""


def dyadic(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Random numbers k/16, |k| ≤ 64, of this shape."""
    return generator.integers(-64, 64, shape, endpoint=True) / 16


def flat_background(image: Array) -> Array:
    """The (H, W) image, all on the border's side of the threshold (Otsu 1979) set to the border's median."""
    border = np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])
    median, threshold = np.quantile(border, 0.5, method="lower"), threshold_otsu(image * 256) / 256
    return np.where((image > threshold) == (median > threshold), median, image)


def windows(x: Array) -> Array:
    """The 2×2 windows of `x` (2r, 2c), in C order: (rc, 4)."""
    return view_as_blocks(np.ascontiguousarray(x), WINDOW).reshape(-1, WINDOW[0] * WINDOW[1])


def tied(x: Array) -> Array:
    """Whether the maximum of each 2×2 window of `x` (2r, 2c) is not unique: (rc,)."""
    return (windows(x) == windows(x).max(axis=1, keepdims=True)).sum(axis=1) > 1


def candidates(image: Array, convolved: Array) -> Array:
    """What each window may give to the kernel gradient per unit upstream, or any mean of it: (n, 5, h·w).

    A maximal entry gives its patch `image[i+h-1-a, j+w-1-b]`, the others repeat the first maximum's; the fifth gives
    nothing where the maximum is 0, a choice of ReLU's, and all do where it is negative. Source: Boustany, TMLR 2024,
    on max pooling's choices; Bertoin et al., NeurIPS 2021, on ReLU's.
    """
    values = windows(convolved)
    top = values.max(axis=1, keepdims=True)
    choice = np.where(values == top, np.arange(values.shape[1]), values.argmax(axis=1)[:, None])
    position = np.take_along_axis(windows(np.arange(convolved.size).reshape(convolved.shape)), choice, axis=1)
    patches = view_as_windows(image, KERNEL_SHAPE)[..., ::-1, ::-1].reshape(convolved.size, -1)
    given = patches[position] * (top >= 0)[..., None]
    return np.concatenate([given, given[:, :1] * (top != 0)[..., None]], axis=1)


def nearest(given: Array, gradient: Array) -> tuple[Array, float, float]:
    """The legal gradient nearest to `gradient` (h·w,), and a lower and an upper bound on the distance.

    Legal is the Minkowski sum of the hulls of `given[i]`, (n, m, h·w). A vertex of it least along a direction d is
    found window by window, and `⟨vertex − gradient, d⟩ / |d|` is a lower bound; the vertices found are weighted anew
    in each step: the λ ≥ 0 of least `|V λ|² + (1 − Σλ)²` (NNLS), over their sum, give the shortest vector of their
    hull. Source: Frank & Wolfe 1956; Wolfe, Mathematical Programming 11, 1976, for the shortest vector.
    """
    chosen = (given != given[:, :1]).any(axis=(1, 2))  # elsewhere, on flat ground too, all that may be given is equal
    base, given = given[~chosen, 0].sum(axis=0) - gradient, given[chosen]
    vertices, lower = [base + given[:, 0].sum(axis=0)], 0.0
    for _ in range(ITERATIONS):
        scale = max(map(np.linalg.norm, vertices)) or 1.0
        system = np.vstack([np.array(vertices).T / scale, np.ones(len(vertices))])
        weights, _ = nnls(system, np.eye(len(system))[-1], maxiter=100 * len(vertices))
        direction = weights @ np.array(vertices) / weights.sum()
        upper = float(np.linalg.norm(direction))
        vertices.append(base + given[np.arange(len(given)), (given @ direction).argmin(axis=1)].sum(axis=0))
        lower = max(lower, float(vertices[-1] @ direction) / (upper or 1.0))
        if upper - lower <= max(TOLERANCE * upper, ROUNDING * float(np.linalg.norm(gradient))):
            break
    return gradient + direction, lower, upper


def layer(image: Array) -> dict[str, Any]:
    """The share of windows with a positive tied maximum after one layer, and how wrong mask repeat is there.

    `image` is (H, W); upstream are the dense layer's weights, drawn `DRAWS` times after the kernel, for their median.
    """
    kernel = dyadic(generator := np.random.default_rng(SEED), KERNEL_SHAPE)
    convolved, bounds = conv2d(image, kernel), []
    units = candidates(image, convolved)
    positive = tied(convolved) & (windows(convolved).max(axis=1) > 0)
    for _ in range(DRAWS):
        upstream = dyadic(generator, (convolved.shape[0] // WINDOW[0], convolved.shape[1] // WINDOW[1]))
        repeated = mask_repeat(relu(convolved), WINDOW, upstream) * relu_derivative(convolved)
        gradient = conv2d_kernel_gradient(image, kernel, repeated).ravel()
        legal, lower, upper = nearest(units * upstream.reshape(-1, 1, 1), gradient)
        bounds.append([lower / float(np.linalg.norm(legal)), upper / float(np.linalg.norm(legal))])
    return {"positive ties": positive.mean(), "relative error": np.median(bounds, axis=0)[0], "bounds": bounds}


def measure(name: str) -> dict[str, Any]:
    """One row of the table: a photograph, cropped to even sides, and what the layer makes of it."""
    pixels = getattr(data, name)()
    image = pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2] / 256.0
    row = {"photograph": name, "size": image.shape, "windows that tie": tied(image).mean()}
    return row | {"random kernel": layer(image), "flat background": layer(flat_background(image))}


def cells(row: dict[str, Any]) -> list[str]:
    """The cells of one row of the table, shares to two digits or whole per cent."""
    layers = row["random kernel"], row["flat background"]
    shares = [row["windows that tie"], *(x[title] for x in layers for title in ("positive ties", "relative error"))]
    percents = (f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %" for share in shares)
    return [row["photograph"], "×".join(map(str, row["size"])), *percents]


def main() -> dict[str, Any]:
    """Measure, print the table, and return the figures, unrounded and draw by draw."""
    kernel = dyadic(np.random.default_rng(SEED), KERNEL_SHAPE)  # as in `layer`
    rows = [measure(name) for name in tqdm(NAMES, unit="photograph", delay=1, disable=None)]
    print(f"Random kernel, seed {SEED}: {kernel.tolist()}, of sum {kernel.sum()}\n\n{HEADER}")
    print("\n".join(f"| {' | '.join(cells(row))} |" for row in rows), LEGEND.format(draws=DRAWS), sep="\n\n")
    return {"seed": SEED, "kernel": kernel.tolist(), "photographs": rows}


if __name__ == "__main__":
    command(main)
