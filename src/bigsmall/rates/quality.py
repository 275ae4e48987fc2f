"""How far a rate can be trusted, and rates of a long signal window by window.

Conventions as in `bigsmall.rates`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bigsmall.exceptions import InputError, TooShortError
from bigsmall.rates.chain import make_chain
from bigsmall.rates.estimate import estimate_rate
from bigsmall.rates.protocols import Band, Method, Protocol, Task
from bigsmall.rates.sinusoids import energy_share
from bigsmall.signals import Array, as_signal, check_fs, integrate


class RateTrack(NamedTuple):
    """Rates of successive windows: three arrays of one length."""

    times: Array
    """Middle of each window, seconds from the first sample."""
    rates: Array
    """Rate per minute, NaN where none was found."""
    qualities: Array
    """Quality in [0, 1]."""


def quality(
    x: ArrayLike,
    fs: float,
    rate: float,
    task: Task,
    *,
    band: Band | None = None,
    derivative: bool = False,
) -> float:
    """How much of the signal in the band is at `rate`, beyond what noise would give.

    `max(0, (share - chance) / (1 - chance))`: share is the energy within 6/min (pulse, and the
    same about twice the rate) or 3/min (breathing) of `rate`, wider where the record is too
    short to resolve that, over the energy in the band; chance is the share that the highest peak
    of white noise of this length exceeds once in fifty. The energy is that of the detrended wave,
    and of its difference where that is what was given.

    `x` is the signal as given to `heart_rate`, not its `waveform`: noise that has been through
    the band-pass is closer to a rate than chance allows for. `rate` is per minute and may be NaN;
    the default protocol is meant.

    Returns:
        0 (noise, no rate, rate outside the band, too short, constant) to 1 (one clean rate).

    Raises:
        InputError: a bad argument.

    >>> t = np.arange(900) / 30
    >>> quality(np.sin(2 * np.pi * 1.2 * t), 30, 72.0, "heart") > 0.99
    True
    """
    z = as_signal(x, ndim=(1,))
    chain = make_chain(fs, task, "default", band=band)
    low, high = chain.search[0], min(chain.search[1], chain.fs / 2)
    f = rate / 60.0
    # The search may stop a rounding error beyond the band.
    if not low - 1e-6 <= f <= high + 1e-6 or chain.too_short(len(z)):
        return 0.0
    wave = integrate(z) if derivative else z
    if chain.is_flat(wave):
        return 0.0
    operator = chain.operator(derivative)
    freqs = np.array([f, 2.0 * f] if task == "heart" and 2.0 * f < high else [f])
    usual = 0.1 if task == "heart" else 0.05
    halfwidth = min(max(usual, 0.5 * chain.fs / len(z)), (high - low) / 8)
    share, chance = energy_share(
        operator(wave),
        chain.fs,
        (low, high),
        freqs,
        halfwidth,
        operator,
        lambda at: (2.0 * np.sin(np.pi * at / chain.fs)) ** 2 if derivative else np.ones_like(at),
    )
    return float(min(1.0, max(0.0, (share - chance) / (1.0 - chance)))) if chance < 1 else 0.0


def rate_over_time(
    x: ArrayLike,
    fs: float,
    task: Task,
    *,
    window: float,
    step: float,
    derivative: bool = False,
    protocol: Protocol = "default",
    method: Method = "spectrum",
    band: Band | None = None,
) -> RateTrack:
    """Rate and quality in windows of a long signal; every window goes through the chain alone.

    `window` is the length of a window, `step` the way to the next, both in seconds.

    Returns:
        `RateTrack`; a rest shorter than a window is left out.

    Raises:
        TooShortError: `x` shorter than a window.
        InputError: any other bad argument.

    >>> t = np.arange(1800) / 30
    >>> track = rate_over_time(np.sin(2 * np.pi * 1.5 * t), 30, "heart", window=10, step=20)
    >>> track.times, track.rates.round(1)
    (array([ 5., 25., 45.]), array([90., 90., 90.]))
    """
    z, fs = as_signal(x, ndim=(1,)), check_fs(fs)
    if not (math.isfinite(window) and math.isfinite(step) and window > 0 and step * fs >= 1):
        raise InputError(
            f"window is {window} s and step {step} s; expected a window above 0 and a step of at"
            f" least one sample, {1 / fs:.3g} s"
        )
    size = round(window * fs)
    if len(z) < size or size < 1:
        raise TooShortError(
            f"x lasts {len(z) / fs:.3g} s; expected at least one window of {window:g} s"
        )
    count = int((len(z) - size) / (step * fs) + 1e-9) + 1
    starts = [round(i * step * fs) for i in range(count)]
    rates, qualities = np.empty(count), np.empty(count)
    for i, start in enumerate(starts):
        part = z[start : start + size]
        rates[i] = estimate_rate(part, fs, task, derivative, protocol, method, band)
        qualities[i] = quality(part, fs, rates[i], task, band=band, derivative=derivative)
    return RateTrack((np.array(starts) + size / 2) / fs, rates, qualities)
