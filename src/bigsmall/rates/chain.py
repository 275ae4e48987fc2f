"""The chain of one protocol as an object, and the wave that comes out of it.

Conventions as in `bigsmall.rates`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bigsmall.rates.protocols import PAPER_LAMBDA, Band, Method, Protocol, Task, settings
from bigsmall.rates.sinusoids import Operator
from bigsmall.signals import (
    Array,
    as_signal,
    bandpass,
    check_band,
    check_fs,
    detrend,
    detrend_lambda,
    integrate,
)


class Chain(NamedTuple):
    """Detrending, band-pass and search band for signals of one sampling rate."""

    fs: float
    lam: float
    filter_band: Band
    search: Band
    paper: bool

    def too_short(self, n: int) -> bool:
        """Tell whether the filter, or one cycle of the slowest rate, does not fit in `n` samples.

        The tenth taken off lets a 10 s record with a dropped frame show 6 breaths per minute.
        """
        return n < (10 if self.paper else 16) or (
            not self.paper and n / self.fs < 0.9 / self.search[0]
        )

    def is_flat(self, x: Array) -> bool:
        """Tell whether detrending leaves nothing of `x` but rounding noise."""
        return bool(np.abs(detrend(x, self.lam)).max() <= 1e-10 * np.abs(x).max())

    def filtered(self, x: Array) -> Array:
        """Detrend and band-pass: order 1 in the paper, else 2, to let less of the outside in."""
        order = 1 if self.paper else 2
        return bandpass(detrend(x, self.lam), self.fs, *self.filter_band, order=order)

    def operator(self, derivative: bool) -> Operator:
        """Detrending, and for a differenced signal the parabola taken out as well.

        A straight line in the signal vanishes in the detrending. Integrated it is a parabola,
        which does not vanish, and beside one or two cycles would pass for a cycle.
        """

        def operator(x: Array) -> Array:
            z = detrend(x, self.lam)
            if derivative:
                parabola = detrend(np.linspace(-1.0, 1.0, len(x)) ** 2, self.lam)
                parabola /= np.linalg.norm(parabola)
                z -= np.multiply.outer(parabola, parabola @ z)
            return z

        return operator


def make_chain(
    fs: float, task: Task, protocol: Protocol, method: Method = "spectrum", band: Band | None = None
) -> Chain:
    """Check the choices and return their chain.

    >>> make_chain(30, "heart", "paper").search
    (0.75, 2.5)
    """
    fs, chosen = check_fs(fs), settings(task, protocol, method, band)
    check_band(fs, *chosen.search_band)
    cutoff = chosen.detrend_cutoff
    lam = PAPER_LAMBDA if cutoff is None else detrend_lambda(fs, cutoff)
    return Chain(fs, lam, chosen.filter_band, chosen.search_band, cutoff is None)


def waveform(
    x: ArrayLike,
    fs: float,
    task: Task,
    *,
    derivative: bool,
    protocol: Protocol = "default",
    method: Method = "spectrum",
    band: Band | None = None,
) -> Array:
    """Turn a signal into the wave to look at: integrate, detrend, band-pass.

    With "paper" and method "peaks" the breathing filter starts at 0.08 Hz.

    Returns:
        `(T,)` float64 wave, arbitrary unit, without offset and trend.

    Raises:
        TooShortError: fewer than 16 samples (10 in the paper protocol).
        InputError: any other bad argument.

    >>> t = np.arange(300) / 30
    >>> wave = waveform(2 + np.sin(2 * np.pi * 1.5 * t), 30, "heart", derivative=False)
    >>> wave.shape, bool(abs(wave.mean()) < 0.01)
    ((300,), True)
    """
    z = as_signal(x, ndim=(1,))
    chain = make_chain(fs, task, protocol, method, band)
    return chain.filtered(integrate(z) if derivative else z)
