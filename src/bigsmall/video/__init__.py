"""Video in, video out, and where the face is.

Modules:
    reader: `open_video` turns a file, a folder of images, an array or a camera into
        frames with time stamps.
    writer: `write_video` stores frames as H.264.
    face: `FaceTracker` and the crop boxes.
    detectors: `make_detector`, the face detectors by name.

Conventions: an image is height x width x 3, uint8, RGB; a time is in seconds from the
first frame of the video; a box is `(x, y, width, height)` in pixels from the top left.
PyAV and OpenCV are imported when they are first needed (`pip install 'bigsmall[video]'`).
"""

from bigsmall.video.boxes import Box, crop, parse_crop, square_box
from bigsmall.video.detectors import make_detector
from bigsmall.video.face import FaceTracker
from bigsmall.video.frames import Frame
from bigsmall.video.reader import VideoSource, open_video
from bigsmall.video.writer import write_video

__all__ = [
    "Box",
    "FaceTracker",
    "Frame",
    "VideoSource",
    "crop",
    "make_detector",
    "open_video",
    "parse_crop",
    "square_box",
    "write_video",
]
