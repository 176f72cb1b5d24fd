"""The figure draws every array and every mark, can be read, and is the same for the same call."""

from itertools import combinations

import matplotlib.patches
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh

from reference.notebook.figure import draw, write
from reference.notebook.history import LEARNED, TRIES, Found, find_start, recorded
from reference.notebook.panels import pictures
from tests.reference.notebook.cases import CASES, KERNEL, WEIGHTS, each_case, panels, windows

pytestmark = pytest.mark.slow


def meshes(figure):
    """The arrays that a figure draws, with the corners of their cells."""
    found = [artist for artist in figure.axes[0].collections if isinstance(artist, QuadMesh)]
    return [(np.asarray(mesh.get_array()), mesh.get_coordinates()) for mesh in found]


def marked(figure, corners, wanted):
    """Which cells of this mesh have such a patch at their centre, as a mask."""
    centres = (corners[:-1, :-1] + corners[1:, 1:]) / 2
    places = np.array([patch.get_center() for patch in figure.axes[0].patches if wanted(patch)])
    return np.array([[np.isclose(places, centre).all(axis=1).any() for centre in row] for row in centres])


def is_hatched(patch):
    return bool(patch.get_hatch())


def is_ring(patch):
    return isinstance(patch, matplotlib.patches.Ellipse)


@each_case
def test_every_array_is_drawn_with_its_digits(case, short):
    """The figure holds each panel's array, coloured about 0, and says its entries where they can be read."""
    figure = draw(*case, "a title", short, None)
    drawn = [values for values, _ in meshes(figure)][1:]  # the legend's comes first
    wanted = [panel for picture in pictures(*case) for row in picture.rows for c in row for panel in c.panels]
    assert len(drawn) == len(wanted) == 33
    for values, panel in zip(drawn, wanted, strict=True):
        np.testing.assert_array_equal(values, panel.values)
    for mesh in figure.axes[0].collections:
        if isinstance(mesh, QuadMesh):
            assert mesh.norm.vmin == -mesh.norm.vmax
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert f"{panels(case, 0)['dense s'].values.item():.4g}" in texts
    assert texts >= {panel.name for panel in wanted} | {panel.formula for panel in wanted}


def test_digits_are_the_entries():
    """Three digits of the largest: plain, or in a power of ten that the panel names."""
    figure = draw(*CASES["alive"], "a title", recorded(KERNEL, WEIGHTS, 0.1, 1), None)
    texts = [text.get_text() for text in figure.axes[0].texts]
    y, dy = panels(CASES["alive"], 0)["convolution y"].values, panels(CASES["alive"], 1)["∂C/∂y"].values
    assert {f"{value:.2f}" for value in y.flat} <= set(texts)
    assert np.abs(dy).max() == pytest.approx(9.4e-5, rel=0.01)
    assert {f"{value / 1e-5:.2f}" for value in dy.flat if value} <= set(texts)
    assert "4×4  ·10⁻⁵" in texts


@each_case
def test_winners_are_ringed_and_dead_relus_hatched(case, short):
    """In the ReLU's panel: rings on all entries that equal their window's maximum, hatches where y ≤ 0."""
    figure = draw(*case, "a title", short, None)
    shown = panels(case, 0)
    y, a = shown["convolution y"].values, shown["ReLU a"].values
    winners = np.zeros(a.shape, bool)
    for (i, j), window in windows(a):
        winners[i : i + 2, j : j + 2] = window == window.max()
    drawn, corners = meshes(figure)[4]  # after the legend, image, kernel and convolution
    np.testing.assert_array_equal(drawn, a)
    np.testing.assert_array_equal(marked(figure, corners, is_ring), winners)
    np.testing.assert_array_equal(marked(figure, corners, is_hatched), y <= 0)


@each_case
def test_no_texts_overlap(case, short):
    """Nothing that is written lies over other words or reaches out of the figure."""
    figure = draw(
        *case,
        "The notebook's network on image 2: seed 4294967295, kernel and weights",
        short,
        Found(12, 0.25, 24, short),
    )
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    written = [*figure.axes[0].texts, *figure.legends[0].get_texts()]
    written += [label for axes in figure.axes[1:] for label in (axes.title, axes.xaxis.label, axes.yaxis.label)]
    texts = [text for text in written if text.get_text().strip()]
    boxes = [text.get_window_extent(renderer) for text in texts]
    for box, text in zip(boxes, texts, strict=True):
        assert figure.bbox.x0 <= box.x0, text
        assert box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0, text
        assert box.y1 <= figure.bbox.y1, text
    for (first, one), (second, two) in combinations(zip(texts, boxes, strict=True), 2):
        assert not _overlap(one, two), (first, second)


def _overlap(one, two):
    return min(one.x1, two.x1) - max(one.x0, two.x0) > 0.5 and min(one.y1, two.y1) - max(one.y0, two.y0) > 0.5


def test_no_start_found_is_said(short):
    """Where no start learns the search gives up, and the figure says so instead of drawing one."""
    assert find_start((3, 3), 4, 0.1, 1) is None
    assert find_start((3, 3), 4, 1e200, 2) is None
    figure = draw(*CASES["alive"], "a title", short, None)
    assert f"No start that learns was found in {TRIES} tries" in [text.get_text() for text in figure.axes[0].texts]
    assert len(figure.axes) == 4


def test_both_trainings_are_drawn(trained, found):
    """Cost, ReLUs alive and slope of both, and why the one does not learn and the other does."""
    figure = draw(*CASES["alive"], "a title", trained, found)
    expected = [values for c in (trained, found.history) for values in (c.costs, c.alive, c.slopes)]
    assert len(figure.axes) == 7
    for axes, values in zip(figure.axes[1:], expected, strict=True):
        drawn = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == 1000]
        np.testing.assert_array_equal(np.transpose(drawn), values)
    assert [line.get_ydata()[0] for line in figure.axes[1].lines if len(line.get_ydata()) == 2] == LEARNED.tolist()
    said = "\n".join(text.get_text() for text in figure.axes[0].texts)
    for part in ("This start does not learn", f"Seed {found.seed} at the notebook's scale learns", "16 ReLUs dead"):
        assert part in said


@pytest.mark.parametrize(("ending", "magic"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("PDF", b"%PDF")])
def test_same_call_same_bytes(tmp_path, ending, magic, short):
    """The ending names the format, and drawing again gives the file again, whatever the user's own settings are."""
    first, second = tmp_path / f"first.{ending}", tmp_path / f"second.{ending}"
    write(draw(*CASES["tied"], "a title", short, None), first)
    with matplotlib.rc_context({"font.size": 30, "svg.hashsalt": None, "axes.facecolor": "red", "hatch.linewidth": 5}):
        write(draw(*CASES["tied"], "a title", short, None), second)
    assert first.read_bytes().startswith(magic)
    assert first.read_bytes() == second.read_bytes()
