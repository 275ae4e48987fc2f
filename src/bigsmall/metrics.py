"""How well a measurement agrees with a reference.

Conventions:
    * `p` is what was measured, `g` the reference ("ground truth"): one number per recording or
      window, rates per minute. Pairs in which either is NaN are left out; where no pair is left
      the answer is NaN. An infinite number is an InputError;
    * `x` and `y` are waves `(T,)` that went through the signal chain
      (`bigsmall.rates.waveform`), sampled at `fs` Hz;
    * standard deviations are population ones (divisor n) except in `bland_altman`.

| function | answer | unit |
|---|---|---|
| `mae`, `rmse` | mean absolute, root mean square error | that of `p` |
| `mape` | mean absolute error over the reference | per cent |
| `pearson` | correlation | -1 to 1 |
| `bland_altman` | bias and limits of agreement | that of `p` |
| `snr` | power at the reference rate over the rest of the band | dB |
| `macc` | highest correlation over all shifts | 0 to 1 |
| `f1`, `accuracy` | agreement of action units, one number a unit | 0 to 1 |

References:
    * J. M. Bland, D. G. Altman, "Statistical methods for assessing agreement between two methods
      of clinical measurement", Lancet 327, 1986.
    * G. de Haan, V. Jeanne, "Robust pulse rate from chrominance-based rPPG", IEEE Trans. Biomed.
      Eng. 60(10), 2013 (signal-to-noise ratio).
    * X. Liu et al., "rPPG-Toolbox: Deep Remote PPG Toolbox", NeurIPS 2023 (protocol "paper" of
      `snr`, and `macc`).
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bigsmall.exceptions import InputError, TooShortError
from bigsmall.signals import Array, as_signal, check_fs, power_spectrum

# (task, protocol): band and half-width about the rate and its double, Hz.
_SNR = {
    ("heart", "default"): ((0.7, 3.5), 0.1),
    ("heart", "paper"): ((0.6, 3.3), 0.1),
    ("respiration", "default"): ((0.1, 1.0), 0.05),
    ("respiration", "paper"): ((0.13, 0.5), 0.1),
}


class BlandAltman(NamedTuple):
    """Agreement of two methods, in the unit of what was measured."""

    bias: float
    """Mean of `p - g`."""
    std: float
    """Sample standard deviation (divisor n - 1) of `p - g`."""
    lower: float
    """`bias - 1.96 std`."""
    upper: float
    """`bias + 1.96 std`."""


def _numbers(x: ArrayLike, name: str) -> Array:
    try:
        array = np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} is {type(x).__name__}; expected real numbers") from None
    if np.isinf(array).any():
        raise InputError(f"{name} holds infinity; expected finite numbers, or NaN for no value")
    return array


def _pairs(p: ArrayLike, g: ArrayLike) -> tuple[Array, Array]:
    a, b = np.atleast_1d(_numbers(p, "p"), _numbers(g, "g"))
    if a.ndim != 1 or a.shape != b.shape:
        raise InputError(f"p has shape {a.shape} and g {b.shape}; expected one (n,) for both")
    known = ~(np.isnan(a) | np.isnan(b))
    return a[known], b[known]


def mae(p: ArrayLike, g: ArrayLike) -> float:
    """Mean absolute error, `mean |p - g|`.

    >>> mae([70.0, 82.0, float("nan")], [72.0, 81.0, 60.0])
    1.5
    """
    a, b = _pairs(p, g)
    return float(np.abs(a - b).mean()) if len(a) else math.nan


def rmse(p: ArrayLike, g: ArrayLike) -> float:
    """Root mean square error, `sqrt(mean (p - g)^2)`.

    >>> rmse([73.0, 84.0], [72.0, 77.0])
    5.0
    """
    a, b = _pairs(p, g)
    return float(np.sqrt(((a - b) ** 2).mean())) if len(a) else math.nan


def mape(p: ArrayLike, g: ArrayLike) -> float:
    """Mean absolute error relative to the reference, `100 mean |(p - g) / g|`, per cent.

    Raises:
        InputError: a reference is zero.

    >>> mape([66.0, 80.0], [60.0, 80.0])
    5.0
    """
    a, b = _pairs(p, g)
    if (b == 0).any():
        raise InputError("g holds 0; expected references that differ from zero for a percentage")
    return float(100.0 * np.abs((a - b) / b).mean()) if len(a) else math.nan


def pearson(p: ArrayLike, g: ArrayLike) -> float:
    """Correlation coefficient; NaN for fewer than two pairs or where either is constant.

    >>> round(pearson([60.0, 70.0, 80.0], [61.0, 71.0, 81.0]), 9)
    1.0
    """
    a, b = _pairs(p, g)
    # A computed mean of equal numbers may differ from them by rounding; their range cannot.
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return math.nan
    a, b = a - a.mean(), b - b.mean()
    return float(np.clip(a @ b / math.sqrt((a @ a) * (b @ b)), -1.0, 1.0))


def bland_altman(p: ArrayLike, g: ArrayLike) -> BlandAltman:
    """Bias and 95 % limits of agreement of single measurements.

    Returns:
        `BlandAltman`; all but the bias are NaN for one pair, all for none.

    >>> bland_altman([70.0, 72.0, 74.0], [71.0, 72.0, 73.0])
    BlandAltman(bias=0.0, std=1.0, lower=-1.96, upper=1.96)
    """
    a, b = _pairs(p, g)
    d = a - b
    bias = float(d.mean()) if len(d) else math.nan
    std = float(d.std(ddof=1)) if len(d) > 1 else math.nan
    return BlandAltman(bias, std, bias - 1.96 * std, bias + 1.96 * std)


def snr(
    x: ArrayLike,
    fs: float,
    reference_rate: float,
    task: Literal["heart", "respiration"],
    protocol: Literal["default", "paper"] = "default",
) -> float:
    """Signal-to-noise ratio of a wave, given the true rate.

    Signal is the power within a small distance of the reference frequency and of its double,
    noise the power elsewhere in the band. Band and distance, Hz: pulse 0.7-3.5 and 0.1 ("paper":
    0.6-3.3 and 0.1); breathing 0.1-1.0 and 0.05 ("paper": 0.13-0.5 and 0.1, which leaves hardly
    any band for the noise).

    Args:
        x: `(T,)` wave after `bigsmall.rates.waveform`.
        fs: sampling rate, Hz.
        reference_rate: true rate per minute.
        task: "heart" or "respiration".
        protocol: "default" or "paper" (the toolbox of the paper's authors).

    Returns:
        dB. Without any noise infinity (0 with "paper"), without any signal minus infinity, for a
        NaN reference or an empty band NaN.

    Raises:
        InputError: a bad argument.

    >>> t = np.arange(1000) / 25
    >>> snr(np.sin(2 * np.pi * 1.2 * t), 25, 72.0, "heart") > 10
    True
    """
    z, fs = as_signal(x, ndim=(1,)), check_fs(fs)
    if (task, protocol) not in _SNR:
        raise InputError(
            f"task is {task!r} and protocol {protocol!r}; expected 'heart' or 'respiration' and"
            " 'default' or 'paper'"
        )
    (low, high), width = _SNR[task, protocol]
    if math.isnan(reference_rate):
        return math.nan
    freqs, power = power_spectrum(z, fs, 1 << (len(z) - 1).bit_length())
    rate = reference_rate / 60.0
    near = (np.abs(freqs - rate) <= width) | (np.abs(freqs - 2.0 * rate) <= width)
    signal = power[near].sum()
    noise = power[(freqs >= low) & (freqs <= high) & ~near].sum()
    if noise == 0:
        return 0.0 if protocol == "paper" else math.inf if signal > 0 else math.nan
    return float(10.0 * np.log10(signal / noise)) if signal > 0 else -math.inf


def macc(x: ArrayLike, y: ArrayLike) -> float:
    """Maximum over circular shifts of the absolute correlation of two waves.

    All shifts of 0 to T - 2 samples, by one Fourier transform: O(T log T), exact.

    Args:
        x: `(T,)` wave.
        y: `(T,)` wave, shifted against `x`.

    Returns:
        0 to 1; NaN where either is constant.

    Raises:
        TooShortError: T < 2.
        InputError: not `(T,)` finite numbers of one length.

    >>> t = np.arange(100) / 25
    >>> round(macc(np.sin(2 * np.pi * t), np.cos(2 * np.pi * t)), 2)
    1.0
    """
    a, b = as_signal(x, "x", (1,)), as_signal(y, "y", (1,))
    if len(a) != len(b):
        raise InputError(f"x has {len(a)} samples and y {len(b)}; expected the same number")
    if len(a) < 2:
        raise TooShortError("x has 1 sample; expected 2 or more for a correlation")
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return math.nan
    # Scaled first, so that the squares of very small or large waves neither vanish nor overflow.
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    a, b = a - a.mean(), b - b.mean()
    sums = np.fft.irfft(np.fft.rfft(a) * np.fft.rfft(b).conj(), len(a))[:-1]
    return float(min(1.0, np.abs(sums).max() / math.sqrt((a @ a) * (b @ b))))


def _decisions(
    probabilities: ArrayLike, labels: ArrayLike, threshold: float
) -> tuple[Array, Array, Array]:
    """Return what is predicted, what is true and what is known, 0 or 1, each `(T, units)`."""
    p, g = _numbers(probabilities, "probabilities"), _numbers(labels, "labels")
    if p.ndim != 2 or p.shape != g.shape:
        raise InputError(
            f"probabilities have shape {p.shape}, labels {g.shape}; expected one (T, units)"
        )
    known = ~np.isnan(g) & ~np.isnan(p)
    if not np.isin(g[known], (0.0, 1.0)).all():
        raise InputError("labels hold a number other than 0 and 1; use NaN for an unknown label")
    found, true = (p >= threshold) & known, (g == 1) & known
    return found.astype(np.float64), true.astype(np.float64), known.astype(np.float64)


def f1(probabilities: ArrayLike, labels: ArrayLike, threshold: float = 0.5) -> Array:
    """F1 of the positive class for every action unit, over all frames together.

    Args:
        probabilities: `(T, units)`; at `threshold` or above a unit is active.
        labels: `(T, units)` of 0 and 1; NaN where unknown, such frames are left out.
        threshold: between the classes.

    Returns:
        `(units,)`, `2 TP / (2 TP + FP + FN)`; 0 where a unit is neither there nor found.

    Raises:
        InputError: shapes differ, or a label other than 0, 1 and NaN.

    >>> f1([[0.9, 0.1], [0.8, 0.1]], [[1, 0], [0, 0]])
    array([0.66666667, 0.        ])
    """
    found, true, _ = _decisions(probabilities, labels, threshold)
    both, either = 2.0 * (found * true).sum(0), found.sum(0) + true.sum(0)
    return np.where(either > 0, both / np.maximum(either, 1.0), 0.0)


def accuracy(probabilities: ArrayLike, labels: ArrayLike, threshold: float = 0.5) -> Array:
    """Share of frames decided rightly for every action unit; arguments as `f1`.

    Returns:
        `(units,)`, 0 to 1; NaN where no label is known.

    >>> accuracy([[0.9, 0.1], [0.8, 0.1]], [[1, 0], [0, 0]])
    array([0.5, 1. ])
    """
    found, true, known = _decisions(probabilities, labels, threshold)
    count = known.sum(0)
    right = ((found == true) * known).sum(0)
    return np.where(count > 0, right / np.maximum(count, 1.0), np.nan)
