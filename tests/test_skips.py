"""What a run skips can be run by the next one, which lets nothing be skipped."""

import pytest

pytest_plugins = ["pytester"]
TESTS = """
import pathlib, pytest

@pytest.mark.skipif(not pathlib.Path("library").exists(), reason="no library")
def test_library(): pass

def test_in_part():
    if not pathlib.Path("library").exists():
        pytest.skip("no library")

def test_other(): pass
"""


def run(pytester, *options):
    """The outcome of the tests in this folder, with the plugin."""
    return pytester.runpytest("-p", "tests.skips", *options)


@pytest.mark.parametrize("workers", ["0", "1"])
def test_skipped_are_run_and_must_not_be_skipped_again(pytester, workers):
    """`--skipped` runs what was skipped and nothing else; it fails as long as any of that is skipped."""
    pytester.makepyfile(TESTS)
    run(pytester, "-n", workers).assert_outcomes(passed=1, skipped=2)
    for _ in range(2):
        failing = run(pytester, "-n", workers, "--skipped")
        failing.assert_outcomes(failed=1, errors=1)
        failing.stdout.fnmatch_lines(["*nothing may be skipped here: Skipped: no library"])
    (pytester.path / "library").touch()
    run(pytester, "-n", workers, "--skipped").assert_outcomes(passed=2)


def test_what_was_skipped_must_be_there(pytester):
    """A file that was skipped as a whole, so that nobody knows its tests, is an error with `--skipped`."""
    pytester.makepyfile("import pytest\npytest.skip('nothing', allow_module_level=True)\n")
    run(pytester, "-n", "0").assert_outcomes(skipped=1)
    result = run(pytester, "-n", "0", "--skipped")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*skipped by the last run, and not there to be run: *test_what_was_skipped*"])
