"""Rendered people with known pulse, respiration and action units.

`Scene` says what is seen, `Rendering` draws it, `write_clip` makes a video file and its truth.
"""

from bigsmall.synthetic.render import Rendering, Truth, write_clip
from bigsmall.synthetic.scene import Scene

__all__ = ["Rendering", "Scene", "Truth", "write_clip"]
