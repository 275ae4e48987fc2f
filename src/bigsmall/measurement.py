"""What a measurement returns: rates with a quality, waveforms, action units, what was used.

Units: rates are per minute, times are seconds from the start of the recording, waveforms have an
arbitrary unit. A rate that cannot be given is NaN and its `note` says why; NaN is written as
`null` to JSON, so that every reader can take it.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bigsmall.exceptions import InputError, MissingExtraError
from bigsmall.files import replace_atomically
from bigsmall.plotting import Panel, vitals_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Estimate:
    """One number with how far to trust it.

    Attributes:
        value: the number; NaN where none can be given.
        unit: its unit.
        quality: 0 (nothing but noise) to 1 (nothing but signal); see `bigsmall.rates.quality`.
        note: what the reader should know, or empty; never empty where the value is NaN.
    """

    value: float
    unit: str
    quality: float
    note: str = ""

    def __str__(self) -> str:
        if math.isnan(self.value):
            return f"no {self.unit}: {self.note}"
        return f"{self.value:.1f} {self.unit} (quality {self.quality:.2f})"


@dataclass(frozen=True)
class Waveform:
    """An evenly sampled wave.

    Attributes:
        values: samples, `(T,)` float64, arbitrary unit, standard deviation 1.
        fs: samples per second.
        start: time of the first sample, seconds from the start of the recording.
    """

    values: np.ndarray
    fs: float
    start: float

    @property
    def times(self) -> np.ndarray:
        """Seconds from the start of the recording, `(T,)`."""
        return self.start + np.arange(len(self.values)) / self.fs


@dataclass(frozen=True)
class ActionUnits:
    """How likely each facial action unit is in each frame.

    Attributes:
        names: `AU01` ..., as many as columns.
        probabilities: `(frames, units)` in [0, 1].
        times: seconds of the frames, `(frames,)`.
        note: what the reader should know, or empty.
    """

    names: tuple[str, ...]
    probabilities: np.ndarray
    times: np.ndarray
    note: str = ""

    @property
    def share_present(self) -> dict[str, float]:
        """Share of frames in which each unit is more likely present than not."""
        share = (self.probabilities >= 0.5).mean(axis=0)
        return dict(zip(self.names, share.tolist()))


@dataclass(frozen=True)
class Measurement:
    """What a video says about the person in it.

    What the model does not measure is None.

    Attributes:
        heart_rate: beats per minute.
        respiratory_rate: breaths per minute.
        bvp: blood volume pulse, high when blood volume is high.
        resp: respiration wave; which way is breathing in is not known to every model.
        action_units: probabilities frame by frame.
        used: what the numbers come from: source, frames, model, crop, protocol, versions.
        notes: what the reader should know about the recording, one line each.
        picture: a crop the model saw, `(H, W, 3)` uint8, or None; for the plot only.
    """

    heart_rate: Estimate | None
    respiratory_rate: Estimate | None
    bvp: Waveform | None
    resp: Waveform | None
    action_units: ActionUnits | None
    used: dict[str, Any]
    notes: tuple[str, ...] = ()
    picture: np.ndarray | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the picture as plain data; the keys are the attributes' names."""
        return {
            item.name: _plain(getattr(self, item.name))
            for item in fields(self)
            if item.name != "picture"
        }

    def save(self, path: str | Path) -> None:
        """Write everything (`.json`) or the waves and action units over time (`.csv`).

        Raises:
            InputError: if the name ends in neither.
            OutputError: if the file cannot be written; what was there stays.
        """
        suffix = Path(path).suffix.lower()
        if suffix not in (".json", ".csv"):
            raise InputError(f"cannot save as {Path(path).name!r}; expected a .json or .csv name")
        with replace_atomically(path) as temporary:
            if suffix == ".json":
                text = json.dumps(self.to_dict(), indent=2, allow_nan=False)
                Path(temporary).write_text(text + "\n", encoding="utf-8")
            else:
                with open(temporary, "w", newline="", encoding="utf-8") as file:
                    writer = csv.writer(file)
                    table = self._table()
                    writer.writerow(table)
                    writer.writerows(_rows(table))

    def to_dataframe(self) -> pd.DataFrame:
        """The waves and action units as a pandas table with one row a sample.

        Columns: `time` (seconds), then those of `bvp`, `resp`, `AU01` ... that were measured.
        Action units are those of the nearest frame.

        Raises:
            MissingExtraError: if pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise MissingExtraError("pandas", "data") from None
        return pandas.DataFrame(self._table())

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw what was seen and measured.

        Args:
            path: a picture file to write, by its suffix (`.png`, `.pdf`, `.svg` ...); or None.

        Returns:
            The matplotlib figure.

        Raises:
            MissingExtraError: if matplotlib is not installed.
            OutputError: if the file cannot be written.
        """
        units = self.action_units
        return vitals_figure(
            list(self._panels()),
            picture=self.picture,
            action_units=None if units is None else (units.names, units.times, units.probabilities),
            title=str(self.used.get("source", "")),
            caption=(
                f"{Path(self.used.get('model', '')).name}, protocol {self.used.get('protocol', '')}"
            ),
            path=path,
        )

    def _panels(self) -> Iterator[Panel]:
        for name, wave, rate, top in (
            ("Pulse", self.bvp, self.heart_rate, 3.5),
            ("Respiration", self.resp, self.respiratory_rate, 1.0),
        ):
            if wave is not None and rate is not None:
                yield Panel(name, wave.times, wave.values, wave.fs, rate.value, rate.quality, top)

    def _table(self) -> dict[str, np.ndarray]:
        waves = {"bvp": self.bvp, "resp": self.resp}
        found = {name: wave for name, wave in waves.items() if wave is not None}
        units = self.action_units
        if found:
            times = next(iter(found.values())).times
        else:
            times = units.times if units is not None else np.empty(0)
        table = {"time": np.round(times, 6)}
        table.update({name: np.round(wave.values, 6) for name, wave in found.items()})
        if units is not None and len(units.times):
            middles = (units.times[1:] + units.times[:-1]) / 2
            nearest = np.searchsorted(middles, times)
            for column, name in enumerate(units.names):
                table[name] = np.round(units.probabilities[nearest, column], 4)
        return table


def _rows(table: dict[str, np.ndarray]) -> Iterator[tuple[float, ...]]:
    return zip(*(column.tolist() for column in table.values()))


def _plain(value: Any) -> Any:
    """Turn a value into what JSON has; NaN into None."""
    if isinstance(value, (Estimate, Waveform, ActionUnits)):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, np.ndarray):
        return _plain(np.round(value, 6).tolist())
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value) if isinstance(value, Path) else value
