"""What bigsmall costs: time to import it, and memory to measure a short and a long video.

    python benchmarks/cost.py [--minutes 10]

Prints the time that `import bigsmall` adds to `import torch` (the median of seven fresh
processes), and the peak memory of `bigsmall measure` on a video of one minute and on one of ten,
640 x 480 at 30 frames per second, made by playing ten rendered seconds forwards and backwards.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from tqdm import tqdm

from bigsmall.synthetic import Rendering, Scene
from bigsmall.video import write_video

IMPORT = (
    "import time; a = time.perf_counter(); import torch; b = time.perf_counter(); import bigsmall; "
    "print(b - a, time.perf_counter() - b)"
)
# VmHWM starts anew with the program; ru_maxrss would count the parent's memory as well.
PEAK = (
    "import sys; from bigsmall.cli import main; main(sys.argv[1:], standalone_mode=False); "
    "print('peak', open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
)


def import_seconds() -> tuple[float, float]:
    """Median seconds for torch, and for bigsmall on top of it."""
    runs = [subprocess.check_output([sys.executable, "-c", IMPORT], text=True) for _ in range(7)]
    torch, bigsmall = zip(*([float(word) for word in run.split()] for run in runs))
    return statistics.median(torch), statistics.median(bigsmall)


def back_and_forth(frames: list[np.ndarray], count: int) -> Iterator[np.ndarray]:
    """Play `frames` forwards and backwards until `count` have been shown."""
    cycle = [*frames, *frames[-2:0:-1]]
    return (cycle[index % len(cycle)] for index in tqdm(range(count), leave=False))


def peak_megabytes(video: Path) -> tuple[float, float]:
    """Peak memory of one measurement in a fresh process, and its seconds."""
    started = time.perf_counter()
    command = [sys.executable, "-c", PEAK, "measure", str(video)]
    out = subprocess.check_output(command, text=True)
    kilobytes = int(out.rsplit("peak", 1)[1])
    return kilobytes / 1024, time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=10)
    args = parser.parse_args()
    torch, bigsmall = import_seconds()
    print(f"import torch {torch:.2f} s; import bigsmall adds {bigsmall:.3f} s")
    scene = Scene.random(
        3, framing="portrait", width=640, height=480, fps=30.0, seconds=10.0, jitter=0.0
    )
    frames = list(Rendering(scene))
    with TemporaryDirectory() as folder:
        peaks = []
        for minutes in (1, args.minutes):
            video = Path(folder) / f"{minutes}.mp4"
            write_video(video, back_and_forth(frames, minutes * 1800), fps=30.0)
            peak, seconds = peak_megabytes(video)
            peaks.append(peak)
            print(
                f"{minutes:3d} min of 640 x 480: peak {peak:.0f} MB, {seconds:.1f} s "
                f"({minutes * 1800 / seconds:.0f} frames/s)"
            )
    print(f"difference of the peaks: {peaks[1] - peaks[0]:.0f} MB")


if __name__ == "__main__":
    main()
