"""Where a process ends, the operation that did it is charged and no other, and the report is never lost."""

import pytest

from tests.test_command import check

pytestmark = pytest.mark.slow

SPOILS = """
import ctypes, gc, os
import numpy as np

spoilt = []

def relu(x):
    answer = np.maximum(x, 0)
    if x.size > 2:
        ctypes.memset(answer.ctypes.data + answer.nbytes, 255, 8)
        spoilt.append(x)
    return answer

def relu_derivative(x):
    return x > 0

def arctan(x):
    if spoilt:
        os.abort()  # as the allocator does when it finds out
    return np.arctan(x)
"""


def written(folder, text):
    """A target in this folder."""
    (folder / "mine.py").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("how", [(), ("-n", "2")], ids=["by itself", "with workers"])
def test_operation_that_spoils_memory_is_charged(tmp_path, how):
    """The process ends in another operation, which holds, as it does by itself."""
    written(tmp_path, SPOILS)
    select = (
        "relu_is or relu_derivative_is or (keeps and (relu or arctan) and not (arctan_derivative or gradient or leaky))"
    )
    status, report = check("mine.py", "-k", select, "--examples", "20", *how, folder=tmp_path)
    assert status == 1
    assert {entry["operation"] for entry in report["properties"] if entry["outcome"] != "held"} == {"relu"}
    messages = {entry["message"] for entry in report["properties"] if entry["outcome"] == "crashed"}
    assert "relu ended the process by SIGABRT" in messages
    assert all("relu ended" in one or one.startswith("relu is not called again: it ended") for one in messages)


@pytest.mark.parametrize(("select", "status"), [("relu_is", 1), ("calls and arctan", 0)])
def test_choice_of_properties_does_not_move_the_blame(tmp_path, select, status):
    """What spoils memory is charged where it is chosen, and nothing else where it is not."""
    written(
        tmp_path, SPOILS.replace("spoilt.append(x)", "spoilt.append(x)\n    if len(spoilt) > 3:\n        os.abort()")
    )
    assert check("mine.py", "-k", select, "--examples", "20", folder=tmp_path)[0] == status


def test_end_that_nothing_explains_costs_no_report(tmp_path):
    """A process that ends once by a fault, and then never again, has a verdict for each property, and has not held."""
    text = "spoilt.append(x)\n    if len(spoilt) > 40 and not os.path.exists('once'):\n        open('once', 'w')\n"
    text += "        os.abort()\n    return x > 0"
    written(tmp_path, SPOILS.replace("return x > 0", text).replace("x.size > 2", "False"))
    status, report = check("mine.py", "-k", "relu", "--examples", "20", folder=tmp_path)
    (crashed,) = [entry for entry in report["properties"] if entry["outcome"] == "crashed"]
    assert (status, crashed["operation"]) == (1, "relu_derivative")
    assert crashed["message"] == "it ended the process by SIGABRT, but not when it was tried again"


def test_end_between_properties_costs_no_report(tmp_path):
    """A process that ends while nothing is under way leaves the verdicts, and the one before it is charged."""
    text = "\ndef relu(x):\n    if os.environ.get('PYTEST_CURRENT_TEST') and not spoilt:\n        spoilt.append(x)\n"
    text += "        gc.callbacks.append(lambda phase, info: info['generation'] == 2 and os._exit(5))\n"
    text += "    return np.maximum(x, 0)\n"
    written(tmp_path, SPOILS + text)
    status, report = check("mine.py", "-k", "relu_is", "--examples", "5", folder=tmp_path)
    (entry,) = report["properties"]
    assert (status, entry["outcome"]) == (1, "crashed")
    assert "ended the process with status 5" in entry["message"]
