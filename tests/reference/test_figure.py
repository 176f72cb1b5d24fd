"""The notebook's pictures show the arrays that are really there, and the command that draws them says what is wrong."""

import os
from itertools import combinations
from pathlib import Path

import matplotlib.patches
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh

import reference
from reference import command, notebook
from reference.course import LEARNED, TRIES, Found, find_start, follow, verdicts
from reference.figure import draw, write
from reference.pictures import pictures
from tests.test_readme import python

KERNEL, WEIGHTS = notebook.start()
IMAGE, TARGET = notebook.IMAGES[1], notebook.TARGETS[1]
TIED_KERNEL = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
SMALL = np.array([[0.1], [-0.2], [0.1], [0.3]])
GENERATOR = np.random.default_rng(3)
CASES = {
    "alive": (IMAGE, TARGET, KERNEL, WEIGHTS),
    "dead": (notebook.IMAGES[0], notebook.TARGETS[0], KERNEL, WEIGHTS),
    "tied": (notebook.IMAGES[0], notebook.TARGETS[0], TIED_KERNEL, SMALL),
    "one entry": (IMAGE, TARGET, np.array([[-1e-7]]), GENERATOR.normal(size=(9, 1))),
    "one window": (IMAGE, TARGET, GENERATOR.normal(size=(5, 5)), np.array([[-3e5]])),
    "not square": (GENERATOR.normal(size=(5, 9)), 0.3, GENERATOR.normal(size=(2, 4)), GENERATOR.normal(size=(6, 1))),
    "large": (GENERATOR.normal(size=(16, 16)), 0.3, GENERATOR.normal(size=(3, 3)), GENERATOR.normal(size=(49, 1))),
}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.fixture(scope="module")
def course():
    """The notebook's own training."""
    return follow(KERNEL, WEIGHTS, notebook.LEARNING_RATE, notebook.EPOCHS)


@pytest.fixture(scope="module")
def found():
    """The start that the program finds in the notebook's epochs at the notebook's rate."""
    return find_start((3, 3), 4, notebook.LEARNING_RATE, notebook.EPOCHS)


@pytest.fixture(scope="module")
def short():
    """A training of two epochs."""
    return follow(KERNEL, WEIGHTS, 0.1, 2)


def panels(case, picture):
    """The arrays of a picture by their names; a name that comes again holds the same array."""
    return {panel.name: panel for row in pictures(*case)[picture].rows for column in row for panel in column.panels}


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


def windows(array):
    """Each 2×2 window's corner and entries."""
    rows, columns = array.shape
    return [((i, j), array[i : i + 2, j : j + 2]) for i in range(0, rows, 2) for j in range(0, columns, 2)]


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
    """The kernel's and the weights' are `notebook.gradients` to the bit, at ties and off them, in both pictures."""
    for picture in (1, 2):
        shown = panels(case, picture)
        for name, expected in zip(("∂C/∂k", "∂C/∂w"), notebook.gradients(*case), strict=True):
            np.testing.assert_array_equal(shown[name].values, expected)


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
    figure = draw(*CASES["alive"], "a title", follow(KERNEL, WEIGHTS, 0.1, 1), None)
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


def test_cases_reach_what_they_are_for():
    """Ties above 0, windows without any ReLU alive, and both dead and alive ones are among the cases."""
    tied = panels(CASES["tied"], 0)["ReLU a"]
    assert any((window == window.max()).sum() > 1 and window.max() > 0 for _, window in windows(tied.values))
    assert panels(CASES["dead"], 0)["ReLU a"].dead.all()
    assert 0 < panels(CASES["alive"], 0)["ReLU a"].dead.sum() < 16


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


def test_course_is_the_notebooks(course):
    """The costs and the last parameters are those of the notebook's training, what is recorded that of its passes."""
    kernel, weights, costs = reference.train(
        list(notebook.IMAGES), list(notebook.TARGETS), KERNEL, WEIGHTS, 0.1, 1000, step=notebook.train_step
    )
    np.testing.assert_array_equal(course.kernel, kernel)
    np.testing.assert_array_equal(course.weights, weights)
    np.testing.assert_allclose(course.costs, costs, rtol=1e-12)
    for index, image in enumerate(notebook.IMAGES):
        stages = reference.network.forward(image, KERNEL, WEIGHTS)
        if index == 0:  # the second image comes after an update, but the first has no gradient
            assert course.slopes[0, 0] == 1 / (1 + stages.weighted.item() ** 2)
        assert course.alive[0, index] == (stages.convolved > 0).sum()
        assert course.slopes[0, index] == pytest.approx(1 / (1 + stages.weighted.item() ** 2), rel=1e-12)
    assert course.alive.shape == course.slopes.shape == course.costs.shape == (1000, 2)


def test_relus_at_0_are_not_alive():
    """A ReLU whose convolution is exactly 0 passes no gradient on, so it does not count."""
    recorded = follow(TIED_KERNEL, SMALL, 0.1, 1)
    y = panels(CASES["tied"], 0)["convolution y"].values
    assert (y == 0).any()
    assert recorded.alive[0, 0] == (y > 0).sum()


def test_notebooks_start_does_not_learn(course):
    """What is said of it is computed: image 1 dead in every epoch, arctan saturated on image 2."""
    assert (course.learned, course.outcome) == (False, "does not learn")
    first, second = verdicts(course)
    assert "all 16 ReLUs dead in every epoch, so no gradient" in first
    assert "arctan is saturated: slope 9.4e-05, 73.1 times less than at the truth" in second


def test_relus_that_die_later_are_dated():
    """The verdict names the epoch from which on no ReLU is alive."""
    course = follow(*notebook.start(1), 0.1, 200)
    died = next(epoch for epoch in range(1, 201) if not course.alive[epoch - 1 :, 0].any())
    assert died > 1
    assert f"all 16 ReLUs dead from epoch {died} on" in verdicts(course)[0]


def test_found_start_learns(found):
    """Trained anew by the reference alone, every cost falls below, from above, what half of ±π/2's error costs."""
    kernel, weights = notebook.start(found.seed, found.scale)
    *_, costs = reference.train(list(notebook.IMAGES), list(notebook.TARGETS), kernel, weights, 0.1, 1000)
    bound = (np.pi / 2 - np.abs(notebook.TARGETS)) ** 2 / 8
    assert (costs[0] > bound).all()
    assert (costs[-1] < bound).all()
    assert costs[-1].sum() < costs[0].sum() / 1000
    assert found.course.outcome == "learns"


def test_it_is_the_first(found, monkeypatch):
    """Of the seeds before it, at the notebook's scale, none learns."""
    assert (found.scale, found.tried) == (1, found.seed + 1)
    monkeypatch.setattr("reference.course.SEEDS", range(found.seed))
    monkeypatch.setattr("reference.course.SCALES", (1.0,))
    assert find_start((3, 3), 4, notebook.LEARNING_RATE, notebook.EPOCHS) is None


def test_no_start_found_is_said(short):
    """Where no start learns the search gives up, and the figure says so instead of drawing one."""
    assert find_start((3, 3), 4, 0.1, 1) is None
    assert find_start((3, 3), 4, 1e200, 2) is None
    figure = draw(*CASES["alive"], "a title", short, None)
    assert f"No start that learns was found in {TRIES} tries" in [text.get_text() for text in figure.axes[0].texts]
    assert len(figure.axes) == 4


def test_both_courses_are_drawn(course, found):
    """Cost, ReLUs alive and slope of both, and why the one does not learn and the other does."""
    figure = draw(*CASES["alive"], "a title", course, found)
    expected = [values for c in (course, found.course) for values in (c.costs, c.alive, c.slopes)]
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


def refused(capsys, *arguments):
    """The line that a call ends with, which must be one, at status 2, with nothing printed."""
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    printed, said = capsys.readouterr()
    assert (ended.value.code, printed, said.count("\n")) == (2, "", 1)
    return said


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--figure", "out.jpg"], "cannot write to out.jpg: its ending must be .svg, .png or .pdf"),
        (["--figure", "out"], "cannot write to out: its ending must be"),
        (["--figure", "nowhere/out.svg"], "cannot write to nowhere/out.svg: no such folder"),
        (["--figure", "folder.svg"], "cannot write to folder.svg: a folder"),
        (["--image", "3"], "argument --image"),
        (
            ["--kernel", "1 0; 2"],
            "argument --kernel: rows of as many finite numbers, with ';' between them, not '1 0; 2'",
        ),
        (["--kernel", ""], "argument --kernel: rows"),
        (["--kernel", "nan"], "argument --kernel: rows"),
        (["--weights", "__import__('os')"], "argument --weights: rows"),
        (["--kernel", "1 2 3 4 5 6 7"], "kernel must fit in the image, but is (1, 7) for an image of (6, 6)"),
        (["--kernel", "1 2"], "window must divide the input, but is (2, 2) for an input of (6, 5)"),
        (["--weights", "1 2 3"], "weights must have shape (4, 1), but has (3, 1)"),
        (
            ["--weights", "1e300", "--kernel", "1e300 0 0 0 0; 0 0 0 0 0; 0 0 0 0 0; 0 0 0 0 0; 0 0 0 0 0"],
            "the numbers overflow",
        ),
        (["--seed", "-1"], "argument --seed: a whole number from 0"),
        (["--seed", "4294967296"], "argument --seed: a whole number from 0"),
        (["--epochs", "0"], "argument --epochs: a whole number from 1 up is wanted, not '0'"),
        (["--rate", "inf"], "argument --rate: a finite number above 0 is wanted, not 'inf'"),
        (["--rate", "1e300"], "the numbers overflow: smaller parameters or a smaller rate are wanted"),
        (["extra"], "unrecognized arguments: extra"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_said_in_a_line(tmp_path, monkeypatch, capsys, arguments, line):
    """Status 2, one line on standard error, and nothing printed or written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.svg").mkdir()
    assert line in refused(capsys, *arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.svg"]


def test_paths_are_checked_before_the_work(tmp_path, monkeypatch, capsys):
    """A place without permission is refused before any training."""
    monkeypatch.setattr(command, "follow", None)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "permission denied" in refused(capsys, "--figure", str(tmp_path / "out.svg"))


def test_failed_writing_is_said(tmp_path, monkeypatch, capsys):
    """What goes wrong only at the end is a line and status 2 too."""

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(SystemExit, match="2"):
        command.main(["--figure", str(tmp_path / "out.svg"), "--epochs", "1"])
    assert capsys.readouterr().err.endswith("out.svg: No space left on device (see --help)\n")


def test_options_are_what_is_drawn(tmp_path, monkeypatch):
    """Image, kernel, weights in C order, seed, epochs and rate arrive in the figure."""
    calls = []
    monkeypatch.setattr("reference.figure.draw", lambda *arguments: calls.append(arguments))
    monkeypatch.setattr("reference.figure.write", lambda figure, path: calls.append(path))
    path = tmp_path / "out.svg"
    given = ["--kernel", "-1 0 2; 0 1 0; 0.5 0 1", "--weights", "1 2; 3 4", "--epochs", "3", "--rate", "0.01"]
    command.main(["--figure", str(path), "--image", "1", *given])
    (image, target, kernel, weights, title, course, found), written = calls
    assert written == path
    np.testing.assert_array_equal(image, notebook.IMAGES[0])
    assert (target, found) == (notebook.TARGETS[0], None)
    assert kernel.tolist() == [[-1, 0, 2], [0, 1, 0], [0.5, 0, 1]]
    assert weights.tolist() == [[1], [2], [3], [4]]
    assert "image 1: kernel and weights as given" in title
    np.testing.assert_array_equal(course.costs, follow(kernel, weights, 0.01, 3).costs)


def test_what_is_not_given_is_drawn_by_the_seed(capsys):
    """Another seed is another start in the legacy generator, with as many weights as a kernel of that size wants."""
    generator = np.random.RandomState(5)
    kernel, weights = generator.randn(3, 3) * 2.27, generator.randn(4, 1) * 6.1
    command.main(["--seed", "5", "--epochs", "1"])
    printed = capsys.readouterr().out
    assert "seed 5, 1 epochs" in printed
    assert str(np.array([notebook.predict(image, kernel, weights) for image in notebook.IMAGES])) in printed
    command.main(["--kernel", "1 1 1; 1 1 1; 1 1 1; 1 1 1; 1 1 1", "--epochs", "1"])
    assert "of 8 ReLUs alive" in capsys.readouterr().out


def test_without_options_it_prints_what_it_did(capsys):
    """The run from the top, its seed, epochs and rate, and that it does not learn, with not a word of a figure."""
    command.main([])
    lines = capsys.readouterr().out.splitlines()
    assert lines[:8] == [
        "The notebook, run from the top: seed 7839, 1000 epochs, learning rate 0.1",
        "",
        "ground truth            [ 1.53377621 -1.48765509]",
        "predictions before      [ 0.         -1.56128336]",
        "predictions after       [ 0.         -1.56108157]",
        "total cost              1.17894529 before, 1.17893047 in the last epoch",
        "",
        "Why it does not learn, at the start and at the end:",
    ]
    assert len(lines) == 28


def test_command_draws(tmp_path):
    """`python -m reference.notebook --figure` prints the run, writes the file and says where; no pyplot, no window."""
    process = python(
        "-X", "importtime", "-m", "reference.notebook", "--figure", "out.svg", "--epochs", "2", folder=tmp_path
    )
    assert process.returncode == 0
    assert process.stdout.endswith("figure                  out.svg\n")
    assert "dead ReLU" in (tmp_path / "out.svg").read_text(encoding="utf-8")
    assert "matplotlib.figure" in process.stderr
    assert "pyplot" not in process.stderr


def test_without_matplotlib(tmp_path):
    """`--figure` says what to install; without it nothing asks for matplotlib."""
    run = "runpy.run_module('reference.notebook', run_name='__main__')"
    hidden = f"import runpy, sys; sys.modules['matplotlib'] = None; {run}"
    process = python("-W", "ignore", "-c", hidden, "--figure", "out.svg", folder=tmp_path)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.count("\n") == 1
    assert "pip install '.[report]' in a clone of backproof" in process.stderr
    assert not list(tmp_path.iterdir())
    assert python("-W", "ignore", "-c", hidden, "--epochs", "1", folder=tmp_path).returncode == 0
