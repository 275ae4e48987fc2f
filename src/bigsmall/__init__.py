"""Heart rate, respiration and facial action units from ordinary video.

`bigsmall.measure("me.mp4")` returns a `Measurement` with `heart_rate`, `respiratory_rate`, the
waves `bvp` and `resp`, and `action_units`.
"""

from bigsmall import metrics, rates, signals, transforms, unsupervised
from bigsmall._version import __version__
from bigsmall.exceptions import BigSmallError
from bigsmall.inference import measure
from bigsmall.measurement import ActionUnits, Estimate, Measurement, Waveform
from bigsmall.models import TSM, WTSM, BigBranch, BigSmall, BigSmallOutput, SmallBranch
from bigsmall.zoo import load_model

__all__ = [
    "ActionUnits",
    "BigBranch",
    "BigSmall",
    "BigSmallError",
    "BigSmallOutput",
    "Estimate",
    "Measurement",
    "SmallBranch",
    "TSM",
    "WTSM",
    "Waveform",
    "__version__",
    "load_model",
    "measure",
    "metrics",
    "rates",
    "signals",
    "transforms",
    "unsupervised",
]
