"""One frame, its time stamp, and what every source of frames must offer.

An image is height x width x 3, uint8, RGB. Times are in seconds and start at 0 with the
first frame of the video. `Clock` repairs time stamps; `as_image` checks and
converts what a user hands over as a frame.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bigsmall.exceptions import InputError, VideoError

Image = NDArray[np.uint8]

# A clock that jumps back by more than this has been restarted (joined recordings).
_RESTART = 1.0


class Frame(NamedTuple):
    """One picture of a video.

    Attributes:
        time: seconds from the first frame of the video, strictly increasing.
        image: height x width x 3, uint8, RGB. Its rows may be padded in memory, so it is
            not always contiguous. Do not write to it: it may be the caller's own array.
    """

    time: float
    image: Image


class Damaged(VideoError):
    """The source cannot be read any further; what came before is good."""


class Reader(Protocol):
    """What `bigsmall.video.reader.VideoSource` needs from a kind of source.

    `read(start)` gives (time stamp or None, item) in order, beginning at or before
    `start`; `image(item)` turns an item into an image, only for frames that are used.
    `even` says that frames are spaced by a given rate, whatever the stamps were.
    Both raise `Damaged` where the source goes bad.
    """

    name: str
    width: int
    height: int
    fps: float | None
    n_frames: int | None
    seconds: float | None
    even: bool

    def read(self, start: float) -> Generator[tuple[float | None, Any], None, None]:
        """Iterate over (seconds from the first frame or None, item)."""
        ...

    def image(self, item: Any) -> Image:
        """Convert an item of `read` into an upright RGB image."""
        ...


class Clock:
    """Turn raw time stamps into strictly increasing times.

    A missing stamp becomes the previous time plus one frame. A stamp that does not
    increase marks a frame to drop, except where it falls back by more than a second: then
    the clock was restarted, and time goes on one frame after the previous one.

    Args:
        step: seconds between frames, for missing stamps; None where it is not known.

    Example:
        >>> clock = Clock(0.04)
        >>> [clock(stamp) for stamp in (0.0, 0.04, 0.04, None, 0.12)]
        [0.0, 0.04, None, 0.08, 0.12]
    """

    def __init__(self, step: float | None) -> None:
        self._step = step
        self._shift = 0.0
        self._index = 0
        self._first: float | None = None
        self._last: float | None = None

    def __call__(self, stamp: float | None) -> float | None:
        """Return the time of the next frame in seconds, or None to drop the frame."""
        time = self._after_last() if stamp is None else stamp + self._shift
        if self._last is not None and time <= self._last:
            if self._last - time <= _RESTART:
                return None
            restarted = self._after_last()
            self._shift += restarted - time
            time = restarted
        if self._first is None:
            self._first = time
        self._last = time
        self._index += 1
        return time

    def _after_last(self) -> float:
        if self._last is None or self._first is None:
            return 0.0
        step = self._step
        if step is None and self._index > 1:
            step = (self._last - self._first) / (self._index - 1)
        if step is None:
            raise InputError("a frame has no time stamp and the frame rate is unknown; give fps")
        return self._last + step


def positive(value: Any, name: str, unit: str) -> float:
    """Return `value` as a float if it is a finite number above zero.

    Raises:
        InputError: it is not.

    Example:
        >>> positive(30, "fps", "frames per second")
        30.0
    """
    number = finite(value, name, unit)
    if number <= 0:
        raise InputError(f"{name} is {value!r}; expected a number of {unit} above 0")
    return number


def finite(value: Any, name: str, unit: str) -> float:
    """Return `value` as a float if it is a finite number.

    Raises:
        InputError: it is not a number, or NaN or infinite.
    """
    try:
        number = math.nan if isinstance(value, str | bytes | bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{name} is {value!r}; expected a number of {unit}")
    return number


def to_numpy(array: Any) -> Any:
    """Return a torch tensor as a numpy array without copying where it can; else `array`."""
    if hasattr(array, "detach") and hasattr(array, "cpu"):
        tensor = array.detach().cpu()
        if tensor.is_floating_point() and tensor.element_size() < 4:
            tensor = tensor.float()  # numpy has no bfloat16
        return tensor.numpy()
    return array


def check_layout(shape: tuple[int, ...], dtype: np.dtype[Any], what: str, expected: str) -> None:
    """Check that the last three axes are height x width x 3 and the type is usable.

    Raises:
        InputError: naming `what` was got and the `expected` shape.
    """
    axes = len(expected.split(","))
    if len(shape) != axes or shape[-1] != 3:
        hint = ""
        if len(shape) == axes and shape[-3] == 3:
            hint = "; this is channels-first: move axis -3 to the end"
        elif len(shape) == axes and shape[-1] == 4:
            hint = "; drop the alpha channel"
        raise InputError(f"{what} has shape {shape}; expected ({expected}){hint}")
    if 0 in shape:
        raise InputError(f"{what} has shape {shape}: it holds no pixels")
    if dtype != np.uint8 and not np.issubdtype(dtype, np.floating):
        raise InputError(f"{what} has type {dtype}; expected uint8, or float in 0..1")


def as_image(array: Any, what: str) -> Image:
    """Check one frame and return it as uint8.

    uint8 is passed through without a copy; floats in 0..1 are multiplied by 255 and
    rounded.

    Args:
        array: numpy array or torch tensor, shape (height, width, 3), uint8 or float.
        what: how an error message calls it.

    Returns:
        The image, shape (height, width, 3), uint8.

    Raises:
        InputError: another shape or type, NaN, or a float outside 0..1.

    Example:
        >>> as_image(np.full((2, 2, 3), 0.5), "frame 0")[0, 0]
        array([128, 128, 128], dtype=uint8)
    """
    image = to_numpy(array)
    if not isinstance(image, np.ndarray):
        raise InputError(
            f"{what} is a {type(array).__name__}; expected an array of shape (height, width, 3)"
        )
    check_layout(image.shape, image.dtype, what, "height, width, 3")
    if image.dtype == np.uint8:
        return image
    low, high = float(image.min()), float(image.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError(f"{what} contains NaN or infinite values")
    # A thousandth of room: interpolation and half precision overshoot a little.
    if low < -1e-3 or high > 1.001:
        raise InputError(
            f"{what} has values from {low:g} to {high:g}; expected floats in 0..1, or uint8"
        )
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def check_size(image: Image, height: int, width: int, what: str) -> Image:
    """Return `image` if it is height x width.

    Raises:
        InputError: the size differs from that of the first frame.
    """
    if image.shape[:2] != (height, width):
        raise InputError(
            f"{what} is {image.shape[1]} x {image.shape[0]} pixels, the first one is "
            f"{width} x {height}; all must have one size"
        )
    return image
