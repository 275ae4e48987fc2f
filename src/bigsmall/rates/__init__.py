"""Heart and respiratory rate, and how far they can be trusted.

One path from a network's output to a number: integrate (where the wave is differenced),
detrend, band-pass (`waveform`), then the rate of the whole signal (`heart_rate`,
`respiratory_rate`) or of windows of it (`rate_over_time`), each with a
`quality` between 0 and 1.

Conventions, for every function here:

    * `x` is `(T,)` finite real numbers sampled at `fs` Hz; rates are per minute;
    * `task` is "heart" or "respiration";
    * `derivative=True` says that `x` is the difference of the wave, as the networks give it;
    * `protocol` is "default" or "paper" (`bigsmall.rates.protocols`); `band`, `(low, high)` in
      Hz, replaces the protocol's band for filter and search;
    * NaN is the answer where no rate can be found; a wrong argument raises InputError.

The paper's spectral rate is the highest bin of a power-of-two periodogram. The default one
(`bigsmall.rates.sinusoids`) is the frequency whose sinusoid, detrended like the data, explains
most energy of the detrended wave: edges, filter tilt and the mirror image at negative frequency
act on data and model alike and bias nothing, so a clean sinusoid is found exactly from one cycle
on. There the band limits the search, and the band-pass only shapes the waveform.
"""

from bigsmall.rates.chain import waveform
from bigsmall.rates.estimate import heart_rate, peaks, respiratory_rate
from bigsmall.rates.protocols import HEART_BAND, PAPER_HEART_BAND, PAPER_RESP_BAND, RESP_BAND
from bigsmall.rates.quality import RateTrack, quality, rate_over_time

__all__ = [
    "HEART_BAND",
    "PAPER_HEART_BAND",
    "PAPER_RESP_BAND",
    "RESP_BAND",
    "RateTrack",
    "heart_rate",
    "peaks",
    "quality",
    "rate_over_time",
    "respiratory_rate",
    "waveform",
]
