"""The charts of a report show its own counts."""

import re
from xml.etree import ElementTree

import pytest

from properties.harness.report.data import Tried
from properties.harness.report.pictures import ABOVE, charts_of
from properties.harness.target.layout import Layout

TRIED = {
    "shapes": {"image": {"1×2": 3, "2×2": 40, "20×33": 5}, "x": {"4": 2, "1×1": 7}},
    "maxima": {"1": 900, "2": 30, "3": 4},
    "margins": {"2.22045e-16": 6, "0.5": 8},
    "patterns": {"0000": 1, "4123": 2},
    "errors": {"arctan": {"0": 90, "0.25": 8, "2": 1}, "relu": {"0": 5}},
}


def charts(layout="HW", **tried):
    """The charts by title, each with its words and the texts of its pictures by name."""
    counted = Tried(**{key: {} for key in TRIED} | tried)
    return {
        chart.title: (
            chart.words,
            {
                name: [text.text.strip() for text in ElementTree.fromstring(str(svg)).iter("text")]  # noqa: S314
                for name, svg in chart.drawn
            },
        )
        for chart in charts_of(counted, Layout(layout))
    }


def test_sizes_are_a_grid_of_rows_and_columns():
    """A shape's count stands in its row and column; what is larger, or has no two sides, is told in words."""
    words, pictures = charts(shapes=TRIED["shapes"])["Sizes"]
    assert pictures["image"] == ["·", "3", "·", "40", "1", "2", "1", "2"]
    assert pictures["x"] == ["7", "1", "1"]
    assert words.endswith("Besides: image 20×33 (5), x 4 (2).")


def test_many_larger_sizes_are_counted():
    """Of the larger shapes of a campaign thirty are named, and how many more there were."""
    words, _ = charts(shapes={"image": {f"1×{side}": 1 for side in range(10, 50)}})["Sizes"]
    assert words.endswith("image 1×39 (1) and 10 more shapes.")


@pytest.mark.parametrize(("layout", "image", "kernel"), [("NHWC", "2×1×3×2", "2×2×1×2"), ("CHW", "2×1×3", "1×2×1×2")])
def test_sizes_with_channels_are_those_of_rows_and_columns(layout, image, kernel):
    """Of images and kernels with channels, rows and columns count, wherever the layout has them."""
    _, pictures = charts(layout, shapes={"image": {image: 1}, "kernel": {kernel: 1}})["Sizes"]
    assert pictures["image"] == ["·", "·", "1", "1", "1", "2", "3"]
    assert pictures["kernel"] == ["·", "1", "1", "1", "2"]


def test_ties_are_bars_by_the_number_of_maxima():
    """Each number of maxima has its count, and the ties are summed in words."""
    words, pictures = charts(maxima=TRIED["maxima"])["Ties"]
    assert words.startswith("34 of 934 windows had a tied maximum.")
    assert pictures["windows by their maxima"] == ["one maximum", "900", "2 tied", "30", "3 tied", "4"]


def test_margins_are_powers_of_two():
    """Margins are bars from the narrowest on, which the words name."""
    words, pictures = charts(margins=TRIED["margins"])["Margins"]
    assert pictures["windows by their margin"] == ["below 2⁻⁵²", "6", "below 2⁻¹", "8"]
    assert "the narrowest by less than 2⁻⁵²" in words


def test_patterns_met_are_counted():
    """The words say how many of the 625 patterns were met, and the grid shades these."""
    words, _ = charts(patterns=TRIED["patterns"])["Activation patterns"]
    assert words.startswith("2 of the 625 patterns")
    tried = Tried(**{key: {} for key in TRIED} | {"patterns": TRIED["patterns"]})
    (_, picture), *_ = charts_of(tried, Layout()).pop().drawn
    assert len(re.findall(f"fill: {ABOVE}", picture)) == 2


def test_errors_are_a_grid_of_operations_and_sizes():
    """Each operation's entries stand by the power of two of units that they were off by, what is exact first."""
    _, pictures = charts(errors=TRIED["errors"])["Errors"]
    numbers = ["90", "8", "1", "5", "·", "·"]
    assert pictures["entries by operation and error"] == [*numbers, "arctan", "relu", "exact", "< 2⁻²", "< 2"]


def test_what_was_not_counted_has_no_chart():
    """A run without pooling or networks has no ties, margins or patterns to show."""
    assert charts(errors=TRIED["errors"]).keys() == {"Errors"}
