"""Campaigns: rounds are planned within the time, add up to one report, end in order, and go on where they were."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from properties.harness.campaign.parts import CannotMerge
from properties.harness.campaign.rounds import MOST_DOUBLINGS, Pace, Plan, campaign, planned
from properties.harness.checking.trial import Record
from properties.harness.core.setting import Conventions
from properties.harness.report.data import Campaign, Sampled, as_json
from properties.harness.report.report import Outcomes, Request, exit_status, found, make_report
from properties.harness.report.results import finished
from properties.harness.report.terminal import show
from properties.harness.run.run import CannotRun, TimeIsOver
from properties.harness.target.operation import Refuted
from properties.harness.target.target import Target
from tests.reports import entry_of, valid
from tests.test_command import check, run, start

SAMPLED, OTHER, EXHAUSTIVE = (
    "activations.py::test_relu_is_the_positive_part",
    "activations.py::test_relu_parts_its_argument",
    "exact.py::test_dense_on_every_pair_of_basis_vectors",
)
ASKED = Request("mine.py", 100, 0)
START, EACH = 2.0, 0.1  # seconds that a made-up round takes: to start, and for an example of each property
PACE = Pace(START, 2 * EACH, EACH)


class Machine:
    """Makes up rounds in which all holds, but for what `changes` says of one; after the `last` the time is over."""

    def __init__(self, last=99, **changes):
        self.now, self.asked, self.headings, self.last, self.changes = 0.0, [], [], last, changes
        self.found = found(Target("mine.py", {}), Conventions())

    def clock(self):
        """Seconds."""
        return self.now

    def run(self, asked, frame):
        """A round that takes its time, with a largest error that grows from round to round."""
        frame.check(self.found)
        number = asked.round_number
        change = self.changes.get(f"round_{number}", {})
        if "raises" in change:
            raise change["raises"]
        nodes = [SAMPLED, OTHER, *([EXHAUSTIVE] if number == 1 else [])]
        record = Record(asked.examples, 1, 3, float(number))
        results = {node: finished(record, None, EACH * asked.examples) for node in nodes}
        self.headings.append(frame.heading(Outcomes(nodes, results)))
        self.asked.append((number, asked.examples))
        self.now += START + 2 * EACH * asked.examples + 1e6 * (number == self.last)
        results = {node: one for node, one in (results | change.get("results", {})).items() if one}
        outcomes = Outcomes(nodes, results, {}, change.get("interrupted", False))
        return make_report(asked, self.found, outcomes, START + 2 * EACH * asked.examples + EACH * (number == 1))


def refuted(examples):
    """The result of a property that is refuted."""
    error = Refuted("off", yours=np.ones(1), expected=2.0)
    error.case = {"x": np.ones(1)}
    return finished(Record(examples, 0, 4, 0.5, error), error, 0.1, ("relu",))


def told(machine, minutes, resume=False, **asked):
    """The report of a campaign on this machine."""
    return valid(campaign(replace(ASKED, **asked), minutes, resume, run=machine.run, clock=machine.clock))


@pytest.fixture(autouse=True)
def _keeping_in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(tmp_path / "kept"))


def test_examples_double_up_to_a_ceiling():
    """Each round has twice the examples of the one before, until they have doubled often enough."""
    budgets = [planned(number, ASKED, PACE, 1e6).examples for number in range(1, 9)]
    assert budgets == [100, 200, 400, 800, 1600, 1600, 1600, 1600]
    assert budgets[-1] == 100 * 2**MOST_DOUBLINGS


@pytest.mark.parametrize(
    ("left", "timeout", "plan"),
    [
        (1000.0, 600.0, Plan(3, 400)),
        (82.0 / 0.9 + 0.1, 600.0, Plan(3, 400)),
        (82.0 / 0.9 - 0.1, 600.0, Plan(3, 399, is_cut=True)),
        (2.3 / 0.9, 600.0, Plan(3, 1, is_cut=True)),
        (2.0, 600.0, None),
        (-5.0, 600.0, None),
        (1000.0, 20.0, Plan(3, 100)),  # the slowest takes half of its timeout then
        (1000.0, 0.1, None),
    ],
)
def test_round_is_cut_to_the_time(left, timeout, plan):
    """A round has no more examples than there is time for, nor its slowest property; without any there is no round."""
    assert planned(3, replace(ASKED, timeout=timeout), PACE, left) == plan


def test_shard_needs_an_example_of_its_own():
    """A round with fewer examples than there are shards would leave some without any."""
    assert planned(2, replace(ASKED, shard=(2, 9)), PACE, 2.0 / 0.9 + 0.2 * 9 / 0.9).examples == 9
    assert planned(2, replace(ASKED, shard=(2, 9)), PACE, 2.0 / 0.9 + 0.2 * 8 / 0.9) is None


def test_paces_too_short_to_be_seen_divide_nothing():
    """Where nothing seemed to take time the round is as large as any."""
    assert planned(2, ASKED, Pace(0.0, 0.0, 0.0), 60.0) == Plan(2, 200)


def test_campaign_goes_on_until_the_time_is_over():
    """Rounds grow, the last is cut to the time that is left, and the report is that of all."""
    machine = Machine()
    report = told(machine, 5)
    *whole, (number, examples) = machine.asked
    assert whole == [(1, 100), (2, 200), (3, 400)]
    assert (number, 400 < examples < 800) == (4, True)
    assert 0.85 * 300 < machine.now <= 300
    assert (report.verdict, exit_status(report), report.examples) == ("holds", 0, 100)
    assert report.campaign == Campaign(4, 5, True, None)
    sampled, exhaustive = entry_of(report, SAMPLED), entry_of(report, EXHAUSTIVE)
    assert (sampled.examples, sampled.left_out, sampled.comparisons) == (700 + examples, 4, 12)
    assert (sampled.largest_error, exhaustive.examples, exhaustive.largest_error) == (4.0, 100, 1.0)
    assert "--round" not in sampled.reproduce
    (relu,) = (one for one in report.certificate.operations if one.operation == "relu")
    assert relu.sampled == Sampled(2, 2 * (700 + examples), 4)
    assert "4 rounds" in report.summary


def test_failure_ends_the_campaign():
    """The first round that fails is the last; the failure says how to run its round again, with the figures of all."""
    machine = Machine(round_3={"results": {SAMPLED: refuted(7), OTHER: None}})
    report = told(machine, 60)
    assert [number for number, _ in machine.asked] == [1, 2, 3]
    assert (report.verdict, exit_status(report), report.campaign.finished) == ("refuted", 1, True)
    entry = entry_of(report, SAMPLED)
    assert entry.examples == 307
    assert entry.reproduce.endswith("mine.py --examples 400 --round 3 -k activations.relu_is_the_positive_part")
    assert entry_of(report, OTHER).outcome == "held"
    told(again := Machine(), 1, resume=True)
    assert again.asked[0][0] == 3


def test_end_within_the_first_round_is_incomplete():
    """What did not run in it is not run, and there is nothing to resume."""
    report = told(Machine(round_1={"results": {OTHER: None}}), 1)
    assert (report.verdict, exit_status(report)) == ("incomplete", 1)
    assert (report.totals["not run"], report.campaign.finished) == (1, False)
    with pytest.raises(CannotRun, match="there is no campaign"):
        told(Machine(), 1, resume=True)


def test_end_within_a_later_round_takes_nothing_away():
    """What did not run in it did in the first, so that the verdict is not incomplete, also if nothing ran."""
    report = told(Machine(round_2={"results": {OTHER: None}}), 1)
    assert (report.verdict, report.campaign.rounds) == ("holds", 2)
    assert entry_of(report, OTHER).examples < entry_of(report, SAMPLED).examples
    report = told(Machine(round_2={"raises": TimeIsOver("over")}), 1)
    assert (report.verdict, exit_status(report), report.campaign.rounds) == ("holds", 0, 1)
    with pytest.raises(TimeIsOver):
        told(Machine(round_1={"raises": TimeIsOver("over")}), 1)


def test_nothing_sampled_is_one_round():
    """Where all that is selected is exhaustive a second round would say nothing."""
    lacking = finished(Record(), pytest.skip.Exception("the target has no relu"), 0.0)
    machine = Machine(round_1={"results": {SAMPLED: lacking, OTHER: lacking}})
    report = told(machine, 60)
    assert [number for number, _ in machine.asked] == [1]
    assert (report.verdict, report.campaign.finished) == ("holds", True)


@pytest.mark.parametrize("change", [{"interrupted": True, "results": {OTHER: None}}, {"raises": KeyboardInterrupt}])
def test_interrupted_campaign_says_how_to_go_on(change, capsys):
    """It ends with what was done, and goes on with the round that was interrupted, whatever that had done."""
    machine = Machine(round_2=change)
    report = told(machine, 5, keyword="a b", known="known.txt", workers=2)
    assert (report.verdict, exit_status(report)) == ("incomplete", 130)
    command = "python -m backproof mine.py -k 'a b' -n 2 --known known.txt --minutes 5 --resume"
    assert report.campaign.resume == command
    show(report)
    assert f"\n  to go on       {command}\n" in capsys.readouterr().out
    told(again := Machine(), 1, resume=True, keyword="a b")
    assert again.asked[0] == (2, 200)


def test_interrupted_first_round_cannot_be_resumed():
    """It has nothing that is kept, and says of no way to go on; before anything ran there is no report."""
    report = told(Machine(round_1={"interrupted": True, "results": {OTHER: None}}), 5)
    assert (exit_status(report), report.campaign.resume) == (130, None)


def test_resumed_campaign_adds_up():
    """With a pause between two rounds the report is that of the rounds in one go, but for the minutes given."""
    reports = [told(Machine(last=3), 9)]
    told(Machine(last=2), 5)
    reports.append(told(Machine(last=3), 4, resume=True))
    for report in reports:
        assert report.campaign.rounds == 3
        report.campaign, report.date = None, ""
    assert reports[1].properties[0].examples == 700
    assert as_json(reports[0]) == as_json(reports[1])


def test_newest_campaign_is_kept_once_its_first_round_is_done():
    """A new one takes the place of the old when it has something to resume, not before."""
    told(Machine(), 5)
    told(Machine(round_1={"interrupted": True}), 5)
    told(again := Machine(), 1, resume=True)
    assert again.asked[0][0] == 5


@pytest.mark.parametrize("change", [{"seed": 1}, {"examples": 99}, {"keyword": "relu"}, {"shard": (1, 2)}])
def test_other_options_are_refused(change):
    """A campaign is resumed with its own options alone, and what differs is said."""
    told(Machine(), 1)
    (option,) = change
    wanted = "there is no campaign" if option == "shard" else f"another -+{option[0]}"
    with pytest.raises(CannotRun, match=wanted):
        told(Machine(), 1, resume=True, **change)


@pytest.mark.parametrize(
    ("name", "value"),
    [("digest", "other"), ("layout", "CHW"), ("limits", None), ("lacking", ["relu"]), ("conventions", None)],
)
def test_other_target_is_refused(name, value):
    """Of a target that changed no more rounds are added to those of what it was."""
    told(Machine(), 1)
    machine = Machine()
    setattr(machine.found, name, value)
    with pytest.raises(CannotRun, match=r"mine.py changed since its campaign began, .*: begin a new one"):
        told(machine, 1, resume=True)


DAMAGES = {
    "is not JSON": lambda kept: "{",
    "keyword": lambda kept: json.dumps({**kept, "keyword": 1}),
    "is not a report": lambda kept: json.dumps({**kept, "report": {}}),
    "seed": lambda kept: json.dumps({**kept, "report": {**kept["report"], "seed": None}}),
    "figures are damaged   ": lambda kept: json.dumps({**kept, "report": {**kept["report"], "campaign": None}}),
    "rounds": lambda kept: json.dumps({**kept, "report": {**kept["report"], "campaign": {"minutes": 1}}}),
    "pace": lambda kept: json.dumps({**kept, "pace": [1.0]}),
    "figures are damaged ": lambda kept: json.dumps({**kept, "pace": [1.0, -1.0, 1.0]}),
    "figures are damaged  ": lambda kept: json.dumps({**kept, "pace": [1.0, 1.0, 1.0]}).replace("1.0]", "1e999]"),
}


@pytest.mark.parametrize(("message", "damage"), DAMAGES.items())
def test_damaged_state_is_refused(tmp_path, message, damage):
    """What is kept is data: of what does not fit nothing is taken."""
    told(Machine(), 1)
    path = tmp_path / "kept" / "campaigns" / "mine-py.json"
    path.write_text(damage(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")
    with pytest.raises(CannotMerge, match=message.strip()):
        told(Machine(), 1, resume=True)


def test_state_that_cannot_be_kept_costs_no_round(tmp_path):
    """Without a place to keep it the campaign runs all the same, and says of no way to resume it."""
    (tmp_path / "kept").write_text("not a folder", encoding="utf-8")
    report = told(Machine(round_3={"interrupted": True}), 5)
    assert report.campaign == Campaign(3, 5, False, None)


def test_progress_tells_round_sizes_examples_and_time():
    """In less than a line; with a report on the way, the examples of all rounds so far."""
    machine = Machine()
    told(machine, 5)
    assert machine.headings[:2] == [
        "round 1, kernels to 4×4, 300 examples, 05:00 left, ",
        "round 2, kernels to 5×5, 700 examples, 04:38 left, ",
    ]


COUNTED = (
    "import sys\n"
    "from properties.harness.campaign import rounds\n"
    "from properties.harness.run import run\n"
    "from properties.harness.report.data import as_json\n"
    "from properties.harness.report.report import Request\n"
    "most, done = int(sys.argv[1]), []\n"
    "def counted(asked, frame):\n"
    "    done.append(run.run(asked, run.Frame(check=frame.check)))\n"
    "    return done[-1]\n"
    "asked = Request('mine.py', 5, 0, 'relu')\n"
    "late = lambda: 1e9 * (len(done) >= most)\n"
    "print(as_json(rounds.campaign(asked, 1.0, 'resume' in sys.argv, run=counted, clock=late)))\n"
)


def reported(script, folder, *arguments):
    """The report that a script prints in this folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HYPOTHESIS")}
    command = [sys.executable, "-c", script, *arguments]
    process = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return valid(json.loads(process.stdout))


def counted(folder, *arguments):
    """The report of a campaign of so many real rounds, without what differs."""
    report = reported(COUNTED, folder, *arguments)
    for entry in [report, *report["properties"]]:
        entry.pop("seconds")
        entry.pop("seconds_in_target", None)
        entry.pop("date", None)
    report.pop("campaign")
    return report


@pytest.mark.slow
def test_real_rounds_resumed_are_those_of_one_go(tmp_path):
    """Killed in a later round, which alone is lost, a campaign goes on as if nothing had been."""
    reports = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "mine.py").write_text("from reference import relu, relu_derivative\n", encoding="utf-8")
    reports.append(counted(tmp_path / "one", "3"))
    process = start("mine.py", "--minutes", "9", "--examples", "5", "-k", "relu", folder=tmp_path / "two")
    path = tmp_path / "two" / ".hypothesis" / "campaigns" / "mine-py.json"
    while not path.exists() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    rounds = json.loads(path.read_text(encoding="utf-8"))["report"]["campaign"]["rounds"]
    reports.append(counted(tmp_path / "two", str(3 - rounds), "resume"))
    assert reports[0] == reports[1]
    assert reports[0]["summary"].count("3 rounds")


SIX = (
    "import reference\n"
    "from reference import conv2d\n"
    "def relu(x): return abs(x)\n"
    "def conv2d_kernel_gradient(image, kernel, upstream):\n"
    "    return reference.conv2d_kernel_gradient(image, kernel, upstream) * (1 + (len(kernel) == 6))\n"
)


@pytest.mark.slow
def test_mistake_at_a_larger_size_is_found_by_a_later_round(tmp_path):
    """The first round, an ordinary run, holds; the third refutes it on the smallest kernel, as its own command does.

    So with workers, beside a known deviation, which is known in every round, and in reports of every kind.
    """
    (tmp_path / "six.py").write_text(SIX, encoding="utf-8")
    (tmp_path / "known.txt").write_text("activations.relu_is_the_positive_part no\n", encoding="utf-8")
    asked = ["six.py", "-k", "rot90 or positive_part", "--known", "known.txt", "--examples", "40"]
    written = ["--junit", "six.xml", "--html", "six.html"]
    status, report = check(*asked, "--minutes", "9", "-n", "2", *written, folder=tmp_path)
    assert report["totals"] | {"refuted": 1, "known": 1} == report["totals"]
    assert "3 rounds" in (tmp_path / "six.html").read_text(encoding="utf-8")
    assert (tmp_path / "six.xml").is_file()
    entry = entry_of(report, "convolution.py::test_kernel_gradient_is_the_rot90_form")
    assert (status, report["verdict"], report["campaign"]["rounds"]) == (1, "refuted", 3)
    assert (entry["counterexample"]["kernel"]["shape"], entry["counterexample"]["image"]["shape"]) == ([6, 1], [6, 1])
    script = subprocess.run([sys.executable, "-c", entry["script"]], cwd=tmp_path, capture_output=True, check=False)
    assert script.returncode == 1
    again = shlex.split(entry["reproduce"])[3:]
    assert "--round" in again
    assert run(*again, folder=tmp_path)[0] == 1


LATE = (
    "import sys, time\n"
    "from pathlib import Path\n"
    "from types import SimpleNamespace\n"
    "from properties.harness.run import run\n"
    "from properties.harness.report.data import as_json\n"
    "from properties.harness.report.report import Request\n"
    "late = lambda: 11.0 if Path('under way').exists() else 0.0\n"
    "run.time = SimpleNamespace(monotonic=late, perf_counter=time.perf_counter)\n"
    "print(as_json(run.run(Request('slow.py', 20, 0, 'relu'), run.Frame(until=10.0))))\n"
)
SLOW = (
    "import itertools, time\n"
    "calls = itertools.count()\n"
    "def relu(x):\n"
    "    if next(calls) == 200:\n"
    "        open('under way', 'w').close()\n"
    "        time.sleep(60)\n"
    "    return x * (x > 0)\n"
)


def test_end_of_the_time_is_no_interruption(tmp_path):
    """A run that it ends in the midst of a property reports those before; the others are not run."""
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    report = reported(LATE, tmp_path)
    assert report["interrupted"] is False
    assert report["totals"]["held"] > 0
    assert report["totals"]["not run"] > 0
    assert report["totals"]["crashed"] == 0
