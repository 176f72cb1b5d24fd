"""The house keeps its arrows: a checker that shares code with what it checks proves nothing.

core ← layers ← {edits, target} ← {mistakes, checking} ← why ← report ← run ← campaign; statements use layers and
checking. The machine knows no operation, a layer knows no machine.
"""

import ast
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from properties.layers import OPERATIONS

ROOT = Path(__file__).parents[1]
PROPERTIES = sorted((ROOT / "properties").rglob("*.py"))
REFERENCE = sorted((ROOT / "reference").rglob("*.py"))
FLOORS = (
    "harness/core",
    "layers/plain",
    "layers/plain/further",
    "layers/base",
    "layers",
    "layers/further",
    "layers/options",
    "layers/chains",
    "layers/own",
    "layers/__init__",
    "harness/edits",
    "harness/target",
    "mistakes",
    "mistakes/further",
    "harness/checking",
    "harness/why",
    "harness/report",
    "harness/run",
    "harness/campaign",
)
BESIDE = {
    ("harness/target", "harness/edits"),
    ("harness/checking", "mistakes"),
}  # on one floor: neither imports the other
MACHINE = sorted((ROOT / "properties" / "harness").rglob("*.py"))
MOST_FILES, LONGEST = 12, 300


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


def file_of(name):
    """The file of a module of the suite; None for any other name."""
    place = ROOT.joinpath(*name.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def files_imported(path):
    """The files of the suite that a file imports: of a package a module that is named, or else the package itself."""
    names = {name for name in imports(path) if name.startswith("properties.")}
    found = {file_of(name) for name in names}
    packages = {
        file_of(name)
        for name in names
        if any(other != name and other.startswith(f"{name}.") and file_of(other) for other in names)
    }
    return (
        found
        - {path, None}
        - {one for one in packages if one and one.name == "__init__.py" and one.parent == path.parent}
    )


def folder(path):
    """The folder of a file of the suite, by its name below `properties/`; the list of all layers is above them all."""
    below = path.parent.relative_to(ROOT / "properties").as_posix()
    return "layers/__init__" if below == "layers" and path.name == "__init__.py" else below


def named(paths):
    """Parameters of a test with the files' places as ids."""
    return [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in paths]


@pytest.mark.parametrize("path", named(PROPERTIES))
def test_properties_never_import_the_reference(path):
    """Statements and harness share nothing with the network that they check."""
    assert not roots(path) & {"reference", "tests", "benchmarks"}


@pytest.mark.parametrize("path", named(REFERENCE))
def test_reference_never_imports_properties(path):
    """The network knows nothing of what checks it."""
    assert not roots(path) & {"properties", "tests", "benchmarks", "hypothesis", "pytest"}


@pytest.mark.parametrize("path", named(path for path in PROPERTIES if folder(path) in FLOORS))
def test_a_floor_stands_on_those_below_it(path):
    """No file imports one of a higher floor, nor a statement."""
    floor = FLOORS.index(folder(path))
    for other in map(folder, files_imported(path)):
        assert other in FLOORS[: floor + 1]
        assert (folder(path), other) not in BESIDE


def test_only_the_command_line_imports_campaigns():
    """Nothing that a single run needs knows of rounds and of parts."""
    using = [path for path in PROPERTIES if any(folder(one) == "harness/campaign" for one in files_imported(path))]
    assert {folder(path) for path in using} <= {"harness/campaign", "."}
    assert [path.name for path in using if folder(path) == "."] == ["__main__.py"]


def test_no_file_imports_itself_through_others():
    """There is no circle among the files."""
    TopologicalSorter({path: files_imported(path) for path in PROPERTIES}).prepare()


def test_folders_can_be_looked_through():
    """No folder of the suite has more than 12 files."""
    assert {name: count for name, count in Counter(map(folder, PROPERTIES)).items() if count > MOST_FILES} == {}


@pytest.mark.parametrize("path", named([*PROPERTIES, *REFERENCE]))
def test_files_can_be_read_in_a_sitting(path):
    """No file of the suite or the network is longer than 300 lines."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", named(MACHINE))
def test_the_machine_knows_no_operation(path):
    """No name, attribute or string in what runs, compares, explains or reports is an operation's."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not names & OPERATIONS.keys()
