"""open_video on video files and folders of images: pixels, time stamps, seeking, rotation."""

import types
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from clips import blocks, encode, save_png, times
from hypothesis import given, settings
from hypothesis import strategies as st

from bigsmall.exceptions import InputError, VideoError
from bigsmall.video import open_video
from bigsmall.video.picture import orientation, upright

SETTINGS = settings(max_examples=50, deadline=None)


# ---- files


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mp4", "libx264", "yuv420p10le"),
        ("a.mp4", "libx264", "gray"),
        ("a.avi", "mjpeg", "yuvj420p"),
        ("a.mov", "qtrle", "argb"),
        ("a.mkv", "ffv1", "bgr0"),
        ("a.ts", "mpeg2video", "yuv420p"),
    ],
)
def test_containers_and_pixel_formats(tmp_path: Path, name: str, codec: str, pixels: str) -> None:
    source = open_video(encode(tmp_path / name, codec, pixels, 12))
    for _ in range(2):  # every iteration starts again
        read = list(source)
        assert source.problem is None
        np.testing.assert_allclose([frame.time for frame in read], np.arange(12) / 25, atol=1e-3)
        assert all(frame.image.shape == (48, 64, 3) for frame in read)
        assert all(frame.image.dtype == np.uint8 for frame in read)
    assert (source.width, source.height, source.n_frames) == (64, 48, 12)
    assert source.fps == pytest.approx(25, rel=1e-3)
    assert source.duration == pytest.approx(12 / 25, rel=0.01)
    if pixels == "bgr0":
        np.testing.assert_array_equal([frame.image for frame in read], list(blocks(12)))


def test_odd_size(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mkv", "ffv1", "bgr0", 3, size=(47, 63))
    read = [frame.image for frame in open_video(path)]
    np.testing.assert_array_equal(read, list(blocks(3, 47, 63)))


def test_raw_stream_without_time_stamps(tmp_path: Path) -> None:
    source = open_video(encode(tmp_path / "a.h264", "libx264", "yuv420p", 20))
    np.testing.assert_allclose(times(source), np.arange(20) / 25)


def test_one_frame(tmp_path: Path) -> None:
    source = open_video(encode(tmp_path / "a.mp4", "libx264", "yuv420p", 1))
    assert times(source) == [0.0]
    assert (source.n_frames, source.fps) == (1, 25.0)


def test_given_rate_replaces_time_stamps(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", "libx264", "yuv420p", 20)
    source = open_video(path, fps=10, start=1.0)
    assert source.duration == pytest.approx(1.0)
    np.testing.assert_allclose(times(source), np.arange(10, 20) / 10)
    assert source.fps == 10


@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.mkv", "a.h264"])
@pytest.mark.parametrize(("start", "duration"), [(0.0, 0.4), (1.3, 0.5), (2.0, None), (2.36, None)])
def test_start_and_duration(
    tmp_path: Path, name: str, start: float, duration: float | None
) -> None:
    """The same frames as reading everything and cutting; key frames every 7 frames."""
    path = encode(tmp_path / name, "libx264", "yuv420p", g=7)
    end = np.inf if duration is None else start + duration
    expected = [f for f in open_video(path) if start - 1e-6 <= f.time < end - 1e-6]
    source = open_video(path, start=start, duration=duration)
    estimate = source.n_frames
    read = list(source)
    np.testing.assert_allclose(times(read), times(expected))
    for frame, other in zip(read, expected, strict=True):
        np.testing.assert_array_equal(frame.image, other.image)
    assert source.n_frames == len(read)
    assert estimate is None or abs(estimate - len(read)) <= 2


def test_seeking_does_not_decode_what_comes_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = encode(tmp_path / "a.mp4", "libx264", "yuv420p", g=10)
    source = open_video(path, start=2.0)
    reader: Any = source._reader
    assert next(reader.read(2.0))[0] == pytest.approx(2.0)
    # Where seeking fails, the beginning is decoded instead.
    decode = reader._pass
    monkeypatch.setattr(reader, "_pass", lambda start: iter(()) if start else decode(start))
    assert times(source)[0] == pytest.approx(2.0)


def test_lazy(tmp_path: Path) -> None:
    source = open_video(encode(tmp_path / "a.mp4", "libx264", "yuv420p"))
    frames = iter(source)
    assert next(frames).time == 0
    frames.close()  # type: ignore[attr-defined]
    assert source.problem is None
    assert source.n_frames == 60


# ---- rotation


@pytest.mark.skipif(
    not hasattr(av.video.stream.VideoStream, "set_display_rotation"),
    reason="this PyAV writes no rotation",
)
@pytest.mark.parametrize(
    ("rotation", "expected"),
    [
        ((90, False, False), lambda image: np.rot90(image, 1)),
        ((-90, False, False), lambda image: np.rot90(image, 3)),
        ((180, False, False), lambda image: np.rot90(image, 2)),
        ((0, True, False), lambda image: image[:, ::-1]),
        ((0, False, True), lambda image: image[::-1]),
    ],
)
def test_stored_rotation_is_applied(tmp_path: Path, rotation: Any, expected: Any) -> None:
    path = encode(tmp_path / "a.mov", "qtrle", "rgb24", 2, rotation=rotation)
    source = open_video(path)
    for frame, image in zip(source, blocks(2), strict=True):
        np.testing.assert_array_equal(frame.image, expected(image))
    assert (source.height, source.width) == expected(next(blocks(1))).shape[:2]


@pytest.mark.parametrize(("rotation", "turns"), [(0, 0), (90, 1), (-90, 3), (180, 2), (-180, 2)])
def test_rotation_of_the_frame_where_there_is_no_matrix(rotation: int, turns: int) -> None:
    frame = types.SimpleNamespace(side_data={}, rotation=rotation)
    assert orientation(frame) == (turns, False)


@SETTINGS
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 3), st.booleans(), st.integers(0, 3))
def test_upright(height: int, width: int, turns: int, mirrored: bool, padding: int) -> None:
    """Against numpy's own turning, also for rows padded in memory."""
    random = np.random.default_rng(height * 10 + width)
    image = random.integers(0, 255, (height, width + padding, 3), np.uint8)[:, :width]
    expected = np.rot90(image[:, ::-1] if mirrored else image, turns)
    np.testing.assert_array_equal(upright(image, turns, mirrored), expected)


# ---- folders


def test_folder_in_natural_order(tmp_path: Path) -> None:
    images = list(blocks(11))
    for index, image in enumerate(images):
        save_png(tmp_path / f"img{index}.png", image)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "._img3.png").write_bytes(b"")
    with pytest.raises(InputError, match="give its frame rate"):
        open_video(tmp_path)
    source = open_video(tmp_path, fps=5)
    assert (source.n_frames, source.duration, source.fps) == (11, 2.2, 5)
    read = list(source)
    np.testing.assert_array_equal([frame.image for frame in read], images)
    np.testing.assert_allclose(times(read), np.arange(11) / 5)
    np.testing.assert_allclose(times(open_video(tmp_path, fps=5, start=1.9)), [2.0])


def test_folder_with_time_stamps_in_its_names(tmp_path: Path) -> None:
    offsets = [0.0, 0.033, 0.071, 0.2]
    for offset, image in zip(offsets, blocks(4), strict=True):
        save_png(tmp_path / f"Image{1392643993642815000 + round(offset * 1e9)}.png", image)
    source = open_video(tmp_path)
    np.testing.assert_allclose(times(source), offsets, atol=1e-6)
    assert source.fps == pytest.approx(15)
    assert times(open_video(tmp_path, fps=2)) == [0, 0.5, 1, 1.5]


def test_folders_that_are_no_video(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="holds no image"):
        open_video(tmp_path, fps=5)
    (tmp_path / "0%03d.png").write_bytes(b"no image")
    with pytest.raises(VideoError, match="cannot be read"):
        open_video(tmp_path, fps=5)
    save_png(tmp_path / "0%03d.png", next(blocks(1)))
    (tmp_path / "1.jpg").write_bytes(b"no image")
    source = open_video(tmp_path, fps=5)
    assert times(source) == [0]
    assert source.problem is not None
    assert "1.jpg" in source.problem
    save_png(tmp_path / "1.png", next(blocks(1, 40)))
    (tmp_path / "1.jpg").unlink()
    with pytest.raises(InputError, match="must have one size"):
        list(open_video(tmp_path, fps=5))
