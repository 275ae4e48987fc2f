"""Rendered data for the default weights: windows for the waves, pictures for action units.

Every file depends on the seed and its own number alone, is written under another name and moved
into place, and is left alone if it is there: a killed run goes on where it was.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from tqdm import tqdm

from bigsmall.synthetic import Rendering, Scene
from bigsmall.transforms import area_resize, normalised_difference
from bigsmall.video import open_video, write_video

FRAMES = 300
EPSILON = 16.0
PICTURES = 12


def render_window(index: int, folder: Path, seed: int) -> None:
    """Render, encode, decode and difference one recording; store it as one small file."""
    path = folder / f"window{index:05d}.npz"
    if path.exists():
        return
    torch.set_num_threads(1)
    draw = np.random.default_rng([seed, index, 9])
    scene = Scene.random(seed + index)
    scene = Scene.random(seed + index, seconds=(FRAMES + 1) / scene.fps)
    rendering = Rendering(scene)
    frames = np.stack(list(rendering))
    if draw.uniform() < 0.5:
        with TemporaryDirectory() as temporary:
            clip = Path(temporary) / "clip.mp4"
            write_video(clip, frames, fps=scene.fps, crf=int(draw.integers(0, 13)))
            frames = np.stack([frame.image for frame in open_video(clip)])
    difference = normalised_difference(frames.astype(np.float32), EPSILON)
    small = area_resize(difference, (9, 9)) / difference.std()
    truth = rendering.truth
    np.savez(
        path.with_suffix(".tmp.npz"),
        small=np.moveaxis(small, -1, 1).astype(np.float16),
        bvp=np.diff(truth.bvp).astype(np.float32),
        resp=np.diff(truth.resp).astype(np.float32),
        fps=scene.fps,
        pulse_seen=scene.framing != "torso",
        breaths=scene.respiratory_rate / 60 * scene.seconds,
    )
    path.with_suffix(".tmp.npz").replace(path)


def render_pictures(index: int, folder: Path, seed: int) -> None:
    """Render twelve moments of one face, cropped as `measure` does, with their action units."""
    path = folder / f"pictures{index:05d}.npz"
    if path.exists():
        return
    torch.set_num_threads(1)
    draw = np.random.default_rng([seed, index, 8])
    scene = Scene.random(
        seed + index,
        framing="face",
        fps=1.0,
        seconds=float(PICTURES),
        motion=0.25 * draw.uniform(),
        expressiveness=1.0,
    )
    rendering = Rendering(scene)
    pictures = np.moveaxis(np.stack(list(rendering)), -1, 1)
    present = rendering.truth.action_units >= 0.5
    np.savez(path.with_suffix(".tmp.npz"), pictures=pictures, present=present)
    path.with_suffix(".tmp.npz").replace(path)


def render(folder: Path, windows: int, faces: int, seed: int, workers: int) -> None:
    """Fill `folder` with what is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool:
        for make, count, first in (
            (render_window, windows, seed * 1_000_000),
            (render_pictures, faces, seed * 1_000_000 + 500_000),
        ):
            jobs = pool.map(partial(make, folder=folder, seed=first), range(count), chunksize=4)
            for _ in tqdm(jobs, total=count, desc=make.__name__):
                pass
