"""`measure` on recordings whose pulse is known: painted in memory, or real where they are there."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from painted import flicker, lively, painted, recording, texture, tiny

import bigsmall
from bigsmall import BigBranch, SmallBranch
from bigsmall.exceptions import InputError, NoFaceError, TooShortError, UnknownModelError
from bigsmall.rates import waveform
from bigsmall.video import write_video


def pairs(times, rate=72.0):
    """What a camera gives: (seconds, frame)."""
    return list(zip(map(float, times), painted(times, rate)))


@pytest.mark.parametrize("model", ["pos", "chrom", "green"])
@pytest.mark.parametrize(("rate", "fps"), [(48.0, 30), (72.0, 25), (131.0, 20)])
def test_methods_without_weights_find_the_pulse(model, rate, fps):
    m = bigsmall.measure(recording(10, fps, rate), fps=fps, crop="none", model=model)
    assert m.heart_rate.value == pytest.approx(rate, abs=1)
    assert m.heart_rate.quality > 0.5
    assert m.heart_rate.unit == "beats/min"
    assert m.bvp.fs == pytest.approx(fps)
    assert m.bvp.values.std() == pytest.approx(1)
    assert len(m.bvp.values) == 10 * fps
    assert (m.respiratory_rate, m.resp, m.action_units) == (None, None, None)
    assert m.notes == ()


def test_the_paper_protocol_gives_a_bin_of_its_spectrum():
    m = bigsmall.measure(recording(), fps=30, crop="none", model="green", protocol="paper")
    # 300 frames are padded to 512: the bin next to 72/min is number 20 of 60 * 30 / 512 each.
    assert m.heart_rate.value == pytest.approx(20 * 60 * 30 / 512)
    assert m.used["protocol"] == "paper"


def test_a_network_measures_all_its_tasks():
    network, frames = tiny(), flicker(301)
    m = bigsmall.measure(frames, fps=30, crop="none", model=network)
    assert m.action_units.names == bigsmall.models.AU_NAMES
    assert m.action_units.probabilities.shape == (300, 12)
    assert m.respiratory_rate.unit == "breaths/min"
    assert m.used["network"] == m.used["model"] == "BigSmall"
    np.testing.assert_array_equal(m.picture, frames[0])
    paper = bigsmall.measure(frames, fps=30, crop="none", model=network, protocol="paper")
    # The paper filters differences of frames; the first of them ends at the second frame.
    assert paper.bvp.start == pytest.approx(1 / 30)
    for other in (
        paper.heart_rate.value / (60 * 30 / 512),
        paper.respiratory_rate.value / 3.515625,
    ):
        assert other == pytest.approx(round(other))


def test_the_wave_is_the_filtered_sum_of_the_outputs():
    network, frames = tiny(), flicker(121)
    big, small = bigsmall.transforms.prepare(frames, network.input_spec)
    with torch.no_grad():
        out = network(big, small).bvp.flatten().double().numpy()
    expected = waveform(np.concatenate([[0], np.cumsum(out)]), 30, "heart", derivative=False)
    got = bigsmall.measure(frames, fps=30, crop="none", model=network).bvp.values
    assert np.corrcoef(got, expected)[0, 1] > 0.999


@pytest.mark.parametrize("change", ["train", "double"])
def test_a_network_is_used_as_one_would_want_it(change):
    frames, network = flicker(130), tiny()
    usual = bigsmall.measure(frames, fps=30, crop="none", model=network)
    getattr(network, change)()
    other = bigsmall.measure(frames, fps=30, crop="none", model=network)
    np.testing.assert_allclose(
        other.action_units.probabilities, usual.action_units.probabilities, atol=1e-5
    )
    assert network.training == (change == "train")


def test_time_stamps_are_believed_and_the_rate_is_not():
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.uniform(0.02, 0.06, 300))  # 25 frames/s on average
    for fps in (None, 60):
        m = bigsmall.measure(pairs(times), fps=fps, crop="none", model="green")
        assert m.heart_rate.value == pytest.approx(72, abs=1)
        assert m.used["fps"] == pytest.approx(299 / (times[-1] - times[0]), rel=1e-3)
        assert m.bvp.start == 0


def test_a_file_is_measured_by_its_time_stamps_or_by_the_rate_given(tmp_path):
    times = np.arange(250) / 25
    path = tmp_path / "a.mp4"
    write_video(path, painted(times, depth=0.05), fps=100, times=times)  # the header lies
    m = bigsmall.measure(path, crop="none", model="pos")
    assert m.heart_rate.value == pytest.approx(72, abs=1)
    twice = bigsmall.measure(path, crop="none", model="pos", fps=50)
    assert twice.heart_rate.value == pytest.approx(144, abs=1)
    part = bigsmall.measure(path, crop="none", model="pos", start=2, duration=6)
    assert part.heart_rate.value == pytest.approx(72, abs=2)
    assert part.used["start"] == pytest.approx(2)
    assert part.bvp.times[-1] == pytest.approx(7.96)


def test_a_long_recording_gets_the_median_of_windows():
    """70 s at 60/min, then 30 s at 120/min: one spectrum of it all would have no one peak."""
    times = np.arange(800) / 8
    slow, fast = painted(times, 60), painted(times, 90)
    frames = (one if t < 70 else other for t, one, other in zip(times, slow, fast))
    m = bigsmall.measure(frames, fps=8, crop="none", model="green")
    assert m.heart_rate.value == pytest.approx(60, abs=1)
    assert m.heart_rate.note == "median of 8 windows of 30 s"
    assert len(m.bvp.values) == 800


def test_frames_too_slow_for_fast_pulses_are_said_to_be():
    m = bigsmall.measure(recording(20, 5, 60), fps=5, crop="none", model="green")
    assert m.heart_rate.value == pytest.approx(60, abs=1)
    assert m.notes == ("at 5.0 frames/s a pulse above 150/min would show as a slower one",)
    with pytest.raises(InputError, match=r"1\.00 frames/s; at least 2"):
        bigsmall.measure(recording(30, 1), fps=1, crop="none", model="green")


def test_a_still_video_has_no_rates():
    still = np.repeat(texture(32, 32)[None], 300, 0).astype(np.uint8)
    for model in ("pos", "chrom", "green", tiny()):
        m = bigsmall.measure(still, fps=30, crop="none", model=model)
        for rate, wave in ((m.heart_rate, m.bvp), (m.respiratory_rate, m.resp)):
            if rate is not None:
                assert np.isnan(rate.value)
                assert (rate.quality, rate.note) == (0, "no signal was found")
                assert not wave.values.any()


def test_the_longest_stretch_with_a_face_is_measured():
    """No face for 2 s, a face for 10 s, no face for 5 s, a face for 4 s."""

    def detector(image):
        return [(2, 2, 8, 8)] if image[0, 0, 0] == 255 else []

    times = np.arange(420) / 20
    frames = np.stack(list(painted(times)))
    frames[:, 0, 0] = 0
    seen = ((times >= 2) & (times < 12)) | (times >= 17)
    frames[seen, 0, 0] = 255
    m = bigsmall.measure(frames, fps=20, model="green", detector=detector)
    first, last = m.used["start"], m.used["start"] + m.used["seconds"] - 1 / 20
    assert 2 <= first <= 3.1  # it looks at least once a second
    assert 11 <= last <= 14.1  # the box is held for two seconds
    assert m.notes == (
        f"measured from {first:.1f} to {last:.1f} s, the longest stretch with a face",
    )
    assert m.used["detector"] == "custom"
    assert m.heart_rate.value == pytest.approx(72, abs=1)


def test_a_pause_divides_a_recording():
    times = np.concatenate([np.arange(0, 5, 0.05), np.arange(8, 15, 0.05)])
    for model in ("green", tiny()):
        m = bigsmall.measure(pairs(times), crop="none", model=model)
        assert m.used["start"] == pytest.approx(8)
        assert m.used["seconds"] == pytest.approx(6.95, abs=0.11)
        assert m.notes[0].startswith("measured from 8.0 to")
        assert m.notes[0].endswith("the longest stretch without a pause")
        assert m.used["fps"] == pytest.approx(20, abs=0.01)
    with pytest.raises(TooShortError, match="longest stretch without a pause"):
        bigsmall.measure(pairs(np.concatenate([np.arange(0, 3, 0.05), [9]])), crop="none")


def test_a_fixed_crop_is_taken_from_any_kind_of_sequence():
    frames = np.repeat(np.repeat(recording(6), 2, 1), 2, 2)
    frames[:, :, 16:] = 7  # the pulse is on the left
    frames[:, 16:] = 3
    for crop in ((0, 0, 16, 16), np.array([0, 0, 16, 16]), "0,0,16,16"):
        m = bigsmall.measure(frames, fps=30, crop=crop, model="green")
        assert m.heart_rate.value == pytest.approx(72, abs=2)
        assert m.picture.shape == (16, 16, 3)
        assert json.dumps(m.used["crop"]) in ('"0,0,16,16"', "[0, 0, 16, 16]")
        assert m.used["detector"] is None


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ({"crop": "fase"}, InputError, "'face', 'none' or x,y,width,height"),
        ({"crop": (40, 0, 8, 8)}, InputError, "crop"),
        ({"crop": (8, 8, 10, 8)}, InputError, "does not fit"),
        ({"crop": None}, InputError, "cannot read the crop"),
        ({"detector": "har"}, InputError, "did you mean 'haar'"),
        ({"detector": lambda image: []}, NoFaceError, "no face in any of the 150 frames"),
        ({"detector": lambda image: 3}, InputError, "returned int"),
        ({"protocol": "papr"}, InputError, "default or paper"),
        ({"fps": 0}, InputError, "fps is 0"),
        ({"fps": None}, InputError, "fps=30"),
        ({"start": -1}, InputError, "start"),
        ({"duration": 2, "crop": "none"}, TooShortError, "at least 4 s"),
        ({"model": "poss"}, UnknownModelError, "did you mean 'pos'"),
        ({"model": 3}, InputError, "model is a int"),
        ({"model": torch.nn.Linear(2, 2)}, InputError, "model is a Linear"),
    ],
)
def test_arguments_that_make_no_sense(given, error, match):
    arguments = {"fps": 30, "model": "green", "crop": "face", **given}
    with pytest.raises(error, match=match) as caught:
        bigsmall.measure(recording(5), **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("network", "rates"),
    [
        (BigBranch(big_size=16, hidden=4), set()),
        (SmallBranch(tasks={"resp": 1}, small_size=2, hidden=4), {"respiratory_rate", "resp"}),
        (SmallBranch(small_size=2, hidden=4), {"heart_rate", "bvp"}),
    ],
    ids=["units", "respiration", "pulse"],
)
def test_only_the_tasks_of_a_checkpoint_are_reported(network, rates, tmp_path):
    lively(network).save_pretrained(tmp_path)
    m = bigsmall.measure(flicker(300, 16), fps=30, crop="none", model=tmp_path)
    names = {"heart_rate", "respiratory_rate", "bvp", "resp", "action_units"}
    assert {name for name in names if getattr(m, name) is not None} == (rates or {"action_units"})
    assert m.used["weights"] == str(tmp_path)
