"""Recordings painted in memory, with a pulse that is known exactly, and networks of no size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from bigsmall import BigSmall
from bigsmall.models import Network

SKIN = np.array([170.0, 120.0, 100.0])
PULSE_COLOUR = np.array([0.33, 0.77, 0.53])


def texture(height: int = 16, width: int = 16, seed: int = 0) -> np.ndarray:
    """Uneven skin, `(height, width, 3)` float; uneven, so that rounding does not move it whole."""
    noise = np.random.default_rng(seed).uniform(-20, 20, (height, width, 1))
    return SKIN + noise


def painted(
    times: Sequence[float] | np.ndarray, rate: float = 72, size: int = 16, depth: float = 0.02
) -> Iterator[np.ndarray]:
    """Yield skin that darkens `rate` times a minute, `(size, size, 3)` uint8, one a time stamp."""
    skin = texture(size, size)
    for time in times:
        blood = depth * np.sin(2 * np.pi * rate / 60 * time)
        yield np.rint(skin * (1 - PULSE_COLOUR * blood)).astype(np.uint8)


def recording(seconds: float = 10, fps: float = 30, rate: float = 72, size: int = 16) -> np.ndarray:
    """Return the frames of an even recording as one array."""
    return np.stack(list(painted(np.arange(round(seconds * fps)) / fps, rate, size)))


def flicker(count: int, size: int = 32, seed: int = 0) -> np.ndarray:
    """Frames of noise about a texture, `(count, size, size, 3)` uint8."""
    noise = np.random.default_rng(seed).normal(0, 6, (count, size, size, 3))
    return np.clip(texture(size, size) + noise, 0, 255).astype(np.uint8)


def lively(network: Network, seed: int = 0) -> Network:
    """Give a network weights that make its outputs differ from frame to frame."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            scale = 0.1 if parameter.ndim == 1 else (3 / parameter[0].numel()) ** 0.5
            parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))
    return network.eval()


def tiny(**given: object) -> BigSmall:
    """Return a BigSmall for pictures of 32 x 32."""
    arguments = {"big_size": 32, "small_size": 2, "hidden": 8, **given}
    network = BigSmall(**arguments)  # type: ignore[arg-type]
    lively(network)
    return network
