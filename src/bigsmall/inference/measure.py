"""The whole pipe: a video in, vital signs out.

Decisions, all stated to the user in `Measurement.notes` where they apply:

* A recording is measured over its longest stretch with a face and without a pause.
* The first frame gives no change and a network takes whole clips, so up to three frames at the
  ends are not measured.
* Signals are brought onto an even grid by their time stamps; a frame rate in the file's header is
  not believed.
* A recording of more than 90 s gets the median of the rates of 30-s windows, 10 s apart: over
  minutes a rate moves, and one spectrum of it all has no one peak.
* Less than 4 s, or less than 2 frames/s, is refused; less than 10 s, the slowest breath, gives no
  respiratory rate; a quarter of a second may be missing at the ends. Frames so slow that the
  fastest pulse would show as a slower one are measured, and the notes say so.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from bigsmall import rates
from bigsmall._version import __version__
from bigsmall.exceptions import InputError, NoFaceError, TooShortError
from bigsmall.inference.crops import Cut, Cutter
from bigsmall.inference.extract import ColourExtractor, Extractor, NetworkExtractor, Stretch
from bigsmall.measurement import ActionUnits, Estimate, Measurement, Waveform
from bigsmall.models import AU_NAMES, Network
from bigsmall.rates.protocols import Task
from bigsmall.signals import resample
from bigsmall.unsupervised import METHODS
from bigsmall.video import VideoSource, open_video
from bigsmall.zoo import CARDS, DEFAULT, load_model

PROTOCOLS = ("default", "paper")
MIN_SECONDS = 4.0
MIN_BREATH_SECONDS = 10.0
ENDS = 0.25
MIN_FPS = 2.0
LONG, WINDOW, STEP = 90.0, 30.0, 10.0
UNITS: dict[Task, str] = {"heart": "beats/min", "respiration": "breaths/min"}


def measure(
    source: Any,
    *,
    model: str | Path | Network = DEFAULT,
    fps: float | None = None,
    crop: str | Sequence[int] = "face",
    protocol: Literal["default", "paper"] = "default",
    start: float = 0.0,
    duration: float | None = None,
    detector: Any = "haar",
    progress: bool = False,
) -> Measurement:
    """Measure pulse, respiration and action units from a video.

    Args:
        source: a video file; a folder of images; an array or tensor `(T, H, W, 3)`, uint8 or
            float in [0, 1], RGB; or an iterable of such frames or of `(seconds, frame)` pairs,
            as a camera gives them.
        model: `"bigsmall-synthetic"` (in the package), `"pos"`, `"chrom"` or `"green"`, weights
            on disk (see `load_model`), or a network.
        fps: frames per second; needed where the source has no time stamps, and overrides those of
            a file.
        crop: `"face"`; `"none"`, no face is looked for and the largest square in the middle of the
            picture is measured; or a box `(x, y, width, height)` in pixels.
        protocol: `"default"`, or `"paper"` for the signal processing of the paper's own code.
        start: seconds to skip.
        duration: seconds to measure; all by default.
        detector: what finds the face: `"haar"`, `"yunet"`, or a function from an image to boxes.
        progress: show a progress bar.

    Returns:
        Rates, waveforms and action units; None for what `model` does not measure.

    Raises:
        BigSmallError: one of its children, with one line that says what to do.

    Example:
        >>> frames = np.random.default_rng(0).integers(90, 110, (150, 32, 32, 3), np.uint8)
        >>> m = measure(frames, fps=30, crop="none")
        >>> m.heart_rate.unit, m.bvp.fs, m.respiratory_rate.note
        ('beats/min', 30.0, 'too short: 4.9 s; respiration needs at least 10 s')
    """
    if protocol not in PROTOCOLS:
        raise InputError(f"protocol is {protocol!r}; expected {' or '.join(PROTOCOLS)}")
    method = METHODS.get(model) if isinstance(model, str) else None
    network = _network(model) if method is None else None
    video = open_video(source, fps=fps, start=start, duration=duration)
    size = ColourExtractor.size if network is None else network.input_spec.big_size
    cutter = Cutter(video, crop, detector, size)
    extractor: Extractor = (
        ColourExtractor(cutter.on_face) if network is None else NetworkExtractor(network)
    )
    stretch = _longest(cutter, extractor, video, progress)
    _check_length(stretch, cutter, video)

    grid_fs = stretch.fps
    bvp, resp = stretch.bvp, stretch.resp
    if method is not None and stretch.rgb is not None:
        rgb = resample(stretch.rgb, stretch.times, grid_fs)[0]
        # Of a constant colour, resampling and projection would leave rounding noise.
        bvp = method(rgb, grid_fs) if np.ptp(stretch.rgb, axis=0).any() else np.zeros(len(rgb))
    elif protocol == "default":
        bvp, resp = (
            None if wave is None else resample(wave, stretch.times, grid_fs)[0]
            for wave in (bvp, resp)
        )
    pulse_rate, pulse = _vital(bvp, "heart", grid_fs, protocol, stretch, method is None)
    breath_rate, breath = _vital(resp, "respiration", grid_fs, protocol, stretch, True)
    name = _name(model)
    return Measurement(
        heart_rate=pulse_rate,
        respiratory_rate=breath_rate,
        bvp=pulse,
        resp=breath,
        action_units=_action_units(stretch, name),
        used=_used(video, cutter, stretch, model, network, crop, protocol, detector),
        notes=tuple(_notes(cutter, video, stretch)),
        picture=cutter.example,
    )


def _network(model: Any) -> Network:
    if isinstance(model, Network):
        return model
    if not isinstance(model, (str, Path)):
        raise InputError(
            f"model is a {type(model).__name__}; expected a name, a path or a network of "
            "bigsmall.models"
        )
    return load_model(model)


def _longest(cutter: Cutter, extractor: Extractor, video: VideoSource, progress: bool) -> Stretch:
    """Run the video through the extractor and return its longest stretch."""
    cuts: Any = iter(cutter)
    if progress:
        from tqdm import tqdm

        cuts = tqdm(cuts, total=video.n_frames, desc="measuring", unit="frame", leave=False)
    best: Stretch | None = None
    cut: Cut
    fed = False
    for cut in cuts:
        if cut.before is None and fed:
            best = _longer(best, extractor.finish())
        extractor.add(cut)
        fed = True
    return _longer(best, extractor.finish())


def _longer(best: Stretch | None, other: Stretch) -> Stretch:
    return other if best is None or other.seconds > best.seconds else best


def _check_length(stretch: Stretch, cutter: Cutter, video: VideoSource) -> None:
    if cutter.example is None:
        raise NoFaceError(
            f"no face in any of the {cutter.frames} frames of {video.name}; to measure it all the "
            "same, say which part to look at with crop (x, y, width, height) or 'none'"
        )
    if stretch.seconds < MIN_SECONDS - ENDS:
        why = f" ({video.problem})" if video.problem else ""
        raise TooShortError(
            f"the longest stretch {_kind(cutter)} in {video.name} has {len(stretch.times)} usable "
            f"frames in {stretch.seconds:.1f} s; at least {MIN_SECONDS:g} s are needed{why}"
        )
    if stretch.fps < MIN_FPS:
        raise InputError(
            f"{video.name} has {stretch.fps:.2f} frames/s; at least {MIN_FPS:g} are needed to see "
            "a pulse"
        )


def _kind(cutter: Cutter) -> str:
    return "with a face" if cutter.on_face else "without a pause"


def _vital(
    wave: np.ndarray | None,
    task: Task,
    fs: float,
    protocol: Literal["default", "paper"],
    stretch: Stretch,
    summed: bool,
) -> tuple[Estimate | None, Waveform | None]:
    """Rate and filtered wave of one task; `summed` says that the wave is a running sum."""
    if wave is None:
        return None, None
    derivative = protocol == "paper" and summed
    x = np.diff(wave) if derivative else wave
    filtered = rates.waveform(x, fs, task, derivative=derivative, protocol=protocol)
    spread = filtered.std()
    scaled = Waveform(
        filtered / spread if spread > 0 else filtered, fs, float(stretch.times[-len(filtered)])
    )
    unit = UNITS[task]
    if task == "respiration" and stretch.seconds < MIN_BREATH_SECONDS - ENDS:
        note = f"too short: {stretch.seconds:.1f} s; respiration needs at least 10 s"
        return Estimate(np.nan, unit, 0.0, note), scaled
    if stretch.seconds > LONG and protocol == "default":
        return _long_estimate(x, fs, task, unit), scaled
    find = rates.heart_rate if task == "heart" else rates.respiratory_rate
    value = find(x, fs, derivative=derivative, protocol=protocol)
    if np.isnan(value):
        return Estimate(np.nan, unit, 0.0, "no signal was found"), scaled
    return Estimate(value, unit, rates.quality(x, fs, value, task, derivative=derivative)), scaled


def _long_estimate(x: np.ndarray, fs: float, task: Task, unit: str) -> Estimate:
    """Median over windows, and the median of their qualities."""
    track = rates.rate_over_time(x, fs, task, window=WINDOW, step=STEP)
    found = np.isfinite(track.rates)
    if not found.any():
        return Estimate(np.nan, unit, 0.0, "no signal was found")
    return Estimate(
        float(np.median(track.rates[found])),
        unit,
        float(np.median(np.where(found, track.qualities, 0.0))),
        f"median of {int(found.sum())} windows of {WINDOW:g} s",
    )


def _action_units(stretch: Stretch, model: str) -> ActionUnits | None:
    if stretch.au is None:
        return None
    units = stretch.au.shape[1]
    names = AU_NAMES if units == len(AU_NAMES) else tuple(f"unit {i + 1}" for i in range(units))
    note = CARDS[model].au_note if model in CARDS else ""
    return ActionUnits(names, stretch.au, stretch.times[: len(stretch.au)], note)


def _name(model: str | Path | Network) -> str:
    return type(model).__name__ if isinstance(model, Network) else str(model)


def _used(
    video: VideoSource,
    cutter: Cutter,
    stretch: Stretch,
    model: str | Path | Network,
    network: Network | None,
    crop: str | Sequence[int],
    protocol: str,
    detector: Any,
) -> dict[str, Any]:
    """What the numbers come from."""
    name = _name(model)
    weights = f"bigsmall {__version__}" if name in CARDS else None
    if isinstance(model, (str, Path)) and network is not None and weights is None:
        weights = str(model)
    return {
        "source": video.name,
        "frames": cutter.frames,
        "fps": round(stretch.fps, 4),
        "start": float(stretch.times[0]),
        "seconds": round(stretch.seconds, 4),
        "model": name,
        "network": None if network is None else type(network).__name__,
        "weights": weights,
        "crop": crop if isinstance(crop, str) else [int(number) for number in crop],
        "detector": (detector if isinstance(detector, str) else "custom")
        if cutter.on_face
        else None,
        "protocol": protocol,
        "versions": {
            "bigsmall": __version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def _notes(cutter: Cutter, video: VideoSource, stretch: Stretch) -> list[str]:
    notes = cutter.notes
    if video.problem:
        notes.append(video.problem)
    first, last = stretch.times[0], stretch.times[-1]
    count = len(stretch.times)
    if cutter.frames > max(1.02 * count, count + 3):
        notes.append(
            f"measured from {first:.1f} to {last:.1f} s, the longest stretch {_kind(cutter)}"
        )
    fps = stretch.fps
    if fps < 2 * rates.HEART_BAND[1]:
        notes.append(
            f"at {fps:.1f} frames/s a pulse above {30 * fps:.0f}/min would show as a slower one"
        )
    return notes
