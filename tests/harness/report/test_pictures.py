"""Pictures show the numbers and the marks that they are given, in a page's own colours."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from properties.harness.report.page import TEMPLATES
from properties.harness.report.panels import Marks
from properties.harness.report.pictures import ABOVE, BELOW, DARKEST, bars, heat_map

VALUES = np.array([[1.0, -0.5, 0.0], [2.0, np.inf, -0.0]])
ONE = np.array([[True, False, False], [False, False, False]])


def drawn(*arguments, **names):
    """A picture as an element."""
    return ElementTree.fromstring(str(heat_map(*arguments, **names)))  # noqa: S314  # made above


def texts(root):
    """Its words and numbers."""
    return [element.text.strip() for element in root.iter("text")]


def styles(root):
    """The styles of everything drawn."""
    return [element.get("style", "") for element in root.iter("path")]


def test_every_cell_has_its_number():
    """All entries stand there in order, without a negative zero."""
    assert texts(drawn(VALUES, "")) == ["1", "−0.5", "0", "2", "inf", "0"]


def test_shades_go_by_sign_and_size():
    """What is above 0 is orange, below it blue, the larger the darker; what is not finite has no shade."""
    cells = [style for style in styles(drawn(VALUES, "")) if "stroke-opacity: 0.35" in style]
    parted = [re.search(r"fill: (#\w+); fill-opacity: ([\d.]+)", style) for style in cells]
    shades = [(found[1], float(found[2])) if found else None for found in parted]
    assert shades[0] == (ABOVE, pytest.approx(DARKEST / 2))
    assert shades[1] == (BELOW, pytest.approx(DARKEST / 4))
    assert shades[3] == (ABOVE, pytest.approx(DARKEST))
    assert [shades[2], *shades[4:]] == [None] * 3


@pytest.mark.parametrize(
    ("marks", "pattern", "count"),
    [
        (Marks(wrong=ONE), "stroke: var\\(--wrong", 3),
        (Marks(winners=ONE), "stroke-width: 1.3", 1),
        (Marks(winners=ONE, tied=ONE), "stroke-dasharray", 1),
        (Marks(dead=ONE), "stroke-opacity: 0.45", 11),
        (Marks(window=(1, 3)), "stroke-width: 1.5", 5),
    ],
)
def test_marks_are_drawn_on_their_entries_alone(marks, pattern, count):
    """One marked entry has a frame and a cross, a ring, a dashed ring or hatching; windows have borders."""
    plain, marked = (
        sum(bool(re.search(pattern, style)) for style in styles(drawn(VALUES, "", one))) for one in (Marks(), marks)
    )
    assert (plain, marked) == (0, count)


def test_large_arrays_have_no_numbers():
    """More than sixteen rows or columns are shades alone."""
    assert texts(drawn(np.ones((17, 2)), "")) == []
    assert len(texts(drawn(np.ones((16, 2)), ""))) == 32


def test_rows_and_columns_have_names():
    """Names stand beside the rows and above the columns."""
    assert texts(drawn(np.array([[3, 0]]), "", names=(["row"], ["a", "b"]))) == ["3", "·", "row", "a", "b"]


def test_bars_have_names_and_numbers():
    """Each bar has its name and its count, and the longer bar the larger count."""
    root = ElementTree.fromstring(str(bars({"few": 3, "many": 12000})))  # noqa: S314  # made above
    assert texts(root) == ["few", "3", "many", "12,000"]


def test_pictures_are_read_out_and_need_nothing_of_their_own():
    """A picture has its words escaped, no id that another may have too, and no address."""
    picture = heat_map(VALUES, 'a "b" <c>')
    assert picture.startswith('<svg role="img" aria-label="a &#34;b&#34; &lt;c&gt;"')
    assert not re.search(r"\bid=|http|<script|<style|#00000[12]", picture)
    assert "currentColor" in picture


def test_same_picture_every_time():
    """The same array gives the same bytes."""
    assert heat_map(VALUES, "x") == heat_map(VALUES, "x")


def luminance(color):
    """Relative luminance of a colour in 0 to 255. Source: WCAG 2.2."""
    parts = [part / 255 for part in color]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def hexadecimal(text):
    """A colour's three numbers."""
    return [int(text[at : at + 2], 16) for at in (1, 3, 5)]


@pytest.mark.parametrize("shade", [ABOVE, BELOW])
@pytest.mark.parametrize("theme", [0, 1])
def test_numbers_can_be_read_on_every_shade(shade, theme):
    """Ink on the darkest shade has a contrast of 7 to 1 at least, in both themes: WCAG's enhanced level."""
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    ink, paper = (hexadecimal(re.findall(rf"--{name}: (#\w+)", style)[theme]) for name in ("ink", "paper"))
    mixed = [DARKEST * one + (1 - DARKEST) * other for one, other in zip(hexadecimal(shade), paper, strict=True)]
    low, high = sorted(map(luminance, (ink, mixed)))
    assert (high + 0.05) / (low + 0.05) >= 7
