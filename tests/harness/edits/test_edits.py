"""The edits of the right code are those that people make, each in one place, and leave the right code as it was."""

import ast
from functools import cache

import numpy as np
import pytest

from properties.harness.edits.code import differing, written
from properties.harness.edits.edit import rewritten
from properties.harness.edits.edits import edits, edits_with_constants, two_edits
from properties.layers import OPERATIONS

# of each kind of slip that is promised one: the operation, and the line as it is with the edit
PROMISED = {
    "another operator": ("dense", "return features * weights"),
    "another sign": ("arctan_derivative", "return 1 / (1 - x ** 2)"),
    "a factor dropped": ("dense_gradients", "weights_gradient = features.T"),
    "a term dropped": ("logistic", "return 1 / np.exp(-x)"),
    "a mask dropped": ("gradients", "upstream = upstream * np.ones(np.shape(convolved > 0), dtype=bool)"),
    "a call dropped": ("cost", "error = image - target"),
    "`=` for `+=`": ("conv2d_image_gradient", "gradient[i:i + height, j:j + width] = upstream[i, j] * flipped"),
    "`+=` for `=`": ("conv2d", "output[i, j] += np.sum(patch * flipped)"),
    "operands exchanged": ("cost", "error = target - predict(image, kernel, weights)"),
    "indices exchanged": ("conv2d", "output[j, i] = np.sum(patch * flipped)"),
    "axes exchanged": ("max_pool", "blocks = x.reshape(rows, p, columns, q).transpose(0, 1, 2, 3)"),
    "sides exchanged": ("conv2d", "width, height = kernel.shape"),
    "one side for both": ("conv2d", "patch = image[i:i + height, j:j + height]"),
    "strides exchanged": ("max_pool", "output[i, j] = np.max(x[i * q:(i + 1) * p, j * q:(j + 1) * q])"),
    "a bound off by one": ("conv2d", "for i in range(rows - 1):"),
    "`>` for `>=`": ("logistic", "return np.where(x > 0, 1 / (1 + decay), decay / (1 + decay))"),
    "minimum for maximum": ("relu", "return np.minimum(x, 0)"),
    "mean for sum": ("conv2d", "output[i, j] = np.mean(patch * flipped)"),
    "over fewer axes": ("max_pool", "return x.reshape(x.shape[0] // p, p, x.shape[1] // q, q).max(axis=3)"),
    "another mode": ("conv2d", "return correlate2d(image, np.rot90(kernel, 2), mode='same')"),
    "over more axes": ("max_pool", "return x.reshape(x.shape[0] // p, p, x.shape[1] // q, q).max()"),
    "transposed": ("dense_gradients", "features_gradient = upstream @ weights"),
    "turned": ("conv2d", "flipped = np.rot90(kernel, 1)"),
    "flipped": ("conv2d", "flipped = kernel[::-1]"),
    "raveled in another order": ("predict", "features = pooled.reshape(1, -1, order='F')"),
    "the output for the input": ("logistic_derivative", "return x * (1 - y)"),
    "the new value for the old": (
        "train_step",
        "new_weights = weights - learning_rate * gradients(image, target, new_kernel, weights)[1]",
    ),
    "a copy left out": ("relu", "output = x"),
    "an argument changed": (
        "train_step",
        "new_kernel = np.subtract(kernel, learning_rate * kernel_gradient, out=kernel)",
    ),
    "never reset": (
        "conv2d_kernel_gradient",
        "gradient = kept.setdefault('np.zeros((height, width))' + str((height, width)), np.zeros((height, width)))",
    ),
    "an early return": (
        "conv2d_kernel_gradient",
        "gradient += upstream[i, j] * image[i:i + height, j:j + width]\n"
        "return np.rot90(gradient, 2)\nreturn np.rot90(gradient, 2)",
    ),
    "an early break": ("conv2d", "        output[i, j] = np.sum(patch * flipped)\n    break\nreturn output"),
    "cast to integers": ("conv2d", "output = np.zeros((rows, columns), dtype=int)"),
    "cast to bytes": ("conv2d", "return np.float64(np.asarray(output).astype(np.int64).astype(np.uint8))"),
    "cast to float32": ("relu", "return np.float64(np.float32(np.maximum(x, 0)))"),
    "half precision": ("relu", "return np.float64(np.float16(np.maximum(x, 0)))"),
    "only the first window": ("max_pool", "for i in range(min(rows, 1)):"),
    "tile for repeat": ("max_pool_gradient", "return np.where(mask, np.tile(shares, (p, q)), 0)"),
    "a bracket": ("cost", "return (error / 2) ** 2"),
}


@cache
def texts_of(operation):
    """Every function that a single edit of an operation makes of the right code, line by line without indents."""
    every = [edit.text for some in edits(operation, True) for edit in some]
    return [flush(text) for text in every]


def flush(text):
    """The lines of a text without indents, each between ends of lines."""
    return "\n".join(["", *(line.strip() for line in text.splitlines()), ""])


@pytest.mark.parametrize(("operation", "wrong"), PROMISED.values(), ids=PROMISED)
def test_every_kind_of_slip_is_among_the_edits(operation, wrong):
    """What is promised of the edits is there, in one of the ways to write the operation."""
    assert not any(flush(wrong) in flush(ast.unparse(way.parts[0])) for way in written(operation, True))
    assert any(flush(wrong) in text for text in texts_of(operation))


def test_edits_take_themselves_back():
    """Whatever was tried, the right code is the right code again."""
    before = [ast.unparse(way.parts[0]) for way in written("conv2d", True)]
    assert texts_of.__wrapped__("conv2d")
    assert [ast.unparse(way.parts[0]) for way in written("conv2d", True)] == before


def test_edits_are_all_different():
    """No two edits of one function say the same."""
    keys = [
        (edit.part, edit.changes[0].place, edit.changes[0].text) for some in edits("max_pool", True) for edit in some
    ]
    assert len(keys) == len(set(keys)) > 1000


def test_clips_and_thresholds_have_usual_constants():
    """An edit that clips the error at 4 is there, and one at a limit that was read off the answers."""
    made = {edit.lines()[1] for edit in edits_with_constants("cost", True, (3.25,))}
    for limit in (4.0, 3.25):
        assert f"error = np.clip(predict(image, kernel, weights) - target, -{limit}, {limit})" in made


def test_two_edits_are_in_different_places():
    """Twin slips are made together: q for p in both of the places where a window's side is read."""
    single = [edit for some in edits("max_pool", True) for edit in some]
    made = {edit.lines()[1] for edit in two_edits(single, [])}
    assert "return np.max([x[a::p, b::p] for a in range(p) for b in range(p)], axis=0)" in made


def test_an_edit_keeps_nothing_from_one_making_to_the_next():
    """What an edit keeps from call to call is its own: made anew it has none of it."""
    (edit,) = [
        edit
        for some in edits("conv2d_kernel_gradient", True)
        for edit in some
        if edit.leaves_traces and edit.way.name == "conv2d_kernel_gradient" and "never reset" in edit.what
    ]
    image, kernel, upstream = np.ones((3, 3)), np.ones((2, 2)), np.ones((2, 2))
    make = edit.code()
    first = make()
    once, twice = first(image, kernel, upstream).copy(), first(image, kernel, upstream).copy()
    assert np.array_equal(twice, 2 * once)
    assert np.array_equal(make()(image, kernel, upstream), once)


def test_conventions_are_written_out():
    """A cross-correlation's code has no half turn and no name for what is not turned."""
    texts = [ast.unparse(way.parts[0]) for way in written("conv2d", False)]
    assert not any(word in text for text in texts for word in ("rot90", "flipped", "mirrored"))
    assert all(
        "rot90" in text or "- 1 - a" in text for text in (ast.unparse(w.parts[0]) for w in written("conv2d", True))
    )


def test_text_is_rewritten_for_both_conventions():
    """A text of the source is replaced before the convention is written out; one that is nowhere is an error."""
    turned = rewritten("conv2d_kernel_gradient", "turned(gradient)", "unturned(gradient)", True)
    assert turned.lines() == ("return np.rot90(gradient, 2)", "return gradient")
    straight = rewritten("conv2d_kernel_gradient", "turned(gradient)", "unturned(gradient)", False)
    assert straight.lines() == ("return gradient", "return np.rot90(gradient, 2)")
    with pytest.raises(LookupError, match="no way to write relu has this text once"):
        rewritten("relu", "no such text", "", True)


def test_a_line_that_moves_is_shown_with_its_neighbours():
    """Where two texts differ in an indent alone the lines beside it tell where."""
    right, wrong = "for i in x:\n    a()\n    b()", "for i in x:\n    a()\nb()"
    assert differing(right, wrong) == ("a()\nb()", "    a()\nb()")


def test_an_operation_without_code_has_no_edits():
    """A further operation may do without plain code; then nothing is edited."""
    assert list(edits("no such operation", True)) == []
    assert all(next(edits(name, True)) for name in OPERATIONS)


def test_the_way_most_like_the_source_comes_first():
    """Edits begin with those of the way that is most like some code; what is no code leaves the ways in their order."""
    ways = [way.name for way in written("conv2d_kernel_gradient", True)]
    scipy = "lambda image, kernel, upstream: np.rot90(correlate2d(image, upstream, 'valid'), 2)"
    for source, first in ((scipy, "conv2d_kernel_gradient_by_scipy"), ("no code", ways[0])):
        tried = [some[0].way.name for some in edits("conv2d_kernel_gradient", True, source)]
        assert tried[0] == first
        assert sorted(tried) == sorted(ways)
