"""Heart rate, respiration and facial action units from ordinary video."""

from bigsmall._version import __version__

__all__ = ["__version__"]
