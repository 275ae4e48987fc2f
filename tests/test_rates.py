"""Rates against analytic waves, golden values of the original code, and what noise gives."""

from collections.abc import Callable
from functools import partial
from math import ceil
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigsmall.exceptions import InputError, TooShortError
from bigsmall.rates import (
    HEART_BAND,
    PAPER_RESP_BAND,
    RESP_BAND,
    heart_rate,
    peaks,
    quality,
    rate_over_time,
    respiratory_rate,
    waveform,
)
from bigsmall.rates.protocols import Task
from bigsmall.signals import power_spectrum

T25 = np.arange(1000) / 25
LABEL = (
    np.sin(2 * np.pi * 1.2 * T25)
    + 0.3 * np.sin(2 * np.pi * 2.4 * T25 + 0.5)
    + 0.2 * np.sin(2 * np.pi * 0.25 * T25)
)
PREDICTION = (
    np.sin(2 * np.pi * 1.35 * T25 + 0.4)
    + 0.5 * np.sin(2 * np.pi * 0.9 * T25)
    + 0.4 * np.cos(2 * np.pi * 3.1 * T25)
)
BREATH = np.sin(2 * np.pi * 0.22 * T25) + 0.35 * np.sin(2 * np.pi * 0.45 * T25 + 1)
SHALLOW = np.sin(2 * np.pi * 0.20 * T25) + 0.5 * np.sin(2 * np.pi * 0.42 * T25)
TOOLBOX = (0.6, 3.3)
# Without their types, to be called wrongly.
ANY_RATE: Any = heart_rate
ANY_WAVE: Any = waveform
ESTIMATE: dict[Task, Callable[..., float]] = {"heart": heart_rate, "respiration": respiratory_rate}
BANDS: dict[Task, tuple[float, float]] = {"heart": HEART_BAND, "respiration": RESP_BAND}


def differenced(x: np.ndarray) -> np.ndarray:
    d = np.diff(x)
    return np.append(d / d.std(), 0)


@pytest.mark.parametrize(
    ("x", "method", "derivative", "band", "expected"),
    [
        (differenced(LABEL), "spectrum", True, None, 71.77734375),
        (differenced(PREDICTION), "spectrum", True, None, 80.56640625),
        (differenced(LABEL), "peaks", True, None, 72.08588957),
        (differenced(PREDICTION), "peaks", True, None, 81.28834356),
        (LABEL, "peaks", False, None, 72.01225741),
        (PREDICTION, "peaks", False, None, 81.20531154),
        (differenced(LABEL), "spectrum", True, TOOLBOX, 71.77734375),
        (differenced(PREDICTION), "spectrum", True, TOOLBOX, 80.56640625),
        (differenced(LABEL), "peaks", True, TOOLBOX, 72.01225741),
        (differenced(PREDICTION), "peaks", True, TOOLBOX, 87.42331288),
        (LABEL, "spectrum", False, TOOLBOX, 71.77734375),
        (PREDICTION, "spectrum", False, TOOLBOX, 80.56640625),
    ],
)
def test_golden_heart_rates(x, method, derivative, band, expected) -> None:  # type: ignore[no-untyped-def]
    rate = heart_rate(x, 25, derivative=derivative, protocol="paper", method=method, band=band)
    assert rate == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("x", "expected", "plain"),
    [(BREATH, 13.18359375, 13.18359375), (SHALLOW, 24.90234375, 11.71875)],
)
def test_golden_respiratory_rates(x: np.ndarray, expected: float, plain: float) -> None:
    d = differenced(x)
    assert respiratory_rate(d, 25, derivative=True, protocol="paper") == expected
    f, p = power_spectrum(np.cumsum(d), 25, 1024)
    inside = (f >= PAPER_RESP_BAND[0]) & (f <= PAPER_RESP_BAND[1])
    assert 60 * f[inside][p[inside].argmax()] == plain


def test_the_default_sees_the_breath_that_the_paper_loses() -> None:
    assert respiratory_rate(SHALLOW, 25) == pytest.approx(12, abs=0.2)
    assert respiratory_rate(differenced(SHALLOW), 25, derivative=True) == pytest.approx(12, abs=0.2)


def check_clean(
    task: Task, rate: float, phase: float, fs: float, derivative: bool, drift: float, n: int
) -> None:
    t = np.arange(n + derivative) / fs
    x = np.sin(2 * np.pi * rate / 60 * t + phase)
    x = np.diff(x) if derivative else x
    # Offset and trend of the size of the signal and more, also where it is a difference.
    x = x + drift * x.std() * (3 + 0.5 * np.arange(n) / fs)
    assert ESTIMATE[task](x, fs, derivative=derivative) == pytest.approx(rate, abs=0.2)
    found = ESTIMATE[task](x, fs, derivative=derivative)
    assert quality(x, fs, found, task, derivative=derivative) > 0.95


@pytest.mark.parametrize("task", ["heart", "respiration"])
@pytest.mark.parametrize("derivative", [False, True])
@pytest.mark.parametrize("fs", [15, 30, 120])
def test_ten_seconds_of_any_clean_sine(task: Task, derivative: bool, fs: int) -> None:
    low, high = BANDS[task]
    for i, rate in enumerate(np.linspace(60 * low, 60 * high, 10)):
        for phase in (0.0, 0.8, 1.6, 2.4):
            check_clean(task, rate, phase, fs, derivative, i % 2, 10 * fs)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["heart", "respiration"]),
    st.floats(0, 1),
    st.floats(0, 2 * np.pi),
    st.floats(15, 120),
    st.booleans(),
    st.floats(-2, 2),
)
def test_any_sine_any_phase_any_sampling(
    task: Task, part: float, phase: float, fs: float, derivative: bool, drift: float
) -> None:
    low, high = BANDS[task]
    rate = 60 * (low + part * (high - low))
    check_clean(task, rate, phase, fs, derivative, drift, ceil(10 * fs))


@pytest.mark.parametrize("rate", [42, 47, 60, 90, 104])
@pytest.mark.parametrize("derivative", [False, True])
def test_a_second_harmonic_does_not_move_the_rate(rate: float, derivative: bool) -> None:
    t = np.arange(301) / 30
    for phase in np.linspace(0, 6, 7):
        x = np.sin(2 * np.pi * rate / 60 * t) + 0.5 * np.sin(4 * np.pi * rate / 60 * t + phase)
        x = np.diff(x) if derivative else x[:-1]
        found = heart_rate(x, 30, derivative=derivative)
        assert found == pytest.approx(rate, abs=0.6)
        assert quality(x, 30, found, "heart", derivative=derivative) > 0.9


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("task", "f"), [("heart", 1.3), ("respiration", 0.3)])
def test_refinement_stays_at_the_lobe_in_noise(task: Task, f: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    t = np.arange(900) / 30
    x = np.sin(2 * np.pi * f * t + seed) + 1.5 * rng.normal(size=900) + 0.3 * t
    # The bound of Cramer and Rao for this noise is 0.05 per minute.
    assert ESTIMATE[task](x, 30) == pytest.approx(60 * f, abs=0.3)


@pytest.mark.parametrize("seed", range(4))
def test_on_noise_the_estimate_is_a_top_of_the_spectrum(seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=1800)
    f, p = power_spectrum(x - x.mean(), 30, 1 << 17)
    inside = (f >= HEART_BAND[0]) & (f <= HEART_BAND[1])
    f, p = f[inside], p[inside]
    found = heart_rate(x, 30) / 60
    near = np.abs(f - found) < 0.5 / 60
    assert 60 * f[near][p[near].argmax()] == pytest.approx(60 * found, abs=0.2)
    # Two lobes may be as good as equal; the detrending tips the balance by some per cent.
    assert p[near].max() > 0.9 * p.max()


def test_a_long_recording() -> None:
    t = np.arange(18000) / 30
    rng = np.random.default_rng(0)
    x = np.sin(2 * np.pi * 1.234 * t) + rng.normal(size=t.size) + 1e-3 * t**2
    assert heart_rate(x, 30) == pytest.approx(74.04, abs=0.02)


def test_five_hertz_is_enough_below_its_nyquist_frequency() -> None:
    t = np.arange(100) / 5
    assert heart_rate(np.sin(2 * np.pi * 1.1 * t), 5) == pytest.approx(66, abs=0.2)
    assert respiratory_rate(np.sin(2 * np.pi * 0.3 * t), 5) == pytest.approx(18, abs=0.2)


@pytest.mark.parametrize("protocol", ["default", "paper"])
@pytest.mark.parametrize("method", ["spectrum", "peaks"])
@pytest.mark.parametrize("derivative", [False, True])
@pytest.mark.parametrize(
    "x", [np.zeros(300), np.full(300, 1e6 / 3), 7 + 0.1 * np.arange(300), np.ones(9), [1.0]]
)
def test_no_rate(x, derivative: bool, method, protocol) -> None:  # type: ignore[no-untyped-def]
    if derivative and np.ptp(x) > 0:
        x = np.diff(x)
    for task, estimate in ESTIMATE.items():
        rate = estimate(x, 30, derivative=derivative, method=method, protocol=protocol)
        assert np.isnan(rate)
        assert quality(x, 30, rate, task, derivative=derivative) == 0
        assert quality(x, 30, 30.0, task, derivative=derivative) == 0


def test_less_than_one_breath_gives_no_rate() -> None:
    t = np.arange(300) / 30
    x = np.sin(2 * np.pi * 0.5 * t)
    assert np.isnan(respiratory_rate(x[:260], 30))
    assert respiratory_rate(x[:280], 30) == pytest.approx(30, abs=0.2)
    assert np.isnan(heart_rate(x[:35], 30))


@pytest.mark.parametrize("derivative", [False, True])
@pytest.mark.parametrize(("task", "rate"), [("heart", 72), ("heart", 180), ("respiration", 15)])
def test_peaks_method(task: Task, rate: float, derivative: bool) -> None:
    t = np.arange(1800) / 30
    rng = np.random.default_rng(0)
    x = np.sin(2 * np.pi * rate / 60 * t) + 0.4 * np.sin(4 * np.pi * rate / 60 * t + 2)
    x = np.diff(x) if derivative else x + 0.1 * rng.normal(size=t.size)
    found = ESTIMATE[task](x, 30, derivative=derivative, method="peaks")
    assert found == pytest.approx(rate, rel=0.02)


def test_peak_times_lie_between_samples() -> None:
    t = np.arange(600) / 30
    times = peaks(np.cos(2 * np.pi * 1.13 * (t - 0.017)), 30, "heart")
    beats = 0.017 + np.arange(23) / 1.13
    inner = times[(times > 3) & (times < 17)]
    assert len(inner) == ((beats > 3) & (beats < 17)).sum()
    assert np.abs(inner[:, None] - beats).min(axis=1).max() < 0.004
    on_grid = peaks(np.cos(2 * np.pi * 1.13 * t), 30, "heart", protocol="paper") * 30
    np.testing.assert_allclose(on_grid, np.round(on_grid), atol=1e-9)
    assert peaks(np.ones(100), 30, "heart").size == 0


def test_waveform_is_the_band() -> None:
    t = np.arange(1800) / 30
    pulse = np.sin(2 * np.pi * 1.5 * t)
    x = pulse + 3 * np.sin(2 * np.pi * 0.05 * t) + 0.1 * t + 9
    out = waveform(x, 30, "heart", derivative=False)
    np.testing.assert_allclose(out[300:-300], pulse[300:-300], atol=0.05)
    integrated = waveform(np.diff(x), 30, "heart", derivative=True)
    np.testing.assert_allclose(integrated[300:-300], pulse[301:-300], atol=0.05)
    with pytest.raises(TooShortError):
        waveform(np.ones(9), 30, "heart", derivative=False)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (partial(ANY_RATE, fs=30, protocol="papers"), "'papers'; expected 'default' or 'paper'"),
        (partial(ANY_RATE, fs=30, method="fft"), "'fft'; expected 'spectrum' or 'peaks'"),
        (partial(ANY_WAVE, fs=30, task="hart", derivative=False), "task is 'hart'"),
        (lambda x: heart_rate(x, 30, band=(3, 1)), "0 < low < high"),
        (partial(ANY_RATE, fs=30, band=(1, 2, 3)), r"expected \(low, high\)"),
        (lambda x: heart_rate(x, 1), "below fs / 2"),
        (lambda x: heart_rate(x, np.nan), "fs is nan"),
        (lambda x: heart_rate(x[:, None], 30), r"shape \(300, 1\); expected \(T,\)"),
        (lambda x: heart_rate(x * np.nan, 30), "x holds nan"),
        (lambda x: rate_over_time(x, 30, "heart", window=0, step=1), "window is 0 s"),
        (lambda x: rate_over_time(x, 30, "heart", window=5, step=0.01), "at least one sample"),
        (lambda x: rate_over_time(x, 30, "heart", window=11, step=1), "lasts 10 s; expected"),
    ],
)
def test_bad_arguments(call: Callable, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(np.sin(np.arange(300.0)))
