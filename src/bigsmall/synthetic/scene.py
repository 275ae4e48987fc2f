"""What a rendered recording shows: every property drawn from a seed, and each can be set.

A `Scene` is plain data. `Scene.random(seed)` draws one person, one room, one camera;
keyword arguments replace single properties and leave all others as they were.

Lengths are in half head widths unless said otherwise; light is linear until the camera's gamma.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from bigsmall.exceptions import InputError

FRAMINGS = ("portrait", "face", "torso")
FRAME_RATES = {15.0: 0.1, 20.0: 0.1, 25.0: 0.2, 30.0: 0.45, 50.0: 0.05, 60.0: 0.1}
"""How often a camera of each frame rate is drawn."""
MAX_SEED, MAX_SIDE, MAX_FRAMES = 2**63, 4096, 1_000_000
ABOVE_0 = ("fps", "seconds", "heart_rate", "respiratory_rate", "face_size", "exposure", "gamma")
AT_LEAST_0 = (
    "jitter", "pulse_amplitude", "breath_amplitude", "motion", "light_drift", "flicker", "noise",
    "background_motion", "expressiveness",
)  # fmt: skip
SHARES = ("melanin", "beard", "hair", "ambient")


@dataclass(frozen=True)
class Scene:
    """One person in front of one camera.

    Attributes:
        seed: fixes everything that is not listed here: textures, the course of motion, noise.
        height: of the picture, pixels; even, so that it can be encoded.
        width: likewise.
        fps: frames per second.
        seconds: length.
        jitter: standard deviation of the frame times, in frame intervals; 0 for a regular camera.
        heart_rate: mean beats per minute.
        respiratory_rate: mean breaths per minute.
        pulse_amplitude: peak to peak, as a share of skin brightness in the picture; 0.002 to
            0.02 in life.
        breath_amplitude: how far shoulders and chest rise.
        head_follows: share of that which the head takes part in.
        framing: `"portrait"` (head and shoulders), `"face"` (tight) or `"torso"` (no face).
        face_size: half head width as a share of the picture's shorter side.
        face_x: horizontal place of the head, share of the width.
        face_y: vertical place of the head, share of the height.
        melanin: 0 (lightest skin) to 1 (darkest).
        beard: 0 to 1.
        hair: darkness 0 to 1.
        long_hair: hair beside the cheeks.
        motion: see `physiology.motion`.
        light_x: direction of the key light, -1 (from the left) to 1.
        light_y: -1 (from above) to 1.
        ambient: share of light without direction.
        warmth: colour of the light, -1 (blue) to 1 (red).
        light_drift: relative size of slow changes of the light.
        flicker: relative size of the beat between lamp and shutter.
        exposure: brightness of the picture; 1 is well exposed.
        gamma: of the camera.
        noise: standard deviation in mid-grey, grey levels.
        background_motion: shift of the background, pixels.
        expressiveness: how far the face moves, 0 (still but for blinks) to 1 (as in BP4D+).
    """

    seed: int
    height: int
    width: int
    fps: float
    seconds: float
    jitter: float
    heart_rate: float
    respiratory_rate: float
    pulse_amplitude: float
    breath_amplitude: float
    head_follows: float
    framing: str
    face_size: float
    face_x: float
    face_y: float
    melanin: float
    beard: float
    hair: float
    long_hair: bool
    motion: float
    light_x: float
    light_y: float
    ambient: float
    warmth: float
    light_drift: float
    flicker: float
    exposure: float
    gamma: float
    noise: float
    background_motion: float
    expressiveness: float

    def __post_init__(self) -> None:
        """Refuse what cannot be rendered."""
        _check_seed(self.seed)
        sides = (self.width, self.height)
        if not all(
            isinstance(n, int | np.integer) and 16 <= n <= MAX_SIDE and n % 2 == 0 for n in sides
        ):
            raise InputError(
                f"size is {self.width} x {self.height}; expected even lengths from 16 to {MAX_SIDE}"
            )
        for field in fields(self):
            if field.type == "float":
                self._check_number(field.name)
        if not 2 <= self.fps * self.seconds <= MAX_FRAMES:
            raise InputError(
                f"{self.seconds} s at {self.fps} fps is {self.fps * self.seconds:.3g} frames; "
                f"expected 2 to {MAX_FRAMES}"
            )
        _check_framing(self.framing)

    def _check_number(self, name: str) -> None:
        value, expected = getattr(self, name), "a finite number"
        fits = isinstance(value, int | float | np.number) and math.isfinite(value)
        if name in ABOVE_0:
            fits, expected = fits and value > 0, "a number above 0"
        elif name in AT_LEAST_0:
            fits, expected = fits and value >= 0, "a number of at least 0"
        elif name in SHARES:
            fits, expected = fits and 0 <= value <= 1, "a number from 0 to 1"
        if not fits:
            raise InputError(f"{name} is {value!r}; expected {expected}")

    @property
    def frames(self) -> int:
        """Number of frames."""
        return round(self.fps * self.seconds)

    def to_dict(self) -> dict[str, Any]:
        """All properties as plain data."""
        values = asdict(self)
        return {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in values.items()
        }

    @classmethod
    def random(cls, seed: int, **given: Any) -> Scene:
        """Draw a scene; properties in `given` are taken as they are.

        Example:
            >>> Scene.random(1, heart_rate=72).heart_rate
            72
            >>> Scene.random(1) == Scene.random(1)
            True
        """
        unknown = set(given) - {field.name for field in fields(cls)}
        if unknown:
            raise InputError(f"a scene has no {sorted(unknown)[0]!r}; see the attributes of Scene")
        _check_seed(seed)
        _check_framing(given.get("framing", FRAMINGS[0]))
        rng = np.random.default_rng([seed, 0])
        framing = str(rng.choice(FRAMINGS, p=(0.55, 0.33, 0.12)))
        drawn = _draw(rng, str(given.get("framing", framing)))
        return cls(**{"seed": seed, **drawn, **given})


def _check_seed(seed: Any) -> None:
    if not (isinstance(seed, int | np.integer) and 0 <= seed < MAX_SEED):
        raise InputError(f"seed is {seed!r}; expected a whole number from 0 to 2^63 - 1")


def _check_framing(framing: Any) -> None:
    if framing not in FRAMINGS:
        raise InputError(f"framing is {framing!r}; expected one of {', '.join(FRAMINGS)}")


def _draw(rng: np.random.Generator, framing: str) -> dict[str, Any]:
    """Draw every property; the order of the lines is part of what a seed means."""
    size = {"portrait": (0.16, 0.3), "face": (0.3, 0.42), "torso": (0.3, 0.7)}[framing]
    place = {"portrait": (0.3, 0.46), "face": (0.38, 0.55), "torso": (-1.2, -0.5)}[framing]

    def log_uniform(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    return {
        "height": 144,
        "width": 144,
        "fps": float(rng.choice(list(FRAME_RATES), p=list(FRAME_RATES.values()))),
        "seconds": 10.0,
        "jitter": float(rng.choice([0.0, 0.1])),
        "heart_rate": float(rng.uniform(45, 150)),
        "respiratory_rate": float(rng.uniform(8, 30)),
        "pulse_amplitude": log_uniform(0.003, 0.02),
        "breath_amplitude": log_uniform(0.015, 0.12),
        "head_follows": float(rng.uniform(0.1, 0.6)),
        "framing": framing,
        "face_size": float(rng.uniform(*size)),
        "face_x": float(rng.normal(0.5, 0.04 if framing != "torso" else 0.12)),
        "face_y": float(rng.uniform(*place)),
        "melanin": float(rng.uniform()),
        "beard": float(max(0.0, rng.uniform(-1.5, 1.0))),
        "hair": float(rng.uniform(0.1, 1.0)),
        "long_hair": bool(rng.uniform() < 0.4),
        "motion": log_uniform(0.02, 0.8),
        "light_x": float(rng.uniform(-1, 1)),
        "light_y": float(rng.uniform(-0.9, 0.3)),
        "ambient": float(rng.uniform(0.3, 0.8)),
        "warmth": float(rng.uniform(-1, 1)),
        "light_drift": log_uniform(0.001, 0.05),
        "flicker": float(max(0.0, rng.normal(0, 0.003))),
        "exposure": log_uniform(0.5, 1.5),
        "gamma": float(rng.uniform(1.8, 2.4)),
        "noise": log_uniform(0.2, 2.5),
        "background_motion": float(max(0.0, rng.normal(-0.3, 0.4))),
        "expressiveness": float(max(0.0, rng.uniform(-1.0, 1.0))),
    }  # fmt: skip
