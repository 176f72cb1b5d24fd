"""Failures that machines share, on a real Redis server: tried first elsewhere, and at no cost when it fails."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentTypeError
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import hypothesis
import pytest
import redis
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase

from properties.harness.run import plugin
from properties.harness.run.database import FAILED, SharedDatabase, address_of
from tests.test_command import check, failing, run, start

SERVER = shutil.which("redis-server")
EULER, TIES = "pooling.gradient_obeys_eulers_identity", "pooling.gradient_at_ties_is_a_subgradient"
NOT_SHARED, NO_MORE = "failures are not shared: ", "failures are not shared any more: "
FEW = ["-k", TIES, "--examples", "20"]
ONE = ["-k", TIES, "--examples", "1", "--seed", "5"]  # which finds nothing by itself
WRONG = """
import time
import numpy as np
def max_pool(x, window):
    time.sleep(PAUSE)
    (rows, columns), (p, q) = x.shape, window
    return x.reshape(rows // p, p, columns // q, q).max((1, 3))
def max_pool_gradient(x, window, upstream):
    maxima = x == np.kron(max_pool(x, window), np.ones(window))
    return maxima * np.kron(upstream, np.ones(window))
"""


def kept(strategy):
    """What Hypothesis keeps of a test that fails on whatever is drawn, here from bytes of ones."""
    database = InMemoryExampleDatabase()

    @hypothesis.settings(database=database, derandomize=False)
    @hypothesis.given(strategy)
    def fails(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails.hypothesis.fuzz_one_input(b"\xff" * 6000)
    ((value,),) = database.data.values()
    return value


OTHER_TESTS = [st.binary(min_size=5000, max_size=5000), st.tuples(st.integers(0, 255), st.booleans(), st.floats())]
STRANGE = [b"", b"\xff" * 50, b"no choices", *map(kept, OTHER_TESTS)]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(SERVER is None, reason="no Redis server: Debian's package is `redis-server`"),
]


@contextmanager
def serving(folder):
    """A Redis server of one's own on a socket in this folder: its process and its address."""
    path = folder / "redis"
    arguments = ["--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    process = subprocess.Popen([SERVER, *arguments], stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            if path.exists():
                break
            time.sleep(0.05)
        yield process, f"unix://{path}"
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


@pytest.fixture
def server(tmp_path_factory):
    """A server that may be killed."""
    with serving(tmp_path_factory.mktemp("server")) as (process, address):
        yield process, address


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a server for all tests that leave it alive."""
    with serving(tmp_path_factory.mktemp("server")) as (_, address):
        yield address


def machine(tmp_path_factory, content=WRONG, pause=0, target="mine.py"):
    """A folder with a target and with failures kept by itself, as on a machine of its own."""
    folder = tmp_path_factory.mktemp("machine")
    (folder / target).write_text(content.replace("PAUSE", str(pause)), encoding="utf-8")
    return folder


def outcomes(report):
    """What came of each property."""
    return {entry["id"]: entry["outcome"] for entry in report["properties"]}


@pytest.fixture(scope="module")
def found(tmp_path_factory, address):
    """The address of the server after another machine's workers found the failure of `mine.py`."""
    status, report = check("mine.py", *FEW, "-n", "2", "--database", address, folder=machine(tmp_path_factory))
    assert (status, failing(report), report["warnings"]) == (1, {TIES}, {})
    return address


@pytest.mark.parametrize("more", [[], ["-n", "2"], ["--examples", "2", "--shard", "2/2"]], ids=" ".join)
def test_failure_found_elsewhere_is_tried_first(tmp_path_factory, found, more):
    """One example is enough for it, in one process, in several, and in a shard."""
    folder = machine(tmp_path_factory)
    _, report = check("mine.py", *ONE, *more, "--database", found, folder=folder)
    assert failing(report) == {TIES}


def test_failures_of_one_target_are_not_tried_on_another(tmp_path_factory, found):
    """They are kept by the target's name: another one's single example finds nothing."""
    folder = machine(tmp_path_factory, target="other.py")
    assert check("other.py", *ONE, "--database", found, folder=folder)[0] == 0


def test_property_that_failed_elsewhere_runs_first(tmp_path_factory, address):
    """With `--fail-fast` it is all that runs."""
    SharedDatabase(address, "first.py").save(FAILED, EULER.encode())
    folder = machine(tmp_path_factory, target="first.py")
    asked = ["-k", "max_pool or ties_is or eulers", "--examples", "20", "--fail-fast"]
    _, report = check("first.py", *asked, "--database", address, folder=folder)
    assert [name for name, outcome in outcomes(report).items() if outcome != "not run"] == [EULER]


def test_garbage_of_strangers_refutes_nothing(tmp_path_factory, found):
    """What a stranger left under every key of a target is tried or thrown away, and what is right holds."""
    connection = redis.Redis.from_url(found)
    keys = [key.partition(b":mine.py:")[2] for key in connection.keys("backproof:mine.py:*")]
    assert FAILED in keys
    for key in keys:
        connection.sadd(b"backproof:right.py:" + key, *STRANGE, *(bytes([n]) * n for n in range(100)))
    folder = machine(tmp_path_factory, "from reference import *", target="right.py")
    status, report = check("right.py", *FEW, "--database", found, folder=folder)
    assert (status, report["warnings"]) == (0, {})


ABSENT = "unix://somebody:my secret@"


@pytest.fixture(scope="module")
def absent(tmp_path_factory):
    """What the command ends with, prints and writes where there is no server."""
    folder = machine(tmp_path_factory)
    asked = ["--database", f"{ABSENT}{folder}/nowhere", "--json", "report.json"]
    return *run("mine.py", *FEW, *asked, folder=folder), (folder / "report.json").read_text("utf-8")


def test_server_that_is_not_there_costs_the_sharing(absent):
    """What is wrong is refuted all the same, and the report says once that it is not shared."""
    status, output, errors, written = absent
    report = json.loads(written)
    assert (status, errors, failing(report)) == (1, "", {TIES})
    assert output.count("warned: failures are not shared: redis.exceptions.ConnectionError: ") == 1
    assert [text.startswith(NOT_SHARED) for text in report["warnings"]] == [True]


def test_name_and_password_are_never_shown(absent):
    """Neither the terminal nor the report has them, nor the line that reproduces."""
    for text in absent[1:]:
        assert "secret" not in text
        assert "somebody" not in text


@pytest.mark.parametrize(
    ("how", "more"), [(signal.SIGKILL, ["-n", "2"]), (signal.SIGSTOP, [])], ids=["killed", "silent"]
)
def test_server_that_vanishes_in_the_middle_costs_the_sharing(tmp_path_factory, server, how, more):
    """What is wrong is refuted all the same, and the report says once that it is not shared any more."""
    folder, (process, address) = machine(tmp_path_factory, pause=0.005), server
    command = start("mine.py", *FEW, *more, "--database", address, "--json", "report.json", folder=folder)
    connection = redis.Redis.from_url(address)
    while command.poll() is None and not connection.keys("backproof:*"):
        time.sleep(0.01)
    process.send_signal(how)
    assert command.poll() is None
    output, errors = command.communicate(timeout=240)
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert (command.returncode, errors, failing(report)) == (1, "", {TIES})
    assert output.count(NO_MORE) == 1
    assert [text.startswith(NO_MORE) for text in report["warnings"]] == [True]


def test_what_one_saves_another_fetches(address):
    """Until one deletes it; under other names and keys there is nothing."""
    one, another, other = (SharedDatabase(address, name) for name in ("values", "values", "others"))
    one.save(b"key", b"value")
    assert (list(another.fetch(b"key")), list(another.fetch(b"no key")), list(other.fetch(b"key"))) == (
        [b"value"],
        [],
        [],
    )
    another.delete(b"key", b"value")
    assert list(one.fetch(b"key")) == []


def test_server_that_fails_is_not_asked_again(server):
    """Killed between two questions, it is an error, once; all that follows is answered with nothing."""
    process, address = server
    shared = SharedDatabase(address, "mine")
    shared.save(b"key", b"value")
    assert (list(shared.fetch(b"key")), shared.trouble) == ([b"value"], "")
    process.kill()
    process.wait()
    assert list(shared.fetch(b"key")) == []
    assert shared.trouble.startswith(NO_MORE + "redis.exceptions.ConnectionError: ")
    socket_path = Path(address.removeprefix("unix://"))
    socket_path.unlink(missing_ok=True)
    with serving(socket_path.parent):
        shared.save(b"key", b"value")
        assert list(shared.fetch(b"key")) == list(SharedDatabase(address, "mine").fetch(b"key")) == []


def test_value_of_another_type_is_an_error(address):
    """What cannot be read is as a server that fails."""
    redis.Redis.from_url(address).set(b"backproof:typed:key", "text")
    shared = SharedDatabase(address, "typed")
    assert list(shared.fetch(b"key")) == []
    assert "WRONGTYPE" in shared.trouble


def test_server_that_never_answers_is_waited_for_once(tmp_path):
    """A socket that takes what it is told and says nothing is given up after one silence."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent"))
        silent.listen()
        shared = SharedDatabase(f"unix://{tmp_path}/silent", "mine", patience=0.5)
        started = time.monotonic()
        assert [value for _ in range(20) for value in shared.fetch(b"key")] == []
        assert 0.4 < time.monotonic() - started < 2
        assert shared.trouble.startswith(NOT_SHARED + "redis.exceptions.TimeoutError: ")


def test_server_that_is_slow_is_waited_for_as_long_as_was_said(address, monkeypatch):
    """Answers that come late each time are given up when they took too long together."""
    shared = SharedDatabase(address, "slow", patience=0.5)
    answer = shared._database.fetch
    monkeypatch.setattr(shared._database, "fetch", lambda key: time.sleep(0.1) or answer(key))
    started = time.monotonic()
    assert [value for _ in range(50) for value in shared.fetch(b"key")] == []
    assert 0.5 < time.monotonic() - started < 2
    assert shared.trouble == NO_MORE + "the server is too slow"


@pytest.fixture
def shared(address, monkeypatch, tmp_path):
    """A slow database that the plugin shares failures on."""
    monkeypatch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(tmp_path))
    shared = SharedDatabase(address, "kept")
    save = shared._database.save
    monkeypatch.setattr(shared._database, "save", lambda *value: time.sleep(0.3) or save(*value))
    plugin.register_profile(100, shared)
    yield shared
    plugin.register_profile(100)


def test_writing_is_not_waited_for(shared):
    """However slow the server, a property goes on."""
    started = time.monotonic()
    hypothesis.settings.get_profile(plugin.PROFILE).database.save(b"one key", b"value")
    assert time.monotonic() - started < 0.2


def test_session_ends_when_all_is_written(shared):
    """What is on its way to the server is waited for."""
    hypothesis.settings.get_profile(plugin.PROFILE).database.save(b"key", b"value")
    plugin.pytest_sessionfinish(SimpleNamespace(config=SimpleNamespace(stash={plugin._SHARED: shared})))
    assert list(shared.fetch(b"key")) == [b"value"]


def test_what_is_shared_is_kept_here_too(shared):
    """It is found again without the server."""
    hypothesis.settings.get_profile(plugin.PROFILE).database.save(b"another key", b"value")
    plugin.register_profile(100)
    assert list(hypothesis.settings.get_profile(plugin.PROFILE).database.fetch(b"another key")) == [b"value"]


@pytest.mark.parametrize(
    "good", ["redis://host", "redis://:p@[::1]:6379/3", "rediss://u:p@host/1", "unix://u:p@/a/b?db=3"]
)
def test_address_is_taken_as_it_is(good):
    """Of a host or a socket, with a name and a password or without."""
    assert address_of(good) == good


BAD = [
    "http://host/0",
    "host:6379",
    "redis://:se/cret@host:1/0",
    "redis://:secret@host/name",
    "redis://:secret@host?bad=1",
]


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_address_is_refused(bad):
    """Another scheme, a port or a database that is no number, an option that the client lacks."""
    with pytest.raises(ArgumentTypeError) as caught:
        address_of(bad)
    assert str(caught.value) == "redis://HOST:PORT/N, rediss://HOST:PORT/N or unix://PATH is wanted"


USAGE = {
    "malformed": (["--database", "redis://:secret@host:port"], "argument --database: redis://HOST:PORT/N"),
    "mistyped": (["--databse", "redis://:my secret@host"], "unrecognized arguments: --databse redis://…"),
}


@pytest.mark.parametrize(("arguments", "message"), USAGE.values(), ids=USAGE)
def test_wrong_call_is_one_line(tmp_path, arguments, message):
    """It ends with status 2, and does not show the password."""
    status, output, errors = run("reference", *arguments, folder=tmp_path)
    assert (status, output, len(errors.splitlines())) == (2, "", 1)
    assert message in errors
    assert "secret" not in errors


def test_client_is_an_extra(tmp_path):
    """Without it one line says what to install."""
    call = "import sys; sys.modules['redis'] = None; from properties.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", call, "--database", "redis://host"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (process.returncode, process.stdout, len(process.stderr.splitlines())) == (2, "", 1)
    assert "pip install '.[database]'" in process.stderr
