"""Merged, the reports of a campaign's shards are the report of the whole; what does not fit is refused."""

import json
import re
from pathlib import Path

import pytest

from properties.harness.campaign.merge import merge as merged_report
from properties.harness.campaign.parts import CannotMerge
from properties.harness.report.data import Campaign, Merged, as_json
from properties.harness.report.report import exit_status
from properties.harness.report.results import NO_LONGER_FAILS
from properties.harness.report.terminal import notes
from properties.harness.run.verdict import COMPARED_NOTHING, TOO_FEW
from tests.reports import entry_of, valid
from tests.test_command import check, run

pytestmark = pytest.mark.slow

NUMBERS = (1, 2, 3)
PAIRS = "exact.conv2d_on_every_pair_of_basis_vectors"
WRONG = (
    "import reference\n"
    "def conv2d(image, kernel):\n"
    "    return reference.conv2d(image, kernel) + (image.shape == (2, 4) and kernel.shape == (1, 3))\n"
)


def merge(paths):
    """The report of these shards, which fits the schema."""
    return valid(merged_report(paths))


def shards_of(folder, *arguments, of=3):
    """The paths of the shards' reports on a target, and the exit statuses."""
    made = [
        run(*arguments, "--shard", f"{number}/{of}", "--json", f"{number}.json", folder=folder)
        for number in range(1, of + 1)
    ]
    assert all(errors == "" for _, _, errors in made)
    return [str(folder / f"{number}.json") for number in range(1, of + 1)], [status for status, _, _ in made]


@pytest.fixture(scope="session")
def campaign(once):
    """The reports of the reference's three shards, and the report of the same campaign without shards."""

    def make(folder):
        asked = ["reference", "--examples", "10", "-k", "exact or relu"]
        paths, statuses = shards_of(folder, *asked)
        assert statuses == [0, 0, 0]
        (folder / "whole").mkdir()
        return paths, check(*asked, folder=folder / "whole")[1]

    return once("campaign", make)


def loaded(path):
    """The report in this file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def changed(path, folder, change):
    """A copy of a report with something changed in it."""
    report = loaded(path)
    change(report)
    copy = folder / "changed.json"
    copy.write_text(json.dumps(report), encoding="utf-8")
    return str(copy)


def changing(path, folder, id_, **fields):
    """A copy of a report with something changed in this property's entry."""
    return changed(path, folder, lambda report: next(e for e in report["properties"] if e["id"] == id_).update(fields))


def test_figures_add_up_to_the_whole(campaign):
    """Exhaustive properties have the same entries as without shards, proofs too; of sampled ones as many examples."""
    paths, whole = campaign
    merged = json.loads(as_json(merge(paths)))
    assert (merged["verdict"], merged["totals"]) == (whole["verdict"], whole["totals"])
    for mine, other in zip(merged["properties"], whole["properties"], strict=True):
        exhaustive = mine["id"].startswith("exact.")
        names = mine.keys() - {"seconds", "seconds_in_target"} if exhaustive else ("examples", "outcome", "reproduce")
        assert {name: mine[name] for name in names} == {name: other[name] for name in names}
    proved = [[one["proved"] for one in report["certificate"]["operations"]] for report in (merged, whole)]
    assert proved[0] == proved[1]
    assert merged["tried"]["patterns"] == whole["tried"]["patterns"]


def test_order_does_not_matter(campaign):
    """However the files are ordered, the merged report is the same, to the byte."""
    paths, _ = campaign
    assert as_json(merge(paths)) == as_json(merge(reversed(paths))) == as_json(merge([paths[1], paths[2], paths[0]]))


def test_pattern_stands_for_its_files(campaign):
    """A pattern names the reports that fit it, as it does where a shell expands it; one that fits none is refused."""
    paths, _ = campaign
    folder = Path(paths[0]).parent
    assert as_json(merge([str(folder / "[0-9].json")])) == as_json(merge(paths))
    with pytest.raises(CannotMerge, match="cannot read part"):
        merge(["part-*.json"])


def test_samples_of_shards_differ(tmp_path):
    """Each shard draws from a stream of its own, and says how to draw it again."""
    asked = ["reference", "--examples", "91", "-k", "parts_its"]
    reports = [loaded(path) for path in shards_of(tmp_path, *asked)[0]]
    entries = [entry_of(report, "activations.relu_parts_its_argument") for report in reports]
    assert [entry["examples"] for entry in entries] == [31, 30, 30]
    assert all(f"--shard {number}/3 -k" in entry["reproduce"] for number, entry in enumerate(entries, start=1))
    assert reports[1]["tried"]["shapes"] != reports[2]["tried"]["shapes"]


def test_one_of_one_is_no_shard(tmp_path):
    """With `--shard 1/1` the report is the one without, but for the seconds."""
    asked = ["reference", "--examples", "10", "-k", "relu"]
    reports = [check(*asked, *more, folder=tmp_path)[1] for more in ((), ("--shard", "1/1"))]
    for one in [*reports, *(entry for report in reports for entry in report["properties"])]:
        one.pop("seconds")
        one.pop("seconds_in_target", None)
        one.pop("date", None)
    assert reports[0] == reports[1]


def test_what_one_shard_sees_refutes_the_whole(tmp_path):
    """A formula that is wrong in one exhaustive case is refuted by one shard, and so by all together."""
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    paths, statuses = shards_of(tmp_path, "wrong.py", "-k", PAIRS, "--examples", "30")
    assert sorted(statuses) == [0, 0, 1]
    status, output, errors = run("merge", *paths, "--json", "merged.json", folder=tmp_path)
    assert (status, errors) == (1, "")
    assert "REFUTED  conv2d  exact.conv2d_on_every_pair_of_basis_vectors" in output
    assert f"--shard {statuses.index(1) + 1}/3 -k {PAIRS}" in output
    assert (tmp_path / "merged-failures" / f"{PAIRS}.py").exists()
    entry = entry_of(loaded(tmp_path / "merged.json"), PAIRS)
    assert (entry["outcome"], entry["counterexample"]["image"]["shape"]) == ("refuted", [2, 4])


def test_consequence_of_what_another_shard_knows_is_known(tmp_path):
    """A shard in which the layer's known deviation does not show tells of a failure; the whole knows its cause."""
    kinks, known = "network.gradients_at_kinks_are_conservative", "exact.gradient_at_every_set_of_maxima"
    (tmp_path / "known.txt").write_text(f"{known} mask repeat\n", encoding="utf-8")
    asked = ["-k", f"{kinks} or {known}", "--examples", "60", "--known", "known.txt"]
    paths, statuses = shards_of(tmp_path, "reference.notebook", *asked)
    blind = loaded(tmp_path / paths[0])
    for name, outcome in ((known, "held"), (kinks, "refuted")):
        entry_of(blind, name).update(outcome=outcome, message="the sum is wrong")
    (tmp_path / paths[0]).write_text(json.dumps(blind), encoding="utf-8")
    entry = entry_of(merge(paths), kinks)
    assert statuses == [0, 0, 0]
    assert (entry.outcome, entry.message) == ("known", "a consequence of max_pool_gradient, known: mask repeat")


def test_known_deviation_is_held_to_the_whole(tmp_path):
    """It is known if it fails in some shard; if in none, that it no longer fails is told once all are merged."""
    for text, expected in ((WRONG, (0, "known")), ("from reference import conv2d\n", (1, "refuted"))):
        (tmp_path / "mine.py").write_text(text, encoding="utf-8")
        (tmp_path / "known.txt").write_text(f"{PAIRS} one shape\n", encoding="utf-8")
        paths, statuses = shards_of(tmp_path, "mine.py", "-k", PAIRS, "--examples", "30", "--known", "known.txt")
        merged = merge(paths)
        assert statuses == [0, 0, 0]
        assert (exit_status(merged), entry_of(merged, PAIRS).outcome) == expected
    assert entry_of(merged, PAIRS).message == NO_LONGER_FAILS


def test_missing_shards_are_told(campaign, tmp_path):
    """Without all shards the verdict is incomplete, and nothing is proved but of those that are there."""
    status, output, errors = run("merge", campaign[0][1], folder=tmp_path)
    assert (status, errors) == (1, "")
    assert "incomplete: shards 1, 3 of 3 are missing" in output
    assert "reference: incomplete (" in output.splitlines()[-1]
    assert "without shards 1, 3 of 3" in output.splitlines()[-1]
    assert "right exactly in shard 2 of 3" in output
    assert "proved exactly" not in output
    merged = merge(campaign[0][:2])
    assert merged.merged == Merged(3, [3])
    assert entry_of(merged, PAIRS).proof.part == "shards 1, 2 of 3"


def test_interrupted_shard_leaves_the_whole_incomplete(campaign, tmp_path):
    """What one shard did not run is not run, whatever the others say of it."""

    def interrupt(report):
        report["interrupted"] = True
        entry_of(report, PAIRS).update(outcome="not run", proof=None)

    merged = merge([*campaign[0][:2], changed(campaign[0][2], tmp_path, interrupt)])
    assert (merged.verdict, exit_status(merged)) == ("incomplete", 130)
    assert entry_of(merged, PAIRS).outcome == "not run"
    (conv2d,) = (one for one in merged.certificate.operations if one.operation == "conv2d")
    assert PAIRS not in [proof.id for proof in conv2d.proved]


def test_smallest_counterexample_is_kept(campaign, tmp_path):
    """Of several shards' the one with the fewest entries is told, of two as small the first shard's."""
    paths = []
    for number, (path, sides) in enumerate(zip(campaign[0], ([3, 3], [2, 2], [1, 4]), strict=True), start=1):
        (tmp_path / str(number)).mkdir()
        case = {"image": {"dtype": "float64", "shape": sides, "data": []}}
        fields = {"outcome": "refuted", "counterexample": case, "message": f"by {number}"}
        paths.append(changing(path, tmp_path / str(number), PAIRS, **fields))
    assert entry_of(merge(paths), PAIRS).message == "by 2"
    assert as_json(merge(reversed(paths))) == as_json(merge(paths))


def test_comparing_nothing_in_all_shards_is_a_defect(campaign, tmp_path):
    """What every shard leaves to the others, though it had cases, has compared nothing at all."""
    paths = []
    for number, path in enumerate(campaign[0]):
        (tmp_path / str(number)).mkdir()
        fields = {"outcome": "not applicable", "note": "left to other parts", "comparisons": 0}
        paths.append(changing(path, tmp_path / str(number), PAIRS, **fields))
    entry = entry_of(merge(paths), PAIRS)
    assert (entry.outcome, entry.message) == ("not applicable", TOO_FEW)
    assert entry_of(merge([*paths[:2], campaign[0][2]]), PAIRS).outcome == "held"
    for path in paths:
        changed(path, Path(path).parent, lambda report: report.update(examples=300))
    entry = entry_of(merge(paths), PAIRS)
    assert (entry.outcome, entry.message) == ("crashed", COMPARED_NOTHING)


def test_few_examples_hold_in_parts_and_as_a_whole(tmp_path):
    """What holds in every part holds when they are merged, also where no example had anything to compare."""
    asked = ["reference", "--examples", "4", "-k", "commutes_with_shifts or relu_is"]
    paths, statuses = shards_of(tmp_path, *asked, of=4)
    assert statuses == [0, 0, 0, 0]
    merged = merge(paths)
    assert (merged.verdict, exit_status(merged)) == ("holds", 0)
    assert entry_of(merged, "convolution.conv2d_commutes_with_shifts").message == TOO_FEW


def test_part_with_nothing_to_check_does_not_hold(tmp_path):
    """A part to which nothing to compare falls is incomplete, and nothing against the target."""
    asked = ["reference", "--examples", "4", "--shard", "4/4", "-k", "commutes_with_shifts"]
    status, report = check(*asked, folder=tmp_path)
    assert (status, report["verdict"]) == (0, "incomplete")


ROUNDS = {"rounds": 1, "minutes": 1.0, "finished": True, "resume": None}
DIFFERENT = {
    "target": lambda report: report.update(target="other"),
    "seed": lambda report: report.update(seed=1),
    "number of examples": lambda report: report.update(examples=100),
    "number of shards": lambda report: report.update(shard=[3, 4]),
    "round": lambda report: report.update(round=2),
    "way of running: with --minutes": lambda report: report.update(campaign=ROUNDS),
    "version of backproof": lambda report: report["versions"].update(backproof="9"),
    "choice of properties": lambda report: report["properties"].pop(),
    "set of operations": lambda report: report.update(lacking=["conv2d"]),
    "layout": lambda report: report.update(layout="NCHW"),
    "set of limits": lambda report: report["limits"].update(kernels="square"),
    "set of conventions": lambda report: report["conventions"].update(ties="last"),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_other_campaign_is_refused(campaign, tmp_path, what):
    """Reports that differ in what makes a campaign are not merged, and it is said in what."""
    foreign = changed(campaign[0][2], tmp_path, DIFFERENT[what])
    with pytest.raises(CannotMerge, match=re.escape(f"are not of one campaign: another {what}")):
        merge([campaign[0][0], foreign])


NO_REPORT = {
    "is not JSON": "{",
    "is not JSON ": '{"schema_version": 1, "seconds": NaN}',
    "is not a report of backproof's": "[]",
    "is not a report of backproof's, ": '{"schema_version": 2}',
    "is not a whole report: Object missing required field `target`": '{"schema_version": 1}',
}


@pytest.mark.parametrize(("message", "text"), NO_REPORT.items())
def test_no_report_is_refused(tmp_path, message, text):
    """What is no report, or of another schema, is told in one line, with status 2."""
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    status, output, errors = run("merge", "x.json", folder=tmp_path)
    assert (status, output, errors.count("\n")) == (2, "", 1)
    assert errors.startswith(f"backproof: x.json {message.strip()}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda report: report.update(shard=[4, 3]), "is of no shard: I/N with whole numbers"),
        (lambda report: report.update(shard=[3, 10**8]), "is of no shard: 100000000 would not have an example each"),
        (
            lambda report: report["properties"][0].update(outcome="fine"),
            "Invalid enum value 'fine' - at `$.properties[0].outcome`",
        ),
        (
            lambda report: report["properties"][0].pop("proof"),
            "missing required field `proof` - at `$.properties[0]`",
        ),
        (lambda report: report["properties"].append(1), "is not a whole report: Expected `object`, got `int`"),
        (lambda report: report.update(merged={"shards": 3, "missing": []}), "was merged already"),
    ],
)
def test_damaged_report_is_refused(campaign, tmp_path, change, message):
    """A report that lacks something, has what none has, or is the whole already, is no shard's."""
    with pytest.raises(CannotMerge, match=re.escape(message)):
        merge([changed(campaign[0][0], tmp_path, change)])


def test_campaigns_of_several_rounds_are_merged(campaign, tmp_path):
    """Rounds and minutes of all shards add up; the whole is incomplete if one did not finish its first round."""
    paths = []
    for number, path in enumerate(campaign[0], start=1):
        (tmp_path / str(number)).mkdir()
        about = {"rounds": number, "minutes": 1.5, "finished": number < 3, "resume": None}
        paths.append(changed(path, tmp_path / str(number), lambda report, about=about: report.update(campaign=about)))
    merged = merge(paths)
    assert merged.campaign == Campaign(6, 4.5, False, None)
    assert (merged.verdict, merge([campaign[0][0]]).campaign) == ("incomplete", None)


def test_shard_that_comes_twice_is_refused(campaign, tmp_path):
    """The same shard's report a second time is refused in one line."""
    first = campaign[0][0]
    status, output, errors = run("merge", first, first, folder=tmp_path)
    assert (status, output) == (2, "")
    assert errors == f"backproof: {first} and {first} are both of shard 1/3\n"
    assert run("merge", "none.json", folder=tmp_path)[2] == (
        "backproof: cannot read none.json: No such file or directory\n"
    )


def test_versions_that_differ_are_all_named(campaign, tmp_path):
    """Shards may run on machines with other versions of what backproof stands on; the report has them all."""
    other = changed(campaign[0][2], tmp_path, lambda report: report["versions"].update(numpy="9.9"))
    merged = merge([*campaign[0][:2], other])
    assert merged.versions["numpy"].endswith(", 9.9")
    assert merged.verdict == "holds"
    assert not any("missing" in line for line in notes(merged))


def test_date_is_that_of_the_last_shard(campaign, tmp_path):
    """Shards may run at different times, and be given in any order; the whole is as old as its newest part."""
    other = changed(campaign[0][0], tmp_path, lambda report: report.update(date="2999-01-01T00:00:00+00:00"))
    assert merge([other, *campaign[0][1:]]).date == "2999-01-01T00:00:00+00:00"


def test_shard_without_cases_is_no_failure(tmp_path):
    """Of more shards than cases some have nothing to do: they end with 0, and all together hold."""
    paths, statuses = shards_of(
        tmp_path, "reference", "-k", "leaves_its_surroundings and relu and not gradient and not leaky", of=4
    )
    reports = [loaded(path) for path in paths]
    assert statuses == [0, 0, 0, 0]
    assert reports[3]["totals"]["not applicable"] == len(reports[3]["properties"]) == 2
    assert merge(paths).totals["held"] == 2


def test_target_may_be_called_merge(tmp_path):
    """`merge` is a command, `./merge.py` a target of that name."""
    (tmp_path / "merge.py").write_text("from reference import relu\n", encoding="utf-8")
    assert check("./merge.py", "--examples", "5", "-k", "positive_part", folder=tmp_path)[0] == 0
    assert run("merge", folder=tmp_path)[2] == (
        "backproof: the following arguments are required: REPORT.json (see --help)\n"
    )
