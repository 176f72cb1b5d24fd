"""What HypoFuzz needs of the plugin: it collects the statements, and calls them itself after the session."""

import os
import subprocess
import sys
from pathlib import Path

from tests.test_command import TIE_ERROR, TIES

FOLDER = Path(os.environ["BACKPROOF_AS_INSTALLED"]) / "backproof"
COLLECTED = f"""
import hypothesis, pytest
from backproof.harness.checking.trial import current

class Collector:
    def pytest_collection_finish(self, session):
        (self.item,) = session.items

collector = Collector()
options = ["-c", "/dev/null", "--rootdir={FOLDER}", "--collect-only", "-q", "-p", "backproof.harness.run.plugin"]
pytest.main([*options, "--target", "mine.py", "{FOLDER}/pooling.py", "-k", "{TIES}"], plugins=[collector])
statement = collector.item.obj
assert statement.is_hypothesis_test, "HypoFuzz leaves it out"
assert statement.settings.database == hypothesis.settings().database, "HypoFuzz leaves it out"
assert hypothesis.HealthCheck.nested_given not in statement.settings.suppress_health_check, "HypoFuzz leaves it out"
assert collector.item.get_closest_marker("parametrize"), "Hypothesis keeps its failures by another key than HypoFuzz"
assert current().target.name == "mine.py", "the target is not on trial any more"
assert current().points(False) == 1, "it would see the cases of several tapes as that of one"
"""


def test_collected_statement_is_one_to_fuzz(tmp_path):
    """The target stays on trial, its database is the one in force, and failures have the same key in it."""
    (tmp_path / "mine.py").write_text(TIE_ERROR, encoding="utf-8")
    process = subprocess.run(
        [sys.executable, "-c", COLLECTED],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
