"""The theorems of proofs/ are proved, and linked with the statements whose formulas they are."""

import re
import shutil
import subprocess

import pytest

from properties.harness.checking.properties import all_properties
from tests.pages import README, ROOT

PROOFS = ROOT / "proofs"
FILES = {path.name: path.read_text(encoding="ascii") for path in PROOFS.glob("*.v")}
THEOREMS = {
    f"proofs/{name}, {theorem}" for name, text in FILES.items() for theorem in re.findall(r"^Theorem (\w+)", text, re.M)
}
ROW = re.compile(
    r"^\| (?P<claim>.+) \| \[(?P<file>\w+\.v)\]\(proofs/(?P=file)\): (?P<theorems>.+) \| (?P<properties>.+) \|$", re.M
)
ROWS = [row.groupdict() for row in ROW.finditer(README)]
NONE_YET = "none yet"
NAMED_BY: dict[str, set[str]] = {}
for entry in all_properties().values():  # of a statement about several operations all instances together
    NAMED_BY.setdefault(entry.id.partition("[")[0], set()).update(entry.theorems)


def quoted(cell):
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def check(folder):
    """The status of the check of a folder's proofs, and the lines that it prints."""
    process = subprocess.run([folder / "check"], capture_output=True, text=True, check=False)
    return process.returncode, process.stdout.splitlines()


@pytest.fixture(scope="module")
def coq():
    """Coq is installed, or the test is skipped."""
    if not shutil.which("coqc"):
        pytest.skip("coqc is not installed")


@pytest.mark.slow
@pytest.mark.usefixtures("coq")
def test_every_theorem_is_proved():
    """Coq accepts all proofs, and no theorem rests on more than the libraries' reals; the algebra rests on nothing."""
    status, lines = check(PROOFS)
    rests = dict(line.split(": ") for line in lines)
    assert status == 0
    assert {f"proofs/{name.replace('.', '.v, ')}" for name in rests} == THEOREMS
    for name, axioms in rests.items():
        needs_reals = re.search(r"\brealType\b", FILES[f"{name.partition('.')[0]}.v"])
        assert axioms == "no axiom" or needs_reals, name


@pytest.mark.slow
@pytest.mark.usefixtures("coq")
@pytest.mark.parametrize(
    ("proof", "lacking"),
    [("Admitted.", "wrong"), ("Proof. exact: one_is_two. Qed.", "one_is_two"), ("Proof. by []. Qed.", None)],
    ids=["admitted", "axiom", "no proof"],
)
def test_what_is_not_proved_is_refused(tmp_path, proof, lacking):
    """A theorem that is admitted, that rests on an axiom of its own, or whose proof proves nothing fails the check."""
    shutil.copy(PROOFS / "check", tmp_path)
    assumed = "Axiom one_is_two : 1 = 2.\n" if lacking == "one_is_two" else ""
    source = f"From mathcomp Require Import all_ssreflect.\n{assumed}Theorem wrong : 1 = 2.\n{proof}\n"
    (tmp_path / "wrong.v").write_text(source, encoding="ascii")
    status, lines = check(tmp_path)
    assert status == 1
    assert [line.split() for line in lines] == ([["wrong.wrong:", lacking]] if lacking else [])


def test_named_theorems_exist():
    """Whatever a statement's docstring names is a theorem in that file."""
    assert set().union(*NAMED_BY.values()) <= THEOREMS


def test_every_theorem_is_named():
    """The README's table has every theorem, and its rows have the properties that name these theorems."""
    assert {f"proofs/{row['file']}, {theorem}" for row in ROWS for theorem in quoted(row["theorems"])} == THEOREMS
    for row in ROWS:
        names = [NAMED_BY[name.partition("[")[0]] for name in quoted(row["properties"])]
        theorems = {f"proofs/{row['file']}, {theorem}" for theorem in quoted(row["theorems"])}
        assert set().union(*names) == (set() if row["properties"] == NONE_YET else theorems), row["claim"]
        assert all(names), row["claim"]


def test_every_property_that_names_theorems_is_listed():
    """A property of the README's table stands for all that name its theorems."""
    listed = {name.partition("[")[0] for row in ROWS for name in quoted(row["properties"])}
    assert {name for name, theorems in NAMED_BY.items() if theorems} == listed


def test_instances_name_their_own_theorem():
    """Of a statement about several activations each instance names the theorem about its own."""
    theorems = {entry.id: entry.theorems for entry in all_properties().values()}
    step, times = "smooth_derivative_is_the_complex_step", "gradient_is_upstream_times_the_derivative"
    assert theorems[f"activations.{step}[tanh_derivative]"] == ("proofs/activations.v, tanh_derivative",)
    assert theorems[f"activation_gradients.{times}[tanh_gradient]"] == ("proofs/activations.v, tanh_derivative",)


@pytest.mark.parametrize("name", sorted(FILES))
def test_theorems_are_explained_above(name):
    """Above every theorem and lemma stand words that say it."""
    lines = FILES[name].splitlines()
    for number, line in enumerate(lines):
        if re.match(r"Theorem|Lemma", line):
            assert lines[number - 1].endswith("*)"), line
