"""Boxes: squares inside the picture, crops, and what a user may type."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigsmall.exceptions import InputError
from bigsmall.video import Box, crop, parse_crop, square_box
from bigsmall.video.boxes import overlap, square_around

SETTINGS = settings(max_examples=50, deadline=None)
PICTURE = np.zeros((240, 320, 3), np.uint8)


@SETTINGS
@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.builds(
        Box, st.integers(0, 300), st.integers(0, 300), st.integers(1, 300), st.integers(1, 300)
    ),
    st.floats(1, 3),
)
def test_square_around_lies_inside(height: int, width: int, box: Box, margin: float) -> None:
    square = square_around(box, margin, height, width)
    assert square.width == square.height <= min(height, width)
    assert crop(np.zeros((height, width, 3), np.uint8), square).size > 0


@SETTINGS
@given(st.integers(1, 50), st.integers(1, 50), st.sampled_from(["centre", "top", "bottom"]))
def test_square_box_is_the_largest(height: int, width: int, policy: str) -> None:
    box = square_box(height, width, policy)
    assert box.width == box.height == min(height, width)
    spare = height - box.height
    assert box.y == {"centre": spare // 2, "top": 0, "bottom": spare}[policy]
    assert box.x == (width - box.width) // 2


def test_overlap_against_counting_pixels() -> None:
    one, other = Box(3, 4, 20, 10), Box(10, 2, 25, 8)
    masks = np.zeros((2, 40, 40), bool)
    for mask, box in zip(masks, (one, other), strict=True):
        mask[box.y : box.y + box.height, box.x : box.x + box.width] = True
    assert overlap(one, other) == pytest.approx((masks[0] & masks[1]).sum() / masks.any(0).sum())


def test_crop_is_a_view() -> None:
    part = crop(PICTURE, Box(10, 20, 30, 40))
    assert part.shape == (40, 30, 3)
    assert np.shares_memory(part, PICTURE)
    for box in (Box(-1, 0, 5, 5), Box(300, 0, 30, 30), Box(0, 0, 0, 5), Box(0, 230, 5, 20)):
        with pytest.raises(InputError, match="does not fit in a picture of 320 x 240"):
            crop(PICTURE, box)


@pytest.mark.parametrize(
    "text", ["1,2,3,4", " 1, 2, 3, 4 ", "1 2 3 4", [1, 2, 3, 4], (1.0, 2, 3, 4)]
)
def test_parse_crop(text: Any) -> None:
    assert parse_crop(text) == Box(1, 2, 3, 4)


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,3,0", "-1,2,3,4", (1.5, 2, 3, 4), 7, None]
)
def test_parse_crop_refuses(text: Any) -> None:
    with pytest.raises(InputError, match="expected four whole numbers"):
        parse_crop(text)


def test_unknown_policy() -> None:
    with pytest.raises(InputError, match="did you mean 'centre'"):
        square_box(10, 10, "center")
