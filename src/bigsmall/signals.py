"""The signal chain: integrate, detrend, band-pass, power spectrum, resample.

Pure functions on arrays. No function changes its input and none keeps state.

Conventions:
    * time is axis 0; an input is `(T,)` or `(T, K)` (K signals side by side), real numbers;
      work and results are float64 and of the same shape unless stated otherwise;
    * `fs` is the sampling rate in Hz, frequencies are in Hz, times in seconds;
    * NaN or infinity anywhere raises `bigsmall.exceptions.InputError`.

References:
    * M. P. Tarvainen, P. O. Ranta-aho, P. A. Karjalainen, "An advanced detrending method with
      application to HRV analysis", IEEE Trans. Biomed. Eng. 49(2), 2002.
    * F. N. Fritsch, R. E. Carlson, "Monotone piecewise cubic interpolation", SIAM J. Numer.
      Anal. 17(2), 1980.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bigsmall.exceptions import InputError, TooShortError

Array: TypeAlias = NDArray[np.float64]


def as_signal(x: ArrayLike, name: str = "x", ndim: tuple[int, ...] = (1, 2)) -> Array:
    """Check a signal and return it as a float64 array.

    Args:
        x: array-like of real numbers.
        name: what to call it in the error message.
        ndim: the numbers of axes allowed.

    Returns:
        float64 array of the same shape; the input itself where it already is one.

    Raises:
        InputError: not numbers, wrong number of axes, empty, NaN or infinite.

    >>> as_signal([1, 2]).dtype
    dtype('float64')
    """
    try:
        array = np.asarray(x)
        if array.dtype.kind not in "fiub":
            raise TypeError
        array = array.astype(np.float64, copy=False)
    except (TypeError, ValueError, RuntimeError):
        raise InputError(
            f"{name} is {type(x).__name__}; expected an array of real numbers"
        ) from None
    if array.ndim not in ndim:
        wanted = " or ".join({1: "(T,)", 2: "(T, K)"}[d] for d in ndim)
        raise InputError(f"{name} has shape {array.shape}; expected {wanted} with time first")
    if array.size == 0:
        raise TooShortError(f"{name} is empty, shape {array.shape}; expected at least one sample")
    finite = np.isfinite(array)
    if not finite.all():
        where = np.argwhere(~finite)[0]
        raise InputError(
            f"{name} holds {array[tuple(where)]} at sample {where[0]}"
            f" ({int((~finite).sum())} such values); remove or interpolate them first"
        )
    return array


def check_fs(fs: float) -> float:
    """Return `fs` as a float; raise InputError unless it is a finite positive number.

    >>> check_fs(30)
    30.0
    """
    try:
        value = float(fs)
    except (TypeError, ValueError):
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"fs is {fs!r}; expected a sampling rate in Hz above 0")
    return value


def integrate(x: ArrayLike) -> Array:
    """Cumulative sum along time: turns a differenced wave back into the wave.

    Args:
        x: `(T,)` or `(T, K)`.

    Returns:
        Array of the same shape; sample i is the sum of samples 0 to i.

    >>> integrate([1.0, 2.0, -1.0])
    array([1., 3., 2.])
    """
    return np.cumsum(as_signal(x), axis=0)


def detrend(x: ArrayLike, lam: float = 100.0) -> Array:
    """Smoothness-prior detrending, `x - (I + lam^2 D'D)^-1 x`, D the second difference.

    A linear high-pass without delay; straight lines vanish exactly. Its gain at frequency f is
    `a / (1 + a)` with `a = lam^2 (2 - 2 cos(2 pi f / fs))^2`: see `detrend_lambda`.
    By the matrix inversion lemma the result equals `D' (D D' + I / lam^2)^-1 D x`: banded,
    O(T), and more accurate than the definition because the slow part is never formed.

    Args:
        x: `(T,)` or `(T, K)`.
        lam: smoothness above 0, without unit; larger keeps lower frequencies.

    Returns:
        Array of the same shape. For T < 3 there is no second difference, every signal is a
        straight line, and the result is zero.

    Raises:
        InputError: bad `x` or `lam`.

    >>> bool(np.allclose(detrend(3.0 + 2.0 * np.arange(50.0)), 0.0))
    True
    """
    from scipy.linalg import solveh_banded

    z = as_signal(x)
    if not (math.isfinite(lam) and lam > 0):
        raise InputError(f"lam is {lam}; expected a finite number above 0")
    if len(z) < 3:
        return np.zeros_like(z)
    rows = len(z) - 2
    bands = np.array([6.0 + 1.0 / float(lam) ** 2, -4.0, 1.0])[: min(3, rows)]
    y = solveh_banded(np.tile(bands[:, None], (1, rows)), np.diff(z, n=2, axis=0), lower=True)
    out = np.zeros_like(z)
    out[:-2] += y
    out[1:-1] -= 2.0 * y
    out[2:] += y
    return out


def detrend_lambda(fs: float, cutoff: float) -> float:
    """Smoothness at which `detrend` halves the amplitude at `cutoff`.

    Solves the gain formula for 1/2: `lam = 1 / (4 sin^2(pi cutoff / fs))`.

    Args:
        fs: sampling rate, Hz.
        cutoff: half-gain frequency, Hz, above 0 and at most fs / 2.

    Raises:
        InputError: bad `fs` or `cutoff`.

    >>> round(detrend_lambda(25.0, 0.3984), 1)
    99.8
    """
    fs = check_fs(fs)
    if not 0 < cutoff <= fs / 2:
        raise InputError(f"cutoff is {cutoff} Hz; expected above 0 and at most fs / 2 = {fs / 2:g}")
    return 1.0 / (4.0 * math.sin(math.pi * cutoff / fs) ** 2)


def check_band(fs: float, low: float, high: float) -> None:
    """Raise InputError unless `0 < low < high` and `low` is below the Nyquist frequency.

    >>> check_band(30.0, 0.7, 3.5)
    """
    if not (math.isfinite(low) and math.isfinite(high) and 0 < low < high):
        raise InputError(f"band is {low} to {high} Hz; expected 0 < low < high")
    if low >= fs / 2:
        raise InputError(f"band starts at {low} Hz; expected below fs / 2 = {fs / 2:g} Hz")


@lru_cache(maxsize=64)
def _butterworth(fs: float, low: float, high: float, order: int) -> Array:
    from scipy.signal import butter

    if high >= fs / 2:
        return butter(order, low, "highpass", fs=fs, output="sos")
    return butter(order, [low, high], "bandpass", fs=fs, output="sos")


def bandpass(x: ArrayLike, fs: float, low: float, high: float, order: int = 1) -> Array:
    """Butterworth band-pass run forwards and backwards (no delay, gain 1/2 at both edges).

    Where `high` reaches the Nyquist frequency (a 5 Hz signal and 3.5 Hz, say) there is nothing
    above `high` to take away, and the filter is the high-pass at `low` alone.

    Args:
        x: `(T,)` or `(T, K)` with T above `3 (2 order + 1)`, 9 for order 1: both ends are
            continued that far by point reflection.
        fs: sampling rate, Hz.
        low: lower edge, Hz, above 0 and below fs / 2.
        high: upper edge, Hz, above `low`.
        order: order of the one-way filter, 1 or more.

    Returns:
        Array of the same shape.

    Raises:
        TooShortError: T too small.
        InputError: bad `x`, `fs`, band or order.

    >>> t = np.arange(300) / 30
    >>> y = bandpass(5 + np.sin(2 * np.pi * 1.5 * t), 30, 0.7, 3.5)
    >>> bool(abs(y.mean()) < 0.01 and y[100:200].max() > 0.95)
    True
    """
    from scipy.signal import sosfiltfilt

    z, fs = as_signal(x), check_fs(fs)
    check_band(fs, low, high)
    if order < 1 or order != int(order):
        raise InputError(f"order is {order}; expected a whole number of 1 or more")
    pad = 3 * (2 * int(order) + 1)
    if len(z) <= pad:
        raise TooShortError(f"x has {len(z)} samples; expected more than {pad} for the band-pass")
    sos = _butterworth(fs, float(low), float(high), int(order))
    return np.ascontiguousarray(sosfiltfilt(sos, z, axis=0, padlen=pad))


def power_spectrum(x: ArrayLike, fs: float, nfft: int | None = None) -> tuple[Array, Array]:
    """One-sided periodogram (density), no window, nothing subtracted.

    Args:
        x: `(T,)` or `(T, K)`.
        fs: sampling rate, Hz.
        nfft: transform length, at least T (zeros are appended); T if None.

    Returns:
        `(freqs, power)`: freqs in Hz `(nfft // 2 + 1,)`, power in unit^2 / Hz, of that
        length (and K columns).

    Raises:
        InputError: bad `x`, `fs` or `nfft`.

    >>> f, p = power_spectrum(np.sin(2 * np.pi * 2 * np.arange(100) / 20), 20)
    >>> float(f[p.argmax()])
    2.0
    """
    z, fs = as_signal(x), check_fs(fs)
    size = len(z) if nfft is None else int(nfft)
    if size < len(z):
        raise InputError(f"nfft is {nfft}; expected at least the {len(z)} samples of x")
    power = np.abs(np.fft.rfft(z, size, axis=0)) ** 2 / (fs * len(z))
    # Every bin but zero and Nyquist also stands for its negative frequency.
    power[1 : (size + 1) // 2] *= 2.0
    return np.asarray(np.fft.rfftfreq(size, 1.0 / fs), np.float64), power


def resample(x: ArrayLike, times: ArrayLike, fs: float) -> tuple[Array, float]:
    """Put samples with irregular time stamps on a uniform grid.

    Interpolation is monotone piecewise cubic (PCHIP): closer than straight lines (which lose
    several per cent of a fast pulse), and unlike a spline it never overshoots where frames were
    dropped, so that a gap cannot grow a false beat. There is no low-pass: choose `fs` not far
    below the rate of the stamps.

    Args:
        x: `(T,)` or `(T, K)`, T of 2 or more.
        times: `(T,)` seconds, strictly increasing.
        fs: sampling rate wanted, Hz.

    Returns:
        `(values, start)`: values `(N,)` or `(N, K)` at `start + i / fs`, where start is
        `times[0]` and the last one is at or before `times[-1]` (no extrapolation).

    Raises:
        TooShortError: fewer than 2 samples.
        InputError: bad `x` or `fs`; `times` of another length or not strictly increasing.

    >>> resample([0.0, 1.0, 3.0], [10.0, 10.1, 10.3], 10)
    (array([0., 1., 2., 3.]), 10.0)
    """
    from scipy.interpolate import PchipInterpolator

    z, t, fs = as_signal(x), as_signal(times, "times", (1,)), check_fs(fs)
    if len(z) != len(t):
        raise InputError(f"x has {len(z)} samples and times has {len(t)}; expected the same number")
    if len(z) < 2:
        raise TooShortError("x has 1 sample; expected 2 or more to interpolate")
    steps = np.diff(t)
    if not (steps > 0).all():
        i = int(np.argmin(steps > 0))
        raise InputError(
            f"times[{i}] is {t[i]:g} and times[{i + 1}] is {t[i + 1]:g};"
            " expected strictly increasing seconds: drop or mend repeated stamps"
        )
    # The small term keeps the last point of a grid that ends on the last stamp but for rounding.
    count = math.floor((t[-1] - t[0]) * fs + 1e-6) + 1
    grid = np.minimum(np.arange(count) / fs, t[-1] - t[0])
    return np.asarray(PchipInterpolator(t - t[0], z, axis=0)(grid)), float(t[0])
