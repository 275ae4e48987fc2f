"""Draw the pictures of the pages and write down what the command line prints.

    python examples/draw_docs_pictures.py

Run it again whenever the default weights, the renderer or the plot have changed. It replaces

* `docs/images/measure.png`: a rendered clip, measured by the command line;
* `docs/images/faces.png`: rendered faces, from the lightest skin on the left to the darkest;
* the block after `MARK` in `docs/command-line.md`: the two commands and their output.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from bigsmall.synthetic import Rendering, Scene

DOCS = Path(__file__).resolve().parents[1] / "docs"
COMMANDS = (
    "bigsmall synth clip.mp4 --seed 7 --heart-rate 72 --respiratory-rate 15",
    "bigsmall measure clip.mp4 --plot clip.png",
)
MARK = "<!-- the next block is written by examples/draw_docs_pictures.py -->"
ROWS, COLUMNS = 3, 8
LARGEST = 300_000


def transcript(folder: Path) -> str:
    """Run the commands in `folder` and return them with what they print."""
    lines = []
    for command in COMMANDS:
        program = [sys.executable, "-m", *command.split()]
        done = subprocess.run(program, cwd=folder, capture_output=True, text=True, check=True)
        lines.append(f"$ {command}\n{done.stdout}")
    return "".join(lines)


def replace_block(page: Path, text: str) -> None:
    """Put `text` into the block that follows `MARK`."""
    pattern = re.compile(re.escape(MARK) + r"\n```text\n.*?^```$", re.DOTALL | re.MULTILINE)
    block = f"{MARK}\n```text\n{text}```"
    page_text, count = pattern.subn(lambda match: block, page.read_text(encoding="utf-8"))
    if count != 1:
        sys.exit(f"{page} holds {count} blocks after {MARK}; expected 1")
    page.write_text(page_text, encoding="utf-8")


def faces() -> np.ndarray:
    """Draw one person a cell, skin from light to dark; the last row from nearby."""
    rows = []
    for row in range(ROWS):
        framing = "face" if row == ROWS - 1 else "portrait"
        pictures = []
        for column in range(COLUMNS):
            scene = Scene.random(
                100 * row + column,
                melanin=column / (COLUMNS - 1),
                framing=framing,
                seconds=0.7,
                fps=30.0,
            )
            pictures.append(list(Rendering(scene))[-1])
        rows.append(np.hstack(pictures))
    return np.vstack(rows)


def main() -> None:
    """Write everything and say how large the pictures are."""
    images = DOCS / "images"
    images.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        replace_block(DOCS / "command-line.md", transcript(Path(folder)))
        shutil.copyfile(Path(folder) / "clip.png", images / "measure.png")
    # Camera noise does not compress; 256 colours keep it and the file small.
    Image.fromarray(faces()).quantize(256, kmeans=3).save(images / "faces.png", optimize=True)
    for path in sorted(images.glob("*.png")):
        size = path.stat().st_size
        print(f"{path.name}: {size / 1000:.0f} kB{'' if size < LARGEST else ', too large'}")


if __name__ == "__main__":
    main()
