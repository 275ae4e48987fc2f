"""Least-squares sinusoids in a signal that has already been filtered.

A detrended signal of a few cycles is no sinusoid any more: filtering bends its ends, and the
mirror image at negative frequency overlaps the peak of its spectrum. So the model is filtered
as well: everywhere below, `operator` is the linear map on columns `(T, K) -> (T, K)` that the
signal `z` went through, and a frequency is judged by how much of the energy of `z` the cosine
and sine of that frequency explain *after* the same map. Without noise the true frequency
explains all of it, exactly, at any phase and from about one cycle on.

Conventions: `z` is `(T,)` float64, checked by the caller; frequencies and `fs` in Hz.

References:
    * D. C. Rife, R. R. Boorstyn, "Single-tone parameter estimation from discrete-time
      observations", IEEE Trans. Inf. Theory 20(5), 1974 (coarse peak, then refinement).
    * R. A. Fisher, "Tests of significance in harmonic analysis", Proc. R. Soc. A 125, 1929
      (the share of the highest peak that noise gives).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Operator: TypeAlias = Callable[[Array], Array]

# Below this many cycles a plain transform is too far off to choose the peak.
_FEW_CYCLES = 6.0
# Share of noise records whose peak is higher than what `chance_share` calls chance.
_CHANCE_LEVEL = 0.02


def sinusoids(freqs: Array, n: int, fs: float, operator: Operator) -> tuple[Array, Array]:
    """Cosines and sines of `freqs` through `operator`, phase zero in the middle.

    Returns:
        `(cosines, sines)`, each `(n, len(freqs))`.

    >>> c, s = sinusoids(np.array([1.0, 2.0]), 20, 10.0, lambda x: x)
    >>> c.shape, s.shape
    ((20, 2), (20, 2))
    """
    phase = 2.0 * np.pi / fs * np.outer(np.arange(n) - (n - 1) / 2, freqs)
    both = operator(np.hstack([np.cos(phase), np.sin(phase)]))
    return both[:, : len(freqs)], both[:, len(freqs) :]


def explained_energy(z: Array, freqs: Array, fs: float, operator: Operator) -> Array:
    """Energy of `z` (sum of squares) that the sinusoid of each frequency explains alone.

    Returns:
        `(len(freqs),)`, between 0 and the energy of `z`.

    >>> z = np.sin(2 * np.pi * 1.0 * np.arange(20) / 10)
    >>> explained_energy(z, np.array([1.0]), 10.0, lambda x: x).round(9)
    array([10.])
    """
    c, s = sinusoids(freqs, len(z), fs, operator)
    cc, ss, cs = (c * c).sum(0), (s * s).sum(0), (c * s).sum(0)
    zc, zs = z @ c, z @ s
    # The floor is for frequencies at which sine and cosine are one column (0 and Nyquist).
    determinant = np.maximum(cc * ss - cs**2, 1e-12 * cc * ss + 1e-300)
    return (ss * zc**2 - 2.0 * cs * zc * zs + cc * zs**2) / determinant


def energy_spectrum(z: Array, fs: float, low: float, high: float) -> tuple[Array, Array]:
    """Energy that a sinusoid of each frequency from `low` to `high` explains, by one transform.

    Four to eight bins to a resolution cell `fs / T`; good where there are many cycles. The sum
    over a range of bins, divided by the bins to a cell, is the energy in the range.

    >>> f, e = energy_spectrum(np.sin(2 * np.pi * 2.0 * np.arange(640) / 16), 16.0, 1.0, 3.0)
    >>> float(f[e.argmax()]), round(float(e.max()), 6)
    (2.0, 320.0)
    """
    nfft = 1 << (4 * len(z) - 1).bit_length()
    freqs = np.asarray(np.fft.rfftfreq(nfft, 1.0 / fs), np.float64)
    inside = (freqs >= low) & (freqs <= high)
    return freqs[inside], np.abs(np.fft.rfft(z, nfft)[inside]) ** 2 * (2.0 / len(z))


def strongest_frequency(z: Array, fs: float, low: float, high: float, operator: Operator) -> float:
    """Frequency from `low` to `high` whose sinusoid explains most of `z`.

    A transform finds the lobe (the least-squares model itself where there are few cycles); a
    bounded search of some ten to twenty steps finds the top of that lobe and cannot leave it.

    Returns:
        Frequency in Hz, NaN where the band holds none that `z` can show.

    >>> z = np.sin(2 * np.pi * 1.234 * np.arange(100) / 20)
    >>> round(strongest_frequency(z, 20.0, 0.5, 4.0, lambda x: x), 3)
    1.234
    """
    from scipy.optimize import minimize_scalar

    resolution = fs / len(z)
    # At the Nyquist frequency a sine and a cosine are one column, so the search ends short of it.
    high = min(high, 0.49 * fs)
    freqs, energy = energy_spectrum(z, fs, low, high)
    if not len(freqs):
        return math.nan
    few = freqs < _FEW_CYCLES * resolution
    if few.any():
        energy[few] = explained_energy(z, freqs[few], fs, operator)
    coarse = float(freqs[int(energy.argmax())])
    fit = minimize_scalar(
        lambda f: -explained_energy(z, np.array([f]), fs, operator)[0],
        bounds=(max(low, coarse - 0.6 * resolution), min(high, coarse + 0.6 * resolution)),
        method="bounded",
        options={"xatol": 1e-5},
    )
    return float(fit.x)


def chance_share(cells: float, counted: float) -> float:
    """Share of the energy of white noise that its own peak and the counted cells hold by chance.

    Fisher's distribution gives the peak that one noise record in fifty exceeds; the other cells
    counted hold their part of the rest.

    Args:
        cells: resolution cells in the band (band width times duration), above 1.
        counted: cells counted as signal beside the peak itself.

    Returns:
        A number in [0, 1].

    >>> round(chance_share(28.0, 2.0), 2), round(chance_share(168.0, 12.0), 2)
    (0.29, 0.12)
    """
    if cells <= 2.0:
        return 1.0
    peak = 1.0 - (_CHANCE_LEVEL / cells) ** (1.0 / (cells - 1.0))
    return float(peak + (1.0 - peak) * min(1.0, counted / (cells - 1.0)))


def energy_share(
    z: Array,
    fs: float,
    band: tuple[float, float],
    freqs: Array,
    halfwidth: float,
    operator: Operator,
    weight: Callable[[Array], Array],
) -> tuple[float, float]:
    """Share of the energy in `band` that lies at `freqs`, and what chance would give.

    The sinusoids of `freqs` are fitted together and taken out, so that they do not leak over the
    band; what is left within `halfwidth` of them counts as signal too (a rate is never quite
    steady), what is left elsewhere as noise.

    Args:
        z: `(T,)` signal after `operator`.
        fs: sampling rate, Hz.
        band: `(low, high)`, Hz.
        freqs: the frequencies of the signal, Hz: a fundamental and perhaps harmonics.
        halfwidth: Hz.
        operator: the linear map `z` went through.
        weight: power by which to multiply the energy at each frequency.

    Returns:
        `(share, chance)`, both in [0, 1].

    >>> z = np.sin(2 * np.pi * 1.3 * np.arange(300) / 30)
    >>> share, chance = energy_share(
    ...     z, 30.0, (0.7, 3.5), np.array([1.3]), 0.1, lambda x: x, np.ones_like)
    >>> round(share, 6), round(chance, 2)
    (1.0, 0.29)
    """
    model = np.hstack(sinusoids(freqs, len(z), fs, operator))
    amplitudes = np.linalg.lstsq(model, z, rcond=None)[0]
    fitted = (amplitudes.reshape(2, -1) ** 2).sum(0) @ weight(freqs) * len(z) / 2
    at, left = energy_spectrum(z - model @ amplitudes, fs, *band)
    cells_per_bin = (at[1] - at[0]) * len(z) / fs if len(at) > 1 else 1.0
    left = left * weight(at) * cells_per_bin
    near = (np.abs(at[:, None] - freqs) <= halfwidth).any(axis=1)
    total = fitted + left.sum()
    if not total > 0:
        return 0.0, 1.0
    chance = chance_share(
        (band[1] - band[0]) * len(z) / fs, near.sum() * cells_per_bin + len(freqs) - 1
    )
    return float((fitted + left[near].sum()) / total), chance
