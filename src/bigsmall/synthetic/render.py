"""Rendering: from a scene to frames, and to a video file with its truth beside it.

Order of things: background, head and torso in linear light; the pulse darkens the skin as blood
volume rises; light drifts and flickers; the camera exposes, applies its gamma, adds noise and
rounds to 8 bit. Frames come in blocks, so memory does not grow with length.

References:
    Wang et al.: Algorithmic principles of remote PPG, IEEE TBME 64, 2017, and de Haan, van
    Leest: Improved motion robustness of remote-PPG, Physiol. Meas. 35, 2014 (the colour of the
    pulse: 0.33, 0.77, 0.53 for red, green, blue).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bigsmall.exceptions import InputError
from bigsmall.files import replace_atomically
from bigsmall.synthetic import physiology
from bigsmall.synthetic.face import head
from bigsmall.synthetic.layers import Layer, background, torso
from bigsmall.synthetic.scene import Scene
from bigsmall.video import write_video

PULSE_COLOUR = torch.tensor([0.33, 0.77, 0.53])
BLOCK = 32


@dataclass(frozen=True)
class Truth:
    """What is known about a rendered recording.

    Attributes:
        scene: what was rendered.
        times: seconds of each frame, `(T,)`, starting at 0.
        bvp: blood volume pulse at those times, `(T,)`.
        resp: respiration wave, `(T,)`, high when the lungs are full.
        action_units: intensities, `(T, 12)` in [0, 1]; present from 0.5 on.
    """

    scene: Scene
    times: np.ndarray
    bvp: np.ndarray
    resp: np.ndarray
    action_units: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as the truth file holds it."""
        return {
            "heart_rate": self.scene.heart_rate,
            "respiratory_rate": self.scene.respiratory_rate,
            "times": np.round(self.times, 6).tolist(),
            "bvp": np.round(self.bvp, 5).tolist(),
            "resp": np.round(self.resp, 5).tolist(),
            "action_units": np.round(self.action_units, 3).tolist(),
            "scene": self.scene.to_dict(),
        }


class Rendering:
    """A scene ready to be drawn: `truth` is known at once, iterating yields the frames.

    Iterating yields `(H, W, 3)` uint8 RGB arrays, `scene.frames` of them, the same every time.

    Example:
        >>> rendering = Rendering(Scene.random(1, seconds=0.2, fps=30))
        >>> frame = next(iter(rendering))
        >>> frame.shape, frame.dtype, rendering.truth.bvp.shape
        ((144, 144, 3), dtype('uint8'), (6,))
    """

    def __init__(self, scene: Scene) -> None:
        """Draw the person and the room, and fix the course of everything that moves."""
        self.scene = scene
        rng = np.random.default_rng([scene.seed, 1])
        self.truth, self._breath = _physiology(scene, rng)
        generator = torch.Generator().manual_seed(scene.seed)
        self._background, self._background_modes = background(scene, generator)
        self._torso = torso(scene, generator)
        self._head: Layer | None = head(scene, generator) if scene.framing != "torso" else None
        self._move(rng)

    def _move(self, rng: np.random.Generator) -> None:
        """Coefficients of every mode of every layer, and the light, over time."""
        scene, times = self.scene, self.truth.times
        pose = physiology.motion(times, scene.motion, rng)
        rise = scene.breath_amplitude * self._breath
        sway = 0.5 * pose[:, :2]
        pose[:, 1] -= scene.head_follows * rise
        pose[:, 5] -= scene.head_follows * rng.uniform(-0.3, 0.6) * rise
        face = np.column_stack(
            [
                pose,
                physiology.blinks(times, rng),
                scene.expressiveness * physiology.talking(times, rng),
                self.truth.action_units,
            ]
        )
        chest, width, belly = rng.dirichlet([1.0, 1.0, 1.0]) * 1.5
        body = np.column_stack([chest * rise, width * rise, belly * rise, sway])
        room = np.column_stack(
            [
                scene.background_motion * physiology.motion(times, 8.0, rng)[:, :2],
                np.zeros(len(times)),
            ]
        )
        room[:, 2] = rng.uniform(-0.2, 0.2) * physiology.motion(times, 8.0, rng)[:, 0]
        drift = scene.light_drift * physiology.motion(times, 8.0, rng)[:, :2]
        flicker = scene.flicker * np.sin(2 * np.pi * rng.uniform(0.3, scene.fps / 2) * times)
        colour = 1 + 0.2 * scene.warmth * np.array([1.0, 0.0, -1.0])
        light = scene.exposure * (1 + drift[:, :1] + flicker[:, None]) * colour
        light = light * (1 + 0.1 * drift[:, 1:] * np.array([1.0, 0.0, -1.0]))
        self._face_course, self._body_course, self._room_course, self._light = (
            torch.from_numpy(course).float() for course in (face, body, room, light)
        )
        delay = np.gradient(self.truth.bvp) * scene.fps / 8
        # The camera's gamma will shrink what is small; the amplitude is meant in its picture.
        strength = scene.pulse_amplitude * scene.gamma
        self._pulse = torch.from_numpy(strength * np.column_stack([self.truth.bvp, delay])).float()

    def __len__(self) -> int:
        """Number of frames."""
        return self.scene.frames

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield the frames one by one."""
        generator = torch.Generator().manual_seed(self.scene.seed + 2**32)
        grain = torch.randn(3 * self.scene.height * self.scene.width * 4, generator=generator)
        for start in range(0, len(self), BLOCK):
            linear = self._draw(slice(start, start + BLOCK))
            yield from _camera(linear, self.scene, grain, generator).numpy()

    def _draw(self, block: slice) -> Tensor:
        """Linear light of some frames, `(T, 3, H, W)`."""
        light = self._light[block]
        modes = self._background_modes
        picture = self._background + (self._room_course[block] @ modes.flatten(1)).reshape(
            -1, *modes.shape[1:]
        )
        if self._head is not None:
            layer = self._head.at(self._face_course[block])
            blood = torch.einsum("tm,tmhw->thw", self._pulse[block], layer[:, 4:])
            lit = layer[:, :3] * (1 - PULSE_COLOUR[:, None, None] * blood[:, None])
            picture = torch.addcmul(lit, picture, 1 - layer[:, 3:4])
        if self._torso is not None:
            layer = self._torso.at(self._body_course[block])
            below = picture[:, :, self._torso.top :]
            below.mul_(1 - layer[:, 3:4]).add_(layer[:, :3])
        return picture * light[:, :, None, None]


def _physiology(scene: Scene, rng: np.random.Generator) -> tuple[Truth, np.ndarray]:
    times = np.arange(scene.frames) / scene.fps
    if scene.jitter > 0:
        times = times + np.clip(rng.normal(0, scene.jitter, len(times)), -0.4, 0.4) / scene.fps
        times = times - times[0]
    breath, _ = physiology.respiration(times, scene.respiratory_rate, rng)
    bvp = physiology.pulse(times, scene.heart_rate, breath, rng)
    units = scene.expressiveness * physiology.action_units(times, rng)
    return Truth(scene, times, bvp, breath, units), breath


def _camera(linear: Tensor, scene: Scene, grain: Tensor, generator: torch.Generator) -> Tensor:
    """Expose, bend, add noise and round: `(T, H, W, 3)` uint8."""
    grey = linear.clamp_(0, 1).pow_(1 / scene.gamma).mul_(255)
    size = grey[0].numel()
    starts = torch.randint(0, grain.numel() - size, (len(grey),), generator=generator)
    for picture, start in zip(grey, starts.tolist()):
        noise = grain[start : start + size].view_as(picture)
        # Read noise and shot noise: the latter grows with brightness.
        picture.addcmul_(noise, picture.mul(0.6 / 128).add_(0.4), value=scene.noise)
    return grey.round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def write_clip(path: str | Path, scene: Scene, *, crf: int = 3, progress: bool = False) -> Truth:
    """Render a scene into an H.264 video, and its truth into a JSON file beside it.

    Args:
        path: the video; the truth goes to the same name with `.json`.
        scene: what to render.
        crf: quality of the encoder, 0 (best) to 51; from about 8 on the encoder takes some
            pulses out of a small picture.
        progress: show a progress bar.

    Raises:
        OutputError: if a file cannot be written.
        InputError: if the name ends in `.json`.
    """
    path = Path(path)
    if path.suffix.lower() in ("", ".json"):
        raise InputError(f"{path} does not name a video; expected a name such as {path.stem}.mp4")
    rendering = Rendering(scene)
    frames: Iterator[np.ndarray] | Any = iter(rendering)
    if progress:
        from tqdm import tqdm

        frames = tqdm(frames, total=len(rendering), desc="rendering", unit="frame", leave=False)
    truth = rendering.truth
    times = truth.times if scene.jitter > 0 else None
    with replace_atomically(path.with_suffix(".json")) as temporary:
        Path(temporary).write_text(json.dumps(truth.to_dict()) + "\n", encoding="utf-8")
        write_video(path, frames, fps=scene.fps, times=times, crf=crf)
    return truth
