"""The command line when all goes well: what it prints, writes and says about itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from clips import save_png
from painted import lively, recording

import bigsmall
from bigsmall import BigBranch, SmallBranch
from bigsmall.cli import main
from bigsmall.video import open_video, write_video


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result


@pytest.fixture(scope="module")
def pulse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A painted pulse of 72/min, 6 s."""
    path = tmp_path_factory.mktemp("pulse") / "pulse.mp4"
    write_video(path, recording(6), fps=30)
    return path


def test_a_rendered_clip_is_measured_with_everything_written(clip, tmp_path):
    files = [tmp_path / f"a.{suffix}" for suffix in ("json", "csv", "png")]
    output = run(
        "measure", clip, "--json", files[0], "--csv", files[1], "--plot", files[2]
    ).stdout.splitlines()
    assert output[0].startswith(f"{clip}: ")
    assert output[0].endswith("15.0 frames/s")
    for name, unit in (("heart rate", "beats/min"), ("respiratory rate", "breaths/min")):
        (line,) = [line for line in output if line.startswith(f"  {name} ")]
        words = line.removeprefix(f"  {name} ").split()
        assert float(words[0]) > 0
        assert words[1:3] == [unit, "quality"]
        assert 0 <= float(words[3]) <= 1
    assert any(line.startswith("  action units  ") for line in output)
    assert "  model             bigsmall-synthetic (bigsmall " in "\n".join(output)
    assert "  crop, protocol    face, default" in output
    assert output[-3:] == [f"wrote {path}" for path in files]
    read = json.loads(files[0].read_text())
    assert set(read) == set(bigsmall.Measurement.__dataclass_fields__) - {"picture"}
    assert read["used"]["source"] == str(clip)
    assert f"{read['heart_rate']['value']:.1f} beats/min" in "\n".join(output)
    table = np.genfromtxt(files[1], delimiter=",", names=True)
    assert table.dtype.names[:4] == ("time", "bvp", "resp", "AU01")
    assert len(table) == len(read["bvp"]["values"])
    assert files[2].read_bytes().startswith(b"\x89PNG")
    assert sorted(os.listdir(tmp_path)) == ["a.csv", "a.json", "a.png"]


@pytest.mark.parametrize("model", ["pos", "chrom", "green"])
def test_methods_without_weights(pulse, model):
    output = run("measure", pulse, "--model", model, "--crop", "none").stdout
    (line,) = [line for line in output.splitlines() if "heart rate" in line]
    assert float(line.split()[2]) == pytest.approx(72, abs=2)
    assert "respiratory" not in output
    assert "action units" not in output
    assert f"  model             {model}\n" in output
    assert "crop, protocol    none, default" in output


def test_options_reach_the_measurement(pulse, tmp_path):
    file = tmp_path / "a.json"
    run(
        *("measure", pulse, "--model", "green", "--crop", "2,2,12,12", "--protocol", "paper"),
        *("--fps", 20, "--start", 1, "--duration", 6, "--detector", "haar", "--json", file),
    )
    read = json.loads(file.read_text())
    assert read["heart_rate"]["value"] == pytest.approx(48, abs=4)
    used = read["used"]
    assert (used["crop"], used["protocol"], used["fps"]) == ("2,2,12,12", "paper", 20)
    assert used["start"] == pytest.approx(1)
    assert used["seconds"] == pytest.approx(6, abs=0.06)
    assert used["model"] == "green"


@pytest.mark.parametrize(
    ("network", "line"),
    [
        (BigBranch(big_size=16, hidden=4), "action units"),
        (SmallBranch(tasks={"resp": 1}, small_size=2, hidden=4), "respiratory rate"),
    ],
)
def test_weights_from_disk_and_no_more_than_they_measure(pulse, tmp_path, network, line):
    lively(network).save_pretrained(tmp_path)
    output = run("measure", pulse, "--model", tmp_path, "--crop", "none").stdout
    tasks = ("heart rate", "respiratory rate", "action units")
    assert [name for name in tasks if f"  {name} " in output] == [line]
    assert f"  model             {tmp_path}\n" in output
    if line == "respiratory rate":
        assert "–   too short: 5.9 s" in output


def test_a_folder_of_images(tmp_path):
    for k, image in enumerate(recording(5, 10)):
        save_png(tmp_path / f"{k}.png", image)
    output = run("measure", tmp_path, "--fps", 10, "--crop", "none", "--model", "green").stdout
    assert float(output.split("heart rate")[1].split()[0]) == pytest.approx(72, abs=2)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_name_that_is_no_text(pulse, tmp_path):
    video = os.fsencode(tmp_path) + b"/a\xff.mp4"
    with open(video, "wb") as file:
        file.write(pulse.read_bytes())
    command = [sys.executable, "-m", "bigsmall", "measure", video, "--crop", "none"]
    done = subprocess.run([*command, "--model", "green"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "heart rate" in done.stdout
    assert str(tmp_path) in done.stdout.splitlines()[0]


def test_the_version_is_that_of_the_package():
    assert run("--version").stdout.split()[-1] == bigsmall.__version__
    for command in ([sys.executable, "-m", "bigsmall"], [Path(sys.executable).parent / "bigsmall"]):
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        assert done.stdout == f"bigsmall, version {bigsmall.__version__}\n"
        assert done.stderr == ""


@pytest.mark.parametrize("command", ["measure", "synth"])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_every_option(command, flag):
    output = run(command, flag).output
    for parameter in main.commands[command].params:
        for name in parameter.opts if parameter.opts[0].startswith("-") else []:
            assert name in output
    assert command in run(flag).output


def synth(path: Path, *options: object) -> str:
    small = ("--size", "64x48", "--seconds", 1, "--fps", 15)
    return run("synth", path, *small, *options).stdout


def test_synth_writes_a_video_and_its_truth(tmp_path):
    path = tmp_path / "a.mp4"
    output = synth(path, "--heart-rate", 77.5, "--respiratory-rate", 12, "--seed", 5)
    truth = json.loads((tmp_path / "a.json").read_text())
    assert (truth["heart_rate"], truth["respiratory_rate"]) == (77.5, 12)
    assert truth["scene"]["seed"] == 5
    frames = list(open_video(path))
    assert len(frames) == len(truth["times"]) == len(truth["bvp"]) == 15
    assert frames[0].image.shape == (48, 64, 3)
    np.testing.assert_allclose([f.time for f in frames], truth["times"], atol=1e-3)
    assert output == (
        f"wrote {path} and {tmp_path / 'a.json'}: 1 s, heart rate 77.5, "
        "respiratory rate 12.0 per minute\n"
    )
    assert sorted(os.listdir(tmp_path)) == ["a.json", "a.mp4"]


def test_the_same_seed_gives_the_same_clip(tmp_path):
    seen = {}
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        synth(tmp_path / f"{name}.mp4", "--seed", seed)
        seen[name] = np.stack([frame.image for frame in open_video(tmp_path / f"{name}.mp4")])
    np.testing.assert_array_equal(seen["a"], seen["b"])
    assert abs(seen["a"].astype(int) - seen["c"]).max() > 20
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text()


def test_ctrl_c_leaves_nothing_behind(tmp_path):
    command = [sys.executable, "-m", "bigsmall", "synth", "a.mp4", "--size", "64x48"]
    child = subprocess.Popen(
        [*command, "--seconds", "3000"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    for _ in range(600):
        if len(os.listdir(tmp_path)) == 2:  # both files have been begun
            break
        time.sleep(0.1)
    assert child.poll() is None
    child.send_signal(signal.SIGINT)
    errors = child.communicate(timeout=60)[1]
    assert child.returncode in (1, 130)
    assert "Traceback" not in errors
    assert os.listdir(tmp_path) == []


def test_ctrl_c_while_measuring(tmp_path, pulse, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("bigsmall.inference.measure", interrupt)
    file = tmp_path / "a.json"
    result = CliRunner().invoke(main, ["measure", str(pulse), "--json", str(file)])
    assert result.exit_code in (1, 130)
    assert result.output.strip() in ("", "Aborted!")
    assert not file.exists()


def test_progress_goes_to_standard_error(pulse, capsys):
    bigsmall.measure(pulse, crop="none", model="green", progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "measuring" in err


def test_a_reader_who_leaves_gets_no_traceback(pulse):
    command = [sys.executable, "-m", "bigsmall", "measure", pulse, "--model", "green"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*command, "--crop", "none"], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr == ""
