"""Video files through PyAV: opening, time stamps, seeking, and files that go bad half-way."""

from __future__ import annotations

import math
import os
from collections.abc import Generator
from contextlib import closing
from typing import Any

from bigsmall.exceptions import VideoError
from bigsmall.video.frames import Damaged, Image
from bigsmall.video.picture import Converter, import_av

# Above this a container's frame rate is a time base, not a rate (browser recordings: 1000).
_MAX_RATE = 500.0
_PROBE = 30
_ATTACHED_PICTURE = 0x400  # FFmpeg's flag for the cover of a sound file


class FileReader:
    """The frames of one video file (see `bigsmall.video.frames.Reader`).

    Opening it decodes the first frame, so a file that holds no picture fails here. Every
    pass opens the file anew.

    Args:
        path: the file.
        fps: take the frames to be evenly spaced at this rate and ignore the time stamps;
            None uses the time stamps.

    Raises:
        VideoError: no such file, empty, not a video, cut off, audio only, or no frame in
            it can be decoded.
        MissingExtraError: PyAV is not installed.
    """

    def __init__(self, path: str, fps: float | None) -> None:
        self._av = import_av()
        self._path = path
        self._given = fps
        self.even = fps is not None
        self._convert = Converter(self._av)
        self.name = path
        self._check_file()
        with self._open() as container:
            stream = self._stream(container)
            stamps: list[float] = []
            first = None
            with closing(self._decode(container, stream)) as frames:
                for frame in frames:
                    first = frame if first is None else first
                    stamps.append(_time(frame, stream))
                    if _rate(stream) is not None or len(stamps) == _PROBE:
                        break
            if first is None:
                raise VideoError(f"'{path}': no frame can be decoded; the file is damaged")
            self._origin = None if math.isnan(stamps[0]) else stamps[0]
            self.first = self._convert(first)
            self.height, self.width = self.first.shape[:2]
            self._declared = self._seconds(container, stream)
            rate = _rate(stream) or _mean_rate(stamps)
            self.fps: float | None = fps or rate
            self.n_frames = stream.frames or (
                round(self._declared * rate) if self._declared and rate else None
            )
            self.seconds = self._declared
            if fps:
                self.seconds = self.n_frames / fps if self.n_frames else None

    def read(self, start: float) -> Generator[tuple[float | None, Any], None, None]:
        """Yield (time, decoded frame), seeking to the key frame before `start`."""
        if start > 0 and self._given is None and self._origin is not None:
            first = True
            for time, frame in self._pass(start):
                if first and (time is None or time > start):
                    break  # the index led behind the target: decode from the beginning
                first = False
                yield time, frame
            if not first:
                return
        yield from self._pass(0.0)

    def image(self, item: Any) -> Image:
        """Convert a decoded frame."""
        image = self._convert(item)
        if image.shape[:2] != (self.height, self.width):
            raise Damaged(f"the picture size changes to {image.shape[1]} x {image.shape[0]}")
        return image

    def _pass(self, start: float) -> Generator[tuple[float | None, Any], None, None]:
        end = 0.0
        with self._open() as container:
            stream = self._stream(container)
            if start > 0 and self._origin is not None:
                target = math.floor((start + self._origin) / stream.time_base)
                try:
                    container.seek(target, stream=stream)
                except self._av.error.FFmpegError:
                    return
            with closing(self._decode(container, stream)) as frames:
                for frame in frames:
                    time = None
                    if frame.pts is not None and self._origin is not None:
                        time = _time(frame, stream) - self._origin
                        lasts = getattr(frame, "duration", None) or 0
                        end = time + float(lasts * stream.time_base)
                    yield (time if self._given is None else None), frame
        if self._declared and 0 < end < self._declared - max(0.5, 0.05 * self._declared):
            raise Damaged(f"the file ends after {end:.1f} s of {self._declared:.1f} s")

    def _decode(self, container: Any, stream: Any) -> Generator[Any, None, None]:
        """Yield decoded frames; damage before the first good one is skipped."""
        good = False
        demuxed = container.demux(stream)
        while True:
            try:
                packet = next(demuxed, None)
                if packet is None:
                    return
                broken = bool(packet.is_corrupt)
                # A broken packet is not decoded: what the decoder still holds is good.
                frames = stream.codec_context.decode(None if broken and good else packet)
            except self._av.error.EOFError:
                return
            except self._av.error.FFmpegError as error:
                if good:
                    raise Damaged("the file is damaged") from error
                continue
            for frame in frames:
                if frame.is_corrupt:
                    if good:
                        raise Damaged("the file is damaged")
                    continue
                good = True
                yield frame
            if broken and good:
                raise Damaged("the file is damaged")

    def _check_file(self) -> None:
        if not os.path.exists(self._path):
            raise VideoError(f"there is no file '{self._path}'")
        if not os.path.isfile(self._path):
            raise VideoError(f"'{self._path}' is not a file")
        if os.path.getsize(self._path) == 0:
            raise VideoError(f"'{self._path}' is empty (0 bytes)")

    def _open(self) -> Any:
        try:
            # "file:" keeps a colon in a name from being taken for a network protocol, and
            # pattern_type a percent sign in the name of an image for a pattern.
            options = {"pattern_type": "none"}
            container = self._av.open("file:" + self._path, options=options)
        except (self._av.error.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or "it cannot be read"
            if _is_cut_mp4(self._path):
                reason = "the recording was cut off: its index (moov) is missing"
            raise VideoError(f"'{self._path}' cannot be opened as a video: {reason}") from error
        return container

    def _stream(self, container: Any) -> Any:
        for stream in container.streams.video:
            disposition = getattr(stream, "disposition", 0)  # a number or an enum, by version
            attached = getattr(disposition, "value", disposition) & _ATTACHED_PICTURE
            # FFmpeg draws any text file as a terminal.
            if attached or container.format.name == "tty":
                continue
            if stream.codec_context is None:
                raise VideoError(f"'{self._path}': there is no decoder for this video")
            stream.thread_type = "AUTO"
            return stream
        kind = "sound only" if container.streams.audio else "no video stream"
        raise VideoError(f"'{self._path}' holds {kind}; a video is needed")

    def _seconds(self, container: Any, stream: Any) -> float | None:
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        if container.duration and len(container.streams) == 1:
            return container.duration / self._av.time_base
        return None


def read_image(path: str) -> Image:
    """Read one image file, upright.

    Returns:
        height x width x 3, uint8, RGB; transparency is dropped.

    Raises:
        Damaged: it cannot be read.
        MissingExtraError: PyAV is not installed.
    """
    try:
        return FileReader(path, None).first
    except VideoError as error:
        raise Damaged(f"the image '{path}' cannot be read") from error


def _time(frame: Any, stream: Any) -> float:
    """Seconds on the clock of the stream, NaN where there is no stamp.

    Not `frame.time`: PyAV leaves the time base out of frames that are drained from a decoder.
    """
    return math.nan if frame.pts is None else float(frame.pts * stream.time_base)


def _rate(stream: Any) -> float | None:
    rate = float(stream.average_rate or 0)
    return rate if 0 < rate <= _MAX_RATE else None


def _mean_rate(stamps: list[float]) -> float | None:
    span = stamps[-1] - stamps[0]
    return (len(stamps) - 1) / span if span > 0 else None


def _is_cut_mp4(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(12)[4:8] == b"ftyp"
    except OSError:
        return False
