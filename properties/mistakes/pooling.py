"""Mistakes in max pooling and its gradient."""

from ..harness.core.limits import Shape
from ..harness.core.values import Array
from ..layers.base.windows import max_pool
from . import edited, mistake
from .activations import SURVEY

AT_TIES = "pooling.gradient_at_ties_is_a_subgradient"
_GROWN = "shares.repeat(p, axis=0).repeat(q, axis=1)"
_PLACE = "np.unravel_index(np.argmax(patch), patch.shape)"

MISTAKES = (
    edited("max_pool", "zero beats negative entries", "Where all entries are negative it gives 0.", "best = -np.inf",
           "best = 0.0", "zero padding takes part", "pad with −∞, or not at all", "block_reduce's padding; " + SURVEY),
    edited("max_pool", "mean for maximum", "It gives the mean of each window.", "np.max", "np.mean",
           "average pooling is copied", "the maximum of each window"),
    edited("max_pool", "softmax for maximum", "It gives the mean of each window, weighted by softmax.",
           "output[i, j] = np.max(x[i * p : (i + 1) * p, j * q : (j + 1) * q])",
           "patch = x[i * p : (i + 1) * p, j * q : (j + 1) * q]\n"
           "            output[i, j] = np.average(patch, weights=np.exp(patch - np.max(patch)))",
           "a smooth maximum has a gradient everywhere", "the maximum of each window"),
    edited("max_pool", "largest in size", "It gives the largest absolute value.", "x.reshape", "np.abs(x).reshape",
           "the largest is taken to be the strongest", "compare the entries with their signs"),
    edited("max_pool", "last row of each window lost",
           "The last row of each window is left out, unless it is the only one.", "(i + 1) * p",
           "max((i + 1) * p - 1, i * p + 1)", "a slice ends one too early", "x[i*p:(i+1)*p]"),
    edited("max_pool", "reshaped without swapping axes", "It takes runs of p · q entries in memory for windows.",
           ".transpose(0, 2, 1, 3)", "", "a reshape without its transpose",
           "reshape(H/p, p, W/q, q).max(axis=(1, 3))"),
    edited("max_pool_gradient", "mask repeat",
           "Every tied maximum gets the whole upstream value, as mask repeat does, so a tie of m counts m times.",
           "upstream / counts", "upstream",
           "a mask of the maxima is the easiest to write, and data without ties hide it",
           "give it to one of them (argmax), or divide by their number",
           "Theano#5404, #5248, #4761; mxnet#1272; 17 of 44 in " + SURVEY, AT_TIES),
    edited("max_pool_gradient", "ties halved whatever their number",
           "Tied maxima get one half each, be they two or more.", "upstream / counts",
           "upstream / np.minimum(counts, 2)", "ties are thought to be pairs", "divide by their number", "", AT_TIES),
    edited("max_pool_gradient", "whole windows alone split",
           "Only windows whose entries are all equal are split evenly; in other ties each maximum gets all.",
           "upstream / counts", "upstream / np.where(counts == p * q, counts, 1)", "a special case for equal windows",
           "one rule for every tie", "", AT_TIES),
    edited("max_pool_gradient", "split twice", "Tied maxima get 1/m² each, so that too little is handed out.",
           "upstream / counts", "upstream / counts**2", "the split is made twice", "divide by their number once", "",
           AT_TIES),
    edited("max_pool_gradient", "ties get nothing", "Where maxima tie nothing is handed out.", "upstream / counts",
           "upstream * (counts == 1)", "a maximum is thought to beat all others", "argmax, which finds one", "",
           AT_TIES),
    edited("max_pool_gradient", "two to the first and minus one to the next",
           "Of tied maxima the first gets twice the upstream value and another loses it: sum 1, but not in [0, 1].",
           "= upstream.ravel()",
           "= 2 * upstream.ravel()\n"
           "    scattered[np.arange(rows * columns), -1 - blocks[:, ::-1].argmax(axis=1)] -= upstream.ravel()",
           "softer than a choice", "weights in [0, 1] that sum to 1", "", AT_TIES),
    edited("max_pool_gradient", "near ties taken for ties",
           "What equals the maximum, or is within np.isclose of it, gets the whole upstream value.", _PLACE,
           "np.nonzero(np.isclose(patch, np.max(patch)))", "floats are compared with a tolerance",
           "argmax, which finds one and no other"),
    edited("max_pool_gradient", "near ties split",
           "What is within np.isclose of the maximum shares the upstream value.", "patch == np.max(patch)",
           "np.isclose(patch, np.max(patch))", "floats are compared with a tolerance",
           "==, or argmax: pooling rounds nothing"),
    edited("max_pool_gradient", "stride ignored",
           "The windows on the way back begin at every row and column, and overlap.",
           f"x[i * p : (i + 1) * p, j * q : (j + 1) * q]\n            a, b = {_PLACE}\n"
           "            gradient[i * p + a, j * q + b] =",
           f"x[i : i + p, j : j + q]\n            a, b = {_PLACE}\n            gradient[i + a, j + b] +=",
           "the stride is left at 1", "windows begin at p · i and q · j", SURVEY),
    edited("max_pool_gradient", "tile for repeat",
           "Upstream is tiled over the input in place of being repeated within each window.", _GROWN,
           "np.tile(upstream, window)", "np.tile reads like np.repeat", "np.repeat(…, p, axis=0), then q on axis 1"),
    edited("max_pool_gradient", "upstream in column order",
           "Upstream values are handed to the windows column by column.", "upstream.ravel()",
           "upstream.ravel(order='F')", "upstream is flattened column by column", "C order on both sides"),
    edited("max_pool_gradient", "spread over the window",
           "It is average pooling's: each entry gets upstream over p · q.", "mask * upstream[i, j] / np.sum(mask)",
           "upstream[i, j] / (p * q)", "average pooling's is copied", "the maximum alone gets the upstream value"),
    edited("max_pool_gradient", "shared by softmax", "Upstream is shared out in each window by softmax.",
           "patch == np.max(patch)", "np.exp(patch - np.max(patch))", "a smooth maximum has a gradient everywhere",
           "the maximum alone gets it"),
    edited("max_pool_gradient", "columns counted by the rows",
           "Of the columns of windows only as many are served as there are rows of them.", "range(columns)",
           "range(min(rows, columns))", "one size is read for both sides", "as many columns as upstream has"),
    edited("max_pool_gradient", "place divided by the rows",
           "The place of the maximum in its window is divided by the window's rows in place of its columns.",
           "divmod(place, q)", "divmod(place, p)", "the window's sides are read in the wrong order",
           "divmod(place, q): q entries to a row"),
    edited("max_pool_gradient", "divided by the windows size",
           "The maximum gets upstream over p · q: a mean in place of a sum.", "upstream[i, j]",
           "upstream[i, j] / (p * q)", "the mean's factor is left", "the upstream value itself",
           "reversed in " + SURVEY),
    edited("max_pool_gradient", "mask missing", "Every entry of the window gets the upstream value.",
           f"np.where(mask, {_GROWN}, 0)", "upstream.repeat(p, axis=0).repeat(q, axis=1)", "upstream is only repeated",
           "the maximum alone gets it", "pytorch/glow#1559"),
    edited("max_pool_gradient", "one maximum of all",
           "Only the window that holds the maximum of the whole input is served.",
           f"{_PLACE}\n            gradient[i * p + a, j * q + b] = upstream[i, j]",
           "np.unravel_index(np.argmax(x), x.shape)\n            gradient[a, b] = upstream[a // p, b // q]",
           "argmax without an axis", "the argmax of each window"),
    edited("max_pool_gradient", "multiplied by the maximum", "The upstream value is multiplied by the maximum itself.",
           "upstream[i, j]", "upstream[i, j] * np.max(patch)", "the masked input is taken for the mask",
           "upstream times the mask alone"),
    edited("max_pool_gradient", "negative maxima get nothing",
           "Where the maximum is not positive nothing is handed out.", "upstream[i, j]",
           "upstream[i, j] * (np.max(patch) > 0)", "the running maximum starts at 0", "start at −∞"),
    edited("max_pool_gradient", "first window alone", "Only the first window is served.", "    return gradient",
           "            return gradient", "`return` stands inside the loop", "return after the loop", SURVEY),
    edited("max_pool_gradient", "nothing for fortran order", "For an input in Fortran order it is 0 throughout.",
           "return scattered.reshape(rows, columns, p, q).transpose(0, 2, 1, 3).reshape(x.shape)",
           "gradient = np.zeros_like(x)\n"
           "    gradient.reshape(-1)[:] = scattered.reshape(rows, columns, p, q).transpose(0, 2, 1, 3).ravel()\n"
           "    return gradient",
           "the mask is written through a reshape, which is a copy there",
           "np.zeros(x.shape), which np.zeros_like(x) is not for Fortran order", SURVEY,
           "calls.keeps_the_contract[max_pool_gradient]"),
)  # fmt: skip


@mistake("max_pool", "the window's sides are read in the wrong order", "p rows by q columns", seen=SURVEY)
def window_axes_swapped(x: Array, window: Shape) -> Array:
    """It pools q by p where that divides the input, and so mixes windows."""
    if x.shape[0] % window[1] or x.shape[1] % window[0]:
        return max_pool(x, window)
    return max_pool(x, window[::-1]).reshape(x.shape[0] // window[0], -1)
