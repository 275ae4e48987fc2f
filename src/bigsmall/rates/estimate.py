"""One rate for a whole signal: from its spectrum or from its peaks.

Conventions as in `bigsmall.rates`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from bigsmall.rates.chain import Chain, make_chain
from bigsmall.rates.protocols import Band, Method, Protocol, Task
from bigsmall.rates.sinusoids import strongest_frequency
from bigsmall.signals import Array, as_signal, integrate, power_spectrum


def _paper_spectral_rate(w: Array, chain: Chain) -> float:
    freqs, power = power_spectrum(w, chain.fs, 1 << (len(w) - 1).bit_length())
    inside = (freqs >= chain.search[0]) & (freqs <= chain.search[1])
    if not inside.any():
        return math.nan
    return 60.0 * float(freqs[inside][int(power[inside].argmax())])


def _peak_positions(w: Array, chain: Chain) -> Array:
    """Samples at which the wave `w` peaks; by default between samples too."""
    from scipy.signal import find_peaks

    if chain.paper:
        return find_peaks(w)[0].astype(np.float64)
    apart = max(1.0, 0.8 * chain.fs / chain.search[1])
    i, _ = find_peaks(w, distance=apart, prominence=0.5 * w.std())
    before, at, after = w[i - 1], w[i], w[i + 1]
    bend = before - 2.0 * at + after
    return i + np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, 1.0), 0.0)


def estimate_rate(
    x: ArrayLike,
    fs: float,
    task: Task,
    derivative: bool,
    protocol: Protocol,
    method: Method,
    band: Band | None,
) -> float:
    """Rate per minute of either task; see `heart_rate`."""
    z = as_signal(x, ndim=(1,))
    chain = make_chain(fs, task, protocol, method, band)
    if chain.too_short(len(z)):
        return math.nan
    wave = integrate(z) if derivative else z
    if chain.is_flat(wave):
        return math.nan
    if method == "peaks":
        spacing = np.diff(_peak_positions(chain.filtered(wave), chain))
        if not len(spacing):
            return math.nan
        return float(60.0 * chain.fs / (spacing.mean() if chain.paper else np.median(spacing)))
    if chain.paper:
        return _paper_spectral_rate(chain.filtered(wave), chain)
    operator = chain.operator(derivative)
    return 60.0 * strongest_frequency(operator(wave), chain.fs, *chain.search, operator)


def heart_rate(
    x: ArrayLike,
    fs: float,
    *,
    derivative: bool = False,
    protocol: Protocol = "default",
    method: Method = "spectrum",
    band: Band | None = None,
) -> float:
    """Heart rate of the whole signal.

    `method` is "spectrum", or "peaks": 60 over the spacing of the peaks of the waveform (the
    mean one; by default the median, without peaks that are small or too close).

    Returns:
        Beats per minute. NaN where the signal is constant or a straight line, has fewer than
        10 samples or (default) less than one cycle of the lowest rate of the band: 1.3 s for
        the pulse, 9 s for breathing; with "peaks", where there are fewer than two.

    Raises:
        InputError: a bad argument.

    >>> t = np.arange(300) / 30
    >>> round(heart_rate(np.sin(2 * np.pi * 1.2 * t), 30), 2)
    72.0
    >>> heart_rate(np.sin(2 * np.pi * 1.2 * t), 30, protocol="paper")
    70.3125
    """
    return estimate_rate(x, fs, "heart", derivative, protocol, method, band)


def respiratory_rate(
    x: ArrayLike,
    fs: float,
    *,
    derivative: bool = False,
    protocol: Protocol = "default",
    method: Method = "spectrum",
    band: Band | None = None,
) -> float:
    """Respiratory rate of the whole signal, breaths per minute.

    As `heart_rate`, for a breathing wave.

    >>> t = np.arange(900) / 30
    >>> round(respiratory_rate(np.sin(2 * np.pi * 0.21 * t), 30), 2)
    12.6
    """
    return estimate_rate(x, fs, "respiration", derivative, protocol, method, band)


def peaks(
    x: ArrayLike,
    fs: float,
    task: Task,
    *,
    derivative: bool = False,
    protocol: Protocol = "default",
    band: Band | None = None,
) -> Array:
    """Times of the peaks of the waveform: beats, or ends of breathing in.

    Returns:
        Seconds from the first sample, increasing; between samples (parabola) by default, on
        samples with "paper". Empty for a constant signal.

    Raises:
        TooShortError: fewer than 16 samples (10 in the paper protocol).
        InputError: any other bad argument.

    >>> t = np.arange(300) / 30
    >>> peaks(np.cos(2 * np.pi * 1.0 * t), 30, "heart", derivative=False)[1:5].round(2)
    array([2., 3., 4., 5.])
    """
    z = as_signal(x, ndim=(1,))
    chain = make_chain(fs, task, protocol, "peaks", band)
    wave = integrate(z) if derivative else z
    if chain.is_flat(wave):
        return np.empty(0)
    return _peak_positions(chain.filtered(wave), chain) / chain.fs
