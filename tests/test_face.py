"""The laws of the face tracker, with made-up detectors."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigsmall.exceptions import InputError
from bigsmall.video import Box, FaceTracker, crop, make_detector

SETTINGS = settings(max_examples=50, deadline=None)
PICTURE = np.zeros((240, 320, 3), np.uint8)
FPS = 30


class Script:
    """A detector that answers from a function of time, and counts its calls."""

    def __init__(self, answer: Callable[[float], list[Any]]) -> None:
        self.answer = answer
        self.times: list[float] = []
        self.now = 0.0

    def __call__(self, image: np.ndarray) -> list[Any]:
        self.times.append(self.now)
        return self.answer(self.now)


def track(
    answer: Callable[[float], list[Any]], seconds: float, **options: Any
) -> tuple[list[Box | None], Script, FaceTracker]:
    """Run a tracker at 30 fps; return its box at every frame."""
    script = Script(answer)
    tracker = FaceTracker(script, **options)
    boxes = []
    for index in range(round(seconds * FPS)):
        script.now = index / FPS
        boxes.append(tracker.update(script.now, PICTURE))
    return boxes, script, tracker


def at(boxes: list[Box | None], seconds: float) -> Box | None:
    return boxes[round(seconds * FPS)]


def test_box_is_a_square_of_the_margin() -> None:
    boxes, script, tracker = track(lambda t: [(100, 80, 60, 50)], 5)
    assert set(boxes) == {Box(85, 60, 90, 90)}
    np.testing.assert_allclose(script.times, [0, 1, 2, 3, 4], atol=1e-9)
    assert tracker.notes == []


def test_box_stands_still_while_the_face_jitters() -> None:
    """By a twentieth of its width in place and in size: more than Haar boxes of a still face."""
    random = np.random.default_rng(0)

    def jitter(time: float) -> list[Any]:
        x, y, grown = random.uniform(-3, 3, 3)
        return [(130 + x, 90 + y, 60 + grown, 60 + grown)]

    boxes, _, _ = track(jitter, 60, every=0.2)
    assert len(set(boxes)) == 1


def test_box_jumps_once_when_the_face_moves() -> None:
    boxes, script, _ = track(lambda t: [(60 if t < 2.5 else 100, 90, 60, 60)], 8)
    assert list(dict.fromkeys(boxes)) == [Box(45, 75, 90, 90), Box(85, 75, 90, 90)]
    # Seen at 3.0 s, confirmed one short wait later, then slow again.
    assert at(boxes, 3.1) == Box(45, 75, 90, 90)
    assert at(boxes, 3.2) == Box(85, 75, 90, 90)
    np.testing.assert_allclose(script.times, [0, 1, 2, 3, 3.2, 4.2, 5.2, 6.2, 7.2], atol=0.04)


def test_box_changes_when_the_face_comes_nearer() -> None:
    boxes, _, _ = track(lambda t: [(130, 90, 60, 60)] if t < 2 else [(120, 80, 80, 80)], 6)
    assert list(dict.fromkeys(boxes)) == [Box(115, 75, 90, 90), Box(100, 60, 120, 120)]


def test_a_crop_that_cannot_move_does_not() -> None:
    """The square fills the picture already: a nearer face would only shift it by a pixel."""
    boxes, _, _ = track(lambda t: [(80, 40, 160, 160)] if t < 2 else [(60, 20, 202, 202)], 6)
    assert set(boxes) == {Box(40, 0, 240, 240)}


def test_single_far_detection_is_ignored() -> None:
    face, elsewhere = (60, 90, 60, 60), (250, 20, 40, 40)
    boxes, _, _ = track(lambda t: [elsewhere] if 2.9 < t < 3.1 else [face], 8)
    assert set(boxes) == {Box(45, 75, 90, 90)}


def test_confirmed_far_move_is_followed() -> None:
    boxes, _, _ = track(lambda t: [(40, 90, 60, 60)] if t < 2.5 else [(200, 90, 60, 60)], 8)
    assert list(dict.fromkeys(boxes)) == [Box(25, 75, 90, 90), Box(185, 75, 90, 90)]
    assert at(boxes, 2.9) == Box(25, 75, 90, 90)
    assert at(boxes, 3.5) == Box(185, 75, 90, 90)


def test_face_that_leaves_and_returns() -> None:
    boxes, _, _ = track(
        lambda t: [] if 3.5 < t < 8 else [(60 if t < 5 else 200, 90, 60, 60)], 12, hold=2
    )
    assert at(boxes, 4.9) == Box(45, 75, 90, 90)  # last seen at 3 s, held for 2 s
    assert at(boxes, 5.1) is None
    assert at(boxes, 7.9) is None
    assert at(boxes, 9.1) == Box(185, 75, 90, 90)
    assert len(set(boxes)) == 3


def test_hold_counts_only_after_a_look_in_vain() -> None:
    boxes, _, _ = track(lambda t: [(130, 90, 60, 60)] if t < 3.5 else [], 6, every=1, hold=0)
    assert set(boxes[: 4 * FPS]) == {Box(115, 75, 90, 90)}
    assert set(boxes[4 * FPS + 1 :]) == {None}


def test_short_miss_is_bridged() -> None:
    boxes, script, _ = track(lambda t: [] if 1.9 < t < 2.3 else [(130, 90, 60, 60)], 5)
    assert len(set(boxes)) == 1
    np.testing.assert_allclose(script.times, [0, 1, 2, 2.2, 2.6, 3.6, 4.6], atol=0.04)


def test_no_face_at_all_is_searched_ever_less_often() -> None:
    boxes, script, _ = track(lambda t: [], 5)
    assert set(boxes) == {None}
    np.testing.assert_allclose(script.times, [0, 0.2, 0.6, 1.4, 2.4, 3.4, 4.4], atol=0.04)


def test_largest_face_first_then_the_same_one() -> None:
    """Another face that grows larger, or comes first in the list, changes nothing."""

    def two(time: float) -> list[Any]:
        other = 40 if time < 2 else 100
        return [(200, 60, other, other), (40, 90, 60, 60)]

    boxes, _, tracker = track(two, 8)
    assert set(boxes) == {Box(25, 75, 90, 90)}
    assert tracker.notes == ["2 faces seen: the largest was used"]


def test_box_within_a_box_is_no_second_face() -> None:
    _, _, tracker = track(lambda t: [(100, 60, 80, 80), (130, 110, 25, 25)], 3)
    assert tracker.notes == []


def test_new_video_starts_anew() -> None:
    tracker = FaceTracker(lambda image: [(100, 80, 60, 60), (10, 10, 20, 20)])
    tracker.update(5.0, PICTURE)
    assert tracker.notes
    tracker._detect = make_detector(lambda image: [(20, 20, 60, 60)])
    assert tracker.update(0.0, PICTURE) == Box(5, 5, 90, 90)
    assert tracker.notes == []
    assert tracker.update(0.1, PICTURE[:100, :100]) == Box(5, 5, 90, 90)


@SETTINGS
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.integers(-50, 330),
                st.integers(-50, 250),
                st.integers(1, 400),
                st.integers(1, 400),
            ),
            max_size=3,
        ),
        min_size=1,
        max_size=30,
    ),
    st.floats(1, 4),
)
def test_box_is_always_a_square_inside(answers: list[list[Any]], margin: float) -> None:
    rest = iter(answers)
    tracker = FaceTracker(lambda image: next(rest, []), margin=margin)
    for index in range(len(answers)):
        box = tracker.update(index * 1.5, PICTURE)
        if box is not None:
            assert box.width == box.height
            assert crop(PICTURE, box).shape == (box.height, box.width, 3)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"every": 0}, "every is 0"),
        ({"search": float("nan")}, "search is nan"),
        ({"margin": 0.5}, "margin is 0.5"),
        ({"hold": -1}, "hold is -1"),
        ({"move": -1}, "move is -1"),
        ({"resize": "x"}, "resize is 'x'"),
        ({"detector": "harr"}, "did you mean 'haar'"),
        ({"detector": 3}, "unknown face detector 3"),
    ],
)
def test_bad_options(options: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        FaceTracker(**options)
