"""What stops a command, and what ends with it."""

import signal
import subprocess
import sys

import pytest

from properties.harness.run.processes import by_default, stopping_by

STOPPING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("one", STOPPING)
def test_every_signal_to_stop_is_handled(one):
    """Each comes to the handler; afterwards all are as they were."""
    before, heard = [signal.getsignal(each) for each in STOPPING], []
    with stopping_by(lambda number, _: heard.append(number)):
        signal.raise_signal(one)
    assert heard == [one]
    assert [signal.getsignal(each) for each in STOPPING] == before


def test_hangup_that_is_ignored_stays_ignored():
    """Under nohup a run goes on."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopping_by(signal.default_int_handler):
            signal.raise_signal(signal.SIGHUP)
            by_default_in_a_child = subprocess.run([sys.executable, "-c", CHILD], check=False).returncode
    finally:
        signal.signal(signal.SIGHUP, before)
    assert by_default_in_a_child == -signal.SIGTERM


CHILD = f"""
import signal
from properties.harness.run.processes import {by_default.__name__}
signal.signal(signal.SIGTERM, print)
by_default()
signal.raise_signal(signal.SIGHUP)
signal.raise_signal(signal.SIGTERM)
"""
