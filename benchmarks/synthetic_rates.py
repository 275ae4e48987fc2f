"""How well rates are measured on rendered people that no training has seen.

    python benchmarks/synthetic_rates.py [--clips 20] [--model NAME ...] [--crf 3] [--motion 0.05]

Renders clips of 20 s at 480 x 360 (seeds from 900000000 on; the default weights were trained on
seeds below 3000000), encodes them with H.264, measures each with `bigsmall.measure` as a user
would, face detection included, and prints the errors. `--motion 0.05` is somebody who sits for a
measurement; `--motion 1` leaves motion as it is drawn, up to somebody who talks and turns. A clip
that cannot be measured, because no face is found in 4 s on end, is counted and its seed named, not
left out in silence.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from tqdm import tqdm

import bigsmall
from bigsmall.exceptions import NoFaceError, TooShortError
from bigsmall.synthetic import Scene, write_clip

FIRST_SEED = 900_000_000


def main() -> None:
    """Render, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--model", nargs="+", default=["bigsmall-synthetic", "pos", "chrom"])
    parser.add_argument("--crf", type=int, default=3)
    parser.add_argument("--crop", default="face")
    parser.add_argument("--motion", type=float, default=0.05, help="at most this much")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    errors: dict[str, list[tuple[float, float]]] = {model: [] for model in args.model}
    without_face = []
    seeds = range(FIRST_SEED, FIRST_SEED + args.clips)
    with ProcessPoolExecutor(args.workers) as pool:
        results = pool.map(partial(measure_clip, args=args), seeds)
        for seed, rows in zip(seeds, tqdm(results, total=args.clips, leave=False)):
            if rows is None:
                without_face.append(seed)
                continue
            for model, row in zip(args.model, rows):
                errors[model].append(row)
    print(
        f"{args.clips} clips of {args.seconds:g} s, crf {args.crf}, crop {args.crop}, "
        f"motion at most {args.motion:g}"
    )
    print(f"refused, no face for 4 s on end: {len(without_face)} {without_face or ''}".rstrip())
    print("mean absolute error, per minute (worst clip in brackets; clips without a rate)")
    for model, rows in errors.items():
        heart, breath = np.array(rows).T
        print(f"  {model:<20} heart rate {_words(heart):<24} respiratory rate {_words(breath)}")


def measure_clip(seed: int, args: argparse.Namespace) -> list[tuple[float, float]] | None:
    """Errors of every model on one clip; None where it is refused."""
    torch.set_num_threads(1)
    motion = min(args.motion, Scene.random(seed).motion)
    scene = Scene.random(
        seed,
        motion=motion,
        framing="portrait",
        width=480,
        height=360,
        fps=30.0,
        seconds=args.seconds,
    )
    with TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        write_clip(clip, scene, crf=args.crf)
        try:
            return [_errors(clip, scene, model, args.crop) for model in args.model]
        except (NoFaceError, TooShortError):
            return None


def _errors(clip: Path, scene: Scene, model: str, crop: str) -> tuple[float, float]:
    """Absolute errors of heart and respiratory rate; NaN where there is none."""
    result = bigsmall.measure(clip, model=model, crop=crop)
    pairs = (
        (result.heart_rate, scene.heart_rate),
        (result.respiratory_rate, scene.respiratory_rate),
    )
    heart, breath = (np.nan if e is None else abs(e.value - truth) for e, truth in pairs)
    return heart, breath


def _words(errors: np.ndarray) -> str:
    found = errors[np.isfinite(errors)]
    if not len(found):
        return "not measured"
    missing = f"; {len(errors) - len(found)} without" if len(found) < len(errors) else ""
    return f"{found.mean():.2f} ({found.max():.1f}{missing})"


if __name__ == "__main__":
    main()
