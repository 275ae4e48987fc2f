"""Every Python example of the README and of the pages runs.

The blocks of a page run in order and share their names, in a folder of their own that holds
`me.mp4`, a rendered face. A block after `<!-- not run: REASON -->` is left out.
"""

import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]

BLOCK = re.compile(
    r"^(?P<comment><!-- not run(?P<reason>:[^\n]*)? -->\n+)?```python[^\n]*\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """One example: its code and the line of the page that it starts on."""

    code: str
    line: int


def blocks(text: str) -> list[Block]:
    """Return the examples of a page that are to run."""
    # In CONTRIBUTING's manner a fence of four ticks shows a fence of three: not an example.
    text = re.sub(
        r"^````.*?^````$", lambda m: "\n" * m[0].count("\n"), text, flags=re.DOTALL | re.MULTILINE
    )
    found = []
    for match in BLOCK.finditer(text):
        if match["comment"]:
            assert (match["reason"] or "").strip(": "), f"no reason given in {match['comment']!r}"
            continue
        found.append(Block(match["code"], text.count("\n", 0, match.start("code")) + 1))
    return found


def pages() -> list[str]:
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [
        str(path.relative_to(ROOT)) for path in paths if blocks(path.read_text(encoding="utf-8"))
    ]


def test_blocks_are_found_and_left_out() -> None:
    page = (
        "x\n```python\na = 1\n```\n<!-- not run: no camera -->\n```python\nb\n```\n"
        "````markdown\n```python\nc\n```\n````\n```bash\nd\n```\n```python title='e'\ne\n```\n"
    )
    assert blocks(page) == [Block("a = 1\n", 3), Block("e\n", 18)]
    with pytest.raises(AssertionError, match="no reason"):
        blocks("<!-- not run: -->\n```python\nb\n```\n")


@pytest.mark.parametrize("page", pages())
def test_examples_run(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    path = ROOT / page
    examples = blocks(path.read_text(encoding="utf-8"))
    if any("me.mp4" in example.code for example in examples):
        shutil.copy(request.getfixturevalue("face_video"), tmp_path / "me.mp4")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for code, line in examples:
        # Empty lines before the code make a traceback point at the line of the page.
        exec(compile("\n" * (line - 1) + code, str(path), "exec"), names)
