"""A decoded picture to an upright RGB array.

Conversion to RGB uses swscale's plain way. Its full-chroma way is five to ten times
slower and differs by a few levels at most, the same in every frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bigsmall.exceptions import MissingExtraError
from bigsmall.video.frames import Damaged, Image


def import_av() -> Any:
    """Import PyAV.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import av
        import av.error
    except ImportError as error:
        raise MissingExtraError("PyAV", "video") from error
    return av


def orientation(frame: Any) -> tuple[int, bool]:
    """Read how a decoded frame must be turned to stand upright.

    The display matrix of the container maps the stored picture to the shown one. It is
    read as a whole because `av.VideoFrame.rotation` alone cannot tell a mirrored
    picture from one turned by 180 degrees.

    Returns:
        Quarter turns counter-clockwise (0 to 3), and whether the picture must first be
        mirrored left to right.
    """
    try:
        data = frame.side_data["DISPLAYMATRIX"]
    except (KeyError, TypeError, ValueError):
        # ValueError: PyAV 18 lists no side data at all where one kind is unknown to it.
        data = None
    if data is None:
        return round(getattr(frame, "rotation", 0) / 90) % 4, False
    a, b, _, c, d = (int(value) for value in np.frombuffer(data, dtype="<i4")[:5])
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    if abs(a) >= abs(b):
        return (0 if a >= 0 else 2), mirrored
    return (1 if b < 0 else 3), mirrored


def upright(image: Image, turns: int, mirrored: bool) -> Image:
    """Mirror an image left to right if asked, then turn it counter-clockwise.

    Args:
        image: height x width x 3, uint8.
        turns: quarter turns counter-clockwise, 0 to 3.
        mirrored: whether to mirror first.

    Returns:
        The same array if there is nothing to do, else a contiguous copy.

    Example:
        >>> image = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)
        >>> upright(image, 1, False)[:, 0, 0]
        array([3, 0], dtype=uint8)
    """
    if turns == 0 and not mirrored:
        return image
    # Three bytes moved as one item: more than twice as fast as turning (H, W, 3).
    pixels = image.view(np.dtype("V3"))[..., 0]
    if mirrored:
        pixels = pixels[:, ::-1]
    turned = np.ascontiguousarray(np.rot90(pixels, turns))
    return turned.view(np.uint8).reshape(*turned.shape, 3)


class Converter:
    """A decoded frame to an upright RGB array; holds the scaler between frames."""

    def __init__(self, av: Any) -> None:
        from av.video.reformatter import VideoReformatter

        self._av = av
        self._reformatter = VideoReformatter()
        self._options: dict[str, int] = {"threads": 1}

    def __call__(self, frame: Any) -> Image:
        """Convert one frame."""
        try:
            rgb = self._reformatter.reformat(frame, format="rgb24", **self._options)
        except TypeError:
            # Older PyAV has no such option; newer ones start threads for every small frame.
            if not self._options:
                raise
            self._options = {}
            rgb = self._reformatter.reformat(frame, format="rgb24")
        except (self._av.error.FFmpegError, ValueError) as error:
            raise Damaged(f"a picture of format {frame.format.name} cannot be shown") from error
        image: Image = rgb.to_ndarray().astype(np.uint8, copy=False)
        return upright(image, *orientation(frame))
