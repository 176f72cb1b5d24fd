"""Mistakes in max pooling with a stride and a padding, and in its gradient."""

import numpy as np

from ...harness.core.limits import Shape
from ...harness.core.tape import Case
from ...harness.core.values import Array
from ...layers.base import overlapping as right
from .. import edited, mistake
from ..activations import SURVEY

_OF = "pooling_options."
AT_TIES = f"{_OF}gradient_with_options_at_ties_is_a_sum_of_subgradients"
DIFFERENCES = f"{_OF}gradient_with_options_matches_differences"
EULER = f"{_OF}gradient_with_options_obeys_eulers_identity"
_PATCH = "padded[i * s : i * s + p, j * t : j * t + q]"
_PLACE = "m, n = np.unravel_index(np.argmax(patch), patch.shape)"
_CROP = "gradient[a : a + x.shape[0], b : b + x.shape[1]]"

MISTAKES = (
    edited("max_pool_with_options", "padding of zeros", "Padding is of zeros, which beat negative entries.",
           "constant_values=-np.inf", "constant_values=0.0", "np.pad pads with zeros by itself",
           "pad with −∞, or leave out what is not there", SURVEY, f"{_OF}padding_never_wins"),
    edited("max_pool_with_options", "running maximum from zero", "Where all entries are negative it gives 0.",
           "np.full((rows, columns), -np.inf)", "np.zeros((rows, columns))", "the output is made of zeros",
           "start at −∞, or at an entry of the window", SURVEY),
    edited("max_pool_with_options", "stride ignored", "Windows begin at every row and column.", _PATCH,
           "padded[i : i + p, j : j + q]", "the stride is left at 1", "windows begin at s · i and t · j", SURVEY,
           f"{_OF}neutral_stride_and_padding_change_nothing"),
    edited("max_pool_with_options", "one stride for both sides", "Columns are strided as rows are.", "[::s, ::t]",
           "[::s, ::s]", "one number is taken for both sides", "[::s, ::t]", SURVEY),
    edited("max_pool_with_options", "one padding for both sides", "Columns are padded as rows are.",
           "(b, b)), constant_values=-np.inf)\n    rows", "(a, a)), constant_values=-np.inf)\n    rows",
           "one number is taken for both sides", "((a, a), (b, b))", SURVEY),
    edited("max_pool_with_options", "padded above and left alone", "All padding is above and on the left.",
           "padded[a : a + x.shape[0], b : b + x.shape[1]]", "padded[2 * a :, 2 * b :]",
           "only the total is thought to matter", "a rows above and a below", "",
           f"{_OF}max_pool_with_options_is_a_maximum_filter"),
    edited("max_pool_with_options", "a window for the rest", "What is left over gets a window of its own.",
           "rows, columns = (padded.shape[0] - p) // s + 1, (padded.shape[1] - q) // t + 1",
           "rows, columns = -(-(padded.shape[0] - p) // s) + 1, -(-(padded.shape[1] - q) // t) + 1",
           "the number of windows is rounded up", "(H + 2a − p) // s + 1: no window for the rest", "Caffe's ceil_mode"),
    edited("max_pool_with_options", "windows begin at negative rows",
           "A window that begins in the padding is empty, since Python counts from the end.", "max(top, 0) : top + p",
           "top : top + p", "negative indices are thought to be cut off", "max(top, 0)"),
    edited("max_pool_with_options", "mean for maximum", "It gives the mean of what each window holds.",
           "max(left, 0) : left + q].max()", "max(left, 0) : left + q].mean()", "average pooling is copied",
           "the maximum of each window", "", f"{_OF}max_pool_with_options_at_every_weak_ordering"),
    edited("max_pool_gradient_with_options", "last window wins",
           "An entry that is the maximum of several windows gets the last one's upstream value alone.",
           "gradient[i * s + m, j * t + n] += upstream", "gradient[i * s + m, j * t + n] = upstream",
           "= in place of +=, or gradient[places] += upstream, which adds once for each place",
           "+=, or np.add.at", "NNlib.jl#205; " + SURVEY, f"{_OF}upstream_is_handed_out_whole"),
    edited("max_pool_gradient_with_options", "first window wins",
           "An entry that is the maximum of several windows gets the first one's upstream value alone.",
           "gradient[row, column] += upstream[i, j]", "gradient[row, column] = gradient[row, column] or upstream[i, j]",
           "an entry is thought to be served once", "+= over the windows", "", f"{_OF}windows_gradients_add_up"),
    edited("max_pool_gradient_with_options", "mask repeat",
           "Every tied maximum of a window gets the whole upstream value.",
           "mask * upstream[i, j] / np.sum(mask)", "mask * upstream[i, j]",
           "a mask of the maxima is the easiest to write",
           "give it to one of them (argmax), or divide by their number", "Theano#5404; " + SURVEY, AT_TIES),
    edited("max_pool_gradient_with_options", "split twice", "Tied maxima get 1/m² each: too little is handed out.",
           "upstream[i, j] / np.sum(mask)", "upstream[i, j] / np.sum(mask) ** 2", "the split is made twice",
           "divide by their number once", "", AT_TIES),
    edited("max_pool_gradient_with_options", "ties get nothing", "Where maxima tie nothing is handed out.",
           "mask * upstream[i, j] / np.sum(mask)", "mask * upstream[i, j] * (np.sum(mask) == 1)",
           "a maximum is thought to beat all others", "argmax, which finds one", "",
           f"{_OF}gradient_with_options_at_every_set_of_maxima"),
    edited("max_pool_gradient_with_options", "two to the last and minus one to the first",
           "Of tied maxima the last gets twice the upstream value and the first loses it: sum 1, but not in [0, 1].",
           "gradient[top + m, left + n] += upstream[i, j]",
           "gradient[top + m, left + n] += 2 * upstream[i, j]\n"
           "            m, n = np.argwhere(patch == patch.max())[0]\n"
           "            gradient[top + m, left + n] -= upstream[i, j]",
           "softer than a choice", "weights in [0, 1] that sum to 1", "",
           f"{_OF}gradient_with_options_at_every_weak_ordering"),
    edited("max_pool_gradient_with_options", "near ties split",
           "What is within np.isclose of the maximum shares the upstream value.", "patch == np.max(patch)",
           "np.isclose(patch, np.max(patch))", "floats are compared with a tolerance",
           "==, or argmax: pooling rounds nothing", "", f"{_OF}gradient_with_options_vanishes_off_all_maxima"),
    edited("max_pool_gradient_with_options", "padding of zeros",
           "Padding is of zeros, so that the upstream values of negative maxima are lost in it.",
           f"constant_values=-np.inf)\n    gradient = np.zeros(padded.shape)\n    for i in range(upstream.shape[0]):\n"
           f"        for j in range(upstream.shape[1]):\n            patch = {_PATCH}\n            {_PLACE}",
           f"constant_values=0.0)\n    gradient = np.zeros(padded.shape)\n    for i in range(upstream.shape[0]):\n"
           f"        for j in range(upstream.shape[1]):\n            patch = {_PATCH}\n            {_PLACE}",
           "np.pad pads with zeros by itself", "pad with −∞, or leave out what is not there", SURVEY, EULER),
    edited("max_pool_gradient_with_options", "stride ignored",
           "The windows on the way back begin at every row and column.",
           f"{_PATCH}\n            {_PLACE}\n            gradient[i * s + m, j * t + n]",
           f"padded[i : i + p, j : j + q]\n            {_PLACE}\n            gradient[i + m, j + n]",
           "the stride is left at 1", "windows begin at s · i and t · j", SURVEY, DIFFERENCES),
    edited("max_pool_gradient_with_options", "stride of the window",
           "The places on the way back are those of windows that do not overlap.", "n + t * np.arange(columns)",
           "np.minimum(n + q * np.arange(columns), padded.shape[1] - 1)", "the window is taken for the stride",
           "n + t · j", SURVEY),
    edited("max_pool_gradient_with_options", "one stride for both sides", "Columns are strided as rows are.",
           "n + t * np.arange(columns)", "n + s * np.arange(columns)", "one number is taken for both sides",
           "n + t · j", SURVEY),
    edited("max_pool_gradient_with_options", "cropped at the wrong corner", "The gradient is moved by the padding.",
           f"            {_PLACE}\n            gradient[i * s + m, j * t + n] += upstream[i, j]\n    return {_CROP}",
           f"            {_PLACE}\n            gradient[i * s + m, j * t + n] += upstream[i, j]\n"
           "    return gradient[: x.shape[0], : x.shape[1]]",
           "only the shape is mended", "x begins a rows and b columns in", "", DIFFERENCES),
    edited("max_pool_gradient_with_options", "cropped by minus the padding", "Without padding nothing is left of it.",
           f"+= upstream[i, j]\n    return {_CROP}", "+= upstream[i, j]\n    return gradient[a:-a, b:-b]",
           "-0 is no end of a slice", "gradient[a : a + H, b : b + W]", "seven repositories of " + SURVEY),
    edited("max_pool_gradient_with_options", "padding left on", "The gradient has the shape of the padded input.",
           f"upstream)\n    return {_CROP}", "upstream)\n    return gradient",
           "the padding is forgotten on the way back", "cut the padding off"),
    edited("max_pool_gradient_with_options", "place of the window before",
           "A window without a positive entry gives to the place that the one before it had.", "best = -np.inf",
           "best = 0.0", "the running maximum starts at 0", "start at −∞"),
    edited("max_pool_gradient_with_options", "spread over the window",
           "It is average pooling's: each entry gets upstream over p · q.", "mask * upstream[i, j] / np.sum(mask)",
           "upstream[i, j] / (p * q)", "average pooling's is copied", "the maximum alone gets the upstream value"),
    edited("max_pool_gradient_with_options", "first window alone", "Only the first window is served.",
           "            gradient[row, column] += upstream[i, j]\n    return gradient",
           "            gradient[row, column] += upstream[i, j]\n            return gradient",
           "`return` stands inside the loop", "return after the loop", SURVEY),
    edited("max_pool_gradient_with_options", "place divided by the rows",
           "The place of the maximum in its window is divided by the window's rows in place of its columns.",
           "argmax(axis=2), q)", "argmax(axis=2), p)", "the window's sides are read in the wrong order",
           "divmod(place, q): q entries to a row"),
    edited("max_pool_gradient_with_options", "multiplied by the maximum",
           "Upstream is multiplied by the maximum itself.",
           "mask * (upstream / mask.sum(axis=0))", "windows.max(axis=0) * mask * (upstream / mask.sum(axis=0))",
           "the masked input is taken for the mask", "upstream times the mask alone", "", EULER),
)  # fmt: skip


@mistake("max_pool_gradient_with_options", "a mean over the windows in place of a sum", "add the windows' shares up")
def divided_by_the_windows(x: Array, window: Shape, upstream: Array, stride: Shape, padding: Shape) -> Array:
    """What an entry gets is divided by the number of windows that hold it."""
    case = Case(x=x, window=window, upstream=upstream, stride=stride, padding=padding)
    held = right.summed(np.ones((*upstream.shape, *window)), case)
    return right.gradient(case) / np.maximum(held, 1.0)
