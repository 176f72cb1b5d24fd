"""A notebook can be a target, and can verify one: it is run for real, by nbclient."""

import nbclient
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from properties.harness.target.target import CannotLoad, load

VERIFY = "report = backproof.verify(globals(), examples=10, keyword='relu_is', name='this notebook')\nreport"


def written(folder, *cells, name="mine.ipynb"):
    """A notebook with these code cells, by its path."""
    notebook = new_notebook(cells=[new_markdown_cell("# mine"), *(new_code_cell(cell) for cell in cells)])
    nbformat.write(notebook, folder / name)
    return str(folder / name)


def test_functions_of_a_notebook_are_verified_as_they_are_now(tmp_path):
    """A redefinition in a later cell is seen; the report shows as HTML; a wrong function raises where that is asked."""
    cells = [
        "import numpy as np, backproof\ndef relu(x): return np.abs(x)",
        VERIFY,
        "def relu(x): return np.maximum(x, 0)",
        VERIFY,
        "report.raise_if_refuted(); print(report.holds)",
    ]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [
        output["data"]["text/html"]
        for cell in notebook.cells
        for output in cell.outputs
        if "text/html" in output.get("data", {})
    ]
    assert "this notebook: refuted" in shown[0]
    assert "this notebook: holds" in shown[1]
    assert notebook.cells[-1].outputs[-1]["text"].strip() == "True"


def test_notebook_is_a_target(tmp_path):
    """Its code cells run from the top; IPython's magics and commands are left out, wherever they stand."""
    path = written(
        tmp_path,
        "%matplotlib inline\nimport numpy as np\nif True:\n    !ls\n    %time 1",
        "%%bash\nls; exit 1",
        "def relu(x):\n    return np.maximum(x, 0)",
        "left = 7 \\\n% 4",
    )
    assert load(path).operations.keys() == {"relu"}


def test_attribute_of_a_notebook(tmp_path):
    """`notebook.ipynb:attribute` is an object in it."""
    path = written(tmp_path, "class Layers:\n    def relu(self, x): return x", "layers = Layers()")
    assert load(f"{path}:layers").operations.keys() == {"relu"}


BROKEN = {
    "a cell that raises": ("1 / 0", r"ZeroDivisionError: division by zero \(mine.ipynb, code cell 2, line 1\)"),
    "no Python": ("def f(:", r"SyntaxError: invalid syntax \(mine.ipynb, code cell 2, line 1\)"),
}


@pytest.mark.parametrize(("cell", "message"), BROKEN.values(), ids=BROKEN)
def test_cell_that_fails_is_named(tmp_path, cell, message):
    """The one line says which cell it was."""
    with pytest.raises(CannotLoad, match=message):
        load(written(tmp_path, "x = 1", cell))


def test_file_that_is_no_notebook_is_refused(tmp_path):
    """In one line."""
    (tmp_path / "mine.ipynb").write_text("{}", encoding="utf-8")
    with pytest.raises(CannotLoad, match="is not a Jupyter notebook of format 4"):
        load(str(tmp_path / "mine.ipynb"))
