"""Large cases reach what they claim, also where a target declares shapes, and refute what is decided by sizes."""

import time

import numpy as np
import pytest

import properties.calls
import reference
from benchmarks.layouts import Layered
from properties.harness.checking.fixed_cases import larger
from properties.harness.checking.properties import arguments_of
from properties.harness.core.limits import NotApplicable
from properties.harness.target.layout import HW
from properties.harness.target.operation import Crashed, Refuted
from properties.layers import LAYERS
from tests import doubles
from tests.doubles import failure_of, trial_of

LARGER = properties.calls.test_holds_at_a_larger_size


def cases(layer, **declared):
    """The large cases of a layer."""
    with trial_of(relu=reference.relu, **declared):
        return larger(layer)


def shapes(layer, name, **declared):
    """The shapes of one argument in them, as one image of one channel has them."""
    kind = LAYERS[layer].kinds[name]
    return {HW.outward_shape(kind, case[name].shape) for case in cases(layer, **declared)}


def test_kernels_and_images_have_a_long_tail():
    """Every square kernel to 11×11 comes, one of more than 64 entries, and sides beyond 64."""
    kernels = shapes("convolution", "kernel")
    assert {(side, side) for side in range(1, 12)} <= kernels
    assert any(rows != columns and rows * columns > 64 for rows, columns in kernels)
    assert max(max(shape) for shape in shapes("convolution", "image")) >= 70


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("tile", [4, 8, 16, 32, 64])
def test_outputs_are_tiles_and_one_more(axis, tile):
    """Rows and columns of outputs are a multiple of usual tiles, and larger ones are none."""
    lengths = {shape[axis] for shape in shapes("convolution", "upstream")}
    assert any(length % tile == 0 for length in lengths)
    assert any(length > tile and length % tile for length in lengths)


def test_windows_have_a_long_tail_with_ties():
    """Windows beyond a byte's positions come with ties and without, and inputs beyond 16 bits."""
    found = cases("pooling")
    assert max(np.prod(case.window) for case in found) > 256
    assert max(case.x.size for case in found) > 2**16
    for maxima in ("tied", "unique"):
        kind = [case for case in found if is_tied(case) == (maxima == "tied")]
        assert any(np.prod(case.window) > 9 for case in kind)
        assert any(np.prod(case.window) > 128 for case in kind)


def is_tied(case):
    """Whether any window has two maxima."""
    maximal = reference.mask_repeat(case.x[0, 0], case.window, np.ones(case.upstream.shape[2:]))
    return maximal.sum() > case.upstream.size


def test_features_and_activations_have_a_long_tail():
    """Up to 1000 features, and arrays of four dimensions and of more than 16 bits' entries."""
    assert max(shapes("dense", "weights")) == (1000, 1)
    found = shapes("activations", "x")
    assert any(len(shape) == 4 for shape in found)
    assert any(np.prod(shape) > 2**16 for shape in found)


def test_images_channels_and_filters_have_a_long_tail():
    """Up to 9 images, channels and filters, and others than multiples of 4."""
    found = cases("convolution", LAYOUT="NCHW")
    for counts in ({len(case.image) for case in found}, {len(case.kernel) for case in found}):
        assert {5, 9} & counts
        assert 8 in counts or 4 in counts
    assert max(case.kernel.shape[1] for case in found) == 9


def test_declared_windows_leave_other_sizes_alone():
    """Where windows are declared they stay as declared, and kernels, features and inputs are as large as ever."""
    assert shapes("convolution", "kernel", WINDOW_SHAPES=[(2, 2)]) == shapes("convolution", "kernel")
    assert {case.window for case in cases("pooling", WINDOW_SHAPES=[(2, 2)])} == {(2, 2)}
    assert max(shape[1] for shape in shapes("pooling", "x", WINDOW_SHAPES=[(2, 2)])) > 60
    assert shapes("network", "kernel", WINDOW_SHAPES=[(2, 2)]) == shapes("network", "kernel")


def test_declared_kernels_stay_as_declared():
    """Declared kernels alone are tried, on large images; square shapes stay square."""
    assert shapes("convolution", "kernel", KERNEL_SHAPES=[(2, 1)]) == {(2, 1)}
    assert max(max(shape) for shape in shapes("convolution", "image", KERNEL_SHAPES=[(2, 1)])) > 60
    square = shapes("convolution", "image", IMAGE_SHAPES="square", KERNEL_SHAPES="square")
    assert square
    assert all(rows == columns for rows, columns in square)


def test_declared_images_are_not_left():
    """Where images are declared there are no larger ones."""
    for layer in ("convolution", "network", "pooling"):
        with pytest.raises(NotApplicable):
            cases(layer, IMAGE_SHAPES=[(6, 6)])


def five_by_five(image, kernel):
    """A branch of its own for 5×5 kernels, which has it turned."""
    return reference.conv2d(image, kernel[::-1, ::-1] if kernel.shape == (5, 5) else kernel)


def many_entries(image, kernel, upstream):
    """From 64 entries up another way, which is off by a little."""
    return reference.conv2d_kernel_gradient(image, kernel, upstream) * (1 + 1e-9 * (kernel.size > 64))


def whole_tiles(size, axis):
    """Only whole tiles of the output, of so many rows or columns, beyond the first."""

    def conv2d(image, kernel):
        output = reference.conv2d(image, kernel)
        length = output.shape[axis]
        kept = length if length < size else length - length % size
        return np.where(np.indices(output.shape)[axis] < kept, output, 0.0)

    return conv2d


def winners(dtype):
    """Argmax scatter by positions in the input that are kept in few bits."""

    def max_pool_gradient(x, window, upstream):
        rows, columns = x.shape[0] // window[0], x.shape[1] // window[1]
        places = np.arange(x.size).reshape(rows, window[0], columns, window[1]).swapaxes(1, 2)
        chosen = x.ravel()[places].reshape(rows, columns, -1).argmax(axis=-1)[..., None]
        flat = np.take_along_axis(places.reshape(rows, columns, -1), chosen, -1).astype(dtype)
        gradient = np.zeros(x.size)
        gradient[flat.ravel().astype(np.int64) % x.size] = upstream.ravel()
        return gradient.reshape(x.shape)

    return max_pool_gradient


def window_in_a_byte(x, window, upstream):
    """Argmax scatter whose positions in the window are kept in a byte."""
    gradient = np.zeros(x.shape)
    for i, j in np.ndindex(upstream.shape):
        patch = x[i * window[0] :, j * window[1] :][: window[0], : window[1]]
        place = int(np.uint8(patch.argmax() % 256))
        gradient[i * window[0] + place // window[1], j * window[1] + place % window[1]] = upstream[i, j]
    return gradient


def large_ties_whole(x, window, upstream):
    """Right for windows up to 3×3, and mask repeat for larger ones."""
    answer = reference.mask_repeat if window[0] * window[1] > 9 else reference.max_pool_gradient
    return answer(x, window, upstream)


WRONG = {
    "5×5": ("conv2d", five_by_five),
    "more than 64 entries": ("conv2d_kernel_gradient", many_entries),
    **{f"tiles of {size} {'columns' if axis else 'rows'}": ("conv2d", whole_tiles(size, axis))
       for size in (4, 8, 16) for axis in (0, 1)},
    "positions in 8 bits": ("max_pool_gradient", winners(np.uint8)),
    "positions in 16 bits": ("max_pool_gradient", winners(np.uint16)),
    "window's positions in a byte": ("max_pool_gradient", window_in_a_byte),
    "ties of large windows": ("max_pool_gradient", large_ties_whole),
}  # fmt: skip


@pytest.mark.parametrize(("operation", "wrong"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("declared", [{}, {"WINDOW_SHAPES": "square"}], ids=["any shape", "declared"])
def test_what_depends_on_the_size_is_refuted(operation, wrong, declared):
    """A formula that is right at all sizes that are sampled is refuted at a larger one, also with other limits."""
    assert isinstance(failure_of(LARGER, operation, **{operation: wrong}, **declared), Refuted)


AXES = {"images": ("image", 0), "filters": ("kernel", 0), "channels": ("kernel", 1)}


@pytest.mark.parametrize("count", [4, 8])
@pytest.mark.parametrize("kind", AXES)
def test_what_goes_by_fours_or_eights_is_refuted(kind, count):
    """Images, filters or channels taken by so many at once, where the rest is lost, are refuted."""
    right = Layered()

    def conv2d(image, kernel):
        arrays = {"image": image.copy(), "kernel": kernel.copy()}
        name, axis = AXES[kind]
        length = arrays[name].shape[axis]
        if length > count and length % count:
            arrays[name].swapaxes(0, axis)[length - length % count :] = 0.0
        return right.conv2d(**arrays)

    with doubles.trials.trial_of({"LAYOUT": "NCHW", "conv2d": conv2d}) as trial:
        failure = doubles.trials.failure_of(LARGER, arguments_of(LARGER, trial.target, "conv2d"), trial)
    assert isinstance(failure, Refuted)


class Slow:
    """The right convolution, which notes its calls and takes its time from some size on."""

    def __init__(self, raised=None):
        self.sizes, self.raised = [], raised

    def __call__(self, image, kernel):
        self.sizes.append(image.size)
        if image.size > 500:
            if self.raised:
                raise self.raised
            time.sleep(1.1)
        return reference.conv2d(image, kernel)


def test_what_is_slow_is_not_asked_for_more():
    """After a call that takes longer than a second no larger one is made, and what was right holds."""
    slow = Slow()
    assert failure_of(LARGER, "conv2d", conv2d=slow) is None
    assert sum(size > 500 for size in slow.sizes) == 1
    assert len(slow.sizes) > 10


def test_what_memory_does_not_suffice_for_is_left_out():
    """A large case for which the memory does not suffice refutes nothing; another exception does."""
    assert failure_of(LARGER, "conv2d", conv2d=Slow(MemoryError())) is None
    assert isinstance(failure_of(LARGER, "conv2d", conv2d=Slow(IndexError())), Crashed)


def test_large_failures_are_cut_down_within_the_limits():
    """A failure on a large case is cut down as far as it goes on failing, and never out of what is declared."""
    failure = failure_of(LARGER, "conv2d", conv2d=five_by_five)
    assert failure.case.kernel.shape == failure.case.image.shape == (1, 1, 5, 5)
    failure = failure_of(LARGER, "conv2d", conv2d=whole_tiles(8, 0), KERNEL_SHAPES="square", IMAGE_SHAPES="square")
    assert failure.case.image.shape[2] == failure.case.image.shape[3]
    assert failure.case.image.shape[2] < 16
