"""The package as a whole: what importing it costs, what it exports, what its files say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import bigsmall

# Each costs a noticeable part of a second or is an extra: to be imported where it is used.
NOT_AT_IMPORT = [
    "scipy.signal",
    "scipy.linalg",
    "av",
    "cv2",
    "matplotlib",
    "huggingface_hub.file_download",
    "pandas",
]

PUBLIC = [
    "ActionUnits",
    "BigBranch",
    "BigSmall",
    "BigSmallError",
    "BigSmallOutput",
    "Estimate",
    "Measurement",
    "SmallBranch",
    "TSM",
    "WTSM",
    "Waveform",
    "__version__",
    "load_model",
    "measure",
    "metrics",
    "rates",
    "signals",
    "transforms",
    "unsupervised",
]


def test_import_loads_nothing_that_it_does_not_need() -> None:
    code = f"import sys, bigsmall; print(*({set(NOT_AT_IMPORT)!r} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == []


def test_public_names() -> None:
    assert sorted(bigsmall.__all__) == sorted(PUBLIC)
    assert [name for name in PUBLIC if not hasattr(bigsmall, name)] == []


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("CHANGELOG.md", r"^## \[(\d[^\]]*)\]"),
        ("CITATION.cff", r"^version: (\S+)$"),
    ],
)
def test_one_version_everywhere(root: Path, file: str, pattern: str) -> None:
    found = re.search(pattern, (root / file).read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    assert found[1] == bigsmall.__version__


def test_readme_names_targets_that_exist(root: Path) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", makefile, re.MULTILINE))
    readme = (root / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make (\w+)", readme, re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_between_files_lead_somewhere(root: Path, page: str) -> None:
    """MkDocs checks the links of docs/; these pages stand outside it."""
    text = (root / page).read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    local = [link for link in links if link and "://" not in link]
    assert [link for link in local if not (root / link).is_file()] == []
