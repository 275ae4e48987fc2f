"""The picture of a measurement: whole for every kind of content, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from bigsmall import ActionUnits, Estimate, Measurement, Waveform
from bigsmall.exceptions import InputError, OutputError

matplotlib = pytest.importorskip("matplotlib")

BEGIN = {".png": b"\x89PNG\r\n", ".pdf": b"%PDF-", ".svg": b"<?xml", ".jpg": b"\xff\xd8"}


def wave(rate: float, seconds: float = 20, fs: float = 30) -> Waveform:
    return Waveform(np.sin(2 * np.pi * rate / 60 * np.arange(round(seconds * fs)) / fs), fs, 0.0)


def measurement(
    pulse: float | None = 72, breath: float | None = 15, units: int = 12, seconds: float = 20
) -> Measurement:
    """A result with these rates; None leaves one out."""
    found = None
    if units:
        values = np.random.default_rng(0).uniform(size=(round(5 * seconds), units))
        names = tuple(f"AU{k:02d}" for k in range(units))
        found = ActionUnits(names, values, np.arange(len(values)) / 5)
    return Measurement(
        heart_rate=None if pulse is None else Estimate(pulse, "beats/min", 0.8),
        respiratory_rate=None if breath is None else Estimate(breath, "breaths/min", 0.8),
        bvp=None if pulse is None else wave(pulse, seconds),
        resp=None if breath is None else wave(breath, seconds),
        action_units=found,
        used={"source": "folder/me.mp4", "model": "bigsmall-synthetic", "protocol": "default"},
        picture=np.full((30, 20, 3), 99, np.uint8),
    )


def titles(figure) -> list[str]:
    places = ("left", "center")
    found = [axis.get_title(loc=place) for axis in figure.axes for place in places]
    return [title for title in found if title]


@pytest.mark.parametrize("suffix", BEGIN)
def test_the_suffix_chooses_the_format(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    measurement(units=0, breath=None).plot(path)
    content = path.read_bytes()
    assert content.startswith(BEGIN[suffix])
    assert len(content) > 3000
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize(
    ("given", "axes"),
    [
        ({}, 6),
        ({"units": 0}, 5),
        ({"units": 0, "breath": None}, 3),
        ({"pulse": None, "breath": None}, 2),
        ({"pulse": None}, 4),
        ({"units": 1}, 6),
        ({"pulse": None, "breath": None, "units": 0}, 1),
    ],
    ids=["all", "waves", "pulse", "units", "no pulse", "one unit", "nothing"],
)
def test_what_was_measured_is_drawn(tmp_path, given, axes):
    figure = measurement(**given).plot(tmp_path / "a.png")
    assert len(figure.axes) == axes  # picture; wave and spectrum each; units
    text = " ".join(titles(figure))
    assert ("72.0 / min" in text) == (given.get("pulse", 72) is not None)
    assert ("15.0 / min" in text) == (given.get("breath", 15) is not None)
    assert ("action units" in text) == (given.get("units", 12) > 0)
    assert "protocol default" in text
    assert figure.get_suptitle() == "me.mp4"


def test_a_spectrum_peaks_at_the_rate():
    figure = measurement(72, 15, 0).plot()
    for axis, rate in ((figure.axes[2], 72), (figure.axes[4], 15)):
        line, marker = axis.get_lines()
        x, y = line.get_data()
        assert x[y.argmax()] == pytest.approx(rate, abs=1)
        assert marker.get_xdata()[0] == rate


def test_no_rate_and_a_flat_wave(tmp_path):
    flat = Waveform(np.zeros(300), 30.0, 0.0)
    none = Estimate(float("nan"), "beats/min", 0.0, "no signal was found")
    m = Measurement(none, none, flat, flat, None, {"source": "a"})
    assert titles(m.plot(tmp_path / "a.png")).count("no rate") == 2


def test_of_a_long_recording_single_cycles_can_be_seen(tmp_path):
    figure = measurement(seconds=600).plot(tmp_path / "a.png")
    for axis, seconds in ((figure.axes[1], 20), (figure.axes[3], 60)):
        x = axis.get_lines()[0].get_xdata()
        assert x[-1] - x[0] == pytest.approx(seconds, abs=0.1)
        assert x.mean() == pytest.approx(300, abs=1)
        assert f"{x[0]:.0f}–{x[-1]:.0f} s of 600 s" in axis.get_title(loc="left")


@pytest.mark.parametrize(
    "name", ["$a$.mp4", "$\\frac{$.mp4", "面.mp4", "a\tb%s{}.mp4", "a\udcff.mp4"]
)
def test_any_file_name_can_stand_above(tmp_path, name):
    m = measurement(units=0, breath=None)
    m.used.update(source=name, model=name)
    m.plot(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 3000


@pytest.mark.parametrize("name", ["a.foo", "a", "a.json", ".png"])
def test_other_suffixes_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"expected a name ending in \.png, \.pdf, \.svg"):
        measurement().plot(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="no folder"):
        measurement().plot(tmp_path / "no" / "a.png")


def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_text("precious")

    def fail(self, file):
        raise KeyboardInterrupt

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    with pytest.raises(KeyboardInterrupt):
        measurement().plot(path)
    assert path.read_text() == "precious"
    assert os.listdir(tmp_path) == ["a.png"]


def test_no_global_figure_is_made(tmp_path):
    code = (
        "import sys, numpy as np\n"
        "from bigsmall.measurement import Estimate, Measurement, Waveform\n"
        "assert not any(name.startswith('matplotlib') for name in sys.modules)\n"
        "wave = Waveform(np.sin(np.arange(300.0)), 30.0, 0.0)\n"
        "m = Measurement(Estimate(72.0, 'x', 1.0), None, wave, None, None, {})\n"
        "m.plot(sys.argv[1])\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "a.png"], check=True)
    assert (tmp_path / "a.png").stat().st_size > 3000
