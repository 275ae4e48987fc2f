"""Follow one face through a video and give a crop box that stands still.

A crop that moves by a pixel shifts every edge in the picture and drowns the pulse in the
frame differences. `FaceTracker` therefore holds its box exactly fixed until the
face has clearly moved, and then moves it in one step, which the caller sees as a changed
box and can treat as a cut.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable
from typing import Any

from bigsmall.exceptions import InputError
from bigsmall.video.boxes import Box, crop, overlap, parse_crop, square_around, square_box
from bigsmall.video.detectors import Detector, make_detector
from bigsmall.video.frames import Image, finite, positive

__all__ = ["Box", "Detector", "FaceTracker", "crop", "make_detector", "parse_crop", "square_box"]

# Two detections of one face agree at least this much (intersection over union). Boxes of a
# still face agree to 0.8 or more; those of a face moving by a third of its width to 0.5.
_AGREE = 0.3
# Below this overlap a detection is somewhere else, not the tracked face.
_SAME = 0.1


class FaceTracker:
    """A fixed square crop around one face, moved only when the face has moved.

    Call `update` for every frame. What it decides:

    - *How often it looks.* While a face is tracked and still, the detector runs every
      `every` seconds (at 30 fps each 30th frame). When the face is missed, or has moved
      and this must be confirmed, it runs again after `search` seconds (each 6th frame);
      the wait doubles with every further miss, up to `every`. Other frames cost nothing.
    - *The box.* A square around the centre of the face, side `margin` times the longer
      side of the detected box, at most the shorter side of the picture, shifted to lie
      inside it.
    - *When it moves.* The first detection sets the box at once, so that a video is
      measured from its first frame. Afterwards the box stays exactly the same until two
      detections in a row, which agree with each other, would shift the square by more
      than `move` times its side or change its side by more than `resize`; then it goes
      to the square around their median in one step. Slower or smaller motion is left to
      the margin.
    - *Outliers.* A detection that does not touch the tracked face is ignored, unless a
      second one agrees with it and the tracked face has not been seen for `every` seconds.
    - *Several faces.* The largest is taken; once a face is tracked, the detection that
      overlaps it most is, whatever the size of the others. A box within a larger one
      does not count as a face of its own. Several faces are recorded once in `notes`.
    - *A face that leaves.* The box is held for `hold` seconds after the last detection;
      then the answer is None until a face is found again, which sets a new box at once.
    - *A new video.* A time before the previous one, or another picture size, starts anew.

    Args:
        detector: "haar", "yunet" or a callable (see
            `bigsmall.video.detectors.make_detector`).
        every: seconds between detections, > 0.
        search: seconds to the next detection after a miss or a motion, > 0.
        margin: side of the square over the longer side of the face, >= 1. The default is
            that of the paper's code for the rPPG data sets.
        hold: seconds to keep the box without a detection, >= 0.
        move: shift of the centre, as a part of the side, that counts as motion, > 0.
        resize: relative change of size that counts as motion, > 0.

    Attributes:
        notes: what the user should know, one line each.

    Raises:
        InputError: an argument out of range, or an unknown detector.

    Example:
        >>> import numpy as np
        >>> tracker = FaceTracker(lambda image: [(40, 30, 20, 20)])
        >>> tracker.update(0.0, np.zeros((100, 100, 3), np.uint8))
        Box(x=35, y=25, width=30, height=30)
    """

    def __init__(
        self,
        detector: str | Callable[[Image], Iterable[Any]] = "haar",
        *,
        every: float = 1.0,
        search: float = 0.2,
        margin: float = 1.5,
        hold: float = 2.0,
        move: float = 0.15,
        resize: float = 0.2,
    ) -> None:
        self._every = positive(every, "every", "seconds")
        self._search = min(positive(search, "search", "seconds"), self._every)
        self._margin = positive(margin, "margin", "face widths")
        self._hold = finite(hold, "hold", "seconds")
        self._move = positive(move, "move", "crop sides")
        self._resize = positive(resize, "resize", "relative change")
        if self._margin < 1:
            raise InputError(f"margin is {margin!r}; expected 1 or more, or the face is cut")
        if self._hold < 0:
            raise InputError(f"hold is {hold!r}; expected 0 seconds or more")
        self._detect = make_detector(detector)
        self.reset()

    def reset(self) -> None:
        """Forget the face and the notes, for another video."""
        self.notes: list[str] = []
        self._size: tuple[int, int] = (0, 0)
        self._last = -math.inf
        self._due = -math.inf
        self._misses = 0
        self._forget()

    def _forget(self) -> None:
        self._seen = self._looked = -math.inf
        self._box: Box | None = None
        self._face: Box | None = None  # the last detection of the tracked face
        self._moved: list[Box] = []  # detections that wait to be confirmed

    def update(self, time: float, image: Image) -> Box | None:
        """Take the next frame.

        Args:
            time: seconds, increasing.
            image: height x width x 3, uint8, RGB.

        Returns:
            The square to cut out, inside the picture; None while there is no face.

        Raises:
            InputError: the detector is your own and returned something else than boxes.
        """
        height, width = image.shape[:2]
        if time < self._last or (height, width) != self._size:
            self.reset()
            self._size = (height, width)
        self._last = time
        # A thousandth of a second of room: time stamps are rounded.
        if time >= self._due - 1e-3:
            found = self._detect(image)
            self._looked = time
            self._misses = 0 if found else self._misses + 1
            settled = self._look(time, found)
            again = min(self._every, self._search * 2 ** max(0, min(self._misses - 1, 30)))
            self._due = time + (self._every if settled else again)
        # Only after a look in vain: between two looks the face may well be there.
        if self._box is not None and self._looked > self._seen and time - self._seen > self._hold:
            self._forget()
        return self._box

    def _look(self, time: float, found: list[Box]) -> bool:
        """Take in the result of a detection; return whether nothing needs confirming."""
        faces = _distinct(found)
        if len(faces) > 1 and not self.notes:
            self.notes.append(f"{len(faces)} faces seen: the largest was used")
        if not faces:
            self._moved = []
            return False
        if self._face is None:
            self._place(time, faces[0])
            return True
        known = self._face
        face = max(faces, key=lambda box: (overlap(box, known), box.area))
        same = overlap(face, known) >= _SAME
        absent = time - self._seen
        if same:
            self._face, self._seen = face, time
            if not self._has_moved(face):
                self._moved = []
                return True
        elif self._moved:
            face = max(faces, key=lambda box: overlap(box, self._moved[-1]))
        if self._moved and overlap(face, self._moved[-1]) < _AGREE:
            self._moved = []
        self._moved.append(face)
        if len(self._moved) > 1 and (same or absent >= self._every - 1e-3):
            self._place(time, _median(self._moved))
            return True
        return False

    def _has_moved(self, face: Box) -> bool:
        """Whether the square around `face` differs from the present one by enough."""
        if self._box is None:
            return True
        box, square = self._box, square_around(face, self._margin, *self._size)
        (x, y), (box_x, box_y) = square.centre, box.centre
        far = math.hypot(x - box_x, y - box_y) > self._move * box.width
        return far or abs(math.log(square.width / box.width)) > math.log1p(self._resize)

    def _place(self, time: float, face: Box) -> None:
        self._face, self._seen = face, time
        self._moved = []
        self._box = square_around(face, self._margin, *self._size)


def _distinct(boxes: list[Box]) -> list[Box]:
    """Sort by size, largest first, and leave out boxes whose centre lies in a larger one."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: -box.area):
        x, y = box.centre
        within = (
            other.x <= x <= other.x + other.width and other.y <= y <= other.y + other.height
            for other in kept
        )
        if not any(within):
            kept.append(box)
    return kept


def _median(boxes: list[Box]) -> Box:
    x, y, width, height = (round(statistics.median(part)) for part in zip(*boxes, strict=True))
    return Box(x, y, width, height)
