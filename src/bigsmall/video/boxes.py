"""Crop boxes: what part of the picture is looked at.

A box is `(x, y, width, height)` in whole pixels, origin at the top left, x to the right
and y downwards: the order of OpenCV, not rows first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from bigsmall.exceptions import InputError
from bigsmall.video.frames import Image, finite

_POLICIES = ("centre", "top", "bottom")


class Box(NamedTuple):
    """A rectangle in pixels.

    Attributes:
        x: column of the left edge.
        y: row of the upper edge.
        width: number of columns.
        height: number of rows.
    """

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) of the middle."""
        return self.x + self.width / 2, self.y + self.height / 2


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0 to 1.

    Example:
        >>> overlap(Box(0, 0, 10, 10), Box(5, 0, 10, 10)) == 50 / 150
        True
    """
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(0, width) * max(0, height)
    return shared / max(1, one.area + other.area - shared)


def crop(image: Image, box: Box) -> Image:
    """Cut a box out of an image.

    Args:
        image: height x width x 3, uint8.
        box: lies within the image.

    Returns:
        A view of the image, box.height x box.width x 3.

    Raises:
        InputError: the box is empty or reaches beyond the image.

    Example:
        >>> import numpy as np
        >>> crop(np.zeros((48, 64, 3), np.uint8), Box(8, 4, 20, 10)).shape
        (10, 20, 3)
    """
    height, width = image.shape[:2]
    fits = box.x >= 0 and box.y >= 0 and box.width > 0 and box.height > 0
    if not fits or box.x + box.width > width or box.y + box.height > height:
        raise InputError(
            f"the crop {box.x},{box.y},{box.width},{box.height} (x,y,width,height) does not fit "
            f"in a picture of {width} x {height} pixels"
        )
    return image[box.y : box.y + box.height, box.x : box.x + box.width]


def square_box(height: int, width: int, policy: str = "centre") -> Box:
    """Return the largest square of a picture.

    Args:
        height: of the picture, pixels.
        width: of the picture, pixels.
        policy: where a portrait picture is cut: "centre", "top" (keeps the upper end) or
            "bottom" (keeps the lower end, as the paper's code does for BP4D+). A
            landscape picture is cut evenly left and right under every policy.

    Returns:
        A square box with side min(height, width).

    Raises:
        InputError: an unknown policy.

    Example:
        >>> square_box(1392, 1040, "bottom")
        Box(x=0, y=352, width=1040, height=1040)
        >>> square_box(480, 640, "bottom")
        Box(x=80, y=0, width=480, height=480)
    """
    if policy not in _POLICIES:
        raise InputError(f"unknown crop '{policy}'{nearest(policy, _POLICIES)}")
    side = min(height, width)
    spare = height - side
    y = {"centre": spare // 2, "top": 0, "bottom": spare}[policy]
    return Box((width - side) // 2, y, side, side)


def square_around(box: Box, margin: float, height: int, width: int) -> Box:
    """Return a square around a box, moved and limited to stay inside the picture.

    Args:
        box: the face.
        margin: side of the square over the longer side of the box.
        height: of the picture, pixels.
        width: of the picture, pixels.

    Example:
        >>> square_around(Box(10, 20, 40, 30), 1.5, 100, 200)
        Box(x=0, y=5, width=60, height=60)
    """
    side = max(1, min(round(margin * max(box.width, box.height)), height, width))
    x, y = (round(middle - side / 2) for middle in box.centre)
    return Box(min(max(x, 0), width - side), min(max(y, 0), height - side), side, side)


def parse_crop(crop: str | Sequence[int]) -> Box:
    """Read a fixed crop.

    Args:
        crop: "x,y,width,height" or four whole numbers, pixels.

    Raises:
        InputError: anything else, a negative corner or an empty box.

    Example:
        >>> parse_crop("80, 0, 480, 480")
        Box(x=80, y=0, width=480, height=480)
    """
    expected = "expected four whole numbers x,y,width,height, such as 80,0,480,480"
    try:
        parts: list[Any] = re.split(r"[,\s]+", crop.strip()) if isinstance(crop, str) else [*crop]
        values = [int(part) for part in parts]
        exact = all(isinstance(part, str) or part == int(part) for part in parts)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"cannot read the crop {crop!r}; {expected}") from error
    if len(values) != 4 or not exact:
        raise InputError(f"cannot read the crop {crop!r}; {expected}")
    box = Box(*values)
    if min(box.x, box.y) < 0 or min(box.width, box.height) < 1:
        raise InputError(f"the crop {crop!r} is empty or begins outside the picture; {expected}")
    return box


def as_box(value: Any, height: int, width: int) -> Box | None:
    """Check a box from a detector, round it, and cut it to the picture.

    Returns:
        The box, or None where it lies wholly outside the picture.

    Raises:
        InputError: not four finite numbers, or an empty box.
    """
    try:
        numbers = [finite(number, "a number of the face box", "pixels") for number in value]
    except TypeError as error:
        raise InputError(
            f"the face detector returned {value!r}; expected a list of boxes (x, y, width, height)"
        ) from error
    if len(numbers) != 4 or numbers[2] <= 0 or numbers[3] <= 0:
        raise InputError(
            f"the face detector returned the box {tuple(numbers)}; "
            "expected (x, y, width, height) with width and height above 0"
        )
    x, y, w, h = numbers
    left, top = max(0, round(x)), max(0, round(y))
    right, bottom = min(width, round(x + w)), min(height, round(y + h))
    return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None


def nearest(name: str, known: Sequence[str]) -> str:
    """Return the end of an error message for an unknown name: the nearest and all names.

    Example:
        >>> nearest("center", ["centre", "top"])
        "; did you mean 'centre'? known: centre, top"
    """
    close = get_close_matches(str(name), known, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ";"
    return f"{hint} known: {', '.join(known)}"
