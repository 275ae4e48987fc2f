"""Small videos for the tests, encoded with PyAV itself and not with the library."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from bigsmall.video import Frame


def blocks(count: int, height: int = 48, width: int = 64) -> Iterator[np.ndarray]:
    """Random blocks: enough detail that every packet has some length."""
    random = np.random.default_rng(0)
    for _ in range(count):
        small = random.integers(0, 255, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
        yield small.repeat(8, 0).repeat(8, 1)[:height, :width]


def encode(path: Path, codec: str, pixels: str, count: int = 60, **options: Any) -> Path:
    """Write a file at 25 fps with PyAV itself; `options` reach the container or the encoder."""
    size = options.pop("size", (48, 64))
    rotation = options.pop("rotation", None)
    flags = {"movflags": "faststart"} if options.pop("faststart", False) else {}
    with av.open(str(path), "w", options=flags) as container:
        stream = container.add_stream(
            codec, rate=25, options={k: str(v) for k, v in options.items()}
        )
        stream.height, stream.width = size
        stream.pix_fmt = pixels
        if rotation is not None:
            stream.set_display_rotation(*rotation)
        for image in blocks(count, *size):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame.reformat(format=pixels)))
        container.mux(stream.encode(None))
    return path


def encode_sound(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def save_png(path: Path, image: np.ndarray) -> None:
    context = av.CodecContext.create("png", "w")
    context.height, context.width = image.shape[:2]
    context.pix_fmt, context.time_base = "rgb24", Fraction(1)
    packets = context.encode(av.VideoFrame.from_ndarray(image, format="rgb24"))
    path.write_bytes(b"".join(bytes(packet) for packet in [*packets, *context.encode(None)]))


def times(source: Iterable[Frame]) -> list[float]:
    return [frame.time for frame in source]
