"""The page and the notebook's figure, which share no code, have the same colours for the same numbers."""

import pytest
from matplotlib.colors import to_rgb

from properties.harness.report.pictures import ABOVE, BELOW, DARKEST
from reference.notebook.figure import COLOURS


@pytest.mark.parametrize("shade", [-1.0, -0.5, 0.0, 0.5, 1.0])
def test_page_and_figure_have_the_same_shades(shade):
    """What is above 0 is of one colour in both, what is below 0 of the other, as dark as it is large."""
    alpha = DARKEST * abs(shade)
    on_white = [alpha * part + (1 - alpha) for part in to_rgb(ABOVE if shade > 0 else BELOW)]
    assert COLOURS((shade + 1) / 2)[:3] == pytest.approx(on_white, abs=2 / 255)
