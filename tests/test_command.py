"""The command, from a shell: what it prints, writes, and ends with."""

import ast
import html
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from copy import deepcopy
from pathlib import Path

import jsonschema
import pytest

import reference
from properties.harness.template import template
from properties.layers import OPERATIONS
from tests.reports import valid

pytestmark = pytest.mark.slow

TIES = "pooling.gradient_at_ties_is_a_subgradient"
FEW = ["--examples", "20"]
FURTHER = {name for name in OPERATIONS if not hasattr(reference, name)}  # what the notebook's network does without
TIE_ERROR = "import reference\nmax_pool = reference.max_pool\nmax_pool_gradient = reference.mask_repeat\n"


def start(*arguments, folder, terminal=subprocess.PIPE):
    """The command as a process in this folder, without the user's own settings; its errors may go to a terminal."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "HYPOTHESIS"))}
    return subprocess.Popen(
        [sys.executable, "-m", "backproof", *arguments],
        cwd=folder,
        env=environment | {"COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
        encoding="utf-8",
    )


def run(*arguments, folder):
    """The command's exit status, output and errors."""
    process = start(*arguments, folder=folder)
    output, errors = process.communicate(timeout=240)
    return process.returncode, output, errors


def check(*arguments, folder):
    """The exit status and the report of the command."""
    status, _, errors = run(*arguments, "--json", "report.json", folder=folder)
    assert errors == ""
    return status, valid(json.loads((folder / "report.json").read_text(encoding="utf-8")))


def failing(report):
    """The ids of what failed."""
    return {entry["id"] for entry in report["properties"] if entry["outcome"] in ("refuted", "crashed")}


@pytest.fixture
def mine(tmp_path):
    """A file with the tie error, `mine.py` in a folder of its own."""
    (tmp_path / "mine.py").write_text(TIE_ERROR, encoding="utf-8")
    return tmp_path


def test_reference_holds(tmp_path):
    """Without arguments the bundled reference is checked, in full, and everything holds that is about its layers."""
    status, report = check(folder=tmp_path)
    assert (status, report["verdict"], report["target"]) == (0, "holds", "reference")
    held = [entry for entry in report["properties"] if entry["outcome"] == "held"]
    assert report["totals"]["held"] == len(held) >= 60
    assert {e["operation"] for e in report["properties"] if e["outcome"] != "held"} == FURTHER
    assert report["totals"]["not applicable"] == len(report["properties"]) - len(held)
    assert all(entry["examples"] and entry["comparisons"] for entry in held)
    assert sum(entry["examples"] >= 100 for entry in report["properties"]) >= 60
    assert report["conventions"] == {
        "convolution": "convolution",
        "ties": "first",
        "relu_derivative_at_zero": 0.0,
        "dtype": "float64",
        "further": {},
    }


def test_notebook_fails_at_ties_and_nowhere_else(tmp_path):
    """The notebook's formulas are refuted by the statements that speak about ties, and by no other."""
    status, report = check("reference.notebook", *FEW, folder=tmp_path)
    assert (status, report["verdict"], report["conventions"]["ties"]) == (1, "refuted", "all")
    assert failing(report) == {
        TIES,
        "exact.gradient_at_every_set_of_maxima",
        "pooling.gradient_obeys_eulers_identity",
        "exact.gradient_at_every_weak_ordering",
        "network.gradients_at_kinks_are_conservative",
        "training.train_step_at_kinks_is_conservative",
        "calls.holds_at_a_larger_size[max_pool_gradient]",
        "calls.holds_at_every_scale[max_pool_gradient]",
    }
    lacking = {e["operation"] for e in report["properties"] if e["outcome"] == "not applicable"}
    several = {"dense_with_options", "dense_gradients_with_options"}  # the notebook's take several outputs
    assert lacking == {"conv2d_image_gradient"} | FURTHER - several
    example = next(entry for entry in report["properties"] if entry["id"] == TIES)["counterexample"]
    assert example["x"]["shape"] == [1, 2]
    assert report["warnings"]


@pytest.fixture(scope="session")
def alone(once):
    """The report on the file with the tie error, of one process in a fresh folder."""

    def make(folder):
        (folder / "mine.py").write_text(TIE_ERROR, encoding="utf-8")
        return check("mine.py", *FEW, folder=folder)[1]

    return once("alone", make)


def test_same_answer_every_time(mine, alone):
    """Two runs in fresh folders give the same report but for the time that they took."""
    reports = [deepcopy(alone), check("mine.py", *FEW, folder=mine)[1]]
    for report in reports:
        for entry in [report, *report["properties"]]:
            entry.pop("seconds")
            entry.pop("seconds_in_target", None)
            entry.pop("date", None)
    assert reports[0] == reports[1]


def test_workers_agree_with_one_process(mine, alone):
    """Two worker processes come to the same outcomes, and JUnit tells of every property."""
    status, report = check("mine.py", *FEW, "-n", "2", "--junit", "junit.xml", folder=mine)
    assert status == 1
    assert [(e["id"], e["outcome"]) for e in report["properties"]] == [
        (e["id"], e["outcome"]) for e in alone["properties"]
    ]
    suite = ElementTree.parse(mine / "junit.xml").getroot()[0]  # noqa: S314
    assert int(suite.attrib["tests"]) == len(report["properties"])
    assert int(suite.attrib["failures"]) == report["totals"]["refuted"]
    assert int(suite.attrib["skipped"]) == report["totals"]["not applicable"]


def test_workers_stop_at_the_first_failure(mine):
    """With `-n` too `--fail-fast` ends at a failure, in the first run and in the next."""
    for _ in range(2):
        status, report = check("mine.py", *FEW, "-n", "2", "--fail-fast", folder=mine)
        assert (status, report["verdict"]) == (1, "refuted")
        assert report["totals"]["not run"]


def test_selection_and_first_failure(mine):
    """`-k` selects as in pytest; `--fail-fast` stops, and what did not run is reported as not run."""
    status, report = check(
        "mine.py", *FEW, "-k", "pooling and (is_a_subgradient or gradient_obeys)", "--fail-fast", folder=mine
    )
    assert status == 1
    assert report["totals"] == {
        "held": 0,
        "refuted": 1,
        "crashed": 0,
        "not applicable": 0,
        "known": 0,
        "not run": 1,
    }


def test_properties_are_selected_by_their_ids(mine):
    """`-k` takes an id as the report shows it, and does not match the folder that the statements are in."""
    _, report = check("mine.py", *FEW, "-k", TIES, folder=mine)
    assert [entry["id"] for entry in report["properties"]] == [TIES]
    _, report = check("mine.py", *FEW, "-k", "perties or ties_is_a_subgradient", folder=mine)
    assert [entry["id"] for entry in report["properties"]] == [TIES]


def test_failures_of_one_target_do_not_change_another(mine):
    """What was kept of one target's failures is not tried on the next."""
    _, before = check("reference", *FEW, "-k", "pooling", folder=mine)
    check("mine.py", *FEW, "-k", "pooling", folder=mine)
    _, after = check("reference", *FEW, "-k", "pooling", folder=mine)
    for report in (before, after):
        for entry in [report, *report["properties"]]:
            entry.pop("seconds")
            entry.pop("seconds_in_target", None)
            entry.pop("date", None)
    assert before == after


LARGE = "calls.holds_at_a_larger_size[dense]"  # the last property but one
DENSE_ERRORS = """from reference import *

def dense(features, weights):
    return (features[:, :16] @ weights[:16]) * (1 if features.size < 9 else 2)
"""


def test_first_failure_comes_early(tmp_path):
    """With `--fail-fast` a property that fails on a few examples runs before those that hold."""
    (tmp_path / "mine.py").write_text(DENSE_ERRORS.replace("2)", "1)"), encoding="utf-8")
    _, report = check("mine.py", "-k", "dense and not options and not bias", "--fail-fast", folder=tmp_path)
    assert [entry["id"] for entry in report["properties"] if entry["outcome"] != "not run"] == [LARGE]


def test_first_failure_is_news(tmp_path):
    """A known deviation is not what `--fail-fast` looks for first."""
    (tmp_path / "mine.py").write_text(DENSE_ERRORS, encoding="utf-8")
    (tmp_path / "known.txt").write_text("dense.dense_is_the_weighted_sum doubled\n", encoding="utf-8")
    _, report = check("mine.py", "-k", "dense", "--fail-fast", "--known", "known.txt", folder=tmp_path)
    assert report["totals"]["known"] == 0
    assert len(failing(report)) == 1


def test_known_deviations_are_strict(mine):
    """What is known passes with its reason; what no longer fails is a failure."""
    (mine / "known.txt").write_text(f"{TIES} never tied\npooling.max_pool_is_the_maximum: no\n", encoding="utf-8")
    _, report = check(
        "mine.py", *FEW, "-k", "ties_is_a_sub or pool_is_the_maximum", "--known", "known.txt", folder=mine
    )
    outcomes = {entry["id"]: (entry["outcome"], entry["message"]) for entry in report["properties"]}
    assert outcomes == {
        TIES: ("known", "never tied"),
        "pooling.max_pool_is_the_maximum": ("refuted", "this known deviation no longer fails: take it off the list"),
    }
    (mine / "known.txt").write_text(f"{TIES} never tied\n", encoding="utf-8")
    status, output, _ = run("mine.py", *FEW, "-k", "ties_is", "--known", "known.txt", folder=mine)
    assert status == 0
    assert f"known: {TIES}: never tied" in output


def test_page_is_written(mine):
    """`--html` writes a page with the counterexample."""
    assert run("mine.py", *FEW, "-k", "ties_is", "--html", "page.html", folder=mine)[0] == 1
    page = html.unescape((mine / "page.html").read_text(encoding="utf-8"))
    assert "the gradient sums to 2, not to upstream's 1" in page


LAYER = [
    TIES,
    "exact.gradient_at_every_set_of_maxima",
    "pooling.gradient_obeys_eulers_identity",
    "exact.gradient_at_every_weak_ordering",
]


@pytest.mark.parametrize("options", [(), ("--fail-fast",), ("-n", "2")])
def test_consequences_of_known_deviations_are_known(tmp_path, options):
    """With the layer's own failures listed the network's that follow pass too; with one of them not, they do not."""
    (tmp_path / "known.txt").write_text("".join(f"{name} mask repeat\n" for name in LAYER), encoding="utf-8")
    selected = " or ".join([*LAYER, "gradients_at_kinks"])
    asked = ["reference.notebook", *FEW, "-k", selected, "--known", "known.txt", *options]
    status, report = check(*asked, folder=tmp_path)
    known = {entry["id"]: entry["message"] for entry in report["properties"] if entry["outcome"] == "known"}
    assert (status, report["verdict"], failing(report)) == (0, "holds", set())
    assert known["network.gradients_at_kinks_are_conservative"] == (
        "a consequence of max_pool_gradient, known: mask repeat"
    )
    (tmp_path / "known.txt").write_text("".join(f"{name} mask repeat\n" for name in LAYER[1:]), encoding="utf-8")
    status, report = check(*asked, folder=tmp_path)
    assert (status, TIES in failing(report)) == (1, True)


def test_scripts_of_failures_are_written_beside(mine):
    """Each failure's script is in the JSON and in a file beside the first report, which the terminal names; it fails.

    Once the failure is known, it goes.
    """
    wanted = ["mine.py", *FEW, "-k", "ties_is or is_the_maximum", "--json", "report.json", "--html", "page.html"]
    _, output, _ = run(*wanted, folder=mine)
    report = json.loads((mine / "report.json").read_text(encoding="utf-8"))
    scripts = {entry["id"]: entry["script"] for entry in report["properties"]}
    path = f"report-failures/{TIES}.py"
    assert f"script         python {path}" in output
    assert (mine / path).read_text(encoding="utf-8") == scripts[TIES]
    assert scripts["pooling.max_pool_is_the_maximum"] is None
    assert not (mine / "page-failures").exists()
    process = subprocess.run([sys.executable, path], cwd=mine, capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert process.stderr.startswith("max_pool_gradient is wrong: off by 1, allowed ")
    (mine / "known.txt").write_text(f"{TIES} never tied\n", encoding="utf-8")
    assert run(*wanted, "--known", "known.txt", folder=mine)[0] == 0
    assert not (mine / "report-failures").exists()


@pytest.mark.parametrize("missing", ["jinja2", "matplotlib"])
def test_page_needs_its_extra(mine, missing):
    """Without the template engine, or what draws, one line says what to install, before anything runs."""
    call = f"import sys; sys.modules[{missing!r}] = None; from properties.__main__ import main; sys.exit(main())"
    process = subprocess.run(
        [sys.executable, "-c", call, "mine.py", "--html", "page.html"],
        cwd=mine,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == "backproof: --html needs the extra: pip install '.[report]' in a clone of backproof\n"


def test_property_that_compares_nothing_is_an_error(tmp_path):
    """A statement that has come to make no comparison is reported as a defect, not as held."""
    call = "import sys, properties.dense as d; from properties.__main__ import main; d.agree = print; sys.exit(main())"
    command = [sys.executable, "-c", call, "-k", "dense_is_the_weighted_sum"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert "this property compared nothing: a defect of the suite" in " ".join(process.stdout.split())


def test_shapes_that_leave_nothing_to_compare_are_not_applicable(tmp_path):
    """Where every output has one entry there is no shift to compare, and no failure for it."""
    text = "from reference import conv2d\nKERNEL_SHAPES = IMAGE_SHAPES = [(3, 3)]\n"
    (tmp_path / "single.py").write_text(text, encoding="utf-8")
    status, report = check("single.py", *FEW, folder=tmp_path)
    outcomes = {entry["id"]: entry["outcome"] for entry in report["properties"]}
    assert status == 0
    assert outcomes["convolution.conv2d_commutes_with_shifts"] == "not applicable"
    assert outcomes["convolution.conv2d_is_the_defining_sum"] == "held"


def test_failure_is_tried_first_next_time(mine):
    """A failure found once comes back at the first example, even where one example would not find it."""
    one = ["mine.py", "-k", "test_gradient_obeys_eulers_identity"]
    assert check(*one, "--examples", "100", folder=mine)[0] == 1
    assert (mine / ".hypothesis").is_dir()
    _, report = check(*one, "--examples", "1", "--seed", "5", folder=mine)
    assert report["properties"][0]["examples"] == 1
    assert report["verdict"] == "refuted"


def test_random_seed_is_shown(mine):
    """`--seed random` draws a seed and shows it, in the summary and in the line that reproduces."""
    _, output, _ = run("mine.py", *FEW, "-k", "ties_is", "--seed", "random", folder=mine)
    seed = output.rpartition("seed ")[2].partition(",")[0]
    assert f"--seed {seed} " in output


USAGE = {
    "no such file": (["nowhere.py"], "backproof: no such file: nowhere.py"),
    "nothing offered": (["json"], "backproof: json has none of the operations that can be checked: relu,"),
    "no such option": (["--bogus"], "backproof: unrecognized arguments: --bogus (see --help)"),
    "examples": (["--examples", "0"], "backproof: argument --examples: a whole number from 1 up is wanted, not '0'"),
    "shard": (["--shard", "0/2"], "backproof: argument --shard: I/N with whole numbers 1 ≤ I ≤ N is wanted, not '0/2'"),
    "shards": (["--shard", "1/9", "--examples", "8"], "backproof: --shard 1/9: 8 examples are too few for 9 shards"),
    "seed": (["--seed", "x"], "backproof: argument --seed: a whole number from 0 up or 'random' is wanted, not 'x'"),
    "timeout": (["--timeout", "0"], "backproof: argument --timeout: a number of seconds from 0.1 to 1e+08 is wanted"),
    "minutes": (["--minutes", "0"], "backproof: argument --minutes: a number of minutes from 0.01 to 1e+08 is wanted"),
    "resume": (["--resume"], "backproof: argument --resume: needs --minutes (see --help)"),
    "nothing to resume": (["--minutes", "1", "--resume"], "backproof: there is no campaign of reference to resume in"),
    "round": (["--minutes", "1", "--round", "2"], "backproof: argument --round: not allowed with argument --minutes"),
    "no folder": (["--json", "no/x.json"], "backproof: argument --json: cannot write to no/x.json: no such folder"),
    "report forgotten": (
        ["--html", "mine.py"],
        "backproof: argument --html: mine.py looks like the target: name a file for the report (see --help)",
    ),
    "report over source": (["reference", "--json", "mine.py"], "backproof: argument --json: no report is written over"),
    "reports in one": (["--json", "x", "--html", "x"], "backproof: arguments --json and --html: two reports in one"),
    "shard over itself": (["merge", "a.json", "--json", "a.json"], "backproof: argument --json: no report is written"),
    "matches nothing": (["-k", "nothing_like_it"], "backproof: nothing to check: no property matches -k"),
    "wrong expression": (["-k", "a and"], "backproof: Wrong expression passed to '-k': a and"),
    "nothing applies": (["mine.py", "-k", "dense"], "backproof: nothing to check: no selected property applies"),
    "no list": (["mine.py", "--known", "none.txt"], "backproof: --known"),
}


@pytest.mark.parametrize(("arguments", "message"), USAGE.values(), ids=USAGE)
def test_wrong_call_is_one_line(mine, arguments, message):
    """What cannot be checked ends with status 2, one line on standard error, and nothing else; no file is changed."""
    before = {path: path.read_bytes() for path in mine.iterdir()}
    status, output, errors = run(*arguments, folder=mine)
    assert {path: path.read_bytes() for path in mine.iterdir() if path.is_file()} == before
    assert (status, output) == (2, "")
    assert errors.startswith(message)
    assert len(errors.strip().splitlines()) == 1


def test_not_implemented_is_left_out(tmp_path):
    """Cases that the target does not implement are replaced and counted; where none is left nothing applies."""
    text = (
        "import reference\n"
        "def conv2d(image, kernel):\n"
        "    if kernel.shape != (3, 3): raise NotImplementedError\n"
        "    return reference.conv2d(image, kernel)\n"
        "def relu(x): raise NotImplementedError\n"
    )
    (tmp_path / "partly.py").write_text(text, encoding="utf-8")
    status, report = check("partly.py", *FEW, folder=tmp_path)
    outcomes = {entry["id"]: entry for entry in report["properties"]}
    assert status == 0
    assert outcomes["activations.relu_is_the_positive_part"]["outcome"] == "not applicable"
    sums = outcomes["convolution.conv2d_is_the_defining_sum"]
    assert sums["outcome"] == "held"
    assert report["shapes"]["kernel"] == [[3, 3]]
    assert sums["left_out"] > 0
    assert sums["examples"] == 20


def test_settings_of_the_user_do_not_interfere(mine):
    """A broken pytest configuration and conftest in the working directory are not read."""
    (mine / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n", encoding="utf-8")
    (mine / "conftest.py").write_text("1 / 0\n", encoding="utf-8")
    assert run("mine.py", *FEW, "-k", "is_the_maximum", folder=mine)[0] == 0


def test_noise_of_the_target_is_not_shown(tmp_path):
    """What a target prints while it is called does not end up in the report."""
    (tmp_path / "loud.py").write_text("def relu(x):\n    print('NOI' 'SE')\n    return abs(x)\n", encoding="utf-8")
    status, output, errors = run("loud.py", *FEW, "-k", "parts_its", folder=tmp_path)
    assert status == 1
    assert "NOISE" not in output + errors


SLOW = """
import itertools, time, reference
from reference import *
calls = itertools.count()
def cost(*point):
    if next(calls) == 60:
        open('under way', 'w').close()
        while True:
            WAIT
    return reference.cost(*point)
"""


def under_way(folder, *options, wait="time.sleep(60)"):
    """The command as a process, in the midst of a call that does not come back, with some properties done."""
    (folder / "slow.py").write_text(SLOW.replace("WAIT", wait), encoding="utf-8")
    process = start("slow.py", "--json", "report.json", "-k", "network or training", *options, folder=folder)
    while not (folder / "under way").exists():
        time.sleep(0.1)
    return process


STOPS = {
    "Ctrl-C": ([signal.SIGINT], "time.sleep(60)"),
    "Ctrl-C twice at once": ([signal.SIGINT] * 2, "time.sleep(60)"),
    "Ctrl-C twice, of what hears none": ([signal.SIGINT] * 2, "sum(itertools.repeat(1))"),
    "a signal to end": ([signal.SIGTERM], "time.sleep(60)"),
    "a signal to end what hears none": ([signal.SIGTERM], "sum(itertools.repeat(1))"),
    "the end of the terminal": ([signal.SIGHUP], "time.sleep(60)"),
}


@pytest.mark.parametrize(("signals", "wait"), STOPS.values(), ids=STOPS)
def test_interruption_is_clean(tmp_path, signals, wait):
    """What stops the command ends it with 130, a report of what was done, and the rest as not run."""
    process = under_way(tmp_path, wait=wait)
    for one in signals:
        process.send_signal(one)
    output, errors = process.communicate(timeout=60)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert process.returncode == 130
    assert errors == ""
    assert report["verdict"] == "incomplete"
    assert report["totals"]["held"] > 0
    assert report["totals"]["not run"] > 0
    assert "interrupted:" in output


def test_interruption_while_scripts_are_tried_loses_nothing(tmp_path):
    """The report comes at once, with a script that says that it was not run, and no process is left."""
    text = """
import os, sys, time
if "--json" not in sys.argv:
    open("under way", "w").write(str(os.getpid()))
    time.sleep(50)
def relu(x):
    return abs(x)
"""
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    process = start("mine.py", *FEW, "-k", "relu_is", "--json", "report.json", folder=tmp_path)
    while not (tmp_path / "under way").exists() or not (tmp_path / "under way").read_text(encoding="ascii"):
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    (entry,) = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["properties"]
    assert (process.returncode, entry["outcome"]) == (130, "refuted")
    assert "It was not run when it was made." in " ".join(entry["script"].replace("#", "").split())
    assert _gone([int((tmp_path / "under way").read_text(encoding="ascii"))])


def test_interruption_while_the_report_is_made_loses_nothing(mine):
    """A report that is made is written and printed, though the user asks to stop, and its status is its own."""
    call = """
import os, signal, sys
import properties.__main__ as command
made = command.as_json
def interrupted(report):
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    return made(report)
command.as_json = interrupted
sys.exit(command.main())
"""
    command = [sys.executable, "-c", call, "mine.py", *FEW, "-k", "ties_is", "--json", "report.json"]
    process = subprocess.run(command, cwd=mine, capture_output=True, text=True, check=False)
    assert (process.returncode, process.stderr) == (1, "")
    assert f"REFUTED  max_pool_gradient  {TIES}" in process.stdout
    assert json.loads((mine / "report.json").read_text(encoding="utf-8"))["verdict"] == "refuted"


def tree(process):
    """A process and all that it started."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    return [process, *(one for child in children for one in tree(int(child)))]


def alive(process):
    """Whether a process runs: one that has ended may wait for its parent to ask."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("wait", ["time.sleep(60)", "sum(itertools.repeat(1))"])
@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "workers"])
def test_no_process_outlives_the_command(tmp_path, wait, workers):
    """A command that is killed takes its children with it, and their workers, whatever they are doing."""
    process = under_way(tmp_path, *workers, wait=wait)
    processes = tree(process.pid)
    assert len(processes) > len(workers)
    process.kill()
    process.communicate(timeout=60)
    assert _gone(processes)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_the_session(tmp_path, how):
    """Where the process that runs the properties is ended, its workers end too."""
    process = under_way(tmp_path, "-n", "2")
    _, session, *workers = tree(process.pid)
    assert workers
    os.kill(session, how)
    assert _gone(workers)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 130


def _gone(processes):
    """Whether all of these processes end soon."""
    for _ in range(100):
        if not any(alive(one) for one in processes):
            return True
        time.sleep(0.1)
    return False


def test_workers_are_no_more_than_cores(mine):
    """A thousand are asked for: as many are started as there are cores, and a line says so."""
    status, _, errors = run("mine.py", *FEW, "-k", "ties_is", "-n", "1000", folder=mine)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert (status, errors) == (1, f"backproof: note: {cores} worker processes, not 1000: there are no more cores\n")


UNHEARD = {
    "a full disk": (["reference"], ">/dev/full", "No space left on device"),
    "a full disk, for the help": (["--help"], ">/dev/full", "No space left on device"),
    "a full disk, for the template": (["--template"], ">/dev/full", "No space left on device"),
    "a reader that is gone": (["reference"], "| true", "Broken pipe"),
    "a closed output": (["reference"], ">&-", "it is closed"),
}


@pytest.mark.parametrize(("arguments", "redirection", "why"), UNHEARD.values(), ids=UNHEARD)
def test_output_that_cannot_be_written_is_no_success(tmp_path, arguments, redirection, why):
    """Where the report cannot be printed the status is 2, with one line that says why."""
    call = f'{{ "$0" -m backproof "$@"; echo "status $?" >&2; }} {redirection}'
    command = ["/bin/sh", "-c", call, sys.executable, *arguments]
    if arguments == ["reference"]:
        command += [*FEW, "-k", "dense_is"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert process.stderr == f"backproof: cannot write to standard output: {why}\nstatus 2\n"


CLOSED = {
    "closed errors": ("2>&-", 1),
    "full errors": ("2>/dev/full", 1),
    "all closed": ("<&- >&- 2>&-", 2),
}


@pytest.mark.parametrize(("redirection", "status"), CLOSED.values(), ids=CLOSED)
def test_report_is_written_without_standard_streams(mine, redirection, status):
    """Standard streams that are closed or full cost neither the report nor the status."""
    call = f'"$0" -m backproof "$@" {redirection}'
    wanted = ["mine.py", *FEW, "-k", "ties_is", "--json", "report.json"]
    assert subprocess.run(["/bin/sh", "-c", call, sys.executable, *wanted], cwd=mine, check=False).returncode == status
    assert json.loads((mine / "report.json").read_text(encoding="utf-8"))["verdict"] == "refuted"


MAIN = "from properties.__main__ import main; sys.exit(main())"


def test_full_disk_costs_the_files_alone(mine):
    """Where no file can be written the report is printed all the same, and the status says what is missing."""
    call = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); " + MAIN
    command = [sys.executable, "-c", call, "mine.py", *FEW, "-k", "ties_is", "--json", "report.json"]
    process = subprocess.run(command, cwd=mine, capture_output=True, text=True, check=False)
    assert process.returncode == 2
    assert process.stderr.endswith("backproof: cannot write to report.json: File too large\n")
    assert "Traceback" not in process.stderr
    assert f"REFUTED  max_pool_gradient  {TIES}" in process.stdout
    assert not list((mine / "report-failures").iterdir())


def test_help_tells_the_options(tmp_path):
    """`--help` names every option of the contract."""
    status, output, _ = run("--help", folder=tmp_path)
    assert status == 0
    for option in (
        "--json",
        "--junit",
        "--html",
        "--examples",
        "--seed",
        "--shard",
        "--minutes",
        "--resume",
        "--round",
        "merge REPORT.json",
        "-k",
        "-n",
        "--fail-fast",
        "--known",
        "--timeout",
        "--template",
        "--filled",
    ):
        assert option in output


def test_report_that_cannot_be_written_is_one_line(mine):
    """What can be shown is shown; the status says that the report asked for is not there."""
    status, output, errors = run("mine.py", *FEW, "-k", "ties_is", "--json", "/dev/full", folder=mine)
    assert (status, errors) == (2, "backproof: cannot write to /dev/full: No space left on device\n")
    assert "REFUTED" in output


def test_template_is_a_target_to_fill_in(tmp_path):
    """What `--template` prints loads; what is not filled in is not applicable, what is gets its verdict."""
    status, template, errors = run("--template", folder=tmp_path)
    assert (status, errors) == (0, "")
    (tmp_path / "mine.py").write_text(template, encoding="utf-8")
    status, _, errors = run("mine.py", folder=tmp_path)
    assert (status, errors.count("\n")) == (2, 1)
    assert errors.startswith("backproof: nothing to check")
    filled = template.replace("raise NotImplementedError", "return x * (x > 0)", 1)
    (tmp_path / "mine.py").write_text(filled, encoding="utf-8")
    status, report = check("mine.py", *FEW, folder=tmp_path)
    assert status == 0
    assert {entry["operation"] for entry in report["properties"] if entry["outcome"] == "held"} == {"relu"}
    assert {entry["outcome"] for entry in report["properties"] if entry["operation"] != "relu"} == {"not applicable"}
    assert set(report["lacking"]) == OPERATIONS.keys() - {"relu"}


def test_filled_template_is_right(tmp_path):
    """What `--template --filled` prints holds as it is; `--filled` is an option of the template alone."""
    status, template, errors = run("--template", "--filled", folder=tmp_path)
    assert (status, errors) == (0, "")
    (tmp_path / "mine.py").write_text(template, encoding="utf-8")
    status, report = check("mine.py", *FEW, "-k", "not exact", folder=tmp_path)
    assert (status, report["verdict"]) == (0, "holds")
    assert all(OPERATIONS[name].function for name in report["lacking"])  # which have options, or another network
    assert run("--filled", folder=tmp_path)[0] == 2


def test_schema_is_that_of_the_report(tmp_path):
    """What `--schema` prints is a JSON Schema that names each of a report's fields, and refuses a damaged report."""
    status, schema, errors = run("--schema", folder=tmp_path)
    assert (status, errors) == (0, "")
    report = check("reference", "-k", "relu_is", "--examples", "5", folder=tmp_path)[1]
    named = json.loads(schema)["$defs"]
    assert list(named["Report"]["properties"]) == list(report)
    assert list(named["Entry"]["properties"]) == list(report["properties"][0])
    for damage in ({"verdict": "fine"}, {"seed": None}, {"properties": [{}]}):
        with pytest.raises(jsonschema.ValidationError):
            valid(report | damage)


def test_template_describes_every_operation():
    """Each function of the contract is there, with its parameters and with words about its shapes."""
    functions = {node.name: node for node in ast.parse(template()).body[2:]}
    assert {name: tuple(one.arg for one in node.args.args) for name, node in functions.items()} == {
        name: one.needs or one.parameters for name, one in OPERATIONS.items() if not one.function
    }
    assert all(ast.get_docstring(node) for node in functions.values())


@pytest.mark.parametrize("examples", ["1", "3"])
def test_few_examples_break_nothing(tmp_path, examples):
    """The reference holds with however few examples."""
    status, report = check("reference", "--examples", examples, "-k", "not exact", folder=tmp_path)
    assert (status, report["verdict"]) == (0, "holds")
