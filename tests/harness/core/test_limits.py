"""Shapes within a target's limits: all of them, and nothing beyond."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.trials import failures, reference_with, settle, trial_of
from properties.harness.checking.trial import DEFAULT_EXAMPLES
from properties.harness.core.limits import CEILING, FIRST, Largest, Limits
from properties.layers import OPERATIONS
from properties.mistakes.right import taking


def test_without_limits_every_kernel_fits_its_image():
    """Kernels up to 4×4 in images up to 8×8, 1×1 first."""
    pairs = Limits().convolutions()
    assert pairs[0] == ((1, 1), (1, 1))
    assert {kernel for kernel, _ in pairs} == {(h, w) for h in range(1, 5) for w in range(1, 5)}
    assert all(kernel[0] <= image[0] <= 8 and kernel[1] <= image[1] <= 8 for kernel, image in pairs)


def test_networks_have_even_outputs():
    """A network's convolution has even sides, or there is none."""
    assert Limits(kernels=((3, 3),), images=((6, 6), (5, 6))).networks() == (((3, 3), (6, 6)),)
    assert Limits(windows=((3, 3),)).networks() == ()
    assert Limits(windows="square", kernels="square").networks()


def test_poolings_divide():
    """Every window divides its input; ties need a window of two entries."""
    assert Limits(windows=((2, 3),), images=((4, 6), (4, 4))).poolings(tied=False) == (((2, 3), (4, 6)),)
    assert Limits(windows=((1, 1),)).poolings(tied=True) == ()


def test_windows_may_overlap_and_leave_a_rest():
    """Where windows need not divide its input, each that fits is supported, and declared windows are what counts."""
    limits = Limits(kernels=((4, 4),), windows=((2, 3), (5, 5)), images=((4, 4), (5, 7)))
    assert limits.windowed("a pooling") == (((2, 3), (4, 4)), ((2, 3), (5, 7)), ((5, 5), (5, 7)))
    assert limits.supports("a pooling", ((5, 5), (5, 7)))
    assert not limits.supports("a pooling", ((4, 4), (5, 7)))


def test_poolings_fall_back_to_the_convolutions_outputs():
    """Where no declared image divides, what the convolution makes of it may."""
    limits = Limits(kernels=((2, 2),), windows=((2, 2),), images=((5, 5),))
    assert limits.poolings(tied=False) == (((2, 2), (4, 4)),)


def test_growth_enlarges_every_side_up_to_a_ceiling():
    """At first the sides are the smallest; each step makes them larger by one, none beyond what is affordable."""
    sizes = [Limits(growth=growth).largest for growth in range(40)]
    assert sizes[0] == FIRST
    assert sizes[1] == Largest(*(side + 1 for side in FIRST))
    assert all(one <= other for pair in pairwise(sizes) for one, other in zip(*pair, strict=True))
    assert sizes[-1] == CEILING


def test_growth_is_no_limit_but_enlarges_what_is_declared():
    """A grown target still supports any shape; of square kernels larger ones come, of a list no others."""
    assert Limits(growth=3).any_shape
    assert not Limits(kernels="square", growth=3).any_shape
    assert {kernel for kernel, _ in Limits("square", growth=2).convolutions()} == {(side, side) for side in range(1, 7)}
    declared = Limits(((2, 2),), images=((3, 3),))
    assert replace(declared, growth=9).convolutions() == declared.convolutions()


RIGHT = reference_with({})


def strict(declared):
    """The reference's layers and network, which refuse a shape that is not declared."""

    def guarded(name):
        signature = OPERATIONS[name]

        def operation(*arguments):
            case = dict(zip(signature.parameters, arguments, strict=True))
            for kind, shape in (("KERNEL_SHAPES", np.shape(case.get("kernel"))), ("WINDOW_SHAPES", case.get("window"))):
                if shape and kind in declared and shape not in declared[kind]:
                    raise RuntimeError(f"{shape} is not declared in {kind}")
            if "image" in case and "IMAGE_SHAPES" in declared and case["image"].shape not in declared["IMAGE_SHAPES"]:
                raise RuntimeError(f"{case['image'].shape} is not declared in IMAGE_SHAPES")
            return RIGHT[name](*arguments)

        return taking(name, operation)

    return {name: guarded(name) for name in OPERATIONS} | declared


KERNEL, WINDOWS = {"KERNEL_SHAPES": [(2, 1)]}, {"WINDOW_SHAPES": [(2, 2), (3, 1)]}
KERNELS_AND_IMAGES = {"KERNEL_SHAPES": [(3, 2), (1, 3)], "IMAGE_SHAPES": [(6, 5), (4, 4)]}


@pytest.mark.parametrize(
    ("declared", "examples"),
    [
        pytest.param(KERNEL | WINDOWS, 20, id="kernel and windows"),
        pytest.param(KERNELS_AND_IMAGES, 20, id="kernels and images"),
        pytest.param(KERNEL, DEFAULT_EXAMPLES, id="one kernel, whole", marks=pytest.mark.slow),
        pytest.param(WINDOWS, DEFAULT_EXAMPLES, id="windows, whole", marks=pytest.mark.slow),
        pytest.param(KERNELS_AND_IMAGES, DEFAULT_EXAMPLES, id="kernels and images, whole", marks=pytest.mark.slow),
    ],
)
def test_statements_ask_for_declared_shapes_alone(declared, examples):
    """No statement steps outside of what is declared, be it to transpose, to enlarge or to try what else there is."""
    settle(examples=20)
    with trial_of(strict(declared), examples) as trial:
        found = {entry.id: failure for entry, failure in failures(trial, OPERATIONS) if failure}
    assert not found
