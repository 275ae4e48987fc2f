"""What `measure` returns: laws of its parts, and writing it down without loss."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from bigsmall import ActionUnits, Estimate, Measurement, Waveform
from bigsmall.exceptions import InputError, OutputError

NAMES = ("AU01", "AU02")


@pytest.fixture
def measurement() -> Measurement:
    """4 s at 10 Hz with action units at 5 Hz; no breathing was found."""
    times = np.arange(40) / 10
    wave = np.sin(2 * np.pi * 1.2 * times)
    return Measurement(
        heart_rate=Estimate(72.0, "beats/min", 0.9),
        respiratory_rate=Estimate(float("nan"), "breaths/min", 0.0, "too short"),
        bvp=Waveform(wave, 10.0, 0.5),
        resp=Waveform(0 * wave, 10.0, 0.5),
        action_units=ActionUnits(
            NAMES, np.linspace(0, 1, 40).reshape(20, 2), 0.5 + np.arange(20) / 5, "not checked"
        ),
        used={
            "source": "me.mp4",
            "model": "x/y.pth",
            "crop": (np.int64(1), 2, 3, 4),
            "fps": np.float32(10),
            "path": Path("a"),
            "protocol": "default",
            "bad": float("inf"),
        },
        notes=("one", "two"),
        picture=np.zeros((8, 8, 3), np.uint8),
    )


def strict(text: str):
    """Read JSON as the standard has it, which knows no NaN."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_the_keys_are_the_names_of_the_attributes(measurement):
    plain = measurement.to_dict()
    assert list(plain) == [item.name for item in fields(Measurement) if item.name != "picture"]
    for name in ("heart_rate", "bvp", "action_units"):
        part = getattr(measurement, name)
        assert list(plain[name]) == [item.name for item in fields(part)]


def test_json_holds_everything_and_no_nan(measurement, tmp_path):
    measurement.save(tmp_path / "a.json")
    read = strict((tmp_path / "a.json").read_text())
    assert read["heart_rate"] == {"value": 72, "unit": "beats/min", "quality": 0.9, "note": ""}
    assert read["respiratory_rate"]["value"] is None
    assert read["respiratory_rate"]["note"] == "too short"
    assert read["bvp"]["fs"] == 10
    np.testing.assert_allclose(read["bvp"]["values"], measurement.bvp.values, atol=1e-6)
    assert read["action_units"]["names"] == list(NAMES)
    assert np.shape(read["action_units"]["probabilities"]) == (20, 2)
    assert read["used"]["crop"] == [1, 2, 3, 4]
    assert (read["used"]["fps"], read["used"]["path"], read["used"]["bad"]) == (10, "a", None)
    assert read["notes"] == ["one", "two"]


def test_what_was_not_measured_is_null(measurement, tmp_path):
    less = replace(measurement, action_units=None, resp=None, respiratory_rate=None)
    less.save(tmp_path / "a.JSON")
    read = strict((tmp_path / "a.JSON").read_text())
    assert [read[name] for name in ("action_units", "resp", "respiratory_rate")] == [None] * 3


def test_csv_and_table_hold_the_waves_over_time(measurement, tmp_path):
    measurement.save(tmp_path / "a.csv")
    with open(tmp_path / "a.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["time", "bvp", "resp", *NAMES]
    read = np.array(rows[1:], float)
    assert read.shape == (40, 5)
    np.testing.assert_allclose(read[:, 0], measurement.bvp.times, atol=1e-6)
    np.testing.assert_allclose(read[:, 1], measurement.bvp.values, atol=1e-6)
    # Action units come half as often: each row has those of the frame next to it.
    units = measurement.action_units
    nearest = abs(units.times[:, None] - read[:, 0]).argmin(0)
    exact = np.arange(0, 40, 2)
    np.testing.assert_allclose(read[exact, 3:], units.probabilities[nearest[exact]], atol=1e-4)
    assert (abs(units.times[:, None] - read[:, 0]).min(0) <= 0.1 + 1e-9).all()

    pandas = pytest.importorskip("pandas")
    table = measurement.to_dataframe()
    assert isinstance(table, pandas.DataFrame)
    assert list(table.columns) == rows[0]
    np.testing.assert_allclose(table.to_numpy(), read, atol=1e-9)


def test_the_table_of_action_units_alone_has_a_row_a_frame(measurement, tmp_path):
    only = Measurement(None, None, None, None, measurement.action_units, {})
    only.save(tmp_path / "a.csv")
    read = np.loadtxt(tmp_path / "a.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(read[:, 0], only.action_units.times, atol=1e-6)
    np.testing.assert_allclose(read[:, 1:], only.action_units.probabilities, atol=1e-4)


@pytest.mark.parametrize("name", ["a.txt", "a", "a.json.gz", ".json"])
def test_other_suffixes_are_refused(measurement, tmp_path, name):
    with pytest.raises(InputError, match=r"expected a \.json or \.csv name"):
        measurement.save(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_places_that_cannot_be_written(measurement, tmp_path):
    for path in (tmp_path / "no" / "a.json", tmp_path / "a.csv" / "b.csv"):
        with pytest.raises(OutputError, match="no folder"):
            measurement.save(path)
    (tmp_path / "b.json").mkdir()
    with pytest.raises(OutputError, match="it is a folder"):
        measurement.save(tmp_path / "b.json")


@pytest.mark.parametrize("name", ["a.json", "a.csv"])
def test_a_failure_leaves_what_was_there(measurement, tmp_path, monkeypatch, name):
    path = tmp_path / name
    path.write_text("precious")

    def fail(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("bigsmall.measurement.json.dumps", fail)
    monkeypatch.setattr("bigsmall.measurement._rows", fail)
    with pytest.raises(KeyboardInterrupt):
        measurement.save(path)
    assert path.read_text() == "precious"
    assert os.listdir(tmp_path) == [name]
    monkeypatch.undo()
    measurement.save(path)
    assert path.read_text() != "precious"


def test_times_of_a_wave():
    wave = Waveform(np.zeros(5), 4.0, 2.0)
    np.testing.assert_allclose(wave.times, [2, 2.25, 2.5, 2.75, 3])


def test_share_of_frames_with_an_action_unit():
    units = ActionUnits(NAMES, np.array([[0.5, 0.1], [0.49, 0.2], [0.9, 0.0]]), np.arange(3.0))
    assert units.share_present == {"AU01": pytest.approx(2 / 3), "AU02": 0}


def test_an_estimate_reads_well():
    assert str(Estimate(71.96, "beats/min", 0.876)) == "72.0 beats/min (quality 0.88)"
    assert str(Estimate(float("nan"), "beats/min", 0.0, "no signal was found")) == (
        "no beats/min: no signal was found"
    )
