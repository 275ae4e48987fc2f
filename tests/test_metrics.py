"""Metrics against their definitions, scipy and golden values of the authors' toolbox."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from bigsmall.exceptions import InputError, TooShortError
from bigsmall.metrics import (
    accuracy,
    bland_altman,
    f1,
    macc,
    mae,
    mape,
    pearson,
    rmse,
    snr,
)
from bigsmall.rates import HEART_BAND, RESP_BAND, waveform

few = settings(max_examples=40, deadline=None)
rate = st.floats(40, 200)
pairs = st.lists(st.tuples(rate, rate), min_size=3, max_size=40).map(lambda v: np.array(v).T)
NAN = float("nan")


@few
@given(pairs)
def test_rate_metrics_equal_their_definition(pg: np.ndarray) -> None:
    p, g = pg
    assert mae(p, g) == pytest.approx(np.mean([abs(a - b) for a, b in zip(p, g, strict=True)]))
    assert rmse(p, g) == pytest.approx(np.linalg.norm(p - g) / len(p) ** 0.5)
    assert mape(p, g) == pytest.approx(100 * np.mean(np.abs(p - g) / g))
    limits = bland_altman(p, g)
    assert limits.bias == pytest.approx(p.mean() - g.mean())
    assert limits.upper - limits.lower == pytest.approx(2 * 1.96 * (p - g).std(ddof=1))
    assert mae(p, g) <= rmse(p, g) + 1e-9


@few
@given(pairs)
def test_pearson_equals_scipy(pg: np.ndarray) -> None:
    p, g = pg
    if np.ptp(p) < 1e-3 or np.ptp(g) < 1e-3:
        return
    assert pearson(p, g) == pytest.approx(scipy.stats.pearsonr(p, g).statistic, abs=1e-9)


@pytest.mark.parametrize("metric", [mae, rmse, mape, pearson, lambda p, g: bland_altman(p, g).std])
def test_pairs_with_nan_are_left_out(metric: Callable[..., float]) -> None:
    p, g = [70.0, NAN, 90.0, 75.0, 61.0], [72.0, 80.0, NAN, 70.0, 66.0]
    assert metric(p, g) == metric([70.0, 75.0, 61.0], [72.0, 70.0, 66.0])
    assert np.isnan(metric([NAN, 70.0], [70.0, NAN]))
    assert np.isnan(metric([], []))


@pytest.mark.parametrize("metric", [mae, rmse, mape, pearson, bland_altman])
def test_bad_pairs(metric: Callable) -> None:
    with pytest.raises(InputError, match=r"shape \(2,\) and g \(3,\)"):
        metric([1, 2], [1, 2, 3])
    with pytest.raises(InputError, match="p holds infinity"):
        metric([1, np.inf], [1, 2])
    with pytest.raises(InputError, match="expected real numbers"):
        metric(["a"], [1])
    with pytest.raises(InputError, match=r"\(1, 2\)"):
        metric([[1, 2]], [[1, 2]])


def test_edges_of_the_rate_metrics() -> None:
    assert mae(70.0, 72.0) == 2.0
    assert np.isnan(pearson([70.0, 70.0, 70.0], [1.0, 2.0, 3.0]))
    assert np.isnan(pearson([0.1] * 10, np.arange(10)))
    one = bland_altman([70.0], [72.0])
    assert one.bias == -2.0
    assert np.isnan(one.upper)
    with pytest.raises(InputError, match="g holds 0"):
        mape([1.0], [0.0])


def toolbox_waves(differenced: bool) -> tuple[np.ndarray, np.ndarray]:
    t = np.arange(1000) / 25
    label = (
        np.sin(2 * np.pi * 1.2 * t)
        + 0.3 * np.sin(2 * np.pi * 2.4 * t + 0.5)
        + 0.2 * np.sin(2 * np.pi * 0.25 * t)
    )
    prediction = (
        np.sin(2 * np.pi * 1.35 * t + 0.4)
        + 0.5 * np.sin(2 * np.pi * 0.9 * t)
        + 0.4 * np.cos(2 * np.pi * 3.1 * t)
    )
    out = []
    for x in (label, prediction):
        if differenced:
            d = np.diff(x)
            x = np.append(d / d.std(), 0)
        out.append(
            waveform(x, 25, "heart", derivative=differenced, protocol="paper", band=(0.6, 3.3))
        )
    return out[0], out[1]


@pytest.mark.parametrize(
    ("differenced", "decibel", "correlation"),
    [(True, -19.175446, 0.01322718), (False, -18.873773, 0.00665711)],
)
def test_golden_snr_and_macc(differenced: bool, decibel: float, correlation: float) -> None:
    label, prediction = toolbox_waves(differenced)
    assert snr(prediction, 25, 71.77734375, "heart", "paper") == pytest.approx(decibel, abs=1e-6)
    assert macc(prediction, label) == pytest.approx(correlation, abs=6e-9)


def test_snr_of_known_powers() -> None:
    """Whole cycles in 1024 samples: power falls in single bins, amplitude 3 to 1."""
    t = np.arange(1024) / 32
    for task, f, other in (("heart", 1.25, 2.0), ("respiration", 0.25, 0.5625)):
        x = 3 * np.sin(2 * np.pi * f * t) + np.sin(2 * np.pi * other * t)
        assert snr(x, 32, 60 * f, task) == pytest.approx(10 * np.log10(9), abs=1e-6)  # type: ignore[arg-type]
        harmonic = x + 2 * np.sin(4 * np.pi * f * t)
        assert snr(harmonic, 32, 60 * f, task) == pytest.approx(10 * np.log10(13), abs=1e-6)  # type: ignore[arg-type]


@pytest.mark.parametrize(("task", "band"), [("heart", HEART_BAND), ("respiration", RESP_BAND)])
def test_snr_uses_the_bands_of_the_rates(task: str, band: tuple[float, float]) -> None:
    t = np.arange(1 << 16) / 32
    for edge, inside in ((band[0], 1.01), (band[1], 0.99)):
        wave = np.sin(2 * np.pi * np.mean(band) * t)
        values = [
            snr(wave + np.sin(2 * np.pi * edge * k * t), 32, 60 * float(np.mean(band)), task)  # type: ignore[arg-type]
            for k in (inside, 2 - inside)
        ]
        assert values[0] == pytest.approx(0, abs=0.1)
        assert values[1] > 10


def test_snr_edges() -> None:
    x = np.sin(np.arange(300.0))
    assert np.isnan(snr(x, 30, NAN, "heart"))
    assert snr(np.zeros(300), 30, 72, "heart", "paper") == 0
    assert np.isnan(snr(np.zeros(300), 30, 72, "heart"))
    with pytest.raises(InputError, match="task is 'hart'"):
        snr(x, 30, 72, "hart")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"expected \(T,\)"):
        snr(x[:, None], 30, 72, "heart")


def direct_macc(x: np.ndarray, y: np.ndarray) -> float:
    return max(abs(np.corrcoef(x, np.roll(y, k))[0, 1]) for k in range(len(x) - 1))


@pytest.mark.parametrize("n", [2, 3, 64, 97, 500])
def test_macc_equals_the_direct_definition(n: int) -> None:
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=n), rng.normal(size=n) + 1e3
    assert macc(x, y) == pytest.approx(direct_macc(x, y), abs=1e-10)


@few
@given(st.integers(3, 60), st.integers(0, 100), st.floats(0.1, 10), st.floats(-9, 9))
def test_macc_finds_a_shifted_scaled_copy(n: int, shift: int, scale: float, offset: float) -> None:
    x = np.random.default_rng(n).normal(size=n)
    shift %= n - 1
    assert macc(x, offset - scale * np.roll(x, -shift)) == pytest.approx(1.0, abs=1e-9)


def test_macc_edges() -> None:
    assert np.isnan(macc(np.ones(10), np.arange(10)))
    assert macc(1e200 * np.arange(10.0), 1e-200 * np.arange(10.0)) == pytest.approx(1.0)
    with pytest.raises(InputError, match="x has 3 samples and y 4"):
        macc(np.ones(3), np.ones(4))
    with pytest.raises(TooShortError, match="2 or more"):
        macc([1.0], [1.0])


def test_action_units() -> None:
    labels = np.array([[1, 0, 0, 1], [1, 0, 1, NAN], [0, 0, 1, NAN], [0, 0, 0, NAN]])
    chances = np.array(
        [[0.9, 0.1, 0.9, 0.5], [0.2, 0.3, 0.8, 0.9], [0.7, 0.0, 0.7, 0.1], [0.0] * 4]
    )
    np.testing.assert_allclose(f1(chances, labels), [0.5, 0.0, 0.8, 1.0])
    np.testing.assert_allclose(accuracy(chances, labels), [0.5, 1.0, 0.75, 1.0])
    assert np.isnan(accuracy(chances, np.full((4, 4), NAN))).all()
    assert (f1(chances, labels, threshold=2.0) == 0).all()
    with pytest.raises(InputError, match="other than 0 and 1"):
        f1(chances, labels + 1)
    with pytest.raises(InputError, match=r"shape \(4, 4\), labels \(4,\)"):
        accuracy(chances, labels[0])
