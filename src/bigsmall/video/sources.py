"""The kinds of source besides a video file: an array, a folder of images, an iterable.

Each class offers what `bigsmall.video.frames.Reader` asks for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterable, Sized
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from bigsmall.exceptions import InputError, VideoError
from bigsmall.video.decode import read_image
from bigsmall.video.frames import Damaged, Image, as_image, check_layout, check_size, finite

_IMAGES = {".png", ".jpg", ".jpeg", ".bmp"}
_STAMPED = re.compile(r"Image(\d{16,20})")


class ArrayReader:
    """Frames of an array (frames, height, width, 3); `fps` is required."""

    even = True

    fps: float | None

    def __init__(self, array: np.ndarray[Any, Any], fps: float | None) -> None:
        rate = _required(fps, "an array")
        check_layout(array.shape, array.dtype, "the video array", "frames, height, width, 3")
        self.name = "array"
        self.n_frames: int | None = array.shape[0]
        self.height, self.width = array.shape[1:3]
        self.fps = rate
        self.seconds: float | None = self.n_frames / rate
        self._rate = rate
        self._array = array

    def read(self, start: float) -> Generator[tuple[float | None, Any], None, None]:
        """Yield (time, index), from shortly before `start`."""
        for index in range(max(0, int(start * self._rate) - 1), len(self._array)):
            yield index / self._rate, index

    def image(self, item: int) -> Image:
        """Check and convert one frame."""
        return as_image(self._array[item], f"frame {item}")


class FolderReader:
    """Images of a folder, in natural order of their names."""

    def __init__(self, path: str, fps: float | None) -> None:
        names = [
            name
            for name in os.listdir(path)
            if Path(name).suffix.lower() in _IMAGES and not name.startswith(".")
        ]
        if not names:
            raise VideoError(f"the folder '{path}' holds no image (png, jpg, jpeg, bmp)")
        names.sort(key=_natural)
        self._paths = [os.path.join(path, name) for name in names]
        stamps = [_STAMPED.fullmatch(Path(name).stem) for name in names]
        if fps is None and len(names) > 1 and all(stamps):
            begin = int(stamps[0].group(1)) if stamps[0] else 0
            self._times = [(int(stamp.group(1)) - begin) * 1e-9 for stamp in stamps if stamp]
            rate = (len(names) - 1) / max(self._times[-1], 1e-9)
        else:
            rate = _required(fps, f"the folder '{path}'")
            self._times = [index / rate for index in range(len(names))]
        self.even = fps is not None
        self.name = path
        self.fps: float | None = rate
        self.n_frames: int | None = len(names)
        self.seconds: float | None = self._times[-1] + 1 / rate
        try:
            self.height, self.width = read_image(self._paths[0]).shape[:2]
        except Damaged as error:
            raise VideoError(str(error)) from error

    def read(self, start: float) -> Generator[tuple[float | None, Any], None, None]:
        """Yield (time, path), from shortly before `start`."""
        for time, path in zip(self._times, self._paths, strict=True):
            if time >= start - 1:
                yield time, path

    def image(self, item: str) -> Image:
        """Read one image file."""
        return check_size(read_image(item), self.height, self.width, f"the image '{item}'")


class IterableReader:
    """Images or (seconds, image) pairs from any iterable.

    The first item is taken at once, to learn the size; a one-shot iterable keeps it for
    its only pass.
    """

    even = False

    def __init__(self, source: Iterable[Any], fps: float | None) -> None:
        self._source = source
        items = iter(source)
        item = next(items, None)
        if item is None:
            raise InputError("the iterable holds no frames; expected images or (time, image) pairs")
        self._once = chain([item], items) if items is source else None
        self._fresh = True
        self._paired = isinstance(item, tuple | list) and len(item) == 2
        self.name = "frames"
        self.fps = fps if self._paired else _required(fps, "an iterable of images")
        self._origin, image = self._split(item, 0)
        self.height, self.width = image.shape[:2]
        self.n_frames = len(source) if isinstance(source, Sized) else None
        self.seconds = self.n_frames / self.fps if self.n_frames and self.fps else None

    def read(self, start: float) -> Generator[tuple[float | None, Any], None, None]:
        """Yield (time or None, image); fails where they can be read only once and were."""
        if self._once is not None and not self._fresh:
            raise InputError(
                "these frames were read before and can be read only once; "
                "pass a list or an array to read them again"
            )
        self._fresh = False
        return self._items(self._source if self._once is None else self._once)

    def image(self, item: Image) -> Image:
        """Return the image, which was checked when it was taken."""
        return item

    def _items(self, items: Iterable[Any]) -> Generator[tuple[float | None, Any], None, None]:
        """Yield (time, index), from shortly before `start`."""
        for index, item in enumerate(items):
            time, image = self._split(item, index)
            if time is not None and self._origin is not None:
                time -= self._origin
            yield time, check_size(image, self.height, self.width, f"frame {index}")

    def _split(self, item: Any, index: int) -> tuple[float | None, Image]:
        if not self._paired:
            return None, as_image(item, f"frame {index}")
        if not (isinstance(item, tuple | list) and len(item) == 2):
            raise InputError(f"item {index} is no (time, image) pair, but the first one was")
        time, image = item
        stamp = None if time is None else finite(time, f"the time of frame {index}", "seconds")
        return stamp, as_image(image, f"frame {index}")


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key by which `img9` comes before `img10`."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def _required(fps: float | None, what: str) -> float:
    if fps is None:
        raise InputError(f"{what} has no time stamps; give its frame rate: fps=30, for example")
    return fps
