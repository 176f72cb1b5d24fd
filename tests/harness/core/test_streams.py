"""What cannot be written raises nothing, and is known at the end."""

import os
import subprocess
import sys

import pytest

from properties.harness.core.streams import scratch

SAY = """
import sys
from properties.harness.core.streams import steady
with steady() as output:
    print("x" * 100_000)
    print("y" * 100_000, file=sys.stderr)
    sys.stdout.flush()
    error = output.error
open("error", "w").write(str(error and error.strerror))
"""
ENDS = {
    "open": ("", "None"),
    "full": (">/dev/full 2>/dev/full", "No space left on device"),
    "closed": (">&- 2>&-", "it is closed"),
}


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(("redirection", "error"), ENDS.values(), ids=ENDS)
def test_what_cannot_be_written_is_known(tmp_path, redirection, error, unbuffered):
    """Nothing is raised, not at the end of the process either, and the reason is kept."""
    process = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -c "$1" {redirection}', sys.executable, SAY],
        cwd=tmp_path,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, (tmp_path / "error").read_text(encoding="utf-8")) == (0, error)
    told = ("x" * 100_000 + "\n", "y" * 100_000 + "\n") if error == "None" else ("", "")
    assert (process.stdout, process.stderr) == told


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_errors_are_written_at_once(unbuffered):
    """A line on standard error is there though the process ends in its midst, with Python's buffering or without."""
    call = """
import os, sys
from properties.harness.core.streams import steady
with steady():
    print("now", file=sys.stderr)
    os._exit(0)
"""
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    process = subprocess.run([sys.executable, "-c", call], env=environment, capture_output=True, text=True, check=False)
    assert process.stderr == "now\n"


def test_places_of_closed_streams_are_not_taken():
    """A file opened while they are closed gets another number, and no file opened later gets theirs."""
    call = """
import os
from properties.harness.core.streams import scratch, steady
one = scratch()
with steady():
    numbers = [one, *os.pipe()]
assert min(numbers) > 2, numbers
assert all(os.path.samestat(os.fstat(number), os.stat(os.devnull)) for number in range(3))
"""
    command = ["/bin/sh", "-c", '"$0" -c "$1" <&- >&- 2>&-', sys.executable, call]
    assert subprocess.run(command, check=False).returncode == 0


def test_scratch_is_a_file_of_its_own():
    """What is written there can be read, and no other has it."""
    one, other = scratch(), scratch()
    os.write(one, b"kept")
    assert (os.pread(one, 9, 0), os.fstat(other).st_size) == (b"kept", 0)
    os.close(one)
    os.close(other)
