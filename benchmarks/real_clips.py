"""Rates on recordings of people whose truth is known.

    python benchmarks/real_clips.py FOLDER [--model NAME|FILE ...]

FOLDER holds `face2/` (Eulerian Video Magnification data, MIT CSAIL) and `respiration/`
(recordings by ShawnTan86, Apache-2.0), as in the table below. Prints what each model says beside
the truth; a star marks a value inside the stated band.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import bigsmall
from bigsmall.exceptions import BigSmallError
from bigsmall.measurement import Estimate

# file, crop, what is known, its value and half width, per minute
CLIPS = (
    ("face2/face2.mp4", "face", "heart_rate", 53.5, 4.0),
    ("face2/face2_mpeg4_reencode.mp4", "face", "heart_rate", 53.5, 4.0),
    ("respiration/test1.avi", "none", "respiratory_rate", 16.0, 1.5),
    ("respiration/test3.mp4", "none", "respiratory_rate", 15.0, 1.0),
)


def main() -> None:
    """Measure every clip with every model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--model", nargs="+", default=["bigsmall-synthetic", "pos", "chrom", "green"]
    )
    args = parser.parse_args()
    width = max(len(Path(model).name) for model in args.model)
    for name, crop, quantity, truth, band in CLIPS:
        print(f"{name} (crop {crop}): {quantity.replace('_', ' ')} {truth:g} ± {band:g}")
        for model in args.model:
            try:
                result = bigsmall.measure(args.folder / name, model=model, crop=crop)
                words = _words(getattr(result, quantity), truth, band)
            except BigSmallError as error:
                words = str(error)
            print(f"  {Path(model).name:<{width}}  {words}")


def _words(estimate: Estimate | None, truth: float, band: float) -> str:
    if estimate is None:
        return "not measured"
    star = "*" if abs(estimate.value - truth) <= band else " "
    return f"{estimate.value:6.1f} {star} quality {estimate.quality:.2f}"


if __name__ == "__main__":
    main()
