"""Transforms against direct definitions and OpenCV, and the laws they keep."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bigsmall.exceptions import InputError
from bigsmall.transforms import (
    InputSpec,
    area_resize,
    big_input,
    make_clips,
    normalised_difference,
    prepare,
    small_input,
    standardise,
)

RNG = np.random.default_rng(0)
VIDEO = RNG.integers(0, 256, (8, 160, 150, 3), np.uint8)


def test_small_equals_the_direct_definition():
    x = RNG.integers(0, 256, (6, 144, 144, 3)).astype(float)
    d = np.empty((5, 144, 144, 3))
    for t in range(5):
        d[t] = (x[t + 1] - x[t]) / (x[t + 1] + x[t] + 1e-7)
    d /= d.std()
    small = np.array(
        [[[d[t, 16 * i : 16 * i + 16, 16 * j : 16 * j + 16].mean((0, 1)) for j in range(9)]
          for i in range(9)] for t in range(5)]
    )  # fmt: skip
    np.testing.assert_allclose(small_input(x), small, rtol=0, atol=1e-12)


def test_the_scale_of_small_follows_the_published_example():
    # One pixel, x = 1, 2, 4, 3, 5, all differences used (spec: the newer port's rule).
    x = np.array([1.0, 2, 4, 3, 5]).reshape(5, 1, 1, 1)
    small = small_input(x, InputSpec(small_size=(1, 1)))
    assert small.ravel() == pytest.approx([1.69096, 1.69096, -0.72470, 1.26822], abs=1e-5)


@pytest.mark.parametrize("size", [(144, 144), (9, 9), (50, 31)])
@pytest.mark.parametrize("shape", [(480, 360), (144, 144), (301, 211)])
def test_area_resize_equals_opencv_when_shrinking(shape, size):
    cv2 = pytest.importorskip("cv2")
    image = RNG.integers(0, 256, (*shape, 3)).astype(np.float32)
    expected = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(area_resize(image, size) / 255, expected / 255, rtol=0, atol=1e-5)


def test_area_resize_equals_opencv_when_enlarging():
    cv2 = pytest.importorskip("cv2")
    image = RNG.integers(0, 256, (61, 47, 3)).astype(np.float32)
    expected = cv2.resize(image, (144, 144), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(area_resize(image, (144, 144)) / 255, expected / 255, atol=1e-5)


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
)
def test_area_resize_keeps_the_mean_and_the_range(height, width, size):
    x = np.random.default_rng(height * 41 + width).uniform(0, 255, (height, width, 3))
    y = area_resize(x, size)
    np.testing.assert_allclose(y.mean((0, 1)), x.mean((0, 1)))
    assert y.min() >= x.min() - 1e-9
    assert y.max() <= x.max() + 1e-9


@given(scale=st.floats(0.1, 10), offset=st.floats(-100, 100))
def test_standardise_forgets_scale_and_offset(scale, offset):
    x = np.random.default_rng(0).normal(size=(4, 5, 3))
    np.testing.assert_allclose(standardise(scale * x + offset), standardise(x), atol=1e-9)


@given(scale=st.floats(0.1, 10))
def test_normalised_difference_forgets_brightness(scale):
    x = np.random.default_rng(0).uniform(1, 255, (4, 5, 3))
    np.testing.assert_allclose(
        normalised_difference(scale * x, 0.0), normalised_difference(x, 0.0), atol=1e-12
    )
    assert np.abs(normalised_difference(x)).max() <= 1


def test_integers_do_not_wrap():
    x = np.array([[200], [100]], np.uint8)
    assert normalised_difference(x)[0, 0] == pytest.approx(-100 / 300)


def test_black_pixels_give_zero_and_epsilon_damps_their_noise():
    x = np.array([[0.0, 2.0], [0.0, 4.0]])
    assert normalised_difference(x).tolist() == [[0, pytest.approx(1 / 3)]]
    assert normalised_difference(x, 16.0)[0, 1] == pytest.approx(2 / 22)


def test_what_does_not_change_gives_zero_not_nan():
    still = np.full((4, 16, 16, 3), 7.3)
    assert not standardise(still).any()
    assert not small_input(still, InputSpec(small_size=(1, 1))).any()


def test_arrays_and_tensors_give_the_same():
    x = RNG.uniform(0, 255, (5, 32, 48, 3))
    t = torch.from_numpy(x).movedim(-1, 1)
    spec = InputSpec(big_size=(32, 48), small_size=(2, 3))
    for function in (
        standardise,
        normalised_difference,
        lambda v: area_resize(v, (9, 7)),
        lambda v: small_input(v, spec),
        lambda v: big_input(v, spec),
    ):
        np.testing.assert_allclose(
            function(t).movedim(1, -1).numpy(), function(x), rtol=1e-12, atol=1e-12
        )
    for a, b in zip(prepare(x, spec), prepare(t, spec)):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(("n", "m"), [(3, 1), (3, 3), (4, 2), (1, 1)])
def test_prepare_pairs_big_small_and_frames(n, m):
    spec = InputSpec(frames=n, big_frames=m, big_size=(32, 30), small_size=(2, 3))
    big, small = prepare(VIDEO, spec)
    clips = 7 // n
    assert big.shape == (clips, m, 3, 32, 30)
    assert small.shape == (clips, n, 3, 2, 3)
    everything = np.moveaxis(big_input(VIDEO, spec), -1, 1)
    for c in range(clips):
        for k in range(m):
            np.testing.assert_allclose(big[c, k], everything[c * n + k * (n // m)], atol=1e-5)


@given(rows=st.integers(0, 20), frames=st.integers(1, 6))
def test_clips_keep_order_and_drop_only_the_tail(rows, frames):
    x = np.arange(rows * 2).reshape(rows, 2)
    clips = make_clips(x, frames)
    assert clips.shape == (rows // frames, frames, 2)
    np.testing.assert_array_equal(clips.reshape(-1, 2), x[: rows // frames * frames])


def test_bad_input_is_named():
    with pytest.raises(InputError, match="needs at least 2"):
        normalised_difference(np.zeros((1, 3)))
    with pytest.raises(InputError, match="cannot resize"):
        area_resize(np.zeros((4, 4)), (2, 2))
    with pytest.raises(InputError, match="cannot resize"):
        area_resize(np.zeros((0, 4, 3)), (2, 2))
    with pytest.raises(InputError, match="at least 1 frame"):
        make_clips(np.zeros(3), 0)
