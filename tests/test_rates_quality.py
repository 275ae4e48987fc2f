"""Quality: one for a clean wave, near zero for noise, and falling with the noise in between."""

from collections.abc import Callable

import numpy as np
import pytest

from bigsmall.exceptions import TooShortError
from bigsmall.rates import heart_rate, quality, rate_over_time, respiratory_rate
from bigsmall.rates.protocols import Task
from bigsmall.rates.sinusoids import chance_share, explained_energy, strongest_frequency

ESTIMATE: dict[Task, Callable[..., float]] = {"heart": heart_rate, "respiration": respiratory_rate}
TASKS = ["heart", "respiration"]


def noise_qualities(task: Task, seconds: int, derivative: bool, count: int) -> np.ndarray:
    out = []
    for seed in range(count):
        x = np.random.default_rng(seed).normal(size=seconds * 30)
        rate = ESTIMATE[task](x, 30, derivative=derivative)
        out.append(quality(x, 30, rate, task, derivative=derivative))
    return np.array(out)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("seconds", [10, 30, 60])
@pytest.mark.parametrize("derivative", [False, True])
def test_noise_has_no_quality(task: Task, seconds: int, derivative: bool) -> None:
    q = noise_qualities(task, seconds, derivative, 40)
    assert (q < 0.3).mean() >= 0.95
    assert np.median(q) < 0.05


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("seconds", [10, 30, 60])
def test_quality_falls_with_noise(task: Task, seconds: int) -> None:
    f = 1.2 if task == "heart" else 0.25
    t = np.arange(30 * seconds) / 30
    levels = [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0]
    mean = np.zeros(len(levels))
    for seed in range(10):
        x = np.random.default_rng(seed).normal(size=t.size)
        wave = np.sin(2 * np.pi * f * t + seed)
        mean += [quality(wave + a * x, 30, 60 * f, task) / 10 for a in levels]
    assert mean[0] > 0.99
    assert mean[-1] < 0.3
    assert (np.diff(mean) < 0.01).all()
    assert (np.diff(mean[:4]) < -0.01).all()


@pytest.mark.parametrize("task", TASKS)
def test_an_unsteady_rate_keeps_most_of_its_quality(task: Task) -> None:
    """A rate that wanders by some per cent is no noise."""
    f, swing = (1.2, 0.04) if task == "heart" else (0.25, 0.02)
    t = np.arange(1800) / 30
    phase = 2 * np.pi * np.cumsum(f + swing * np.sin(2 * np.pi * t / 30)) / 30
    x = np.sin(phase)
    assert quality(x, 30, ESTIMATE[task](x, 30), task) > 0.8


def test_the_harmonic_of_the_pulse_is_signal_and_that_of_breathing_is_not() -> None:
    t = np.arange(900) / 30
    pulse = np.sin(2 * np.pi * 1.1 * t) + 0.7 * np.sin(2 * np.pi * 2.2 * t)
    assert quality(pulse, 30, 66, "heart") > 0.95
    breath = np.sin(2 * np.pi * 0.2 * t) + 0.7 * np.sin(2 * np.pi * 0.4 * t)
    assert quality(breath, 30, 12, "respiration") < 0.8


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("rate", [np.nan, np.inf, -72.0, 0.0, 1e4])
def test_no_rate_has_no_quality(task: Task, rate: float) -> None:
    t = np.arange(900) / 30
    assert quality(np.sin(2 * np.pi * t), 30, rate, task) == 0


def test_a_wrong_rate_has_no_quality() -> None:
    t = np.arange(900) / 30
    assert quality(np.sin(2 * np.pi * 1.2 * t), 30, 100, "heart") < 0.05


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_scale_offset_and_trend_do_not_matter(scale: float) -> None:
    rng = np.random.default_rng(0)
    t = np.arange(900) / 30
    x = np.sin(2 * np.pi * 1.2 * t) + rng.normal(size=900)
    expected = quality(x, 30, 72, "heart")
    assert 0.1 < expected < 0.95
    assert quality(scale * (x + 5 + 3 * t), 30, 72, "heart") == pytest.approx(expected, abs=1e-6)


def test_chance_is_what_fisher_says() -> None:
    """One noise spectrum in fifty has a peak above its chance share."""
    rng = np.random.default_rng(0)
    cells = rng.exponential(size=(20000, 28))
    above = cells.max(axis=1) / cells.sum(axis=1) > chance_share(28, 0)
    assert above.mean() == pytest.approx(0.02, abs=0.004)
    assert chance_share(1.5, 0) == 1
    assert chance_share(28, 5) > chance_share(28, 0)


def test_explained_energy_equals_least_squares() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=200)
    t = (np.arange(200) - 99.5) / 30
    for f in (0.05, 0.4, 3.3, 14.9):
        a = np.stack([np.cos(2 * np.pi * f * t), np.sin(2 * np.pi * f * t)], axis=1)
        fit = a @ np.linalg.lstsq(a, z, rcond=None)[0]
        found = explained_energy(z, np.array([f]), 30, lambda x: x)[0]
        assert found == pytest.approx(fit @ fit, rel=1e-9)
    assert np.isfinite(explained_energy(z, np.array([0.0, 15.0]), 30, lambda x: x)).all()


def test_a_band_between_two_bins_has_no_strongest_frequency() -> None:
    assert np.isnan(strongest_frequency(np.ones(16), 30, 1.0, 1.01, lambda x: x))


@pytest.mark.parametrize("derivative", [False, True])
def test_rate_over_time_follows_a_change(derivative: bool) -> None:
    fs, t = 30, np.arange(3601) / 30
    f = np.where(t < 60, 1.0, 1.5)
    x = np.sin(2 * np.pi * np.cumsum(f) / fs)
    x = np.diff(x) if derivative else x[:-1]
    track = rate_over_time(x, fs, "heart", window=20, step=10, derivative=derivative)
    np.testing.assert_allclose(track.times, 10 + 10 * np.arange(11))
    np.testing.assert_allclose(track.rates[:5], 60, atol=0.2)
    np.testing.assert_allclose(track.rates[6:], 90, atol=0.2)
    assert (np.delete(track.qualities, 5) > 0.9).all()
    one = heart_rate(x[:600], fs, derivative=derivative)
    assert track.rates[0] == one


def test_rate_over_time_of_awkward_lengths() -> None:
    x = np.sin(np.arange(1000.0))
    track = rate_over_time(x, 29.97, "heart", window=10.01, step=3.3)
    assert track.rates.shape == track.times.shape == track.qualities.shape == (8,)
    assert track.times[-1] + 10.01 / 2 <= 1000 / 29.97 + 1e-6
    exact = rate_over_time(x[:300], 30, "heart", window=10, step=1, protocol="paper")
    assert len(exact.rates) == 1
    x[:] = 1
    track = rate_over_time(x, 30, "respiration", window=20, step=5)
    assert np.isnan(track.rates).all()
    assert (track.qualities == 0).all()
    with pytest.raises(TooShortError, match="one window of 40 s"):
        rate_over_time(x, 30, "heart", window=40, step=1)
