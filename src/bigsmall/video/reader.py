"""Open anything that holds a video and get its frames one by one.

`open_video` accepts a video file, a folder of images, an array or tensor, or any
iterable of images, and returns a `VideoSource`. Iterating over that gives
`bigsmall.video.frames.Frame` (time, image) lazily: memory does not grow with the
length of the video.

Conventions: an image is height x width x 3, uint8, RGB, upright; a time is in seconds from
the first frame *of the video*, also where reading starts later.
"""

from __future__ import annotations

import math
import os
from collections.abc import Generator, Iterable, Iterator
from typing import Any

import numpy as np

from bigsmall.exceptions import InputError, VideoError
from bigsmall.video.decode import FileReader
from bigsmall.video.frames import Clock, Damaged, Frame, Reader, finite, positive, to_numpy
from bigsmall.video.sources import ArrayReader, FolderReader, IterableReader

# Time stamps are rounded to the container's time base; a frame meant for t may lie just below.
_EPSILON = 1e-6


class VideoSource:
    """Frames of one video, read lazily; made by `open_video`.

    Every iteration starts again from the beginning, except over a generator or another
    one-shot iterable, where a second one raises `InputError`.

    Attributes:
        name: the path, or "array" or "frames".
        width: pixels, after rotation.
        height: pixels, after rotation.
        start: seconds into the video at which reading begins.
        problem: None, or one line saying why reading stopped before the end. It is set
            when an iteration stops early and cleared when a new one starts.

    Example:
        >>> source = open_video(np.zeros((50, 4, 6, 3), np.uint8), fps=25, start=1.0)
        >>> source.width, source.height, source.fps, source.n_frames, source.duration
        (6, 4, 25.0, 25, 1.0)
        >>> [frame.time for frame in source][:2]
        [1.0, 1.04]
    """

    def __init__(self, reader: Reader, start: float, limit: float | None) -> None:
        self._reader = reader
        self._limit = limit
        self._measured: float | None = None
        self._count: int | None = None
        self.name = reader.name
        self.width = reader.width
        self.height = reader.height
        self.start = start
        self.problem: str | None = None

    def __repr__(self) -> str:
        return f"VideoSource({self.name!r}, {self.width} x {self.height}, {self.fps:.2f} fps)"

    @property
    def fps(self) -> float:
        """Frames per second, on average.

        Where frames are evenly spaced by a given rate, that rate. Else (n - 1) / (last -
        first time) once an iteration has ended, and what the file declares before. NaN
        where nothing is known yet: for (time, image) pairs until the second frame.
        """
        if self._reader.even:
            return self._reader.fps or math.nan
        return self._measured or self._reader.fps or math.nan

    @property
    def duration(self) -> float | None:
        """Seconds that will be read, by the file's own account; None if it gives none."""
        seconds = self._reader.seconds
        if seconds is None:
            return None
        left = max(0.0, seconds - self.start)
        return left if self._limit is None else min(left, self._limit)

    @property
    def n_frames(self) -> int | None:
        """Number of frames: counted once an iteration has ended, else an estimate or None."""
        if self._count is not None:
            return self._count
        if self.start == 0 and self._limit is None:
            return self._reader.n_frames
        if self.duration is None or math.isnan(self.fps):
            return None
        return round(self.duration * self.fps)

    def __iter__(self) -> Iterator[Frame]:
        return self._frames(self._reader.read(self.start))

    def _frames(self, items: Generator[tuple[float | None, Any], None, None]) -> Iterator[Frame]:
        self.problem = None
        clock = Clock(1 / self._reader.fps if self._reader.fps else None)
        stop = math.inf if self._limit is None else self.start + self._limit
        first, last, count = 0.0, 0.0, 0
        try:
            for stamp, item in items:
                time = clock(stamp)
                if time is None or time < self.start - _EPSILON:
                    continue
                if time >= stop - _EPSILON:
                    break
                image = self._reader.image(item)
                first = time if count == 0 else first
                last, count = time, count + 1
                if self._reader.fps is None and count > 1:
                    self._measured = (count - 1) / (last - first)
                yield Frame(time, image)
        except Damaged as error:
            self.problem = f"{error} (measured up to {last:.1f} s)"
        finally:
            items.close()
        if count == 0:
            reason = f": {self.problem.partition(' (')[0]}" if self.problem else ""
            raise VideoError(f"'{self.name}' has no frame from {self.start:g} s on{reason}")
        self._count = count
        if count > 1:
            self._measured = (count - 1) / (last - first)


def open_video(
    source: Any,
    *,
    fps: float | None = None,
    start: float = 0.0,
    duration: float | None = None,
) -> VideoSource:
    """Open a video for reading.

    Args:
        source: one of

            - a path to a video file (anything FFmpeg reads) or to a folder of images
              (png, jpg, jpeg, bmp; in natural order);
            - a numpy array or torch tensor, shape (frames, height, width, 3), uint8, or
              float in 0..1;
            - an iterable of images (height, width, 3) of these types, or of (seconds,
              image) pairs, as from a camera.
        fps: frames per second, > 0. Required where there are no time stamps. For a file
            or a folder with time stamps, it replaces them by even spacing; for pairs it
            is only used where a stamp is missing.
        start: seconds to skip, >= 0. A file is entered at the key frame before it.
        duration: seconds to read, > 0; None reads to the end.

    Returns:
        The frames, not yet read.

    Raises:
        VideoError: the file or folder is missing, empty, cut off, not a video, sound
            only, or holds no picture that can be decoded.
        InputError: an array of another shape or type, NaN, a missing or invalid `fps`,
            `start` or `duration`. Later frames are checked while iterating.
        MissingExtraError: PyAV is needed and not installed.

    Example:
        >>> frames = ((0.5 + k / 30, np.zeros((8, 8, 3), np.uint8)) for k in range(4))
        >>> [round(time, 3) for time, image in open_video(frames)]
        [0.0, 0.033, 0.067, 0.1]
    """
    rate = None if fps is None else positive(fps, "fps", "frames per second")
    begin = finite(start, "start", "seconds")
    if begin < 0:
        raise InputError(f"start is {start!r}; expected seconds from the beginning, 0 or more")
    limit = None if duration is None else positive(duration, "duration", "seconds")
    return VideoSource(_reader(source, rate), begin, limit)


def _reader(source: Any, fps: float | None) -> Reader:
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        return FolderReader(path, fps) if os.path.isdir(path) else FileReader(path, fps)
    array = to_numpy(source)
    if isinstance(array, np.ndarray):
        return ArrayReader(array, fps)
    if isinstance(source, Iterable):
        return IterableReader(source, fps)
    raise InputError(
        f"cannot read a video from {type(source).__name__}; expected a path, an array of shape "
        "(frames, height, width, 3), or an iterable of images"
    )
