"""The one place where the whole pipe is put together: `measure`."""

from bigsmall.inference.measure import measure

__all__ = ["measure"]
