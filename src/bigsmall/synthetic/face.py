"""A head as a height map that is lit, coloured and moved.

The face is drawn at rest once: a height map gives normals and shading, masks give skin, hair,
eyes and lips. Head pose, blinking, talking and the 12 action units are fields of displacement
and of colour (see `bigsmall.synthetic.layers.Layer`). Coordinates are half head widths
from the middle of the head: eyes at (+-0.4, -0.2), mouth at (0, 0.62), chin at (0, 1.3).

References:
    Ekman, Friesen: Facial Action Coding System, 1978 (which muscle moves what).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from bigsmall.synthetic.layers import Layer, bump, coordinates, soft_step, texture_noise
from bigsmall.synthetic.scene import Scene

POSE_MODES = 6
FACE_MODES = POSE_MODES + 2 + 12
"""Pose (6), blink, jaw, then the action units in the order of `AU_NAMES`."""

LIGHTEST = torch.tensor([0.80, 0.52, 0.38])
DARKEST = torch.tensor([0.060, 0.032, 0.022])


def head(scene: Scene, generator: torch.Generator) -> Layer:
    """Head and neck. Channels: red, green, blue, opacity, pulse, delayed pulse."""
    x, y = coordinates(scene)
    unit = scene.face_size * min(scene.height, scene.width)
    draw = np.random.default_rng([scene.seed, 4])
    soft = 1.5 / unit
    height = _height_map(x, y)
    light = _shading(scene, height, unit)
    skin, skin_share, opacity = _colours(scene, generator, draw, x, y, soft)
    lit = skin * light
    lit = lit + draw.uniform(0, 0.04) * skin_share * light.clamp(min=0) ** 8  # gloss
    perfusion = _perfusion(scene, generator, draw, x, y) * skin_share
    delayed = draw.uniform(0, 0.35) * texture_noise(scene, generator, 6, 0.6) * perfusion
    texture = torch.cat([lit * opacity, opacity[None], (perfusion)[None], delayed[None]])

    shifts, changes = _modes(scene, x, y, lit, opacity, height, unit)
    colour = torch.zeros(FACE_MODES, 6, *x.shape)
    colour[:, :3] = changes * opacity
    return Layer(texture, shifts, colour)


def _height_map(x: Tensor, y: Tensor) -> Tensor:
    side = x.abs()
    ball = (1.35 - x**2 - (y / 1.35) ** 2).clamp(min=0.02).sqrt()
    nose = (
        torch.exp(-((x / (0.13 + 0.07 * (y + 0.3).clamp(0, 0.6))) ** 2))
        * soft_step(y + 0.05, 0.6)
        * (1 - soft_step(y - 0.27, 0.12))
    )
    return (
        ball
        + 0.34 * nose
        - 0.14 * bump(side - 0.40, y + 0.20, 0.22, 0.13)
        + 0.07 * bump(side - 0.38, y + 0.43, 0.30, 0.09)
        + 0.08 * bump(side - 0.52, y - 0.15, 0.25, 0.25)
        + 0.06 * bump(x, y - 0.62, 0.32, 0.12)
        + 0.06 * bump(x, y - 1.05, 0.25, 0.14)
    )


def _shading(scene: Scene, height: Tensor, unit: float, turn: float = 0.0) -> Tensor:
    """Lambert shading of the height map, about 1 where light and surface face each other."""
    down, right = torch.gradient(height * unit)
    toward = torch.tensor([scene.light_x + turn, scene.light_y, 1.0])
    toward = toward / toward.norm()
    normal = torch.stack([-right, -down, torch.ones_like(right)])
    lambert = (normal * toward[:, None, None]).sum(0) / normal.norm(dim=0)
    return scene.ambient + (1 - scene.ambient) * lambert.clamp(min=0)


def _colours(
    scene: Scene,
    generator: torch.Generator,
    draw: np.random.Generator,
    x: Tensor,
    y: Tensor,
    soft: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Unlit colour `(3, H, W)`, share of blood-filled skin, and opacity of the head."""
    side = x.abs()
    fine = texture_noise(scene, generator, 96, 0.8)
    narrow = 1 - 0.28 * ((y - 0.2).clamp(0, 1.2) / 1.1) ** 2
    outline = 1 - (side / narrow) ** 2.3 - (y.abs() / 1.33) ** 2.3
    face = soft_step(outline, 4 * soft)
    neck = soft_step(0.52 - side, soft) * soft_step(y - 0.8, soft)
    tone = _tone(scene) * torch.tensor(draw.uniform(0.88, 1.12, 3), dtype=torch.float32)
    colour = tone[:, None, None] * torch.exp(0.05 * fine)
    colour = colour * (1 - 0.35 * neck * (1 - face))
    skin = torch.maximum(face, neck)

    def paint(mask: Tensor, rgb: Tensor | list[float], share: float = 1.0) -> None:
        nonlocal colour, skin
        ink = torch.as_tensor(rgb, dtype=torch.float32)[:, None, None]
        colour = colour * (1 - mask) + ink * mask
        skin = skin * (1 - mask * share)

    lips = bump(x, y - 0.62, 0.34, 0.1) * soft_step(0.38 - side, 0.15)
    paint(0.6 * lips, (tone * torch.tensor([0.85, 0.5, 0.55])).tolist(), 0.2)
    paint(0.85 * bump(x, y - 0.62, 0.30, 0.03), (0.1 * tone).tolist())
    sockets = bump(side - 0.40, y + 0.24, 0.27, 0.15)
    colour = colour * (1 - 0.5 * sockets)
    # Dark skin comes with dark hair far more often than not.
    dark_hair = 0.35 * (1 - scene.hair) * (1 - 0.9 * scene.melanin) + 0.008
    hair = torch.tensor([dark_hair, dark_hair * 0.75, dark_hair * 0.5])
    whites = soft_step(1 - ((side - 0.40) / 0.18) ** 2 - ((y + 0.20) / 0.07) ** 2, 0.5)
    paint(whites, 0.13 * torch.tensor([1.0, 0.95, 0.9]) + 0.5 * tone)
    iris = draw.uniform(0.005, 0.06) * torch.tensor([1.0, 0.7, 0.5])
    paint(whites * soft_step(0.09 - ((side - 0.40) ** 2 + (y + 0.20) ** 2).sqrt(), soft), iris)
    paint(0.9 * bump(side - 0.40, y + 0.285, 0.19, 0.03), hair * 0.5)
    arch = y + 0.43 + 0.07 * bump(side - 0.5, 0 * y, 0.2, 1)
    paint(0.85 * bump(side - 0.42, arch, 0.26, 0.055), torch.minimum(hair, 0.3 * tone))
    paint(0.6 * bump(side - 0.09, y - 0.32, 0.05, 0.03), (tone * 0.15).tolist())
    stubble = soft_step(y - 0.35 + 0.4 * (1 - side), 0.3) * (1 - lips) * face
    paint(scene.beard * stubble * (0.75 + 0.25 * fine).clamp(0, 1), hair)
    mop = _mop(scene, generator, x, y, face, soft)
    strands = torch.exp(0.35 * fine)
    colour = colour * (1 - mop) + hair[:, None, None] * strands * mop
    return colour, skin * (1 - mop), torch.maximum(torch.maximum(face, neck), mop)


def _mop(
    scene: Scene, generator: torch.Generator, x: Tensor, y: Tensor, face: Tensor, soft: float
) -> Tensor:
    """Where hair covers the head and hangs beside it."""
    side = x.abs()
    hairline = -0.80 + 0.25 * side**2 + 0.06 * texture_noise(scene, generator, 24, 0.8)
    cap = soft_step(1 - (x / 1.13) ** 2 - ((y + 0.12) / 1.42) ** 2, 4 * soft)
    temples = (1 - face) * soft_step(-y, 0.15)
    mop = cap * torch.maximum(soft_step(hairline - y, 0.08), temples)
    if scene.long_hair:
        locks = soft_step(side - 0.86, 0.1) * soft_step(1.22 - side, 0.1)
        mop = torch.maximum(mop, locks * soft_step(y + 0.7, 0.2) * soft_step(1.7 - y, 0.2))
    return mop


def _perfusion(
    scene: Scene, generator: torch.Generator, draw: np.random.Generator, x: Tensor, y: Tensor
) -> Tensor:
    """Strength of the pulse over the skin, about 1: more on forehead and cheeks, uneven."""
    richer = bump(x, y + 0.65, 0.6, 0.25) + bump(x.abs() - 0.5, y - 0.2, 0.25, 0.3)
    uneven = torch.exp(draw.uniform(0.1, 0.4) * texture_noise(scene, generator, 12, 0.7))
    return (0.6 + 0.6 * richer) * uneven


def _modes(
    scene: Scene, x: Tensor, y: Tensor, lit: Tensor, opacity: Tensor, height: Tensor, unit: float
) -> tuple[Tensor, Tensor]:
    """Fields of displacement (pixels) and of colour for every mode."""
    zero, one, side, sign = torch.zeros_like(x), torch.ones_like(x), x.abs(), x.sign()
    depth = height * soft_step(1.6 - y, 0.8)
    turned = _shading(scene, height, unit, 0.2) / _shading(scene, height, unit) - 1
    nodded = turned.flip(1)
    pose = [
        (one, zero, zero), (zero, one, zero), (-(y - 1.6), x, zero), (x, y, zero),
        (depth, zero, 5 * turned), (zero, depth, 2 * nodded),
    ]  # fmt: skip
    eyes = bump(side - 0.40, y + 0.20, 0.24, 0.13)
    lids = soft_step(1 - ((side - 0.40) / 0.2) ** 2 - ((y + 0.20) / 0.10) ** 2, 0.5)
    jaw = soft_step(y - 0.62, 0.08) * bump(x, y - 0.9, 0.6, 0.5)
    corners = bump(side - 0.36, y - 0.62, 0.2, 0.2)
    mouth = bump(x, y - 0.62, 0.4, 0.16)
    cheeks = bump(side - 0.5, y - 0.12, 0.28, 0.22)
    fold = bump(side - 0.40 - 0.25 * (y - 0.45), y - 0.42, 0.05, 0.22)
    forehead = -0.3 * bump(side - 0.55, y + 0.62, 0.2, 0.04)
    frown = -0.5 * bump(side - 0.06, y + 0.46, 0.025, 0.1)
    together = -0.05 * sign * bump(side - 0.25, y + 0.43, 0.25, 0.15)
    units = [
        (zero, -0.13 * bump(side - 0.2, y + 0.45, 0.18, 0.2), -0.3 * bump(x, y + 0.62, 0.25, 0.04)),
        (zero, -0.13 * bump(side - 0.58, y + 0.45, 0.2, 0.2), forehead),
        (together, 0.11 * bump(side - 0.3, y + 0.43, 0.35, 0.18), frown),
        (zero, -0.10 * cheeks, 0.15 * cheeks - 0.35 * bump(side - 0.68, y + 0.17, 0.08, 0.1)),
        (zero, -(y + 0.20) * 0.55 * eyes, -0.25 * bump(side - 0.40, y + 0.08, 0.2, 0.03)),
        (zero, -0.06 * bump(side - 0.16, y - 0.54, 0.14, 0.07), -0.25 * fold),
        (0.14 * sign * corners, -0.18 * corners, -0.2 * fold + 0.12 * cheeks),
        (0.07 * sign * corners, zero, -0.6 * bump(side - 0.46, y - 0.62, 0.04, 0.07)),
        (0.02 * sign * corners, 0.12 * corners, -0.35 * bump(side - 0.42, y - 0.75, 0.04, 0.1)),
        (zero, -0.10 * bump(x, y - 0.9, 0.35, 0.25), -0.3 * bump(x, y - 1.02, 0.25, 0.05)),
        (zero, -(y - 0.62) * 0.5 * mouth, -0.2 * mouth),
        (-0.25 * x * mouth, -(y - 0.62) * 0.7 * mouth, -0.35 * bump(x, y - 0.62, 0.34, 0.03)),
    ]  # fmt: skip
    fields = [*pose, (zero, zero, zero), (zero, 0.22 * jaw, zero), *units]
    shifts = unit * torch.stack([torch.stack(field[:2]) for field in fields])
    changes = torch.stack([field[2] for field in fields])[:, None] * lit
    changes[POSE_MODES] = lids * (0.75 * _tone(scene)[:, None, None] - lit)
    gap = bump(x, y - 0.66, 0.22, 0.07)
    changes[POSE_MODES + 1] = gap * (0.02 - lit)
    return shifts, changes


def _tone(scene: Scene) -> Tensor:
    return LIGHTEST ** (1 - scene.melanin) * DARKEST**scene.melanin
