"""The stream gives what the whole recording in memory gives, and a crop that moves is no motion."""

from __future__ import annotations

import gc
import tracemalloc
import weakref

import numpy as np
import pytest
import torch
from painted import flicker, lively, painted, recording, texture, tiny

import bigsmall
from bigsmall import BigBranch, SmallBranch
from bigsmall.inference import extract
from bigsmall.inference.crops import Cutter
from bigsmall.inference.extract import ColourExtractor, NetworkExtractor, Stretch
from bigsmall.transforms import area_resize, make_clips, normalised_difference, prepare
from bigsmall.video import open_video

FPS = 30


def stream(network, frames, crop="none", detector="haar") -> Stretch:
    """Signals of `frames`, taken one by one."""
    extractor = NetworkExtractor(network)
    for cut in Cutter(open_video(frames, fps=FPS), crop, detector, extractor.size):
        extractor.add(cut)
    return extractor.finish()


def at_once(network, frames):
    """The network's output on the whole recording in one call, `(frames, ...)` arrays."""
    views = dict(zip(("big", "small"), prepare(frames, network.input_spec)))
    with torch.no_grad():
        out = network(*(views[name] for name in network.inputs))._asdict()
    return {name: y.flatten(0, 1).double().numpy() for name, y in out.items() if y is not None}


def summed(x):
    return np.concatenate([[0.0], np.cumsum(x)])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("count", [2, 3, 4, 6, 7, 61])
@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"frames": 4, "big_frames": 2, "shift": "tsm", "epsilon": 16.0},
        {"frames": 6, "big_frames": 6, "shift": None},
    ],
    ids=["paper", "two pictures a clip", "every picture"],
)
def test_the_stream_is_the_whole_recording_at_once(count, shape):
    network, frames = tiny(**shape), flicker(count, size=40)
    n = network.frames
    clips = (count - 1) // n
    stretch = stream(network, frames)
    assert len(stretch.au) == clips * n if clips else len(stretch.au) == 0
    assert len(stretch.bvp) == len(stretch.resp) == len(stretch.times) == clips * n + 1
    np.testing.assert_allclose(stretch.times, np.arange(clips * n + 1) / FPS)
    if clips:
        whole = at_once(network, frames)
        assert count < 40 or whole["bvp"].std() > 0.02  # else the comparison would say nothing
        # Big waits as half-precision pictures: an error of 1/16 grey level at most.
        np.testing.assert_allclose(stretch.au, sigmoid(whole["au"]), atol=1e-3)
        np.testing.assert_allclose(np.diff(stretch.bvp), whole["bvp"], atol=2e-3)
        np.testing.assert_allclose(np.diff(stretch.resp), whole["resp"], atol=2e-3)


@pytest.mark.parametrize("count", [3, 4, 32])
def test_differences_lose_no_precision(count):
    network = lively(SmallBranch(frames=3, small_size=4, hidden=8, shift="wtsm"))
    frames = flicker(count, size=150)
    stretch = stream(network, frames)
    whole = summed(at_once(network, frames)["bvp"]) if count > 3 else np.zeros(1)
    np.testing.assert_allclose(stretch.bvp, whole, atol=1e-5 * count)
    assert stretch.au is None
    assert stretch.resp is None


def test_a_big_branch_alone_sees_every_frame():
    network, frames = lively(BigBranch(big_size=32, hidden=8)), flicker(20, size=32)
    stretch = stream(network, frames)
    # `prepare` makes differences too and so drops the last frame; Big's scale is of all.
    np.testing.assert_allclose(stretch.au[:19], sigmoid(at_once(network, frames)["au"]), atol=1e-3)
    assert stretch.au.shape == (20, 12)
    assert len(stretch.times) == 20


def test_signals_do_not_depend_on_the_batch(monkeypatch):
    network, frames = tiny(), flicker(100)
    usual = stream(network, frames)
    for batch in (1, 7, 1000):
        monkeypatch.setattr(extract, "BATCH", batch)
        other = stream(network, frames)
        np.testing.assert_allclose(other.au, usual.au, atol=1e-6)
        np.testing.assert_allclose(other.bvp, usual.bvp, atol=1e-4)


def test_blocks_are_scaled_by_what_was_seen_so_far(monkeypatch):
    """After each block the clips that wait are scaled by all frames up to then."""
    monkeypatch.setattr(extract, "BLOCK_SECONDS", 0.99)  # a run after 30, 60 and 90 differences
    network = tiny()
    # Louder by and by, so that the scale moves; 100 frames leave 9 differences for the end.
    frames = flicker(100)
    mean = frames.mean(0, keepdims=True)
    growth = np.linspace(0.3, 1.5, 100)[:, None, None, None]
    frames = np.clip(mean + growth * (frames - mean), 0, 255).astype(np.uint8)
    stretch = stream(network, frames)

    pictures = frames.astype(np.float64)
    differences = normalised_difference(pictures, network.epsilon)
    small = area_resize(differences, network.small_size)
    pulse, units = [], []
    for first, seen in ((0, 30), (30, 60), (60, 90), (90, 99)):
        part = slice(first, seen)
        std = differences[:seen].std()
        x = make_clips(torch.from_numpy(np.moveaxis(small[part] / std, -1, 1)), 3)
        so_far = pictures[: seen + 1]
        y = (pictures[part] - so_far.mean()) / so_far.std()
        y = make_clips(torch.from_numpy(np.moveaxis(y, -1, 1)), 3)[:, :1]
        with torch.no_grad():
            out = network(y.float(), x.float())
        pulse.append(out.bvp.flatten())
        units.append(out.au.flatten(0, 1).sigmoid())
    np.testing.assert_allclose(np.diff(stretch.bvp), torch.cat(pulse).numpy(), atol=1e-3)
    np.testing.assert_allclose(stretch.au, torch.cat(units).numpy(), atol=1e-3)


def jumping(at: float):
    """A detector that says the face stands elsewhere from its call number `at` on."""
    calls = iter(range(10**6))
    return lambda image: [(4, 4, 20, 20) if next(calls) < at else (50, 30, 24, 24)]


def test_a_crop_that_moves_is_no_motion():
    still = np.repeat(texture(80, 90)[None], 300, 0).astype(np.uint8)
    cutter = Cutter(open_video(still, fps=FPS), "face", jumping(4), (32, 32))
    cuts = list(cutter)
    moved = [cut for cut in cuts[1:] if cut.before is not cut.picture]
    assert len(moved) == 1  # the crop did move
    assert abs(moved[0].before - moved[0].picture).max() > 5
    assert not stream(tiny(), still, "face", jumping(4)).bvp.any()
    colour = ColourExtractor(on_face=True)
    for cut in Cutter(open_video(still, fps=FPS), "face", jumping(4), colour.size):
        colour.add(cut)
    rgb = colour.finish().rgb
    np.testing.assert_allclose(rgb, np.repeat(rgb[:1], len(rgb), 0), rtol=1e-12)


@pytest.mark.parametrize("model", ["pos", "chrom", "green", "network"])
def test_nothing_is_measured_in_a_still_video_with_a_moving_crop(model):
    still = np.repeat(texture(80, 90)[None], 300, 0).astype(np.uint8)
    chosen = tiny() if model == "network" else model
    m = bigsmall.measure(still, fps=FPS, model=chosen, detector=jumping(4))
    assert np.isnan(m.heart_rate.value)
    assert m.heart_rate.quality == 0
    assert m.heart_rate.note
    assert not m.bvp.values.any()


def test_motion_is_seen_across_a_moving_crop():
    """Every difference is that of two crops by one box, also where the box changes."""
    frames = flicker(300, size=90)
    cuts = list(Cutter(open_video(frames, fps=FPS), "face", jumping(4), (32, 32)))
    at = next(k for k in range(1, 300) if cuts[k].before is not cuts[k].picture)
    one, other = (area_resize(frames[at][y : y + s, x : x + s], (32, 32)) for x, y, s in BOXES)
    np.testing.assert_allclose(cuts[at].before, one, atol=1e-3)
    np.testing.assert_allclose(cuts[at].picture, other, atol=1e-3)


BOXES = [(0, 0, 40), (38, 18, 48)]
"""Squares about the two faces of `jumping`, half as wide again: x, y, side."""


def test_frames_are_not_kept():
    alive: list[weakref.ref] = []
    most = 0

    def camera():
        nonlocal most
        for k, image in enumerate(painted(np.arange(150) / FPS)):
            alive.append(weakref.ref(image))
            gc.collect(0)
            most = max(most, sum(ref() is not None for ref in alive))
            yield k / FPS, image

    bigsmall.measure(camera(), crop="none", model=tiny())
    assert most <= 6


def test_memory_does_not_grow_with_length(monkeypatch):
    monkeypatch.setattr(extract, "BLOCK_SECONDS", 1.0)
    network, image = tiny(), recording(0.1)[0]

    def peak(count: int) -> int:
        tracemalloc.start()
        bigsmall.measure(((k / 10, image) for k in range(count)), crop="none", model=network)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(50)  # what is loaded once
    short, long = peak(80), peak(280)
    # Pictures of 32 x 32 in half precision would be 6 kB a frame; times and signals are 0.2 kB.
    assert long - short < 200 * 1500
