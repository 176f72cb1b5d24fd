"""A target's own layers: nonsense is told in a line, right ones hold, and of wrong ones it is said what is wrong."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis.extra.numpy import arrays
from hypothesis.strategies import integers

import properties
from properties import CannotLoad, Layer, between, verify
from properties.harness.checking.fixed_cases import kinked, smooth
from properties.harness.core.setting import in_setting
from properties.harness.target.target import make_target
from tests.reports import entry_of


def affine(x, weights, bias):
    """`x W + b`."""
    return x @ weights + bias


def affine_gradients(x, weights, bias, upstream):
    """Those of `x W + b`."""
    return upstream @ weights.T, x.T @ upstream, upstream.sum(axis=0)


def highest(x):
    """The maximum of each row."""
    return x.max(axis=1)


def highest_gradient(x, upstream):
    """The first maximum of a row gets the upstream gradient."""
    gradient = np.zeros_like(x)
    gradient[np.arange(len(x)), x.argmax(axis=1)] = upstream
    return gradient


def gates(x, weights):
    """Two arrays: the product of two gates of four, and the sum of the others."""
    first, second, third, fourth = np.split(np.tanh(x @ weights), 4, axis=1)
    return first * second, third - fourth


def gates_gradients(x, weights, product, difference, order=(0, 1, 2, 3)):
    """Those of the gates; the blocks of that for the weights may be in another order."""
    active = np.tanh(x @ weights)
    first, second, _, _ = np.split(active, 4, axis=1)
    before = np.hstack([product * second, product * first, difference, -difference]) * (1 - active**2)
    blocks = np.split(x.T @ before, 4, axis=1)
    return before @ weights.T, np.hstack([blocks[one] for one in order])


SHAPES = {"x": ("N", 3), "weights": (3, "M"), "bias": ("M",)}
RIGHT = {
    "affine": Layer(affine, affine_gradients, **SHAPES).with_rows("N"),
    "highest": Layer(highest, highest_gradient, x=("N", "M")),
    "gates": Layer(gates, gates_gradients, x=("N", 2), weights=(2, "4H")).with_rows("N"),
    "logarithm": Layer(np.log, lambda x, upstream: upstream / x, x=between(("N", 2), 0.1, 3)),
    "picked": Layer(
        lambda x, labels: x[np.arange(len(x)), labels],
        lambda x, labels, upstream: np.eye(x.shape[1])[labels] * upstream[:, None],
        x=("N", "C"),
        labels=lambda N, C: arrays(int, N, elements=integers(0, C - 1)),  # noqa: N803  # letters of shapes
    ),
    "a power": Layer(lambda x, power: x**power, lambda x, power, u: power * x ** (power - 1) * u, x=(3,), power=[2, 3]),
}
WRONG = {
    "a mean for a sum": (
        Layer(affine, lambda x, w, b, u: (u @ w.T, x.T @ u, u.mean(axis=0)), **SHAPES),
        "the gradient for bias is divided by N: a mean in place of a sum",
    ),
    "a sign": (Layer(np.tanh, lambda x, u: (np.tanh(x) ** 2 - 1) * u, x=(2, 3)), "has its sign turned"),
    "the notebook's ties": (
        Layer(highest, lambda x, u: (x == x.max(axis=1, keepdims=True)) * u[:, None], x=("N", "M")),
        "as if each of 2 tied entries got it whole",
    ),
    "blocks in another order": (
        Layer(gates, lambda *all: gates_gradients(*all, order=(1, 2, 0, 3)), x=("N", 2), weights=(2, "4H")),
        "has the 4 blocks along axis 1 in the order 1, 2, 0, 3",
    ),
    "two that are swapped": (
        Layer(lambda a, b: a * b, lambda a, b, u: (u * a, u * b), a=("N", 2), b=("N", 2)),
        "the two are swapped",
    ),
    "a missing term": (
        Layer(lambda x: x - x.mean(axis=0), lambda x, u: u + 0, x=("N", 3)),
        "lacks a term that is the same all along axis 0",
    ),
    "an upstream that is clipped": (
        Layer(np.tanh, lambda x, u: (1 - np.tanh(x) ** 2) * np.clip(u, -1000, 1000), x=(2, 3)),
        "",
    ),
    "a weight decay": (Layer(np.sin, lambda x, u: np.cos(x) * u + 1e-3 * x, x=(2, 3)), "0.001 times x"),
    "one part in a billion": (Layer(np.sin, lambda x, u: np.cos(x) * u * (1 + 1e-9), x=(2, 3)), ""),
}
NONSENSE = {
    "no dictionary": ([], "LAYERS must be a dictionary"),
    "no layer": ({"mine": affine}, "must be a Layer(forward, backward"),
    "no name": ({"my layer": RIGHT["affine"]}, "letters, digits and underscores"),
    "no array": ({"mine": Layer(affine, affine_gradients, eps=[1.0])}, "no array that it could have a gradient for"),
    "no shape": ({"mine": Layer(affine, affine_gradients, x=3)}, "must be a shape"),
    "no side": ({"mine": Layer(affine, affine_gradients, x=(0, 3))}, "a side is a number from 1 up"),
    "a letter that nobody has": ({"mine": Layer(affine, affine_gradients, x=(3,), labels=lambda N: [N])}, "'N'"),  # noqa: N803
    "the upstream's name": ({"mine": Layer(affine, affine_gradients, upstream=(2,))}, "give it another name"),
    "rows that nobody has": ({"mine": RIGHT["affine"].with_rows("K")}, "no array has rows 'K'"),
}


@pytest.mark.parametrize(("declared", "words"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_told_in_a_line(declared, words):
    """What is wrong with a declaration is one line."""
    with pytest.raises(CannotLoad) as caught:
        make_target(SimpleNamespace(LAYERS=declared), "mine")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("name", RIGHT)
def test_right_layer_holds(name):
    """A right layer holds, at ties and with fixed arguments too, and the precision of its differences is told."""
    report = verify(RIGHT[name], examples=50, name=name)
    assert report.holds
    (told,) = [one for one in report.data["certificate"]["operations"] if one["operation"].endswith(".backward")]
    assert told["precision"]["median"] < 1e-9


def test_array_may_be_called_like_an_upstream():
    """Only `upstream`, and it with a number, are what upstream gradients are called."""
    layer = Layer(
        lambda x, upstream_scale: x * upstream_scale, lambda x, s, u: (u * s, u * x), x=(3,), upstream_scale=(3,)
    )
    assert verify(layer, examples=10, keyword="differences").holds


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_wrong_layer_is_refuted_and_named(name):
    """A wrong layer is refuted, and what its numbers say of the mistake stands first."""
    layer, words = WRONG[name]
    report = verify(layer, examples=50, name=name)
    assert report.verdict == "refuted"
    assert any(words in failure.diagnosis[0] for failure in report.failures if failure.diagnosis) or not words
    assert {failure.operation.rpartition(".")[2] for failure in report.failures} == {"backward"}


def test_rows_that_influence_each_other_are_refuted():
    """Rows that are declared to be independent are held to it."""
    layer = Layer(lambda x: x - x.mean(axis=0), lambda x, u: u - u.mean(axis=0), x=("N", 3)).with_rows("N")
    report = verify(layer, keyword="rows_do_not", examples=20)
    assert {failure.operation for failure in report.failures} == {"layer.forward", "layer.backward"}


def test_check_is_verify_of_one_layer():
    """`check` names the layer by its forward pass, and gives `verify`'s report."""
    report = properties.check(affine, affine_gradients, **SHAPES)
    assert report.holds
    found = entry_of(report.data, "own_layers.gradients_match_differences[affine.backward]")
    assert (found["outcome"], found["operation"]) == ("held", "affine.backward")


def test_suite_has_tests_of_the_layer():
    """A line in one's own test suite is enough."""
    tests = properties.suite(RIGHT["affine"])
    tests().test_own_layers_gradients_match_differences_affine_backward()


def test_layer_of_a_class():
    """A class with `forward`, `backward` and attributes for gradients is a layer too."""

    class Scale:
        def __init__(self, factor):
            self.factor = factor

        def forward(self, x):
            self.x = x
            return x * self.factor

        def backward(self, upstream):
            self.gradient = (upstream * self.x).sum(axis=0)
            return upstream * self.factor

    assert verify(Layer.of(Scale, "gradient", x=("N", 3), factor=(3,)), examples=20).holds


def test_what_is_left_out_is_counted():
    """A shape that a layer does not take, it says so by `NotImplementedError`."""

    def halved(x):
        if len(x) % 2:
            raise NotImplementedError
        return x[::2] + x[1::2]

    layer = Layer(halved, lambda x, upstream: np.repeat(upstream, 2, axis=0), x=("N", 2))
    report = verify(layer, examples=40, name="halved")
    assert report.holds
    assert entry_of(report.data, "own_layers.gradients_match_differences[halved.backward]")["left_out"] > 10


def test_crash_is_the_forward_passs():
    """A forward pass that raises is what is told, with the arrays that it was given."""
    report = verify(Layer(lambda x: x @ x, lambda x, u: u, x=("N", 3)), examples=10, keyword="contract")
    assert {failure.outcome for failure in report.failures} == {"crashed"}
    assert all("forward raised ValueError" in failure.message for failure in report.failures)


def test_cases_reach_ties_and_points_off_them():
    """Of the cases at kinks most have two equal entries or a 0, of the generic ones none."""
    target = make_target(SimpleNamespace(LAYERS={"highest": RIGHT["highest"]}), "mine")
    with in_setting(target.setting()):
        reader = target.own_layers["own.highest"].reader
        signature = target.operations["highest.backward"].signature
        assert reader.letters == ["M", "N"]
        several = [case.x for case in kinked(signature, 60) if case.x.size > 3]
        assert sum(len(np.unique(x)) < x.size or not x.all() for x in several) > len(several) / 2
        assert all(len(np.unique(case.x)) == case.x.size for case in smooth(signature, 60))
