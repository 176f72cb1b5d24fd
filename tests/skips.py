"""A pytest plugin that keeps what a run skips: `--skipped` runs that and lets nothing be skipped."""

import pytest

_LAST = "backproof/skipped"  # where pytest's cache has what the last run skipped


class _Skipped:
    """Keeps the ids of what a run skips; with `--skipped` these alone are run, and to skip one is to fail."""

    def __init__(self, config):
        self.config, self.ids = config, set()
        self.again = set(config.cache.get(_LAST, [])) if config.getoption("--skipped") else None

    def pytest_collection_modifyitems(self, items):
        if self.again is not None:
            if missing := self.again - {item.nodeid for item in items}:
                raise pytest.UsageError(f"skipped by the last run, and not there to be run: {sorted(missing)}")
            self.config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in self.again])
            items[:] = [item for item in items if item.nodeid in self.again]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self):
        report = yield
        if self.again is not None and report.skipped:
            report.outcome, report.longrepr = "failed", f"nothing may be skipped here: {report.longrepr[2]}"
        return report

    def pytest_runtest_logreport(self, report):
        self._keep(report)

    def pytest_collectreport(self, report):
        self._keep(report)

    def _keep(self, report):
        if report.skipped:
            self.ids.add(report.nodeid)

    def pytest_sessionfinish(self):
        if self.again is None and not hasattr(self.config, "workerinput"):
            self.config.cache.set(_LAST, sorted(self.ids))


def pytest_addoption(parser):
    """The option for what another machine or environment could not run."""
    parser.addoption("--skipped", action="store_true", help="run what the last run skipped, and let nothing be skipped")


def pytest_configure(config):
    """Every process of a run keeps an eye on what is skipped."""
    config.pluginmanager.register(_Skipped(config))
