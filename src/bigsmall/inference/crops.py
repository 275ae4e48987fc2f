"""From a video to small pictures of one region, in pairs that never mix two crops.

The region moves with the face, but a crop that moves between two frames looks like motion of
everything. So the difference of two frames is always taken between two crops by the same box:
where the box changes, the frame is cut twice, once to end the old box, once to begin the new.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bigsmall.exceptions import InputError
from bigsmall.transforms import area_resize
from bigsmall.video import Box, FaceTracker, VideoSource, crop, parse_crop, square_box

MARGIN = 2.0
"""Side of the crop over that of the face box: the shoulders, which breathing moves, are in it."""

PAUSE = 1.0
"""A gap in the time stamps longer than this, in seconds, ends a stretch."""


@dataclass(frozen=True)
class Cut:
    """One frame, cut and resized.

    Attributes:
        time: seconds.
        picture: `(H, W, 3)` float32, 0 to 255, by the box that holds from this frame on.
        before: the same frame by the box of the frame before; None at the start of a stretch.
    """

    time: float
    picture: np.ndarray
    before: np.ndarray | None


class Cutter:
    """Iterates over a video and yields a `Cut` for each frame in which the region is seen.

    Args:
        video: the frames.
        where: `"face"`, `"none"` for the largest square in the middle, or a box
            `(x, y, width, height)`.
        detector: see `bigsmall.video.make_detector`; used for `"face"` only.
        size: height and width of the pictures.

    Attributes:
        notes: what happened, one line each.
        frames: frames read so far.
        example: a crop at full resolution from early in the video, uint8, or None.
    """

    def __init__(
        self, video: VideoSource, where: str | Sequence[int], detector: Any, size: tuple[int, int]
    ) -> None:
        """Check what is asked for."""
        self._video, self._size = video, size
        self._tracker: FaceTracker | None = None
        self._box: Box | None = None
        if isinstance(where, str) and where == "face":
            self._tracker = FaceTracker(detector, margin=MARGIN)
        elif isinstance(where, str) and where == "none":
            self._box = square_box(video.height, video.width)
        elif isinstance(where, str) and not any(letter.isdigit() for letter in where):
            raise InputError(
                f"cannot read the crop {where!r}; expected 'face', 'none' or x,y,width,height"
            )
        else:
            self._box = parse_crop(where)
            if self._box.x >= video.width or self._box.y >= video.height:
                raise InputError(
                    f"crop {tuple(self._box)} lies outside the picture of "
                    f"{video.width} x {video.height} pixels"
                )
        self.frames = 0
        self.example: np.ndarray | None = None

    @property
    def notes(self) -> list[str]:
        """What the face tracker has to say."""
        return list(self._tracker.notes) if self._tracker is not None else []

    @property
    def on_face(self) -> bool:
        """Whether the pictures are face boxes with a margin around."""
        return self._tracker is not None

    def __iter__(self) -> Iterator[Cut]:
        """Yield the cuts in order."""
        box: Box | None = None
        last = -np.inf
        for time, image in self._video:
            self.frames += 1
            new = self._box if self._tracker is None else self._tracker.update(time, image)
            if new is None:
                box = None
                continue
            if time - last > PAUSE:
                box = None
            picture = self._cut(image, new)
            before = None
            if box is not None:
                before = picture if box == new else self._cut(image, box)
            if self.example is None:
                self.example = np.ascontiguousarray(crop(image, new))
            box, last = new, time
            yield Cut(time, picture, before)

    def _cut(self, image: np.ndarray, box: Box) -> np.ndarray:
        return area_resize(crop(image, box), self._size)
