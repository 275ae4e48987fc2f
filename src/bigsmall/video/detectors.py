"""Face detectors: an image in, the boxes of its faces out.

A detector is any callable `detector(image) -> list[Box]`, image height x width x 3 uint8
RGB, boxes in pixels of that image (see `bigsmall.video.boxes`).

- `haar`: OpenCV's frontal-face cascade. It comes with OpenCV, nothing is downloaded. Good
  on one frontal face; blind to profiles. Faces shorter than a quarter of the picture are
  looked for only where there is no larger one, and down to a tenth.
- `yunet`: a small network (MIT licence, 232 kB), fetched once through the Hugging Face Hub
  and checked by its hash. Finds tilted, small and several faces.

References:
    Viola & Jones, "Rapid object detection using a boosted cascade of simple features",
    CVPR 2001. Wu, Peng & Yu, "YuNet: a tiny millisecond-level face detector", Machine
    Intelligence Research 20, 2023.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bigsmall.exceptions import CheckpointError, InputError, MissingExtraError
from bigsmall.video.boxes import Box, as_box, nearest
from bigsmall.video.frames import Image

Detector = Callable[[Image], list[Box]]

_NAMES = ("haar", "yunet")
_REPO = "opencv/face_detection_yunet"
_FILE = "face_detection_yunet_2023mar.onnx"
_SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
_SCORE = 0.7
_LONGEST = 640

# (longer side of the picture, least face as a share of its shorter side, neighbours).
# A near face is found in a small picture in a few milliseconds. Only where there is none
# does the slow search for small ones run; it asks for more neighbours, because small
# windows are many and folds of cloth often look like a face in one of them.
_HAAR_PASSES = ((320, 1 / 4, 4), (_LONGEST, 1 / 10, 8))


def make_detector(
    detector: str | Callable[[Image], Iterable[Any]] = "haar",
    *,
    model_path: str | os.PathLike[str] | None = None,
) -> Detector:
    """Return a face detector.

    Args:
        detector: "haar", "yunet", or your own callable, which gets the image and returns
            boxes (x, y, width, height); its answers are checked at every call.
        model_path: for "yunet", an ONNX file to use in place of the download.

    Returns:
        A callable from image (height, width, 3), uint8, RGB to a list of
        `bigsmall.video.boxes.Box`, cut to the image.

    Raises:
        InputError: an unknown name, or a `model_path` where none is used.
        CheckpointError: the YuNet file cannot be fetched, read, or has another hash.
        MissingExtraError: OpenCV (below version 5) is not installed.

    Example:
        >>> import numpy as np
        >>> detector = make_detector(lambda image: [(10.4, 20, 30, 40)])
        >>> detector(np.zeros((100, 100, 3), np.uint8))
        [Box(x=10, y=20, width=30, height=40)]
    """
    if model_path is not None and detector != "yunet":
        raise InputError("model_path is only for the detector 'yunet'")
    if callable(detector):
        return _Checked(detector)
    if detector == "haar":
        return _Haar()
    if detector == "yunet":
        return _YuNet(_fetch_yunet() if model_path is None else Path(model_path))
    raise InputError(f"unknown face detector {detector!r}{nearest(str(detector), _NAMES)}")


def _import_cv2(needed: str) -> Any:
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError("OpenCV", "video") from error
    if not hasattr(cv2, needed):
        raise MissingExtraError(f"an OpenCV with {needed} (version 4.8 to 4.x)", "video")
    return cv2


def _shrunk(cv2: Any, image: Any, longest: int) -> tuple[Any, float]:
    """Scale an image down so that its longer side is at most `longest`; give the factor."""
    height, width = image.shape[:2]
    factor = longest / max(height, width)
    if factor >= 1:
        return image, 1.0
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), factor


def _boxes(found: Iterable[Any], factor: float, image: Image) -> list[Box]:
    height, width = image.shape[:2]
    scaled = ([float(number) / factor for number in row[:4]] for row in found)
    return [box for row in scaled if (box := as_box(row, height, width)) is not None]


class _Checked:
    """A user's detector, its answers checked."""

    def __init__(self, detector: Callable[[Image], Iterable[Any]]) -> None:
        self._detector = detector

    def __call__(self, image: Image) -> list[Box]:
        found = self._detector(image)
        if isinstance(found, str) or not isinstance(found, Iterable):
            raise InputError(
                f"the face detector returned {type(found).__name__}; "
                "expected a list of boxes (x, y, width, height), empty where there is no face"
            )
        height, width = image.shape[:2]
        return [box for row in found if (box := as_box(row, height, width)) is not None]


class _Haar:
    """OpenCV's frontal-face cascade, first for a near face, then for smaller ones."""

    def __init__(self) -> None:
        self._cv2 = cv2 = _import_cv2("CascadeClassifier")
        name = "haarcascade_frontalface_default.xml"
        self._cascade = cv2.CascadeClassifier(os.path.join(cv2.data.haarcascades, name))
        if self._cascade.empty():
            raise MissingExtraError(f"OpenCV's {name}", "video")

    def __call__(self, image: Image) -> list[Box]:
        cv2 = self._cv2
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        for longest, share, neighbours in _HAAR_PASSES:
            small, factor = _shrunk(cv2, grey, longest)
            least = max(1, round(share * min(small.shape)))
            found = self._cascade.detectMultiScale(
                small, scaleFactor=1.1, minNeighbors=neighbours, minSize=(least, least)
            )
            if len(found):
                return _boxes(found, factor, image)
        return []


class _YuNet:
    """The YuNet network through OpenCV's own wrapper."""

    def __init__(self, path: Path) -> None:
        self._cv2 = cv2 = _import_cv2("FaceDetectorYN")
        if not path.is_file():
            raise CheckpointError(f"there is no YuNet file '{path}'")
        try:
            self._network = cv2.FaceDetectorYN.create(str(path), "", (320, 320), _SCORE)
        except cv2.error as error:
            raise CheckpointError(f"'{path}' is not a YuNet network that OpenCV reads") from error

    def __call__(self, image: Image) -> list[Box]:
        cv2 = self._cv2
        small, factor = _shrunk(cv2, image, _LONGEST)
        self._network.setInputSize((small.shape[1], small.shape[0]))
        _, found = self._network.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        return [] if found is None else _boxes(found, factor, image)


def _fetch_yunet() -> Path:
    """Return the YuNet file from the Hub's cache, fetching it the first time."""
    from huggingface_hub import hf_hub_download

    try:
        path = Path(hf_hub_download(_REPO, _FILE))
    except (OSError, ValueError) as error:  # the Hub's own errors are children of these
        reason = str(error).strip().partition("\n")[0]
        raise CheckpointError(
            f"the face detector 'yunet' ({_REPO}) cannot be fetched: {reason}; "
            "give model_path, or use detector='haar'"
        ) from error
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != _SHA256:
        raise CheckpointError(
            f"'{path}' has SHA-256 {digest[:12]}…, expected {_SHA256[:12]}…; "
            "delete it and try again"
        )
    return path
