"""Write frames as a video file.

`write_video` stores height x width x 3 uint8 RGB images as H.264, either evenly
spaced or with time stamps of their own, and never leaves half a file behind.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from bigsmall.exceptions import InputError, OutputError
from bigsmall.files import replace_atomically
from bigsmall.video.decode import import_av
from bigsmall.video.frames import Image, check_size, finite, positive, to_numpy

_SUFFIXES = (".mp4", ".mov", ".mkv")
# 90 kHz holds a frame at 24, 25, 30, 50, 60 and 30000/1001 per second exactly.
_TICKS = 90_000
_BT601 = 6
_LIMITED_RANGE = 1


def write_video(
    path: str | os.PathLike[str],
    frames: Iterable[Image],
    fps: float,
    *,
    times: Iterable[float] | None = None,
    crf: int = 18,
    codec: str = "libx264",
    preset: str = "veryfast",
) -> None:
    """Write frames as a video file, one at a time.

    The file appears under its name only when it is complete; on any error an existing
    file is left as it was. The colours are stored as yuv420p, BT.601, and say so.

    Args:
        path: ends in .mp4, .mov or .mkv; its folder must exist.
        frames: images, (height, width, 3), uint8, RGB, all of one size, with even height
            and width (yuv420p stores colour for every second pixel).
        fps: frames per second, > 0; with `times` it is only what the file declares.
        times: seconds of each frame, increasing, as many as frames; None spaces them
            evenly. Stored as presentation time stamps relative to the first, to 1/90000 s
            (.mkv: 1/1000 s).
        crf: quality of libx264 and its like, 0 (best) to 51.
        codec: name of an FFmpeg encoder.
        preset: speed of the encoder.

    Raises:
        OutputError: the path cannot be written to (found before the first frame is
            taken), or the encoder fails.
        InputError: no frames, a frame of wrong shape, type or odd size, times that do not
            increase or do not match the frames, an unknown suffix or codec.
        MissingExtraError: PyAV is not installed.

    Example:
        >>> import tempfile
        >>> from bigsmall.video.reader import open_video
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "grey.mp4")
        ...     write_video(path, [np.full((32, 48, 3), 128, np.uint8)] * 5, fps=25)
        ...     [round(frame.time, 2) for frame in open_video(path)]
        [0.0, 0.04, 0.08, 0.12, 0.16]
    """
    av = import_av()
    rate = positive(fps, "fps", "frames per second")
    quality = finite(crf, "crf", "0 to 51")
    if Path(path).suffix.lower() not in _SUFFIXES:
        raise InputError(f"'{os.fspath(path)}' does not end in one of {', '.join(_SUFFIXES)}")
    try:
        formats = [form.name for form in av.Codec(codec, "w").video_formats or ()]
    except ValueError as error:
        raise InputError(f"there is no encoder '{codec}'; try libx264") from error
    pixels = formats[0] if formats and "yuv420p" not in formats else "yuv420p"
    with replace_atomically(path) as temporary:
        pairs = _stamped(frames, times, rate)
        first = next(pairs, None)
        if first is None:
            raise InputError("there are no frames to write")
        height, width = _checked(first[1], 0).shape[:2]
        try:
            with av.open(os.fspath(temporary), "w") as container:
                stream = container.add_stream(codec, rate=Fraction(rate).limit_denominator(100_000))
                stream.width, stream.height, stream.pix_fmt = width, height, pixels
                stream.options = {"crf": f"{quality:g}", "preset": preset}
                stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS)
                if pixels.startswith("yuv"):
                    stream.codec_context.colorspace = _BT601
                    stream.codec_context.color_range = _LIMITED_RANGE
                _encode(av, container, stream, first, pairs)
        except av.error.FFmpegError as error:
            raise OutputError(
                f"cannot write '{os.fspath(path)}': the encoder {codec} failed "
                f"({error.strerror}); check codec, crf={quality:g} and preset='{preset}'"
            ) from error


def _encode(
    av: Any,
    container: Any,
    stream: Any,
    first: tuple[float, Image],
    pairs: Iterator[tuple[float, Image]],
) -> None:
    origin = first[0]
    height, width = first[1].shape[:2]
    index, last = 0, -1
    pair: tuple[float, Image] | None = first
    while pair is not None:
        time, image = pair
        check_size(_checked(image, index), height, width, f"frame {index}")
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        picture.pts = round((time - origin) * _TICKS)
        picture.time_base = Fraction(1, _TICKS)
        if picture.pts <= last:
            raise InputError(f"times do not increase at frame {index} ({time:g} s)")
        container.mux(stream.encode(picture))
        index, last = index + 1, picture.pts
        pair = next(pairs, None)
    container.mux(stream.encode(None))


def _stamped(
    frames: Iterable[Any], times: Iterable[float] | None, fps: float
) -> Iterator[tuple[float, Any]]:
    """Pair each frame with its time in seconds."""
    if times is None:
        yield from ((index / fps, to_numpy(frame)) for index, frame in enumerate(frames))
        return
    clock = iter(times)
    count = 0
    for count, frame in enumerate(frames, start=1):
        time = next(clock, None)
        if time is None:
            raise InputError(f"there are {count - 1} times, but more frames; give one for each")
        yield finite(time, f"the time of frame {count - 1}", "seconds"), to_numpy(frame)
    if next(clock, None) is not None:
        raise InputError(f"there are {count} frames, but more times; give one for each")


def _checked(image: Any, index: int) -> Image:
    """Check type, shape and even size of a frame to write."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        kind = getattr(image, "dtype", type(image).__name__)
        raise InputError(f"frame {index} is {kind}; expected a uint8 array (height, width, 3)")
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise InputError(f"frame {index} has shape {image.shape}; expected (height, width, 3)")
    if image.shape[0] % 2 or image.shape[1] % 2:
        raise InputError(
            f"frame {index} is {image.shape[1]} x {image.shape[0]} pixels; "
            "the sizes must be even: crop one row or column"
        )
    return image
