"""Whatever a target does, a run ends with a clear verdict: never in a hang, in a traceback or without a report."""

import json
import os
import re
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

import properties
from tests.test_command import TIE_ERROR, check, failing, run, start

pytestmark = pytest.mark.slow

HEADER = "import ctypes, itertools, os, random, sys, time, warnings\nimport numpy as np\n"
RIGHT = "return np.maximum(x, 0)\n\n\ndef relu_derivative(x):\n    return x > 0"

ANSWERS = {
    "the wrong shape": ("return np.maximum(x, 0).ravel()[:-1]", "refuted", "must return an array of shape"),
    "the wrong type": ("return np.maximum(x, 0).astype('complex')", "refuted", "dtype complex128"),
    "words": ("return 'no'", "refuted", "must return an array of shape"),
    "None": ("return None", "refuted", "but returned None"),
    "single precision": ("return np.maximum(x, 0).astype('float32')", "refuted", "relu(x)"),
    "not a number": ("return np.full(x.shape, np.nan)", "refuted", "relu is not finite"),
    "infinity": ("return np.where(x > 1, np.inf, np.maximum(x, 0))", "refuted", "relu is not finite"),
    "random numbers": ("return np.maximum(x, 0) + 1e-3 * random.random()", "refuted", "relu"),
    "an error for some sizes": ("assert x.ndim < 2, 'no'\n    return np.maximum(x, 0)", "crashed", "relu raised"),
    "an exit": ("sys.exit(3)", "crashed", "relu raised SystemExit: 3"),
    "a deep recursion": ("return relu(x)", "crashed", "relu raised RecursionError"),
    "an exception that cannot be shown": (
        "class Odd(Exception): __str__ = None\n    raise Odd",
        "crashed",
        "Odd",
    ),
    "its argument, changed": ("x[x < 0] = 0\n    return x", "refuted", "relu changed its argument x"),
    "an exception that no handler expects": (
        "class Odd(BaseException): pass\n    raise Odd('\\x1b[31m')",
        "crashed",
        r"Odd: \x1b[31m",
    ),
}


def written(folder, body, name="relu", arguments="x"):
    """A target in this folder with one operation, whose body this is."""
    (folder / "mine.py").write_text(f"{HEADER}\n\ndef {name}({arguments}):\n    {body}\n", encoding="utf-8")


@pytest.mark.parametrize(("body", "outcome", "message"), ANSWERS.values(), ids=ANSWERS)
def test_wrong_answers_have_an_outcome(tmp_path, monkeypatch, body, outcome, message):
    """Each is refuted or crashed on some case, in words that say what the target did."""
    written(tmp_path, body)
    monkeypatch.chdir(tmp_path)
    report = properties.verify("mine.py", keyword="relu_is or relu_parts or relu_on or contract", examples=20)
    told = [failure for failure in report.failures if failure.outcome == outcome and message in failure.message]
    assert told
    assert all(failure.case for failure in told)
    assert "the statement itself failed" not in report.as_text()


def test_interruption_by_the_target_is_a_crash(tmp_path):
    """Nobody interrupted: the run goes on, and its status is that of a crash."""
    written(tmp_path, "raise KeyboardInterrupt")
    status, report = check("mine.py", "-k", "relu_is", "--examples", "5", folder=tmp_path)
    assert (status, report["interrupted"]) == (1, False)
    assert report["properties"][0]["message"].startswith("relu raised KeyboardInterrupt")


def test_view_of_the_argument_is_an_answer(tmp_path):
    """A right answer that shares its memory with the argument is right; it changes nothing that we compare with."""
    written(
        tmp_path,
        "import reference\n    return x if window == (1, 1) else reference.max_pool(x, window)",
        "max_pool",
        "x, window",
    )
    assert check("mine.py", "--examples", "20", folder=tmp_path)[0] == 0


STATES = {
    "NumPy's error state": ("np.seterr(all='raise')", "with np.errstate"),
    "NumPy's random state": ("np.random.seed(0)", "numpy.random.default_rng"),
    "Python's random state": ("random.random()", "random.Random"),
    "the working directory": ("os.chdir('/')", "contextlib.chdir"),
}


@pytest.mark.parametrize("what", STATES)
def test_state_that_is_changed_is_refuted(tmp_path, monkeypatch, what):
    """It is told which, by which line and how to mend it; whoever asked finds the state as it was."""
    line, mend = STATES[what]
    written(tmp_path, f"part = np.maximum(x, 0)\n    {line}\n    return part")
    monkeypatch.chdir(tmp_path)
    report = properties.verify("mine.py", keyword="surroundings and relu", examples=20)
    (failure,) = report.failures
    assert failure.message == f"relu changed {what}, in mine.py, line 7: {line}"
    assert mend in failure.diagnosis[0]
    assert (tmp_path / ".hypothesis").is_dir()


def test_state_kept_between_calls_is_refuted(tmp_path, monkeypatch):
    """The same question gets another answer the second time."""
    written(
        tmp_path,
        "relu.calls = getattr(relu, 'calls', 0) + 1\n    return np.maximum(x, 0) * relu.calls",
    )
    monkeypatch.chdir(tmp_path)
    report = properties.verify("mine.py", keyword="relu_is or relu_parts or relu_on or contract", examples=20)
    assert any("relu" in failure.message for failure in report.failures if failure.outcome == "refuted")


def test_warnings_and_noise_are_no_failure(tmp_path):
    """A function that prints a megabyte and warns at every call holds; the report says what it warned of."""
    written(tmp_path, "print('x' * 1_000_000)\n    warnings.warn('old')\n    return np.maximum(x, 0)")
    status, output, errors = run("mine.py", "-k", "relu", "--examples", "20", folder=tmp_path)
    assert (status, errors) == (0, "")
    assert "UserWarning: old" in output
    assert "xxx" not in output


FLOODS = {
    "a message": "raise ValueError(100_000 * 'no ')",
    "messages without end": "raise ValueError(''.join(map(chr, range(0xD000, 0xE100))) + str(random.random()))",
    "a note": "error = ValueError('no')\n    error.add_note(150_000 * 'no')\n    raise error",
    "a cause": "try:\n        raise ValueError(150_000 * 'no')\n    except ValueError as error:\n"
    "        raise TypeError('no') from error",
    "different warnings": "for _ in range(1000): warnings.warn(f'{random.random()} {10_000 * x.size}')\n"
    "    return np.maximum(x, 0)",
    "long warnings": "warnings.warn(100_000 * 'old ')\n    return np.maximum(x, 0)",
    "the type of an answer": "return type('x' * 300_000, (), {})()",
    "what it prints": "print(300_000 * 'x', file=sys.stderr)\n    return np.maximum(x, 0)",
}


@pytest.mark.parametrize("body", FLOODS.values(), ids=FLOODS)
def test_flood_is_bounded(tmp_path, body):
    """However much a target says, its report stays one that can be read."""
    written(tmp_path, body)
    asked = ["-k", "relu_is", "--examples", "20", "--memory", "2G", "--json", "report.json"]
    run("mine.py", *asked, folder=tmp_path)
    text = (tmp_path / "report.json").read_text(encoding="utf-8")
    assert len(text) < 200_000
    assert json.loads(text)["verdict"] in ("broken", "holds", "refuted")


LOOPS = {
    "in Python": "while x.size > 1:\n        pass",
    "that swallows what stops it": "while x.size > 1:\n        try:\n            while True:\n                pass\n"
    "        except BaseException:\n            pass",
    "in C": "sum(itertools.repeat(1)) if x.size > 1 else None",
}


@pytest.mark.parametrize("body", LOOPS.values(), ids=LOOPS)
def test_loop_without_end_is_stopped(tmp_path, body):
    """The operation is crashed, for being out of time; it is not waited for again, and the others get their verdict."""
    written(tmp_path, f"{body}\n    {RIGHT}")
    status, report = check("mine.py", "-k", "relu", "--timeout", "10", "--examples", "20", folder=tmp_path)
    assert status == 1
    outcomes = {entry["id"]: entry["outcome"] for entry in report["properties"]}
    assert outcomes["activations.relu_is_the_positive_part"] == "crashed"
    assert outcomes["activations.relu_derivative_is_the_step"] == "held"
    assert any("come back" in entry["message"] for entry in report["properties"] if entry["outcome"] == "crashed")


def test_stop_of_the_process_is_an_end(tmp_path):
    """An operation that stops its process is charged, within seconds, and the others get their verdict."""
    written(tmp_path, f"if x.size > 1: os.kill(os.getpid(), 19)\n    {RIGHT}")
    status, report = check("mine.py", "-k", "relu_is or step", "--examples", "20", folder=tmp_path)
    messages = {entry["id"]: entry["message"] for entry in report["properties"]}
    assert status == 1
    assert messages["activations.relu_is_the_positive_part"] == "relu stopped the process"
    assert messages["activations.relu_derivative_is_the_step"] is None


def test_stop_of_a_worker_is_an_end(tmp_path):
    """With worker processes it is the same."""
    written(tmp_path, f"if x.size > 1: os.kill(os.getpid(), 19)\n    {RIGHT}")
    status, report = check("mine.py", "-k", "relu_is", "-n", "1", "--examples", "20", folder=tmp_path)
    (message,) = [entry["message"] for entry in report["properties"] if entry["outcome"] == "crashed"]
    assert (status, message) == (1, "relu stopped the process")


def test_process_that_is_stopped_and_woken_goes_on(tmp_path):
    """Who stops the command's processes for a moment, as a batch system does, changes no verdict."""
    written(tmp_path, f"open('begun', 'w').close()\n    time.sleep(0.05)\n    {RIGHT}")
    process = start("mine.py", "-k", "relu_is", "--examples", "20", folder=tmp_path)
    while not (tmp_path / "begun").exists():
        time.sleep(0.1)
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    os.kill(int(child), signal.SIGSTOP)
    time.sleep(0.5)
    os.kill(int(child), signal.SIGCONT)
    process.communicate(timeout=120)
    assert process.returncode == 0


ENDS = {
    "an exit past all handlers": ("os._exit(7)", "relu ended the process with status 7"),
    "a signal": ("os.kill(os.getpid(), 9)", "relu ended the process by SIGKILL"),
    "a fault in C": ("ctypes.string_at(0)", "relu ended the process by SIGSEGV"),
}


@pytest.mark.parametrize(("body", "message"), ENDS.values(), ids=ENDS)
def test_end_of_the_process_costs_one_verdict(tmp_path, body, message):
    """The property under way is charged, with the call that did it; the others get their verdict."""
    written(
        tmp_path, f"if x.size > 2: {body}\n    return np.maximum(x, 0)\n\n\ndef relu_derivative(x):\n    return x > 0"
    )
    status, report = check("mine.py", "-k", "relu_is or step", "--examples", "20", folder=tmp_path)
    assert status == 1
    entries = {entry["id"]: entry for entry in report["properties"]}
    assert entries["activations.relu_is_the_positive_part"]["message"] == message
    assert len(entries["activations.relu_is_the_positive_part"]["counterexample"]["x"]["data"]) > 0
    assert entries["activations.relu_derivative_is_the_step"]["outcome"] == "held"


def test_end_is_charged_to_the_operation_that_did_it(tmp_path):
    """Where a property calls others beside its own operation, and one of these ends the process, it is run without."""
    text = "def arctan(x):\n    if x.size > 2: os._exit(3)\n    return np.arctan(x)\n"
    (tmp_path / "mine.py").write_text(HEADER + text + "def relu(x):\n    return np.maximum(x, 0)\n", encoding="utf-8")
    _, report = check("mine.py", "-k", "keeps_the_contract", "--examples", "20", folder=tmp_path)
    outcomes = {entry["operation"]: entry["outcome"] for entry in report["properties"]}
    assert (outcomes["relu"], outcomes["arctan"]) == ("held", "crashed")


def test_end_of_a_worker_costs_one_verdict(tmp_path):
    """With worker processes it is the same: the property is charged, the others get their verdict."""
    written(
        tmp_path,
        "if x.size > 2: os._exit(7)\n    return np.maximum(x, 0)\n\n\ndef relu_derivative(x):\n    return x > 0",
    )
    status, report = check("mine.py", "-k", "relu_is or step", "-n", "2", "--examples", "20", folder=tmp_path)
    outcomes = {entry["id"]: entry["outcome"] for entry in report["properties"]}
    assert status == 1
    assert outcomes["activations.relu_is_the_positive_part"] == "crashed"
    assert outcomes["activations.relu_derivative_is_the_step"] == "held"


@pytest.mark.parametrize(
    "body", ["os._exit(0)", "os.kill(os.getpid(), 11)", "os.kill(os.getpid(), 19)", "sys.exit()", "raise SystemExit"]
)
def test_import_that_ends_is_told_in_one_line(tmp_path, body):
    """Nothing could be checked: status 2."""
    (tmp_path / "mine.py").write_text(HEADER + body + "\n", encoding="utf-8")
    status, output, errors = run("mine.py", folder=tmp_path)
    assert (status, output) == (2, "")
    assert errors.startswith("backproof: mine.py cannot be imported: ")
    assert len(errors.splitlines()) == 1


AFTER = {
    "a thread that waits": "import threading\nthreading.Thread(target=threading.Event().wait).start()\n",
    "a child process": "if not os.fork():\n    open('pid', 'w').write(str(os.getpid()))\n    time.sleep(600)\n",
}


@pytest.mark.parametrize("text", AFTER.values(), ids=AFTER)
def test_what_the_target_leaves_running_is_not_waited_for(tmp_path, text):
    """The verdict comes, and nothing that the target started is left."""
    (tmp_path / "mine.py").write_text(f"{HEADER}{text}def relu(x): return np.maximum(x, 0)\n", encoding="utf-8")
    status, report = check("mine.py", "-k", "relu_is", "--examples", "5", folder=tmp_path)
    assert (status, report["verdict"]) == (0, "holds")
    if (tmp_path / "pid").exists():
        state = Path("/proc", (tmp_path / "pid").read_text(), "stat")
        assert not state.exists() or state.read_text().split()[2] == "Z"


def test_end_that_does_not_come_again_is_no_proof(tmp_path):
    """A process that ends once, and not when the property is tried again, has not held."""
    written(tmp_path, f"open('calls', 'a').write('.')\n    if os.path.getsize('calls') == 90: os._exit(9)\n    {RIGHT}")
    status, report = check("mine.py", "-k", "relu", "--examples", "20", folder=tmp_path)
    assert status == 1
    (message,) = [entry["message"] for entry in report["properties"] if entry["outcome"] == "crashed"]
    assert message == "it ended the process with status 9, but not when it was tried again"


def test_import_without_end_is_told_in_one_line(tmp_path):
    """Nothing could be checked within the time limit: status 2."""
    (tmp_path / "mine.py").write_text("while True: pass\n", encoding="utf-8")
    status, output, errors = run("mine.py", "--timeout", "2", folder=tmp_path)
    assert (status, output) == (2, "")
    assert "mine.py cannot be imported: not done after 2 s" in errors


def test_slow_target_is_waited_for(tmp_path):
    """A call of a hundredth of a second is slow, not stuck; fewer examples take less time."""
    written(tmp_path, "time.sleep(0.01)\n    return np.maximum(x, 0)")
    seconds = []
    for examples in ("5", "50"):
        status, report = check("mine.py", "-k", "relu_is", "--examples", examples, folder=tmp_path)
        assert status == 0
        seconds.append(report["properties"][0]["seconds_in_target"])
    assert 5 * 0.01 <= seconds[0] < seconds[1] / 2


def shown_on_a_terminal(*arguments, folder):
    """What a run writes to a terminal that its errors go to, and the report that it prints."""
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    process = start("mine.py", *arguments, folder=folder, terminal=theirs)
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # which is how the end of a terminal shows
        while read := os.read(ours, 10_000):
            shown += read
    printed, _ = process.communicate(timeout=120)
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", shown.decode()), printed


def test_progress_names_the_property(tmp_path):
    """On a terminal a run says how many properties are done, after how long, and which is under way, in 80 columns."""
    written(tmp_path, "time.sleep(0.02)\n    return np.maximum(x, 0)")
    shown, _ = shown_on_a_terminal("-k", "relu", "--examples", "20", folder=tmp_path)
    assert re.search(r"\b1 of \d+ after 00:\d\d, activations\.relu_", shown)
    assert "first failure" not in shown
    assert max(map(len, re.split(r"[\r\n]+", shown))) <= 80


def test_first_failure_shows_in_the_middle_of_a_run(tmp_path):
    """On a terminal the first failure is told with its case, its reason and its code before the next property ends."""
    written(tmp_path, "return np.maximum(x, -1)")
    shown, printed = shown_on_a_terminal("-k", "relu", folder=tmp_path)
    before, after = shown.split("the first failure, after ")
    assert "1 failing" not in before
    assert re.match(r"\d+\.\d s\s+REFUTED  relu  activations\.relu_is_the_positive_part", after)
    assert all(word in after for word in ("x  ", "because", "diagnosis", "again with"))
    assert "2 of " in after
    assert "first failure" not in printed


@pytest.mark.parametrize("options", [["--fail-fast"], ["--known", "known.txt"]])
def test_first_failure_is_not_told_twice(tmp_path, options):
    """Where the report follows at once, or may call the failure known, nothing is shown before."""
    written(tmp_path, "return np.maximum(x, -1)")
    (tmp_path / "known.txt").touch()
    shown, printed = shown_on_a_terminal("-k", "relu", *options, folder=tmp_path)
    assert "first failure" not in shown
    assert "REFUTED  relu" in printed


def gone_within(seconds, process):
    """Whether a process ends in that time."""
    for _ in range(10 * seconds):
        if not Path(f"/proc/{process}").exists():
            return True
        time.sleep(0.1)
    return False


def test_killed_run_loses_no_failure(tmp_path):
    """After SIGKILL in the middle no process stays, and the next run tries what failed first, on its failing case."""
    text = (
        TIE_ERROR
        + "import time\ndef max_pool(x, window):\n    time.sleep(0.002)\n    return reference.max_pool(x, window)\n"
    )
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    process = start("mine.py", folder=tmp_path)
    kept = tmp_path / ".hypothesis" / "examples" / "mine-py"
    for _ in range(600):
        if kept.is_dir() and len(list(kept.iterdir())) >= 2:
            break
        time.sleep(0.1)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert children
    assert all(gone_within(30, child) for child in children)
    status, report = check("mine.py", "--fail-fast", folder=tmp_path)
    ran = [entry for entry in report["properties"] if entry["outcome"] != "not run"]
    assert status == 1
    assert failing(report) == {entry["id"] for entry in ran if entry["outcome"] == "refuted"}
    assert sum(entry["examples"] for entry in ran if entry["outcome"] == "refuted") <= 2
    assert len(ran) == 1


def test_layers_are_judged_before_the_network(tmp_path):
    """With an error in a layer that the network uses, `--fail-fast` stops at the layer."""
    (tmp_path / "mine.py").write_text(NETWORK, encoding="utf-8")
    _, report = check("mine.py", "--fail-fast", "-k", "kinks or ties", "--examples", "20", folder=tmp_path)
    assert failing(report) == {"pooling.gradient_at_ties_is_a_subgradient"}


NETWORK = """
import reference
from reference import *
from reference import mask_repeat as max_pool_gradient

def gradients(image, target, kernel, weights):
    convolved = conv2d(image, kernel)
    activated = relu(convolved)
    pooled = max_pool(activated, (2, 2))
    features = pooled.reshape(1, -1)
    weighted = dense(features, weights)
    delta = (arctan(weighted) - target) * arctan_derivative(weighted)
    features_gradient, weights_gradient = dense_gradients(features, weights, delta)
    upstream = max_pool_gradient(activated, (2, 2), features_gradient.reshape(pooled.shape))
    return conv2d_kernel_gradient(image, kernel, upstream * relu_derivative(convolved)), weights_gradient
"""


def test_failures_of_the_network_follow_from_its_layer(tmp_path):
    """The network's failure is told as a consequence of the layer's, without its arrays; alone it is told whole."""
    (tmp_path / "mine.py").write_text(NETWORK, encoding="utf-8")
    kinks = "network.gradients_at_kinks_are_conservative"
    status, output, _ = run(
        "mine.py", "-k", f"{kinks} or ties_is", "--examples", "20", "--json", "report.json", folder=tmp_path
    )
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    entry = next(entry for entry in report["properties"] if entry["id"] == kinks)
    assert status == 1
    assert entry["follows_from"] == ["max_pool_gradient"]
    assert "These follow from max_pool_gradient" in output
    assert f"REFUTED  gradients  {kinks}" not in output
    assert "1 of them as a consequence of others" in output
    _, alone, _ = run("mine.py", "-k", kinks, "--examples", "20", folder=tmp_path)
    assert f"REFUTED  gradients  {kinks}" in alone
    assert "your max_pool_gradient in it gives these" in alone
