"""Settings of the suite's own tests: statements run as the command runs them, with the same first seed."""

import hypothesis
import hypothesis.core
import pytest

from properties.harness.plugin import PROFILE, register_profile


@pytest.fixture(autouse=True)
def _outside_of_github(monkeypatch):
    for name in ("GITHUB_ACTIONS", "GITHUB_WORKSPACE", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _same_examples_every_time(monkeypatch):
    register_profile(100)  # some tests run a session in this process, with a budget of their own
    hypothesis.settings.load_profile(PROFILE)
    monkeypatch.setattr(hypothesis.core, "global_force_seed", 0)
