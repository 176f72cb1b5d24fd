"""The reference's own code, run on symbols: SymPy proves its gradients for all inputs of fixed shapes.

Library functions that take no symbols give way to stand-ins written from their documentation, tested here against
the library on numbers; all else that runs is the reference's.
"""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from sympy.core.relational import Relational

import reference
from reference import activations, arrays, convolution, network, pooling

SHAPES = [((3, 3), (2, 2)), ((3, 5), (2, 3)), ((4, 3), (2, 1)), ((1, 4), (1, 2)), ((2, 3), (2, 3)), ((2, 3), (1, 1))]
# Kernel shape, the convolution's entries at one point, which windows are dead there. The entries are distinct and
# not 0, so all inputs nearby have the same activation pattern.
PATTERNS = [
    ((2, 2), [[4, 1, -1, -2, 2, -7], [3, -5, -3, -4, 5, 6]], [False, True, False]),
    ((2, 3), [[-1, 9, 2, 1], [3, 4, 8, -9], [-2, -3, 5, 6], [-4, -5, -8, 7]], [False, False, True, False]),
    ((1, 2), [[-1, -2], [-4, -3], [2, 5], [3, 7]], [True, False]),
]


arctan = np.frompyfunc(sympy.atan, 1, 1)
hypot = np.frompyfunc(lambda a, b: sympy.sqrt(a**2 + b**2), 2, 1)
exp = np.frompyfunc(sympy.exp, 1, 1)
zeros = partial(np.zeros, dtype=object)


@pytest.fixture(autouse=True)
def _on_symbols(monkeypatch):
    """Symbols pass the argument check, and nothing after it refuses them or turns them into floats."""
    for module in (arrays, activations):
        monkeypatch.setattr(module, "real", lambda value, name: np.asarray(value))
    for module in (arrays, network):
        monkeypatch.setattr(module, "float", lambda value: value, raising=False)
    stand_ins = {"arctan": arctan, "hypot": hypot, "exp": exp}
    monkeypatch.setattr(activations, "np", SimpleNamespace(**{**vars(np), **stand_ins}))
    for module in (convolution, pooling):
        monkeypatch.setattr(module, "np", SimpleNamespace(**{**vars(np), "zeros": zeros}))


def symbols(name, shape, **assumed):
    """A matrix of symbols, real or as they are assumed to be."""
    named = sympy.symbols(f"{name}:{shape[0]}:{shape[1]}", **(assumed or {"real": True}))
    return np.array(named, dtype=object).reshape(shape)


def assert_is_gradient(gradient, value, variables, simplest=sympy.expand):
    """Each entry of `gradient` is, identically, the derivative of `value` by the variable in its place."""
    exactly = partial(sympy.nsimplify, rational=True, rational_conversion="exact")  # the code's own 0.5 and 1.0
    assert gradient.shape == variables.shape
    for entry, variable in zip(gradient.flat, variables.flat, strict=True):
        assert simplest(exactly(entry) - sympy.diff(exactly(value), variable)) == 0, f"by {variable}: {entry}"


def test_activation_stand_ins_are_the_libraries():
    """On floats the stand-ins equal `np.arctan`, `np.hypot` and `np.exp` to rounding."""
    x = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(arctan(x).astype(float), np.arctan(x), rtol=1e-14)
    np.testing.assert_allclose(hypot(1.0, x).astype(float), np.hypot(1.0, x), rtol=1e-14)
    np.testing.assert_allclose(exp(x).astype(float), np.exp(x), rtol=1e-14)


@pytest.mark.parametrize("shapes", SHAPES)
def test_convolution_is_its_defining_sum(shapes):
    """Each entry of the output is `Σ x[i+h-1-a, j+w-1-b] k[a,b]`, identically."""
    image, kernel = symbols("x", shapes[0]), symbols("k", shapes[1])
    (rows, columns), (height, width) = shapes
    convolved = reference.conv2d(image, kernel)
    assert convolved.shape == (rows - height + 1, columns - width + 1)
    for (i, j), entry in np.ndenumerate(convolved):
        terms = (image[i + height - 1 - a, j + width - 1 - b] * kernel[a, b] for a, b in np.ndindex(kernel.shape))
        assert sympy.expand(entry - sum(terms)) == 0


@pytest.mark.parametrize("shapes", SHAPES)
def test_convolution_gradients_are_derivatives(shapes):
    """Both gradients are, identically, the derivatives of `⟨upstream, conv2d(image, kernel)⟩`."""
    image, kernel = symbols("x", shapes[0]), symbols("k", shapes[1])
    convolved = reference.conv2d(image, kernel)
    upstream = symbols("u", convolved.shape)
    value = (upstream * convolved).sum()
    assert_is_gradient(reference.conv2d_kernel_gradient(image, kernel, upstream), value, kernel)
    assert_is_gradient(reference.conv2d_image_gradient(image, kernel, upstream), value, image)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_dense_gradients_are_derivatives(size):
    """Both gradients are the derivatives of `upstream · dense(features, weights)`, identically."""
    features, weights, upstream = symbols("f", (1, size)), symbols("w", (size, 1)), symbols("u", (1, 1))
    value = (upstream * reference.dense(features, weights)).sum()
    features_gradient, weights_gradient = reference.dense_gradients(features, weights, upstream)
    assert_is_gradient(features_gradient, value, features)
    assert_is_gradient(weights_gradient, value, weights)


@pytest.mark.parametrize(("name", "assumed"), [("arctan", "real"), ("logistic", "positive"), ("logistic", "negative")])
def test_activations_derivative_is_its_derivative(name, assumed):
    """The derivative written by hand is SymPy's of the activation itself, identically, on both branches of either."""
    x = symbols("x", (1, 1), **{assumed: True})
    by_hand, value = getattr(reference, f"{name}_derivative")(x), getattr(reference, name)(x).item()
    assert_is_gradient(by_hand, value, x, simplest=sympy.simplify)


@pytest.mark.parametrize(("kernel_shape", "pattern", "dead"), PATTERNS)
def test_networks_gradients_are_derivatives_on_a_pattern(kernel_shape, pattern, dead, monkeypatch):
    """Where windows are won as in `pattern`, both gradients are the derivatives of the cost, identically."""
    at_image = np.pad(pattern, [(0, side - 1) for side in kernel_shape])
    at_kernel = np.pad([[1]], [(side - 1, 0) for side in kernel_shape])  # leaves the image's upper left part as it is
    image, kernel, weights = symbols("x", at_image.shape), symbols("k", kernel_shape), symbols("w", (len(dead), 1))
    point = dict(zip([*image.flat, *kernel.flat], [*at_image.flat, *at_kernel.flat], strict=True))
    target = sympy.Symbol("t", real=True)
    with monkeypatch.context() as only_here:
        # Whether one expression exceeds another is decided at the point; all else stays symbolic.
        only_here.setattr(Relational, "__bool__", lambda relation: bool(relation.subs(point)))
        value = reference.cost(image, target, kernel, weights)
        kernel_gradient, weights_gradient = reference.gradients(image, target, kernel, weights)
    assert [entry == 0 for entry in weights_gradient.flat] == dead
    assert_is_gradient(kernel_gradient, value, kernel)
    assert_is_gradient(weights_gradient, value, weights)
