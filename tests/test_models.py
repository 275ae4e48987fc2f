"""Networks against the golden values of the original code, and the laws they keep."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from golden import fill, tensor
from hypothesis import given, settings
from hypothesis import strategies as st

from bigsmall import TSM, WTSM, BigBranch, BigSmall, SmallBranch
from bigsmall.exceptions import InputError

BIG = tensor(101, 2, 3, 3, 144, 144)
SMALL = tensor(102, 2, 3, 3, 9, 9)

# bvp of six frames, resp[0], au[0, 0..2], sum(au)
GOLDEN = {
    ("wtsm", 1): (
        [0.178511, 0.598413, -0.240557, -0.495798, 0.875730, 0.519223],
        -1.252545,
        [-0.737088, -1.493871, 0.864512],
        -8.015745,
    ),
    ("tsm", 1): (
        [0.717404, 0.565975, 0.110083, 0.381691, 0.379640, 0.179682],
        -1.223988,
        [-0.647446, -0.695503, 1.222723],
        -0.801419,
    ),
    (None, 1): (
        [0.455902, 0.222432, 0.724122, 0.294097, 0.701648, -0.470731],
        -1.328033,
        [-1.279181, -1.030638, 0.647970],
        -6.604417,
    ),
    ("wtsm", 3): (
        [0.178511, 0.681570, -0.273553, -0.495798, 0.901771, 0.617475],
        -1.252545,
        [-0.737088, -1.493871, 0.864512],
        -7.804288,
    ),
    (None, 3): (
        [0.455902, 0.288947, 0.725665, 0.294097, 0.715806, -0.386878],
        -1.328033,
        [-1.279181, -1.030638, 0.647970],
        -6.068358,
    ),
}


def test_the_deterministic_noise_is_the_one_of_the_goldens():
    assert BIG.flatten()[:3].tolist() == pytest.approx([0.843985, -0.267170, 0.388762], abs=1e-6)
    assert SMALL.flatten()[:3].tolist() == pytest.approx([-0.733435, -0.384999, 0.513654], abs=1e-6)


@pytest.mark.parametrize(("shift", "big_frames"), GOLDEN)
def test_bigsmall_gives_the_values_of_the_original(shift, big_frames):
    bvp, resp, au, total = GOLDEN[shift, big_frames]
    model = fill(BigSmall(shift=shift, big_frames=big_frames))
    with torch.no_grad():
        out = model(BIG[:, :: 3 // big_frames], SMALL)
    assert out.bvp.flatten().tolist() == pytest.approx(bvp, abs=1.1e-6)
    assert float(out.resp[0, 0]) == pytest.approx(resp, abs=1.1e-6)
    assert out.au[0, 0, :3].tolist() == pytest.approx(au, abs=1.1e-6)
    assert float(out.au.sum()) == pytest.approx(total, abs=1.1e-6)


def test_branches_give_the_values_of_the_original():
    big = [-0.427915, 0.071450, -0.406854, -0.009936, 1.113423, -0.301858]
    big += [-0.435280, -0.217016, -0.472983, -0.547039, -0.077951, 0.424258]
    with torch.no_grad():
        au = fill(BigBranch())(BIG).au
        bvp = fill(SmallBranch())(SMALL).bvp
    assert au[0, 0].tolist() == pytest.approx(big, abs=1.1e-6)
    assert bvp[0, 0].item() == pytest.approx(0.409196, abs=1.1e-6)
    assert bvp[1, 2].item() == pytest.approx(0.956397, abs=1.1e-6)


@pytest.mark.parametrize(
    ("model", "count"), [(BigSmall, 2_142_478), (BigBranch, 776_972), (SmallBranch, 701_697)]
)
def test_parameter_counts_are_those_of_table_1(model, count):
    assert sum(p.numel() for p in model().parameters()) == count


def test_names_of_parameters_are_those_of_published_checkpoints():
    layers = [f"big_conv{i}" for i in range(1, 7)] + [f"small_conv{i}" for i in range(1, 5)]
    layers += ["au_fc1", "au_fc2", "bvp_fc1", "bvp_fc2", "resp_fc1", "resp_fc2"]
    assert list(BigSmall().state_dict()) == [f"{x}.{y}" for x in layers for y in ("weight", "bias")]


def roll_by_index(x, n, fold, wrap):
    """The definition, frame by frame and channel by channel."""
    x = x.reshape(-1, n, *x.shape[1:])
    y = np.zeros_like(x)
    for t in range(n):
        for c in range(x.shape[2]):
            source = t + 1 if c < fold else t - 1 if c < 2 * fold else t
            if wrap:
                y[:, t, c] = x[:, source % n, c]
            elif 0 <= source < n:
                y[:, t, c] = x[:, source, c]
    return y.reshape(-1, *y.shape[2:])


@settings(max_examples=40)
@given(
    clips=st.integers(1, 3),
    n=st.integers(1, 6),
    channels=st.integers(1, 10),
    size=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    fold_div=st.integers(2, 5),
)
def test_shift_equals_its_definition_for_any_shape(clips, n, channels, size, fold_div):
    x = np.random.default_rng(0).normal(size=(clips * n, channels, *size))
    for module, wrap in ((WTSM, True), (TSM, False)):
        y = module(n, fold_div)(torch.from_numpy(x)).numpy()
        np.testing.assert_array_equal(y, roll_by_index(x, n, channels // fold_div, wrap))


@pytest.mark.parametrize("shift", [WTSM, TSM])
def test_shift_has_the_right_gradient(shift):
    x = torch.rand(6, 7, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(shift(3), x)


@pytest.mark.parametrize("shift", [WTSM, TSM])
def test_shift_exports_with_any_number_of_clips(shift):
    clips = torch.export.Dim("clips", min=1, max=64)

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.shift = shift(3)

        def forward(self, x):
            return self.shift(x.flatten(0, 1))

    x = torch.rand(2, 3, 6, 4, 4)
    program = torch.export.export(Net(), (x,), dynamic_shapes=({0: clips},)).module()
    y = torch.rand(5, 3, 6, 4, 4)
    torch.testing.assert_close(program(y), shift(3)(y.flatten(0, 1)))


def test_bigsmall_exports_with_any_number_of_clips():
    model = BigSmall(big_size=16, small_size=1, hidden=4).eval()
    clips = torch.export.Dim("clips", min=1, max=64)
    inputs = torch.rand(2, 1, 3, 16, 16), torch.rand(2, 3, 3, 1, 1)
    program = torch.export.export(model, inputs, dynamic_shapes=({0: clips}, {0: clips})).module()
    inputs = torch.rand(5, 1, 3, 16, 16), torch.rand(5, 3, 3, 1, 1)
    torch.testing.assert_close(program(*inputs), model(*inputs))


def test_bigsmall_is_captured_whole_by_the_compiler():
    model = BigSmall(big_size=16, small_size=1, hidden=4).eval()
    inputs = torch.rand(2, 1, 3, 16, 16), torch.rand(2, 3, 3, 1, 1)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(*inputs), model(*inputs))


def test_one_clip_does_not_see_another():
    model = fill(BigSmall(big_size=16, small_size=1))
    big, small = tensor(1, 4, 1, 3, 16, 16), tensor(2, 4, 3, 3, 1, 1)
    alone = [model(big[i : i + 1], small[i : i + 1]) for i in range(4)]
    together = model(big, small)
    for field in ("au", "bvp", "resp"):
        expected = torch.cat([getattr(out, field) for out in alone])
        torch.testing.assert_close(getattr(together, field), expected)


@pytest.mark.parametrize(("frames", "big_frames"), [(1, 1), (4, 2), (6, 3), (5, 1), (6, 6)])
def test_any_number_of_frames_and_any_divisor_of_big_frames(frames, big_frames):
    model = fill(
        BigSmall(frames=frames, big_frames=big_frames, big_size=16, small_size=1, tasks={"bvp": 1})
    )
    big, small = tensor(1, 2, big_frames, 3, 16, 16), tensor(2, 2, frames, 3, 1, 1)
    out = model(big, small)
    assert out.bvp.shape == (2, frames)
    assert out.au is None
    assert out.resp is None
    # Picture k serves the frames of its own stretch and no other.
    big[:, -1] += 1
    changed = (model(big, small).bvp != out.bvp).all(0)
    first = frames - frames // big_frames
    assert changed.tolist() == [t >= first for t in range(frames)]


def test_dropout_is_the_same_for_all_frames_of_a_clip():
    model = BigSmall(big_size=16, small_size=1).train()
    features = model.big_features(torch.rand(2, 1, 3, 16, 16))
    torch.testing.assert_close(features[:, 0], features[:, 2])


def test_one_batch_can_be_learnt_by_heart():
    torch.manual_seed(0)
    model = BigSmall(big_size=32, small_size=2, dropout=(0, 0, 0))
    big, small = torch.randn(4, 1, 3, 32, 32), torch.randn(4, 3, 3, 2, 2)
    au, bvp, resp = (torch.rand(4, 1, 12) > 0.5).float(), torch.randn(4, 3), torch.randn(4, 3)
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)

    def losses():
        out = model(big, small)
        return torch.stack(
            [
                torch.nn.functional.binary_cross_entropy_with_logits(out.au, au.expand(-1, 3, -1)),
                torch.nn.functional.mse_loss(out.bvp, bvp),
                torch.nn.functional.mse_loss(out.resp, resp),
            ]
        )

    before = losses().detach()
    for _ in range(150):
        optimiser.zero_grad()
        losses().sum().backward()
        optimiser.step()
    assert (losses() < 0.1 * before).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"big_frames": 2}, "does not divide"),
        ({"big_size": 100}, "no multiple"),
        ({"small_size": 8}, "expected small_size"),
        ({"small_filters": (32, 32)}, "same number"),
        ({"tasks": {"ppg": 1}}, "expected some of"),
        ({"tasks": {"bvp": 2}}, "have 1 a frame"),
        ({"shift": "roll"}, "expected 'wtsm'"),
        ({"big_filters": (32, 64)}, "two filters a pool"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        BigSmall(**arguments)


def test_inputs_of_the_wrong_shape_are_refused():
    model = BigSmall()
    with pytest.raises(InputError, match=r"big has shape .* expected \(clips, 1, 3, 144, 144\)"):
        model(torch.rand(2, 3, 144, 144), SMALL.float())
    with pytest.raises(InputError, match=r"small has shape .* expected \(clips, 3, 3, 9, 9\)"):
        model(BIG[:, :1].float(), SMALL.float()[:, :2])
    with pytest.raises(InputError, match="multiple of n_segment"):
        WTSM(3)(torch.rand(4, 3))
    with pytest.raises(InputError, match="at least 1 frame"):
        WTSM(0)
