"""Known physiology for rendered people: pulse, respiration, action units, head motion.

Every function takes time stamps (seconds, `(T,)`) and a `numpy.random.Generator` and returns
values at those times, float64. The same generator state gives the same values.

References:
    Task Force of the ESC and NASPE: Heart rate variability, Circulation 93, 1996 (the low- and
    high-frequency parts of the beat-to-beat variation).
    BP4D+ prevalence of action units as implied by the class weights of the paper's training code.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

PREVALENCE = np.array(
    [0.094, 0.079, 0.056, 0.489, 0.653, 0.640, 0.570, 0.593, 0.105, 0.126, 0.166, 0.039]
)
"""Share of frames in which each of the 12 action units is seen, in the order of `AU_NAMES`."""

SMILE = (3, 4, 5, 6)
"""Units that come together: AU06, AU07, AU10, AU12."""


def respiration(times: np.ndarray, rate: float, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Breathing that speeds up and slows down, deepens and flattens a little.

    Args:
        times: seconds.
        rate: mean breaths per minute over `times`.
        rng: where chance comes from.

    Returns:
        The wave (about -1 to 1, high when the lungs are full) and its phase in cycles.
    """
    wander = 1 + rng.uniform(0.01, 0.06) * _slow(times, 0.05, rng)
    phase = _phase(times, rate, wander) + rng.uniform()
    # Breathing in is shorter than breathing out: bend the phase within each cycle.
    bend = rng.uniform(0.0, 0.12)
    bent = phase + bend * np.sin(2 * np.pi * phase) / np.pi
    depth = 1 + rng.uniform(0.0, 0.25) * _slow(times, 0.1, rng)
    return -depth * np.cos(2 * np.pi * bent), phase


def pulse(times: np.ndarray, rate: float, breath: np.ndarray, rng: Generator) -> np.ndarray:
    """Blood volume pulse with a dicrotic wave, beat-to-beat variation and breathing in it.

    Args:
        times: seconds.
        rate: mean beats per minute over `times`.
        breath: respiration wave at the same times; it modulates rate and amplitude.
        rng: where chance comes from.

    Returns:
        The wave, peak to peak about 1, mean near 0, high when blood volume is high.
    """
    wander = 1 + rng.uniform(0.0, 0.04) * _slow(times, 0.1, rng) + rng.uniform(0.0, 0.03) * breath
    phase = 2 * np.pi * (_phase(times, rate, wander) + rng.uniform())
    second, third = rng.uniform(0.2, 0.5), rng.uniform(0.0, 0.18)
    wave = (
        np.cos(phase)
        + second * np.cos(2 * phase - rng.uniform(0.6, 1.6))
        + third * np.cos(3 * phase - rng.uniform(1.0, 2.6))
    )
    envelope = 1 + 0.1 * _slow(times, 0.1, rng) + rng.uniform(0.0, 0.1) * breath
    return envelope * wave / 2.2


def action_units(times: np.ndarray, rng: Generator) -> np.ndarray:
    """Intensities of the 12 action units, `(T, 12)` in [0, 1], as smooth on-and-off episodes.

    Units are on for the share of time that `PREVALENCE` says, on average over many faces;
    those of a smile switch together half of the time. A unit counts as present from 0.5 on.
    """
    shared = _episodes(times, 1, rng)[:, 0]
    own = _episodes(times, len(PREVALENCE), rng)
    together = rng.uniform() < 0.5
    drive = np.where(together & np.isin(np.arange(12), SMILE), shared[:, None], own)
    # `drive` is uniform in [0, 1] at any one time: below the prevalence means on.
    on = (drive < PREVALENCE).astype(float)
    return _ramp(on, times) * rng.uniform(0.6, 1.0, len(PREVALENCE))


def blinks(times: np.ndarray, rng: Generator) -> np.ndarray:
    """Lid closure in [0, 1], `(T,)`: 5 to 25 short blinks a minute."""
    closed = np.zeros_like(times)
    count = rng.poisson((times[-1] - times[0] + 1) * rng.uniform(5, 25) / 60)
    for at in rng.uniform(times[0], times[-1] + 1e-9, count):
        closed = np.maximum(closed, np.exp(-(((times - at) / 0.07) ** 2)))
    return closed


def talking(times: np.ndarray, rng: Generator) -> np.ndarray:
    """Jaw opening in [0, 1], `(T,)`: syllables at 3 to 6 Hz in episodes, or silence."""
    if rng.uniform() < 0.6:
        return np.zeros_like(times)
    syllables = 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(3, 6) * times + rng.uniform(0, 6))
    speaking = _ramp((_episodes(times, 1, rng) < rng.uniform(0.2, 0.7)).astype(float), times)[:, 0]
    return syllables * speaking * np.clip(0.6 + 0.4 * _slow(times, 1.5, rng), 0, 1)


def motion(times: np.ndarray, strength: float, rng: Generator) -> np.ndarray:
    """Head pose about rest, `(T, 6)`: right, down, roll, nearer, yaw, pitch.

    Shifts are in half head widths, angles in radians, `nearer` is relative size. A `strength` of
    1 is somebody talking with their hands still; 0.1 is somebody sitting for a measurement.
    """
    scale = strength * np.array([0.12, 0.08, 0.06, 0.03, 0.25, 0.12])
    pose = np.zeros((len(times), 6))
    for cutoff, share in ((0.15, 1.0), (0.6, 0.35), (2.0, 0.06)):
        for axis in range(6):
            pose[:, axis] += share * scale[axis] * _slow(times, cutoff, rng)
    return pose


def _slow(times: np.ndarray, cutoff: float, rng: Generator) -> np.ndarray:
    """Gaussian random function of about unit variance with frequencies up to `cutoff` Hz."""
    frequencies = rng.uniform(0.1, 1.0, 8) * cutoff
    offsets = rng.uniform(0, 2 * np.pi, 8)
    weights = rng.normal(size=8) / 2
    return np.cos(2 * np.pi * np.outer(times, frequencies) + offsets) @ weights


def _phase(times: np.ndarray, rate: float, wander: np.ndarray) -> np.ndarray:
    """Cycles since the first time; their mean speed is exactly `rate` per minute."""
    steps = np.diff(times, prepend=times[0])
    cycles = np.cumsum(wander * steps)
    if cycles[-1] > 0:
        cycles *= (times[-1] - times[0]) / cycles[-1]
    return cycles * rate / 60


def _episodes(times: np.ndarray, count: int, rng: Generator) -> np.ndarray:
    """`count` step functions of time, each uniform in [0, 1] at any one time, `(T, count)`."""
    span = times[-1] - times[0]
    length = rng.uniform(1.0, 4.0)
    bins = ((times - times[0] + rng.uniform(0, length)) / length).astype(int)
    return rng.uniform(size=(int(span / length) + 2, count))[bins]


def _ramp(on: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Turn steps into ramps of about a third of a second."""
    if len(times) < 2:
        return on
    width = max(1, round(0.3 * (len(times) - 1) / max(times[-1] - times[0], 1e-9)))
    kernel = np.hanning(width + 2)[1:-1]
    kernel /= kernel.sum()
    padded = np.concatenate(
        [np.repeat(on[:1], width // 2, 0), on, np.repeat(on[-1:], width - 1 - width // 2, 0)]
    )
    return np.stack(
        [np.convolve(column, kernel, mode="valid") for column in padded.T], axis=1
    ).clip(0, 1)
