"""What the tests share: material from outside the checkout, a video, property-test profiles."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import settings

from bigsmall.cli import main
from bigsmall.synthetic import Scene, write_clip

ROOT = Path(__file__).resolve().parents[1]

# Pictures are drawn without a display, also by the examples of the pages and docstrings.
os.environ.setdefault("MPLBACKEND", "Agg")

# How long an example takes says more about the machine than about the code: no deadline.
settings.register_profile("local", deadline=None)
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "local"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` beside the checkout: published checkpoints and real videos."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder.name!r} beside the checkout")
    return folder


@pytest.fixture(scope="session")
def face_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered face of 20 s with a pulse, as `bigsmall synth` writes it."""
    path = tmp_path_factory.mktemp("face") / "me.mp4"
    arguments = ["synth", str(path), "--seconds", "20", "--seed", "1", "--size", "320x240"]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small rendered face of 10 s at 15 frames/s, 72 beats and 18 breaths a minute."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    scene = Scene.random(
        2, width=192, height=144, fps=15.0, seconds=10.0, framing="portrait", motion=0.02,
        noise=1.0, heart_rate=72.0, respiratory_rate=18.0, pulse_amplitude=0.03, jitter=0.0,
    )  # fmt: skip
    write_clip(path, scene)
    return path
