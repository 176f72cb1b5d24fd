"""The report as JUnit XML is what its consumers take."""

import io
import subprocess
import sys
import tarfile

import junitparser
import pytest
import xmlschema
from msgspec.structs import replace

from properties.harness.report.report import as_junit
from tests.harness.report.test_report import CRASH, HELD, HOSTILE, MISSING, RELU, TIES, refuted, report_of

SCHEMA = "testing/example_scripts/junit-10.xsd"
KNOWN = replace(refuted(), outcome="known", message=f"noisy {HOSTILE}\ud800\ufffe\r\n")
EVERY_KIND = {
    TIES: refuted(),
    RELU: HELD,
    "activations.py::test_relu_derivative_is_the_step": CRASH,
    "pooling.py::test_max_pool_is_the_maximum": MISSING,
    "pooling.py::test_gradient_obeys_eulers_identity": KNOWN,
    "dense.py::test_dense_is_the_weighted_sum": None,
}


@pytest.fixture(scope="module")
def schema(request, tmp_path_factory):
    """The schema of Jenkins' xUnit plugin, as pytest has it among its own tests: fetched once, with its source."""
    cache = getattr(request.config, "cache", None)
    folder = cache.mkdir(f"pytest-{pytest.__version__}") if cache else tmp_path_factory.mktemp("pytest")
    archive = folder / f"pytest-{pytest.__version__}.tar.gz"
    if not archive.exists():
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", "pytest", "-d", str(folder)]
        asked = subprocess.run([*command, f"pytest=={pytest.__version__}"], capture_output=True, text=True, check=False)
        if asked.returncode:
            pytest.skip(f"pytest's source cannot be had: {asked.stderr.strip().splitlines()[-1]}")
    with tarfile.open(archive) as source:
        return xmlschema.XMLSchema(source.extractfile(f"{archive.name.removesuffix('.tar.gz')}/{SCHEMA}").read())


@pytest.mark.parametrize(
    "report",
    [report_of(EVERY_KIND), report_of(EVERY_KIND, interrupted=True), report_of({RELU: HELD}), report_of({})],
    ids=["every kind", "interrupted", "holds", "empty"],
)
def test_jenkins_takes_it(schema, report):
    """The document fits the schema of Jenkins' xUnit plugin, for every kind of outcome, however hostile the words."""
    schema.validate(io.BytesIO(as_junit(report)))


def test_schema_refuses_what_does_not_fit(schema):
    """The schema that the test holds the document to has teeth."""
    assert not schema.is_valid(io.BytesIO(as_junit(report_of(EVERY_KIND)).replace(b"classname", b"place")))


def test_parser_reads_each_outcome():
    """A library that reads such reports finds each property with its outcome, and the totals."""
    (suite,) = junitparser.JUnitXml.fromstring(as_junit(report_of(EVERY_KIND)))
    kinds = {case.name: [type(result).__name__ for result in case.result] for case in suite}
    assert kinds == {
        "gradient_at_ties_is_a_subgradient": ["Failure"],
        "relu_is_the_positive_part": [],
        "relu_derivative_is_the_step": ["Error"],
        "max_pool_is_the_maximum": ["Skipped"],
        "gradient_obeys_eulers_identity": ["Skipped"],
        "dense_is_the_weighted_sum": ["Skipped"],
    }
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (6, 1, 1, 3)


def test_words_of_strangers_are_kept_readable():
    """What XML cannot hold is written as an escape, the rest as it is."""
    (suite,) = junitparser.JUnitXml.fromstring(as_junit(report_of(EVERY_KIND)))
    messages = {case.name: case.result[0].message for case in suite if case.result}
    assert messages["gradient_at_ties_is_a_subgradient"] == r"in 1 of 1 window <script>alert(1)</script>\x1b[31m[bold]"
    assert messages["gradient_obeys_eulers_identity"].endswith("\\ud800\\ufffe\\r\n")
