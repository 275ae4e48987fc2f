"""The two protocols: which bands and which detrending each of them uses.

Data and one look-up, no arithmetic. `task` is "heart" or "respiration", bands are in Hz.

    * "paper": the paper's evaluation to the digit. Detrending with lambda 100 whatever the
      sampling rate, order-1 band-pass. At 25 Hz that detrending halves 0.4 Hz and takes nine
      tenths of a calm breath away.
    * "default": detrending halves the amplitude at half the lower edge of the band, and the
      bands are wide enough for infants and for effort.

References:
    X. Liu et al., "BigSmall: Efficient Multi-Task Learning for Disparate Spatial and Temporal
    Physiological Measurements", WACV 2024, and its published evaluation code.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from bigsmall.exceptions import InputError

Band: TypeAlias = tuple[float, float]
Task: TypeAlias = Literal["heart", "respiration"]
Protocol: TypeAlias = Literal["default", "paper"]
Method: TypeAlias = Literal["spectrum", "peaks"]

HEART_BAND: Band = (0.7, 3.5)
"""42 to 210 beats per minute."""
RESP_BAND: Band = (0.1, 1.0)
"""6 to 60 breaths per minute, infants included."""
PAPER_HEART_BAND: Band = (0.75, 2.5)
"""45 to 150 beats per minute."""
PAPER_RESP_BAND: Band = (0.13, 0.5)
"""7.8 to 30 breaths per minute."""
PAPER_RESP_PEAK_BAND: Band = (0.08, 0.5)
"""Filter of the paper before breathing peaks are counted."""
PAPER_LAMBDA = 100.0
"""Smoothness of the paper's detrending."""


class Settings(NamedTuple):
    """What one protocol does to one task."""

    filter_band: Band
    """Edges of the band-pass, Hz."""
    search_band: Band
    """Where a rate is looked for, Hz."""
    detrend_cutoff: float | None
    """Half-gain frequency of the detrending, Hz; None for lambda = `PAPER_LAMBDA`."""


def choose(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise InputError unless `value` is one of `allowed`.

    >>> choose("task", "heart", ("heart", "respiration"))
    """
    if value not in allowed:
        raise InputError(f"{name} is {value!r}; expected {' or '.join(map(repr, allowed))}")


def settings(
    task: Task, protocol: Protocol, method: Method = "spectrum", band: Band | None = None
) -> Settings:
    """Bands and detrending of a protocol; `band`, if given, replaces filter and search band.

    Raises:
        InputError: unknown task, protocol or method; `band` not a pair.

    >>> settings("respiration", "default")
    Settings(filter_band=(0.1, 1.0), search_band=(0.1, 1.0), detrend_cutoff=0.05)
    """
    choose("task", task, ("heart", "respiration"))
    choose("protocol", protocol, ("default", "paper"))
    choose("method", method, ("spectrum", "peaks"))
    paper = protocol == "paper"
    if band is not None:
        if len(band) != 2:
            raise InputError(f"band is {band}; expected (low, high) in Hz")
        search = filtered = band
    elif task == "heart":
        search = filtered = PAPER_HEART_BAND if paper else HEART_BAND
    else:
        search = filtered = PAPER_RESP_BAND if paper else RESP_BAND
        if paper and method == "peaks":
            filtered = PAPER_RESP_PEAK_BAND
    return Settings(filtered, search, None if paper else search[0] / 2)
