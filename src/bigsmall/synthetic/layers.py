"""What the renderer's pictures are made of: textures that move along fixed fields.

A `Layer` is a texture with, for each way it can move or change, one field of displacement
and one of colour. A frame is then linear algebra: coefficients times fields, one warp. Pictures
are tensors `(channels, H, W)` in linear light, multiplied by their own opacity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bigsmall.synthetic.scene import Scene

BACKGROUND_MODES = 3
TORSO_MODES = 5


@dataclass(frozen=True)
class Layer:
    """A texture and the ways it moves.

    Attributes:
        texture: `(channels, H, W)`: red, green, blue, opacity, then whatever else moves along.
        shifts: displacement in pixels (right, down) for each mode, `(modes, 2, H, W)`.
        changes: change of the texture for each mode, `(modes, channels, H, W)`.
        top: first row of the picture that the layer can reach; fields begin there.
    """

    texture: Tensor
    shifts: Tensor
    changes: Tensor
    top: int = 0

    def at(self, coefficients: Tensor) -> Tensor:
        """Return the layer for `(T, modes)` coefficients: `(T, channels, H - top, W)`."""
        frames, modes = coefficients.shape
        shape = self.texture.shape
        texture = self.texture + (coefficients @ self.changes.reshape(modes, -1)).reshape(
            frames, *shape
        )
        height, width = shape[-2:]
        shift = (coefficients @ self.shifts.reshape(modes, -1)).reshape(frames, 2, height, width)
        across = torch.linspace(-1, 1, width) - shift[:, 0] * (2 / (width - 1))
        down = torch.linspace(-1, 1, height)[:, None] - shift[:, 1] * (2 / (height - 1))
        grid = torch.stack([across, down], dim=-1)
        return F.grid_sample(texture, grid, padding_mode="border", align_corners=True)


def coordinates(scene: Scene) -> tuple[Tensor, Tensor]:
    """Return x (to the right) and y (down) from the middle of the head, in half head widths."""
    unit = scene.face_size * min(scene.height, scene.width)
    x = (torch.arange(scene.width) + 0.5 - scene.face_x * scene.width) / unit
    y = (torch.arange(scene.height) + 0.5 - scene.face_y * scene.height) / unit
    return x.expand(scene.height, -1), y[:, None].expand(-1, scene.width)


def texture_noise(scene: Scene, generator: torch.Generator, finest: int, fall: float) -> Tensor:
    """Random texture of about unit size: octaves up to `finest` cells, weight `fall` per octave."""
    shape = (scene.height, scene.width)
    total, weight, power = torch.zeros(shape), 1.0, 0.0
    cells = 3
    while cells <= finest:
        grid = torch.randn(1, 1, cells, cells, generator=generator)
        total += weight * F.interpolate(grid, shape, mode="bilinear", align_corners=True)[0, 0]
        power += weight**2
        weight *= fall
        cells *= 2
    return total / power**0.5


def soft_step(x: Tensor, softness: float) -> Tensor:
    """0 where `x` is well below 0, 1 well above, linear over `softness` in between."""
    return (x / softness + 0.5).clamp(0, 1)


def bump(x: Tensor, y: Tensor, width: float, height: float) -> Tensor:
    """Gaussian hill of these half widths."""
    return torch.exp(-((x / width) ** 2) - (y / height) ** 2)


def background(scene: Scene, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Wall, furniture and their changes: `(3, H, W)` and modes right, down and screen light."""
    draw = np.random.default_rng([scene.seed, 2])
    noise = texture_noise(scene, generator, int(draw.choice([6, 24, 96])), draw.uniform(0.5, 0.9))
    base = draw.uniform(0.05, 0.7) * torch.tensor(draw.uniform(0.7, 1.3, 3), dtype=torch.float32)
    picture = base[:, None, None] * torch.exp(draw.uniform(0.05, 0.5) * noise)
    for _ in range(int(draw.integers(0, 5))):
        x0, y0 = draw.uniform(0, 0.9, 2)
        rows = slice(int(y0 * scene.height), int((y0 + draw.uniform(0.1, 0.6)) * scene.height))
        columns = slice(int(x0 * scene.width), int((x0 + draw.uniform(0.05, 0.4)) * scene.width))
        picture[:, rows, columns] *= float(np.exp(draw.normal(0, 0.7)))
    picture = picture.clamp(0.002, 1.5)
    down, right = torch.gradient(picture, dim=(1, 2))
    x, y = coordinates(scene)
    glow = picture * bump(x - draw.uniform(-3, 3), y - draw.uniform(-2, 2), 1.5, 1.5)
    return picture, torch.stack([-right, -down, glow])


def torso(scene: Scene, generator: torch.Generator) -> Layer | None:
    """Clothed shoulders, chest and belly; None where they are out of the picture.

    Modes: shoulders and chest rise, chest widens, belly moves, sway right, sway down.
    """
    x, y = coordinates(scene)
    draw = np.random.default_rng([scene.seed, 3])
    edge = 1.55 + 0.75 * torch.clamp((x.abs() - 0.5) / 1.9, 0, 1) ** 1.6
    edge = (
        edge + draw.uniform(0.05, 0.35) * bump(x, 0 * x, 0.5, 1) + 6 * (x.abs() - 2.4).clamp(min=0)
    )
    unit = scene.face_size * min(scene.height, scene.width)
    opacity = soft_step(y - edge, 1.5 / unit)
    rows = torch.nonzero(opacity.amax(1) > 0)
    if len(rows) == 0:
        return None
    top = max(0, int(rows[0]) - round(0.3 * unit) - 2)
    cloth = _cloth(scene, generator, draw, x, y)
    texture = torch.cat([cloth * opacity, opacity[None]])

    high = torch.exp(-(((y - 1.6) / draw.uniform(0.8, 2.5)) ** 2))
    low = bump(x, y - draw.uniform(2.6, 3.4), 1.5, 0.9)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    belly = draw.uniform(-0.6, 0.6)
    shifts = unit * torch.stack(
        [
            torch.stack([zero, -high]),
            torch.stack([0.35 * x * high, zero]),
            torch.stack([0.3 * x * low, belly * low]),
            torch.stack([one, zero]),
            torch.stack([zero, one]),
        ]
    )
    tilt = texture_noise(scene, generator, 6, 0.6)
    shade = torch.stack([high * tilt, 0.5 * high * tilt.roll(5, 1), low * tilt, zero, zero])
    changes = torch.cat(
        [shade[:, None] * texture[None, :3], torch.zeros(TORSO_MODES, 1, *x.shape)], 1
    )
    return Layer(texture[:, top:], shifts[:, :, top:], changes[:, :, top:], top)


def _cloth(
    scene: Scene, generator: torch.Generator, draw: np.random.Generator, x: Tensor, y: Tensor
) -> Tensor:
    """Colour of the clothes with pattern and folds, `(3, H, W)`."""
    first, second = (
        torch.tensor(draw.uniform(0.02, 0.8) * draw.uniform(0.5, 1.0, 3), dtype=torch.float32)
        for _ in range(2)
    )
    pattern = str(draw.choice(["plain", "stripes", "checks", "print"], p=(0.5, 0.2, 0.15, 0.15)))
    pitch = draw.uniform(4, 14)
    if pattern == "plain":
        share = torch.zeros_like(x)
    elif pattern == "stripes":
        share = soft_step(torch.sin(pitch * (x if draw.uniform() < 0.5 else y)), 0.6)
    elif pattern == "checks":
        share = soft_step(torch.sin(pitch * x) * torch.sin(pitch * y), 0.4)
    else:
        share = soft_step(texture_noise(scene, generator, 48, 0.9), 0.5)
    cloth = first[:, None, None] * (1 - share) + second[:, None, None] * share
    folds = texture_noise(scene, generator, 24, 0.7)
    round_off = (1 - 0.25 * (x / 2.2) ** 2).clamp(0.3, 1) * (1 + 0.15 * scene.light_x * x / 2)
    return cloth * torch.exp(draw.uniform(0.05, 0.3) * folds) * round_off.clamp(0.2, 1.5)
