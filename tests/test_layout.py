"""The shape of the source: who imports whom, and how long things are.

The rows are read from the table in docs/architecture.md, so that the page cannot go stale.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"
PACKAGE = "bigsmall"

MAX_FILE = 300
MAX_FUNCTION = 50


def read_rows(page: str) -> dict[str, int]:
    """Map each module or folder named in the table, below the package, to its row."""
    rows: dict[str, int] = {}
    for row, cell in re.findall(r"^\| *(\d+) *\| *([^|]*)\|", page, re.MULTILINE):
        for name in re.findall(r"`([\w/]+)`", cell):
            assert name not in rows, f"{name} stands twice in the table"
            rows[name.rstrip("/")] = int(row)
    return rows


@cache
def source() -> dict[str, Path]:
    """Every module of the package by its dotted name; a folder's `__init__` has the folder's."""
    modules = {}
    for path in sorted((SOURCE / PACKAGE).rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def unit(module: str) -> str:
    """What of the table a module belongs to: `video` for `bigsmall.video.reader`."""
    return "__init__" if module == PACKAGE else module.split(".")[1]


def imports(
    code: ast.Module, module: str, is_folder: bool, known: set[str]
) -> Iterator[tuple[str, int]]:
    """Yield the modules of this package that `code` imports, anywhere in it, with the line.

    `from a.b import c` is an import of `a.b.c` where that is a module, else of `a.b`.
    """
    for node in ast.walk(code):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                keep = len(parts) - node.level + is_folder
                base = ".".join([*parts[:keep], *([base] if base else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
            found = [name if name in known else base for name in names]
        else:
            continue
        for name in found:
            if name.split(".")[0] == PACKAGE:
                yield name, node.lineno


def faults(code: str, module: str, rows: dict[str, int], is_folder: bool = False) -> list[str]:
    """Return the imports of one module that the table forbids, one line each."""
    known = set(source()) | {f"{PACKAGE}.{name}" for name in rows}
    own = unit(module)
    if own not in rows:
        return [f"{module} has no row in docs/architecture.md"]
    found = []
    for target, line in imports(ast.parse(code), module, is_folder, known):
        other = unit(target)
        where = f"{module}:{line} imports {target}"
        if target == PACKAGE:
            found.append(f"{where}, the package root")
        elif other not in rows:
            found.append(f"{where}, which has no row in docs/architecture.md")
        elif other != own and rows[other] >= rows[own]:
            found.append(f"{where}: row {rows[own]} imports from row {rows[other]}")
    return found


@pytest.fixture(scope="module")
def rows() -> dict[str, int]:
    return read_rows((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))


def test_the_table_is_read(rows: dict[str, int]) -> None:
    assert rows["exceptions"] == 0
    assert rows["video"] == 2
    assert rows["__init__"] == 9


@pytest.mark.parametrize(
    ("code", "module", "fault"),
    [
        ("from bigsmall.exceptions import InputError", "bigsmall.signals", None),
        ("import bigsmall.exceptions", "bigsmall.signals", None),
        ("from bigsmall.video.reader import read", "bigsmall.video.face", None),
        ("from .exceptions import InputError", "bigsmall.signals", None),
        ("import numpy", "bigsmall.signals", None),
        ("import bigsmall", "bigsmall.signals", "package root"),
        ("from bigsmall import measure", "bigsmall.signals", "package root"),
        ("from . import measure", "bigsmall.signals", "package root"),
        ("from .. import measure", "bigsmall.video.reader", "package root"),
        ("from bigsmall.rates import heart_rate", "bigsmall.signals", "row 2 imports from row 3"),
        ("from bigsmall import rates", "bigsmall.signals", "row 2 imports from row 3"),
        ("from bigsmall import transforms", "bigsmall.signals", "row 2 imports from row 2"),
        ("from ..rates import heart_rate", "bigsmall.video.reader", "row 2 imports from row 3"),
        ("def f():\n    import bigsmall.cli", "bigsmall.signals", ":2 imports bigsmall.cli"),
        ("import bigsmall.elsewhere", "bigsmall.signals", "no row"),
        ("", "bigsmall.elsewhere", "no row"),
    ],
)
def test_the_check_finds_what_it_should(
    rows: dict[str, int], code: str, module: str, fault: str | None
) -> None:
    found = faults(code, module, rows)
    assert len(found) == (fault is not None), found
    assert fault is None or fault in found[0]


@pytest.mark.parametrize("module", source())
def test_imports_point_upwards(rows: dict[str, int], module: str) -> None:
    path = source()[module]
    code = path.read_text(encoding="utf-8")
    assert not faults(code, module, rows, is_folder=path.name == "__init__.py")


def test_no_import_goes_in_a_circle() -> None:
    known = set(source())
    graph = {
        module: {
            target
            for target, _ in imports(tree(path), module, path.name == "__init__.py", known)
            if target != module
        }
        for module, path in source().items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def python_files() -> list[Path]:
    folders = ("src", "tests", "benchmarks", "examples")
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def test_files_are_short() -> None:
    counts = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in python_files()
    }
    assert not {name: count for name, count in counts.items() if count >= MAX_FILE}


def function_length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without decorators and the docstring."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def test_functions_are_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {function_length(node)} lines"
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and function_length(node) >= MAX_FUNCTION
    ]
    assert not long


def test_the_library_asserts_nothing() -> None:
    """`python -O` removes assertions, and their message is not written for a user."""
    assert not [
        f"{module}:{node.lineno}"
        for module, path in source().items()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Assert)
    ]


def test_docstrings_are_markdown() -> None:
    """The pages render docstrings as Markdown, which shows the roles of Sphinx as they stand."""
    role = re.compile(r":(?:class|func|mod|meth|data|attr|exc):`|(?<!`)``(?!`)")
    assert not [
        f"{module}:{number}"
        for module, path in source().items()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if role.search(line)
    ]


def test_no_file_is_a_drawer() -> None:
    assert not [path for path in python_files() if path.stem in {"utils", "util", "helpers"}]
