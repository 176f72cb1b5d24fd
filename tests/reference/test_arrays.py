"""What the reference says to arguments that it cannot take."""

import numpy as np
import pytest

import reference

IMAGE, KERNEL, UPSTREAM = np.ones((3, 3)), np.ones((2, 2)), np.ones((2, 2))
WEIGHTS, POINT = np.ones((1, 1)), np.ones((2, 2))

REFUSED = {
    "kernel larger than the image": (
        lambda: reference.conv2d(KERNEL, IMAGE),
        r"kernel must fit in the image, but is \(3, 3\) for an image of \(2, 2\)",
    ),
    "kernel wider than the image": (
        lambda: reference.conv2d(np.ones((3, 1)), np.ones((1, 2))),
        r"kernel must fit in the image, but is \(1, 2\) for an image of \(3, 1\)",
    ),
    "wrong upstream of the kernel's gradient": (
        lambda: reference.conv2d_kernel_gradient(IMAGE, KERNEL, IMAGE),
        r"upstream must have shape \(2, 2\), but has \(3, 3\)",
    ),
    "wrong upstream of the image's gradient": (
        lambda: reference.conv2d_image_gradient(IMAGE, KERNEL, np.ones((2, 1))),
        r"upstream must have shape \(2, 2\), but has \(2, 1\)",
    ),
    "window that does not divide": (
        lambda: reference.max_pool(IMAGE, (2, 2)),
        r"window must divide the input, but is \(2, 2\) for an input of \(3, 3\)",
    ),
    "window of no size": (
        lambda: reference.max_pool(IMAGE, (0, 1)),
        r"window must be two whole numbers from 1 up, not \(0, 1\)",
    ),
    "window of one number": (
        lambda: reference.max_pool(IMAGE, 3),
        "window must be two whole numbers from 1 up, not 3",
    ),
    "wrong upstream of pooling": (
        lambda: reference.max_pool_gradient(np.ones((4, 4)), (2, 2), np.ones((4, 4))),
        r"upstream must have shape \(2, 2\), but has \(4, 4\)",
    ),
    "wrong upstream of mask repeat": (
        lambda: reference.mask_repeat(np.ones((4, 4)), (2, 2), np.ones((1, 2))),
        r"upstream must have shape \(2, 2\), but has \(1, 2\)",
    ),
    "features in a column": (
        lambda: reference.dense(np.ones((2, 1)), np.ones((2, 1))),
        r"features must be one row, but its shape is \(2, 1\)",
    ),
    "weights of another length": (
        lambda: reference.dense(np.ones((1, 2)), np.ones((3, 1))),
        r"weights must have shape \(2, 1\), but has \(3, 1\)",
    ),
    "upstream of dense": (
        lambda: reference.dense_gradients(np.ones((1, 2)), np.ones((2, 1)), np.ones((1, 2))),
        r"upstream must have shape \(1, 1\), but has \(1, 2\)",
    ),
    "weights of the network": (
        lambda: reference.predict(IMAGE, KERNEL, np.ones((4, 1))),
        r"weights must have shape \(1, 1\), but has \(4, 1\)",
    ),
    "odd output of the convolution": (
        lambda: reference.predict(IMAGE, np.ones((1, 1)), WEIGHTS),
        r"window must divide the input, but is \(2, 2\) for an input of \(3, 3\)",
    ),
    "two targets": (
        lambda: reference.cost(POINT, [1.0, 2.0], np.ones((1, 1)), WEIGHTS),
        r"target must be one number, but its shape is \(2,\)",
    ),
    "complex": (lambda: reference.relu(np.array([1j])), "x must hold real numbers, not complex128"),
    "text": (lambda: reference.arctan(["a"]), "x must hold real numbers, not <U1"),
    "None": (lambda: reference.conv2d(None, KERNEL), "image must hold real numbers, not object"),
    "NaN": (lambda: reference.logistic([np.nan, 1.0]), "x must hold numbers, but 1 of 2 are NaN"),
    "empty": (lambda: reference.relu([]), r"x must not be empty, but its shape is \(0,\)"),
    "ragged": (lambda: reference.relu([[1.0], [1.0, 2.0]]), "x must be an array of real numbers, not ragged lists"),
    "a vector for an image": (
        lambda: reference.conv2d(np.ones(3), KERNEL),
        r"image must be a matrix, but its shape is \(3,\)",
    ),
    "no images": (lambda: reference.train([], [], KERNEL, WEIGHTS, 0.1, 1), "as many targets as images"),
    "negative epochs": (lambda: reference.train([IMAGE], [0.0], KERNEL, WEIGHTS, 0.1, -1), "must not be negative"),
    "wrong weights to grow": (
        lambda: reference.grown_dense(np.ones((4, 4)), np.ones((2, 1))),
        r"weights must have shape \(4, 1\), but has \(2, 1\)",
    ),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_wrong_argument_is_named(call, message):
    """A wrong argument is a ValueError that says what was given and what is wanted."""
    with pytest.raises(ValueError, match=message):
        call()


def test_lists_and_integers_are_numbers():
    """Whatever NumPy reads as real numbers is taken, and comes back as float64."""
    assert reference.relu([[1, -2]]).dtype == np.float64
