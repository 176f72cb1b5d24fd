"""What cases were is counted as it is: shapes, ties, margins, patterns."""

from collections import Counter, defaultdict

import numpy as np

from properties.harness.checking.coverage import as_plain, note, sides, summed
from properties.harness.core.tape import Case
from properties.harness.target.layout import HW
from properties.layers import LAYERS


def counted(layer, **case):
    """What is noted of one case; images and kernels are (H, W)."""
    tried = defaultdict(Counter)
    arrays = {name: value[None, None] for name, value in case.items() if np.ndim(value) == 2 and name != "weights"}
    note(tried, LAYERS[layer], HW, Case(case | arrays))
    return as_plain(tried)


def test_shapes_are_counted_by_name():
    """An array counts by its shape, a window by its sides, and what no verdict is told by does not."""
    tried = counted("pooling", x=np.ones((2, 4)), window=(2, 2), upstream=np.ones((1, 2)))
    assert tried["x"] == {"2×4": 1}
    assert tried["window"] == {"2×2": 1}
    assert "upstream" not in tried


def test_windows_are_counted_by_their_maxima_and_margins():
    """Of three windows one ties twice, one four times, and one has a maximum an eighth of its size above the next."""
    x = np.array([[1.0, 1.0, 0.0, 0.0, -8.0, -7.0], [0.0, 0.5, 0.0, 0.0, -8.0, -6.0]])
    tried = counted("pooling", x=x, window=(2, 2), upstream=np.ones((1, 3)))
    assert tried["maxima"] == {"1": 1, "2": 1, "4": 1}
    assert tried["margins"] == {"0.25": 1}


def test_margin_is_a_power_of_two_that_it_is_below():
    """A gap of one unit of rounding is below two of them; one of the whole size below 2."""
    near = counted("pooling", x=np.array([[1.0, 1.0 + 2.0**-52]]), window=(1, 2), upstream=np.ones((1, 1)))
    assert [float(name) for name in near["margins"]] == [float(f"{2.0**-51:g}")]
    assert counted("pooling", x=np.array([[0.0, 3.0]]), window=(1, 2), upstream=np.ones((1, 1)))["margins"] == {"2": 1}


def test_networks_are_counted_by_their_pattern():
    """Of a network with four windows the pattern is noted: which entry wins in each, 4 where all are dead."""
    image = -np.ones((4, 4))
    image[0, 1], image[3, 0] = 2.0, 1.0
    tried = counted("network", image=image, kernel=np.ones((1, 1)), weights=np.ones((4, 1)), target=0.0)
    assert tried["patterns"] == {"1424": 1}
    assert tried["maxima"] == {"1": 2, "4": 2}
    assert "patterns" not in counted(
        "network", image=image[:2], kernel=np.ones((1, 1)), weights=np.ones((2, 1)), target=0.0
    )


def test_sums_add_up_in_order_of_size():
    """Counts of several properties are added, and ordered by the size of what they count."""
    assert summed([{"3×3": 1, "2×2": 4}, {"10": 2, "2×2": 1}]) == {"2×2": 5, "3×3": 1, "10": 2}
    assert list(summed([{"16": 1, "0": 3}, {"0.5": 2}])) == ["0", "0.5", "16"]
    assert sides("3×12") == [3, 12]
