"""Pulse from the mean skin colour, without a network: GREEN, CHROM and POS.

Conventions:
    * `rgb` is `(T, 3)`, the mean red, green and blue of the skin in each frame, real numbers of
      any scale, time first, sampled at `fs` Hz without gaps;
    * the answer is a pulse wave `(T,)` float64, arbitrary unit, to be given to
      `bigsmall.rates.heart_rate` with `derivative=False`;
    * a window in which a channel has mean zero (black) adds nothing, so the answer is finite.

CHROM and POS work in overlapping windows of about 1.6 s. Both give one value per frame; the
published code of CHROM loses its tail and that of POS never writes the last sample.

References:
    * W. Verkruysse, L. O. Svaasand, J. S. Nelson, "Remote plethysmographic imaging using ambient
      light", Opt. Express 16(26), 2008 (GREEN).
    * G. de Haan, V. Jeanne, "Robust pulse rate from chrominance-based rPPG", IEEE Trans. Biomed.
      Eng. 60(10), 2013 (CHROM).
    * W. Wang, A. C. den Brinker, S. Stuijk, G. de Haan, "Algorithmic principles of remote PPG",
      IEEE Trans. Biomed. Eng. 64(7), 2017 (POS).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from bigsmall.exceptions import InputError, TooShortError
from bigsmall.signals import Array, as_signal, bandpass, check_fs, detrend

_WINDOW_SECONDS = 1.6
# CHROM's order-3 band-pass continues both ends of a window by this many samples.
_CHROM_PAD = 21


def _trace(rgb: ArrayLike, fs: float) -> tuple[Array, float]:
    x = as_signal(rgb, "rgb", (2,))
    if x.shape[1] != 3:
        raise InputError(f"rgb has shape {x.shape}; expected (T, 3), red, green and blue")
    return x, check_fs(fs)


def _check_length(frames: int, needed: int, method: str, fs: float) -> None:
    if frames < needed:
        raise TooShortError(
            f"rgb has {frames} frames; expected at least {needed} for {method} at {fs:g} Hz"
        )


def _ratio(a: Array, b: Array) -> Array:
    """Return `a / b`, zero where `b` is zero."""
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)


def green(rgb: ArrayLike, fs: float) -> Array:
    """GREEN: the green channel as it is, unfiltered.

    Args:
        rgb: `(T, 3)` mean skin colour.
        fs: sampling rate, Hz (checked, not used).

    Returns:
        `(T,)`.

    Raises:
        InputError: `rgb` not `(T, 3)` finite numbers, or bad `fs`.

    >>> green([[9, 1, 9], [9, 2, 9]], 30)
    array([1., 2.])
    """
    return _trace(rgb, fs)[0][:, 1].copy()


def chrom(rgb: ArrayLike, fs: float) -> Array:
    """CHROM: two chrominance signals, combined so that specular light cancels.

    Windows of 1.6 s (an even number of samples L) every L / 2; in each, the colours over their
    mean give `X = 3R - 2G` and `Y = 1.5R + G - 1.5B`, band-passed to 0.7-2.5 Hz (order 3), and
    `X - std(X) / std(Y) Y` is added under a Hann window.

    Tail: one more window, aligned to the last frame, is added under what the windows before it
    lack to full weight after the middle of the last of them. Up to there the answer is the
    published one; from there on nothing fades out and nothing is lost.

    Args:
        rgb: `(T, 3)` mean skin colour, T at least L.
        fs: sampling rate, Hz, above 12.5 (L must exceed 21 samples for the filter).

    Returns:
        `(T,)` pulse wave.

    Raises:
        TooShortError: `rgb` shorter than a window.
        InputError: any other bad argument.

    >>> t = np.arange(300) / 30
    >>> pulse = np.sin(2 * np.pi * 1.2 * t)
    >>> rgb = 100 + pulse[:, None] * [0.3, 0.8, 0.5]
    >>> bool(abs(np.corrcoef(chrom(rgb, 30)[30:], pulse[30:])[0, 1]) > 0.95)
    True
    """
    x, fs = _trace(rgb, fs)
    size = math.ceil(_WINDOW_SECONDS * fs)
    size += size % 2
    if size <= _CHROM_PAD:
        raise InputError(f"fs is {fs:g} Hz; expected above 12.5 Hz for CHROM")
    frames, hop = len(x), size // 2
    _check_length(frames, size, "CHROM", fs)
    regular = hop * np.arange((frames - hop) // hop)
    starts = np.append(regular, frames - size)
    windows = sliding_window_view(x, size, axis=0)[starts]  # (windows, 3, size)
    c = _ratio(windows, np.broadcast_to(windows.mean(axis=2, keepdims=True), windows.shape))
    r, g, b = c[:, 0], c[:, 1], c[:, 2]
    both = np.concatenate([3.0 * r - 2.0 * g, 1.5 * r + g - 1.5 * b])
    xf, yf = np.split(bandpass(both.T, fs, 0.7, 2.5, order=3).T, 2)
    s = xf - _ratio(xf.std(axis=1), yf.std(axis=1))[:, None] * yf

    hann = np.hanning(size)
    weighted = s[:-1] * hann
    out = np.zeros(frames)
    covered = hop * (len(regular) + 1)
    halves = out[:covered].reshape(-1, hop)
    halves[:-1] += weighted[:, :hop]
    halves[1:] += weighted[:, hop:]
    missing = np.ones(frames)
    missing[: covered - hop] = 0.0
    missing[covered - hop : covered] -= hann[hop:]
    out[starts[-1] :] += s[-1] * missing[starts[-1] :]
    return out


def pos(rgb: ArrayLike, fs: float) -> Array:
    """POS: projection on the plane orthogonal to the skin tone.

    In every window of l = ceil(1.6 fs) samples, the colours over their mean give `S0 = G - B` and
    `S1 = G + B - 2R`. The sum of `S0 + std(S0) / std(S1) S1` over all windows, the last one (left
    out by the published code) included, is detrended (lambda 100) and band-passed to 0.75-3 Hz.

    No window is formed: the sums above are moving averages of colours and of their products, and
    the projection of the mean colour is zero, so nothing needs to be subtracted.

    Args:
        rgb: `(T, 3)` mean skin colour, T at least l and at least 10.
        fs: sampling rate, Hz, above 1.5.

    Returns:
        `(T,)` pulse wave.

    Raises:
        TooShortError: `rgb` shorter than a window.
        InputError: any other bad argument.

    >>> t = np.arange(300) / 30
    >>> pulse = np.sin(2 * np.pi * 1.2 * t)
    >>> rgb = 100 + pulse[:, None] * [0.3, 0.8, 0.5]
    >>> bool(abs(np.corrcoef(pos(rgb, 30), pulse)[0, 1]) > 0.95)
    True
    """
    x, fs = _trace(rgb, fs)
    size = math.ceil(_WINDOW_SECONDS * fs)
    _check_length(len(x), max(size, 10), "POS", fs)
    windows = sliding_window_view(x, size, axis=0)  # (windows, 3, size), a view
    mean = windows.mean(axis=2)
    lit = (mean != 0).all(axis=1)
    inverse = np.where(lit[:, None], 1.0 / np.where(lit[:, None], mean, 1.0), 0.0)
    # Covariances about one common colour: the values stay small and nothing cancels.
    centred = sliding_window_view(x - x.mean(axis=0), size, axis=0)
    offset = centred.mean(axis=2)
    products = np.einsum("wil,wjl->wij", centred, centred) / size
    covariance = products - offset[:, :, None] * offset[:, None, :]
    covariance *= inverse[:, :, None] * inverse[:, None, :]
    first, second = np.array([0.0, 1.0, -1.0]), np.array([-2.0, 1.0, 1.0])
    power = [np.maximum(0.0, covariance @ v @ v) for v in (first, second)]
    # A deviation of 1e-14 is rounding; a window without colour changes has no direction.
    alpha = np.sqrt(_ratio(power[0], np.where(power[1] > 1e-28, power[1], 0.0)))
    weights = (first + alpha[:, None] * second) * inverse
    # Every frame is seen by up to `size` windows, each with weights of its own.
    box = np.ones(size)
    out = sum(np.convolve(weights[:, k], box) * x[:, k] for k in range(3))
    return bandpass(detrend(np.asarray(out), 100.0), fs, 0.75, 3.0)


METHODS: Mapping[str, Callable[[ArrayLike, float], Array]] = MappingProxyType(
    {"pos": pos, "chrom": chrom, "green": green}
)
"""The methods by name."""
