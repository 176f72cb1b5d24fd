"""The notebook's pictures show the arrays that are really there."""

import numpy as np
import pytest

import reference
from reference import notebook
from reference.notebook.panels import pictures
from tests.reference.notebook.cases import CASES, IMAGE, KERNEL, TARGET, WEIGHTS, each_case, panels, windows


def differences(function, at):
    """Central differences of a function of an array."""
    result = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[place] = 1e-6
        result[place] = (function(at + step) - function(at - step)) / 2e-6
    return result


@each_case
def test_forward_stages_follow_from_one_another(case):
    """Convolution, ReLU, pooling, flattening, dense sum and arctan, each computed here entry by entry."""
    image, _, kernel, weights = case
    shown = {name: panel.values for name, panel in panels(case, 0).items()}
    height, width = kernel.shape
    turned = kernel[::-1, ::-1]
    convolved = shown["convolution y"]
    for i, j in np.ndindex(convolved.shape):
        assert convolved[i, j] == pytest.approx((image[i : i + height, j : j + width] * turned).sum(), abs=1e-12)
    np.testing.assert_array_equal(shown["ReLU a"], convolved.clip(0))
    maxima = [window.max() for _, window in windows(shown["ReLU a"])]
    assert shown["features f"].tolist() == [maxima]
    assert shown["pooling m"].ravel().tolist() == maxima
    s = sum(feature * weight for feature, weight in zip(maxima, weights.ravel(), strict=True))
    assert shown["dense s"].item() == pytest.approx(s, rel=1e-12)
    assert shown["arctan p"].item() == pytest.approx(np.arctan(s), rel=1e-12)


def test_gradients_of_the_stages_are_those_of_differences():
    """At each stage the gradient is how fast the cost changes with that stage's array."""
    weights = WEIGHTS / 100  # an arctan that is not saturated, for differences to see something
    shown = {name: panel.values for name, panel in panels((IMAGE, TARGET, KERNEL, weights), 1).items()}
    stages = reference.network.forward(IMAGE, KERNEL, weights)

    def of_sum(s):
        return (np.arctan(s).item() - TARGET) ** 2 / 2

    def of_relu(a):
        return of_sum(reference.max_pool(a, (2, 2)).reshape(1, -1) @ weights)

    expected = {
        "∂C/∂p": differences(lambda p: (p.item() - TARGET) ** 2 / 2, np.array([[stages.prediction]])),
        "∂C/∂s = δ": differences(of_sum, stages.weighted),
        "∂C/∂f": differences(lambda f: of_sum(f @ weights), stages.features),
        "∂C/∂m": differences(lambda m: of_sum(m.reshape(1, -1) @ weights), stages.features.reshape(2, 2)),
        "∂C/∂w": differences(lambda w: of_sum(stages.features @ w), weights),
        "∂C/∂a": differences(of_relu, stages.activated),
        "∂C/∂y": differences(lambda y: of_relu(y.clip(0)), stages.convolved),
        "∂C/∂k": differences(lambda k: reference.cost(IMAGE, TARGET, k, weights), KERNEL),
    }
    assert set(shown) == {"image x", *expected}
    for name, values in expected.items():
        np.testing.assert_allclose(shown[name], values, rtol=1e-5, atol=1e-8, err_msg=name)


@each_case
def test_last_gradients_are_the_notebooks(case):
    """The kernel's and the weights' are `notebook.gradients` to rounding, at ties and off them, in both pictures."""
    for picture in (1, 2):
        shown = panels(case, picture)
        for name, expected in zip(("∂C/∂k", "∂C/∂w"), notebook.gradients(*case), strict=True):
            np.testing.assert_allclose(shown[name].values, expected, rtol=1e-12)


def test_last_gradients_are_the_references_off_ties():
    """Where no window ties above 0 they are the reference's too; where one does, the kernel's is not."""
    for name in ("alive", "dead", "large"):
        kernel_gradient, weights_gradient = reference.gradients(*CASES[name])
        shown = panels(CASES[name], 1)
        np.testing.assert_allclose(shown["∂C/∂k"].values, kernel_gradient, rtol=1e-12)
        np.testing.assert_allclose(shown["∂C/∂w"].values, weights_gradient, rtol=1e-12)
    assert not np.allclose(panels(CASES["tied"], 1)["∂C/∂k"].values, reference.gradients(*CASES["tied"])[0])


@each_case
def test_weights_are_grown_over_the_windows(case):
    """Each weight fills its 2×2 window, 4×1 to 4×4 for the notebook, and Σ a ⊙ mask ⊙ W is the sum shown."""
    shown = panels(case, 2)
    grown = shown["grown weights W"].values
    assert grown.shape == shown["convolution y"].values.shape
    assert [set(window.ravel().tolist()) for _, window in windows(grown)] == [{weight} for weight in case[3].ravel()]
    product = shown["ReLU a"].values * shown["mask"].values * grown
    assert shown["sum"].values.item() == pytest.approx(product.sum(), rel=1e-12)
    np.testing.assert_allclose(
        shown["∂C/∂W"].values, shown["∂C/∂s = δ"].values * shown["ReLU a"].values * shown["mask"].values
    )


def test_ties_above_0_are_told():
    """The third picture says how many windows tie above 0, and off them that the sum is the dense layer's."""
    notes = {}
    for name, case in CASES.items():
        (notes[name],) = [column.note for row in pictures(*case)[2].rows for column in row if column.note]
    assert "sum\nis f · w" in notes["alive"]
    assert "sum\nis f · w" in notes["dead"]
    activated = panels(CASES["tied"], 0)["ReLU a"].values
    tied = sum((window == window.max()).sum() > 1 and window.max() > 0 for _, window in windows(activated))
    assert tied
    assert f"above 0: {tied} of 4" in notes["tied"]
    assert panels(CASES["alive"], 2)["sum"].formula.endswith("= s")
    assert panels(CASES["tied"], 2)["sum"].formula.endswith("≠ s")


def test_cases_reach_what_they_are_for():
    """Ties above 0, windows without any ReLU alive, and both dead and alive ones are among the cases."""
    tied = panels(CASES["tied"], 0)["ReLU a"]
    assert any((window == window.max()).sum() > 1 and window.max() > 0 for _, window in windows(tied.values))
    assert panels(CASES["dead"], 0)["ReLU a"].dead.all()
    assert 0 < panels(CASES["alive"], 0)["ReLU a"].dead.sum() < 16
