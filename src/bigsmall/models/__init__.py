"""The networks, one file a family."""

from bigsmall.models.base import AU_NAMES, BigSmallOutput, Network
from bigsmall.models.bigsmall import BigSmall
from bigsmall.models.branches import BigBranch, SmallBranch
from bigsmall.models.checkpoints import Checkpoint, read_checkpoint
from bigsmall.models.temporal_shift import TSM, WTSM

__all__ = [
    "AU_NAMES",
    "BigBranch",
    "BigSmall",
    "BigSmallOutput",
    "Checkpoint",
    "Network",
    "SmallBranch",
    "TSM",
    "WTSM",
    "read_checkpoint",
]
