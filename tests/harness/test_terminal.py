"""The report on a real terminal, and where there is none."""

import os
import re
import subprocess
import sys
from contextlib import suppress

import pytest

from properties.harness.report import as_json
from tests.harness.test_page import failure, report_of

SHOW = "import json, sys; from properties.harness.terminal import show; show(json.load(open(sys.argv[1])))"
COLOR = re.compile(r"\x1b\[[0-9;]*3[1-7]m")


@pytest.fixture
def report(tmp_path):
    """A refuted target's report as a file."""
    path = tmp_path / "report.json"
    path.write_text(as_json(report_of(TIES=failure())), encoding="utf-8")
    return path


def on_terminal(report, **environment):
    """What is written to a terminal of 80 columns."""
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    with subprocess.Popen(
        [sys.executable, "-c", SHOW, report], stdout=theirs, env={**clean, "TERM": "xterm-256color", **environment}
    ):
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # which is how the end of a terminal shows
            while read := os.read(ours, 10_000):
                shown += read
    return shown.decode()


def test_terminal_has_colors(report):
    """On a terminal the outcome is red."""
    assert COLOR.search(on_terminal(report))


def test_no_color_is_respected(report):
    """With NO_COLOR there are none, on a terminal too."""
    shown = on_terminal(report, NO_COLOR="1")
    assert "REFUTED" in shown
    assert not COLOR.search(shown)


def test_pipe_has_no_escapes(report):
    """What is piped into a file is plain text."""
    plain = subprocess.run([sys.executable, "-c", SHOW, report], capture_output=True, text=True, check=True).stdout
    assert "REFUTED" in plain
    assert "\x1b" not in plain


def test_80_columns_are_enough(report):
    """No line but the command to repeat it is wider, and arrays are aligned, the wrong entries starred."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(report)).splitlines()
    assert max(len(line) for line in lines if "again with" not in line) <= 80
    assert "  yours          [[*1., *1.]]" in lines
