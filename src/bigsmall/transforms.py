"""From frames to what a network sees: resize, standardise, difference, cut into clips.

Conventions. Time is the first axis. Arrays are `(..., H, W, C)`, tensors `(..., C, H, W)`;
every function takes either and gives back the same kind. Colour is RGB. Values may be uint8
or float on any scale; the arithmetic is done in float (float32 unless float64 comes in).

Two views of a recording feed a network:

* **Big**, one still picture a clip: the frame at 144 x 144, standardised with the mean and the
  standard deviation of the whole recording (two scalars).
* **Small**, all frames: the normalised difference `(x[t+1] - x[t]) / (x[t+1] + x[t])` at
  144 x 144, divided by its standard deviation over the whole recording (one scalar), then
  averaged down to 9 x 9. `Small[t]` is the change from frame t to frame t + 1, so T frames
  give T - 1 differences.

References:
    Narayanswamy et al.: BigSmall, arXiv 2303.11573, section 3.
    Chen, McDuff: DeepPhys, ECCV 2018 (normalised difference).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from bigsmall.exceptions import InputError

Array = TypeVar("Array", np.ndarray, Tensor)


@dataclass(frozen=True)
class InputSpec:
    """What a network wants to be fed.

    Attributes:
        frames: frames a clip (N of the paper).
        big_frames: Big pictures a clip; `frames / big_frames` is the paper's M.
        big_size: height and width of Big; differences are taken at this size too.
        small_size: height and width of Small.
        epsilon: added to the denominator of the normalised difference, on the scale of uint8.
            The paper's 1e-7 only avoids 0 / 0; a few grey levels keep the noise of black
            pixels, whose relative changes are huge, from drowning the pulse.
    """

    frames: int = 3
    big_frames: int = 1
    big_size: tuple[int, int] = (144, 144)
    small_size: tuple[int, int] = (9, 9)
    epsilon: float = 1e-7


def standardise(x: Array, mean: float | None = None, std: float | None = None) -> Array:
    """Subtract the mean and divide by the population standard deviation of all of `x`.

    Args:
        x: any shape.
        mean: use this mean instead of that of `x`.
        std: use this standard deviation instead of that of `x`.

    Returns:
        The same shape, float. Zeros where the standard deviation is 0.

    Example:
        >>> standardise(np.array([1.0, 2.0, 3.0])).round(4).tolist()
        [-1.2247, 0.0, 1.2247]
    """
    x = _as_float(x)
    wide = _float64(x)
    mean = float(wide.mean()) if mean is None else mean
    std = _population_std(wide) if std is None else std
    return (x - mean) / std if std > 0 else x * 0


def normalised_difference(x: Array, epsilon: float = 1e-7) -> Array:
    """Return `(x[t+1] - x[t]) / (x[t+1] + x[t] + epsilon)`, one row fewer than `x`.

    Args:
        x: `(T, ...)`, T at least 2, values at least 0.
        epsilon: keeps 0 / 0 away; see `InputSpec`.

    Returns:
        `(T - 1, ...)` float in [-1, 1].

    Raises:
        InputError: if there are fewer than 2 rows.

    Example:
        >>> normalised_difference(np.array([1.0, 3.0, 1.0])).round(4).tolist()
        [0.5, -0.5]
    """
    if x.shape[0] < 2:
        raise InputError(f"got {x.shape[0]} frame(s); a difference needs at least 2")
    x = _as_float(x)
    return (x[1:] - x[:-1]) / (x[1:] + x[:-1] + epsilon)


def area_resize(x: Array, size: tuple[int, int]) -> Array:
    """Resize pictures by averaging areas; for whole factors this is the mean of blocks.

    Each new pixel is the mean of the old picture over the new pixel's area. Where both sides
    shrink or both grow this is what OpenCV calls `INTER_AREA`, without rounding to 8 bit.

    Args:
        x: arrays `(..., H, W, C)`, tensors `(..., C, H, W)`.
        size: new height and width.

    Returns:
        The same shape with H and W replaced, float.

    Raises:
        InputError: if a length is 0 or there are fewer than 3 axes.

    Example:
        >>> area_resize(torch.arange(16.0).reshape(1, 4, 4), (2, 2))
        tensor([[[ 2.5000,  4.5000],
                 [10.5000, 12.5000]]])
    """
    x = _as_float(x)
    if x.ndim < 3 or 0 in x.shape or min(size) < 1:
        raise InputError(
            f"cannot resize shape {tuple(x.shape)} to {tuple(size)}; expected pictures "
            "(H, W, C) in arrays, (C, H, W) in tensors, and a size of at least 1 x 1"
        )
    if size == (tuple(x.shape[-2:]) if isinstance(x, Tensor) else tuple(x.shape[-3:-1])):
        return x
    if isinstance(x, Tensor):
        down = torch.from_numpy(_area_weights(x.shape[-2], size[0])).to(x)
        across = torch.from_numpy(_area_weights(x.shape[-1], size[1])).to(x)
        return down @ x @ across.T
    height, width, channels = x.shape[-3:]
    down = _area_weights(height, size[0]).astype(x.dtype, copy=False)
    across = _area_weights(width, size[1]).astype(x.dtype, copy=False)
    lead = x.shape[:-3]
    x = down @ x.reshape(*lead, height, width * channels)
    # Width to the front, so that the second product is one large matrix product as well.
    x = x.reshape(*lead, size[0], width, channels).swapaxes(-3, -2)
    x = across @ x.reshape(*lead, width, size[0] * channels)
    return x.reshape(*lead, size[1], size[0], channels).swapaxes(-3, -2)


def make_clips(x: Array, frames: int) -> Array:
    """Cut `(T, ...)` into `(T // frames, frames, ...)`; up to `frames - 1` last rows are dropped.

    Raises:
        InputError: if `frames` is less than 1.

    Example:
        >>> make_clips(np.arange(8), 3).tolist()
        [[0, 1, 2], [3, 4, 5]]
    """
    if frames < 1:
        raise InputError(f"frames is {frames}; a clip has at least 1 frame")
    clips = x.shape[0] // frames
    return x[: clips * frames].reshape(clips, frames, *x.shape[1:])


def small_input(x: Array, spec: InputSpec | None = None) -> Array:
    """Return the Small view of a recording: difference, global scale, average down.

    Args:
        x: frames at the size where differences are taken, `(T, ...)`, scale of uint8.
        spec: what the network wants; the paper's by default.

    Returns:
        T - 1 frames of `spec.small_size`; all zero for a recording in which nothing changes.
    """
    spec = spec or InputSpec()
    difference = normalised_difference(x, spec.epsilon)
    std = _population_std(_float64(difference))
    return area_resize(difference, spec.small_size) * (1 / std if std > 0 else 0.0)


def big_input(x: Array, spec: InputSpec | None = None) -> Array:
    """Return the Big view of all frames: resized to `spec.big_size`, then standardised."""
    spec = spec or InputSpec()
    return standardise(area_resize(x, spec.big_size))


def prepare(frames: Array, spec: InputSpec | None = None) -> tuple[Tensor, Tensor]:
    """Turn a whole recording into the clips a network takes.

    The last frame gives no difference and the last `(T - 1) % spec.frames` differences fill no
    clip; both are dropped. Everything is held in memory: `bigsmall.measure` does the same
    frame by frame.

    Args:
        frames: cropped frames, arrays `(T, H, W, 3)` or tensors `(T, 3, H, W)`, scale of uint8.
        spec: what the network wants; the paper's by default.

    Returns:
        `big` `(clips, big_frames, 3, H, W)` and `small` `(clips, frames, 3, h, w)`, float32.

    Example:
        >>> big, small = prepare(torch.rand(8, 3, 150, 150) * 255)
        >>> big.shape, small.shape
        (torch.Size([2, 1, 3, 144, 144]), torch.Size([2, 3, 3, 9, 9]))
    """
    spec = spec or InputSpec()
    x = area_resize(frames, spec.big_size)
    small = _as_tensor(small_input(x, spec))
    big = _as_tensor(standardise(x))[: small.shape[0]]
    step = spec.frames // spec.big_frames
    big = make_clips(big, spec.frames)[:, ::step]
    return big.float(), make_clips(small, spec.frames).float()


def _as_float(x: Array) -> Array:
    if isinstance(x, Tensor):
        return x if x.is_floating_point() else x.float()
    return x if np.issubdtype(x.dtype, np.floating) else x.astype(np.float32)


def _float64(x: Array) -> Array:
    return x.double() if isinstance(x, Tensor) else x.astype(np.float64, copy=False)


def _population_std(x: Array) -> float:
    """Return the standard deviation; rounding left by a constant counts as 0."""
    std = float(x.std(correction=0) if isinstance(x, Tensor) else x.std())
    return std if std > 1e-12 * float(abs(x).max()) else 0.0


def _as_tensor(x: np.ndarray | Tensor) -> Tensor:
    if isinstance(x, Tensor):
        return x
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, -3)))


@lru_cache(maxsize=64)
def _area_weights(old: int, new: int) -> np.ndarray:
    """Share of each old pixel (column) in each new one (row); rows sum to 1."""
    edges = np.arange(new + 1) * (old / new)
    left = np.maximum(edges[:-1, None], np.arange(old))
    right = np.minimum(edges[1:, None], np.arange(old) + 1)
    weights = np.clip(right - left, 0, None)
    return weights / weights.sum(axis=1, keepdims=True)
