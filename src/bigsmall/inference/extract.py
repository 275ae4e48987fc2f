"""From cuts to signals, in memory that does not grow with the length of the video.

An extractor eats the cuts of one stretch (frames without a gap) and gives a `Stretch`. Scaling
statistics are those of all frames so far: the network runs once a minute and at the end, so a
recording of up to a minute is scaled by its own statistics over its whole length, exactly as if
it had been held in memory, and a longer one by those from its start to the minute in question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from bigsmall.inference.crops import MARGIN, Cut
from bigsmall.models import Network
from bigsmall.transforms import InputSpec, area_resize, normalised_difference

BLOCK_SECONDS = 60.0
BATCH = 16
FACE = 0.9 / MARGIN
"""Share of a face crop, in each direction, that is skin for certain."""


@dataclass(frozen=True)
class Stretch:
    """Signals of frames without a gap; None for what is not measured.

    Attributes:
        times: seconds, `(T,)`.
        bvp: pulse wave at those times, `(T,)`, not filtered.
        resp: respiration wave, `(T,)`, not filtered.
        au: probabilities, `(T - 1, units)` or `(T, units)`.
        rgb: mean colour, `(T, 3)`.
    """

    times: np.ndarray
    bvp: np.ndarray | None = None
    resp: np.ndarray | None = None
    au: np.ndarray | None = None
    rgb: np.ndarray | None = None

    @property
    def fps(self) -> float:
        """Mean frames per second by the time stamps; NaN for fewer than two frames."""
        if len(self.times) < 2:
            return np.nan
        return round((len(self.times) - 1) / float(self.times[-1] - self.times[0]), 9)

    @property
    def seconds(self) -> float:
        """How long it lasts, the last frame included."""
        return len(self.times) / self.fps if len(self.times) > 1 else 0.0


class Extractor(Protocol):
    """Eats the cuts of one stretch."""

    size: tuple[int, int]

    def add(self, cut: Cut) -> None:
        """Take one more frame."""

    def finish(self) -> Stretch:
        """Return the signals and be ready for another stretch."""


class _Moments:
    """Running mean and population standard deviation."""

    def __init__(self) -> None:
        self.count, self.total, self.squares = 0, 0.0, 0.0

    def add(self, x: np.ndarray) -> None:
        self.count += x.size
        self.total += float(x.sum(dtype=np.float64))
        self.squares += float(np.square(x, dtype=np.float64).sum())

    @property
    def mean(self) -> float:
        return self.total / self.count

    @property
    def std(self) -> float:
        variance = self.squares / self.count - self.mean**2
        return variance**0.5 if variance > 1e-12 * self.squares / self.count else 0.0


class NetworkExtractor:
    """Feeds a network; the pictures must have the size of its Big input."""

    def __init__(self, network: Network) -> None:
        """Take the network wherever and in whatever precision it is."""
        self._network, self._spec = network, network.input_spec
        self.size = self._spec.big_size
        self._reset()

    def _reset(self) -> None:
        self._times: list[float] = []
        self._big: list[np.ndarray] = []
        self._small: list[np.ndarray] = []
        self._big_moments, self._small_moments = _Moments(), _Moments()
        self._previous: np.ndarray | None = None
        self._outputs: dict[str, list[np.ndarray]] = {name: [] for name in self._network.tasks}
        self._block_start = 0.0

    def add(self, cut: Cut) -> None:
        """Take one more frame; run the network once a minute."""
        spec = self._spec
        if not self._times:
            self._block_start = cut.time
        if "small" in self._network.inputs and self._previous is not None:
            pair = np.stack([self._previous, cut.picture if cut.before is None else cut.before])
            difference = normalised_difference(pair, spec.epsilon)[0]
            self._small_moments.add(difference)
            self._small.append(area_resize(difference, spec.small_size))
        if "big" in self._network.inputs:
            self._big_moments.add(cut.picture)
            if len(self._times) % (spec.frames // spec.big_frames) == 0:
                self._big.append(cut.picture.astype(np.float16))
        self._times.append(cut.time)
        self._previous = cut.picture
        if cut.time - self._block_start >= BLOCK_SECONDS:
            self._run()
            self._block_start = cut.time

    def finish(self) -> Stretch:
        """Run the network on the rest and return the signals."""
        self._run()
        joined = {
            name: np.concatenate(parts) if parts else np.empty(0)
            for name, parts in self._outputs.items()
        }
        frames = len(next(iter(joined.values())))
        extra = int("small" in self._network.inputs)
        times = np.array(self._times[: frames + extra])
        waves = {
            name: np.concatenate([[0.0], np.cumsum(joined[name])])
            for name in ("bvp", "resp")
            if name in joined
        }
        stretch = Stretch(times, **waves, au=joined.get("au"))
        self._reset()
        return stretch

    def _run(self) -> None:
        """Run the network on all whole clips that wait, and forget them."""
        spec, inputs = self._spec, self._network.inputs
        clips = len(self._big) // spec.big_frames
        if "small" in inputs:
            clips = len(self._small) // spec.frames
        for first in range(0, clips, BATCH):
            batch = slice(first, min(first + BATCH, clips))
            out = self._forward(batch)
            for name, parts in self._outputs.items():
                parts.append(out[name].flatten(0, 1).double().cpu().numpy())
        del self._big[: clips * spec.big_frames]
        del self._small[: clips * spec.frames]

    def _forward(self, batch: slice) -> dict[str, Tensor]:
        spec, tensors = self._spec, []
        for name in self._network.inputs:
            if name == "big":
                moments, frames, waiting = self._big_moments, spec.big_frames, self._big
            else:
                moments, frames, waiting = self._small_moments, spec.frames, self._small
            x = np.stack(waiting[batch.start * frames : batch.stop * frames]).astype(np.float32)
            mean = moments.mean if name == "big" else 0.0
            x = (x - mean) * (1 / moments.std if moments.std > 0 else 0.0)
            tensors.append(_as_clips(x, frames))
        like = next(self._network.parameters())
        training = self._network.training
        # In training mode dropout would make every answer another one.
        self._network.eval()
        with torch.inference_mode():
            out = self._network(*(x.to(like) for x in tensors))._asdict()
        self._network.train(training)
        still = "small" in self._network.inputs and self._small_moments.std == 0
        if out["au"] is not None:
            out["au"] = out["au"].sigmoid()
        for name in ("bvp", "resp"):
            # Where nothing changes there is no wave, whatever the biases of the network say.
            if out[name] is not None and still:
                out[name] = torch.zeros_like(out[name])
        return out


def _as_clips(x: np.ndarray, frames: int) -> Tensor:
    """`(clips * frames, H, W, C)` to `(clips, frames, C, H, W)`."""
    channels_first = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    return torch.from_numpy(channels_first).unflatten(0, (-1, frames))


class ColourExtractor:
    """Averages the colour of the skin; for methods without a network.

    Of a face crop only the middle is averaged, where there is neither hair nor background. Where
    the crop moves, other skin comes into view; the colours from there on are scaled so that the
    frame itself makes no step.
    """

    size = InputSpec.big_size

    def __init__(self, on_face: bool) -> None:
        """Say whether the pictures are face crops."""
        height, width = self.size
        margin = (1 - FACE) / 2 if on_face else 0.0
        self._rows = slice(round(margin * height), round((1 - margin) * height))
        self._columns = slice(round(margin * width), round((1 - margin) * width))
        self._reset()

    def _reset(self) -> None:
        self._times: list[float] = []
        self._rgb: list[np.ndarray] = []
        self._gain = np.ones(3)

    def _mean(self, picture: np.ndarray) -> np.ndarray:
        return picture[self._rows, self._columns].mean((0, 1), dtype=np.float64)

    def add(self, cut: Cut) -> None:
        """Take one more frame."""
        colour = self._mean(cut.picture)
        if cut.before is not None and cut.before is not cut.picture:
            before = self._mean(cut.before)
            # A black channel has no ratio; it starts anew.
            lit = (colour > 0) & (before > 0)
            self._gain = np.where(lit, self._gain * before / np.where(lit, colour, 1.0), 1.0)
        self._times.append(cut.time)
        self._rgb.append(self._gain * colour)

    def finish(self) -> Stretch:
        """Return the trace; exactly constant where nothing but rounding moves it."""
        rgb = np.array(self._rgb).reshape(-1, 3)
        still = np.ptp(rgb, axis=0) <= 1e-9 * abs(rgb).max(0) if len(rgb) else np.ones(3, bool)
        rgb[:, still] = rgb[:1, still]
        stretch = Stretch(np.array(self._times), rgb=rgb)
        self._reset()
        return stretch
