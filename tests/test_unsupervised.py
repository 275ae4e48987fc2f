"""GREEN, CHROM and POS against golden values and against their definition, window by window."""

from collections.abc import Callable
from math import ceil

import numpy as np
import pytest
from golden import noise
from scipy.signal import butter, filtfilt

from bigsmall.exceptions import InputError, TooShortError
from bigsmall.rates import heart_rate
from bigsmall.signals import bandpass, detrend
from bigsmall.unsupervised import METHODS, chrom, green, pos


@pytest.fixture(scope="module")
def golden_rgb() -> np.ndarray:
    t = np.arange(250) / 30
    p, q = np.sin(2 * np.pi * 1.1 * t), np.sin(2 * np.pi * 0.3 * t)
    channels = [150 + p + 2 * q, 110 + 2 * p + 2 * q, 90 + 1.4 * p + 2 * q]
    return np.stack([c + 0.2 * noise(250, k + 1) for k, c in enumerate(channels)], axis=1)


def skin(seconds: float, fs: float, rate: float, seed: int = 0) -> np.ndarray:
    """A skin trace: pulse along (0.33, 0.77, 0.53), brightness along (1, 1, 1), and noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * fs)) / fs
    pulse = 0.01 * np.sin(2 * np.pi * rate / 60 * t)[:, None] * [0.33, 0.77, 0.53]
    light = 0.05 * np.sin(2 * np.pi * 0.45 * t + 1)[:, None]
    colour = np.array([170.0, 120.0, 90.0])
    return colour * (1 + pulse) * (1 + light) + 0.02 * rng.normal(size=(len(t), 3))


def pos_loop(rgb: np.ndarray, fs: float, last: bool = True) -> np.ndarray:
    frames, size = len(rgb), ceil(1.6 * fs)
    total = np.zeros(frames)
    for end in range(size, frames + last):
        window = rgb[end - size : end]
        c = window / window.mean(axis=0)
        s = np.array([[0, 1, -1], [-2, 1, 1]]) @ c.T
        h = s[0] + s[0].std() / s[1].std() * s[1]
        total[end - size : end] += h - h.mean()
    return bandpass(detrend(total, 100), fs, 0.75, 3.0)


def chrom_loop(rgb: np.ndarray, fs: float) -> np.ndarray:
    """The published method: shorter than `rgb`, faded out at the end."""
    size = ceil(1.6 * fs)
    size += size % 2
    hop = size // 2
    windows = (len(rgb) - hop) // hop
    b, a = butter(3, [0.7, 2.5], "bandpass", fs=fs)
    out = np.zeros(hop * (windows + 1))
    for i in range(windows):
        window = rgb[i * hop : i * hop + size]
        r, g, blue = (window / window.mean(axis=0)).T - 1
        xf = filtfilt(b, a, 3 * r - 2 * g)
        yf = filtfilt(b, a, 1.5 * r + g - 1.5 * blue)
        s = xf - xf.std() / yf.std() * yf
        out[i * hop : i * hop + size] += s * np.hanning(size)
    return out


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (pos, [-0.211282, -0.231228, -0.234186, -0.224263]),
        (chrom, [0.024172, 0.025943, 0.026497, 0.025797]),
        (green, [108.198235, 108.152529, 108.410264, 108.601685]),
    ],
)
def test_golden(golden_rgb: np.ndarray, method: Callable, expected: list[float]) -> None:
    out = method(golden_rgb, 30)
    assert out.shape == (250,)
    np.testing.assert_allclose(out[100:104], expected, atol=6e-7)
    rate = heart_rate(out, 30, protocol="paper", band=(0.6, 3.3))
    assert rate == pytest.approx(63.28125, abs=1e-9)


@pytest.mark.parametrize(("fs", "frames"), [(30, 250), (25, 40), (25, 41), (59.94, 600), (7.3, 90)])
def test_pos_equals_its_definition(fs: float, frames: int) -> None:
    rgb = skin(frames / fs, fs, 72)
    np.testing.assert_allclose(pos(rgb, fs), pos_loop(rgb, fs), rtol=0, atol=1e-8)


def test_pos_writes_the_last_sample() -> None:
    rgb = skin(10, 30, 72)
    published = pos_loop(rgb, 30, last=False)
    np.testing.assert_allclose(pos(rgb, 30)[:150], published[:150], atol=1e-6)
    assert abs(pos(rgb, 30)[-1] - published[-1]) > 1e-4


@pytest.mark.parametrize(("fs", "frames"), [(30, 250), (30, 240), (25, 40), (59.94, 601), (13, 70)])
def test_chrom_equals_its_definition_up_to_the_tail(fs: float, frames: int) -> None:
    rgb = skin(frames / fs, fs, 72)
    expected = chrom_loop(rgb, fs)
    hop = (ceil(1.6 * fs) + 1) // 2
    same = len(expected) - hop
    out = chrom(rgb, fs)
    assert out.shape == (frames,)
    np.testing.assert_allclose(out[:same], expected[:same], rtol=0, atol=1e-8)


def test_chrom_does_not_fade_out() -> None:
    out = chrom(skin(20.6, 30, 90), 30)
    middle, end = out[200:400].std(), out[-48:].std()
    assert 0.7 * middle < end < 1.4 * middle


@pytest.mark.parametrize("method", ["pos", "chrom"])
@pytest.mark.parametrize("rate", [55, 72, 110])
def test_the_pulse_is_found_under_moving_light(method: str, rate: float) -> None:
    rgb = skin(20, 30, rate)
    assert heart_rate(METHODS[method](rgb, 30), 30) == pytest.approx(rate, abs=0.5)


@pytest.mark.parametrize("method", ["pos", "chrom"])
def test_brightness_does_not_matter(method: str) -> None:
    rgb = skin(10, 30, 72)
    np.testing.assert_allclose(METHODS[method](rgb * 0.01, 30), METHODS[method](rgb, 30), atol=1e-9)


@pytest.mark.parametrize("name", METHODS)
def test_black_and_constant_windows_stay_finite(name: str) -> None:
    rgb = skin(10, 30, 72)
    rgb[60:200] = 0
    assert np.isfinite(METHODS[name](rgb, 30)).all()
    assert np.isfinite(METHODS[name](np.zeros((300, 3)), 30)).all()
    constant = METHODS[name](np.full((300, 3), 77.7), 30)
    assert np.abs(constant - constant.mean()).max() < 1e-9


@pytest.mark.parametrize("name", METHODS)
def test_input_is_left_alone_and_any_number_type_taken(name: str) -> None:
    rgb = np.round(skin(10, 30, 72)).astype(np.uint8)
    before = rgb.copy()
    out = METHODS[name](rgb, 30)
    assert (rgb == before).all()
    assert out.dtype == np.float64
    np.testing.assert_array_equal(out, METHODS[name](rgb.astype(float), 30))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    ("rgb", "fs", "message"),
    [
        (np.ones(300), 30, r"shape \(300,\); expected \(T, K\)"),
        (np.ones((3, 300)), 30, r"shape \(3, 300\); expected \(T, 3\)"),
        (np.full((300, 3), np.nan), 30, "rgb holds nan at sample 0"),
        (np.ones((300, 3)), 0, "fs is 0"),
        ("no", 30, "expected an array of real numbers"),
    ],
)
def test_bad_input(name: str, rgb: np.ndarray, fs: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        METHODS[name](rgb, fs)


def test_too_short_or_too_slow() -> None:
    with pytest.raises(TooShortError, match="47 frames; expected at least 48 for POS"):
        pos(np.ones((47, 3)), 30)
    with pytest.raises(TooShortError, match="47 frames; expected at least 48 for CHROM"):
        chrom(np.ones((47, 3)), 30)
    with pytest.raises(InputError, match=r"above 12\.5 Hz"):
        chrom(np.ones((100, 3)), 12.5)
