"""Heart rate, respiration and facial action units from ordinary video."""

from bigsmall._version import __version__
from bigsmall.models import TSM, WTSM, BigBranch, BigSmall, BigSmallOutput, SmallBranch

__all__ = [
    "TSM",
    "WTSM",
    "BigBranch",
    "BigSmall",
    "BigSmallOutput",
    "SmallBranch",
    "__version__",
]
