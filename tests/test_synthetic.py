"""Rendered people: what is drawn is what the truth says, and the same every time."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pytest

from bigsmall import rates
from bigsmall.exceptions import InputError, OutputError
from bigsmall.models import AU_NAMES
from bigsmall.synthetic import Rendering, Scene, Truth, physiology, write_clip
from bigsmall.video import make_detector, open_video

STILL = {
    "framing": "face", "height": 64, "width": 64, "fps": 30.0, "jitter": 0.0, "motion": 1e-6,
    "light_drift": 0.0, "flicker": 0.0, "noise": 0.3, "breath_amplitude": 0.0, "beard": 0.0,
    "background_motion": 0.0, "exposure": 1.0, "melanin": 0.3, "face_x": 0.5, "face_y": 0.46,
    "face_size": 0.4, "warmth": 0.0, "long_hair": False, "expressiveness": 1.0,
}  # fmt: skip


def small(seed: int = 1, **given: object) -> Scene:
    """A scene that is drawn in no time."""
    return Scene.random(seed, **{"height": 48, "width": 64, "fps": 15.0, "seconds": 1.0, **given})


def draw(scene: Scene) -> np.ndarray:
    return np.stack(list(Rendering(scene)))


@pytest.fixture
def neutral(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faces that neither blink, talk nor move a muscle."""
    monkeypatch.setattr(physiology, "action_units", lambda times, rng: np.zeros((len(times), 12)))
    monkeypatch.setattr(physiology, "blinks", lambda times, rng: np.zeros(len(times)))
    monkeypatch.setattr(physiology, "talking", lambda times, rng: np.zeros(len(times)))


def linear_colour(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Relative change of the mean skin colour before the camera's gamma, and the pulse."""
    rendering = Rendering(scene)
    frames = np.stack(list(rendering))[:, 24:44, 18:46].astype(float)
    light = ((frames / 255) ** scene.gamma).mean((1, 2))
    return light / light.mean(0) - 1, rendering.truth.bvp


def test_a_seed_gives_one_scene_and_another_one_another():
    assert Scene.random(7) == Scene.random(7)
    first, second = Scene.random(7).to_dict(), Scene.random(8).to_dict()
    for name in ("heart_rate", "respiratory_rate", "melanin", "motion", "light_x", "gamma"):
        assert first[name] != second[name]


def test_what_is_given_is_taken_and_changes_nothing_else():
    free = Scene.random(7)
    given = Scene.random(7, heart_rate=61.5, melanin=0.9, seconds=3.0)
    assert given == replace(free, heart_rate=61.5, melanin=0.9, seconds=3.0)
    assert json.loads(json.dumps(given.to_dict())) == given.to_dict()
    numpy = Scene.random(7, heart_rate=np.float32(60), height=np.int64(32))
    assert json.loads(json.dumps(numpy.to_dict()))["heart_rate"] == 60


@pytest.mark.parametrize("framing", ["portrait", "face", "torso"])
def test_frames_are_the_same_every_time(framing):
    scene = small(3, framing=framing, fps=40.0)  # more than one block of frames
    rendering = Rendering(scene)
    frames = list(rendering)
    assert len(frames) == len(rendering) == scene.frames == 40
    assert {(frame.shape, frame.dtype) for frame in frames} == {((48, 64, 3), np.dtype(np.uint8))}
    np.testing.assert_array_equal(frames, list(rendering))
    np.testing.assert_array_equal(frames, list(Rendering(scene)))
    first = next(iter(rendering))
    np.testing.assert_array_equal(first, frames[0])
    assert np.std(frames[0]) > 3  # there is something to see
    assert abs(frames[0].astype(int) - draw(replace(scene, seed=4))[0]).mean() > 3


@pytest.mark.parametrize("seed", range(6))
def test_the_truth_has_the_rates_that_were_asked_for(seed):
    scene = small(seed, height=16, width=16, seconds=40.0, fps=20.0, jitter=0.1 * (seed % 2))
    truth = Rendering(scene).truth
    assert len(truth.times) == len(truth.bvp) == len(truth.resp) == 800
    assert truth.action_units.shape == (800, len(AU_NAMES))
    assert truth.times[0] == 0
    assert (np.diff(truth.times) > 0).all()
    even = np.arange(800) / 20
    for wave, task, rate in (
        (truth.bvp, "heart", scene.heart_rate),
        (truth.resp, "respiration", scene.respiratory_rate),
    ):
        # The mean over the recording is exact; the rate wanders about it by some per cent.
        wave = np.interp(even, truth.times, wave)
        cycles = len(rates.peaks(wave, 20, task, derivative=False))
        assert cycles == pytest.approx(rate * 40 / 60, abs=1.5)
    assert rates.heart_rate(truth.bvp, 20) == pytest.approx(scene.heart_rate, rel=0.06)
    assert np.ptp(truth.bvp) == pytest.approx(1, abs=0.5)


def test_without_variation_the_rates_are_exact():
    times = np.arange(1200) / 30

    class Even(np.random.Generator):
        """Draws the lower end of every interval: no variation at all."""

        def uniform(self, low=0.0, high=1.0, size=None):
            return low if size is None else np.full(size, low)

    rng = Even(np.random.PCG64(0))
    breath, _ = physiology.respiration(times, 14.0, rng)
    pulse = physiology.pulse(times, 83.0, 0 * breath, rng)
    assert rates.heart_rate(pulse, 30) == pytest.approx(83, abs=0.5)
    assert rates.respiratory_rate(breath, 30) == pytest.approx(14, abs=0.5)


@pytest.mark.usefixtures("neutral")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_skin_darkens_as_blood_volume_rises_most_in_green(seed):
    scene = Scene.random(seed, **STILL, seconds=4.0, heart_rate=75.0, pulse_amplitude=0.04)
    colour, bvp = linear_colour(scene)
    slopes = np.array([np.polyfit(bvp, channel, 1)[0] for channel in colour.T])
    assert (slopes < 0).all()
    red, green, blue = -slopes
    assert green > blue > red
    assert red / green == pytest.approx(0.33 / 0.77, abs=0.1)
    assert blue / green == pytest.approx(0.53 / 0.77, abs=0.1)
    # Perfusion is uneven, about 1; hair and eyes have no pulse.
    assert 0.3 < green / (0.04 * 0.77) < 2.5
    assert abs(np.corrcoef(colour[:, 1], bvp)[0, 1]) > 0.9


@pytest.mark.usefixtures("neutral")
def test_the_amplitude_scales_the_pulse():
    given = {**STILL, "seconds": 4.0, "heart_rate": 75.0}
    strength = []
    for amplitude in (0.0, 0.02, 0.06):
        colour, bvp = linear_colour(Scene.random(1, **given, pulse_amplitude=amplitude))
        strength.append(-np.polyfit(bvp, colour[:, 1], 1)[0])
    assert abs(strength[0]) < 0.0005
    assert strength[2] / strength[1] == pytest.approx(3, rel=0.1)


@pytest.mark.usefixtures("neutral")
def test_nothing_but_noise_moves_in_a_still_face_without_pulse():
    given = {**STILL, "noise": 0.0, "seconds": 1.0, "pulse_amplitude": 0.0}
    face = draw(Scene.random(1, **given)).astype(int)[:, 16:48, 20:44]
    assert abs(face - face[0]).max() <= 1


@pytest.mark.usefixtures("neutral")
def test_the_chest_moves_with_the_breath():
    given = {**STILL, "framing": "torso", "face_y": -0.8, "noise": 0.0, "seconds": 6.0, "fps": 10.0}
    given |= {"pulse_amplitude": 0.0, "respiratory_rate": 20.0}
    deep = Rendering(Scene.random(5, **{**given, "breath_amplitude": 0.1}))
    frames = np.stack(list(deep)).astype(float).reshape(60, -1)
    moved = frames - frames.mean(0)
    assert moved.std() > 0.5
    # The picture is a function of the breath: its main component follows it.
    course = np.linalg.svd(moved, full_matrices=False)[0][:, 0]
    assert abs(np.corrcoef(course, deep.truth.resp)[0, 1]) > 0.9
    still = draw(Scene.random(5, **given)).astype(int)
    assert abs(still - still[0]).max() <= 1


@pytest.mark.parametrize("unit", range(12), ids=AU_NAMES)
def test_every_action_unit_moves_the_face_and_only_while_it_acts(unit, neutral, monkeypatch):
    scene = Scene.random(1, **{**STILL, "noise": 0.0, "height": 96, "width": 96},
                         seconds=0.5, pulse_amplitude=0.0)  # fmt: skip

    def acting(times, rng):
        course = np.zeros((len(times), 12))
        course[5:, unit] = 1.0
        return course

    monkeypatch.setattr(physiology, "action_units", acting)
    frames = draw(scene).astype(int)
    assert abs(frames[:5] - frames[0]).max() <= 1
    assert abs(frames[5] - frames[0]).max() > 8
    assert abs(frames[5:] - frames[5]).max() <= 1


def test_action_units_are_as_frequent_as_in_life():
    """Share of frames in which a unit acts, over many faces of half a minute."""
    times = np.arange(150) / 5
    drawn = [physiology.action_units(times, np.random.default_rng([9, k])) for k in range(400)]
    course = np.stack(drawn)
    assert course.min() >= 0
    assert course.max() <= 1
    # A third of a second of ramp at both ends is not counted as acting or resting.
    np.testing.assert_allclose((course > 0.3).mean((0, 1)), physiology.PREVALENCE, atol=0.05)


def test_a_detector_finds_the_faces():
    detector = make_detector("haar")
    found = 0
    for seed in range(1, 9):
        scene = small(seed, framing="portrait", height=120, width=160, seconds=0.2)
        boxes = detector(next(iter(Rendering(scene))))
        x, y = scene.face_x * 160, scene.face_y * 120
        found += any(b.x < x < b.x + b.width and b.y < y < b.y + b.height for b in boxes)
    assert found >= 4


def test_a_clip_is_a_video_and_its_truth(tmp_path):
    scene = small(2, jitter=0.1)
    truth = write_clip(tmp_path / "a.mp4", scene, crf=5)
    assert isinstance(truth, Truth)
    read = json.loads((tmp_path / "a.json").read_text())
    assert read == truth.to_dict()
    assert read["heart_rate"] == scene.heart_rate
    frames = list(open_video(tmp_path / "a.mp4"))
    np.testing.assert_allclose([frame.time for frame in frames], truth.times, atol=1e-4)
    images = np.stack([frame.image for frame in frames]).astype(float)
    assert abs(images - draw(scene)).mean() < 6
    assert sorted(os.listdir(tmp_path)) == ["a.json", "a.mp4"]


def test_a_clip_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    for name in ("a.mp4", "a.json"):
        (tmp_path / name).write_text("precious")
    monkeypatch.setattr(Rendering, "_draw", lambda self, block: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_clip(tmp_path / "a.mp4", small())
    assert [(p.name, p.read_text()) for p in sorted(tmp_path.iterdir())] == [
        ("a.json", "precious"),
        ("a.mp4", "precious"),
    ]
    with pytest.raises(OutputError, match="no folder"):
        write_clip(tmp_path / "no" / "a.mp4", small())
    for name in ("a.json", "a"):
        with pytest.raises(InputError, match="does not name a video"):
            write_clip(tmp_path / name, small())


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"colour": 3}, "no 'colour'"), ({"height": 47}, "even lengths"),
        ({"width": 14}, "even lengths"), ({"height": 48.0}, "even lengths"),
        ({"fps": 0}, "fps is 0"), ({"seconds": -1}, "seconds is -1"),
        ({"heart_rate": float("nan")}, "heart_rate is nan"), ({"heart_rate": "72"}, "'72'"),
        ({"respiratory_rate": 0}, "respiratory_rate is 0"), ({"framing": "feet"}, "portrait"),
        ({"seconds": 0.05}, "expected 2 to"), ({"melanin": 1.2}, "from 0 to 1"),
        ({"noise": -1}, "at least 0"), ({"pulse_amplitude": float("nan")}, "at least 0"),
        ({"light_x": float("inf")}, "a finite number"), ({"seed": 1.5}, "seed is 1.5"),
    ],
)  # fmt: skip
def test_scenes_that_make_no_sense(given, match):
    arguments = {"seed": 1, **given}
    with pytest.raises(InputError, match=match) as caught:
        small(**arguments)
    assert "\n" not in str(caught.value)
    for seed in (-1, 2**63, 2.0, "1"):
        with pytest.raises(InputError, match="seed is"):
            Scene.random(seed)
