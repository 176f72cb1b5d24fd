"""Each benchmark says what it is, and measures what it says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import reference
from benchmarks import all as everything
from benchmarks import (
    conventions,
    detection_floor,
    detection_time,
    edits,
    false_alarms,
    gradient_checks,
    growth,
    kill_matrix,
    numpy_network,
    peers,
    smallest,
    ties,
    trials,
)
from benchmarks.command import command
from benchmarks.variants import VARIANTS
from properties.harness.checking.properties import all_properties
from properties.harness.core.tape import Case
from properties.layers import OPERATIONS
from properties.mistakes import all_mistakes

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
COMMANDS = (
    "all",
    "conventions",
    "detection_floor",
    "detection_time",
    "false_alarms",
    "gradient_checks",
    "growth",
    "kill_matrix",
    "mutation",
    "network",
    "overhead",
    "speed",
    "startup",
    "ties",
)


@pytest.fixture(autouse=True)
def _settings_as_before():
    """Trials settle Hypothesis for themselves."""
    yield
    trials.settle()


@pytest.mark.parametrize("name", COMMANDS)
def test_help_needs_no_peer(name):
    """The command explains itself, also where the checkers that it is held against are not installed."""
    call = [sys.executable, "-m", f"benchmarks.{name}", "--help"]
    process = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (process.returncode, process.stderr) == (0, "")
    assert "--json FILE" in process.stdout


def test_parameters_of_main_are_its_options(tmp_path, monkeypatch):
    """A number, several and a file are read as their defaults say; what `main` returns is written as JSON."""

    def main(runs=5, seconds=1.0, sides=(1, 2), markdown=None):
        return [runs, seconds, sides, markdown.name]

    path = tmp_path / "found.json"
    asked = ["--json", str(path), "--seconds", "2", "--sides", "3", "4", "--markdown", "tables.md"]
    monkeypatch.setattr(sys, "argv", ["benchmark", *asked])
    command(main, runs="how many")
    assert json.loads(path.read_text(encoding="utf-8")) == [5, 2.0, [3, 4], "tables.md"]


def test_false_alarms_are_counted(monkeypatch):
    """A wrong target among the correct ones is an alarm, with what refuted it and the seed."""
    examples, alarms = false_alarms.run("slope as the squared cosine", 3)
    assert (examples > 100, alarms) == (True, [])
    monkeypatch.setitem(VARIANTS, "wrong", {"arctan_derivative": lambda x: 1 / (1 + np.abs(x))})
    _, alarms = false_alarms.run("wrong", 3)
    refuting = "activations.smooth_derivative_is_the_complex_step[arctan_derivative]"
    assert any(f"wrong: {refuting}, seed 3" in alarm for alarm in alarms)


def test_floor_is_the_last_error_caught_in_a_row():
    """The floor lies before the first error that slips through, even if a smaller one is caught by luck."""
    assert detection_floor.floor(lambda error: error > 1e-6 or error < 1e-10) == pytest.approx(1e-5)
    assert detection_floor.floor(lambda error: False) is None


def test_noise_has_the_size_it_says():
    """Every entry moves by so many units of rounding, up or down, and the same way every time."""
    part = np.linspace(1, 2, 50, endpoint=False)
    moved = detection_floor.noise(8)(part)
    assert set(np.sign(moved - part)) == {-1.0, 1.0}
    assert np.abs(moved / part - 1).max() <= 8 * 2.0**-52
    assert np.array_equal(moved, detection_floor.noise(8)(part))


def test_rounding_is_let_through_and_an_error_is_not():
    """Four units of rounding pass, and a factor of 1 + 1e-12 is refuted."""
    assert not detection_floor.refuted("conv2d", detection_floor.noise(4), 0)
    assert detection_floor.refuted("conv2d", lambda part: part * (1 + 1e-12), 0)


def test_alone_compares_within_an_operation():
    """A property is alone on a mistake if no sampling one of its operation refutes it; exhaustive ones do not count."""
    names = (
        "pooling.max_pool_is_the_maximum",
        "pooling.max_pool_is_block_reduce",
        "exact.max_pool_at_every_weak_ordering",
    )
    row = {"mistake": "max_pool: one", "properties": dict.fromkeys(names, True) | {names[1]: False}}
    found = kill_matrix.alone([row])
    assert found[names[0]] == ["max_pool: one"]
    assert found[names[1]] == []


@pytest.mark.parametrize(
    ("operation", "wrong", "why"),
    [
        ("relu", "return np.minimum(x, 0)", ""),
        ("dense_gradients", "features_gradient = upstream @ weights", ""),
        ("relu", "return x * (x >= 0)", edits.TO_THE_BIT),
        ("relu_derivative", "return (x >= 0).astype(float)", edits.ANOTHER_CHOICE),
    ],
)
def test_edits_are_refuted_or_equivalent(operation, wrong, why):
    """A wrong edit is refuted by a property and wrong on further cases; how the answers of others differ is said."""
    edit = next(one for one in edits.slips(operation) if one.lines()[1] == wrong)
    refuted = edits.refuted_by(operation, edit)
    assert bool(refuted) == (not why)
    assert edits.why_equivalent(operation, edit) == why


def test_edits_are_counted():
    """By operation, and those without a reason apart; every second edit is every second one."""
    row = {"operation": "relu", "what": "", "right": "a|b", "wrong": "c", "refuted_by": "", "why": ""}
    found = [row | {"refuted_by": "x"}, row | {"why": "it is"}, row]
    assert "| relu | 3 | 1 | 1 | 1 |" in edits.summary(found, [])
    assert "| relu |  | `a/b` | `c` | **wrong** |" in edits.equivalents(found)
    every = [sum(stop - start for _, start, stop in edits.chunks(count)) for count in (1, 2)]
    assert every[0] == 2 * every[1]


def test_ties_of_a_photograph_are_counted():
    """A flat image ties in every window, a ramp in none."""
    assert ties.tied(np.ones((4, 6))).all()
    assert not ties.tied(np.arange(24.0).reshape(4, 6)).any()


def test_distance_is_zero_for_a_legal_gradient_alone():
    """Argmax scatter's kernel gradient is legal; mask repeat's is as far from it as the bounds enclose."""
    image = np.random.default_rng(0).integers(0, 2, (8, 8)) / 2
    convolved = reference.conv2d(image, kernel := np.ones((3, 3)))
    upstream = np.arange(1.0, 10.0).reshape(3, 3)
    given = ties.candidates(image, convolved) * upstream.reshape(-1, 1, 1)
    for pooling, legal in ((reference.max_pool_gradient, True), (reference.mask_repeat, False)):
        passed = pooling(reference.relu(convolved), (2, 2), upstream) * (convolved > 0)
        _, lower, upper = ties.nearest(given, reference.conv2d_kernel_gradient(image, kernel, passed).ravel())
        assert lower <= upper
        assert (upper < 1e-6) if legal else (lower > 1)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("clashing_names", r"| numpy \d\S* | cross-correlation | all, each whole: refuted | – | float64 |"),
        ("c_network", r"| C, cc \d\S* | true convolution | the first | – | float64 |"),
        ("single_precision", r"| numpy \d\S* | cross-correlation | the first | 0 | float32 |"),
    ],
)
def test_conventions_are_found_by_probing(name, row):
    """A line of the table has what the suite finds out about the example, and a dash for what it does not offer."""
    found = conventions.line(conventions.measure(ROOT / "examples" / f"{name}.py"))
    assert re.fullmatch(re.escape(f"| `{name}.py` ") + row.replace("|", r"\|"), found)


def test_hand_written_network_is_the_references():
    """What all checkers are timed on has the reference's cost and gradients, at points with dead ReLUs among them."""
    for point, _ in zip(gradient_checks.drawn(), range(50), strict=False):
        assert numpy_network.cost(*point) == pytest.approx(reference.cost(*point), rel=1e-12)
        for ours, right in zip(numpy_network.gradients(*point), reference.gradients(*point), strict=True):
            np.testing.assert_allclose(ours, right, rtol=1e-12, atol=1e-15)


def test_checkers_are_asked_about_both_gradients():
    """A wrong gradient is caught by this suite's property and by a peer, a right one by neither."""
    for caught in (gradient_checks.caught_by_ours, lambda error: gradient_checks.caught_by("SciPy check_grad", error)):
        assert [caught(error) for error in (0.1, 0.0)] == [True, False]


def test_rates_count_points(monkeypatch):
    """A check that takes a tenth of a second, by a clock of its own, is made ten times a second; refusals count."""
    now = [0.0]

    def check(point):
        now[0] += 0.1
        if 1.95 < now[0] < 2.05:
            raise AssertionError
        return not 2.95 < now[0] < 3.05

    monkeypatch.setattr(gradient_checks.time, "perf_counter", lambda: now[0])
    speed, refused = gradient_checks.rate(check, 5.0, gradient_checks.drawn())
    assert (speed, refused) == (pytest.approx(10.0, rel=0.05), 2)


def test_ratios_are_of_the_fastest_and_tightest_peer():
    """Of several networks of a peer the faster counts, and of several floors the least."""
    rows = [
        {"checker": "backproof", "rate": 100.0, "floor": 1e-14},
        {"checker": "gradcheck", "rate": 2.0, "floor": 1e-2},
        {"checker": "gradcheck", "rate": 4.0, "floor": None},
        {"checker": "SciPy check_grad", "rate": 20.0, "floor": 1e-6},
    ]
    assert list(gradient_checks.ratios(rows).values()) == pytest.approx([5.0, 25.0, 1e8])


def mistake(identifier):
    """The mistake of the catalogue with this id."""
    return next(one for one in all_mistakes() if one.id == identifier)


def entry(identifier):
    """The property with this id."""
    return next(one for one in all_properties().values() if one.id == identifier)


def test_mistake_is_timed_as_a_process():
    """A target with one mistake in it is refuted; its counterexample is measured by what the report shows."""
    row = detection_time.timed(mistake("relu: leaky"))
    assert (row["property"], row["shapes"], row["size"]) == ("activations.relu_is_the_positive_part", {"x": (1,)}, 1)
    assert row["seconds"] > row["in_refuting"] > 0


def test_size_counts_the_entries_of_what_is_shown():
    """Arrays that no operation of the property takes are not shown, and a window is no array."""
    case = Case(image=np.ones((2, 3)), kernel=np.ones((1, 1)), upstream=np.ones((2, 3)), window=(2, 2))
    assert smallest.size_of(smallest.shapes_of(case, ["conv2d"])) == 7


@pytest.mark.parametrize(
    ("name", "identifier", "shapes"),
    [
        (
            "conv2d: kernel transposed",
            "convolution.conv2d_is_the_defining_sum",
            {"image": (2, 2), "kernel": (2, 2)},
        ),
        ("relu: leaky", "calls.holds_at_a_larger_size[relu]", {"x": ()}),
        ("relu: leaky", "exact.relu_on_its_three_cases", {"x": (1,)}),
        ("dense: argument overwritten", "calls.keeps_the_contract[dense]", {"features": (1, 1), "weights": (1, 1)}),
    ],
)
def test_smallest_case_is_found_by_search(name, identifier, shapes):
    """The search goes from the smallest shape up, through what is sampled and through what is exhaustive."""
    found = smallest.smallest(mistake(name), entry(identifier), 100, 20)
    assert found is not None
    assert found[0] == shapes
    assert smallest.smallest(mistake(name), entry(identifier), smallest.size_of(shapes), 20) is None


def test_detection_is_summed_up():
    """Median, 95th percentile and worst of the seconds, and the share of the searched that nothing is smaller than."""
    rows = [
        {"seconds": float(number), "smaller": None if number else {}, "searched": number < 4} for number in range(5)
    ]
    figures = detection_time.figures_of(rows)
    wanted = {"median": 2, "95th percentile": 3.8, "worst": 4, "smallest": 0.75, "searched": 4}
    assert figures == pytest.approx(wanted)


PAGE = """Prose.

<!-- python -m benchmarks.startup --runs 1 -->
old
<!-- end -->

<!-- python -m benchmarks.ties --nonsense -->
kept
<!-- end -->
"""


def test_page_is_measured_anew(tmp_path, capsys):
    """A place gets what its command prints, with the date; where that fails, and where nothing was asked, all stays."""
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    assert everything.main("startup", str(page)) == {"measured": 1}
    measured = page.read_text(encoding="utf-8")
    assert "old" not in measured
    assert re.search(
        r"-->\n`python -m benchmarks.startup --runs 1`, on \d{4}-\d\d-\d\d, \d+ s:\n\n```text\nref", measured
    )
    assert everything.main("ties", str(page)) == {"measured": 1}
    assert page.read_text(encoding="utf-8") == measured
    assert "ended with 2: its figures stay" in capsys.readouterr().err


def test_tables_stay_tables():
    """Of what a benchmark prints, tables stand on the page as they are, and all else as text."""
    assert everything.in_markdown("| a |\n| - |\nsome: 1\n\nmore\n") == "| a |\n| - |\n\n```text\nsome: 1\n\nmore\n```"


def test_every_place_of_the_page_has_a_benchmark():
    """The page's commands are modules of this folder, and none of its places is empty."""
    places = list(everything.PLACE.finditer(everything.PAGE.read_text(encoding="utf-8")))
    assert len(places) > 5
    for place in places:
        assert (everything.PAGE.parent / f"{place['module'].split('.')[1]}.py").is_file()
        assert place["found"].strip()


def test_growth_is_measured_and_drawn(tmp_path):
    """A line has its property's rate and share and the run's peak of memory; tables and plot show it."""
    (run,) = growth.planned([], [3], [], [])
    row = growth.measured(run._replace(options=("-k", growth.GRADIENTS[0]), examples=2))
    (figures,) = row["properties"].values()
    assert figures["cases"] == 2
    assert 0 < figures["in_target"] < 1
    assert row["peak"] > 50
    assert f"({figures['in_target']:.0%}) | {row['peak']:.0f} |" in growth.tables([row])
    growth.plotted([row], tmp_path / "growth.svg")
    assert "kernel side" in (tmp_path / "growth.svg").read_text(encoding="utf-8")


def test_growth_goes_along_four_ways():
    """Sides get targets of their own, budgets a few properties, and workers the whole suite."""
    runs = growth.planned([6], [1], [100, 1000], [1, 2])
    assert [(run.along, run.value, run.examples) for run in runs] == [
        ("image side", 6, growth.EXAMPLES),
        ("kernel side", 1, growth.EXAMPLES),
        ("examples", 100, 100),
        ("examples", 1000, 1000),
        ("workers", 1, 100),
        ("workers", 2, 100),
        ("workers", 1, 1000),
        ("workers", 2, 1000),
    ]
    assert "IMAGE_SHAPES = [(6, 6)]" in runs[0].target
    assert [run.options[0] for run in runs[-4:]] == ["-n"] * 4


@pytest.mark.parametrize("operation", OPERATIONS)
def test_other_checkers_are_asked_about_every_operation(operation):
    """For each there is a problem that calls it: right code passes, and code that only crashes does not."""
    right = trials.reference_with({})

    def crashes(*arguments, **options):
        raise ValueError("not today")

    loop = {"points": 2, "checkers": ("relative-error loop",)}
    assert peers.refuted(operation, right, "Gaussian", **loop) == {"relative-error loop": False}
    wrong = {**right, operation: crashes}
    assert peers.refuted(operation, wrong, "Gaussian", **loop) == {"relative-error loop": True}
