"""Bad input on the command line: one line, exit code 2, no traceback, nothing written or lost."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from clips import encode_sound
from painted import painted, recording
from safetensors.torch import load_file, save_file

import bigsmall
from bigsmall import BigSmall
from bigsmall.cli import main
from bigsmall.exceptions import BigSmallError, InputError
from bigsmall.video import write_video

SMALL = {"big_size": 16, "small_size": 1, "hidden": 4}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A painted pulse of 6 s; there is no face in it. The index stands at the end of the file."""
    path = tmp_path_factory.mktemp("good") / "good.mp4"
    write_video(path, recording(6, size=32), fps=30)
    return path


def refused(arguments: list[str], folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """Run a command that must fail, and return the one line that it prints."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2, (result.output, result.exception)
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert result.stderr.startswith("bigsmall: ")
    assert result.stderr.endswith("\n")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    assert len(result.stderr) < 400
    assert capfd.readouterr() == ("", "")  # FFmpeg and others write past Python
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    return result.stderr


def text(path: Path, good: Path) -> None:
    path.write_text("this is not a video\n" * 200)


def empty(path: Path, good: Path) -> None:
    path.write_bytes(b"")


def truncated(path: Path, good: Path) -> None:
    path.write_bytes(good.read_bytes()[:-200])


def undecodable(path: Path, good: Path) -> None:
    data = bytearray(good.read_bytes())
    begin, end = data.find(b"mdat") + 4, data.find(b"moov") - 4
    data[begin:end] = bytes(end - begin)
    path.write_bytes(data)


def one_frame(path: Path, good: Path) -> None:
    write_video(path, painted([0.0], size=32), fps=30)


def three_seconds(path: Path, good: Path) -> None:
    write_video(path, painted(np.arange(90) / 30, size=32), fps=30)


VIDEOS: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "missing": (lambda path, good: None, "there is no file"),
    "directory": (lambda path, good: path.mkdir(), "holds no image"),
    "text": (text, "cannot be opened as a video"),
    "empty": (empty, "is empty"),
    "truncated": (truncated, "cut off"),
    "undecodable": (undecodable, "no frame can be decoded"),
    "audio only": (lambda path, good: encode_sound(path), "sound only"),
    "one frame": (one_frame, "has 1 usable frames in 0.0 s"),
    "too short": (three_seconds, "at least 4 s are needed"),
}


@pytest.mark.parametrize("kind", VIDEOS)
@pytest.mark.parametrize("existing", [False, True])
def test_videos_that_cannot_be_measured(kind, existing, good, tmp_path, capfd):
    make, message = VIDEOS[kind]
    video = tmp_path / "video.mp4"
    make(video, good)
    outputs = []
    for option, name in (("--json", "a.json"), ("--csv", "a.csv"), ("--plot", "a.png")):
        outputs += [option, str(tmp_path / name)]
        if existing:
            (tmp_path / name).write_text("precious")
    common = ["--crop", "none", "--model", "green", *outputs]
    assert message in refused(["measure", str(video), *common], tmp_path, capfd)


def test_no_face_in_any_frame(good, tmp_path, capfd):
    json = ["--json", str(tmp_path / "a.json")]
    line = refused(["measure", str(good), "--model", "pos", *json], tmp_path, capfd)
    assert "no face in any of the 180 frames" in line
    assert "'none'" in line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--fps 0", "fps is 0"),
        ("--fps -30", "fps is -30"),
        ("--fps nan", "fps is nan"),
        ("--start 99", "no frame from 99 s on"),
        ("--start -1", "start is -1"),
        ("--duration 0", "duration is 0"),
        ("--duration -5", "duration is -5"),
        ("--duration inf", "duration is inf"),
        ("--crop 100,100,5,5", "lies outside the picture"),
        ("--crop 20,20,40,40", "does not fit"),
        ("--crop 1,2,3,four", "cannot read the crop"),
        ("--crop fase", "'face', 'none' or"),
        ("--crop 0,0,0,0", "empty"),
        ("--crop face --detector hare", "did you mean 'haar'"),
        ("--protocol papr", "expected default or paper"),
        ("--model nonsense", "there is no model 'nonsense'"),
        ("--model grean", "did you mean 'green'"),
        ("--model no/such/file.safetensors", "no weights at"),
        ("--json FOLDER/no/a.json", "its folder does not exist"),
        ("--json FOLDER/dir.json", "cannot write"),
        ("--csv FOLDER/a.json", "does not end in .csv"),
        ("--plot FOLDER/a.docx", "cannot draw to 'a.docx'"),
        ("--plot FOLDER/no/a.png", "its folder does not exist"),
        ("--plot FOLDER/dir.png", "cannot write"),
        ("--json /dev/null/a.json", "its folder does not exist"),
    ],
)
def test_options_that_make_no_sense(options, message, good, tmp_path, capfd):
    for name in ("dir.json", "dir.png"):
        (tmp_path / name).mkdir()
    given = options.replace("FOLDER", str(tmp_path)).split()
    usual = ["--crop", "none", "--model", "green", "--json", str(tmp_path / "a.json")]
    assert message in refused(["measure", str(good), *usual, *given], tmp_path, capfd)


@pytest.mark.parametrize("options", ["--json no/a.json", "--plot a.docx", "--csv a.txt"])
def test_outputs_are_checked_before_the_work(options, good, tmp_path, capfd, monkeypatch):
    def work(*_, **__):
        raise AssertionError("the work was begun")

    monkeypatch.setattr("bigsmall.inference.measure", work)
    monkeypatch.chdir(tmp_path)
    refused(["measure", str(good), *options.split()], tmp_path, capfd)


@pytest.mark.parametrize("link", [False, True])
def test_the_video_is_not_overwritten(good, tmp_path, capfd, link):
    video = tmp_path / "a.png"  # the name does not matter to FFmpeg
    video.write_bytes(good.read_bytes())
    target = tmp_path / "b.png" if link else video
    if link:
        target.symlink_to(video)
    common = ["--crop", "none", "--model", "green", "--plot", str(target)]
    assert "is the video itself" in refused(["measure", str(video), *common], tmp_path, capfd)
    assert video.read_bytes() == good.read_bytes()


class Evil:
    def __reduce__(self):
        return os.mkdir, ("was-run",)


def weights(kind: str, folder: Path) -> Path:
    """Write weights that must not be taken."""
    if kind.startswith("pickle"):
        path = folder / "evil.pth"
        if kind == "pickle":
            path.write_bytes(pickle.dumps(Evil()))
        else:
            torch.save({"big_conv1.weight": Evil()}, path)
        return path
    if kind == "empty folder":
        return folder
    BigSmall(**SMALL).save_pretrained(folder)
    path = folder / "model.safetensors"
    tensors = load_file(path)
    if kind == "missing":
        tensors.pop("au_fc1.bias")
    elif kind == "extra":
        tensors["extra"] = torch.zeros(1)
    elif kind == "mis-shaped":
        tensors["au_fc2.bias"] = torch.zeros(7)
    elif kind == "no config":
        (folder / "config.json").unlink()
        tensors = {f"a.{name}": value for name, value in tensors.items()}
    save_file(tensors, path)
    if kind == "cut off":
        path.write_bytes(path.read_bytes()[:-50])
    return folder


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("pickle", "not loaded"),
        ("pickle in torch", "not loaded"),
        ("missing", "au_fc1.bias is missing"),
        ("extra", "extra is not in the network"),
        ("mis-shaped", "shape (7,), expected (12,)"),
        ("cut off", "no readable safetensors"),
        ("no config", "no network known here"),
        ("empty folder", "no weights at"),
    ],
)
def test_weights_that_cannot_be_taken(kind, message, good, tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = weights(kind, tmp_path)
    given = ["--crop", "none", "--json", "a.json", "--model", str(path)]
    assert message in refused(["measure", str(good), *given], tmp_path, capfd)
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("a.mp4 --size 33x32", "expected even lengths"),
        ("a.mp4 --size 0x0", "expected even lengths"),
        ("a.mp4 --size 100000x100000", "expected even lengths"),
        ("a.mp4 --size big", "expected width x height"),
        ("a.mp4 --seed -1", "seed is -1"),
        ("a.mp4 --seed 1000000000000000000000", "seed is 1000000000000000000000"),
        ("a.mp4 --seconds 0", "seconds is 0"),
        ("a.mp4 --seconds nan", "seconds is nan"),
        ("a.mp4 --seconds 1e15", "frames; expected 2 to"),
        ("a.mp4 --seconds 0.01", "frames; expected 2 to"),
        ("a.mp4 --fps 0", "fps is 0"),
        ("a.mp4 --fps 1e300", "frames; expected 2 to"),
        ("a.mp4 --heart-rate 0", "heart_rate is 0"),
        ("a.mp4 --heart-rate -60", "heart_rate is -60"),
        ("a.mp4 --heart-rate nan", "heart_rate is nan"),
        ("a.mp4 --respiratory-rate inf", "respiratory_rate is inf"),
        ("no/a.mp4", "there is no folder"),
        ("dir.mp4", "it is a folder"),
        ("a.avi", "does not end in one of .mp4"),
        ("a", "does not name a video"),
    ],
)
def test_clips_that_cannot_be_rendered(options, message, tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dir.mp4").mkdir()
    usual = ["--size", "32x32", "--seconds", "0.5"]
    assert message in refused(["synth", *usual, *options.split()], tmp_path, capfd)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((150, 8, 8, 3), np.nan), "NaN"),
        (np.full((150, 8, 8, 3), 2.0), "expected floats in 0..1"),
        (np.zeros((150, 8, 8, 3), np.int32), "int32; expected uint8"),
        (np.zeros((150, 8, 8, 3), bool), "bool; expected uint8"),
        (np.zeros((150, 3, 8, 8), np.uint8), "channels-first"),
        (np.zeros((150, 8, 8, 4), np.uint8), "alpha"),
        (np.zeros((150, 8, 8), np.uint8), "frames, height, width, 3"),
        (np.zeros((0, 8, 8, 3), np.uint8), "no pixels"),
        (iter(()), "no frames"),
        (object(), "cannot read a video from object"),
    ],
)
def test_arrays_that_are_no_video(array, message):
    with pytest.raises(InputError, match=message) as caught:
        bigsmall.measure(array, fps=30, crop="none", model="green")
    assert "\n" not in str(caught.value)


def test_a_video_that_goes_bad_is_measured_up_to_there(clip, tmp_path, capfd):
    data = bytearray(clip.read_bytes())
    begin, end = data.find(b"mdat") + 4, data.find(b"moov") - 4
    at = begin + 7 * (end - begin) // 10
    data[at:] = bytes(end - at) + data[end:]
    path = tmp_path / "bad.mp4"
    path.write_bytes(data)
    result = CliRunner().invoke(main, ["measure", str(path), "--crop", "none", "--model", "pos"])
    assert result.exit_code == 0, result.output
    (note,) = [line for line in result.stdout.splitlines() if line.startswith("  note")]
    assert "measured up to" in note
    m = bigsmall.measure(path, crop="none", model="pos")
    assert 4 < m.used["seconds"] < 9
    assert any("measured up to" in note for note in m.notes)
    with pytest.raises(BigSmallError, match=r"at least 4 s are needed \(.*measured up to"):
        bigsmall.measure(path, crop="none", model="pos", start=4)
    assert capfd.readouterr() == ("", "")
