"""open_video on arrays, tensors and iterables, and the repair of time stamps."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from clips import times
from hypothesis import given, settings
from hypothesis import strategies as st

from bigsmall.exceptions import InputError, VideoError
from bigsmall.video import open_video
from bigsmall.video.frames import Clock

SETTINGS = settings(max_examples=50, deadline=None)


def test_array_is_not_copied() -> None:
    array = np.arange(5 * 4 * 6 * 3, dtype=np.uint8).reshape(5, 4, 6, 3)
    source = open_video(array, fps=10)
    for _ in range(2):
        read = list(source)
        assert [frame.time for frame in read] == [0.0, 0.1, 0.2, 0.3, 0.4]
        assert all(np.shares_memory(frame.image, array) for frame in read)
    assert (source.width, source.height, source.n_frames, source.fps) == (6, 4, 5, 10)
    assert source.duration == 0.5


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_scaled(dtype: Any) -> None:
    levels = np.arange(0, 255, dtype=np.uint8).reshape(1, 5, 17, 3)
    read = next(iter(open_video((levels / 255).astype(dtype), fps=1))).image
    np.testing.assert_array_equal(read, levels[0])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.bfloat16])
def test_tensors(dtype: torch.dtype) -> None:
    tensor = torch.ones(2, 4, 6, 3).to(dtype).requires_grad_(dtype.is_floating_point)
    image = next(iter(open_video(tensor, fps=1))).image
    assert image.dtype == np.uint8
    assert (image == (255 if dtype.is_floating_point else 1)).all()


def good(*shape: int) -> np.ndarray:
    return np.zeros(shape or (3, 8, 8, 3), np.uint8)


@pytest.mark.parametrize(
    ("source", "options", "match"),
    [
        (good(), {}, "no time stamps; give its frame rate"),
        (good(), {"fps": 0}, "fps is 0"),
        (good(), {"fps": -1}, "fps is -1"),
        (good(), {"fps": float("nan")}, "fps is nan"),
        (good(), {"fps": "thirty"}, "fps is 'thirty'"),
        (good(), {"fps": 25, "start": -1}, "start is -1"),
        (good(), {"fps": 25, "start": float("inf")}, "start is inf"),
        (good(), {"fps": 25, "duration": 0}, "duration is 0"),
        (good(3, 3, 8, 8), {"fps": 25}, "channels-first"),
        (good(3, 8, 8, 4), {"fps": 25}, "alpha"),
        (good(8, 8, 3), {"fps": 25}, "expected .frames, height, width, 3."),
        (good(0, 8, 8, 3), {"fps": 25}, "no pixels"),
        (good().astype(np.int64), {"fps": 25}, "type int64"),
        (good().astype(bool), {"fps": 25}, "type bool"),
        (np.full((3, 8, 8, 3), np.nan), {"fps": 25}, "frame 0 contains NaN"),
        (np.full((3, 8, 8, 3), 255.0), {"fps": 25}, "values from 255 to 255"),
        ([], {"fps": 25}, "holds no frames"),
        ([good(8, 8, 3)], {}, "give its frame rate"),
        ([[1, 2, 3]], {"fps": 25}, "frame 0 is a list"),
        ([good(3, 8, 8)], {"fps": 25}, "channels-first"),
        ([good(8, 8, 3), good(8, 6, 3)], {"fps": 25}, "must have one size"),
        ([(0.0, good(8, 8, 3)), good(8, 8, 3)], {}, "item 1 is no .time, image. pair"),
        ([(float("nan"), good(8, 8, 3))], {}, "time of frame 0 is nan"),
        ([(0.0, good(8, 8, 3)), (None, good(8, 8, 3))], {}, "frame rate is unknown"),
        (0, {}, "cannot read a video from int"),
    ],
)
def test_bad_input(source: Any, options: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match) as caught:
        list(open_video(source, **options))
    assert "\n" not in str(caught.value)


def test_iterable_of_images() -> None:
    images = [np.full((4, 6, 3), level, np.uint8) for level in range(4)]
    source = open_video(images, fps=2, start=0.5, duration=1.0)
    assert source.n_frames == 2
    for _ in range(2):
        read = list(source)
        assert [(frame.time, frame.image[0, 0, 0]) for frame in read] == [(0.5, 1), (1.0, 2)]
        assert read[0].image is images[1]


def test_generator_is_read_once_and_lazily() -> None:
    taken: list[int] = []

    def camera() -> Iterator[tuple[float, np.ndarray]]:
        for index in range(5):
            taken.append(index)
            yield 100 + index / 10, np.zeros((4, 6, 3), np.uint8)

    source = open_video(camera())
    assert taken == [0]
    assert np.isnan(source.fps)
    frames = iter(source)
    assert next(frames).time == 0
    assert taken == [0]
    assert next(frames).time == pytest.approx(0.1)
    assert source.fps == pytest.approx(10)
    np.testing.assert_allclose(times(frames), [0.2, 0.3, 0.4])
    assert source.n_frames == 5
    with pytest.raises(InputError, match="only once"):
        iter(source)


def test_source_of_a_source() -> None:
    inner = open_video(np.zeros((5, 4, 6, 3), np.uint8), fps=10)
    outer = open_video(inner)
    assert times(outer) == times(inner)


def test_nothing_after_start() -> None:
    with pytest.raises(VideoError, match="no frame from 9 s on"):
        list(open_video(good(), fps=25, start=9))


# ---- time stamps


def run(stamps: list[float | None], step: float | None = 0.1) -> list[float | None]:
    clock = Clock(step)
    return [clock(stamp) for stamp in stamps]


def test_clock_repairs() -> None:
    assert run([0, 0.1, 0.1, 0.05, 0.2]) == [0, 0.1, None, None, 0.2]
    assert run([None, None, None]) == pytest.approx([0, 0.1, 0.2])
    assert run([0, 0.5, None, None], None) == pytest.approx([0, 0.5, 1.0, 1.5])
    # Two recordings joined: the second one starts its clock again.
    assert run([0, 2.0, 4.0, 0.0, 2.0]) == pytest.approx([0, 2, 4, 4.1, 6.1])


@SETTINGS
@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6))))
def test_clock_always_increases(stamps: list[float | None]) -> None:
    kept = [time for time in run(stamps) if time is not None]
    assert all(later > earlier for earlier, later in pairwise(kept))


@SETTINGS
@given(st.lists(st.floats(1e-3, 10), min_size=1))
def test_clock_leaves_increasing_stamps_alone(gaps: list[float]) -> None:
    stamps = [0.0, *np.cumsum(gaps).tolist()]
    assert run(stamps) == stamps
