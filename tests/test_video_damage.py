"""open_video on files that are cut off, damaged, or no video at all."""

from pathlib import Path

import numpy as np
import pytest
from clips import encode, encode_sound, times

from bigsmall.exceptions import VideoError
from bigsmall.video import open_video


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("whole")
    return {
        "mp4": encode(folder / "a.mp4", "libx264", "yuv420p"),
        "fast.mp4": encode(folder / "fast.mp4", "libx264", "yuv420p", faststart=True),
        "avi": encode(folder / "a.avi", "mjpeg", "yuvj420p"),
        "ts": encode(folder / "a.ts", "libx264", "yuv420p", g=10),
        "mkv": encode(folder / "a.mkv", "libx264", "yuv420p"),
    }


@pytest.mark.parametrize("kind", ["fast.mp4", "avi", "mkv"])
def test_cut_off_files_give_what_they_hold(
    tmp_path: Path, whole: dict[str, Path], kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    data = whole[kind].read_bytes()
    path = tmp_path / f"cut.{kind}"
    path.write_bytes(data[: len(data) // 2])
    source = open_video(path)
    read = times(source)
    assert 15 < len(read) < 35
    # The last frames may lack neighbours that come later in the file.
    np.testing.assert_allclose(read[:15], np.arange(15) / 25, atol=1e-3)
    assert source.problem is not None
    assert f"measured up to {read[-1]:.1f} s" in source.problem
    assert "\n" not in source.problem
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ["mp4", "avi", "ts", "mkv"])
def test_damage_in_the_middle(
    tmp_path: Path, whole: dict[str, Path], kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(whole[kind].read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    path = tmp_path / f"bad.{kind}"
    path.write_bytes(data)
    source = open_video(path)
    read = times(source)
    if kind == "avi" and source.problem is None:
        pytest.skip("this FFmpeg passes over broken MJPEG pictures in silence")
    assert 10 < len(read) < 40
    assert source.problem is not None
    assert "measured up to" in source.problem
    assert capfd.readouterr() == ("", "")
    # What comes before the damage is not touched by it.
    part = open_video(path, duration=0.2)
    assert len(list(part)) == 5
    assert part.problem is None


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("none.mp4", None, "there is no file"),
        ("a.mp4", b"", "empty"),
        ("a.mp4", b"not a video at all\n" * 99, "cannot be opened as a video"),
        ("a.txt", b"not a video at all\n" * 99, "cannot be opened|no video stream"),
        ("a:b.mp4", b"\x00" * 5000, "cannot be opened"),
    ],
)
def test_files_that_are_no_video(
    tmp_path: Path, name: str, content: bytes | None, match: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VideoError, match=match) as caught:
        open_video(path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_missing_index_is_named(tmp_path: Path, whole: dict[str, Path]) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole["mp4"].read_bytes()[:9000])
    with pytest.raises(VideoError, match="moov"):
        open_video(path)


def test_sound_only(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="sound only"):
        open_video(encode_sound(tmp_path / "a.mp4"))


def test_no_frame_can_be_decoded(tmp_path: Path, whole: dict[str, Path]) -> None:
    data = bytearray(whole["mp4"].read_bytes())
    begin, end = data.find(b"mdat") + 4, data.find(b"moov") - 4
    data[begin:end] = bytes(end - begin)
    path = tmp_path / "zero.mp4"
    path.write_bytes(data)
    with pytest.raises(VideoError, match="no frame can be decoded"):
        open_video(path)


def test_start_behind_the_end(whole: dict[str, Path]) -> None:
    with pytest.raises(VideoError, match="no frame from 99 s on"):
        list(open_video(whole["mp4"], start=99))
