"""write_video: pixels, time stamps, and what is left behind when it fails."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from bigsmall.exceptions import InputError, OutputError
from bigsmall.video import open_video, write_video


def frames(count: int = 6, height: int = 32, width: int = 48) -> Iterator[np.ndarray]:
    for index in range(count):
        image = np.zeros((height, width, 3), np.uint8)
        image[..., 0] = 40 + 20 * index
        image[: height // 2, :, 1] = 200
        yield image


def test_pixels_survive(tmp_path: Path) -> None:
    """H.264 at crf 4 keeps flat patches to a few levels; colours are not swapped."""
    path = tmp_path / "a.mp4"
    write_video(path, frames(), 25, crf=4)
    read = list(open_video(path))
    assert len(read) == 6
    for frame, expected in zip(read, frames(), strict=True):
        for rows in (slice(2, 14), slice(18, 30)):
            got = frame.image[rows, 4:-4].reshape(-1, 3).mean(0)
            assert got == pytest.approx(expected[rows, 4:-4].reshape(-1, 3).mean(0), abs=6)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("fps", [25, 30000 / 1001, 29.87])
def test_even_spacing(tmp_path: Path, suffix: str, fps: float) -> None:
    path = tmp_path / f"a{suffix}"
    write_video(path, frames(), fps)
    times = [frame.time for frame in open_video(path)]
    tick = 1e-3 if suffix == ".mkv" else 1 / 90000
    np.testing.assert_allclose(times, np.arange(6) / fps, atol=tick)


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    times = np.array([3.0, 3.031, 3.075, 3.2, 3.9, 3.93])
    write_video(path, frames(), 30, times=times)
    source = open_video(path)
    np.testing.assert_allclose([frame.time for frame in source], times - 3.0, atol=1 / 90000)
    assert source.fps == pytest.approx(5 / 0.93, rel=1e-4)


def test_colours_are_declared(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", frames(), 25)
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.colorspace, context.color_range) == (6, 1)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"fps": 0}, "fps is 0"),
        ({"fps": float("nan")}, "fps is nan"),
        ({"frames": []}, "no frames"),
        ({"frames": frames(2, 33)}, "must be even"),
        ({"frames": [np.zeros((32, 48, 3))]}, "frame 0 is float64"),
        ({"frames": [np.zeros((3, 32, 48), np.uint8)]}, "has shape"),
        ({"frames": [*frames(1), *frames(1, 64)]}, "one size"),
        ({"times": [0, 0.1, 0.1, 0.2, 0.3, 0.4]}, "do not increase at frame 2"),
        ({"times": [0, 0.1]}, "2 times, but more frames"),
        ({"times": np.arange(9)}, "6 frames, but more times"),
        ({"times": [0, float("nan")]}, "time of frame 1 is nan"),
        ({"codec": "none-such"}, "no encoder 'none-such'"),
        ({"path": "a.gif"}, "does not end in"),
    ],
)
def test_bad_input_leaves_nothing(tmp_path: Path, changed: dict[str, Any], match: str) -> None:
    arguments: dict[str, Any] = {"path": "a.mp4", "frames": frames(), "fps": 25, **changed}
    path = tmp_path / arguments.pop("path")
    path.write_text("old")
    with pytest.raises(InputError, match=match) as caught:
        write_video(path, **arguments)
    assert "\n" not in str(caught.value)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "old"


def test_error_of_the_frames_passes_through(tmp_path: Path) -> None:
    def failing() -> Iterator[np.ndarray]:
        yield from frames(3)
        raise RuntimeError("camera gone")

    with pytest.raises(RuntimeError, match="camera gone"):
        write_video(tmp_path / "a.mp4", failing(), 25)
    assert not list(tmp_path.iterdir())


def test_unwritable_path_takes_no_frame(tmp_path: Path) -> None:
    source = frames()
    with pytest.raises(OutputError, match="no folder"):
        write_video(tmp_path / "none" / "a.mp4", source, 25)
    assert len(list(source)) == 6


def test_encoder_failure_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="libx264 failed") as caught:
        write_video(tmp_path / "a.mp4", frames(), 25, preset="none-such")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
