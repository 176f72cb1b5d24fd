"""The report on a real terminal, and where there is none."""

import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from properties.harness.checking.trial import Record
from properties.harness.core.reason import Reason
from properties.harness.report.data import Conventions, Definition, as_json
from properties.harness.report.results import finished
from properties.harness.report.terminal import WIDTH, brief, notes, overview_lines
from properties.harness.target.definitions import in_repository
from properties.harness.target.operation import Crashed
from properties.layers import OPERATIONS
from tests.harness.report.test_page import failure, report_of

HELD = finished(Record(100, 2, 400, 0.25), None, 0.1)
SHOW = """import sys
from properties.harness.campaign.parts import checked, read_json
from properties.harness.report.terminal import show
show(checked("", read_json(sys.argv[1])))"""
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


def crash(message="no"):
    """What comes of an operation that raised."""
    try:
        raise ValueError(message)
    except ValueError as error:
        return finished(Record(1, 0, 0), Crashed("relu", error), 0.1)


def test_failing_report_begins_with_an_overview(report):
    """Before the table stands what is wrong with each operation, with its cause and how to mend it."""
    first, second, third, *rest = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(report)).splitlines()
    assert first == "what is wrong"
    assert second.split(maxsplit=1) == ["max_pool_gradient", "mask repeat: It is whole on each: `g = 1`."]
    assert third.split() == ["mend:", "share", "it", "out."]
    assert rest[0] == ""
    assert rest[1].startswith("operation ")


def test_overview_has_two_lines_of_80_columns_for_an_operation():
    """However much there is to say, it is cut; a place that is long has a line of its own."""
    told = report_of(TIES=failure(diagnosis=(Reason("long " * 40, mend="much " * 40),)), RELU=crash("x" * 300))
    told.definitions = {"max_pool_gradient": Definition("mine.py", 7, [])}
    lines = overview_lines(told)
    assert max(len(line) for line in lines) <= WIDTH
    ties = next(number for number, line in enumerate(lines) if line.startswith("max_pool_gradient"))
    assert lines[ties].endswith("…")
    assert lines[ties + 1].startswith(f"{'  mine.py:7':24}mend: much much")
    told.definitions = {"max_pool_gradient": Definition("/far/away/from/here/mine.py", 7, [])}
    place, mend = overview_lines(told)[ties + 1 : ties + 3]
    assert place == "  /far/away/from/here/mine.py:7"
    assert mend.startswith(" " * 24 + "mend: much")


def test_crash_says_where():
    """The overview and the failure have the file and line that raised, and its code."""
    told = report_of(RELU=crash())
    place = told.properties[0].frames[-1]
    assert overview_lines(told) == [
        "relu                    relu raised ValueError: no",
        f"  {in_repository(Path(__file__))}:{place.line}",
    ]
    assert place.code == "raise ValueError(message)"


def test_report_that_holds_has_no_overview():
    """It begins with the table."""
    assert overview_lines(report_of(RELU=HELD)) == []
    assert brief(report_of(RELU=HELD)).startswith("conventions: ")


def test_conventions_of_what_is_not_offered():
    """What a target lacks is not looked for; what it offers may be impossible to find out."""
    told = report_of(RELU=HELD)
    told.conventions = Conventions(None, None, None, "float64")
    told.lacking = list(OPERATIONS)
    none = "conventions: convolution not offered; pooling ties: not offered; ReLU'(0): not offered; float64"
    assert none in notes(told)
    told.lacking = []
    assert none.replace("offered", "found") in notes(told)
    told.lacking = [name for name in OPERATIONS if name != "gradients"]
    assert none.replace("convolution not offered", "convolution not found") in notes(told)


def test_80_columns_are_enough(report):
    """No line but the command to repeat it is wider, and arrays are aligned, the wrong entries starred."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(report)).splitlines()
    assert max(len(line) for line in lines if "again with" not in line) <= 80
    assert "  yours          [[*1., *1.]]" in lines
