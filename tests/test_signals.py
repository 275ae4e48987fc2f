"""The signal chain against dense definitions, scipy, analytic gains and golden values."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from bigsmall.exceptions import InputError, TooShortError
from bigsmall.signals import (
    as_signal,
    bandpass,
    detrend,
    detrend_lambda,
    integrate,
    power_spectrum,
    resample,
)

few = settings(max_examples=40, deadline=None)
numbers = st.floats(-1e3, 1e3, allow_nan=False, width=32)
signals = st.lists(numbers, min_size=1, max_size=60).map(np.array)


def dense_detrend(x: np.ndarray, lam: float) -> np.ndarray:
    d = np.diff(np.eye(len(x)), n=2, axis=0)
    return x - np.linalg.solve(np.eye(len(x)) + lam**2 * d.T @ d, x)


@few
@given(signals)
def test_integrate_undoes_the_difference(x: np.ndarray) -> None:
    np.testing.assert_allclose(np.diff(integrate(x), prepend=0.0), x, atol=1e-7)


@few
@given(signals, st.sampled_from([0.5, 1.0, 10.0, 100.0, 1000.0]))
def test_detrend_equals_the_dense_definition(x: np.ndarray, lam: float) -> None:
    scale = max(1.0, np.abs(x).max())
    np.testing.assert_allclose(detrend(x, lam) / scale, dense_detrend(x, lam) / scale, atol=1e-8)


def test_detrend_golden() -> None:
    t = np.arange(1000) / 25
    label = (
        np.sin(2 * np.pi * 1.2 * t)
        + 0.3 * np.sin(2 * np.pi * 2.4 * t + 0.5)
        + 0.2 * np.sin(2 * np.pi * 0.25 * t)
    )
    expected = [-0.41076905, 0.04765785, 0.38474809, 0.56570006, 0.59732261]
    np.testing.assert_allclose(detrend(label, 100)[:5], expected, atol=5e-9)


@few
@given(numbers, numbers, st.integers(3, 400), st.sampled_from([1.0, 100.0, 1e5]))
def test_detrend_takes_straight_lines(offset: float, slope: float, n: int, lam: float) -> None:
    line = offset + slope * np.arange(n)
    assert np.abs(detrend(line, lam)).max() <= 1e-9 * max(1.0, np.abs(line).max())


@few
@given(signals)
def test_detrend_is_linear(x: np.ndarray) -> None:
    y = np.cos(np.arange(len(x)))
    np.testing.assert_allclose(detrend(x + 3 * y), detrend(x) + 3 * detrend(y), atol=1e-7)


@pytest.mark.parametrize("n", [1, 2])
def test_detrend_of_what_has_no_second_difference_is_zero(n: int) -> None:
    assert (detrend(np.arange(1.0, n + 1)) == 0).all()


@pytest.mark.parametrize(("fs", "cutoff"), [(25, 0.4), (30, 0.35), (120, 0.05), (5, 2.5)])
def test_detrend_lambda_halves_the_amplitude(fs: float, cutoff: float) -> None:
    t = np.arange(round(60 * fs / cutoff / 5)) / fs
    wave = np.cos(2 * np.pi * cutoff * t)
    middle = slice(len(t) // 3, 2 * len(t) // 3)
    out = detrend(wave, detrend_lambda(fs, cutoff))[middle]
    np.testing.assert_allclose(out, 0.5 * wave[middle], atol=1e-3)


@pytest.mark.parametrize(("f", "gain"), [(0.13, 0.011), (0.25, 0.135), (0.4, 0.505), (0.75, 0.926)])
def test_gain_of_the_paper_at_25_hz(f: float, gain: float) -> None:
    t = np.arange(2500) / 25
    wave = np.cos(2 * np.pi * f * t)
    assert detrend(wave, 100.0)[1250] / wave[1250] == pytest.approx(gain, abs=6e-4)


def test_long_signals_stay_accurate() -> None:
    """The band of the wave survives unchanged next to a huge trend."""
    t = np.arange(18000) / 30
    wave = np.sin(2 * np.pi * 1.5 * t)
    out = detrend(wave + 1e5 + 1e3 * t, detrend_lambda(30, 0.05))
    wave *= 1 - (0.05 / 1.5) ** 4
    np.testing.assert_allclose(out[3000:-3000], wave[3000:-3000], atol=1e-7)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(("fs", "low", "high"), [(25, 0.75, 2.5), (30, 0.1, 1.0), (8, 0.7, 3.5)])
def test_bandpass_equals_scipy(fs: float, low: float, high: float, order: int) -> None:
    x = np.random.default_rng(0).normal(size=(400, 2))
    b, a = scipy.signal.butter(order, [low, high], "bandpass", fs=fs)
    expected = scipy.signal.filtfilt(b, a, x, axis=0)
    np.testing.assert_allclose(bandpass(x, fs, low, high, order), expected, atol=1e-8)


@pytest.mark.parametrize("fs", [5, 7, 6.99])
def test_bandpass_above_nyquist_is_a_high_pass(fs: float) -> None:
    x = np.random.default_rng(0).normal(size=200)
    sos = scipy.signal.butter(1, 0.7, "highpass", fs=fs, output="sos")
    expected = scipy.signal.sosfiltfilt(sos, x, padlen=9)
    np.testing.assert_allclose(bandpass(x, fs, 0.7, 3.5), expected, atol=1e-12)


def test_bandpass_has_no_delay_and_halves_at_the_edges() -> None:
    t = np.arange(3000) / 30
    for f, gain in [(0.7, 0.5), (3.5, 0.5), (1.4, 0.98)]:
        wave = np.sin(2 * np.pi * f * t)
        out = bandpass(wave, 30, 0.7, 3.5)
        np.testing.assert_allclose(out[900:2100], gain * wave[900:2100], atol=0.02)


@few
@given(signals, st.integers(0, 70))
def test_power_spectrum_equals_scipy(x: np.ndarray, extra: int) -> None:
    nfft = len(x) + extra
    f, p = power_spectrum(x, 25, nfft)
    expected_f, expected_p = scipy.signal.periodogram(x, 25, nfft=nfft, detrend=False)
    np.testing.assert_allclose(f, expected_f)
    np.testing.assert_allclose(p, expected_p, rtol=1e-9, atol=1e-9 * max(1.0, p.max()))


@few
@given(signals)
def test_power_is_the_mean_square(x: np.ndarray) -> None:
    f, p = power_spectrum(x, 30)
    step = f[1] if len(f) > 1 else 30.0
    assert p.sum() * step == pytest.approx((x**2).mean(), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("task", [integrate, detrend, lambda x: bandpass(x, 30, 0.7, 3.5)])
def test_columns_are_separate_signals(task: Callable) -> None:
    x = np.random.default_rng(1).normal(size=(100, 3))
    columns = np.stack([task(x[:, k]) for k in range(3)], axis=1)
    np.testing.assert_allclose(task(x), columns, atol=1e-12)


def test_spectrum_and_resample_take_columns() -> None:
    x = np.random.default_rng(1).normal(size=(50, 2))
    np.testing.assert_allclose(power_spectrum(x, 30)[1][:, 1], power_spectrum(x[:, 1], 30)[1])
    t = np.arange(50) / 30
    np.testing.assert_allclose(resample(x, t, 20)[0][:, 1], resample(x[:, 1], t, 20)[0])


@few
@given(st.integers(2, 200), st.sampled_from([5, 25, 29.97, 30, 60]), st.floats(-1e4, 1e4))
def test_resample_leaves_a_uniform_grid_alone(n: int, fs: float, start: float) -> None:
    x = np.sin(np.arange(n))
    values, begin = resample(x, start + np.arange(n) / fs, fs)
    assert begin == start
    np.testing.assert_allclose(values, x, atol=1e-5)


@few
@given(st.lists(st.tuples(numbers, st.floats(0.01, 1.0)), min_size=2, max_size=40))
def test_resample_stays_within_its_neighbours(pairs: list[tuple[float, float]]) -> None:
    x = np.array([value for value, _ in pairs])
    t = np.cumsum([gap for _, gap in pairs])
    values, start = resample(x, t, 50)
    grid = start + np.arange(len(values)) / 50
    assert grid[-1] <= t[-1] + 1e-6
    assert t[-1] - grid[-1] < 1 / 50
    left = np.clip(np.searchsorted(t, grid, side="right") - 1, 0, len(t) - 2)
    low = np.minimum(x[left], x[left + 1])
    high = np.maximum(x[left], x[left + 1])
    assert (values >= low - 1e-3).all()
    assert (values <= high + 1e-3).all()


def test_resample_is_closer_than_straight_lines() -> None:
    rng = np.random.default_rng(0)
    t = np.cumsum(rng.uniform(0.8, 1.2, 900)) / 30
    values, start = resample(np.sin(2 * np.pi * 2 * t), t, 30)
    grid = start + np.arange(len(values)) / 30
    truth = np.sin(2 * np.pi * 2 * grid)
    straight = np.interp(grid, t, np.sin(2 * np.pi * 2 * t))
    assert np.abs(values - truth).std() < 0.6 * np.abs(straight - truth).std()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    "function",
    [
        integrate,
        detrend,
        lambda x: bandpass(x, 30, 0.7, 3.5),
        lambda x: power_spectrum(x, 30),
        lambda x: resample(x, np.arange(40.0), 30),
        lambda x: resample(np.arange(40.0), x, 30),
    ],
)
def test_no_function_takes_nan_or_infinity(function: Callable, bad: float) -> None:
    x = np.arange(40.0)
    x[7] = bad
    with pytest.raises(InputError, match=f"holds {bad} at sample 7"):
        function(x)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ("abc", "expected an array of real numbers"),
        ([1j], "expected an array of real numbers"),
        ([[1.0], [1.0, 2.0]], "expected an array of real numbers"),
        (3.0, r"shape \(\); expected"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\); expected"),
        ([], "empty"),
    ],
)
def test_what_is_no_signal(x: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        as_signal(x)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: detrend(np.ones(9), 0.0), "lam is 0.0"),
        (lambda: detrend_lambda(30, 16), "at most fs / 2 = 15"),
        (lambda: bandpass(np.ones(99), -30, 0.7, 3.5), "fs is -30"),
        (lambda: bandpass(np.ones(99), 30, 3.5, 0.7), "0 < low < high"),
        (lambda: bandpass(np.ones(99), 30, 15, 20), "below fs / 2 = 15"),
        (lambda: bandpass(np.ones(99), 30, 0.7, 3.5, 0), "order is 0"),
        (lambda: power_spectrum(np.ones(9), 30, 8), "at least the 9 samples"),
        (lambda: resample(np.ones(3), np.ones(4), 30), "x has 3 samples and times has 4"),
        (lambda: resample(np.ones(3), [0.0, 0.1, 0.1], 30), r"times\[1\] is 0.1"),
    ],
)
def test_bad_arguments(call: Callable, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_too_short() -> None:
    with pytest.raises(TooShortError, match="9 samples; expected more than 9"):
        bandpass(np.ones(9), 30, 0.7, 3.5)
    bandpass(np.ones(10), 30, 0.7, 3.5)
    with pytest.raises(TooShortError, match="expected 2 or more"):
        resample([1.0], [0.0], 30)
