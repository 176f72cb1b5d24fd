"""The house keeps its arrows: a checker that shares code with what it checks proves nothing."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HARNESS = ROOT / "properties" / "harness"


def imports(path):
    """The modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            beside = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
            module = ".".join([*beside, *([node.module] if node.module else [])])
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return found


def roots(path):
    """The top-level packages that a file imports."""
    return {name.partition(".")[0] for name in imports(path)}


@pytest.mark.parametrize("path", sorted((ROOT / "properties").rglob("*.py")), ids=lambda path: path.stem)
def test_properties_never_import_the_reference(path):
    """Statements and harness share nothing with the network that they check."""
    assert not roots(path) & {"reference", "tests", "benchmarks"}


@pytest.mark.parametrize("path", sorted((ROOT / "reference").rglob("*.py")), ids=lambda path: path.stem)
def test_reference_never_imports_properties(path):
    """The network knows nothing of what checks it."""
    assert not roots(path) & {"properties", "tests", "benchmarks", "hypothesis", "pytest"}


@pytest.mark.parametrize("path", sorted(HARNESS.rglob("*.py")), ids=lambda path: path.stem)
def test_harness_does_not_know_the_statements(path):
    """The harness imports only itself and the shelves: statements rest on it and not the other way round."""
    shelves = ("properties.harness", "properties.layers", "properties.mistakes")
    assert all(name.startswith(shelves) for name in imports(path) if name.startswith("properties."))


@pytest.mark.parametrize(
    "path",
    sorted((*(ROOT / "properties").rglob("*.py"), *(ROOT / "reference").rglob("*.py"))),
    ids=lambda path: path.stem,
)
def test_files_can_be_read_in_a_sitting(path):
    """No file of the suite or the network is longer than 300 lines."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
