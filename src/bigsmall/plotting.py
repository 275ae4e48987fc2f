"""Pictures of a measurement: what the camera saw, waves, spectra, action units over time.

Everything here takes plain numbers. matplotlib is used through figures, never through global
state, so nothing pops up and nothing is left open.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bigsmall.exceptions import InputError, MissingExtraError
from bigsmall.files import replace_atomically
from bigsmall.signals import power_spectrum

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = {"Pulse": "#c1272d", "Respiration": "#1f77b4"}
GREY = "#5a5a5a"
SECONDS_SHOWN = {"Pulse": 20.0, "Respiration": 60.0}


class Panel(NamedTuple):
    """One wave with its rate.

    Attributes:
        name: `"Pulse"` or `"Respiration"`.
        times: seconds, `(T,)`.
        values: the wave, `(T,)`.
        fs: samples per second.
        rate: per minute, or NaN.
        quality: 0 to 1.
        top: highest frequency of interest, Hz.
    """

    name: str
    times: np.ndarray
    values: np.ndarray
    fs: float
    rate: float
    quality: float
    top: float


def vitals_figure(
    panels: Sequence[Panel],
    *,
    picture: np.ndarray | None = None,
    action_units: tuple[Sequence[str], np.ndarray, np.ndarray] | None = None,
    title: str = "",
    caption: str = "",
    path: str | Path | None = None,
) -> Figure:
    """Draw one row for each wave (wave and spectrum) and one for the action units.

    Args:
        panels: waves with their rates.
        picture: `(H, W, 3)` uint8, shown at the left.
        action_units: names, times `(T,)` and probabilities `(T, units)`.
        title: name of the recording.
        caption: what the numbers come from.
        path: where to write the picture; the suffix chooses the format.

    Raises:
        MissingExtraError: if matplotlib is not installed.
        InputError: if the suffix of `path` is no picture format.
        OutputError: if the file cannot be written.
    """
    figure_class = _figure_class()
    if path is not None:
        check_picture_name(path)
    rows = len(panels) + (action_units is not None)
    height = 0.9 + 1.9 * max(1, rows)
    figure = figure_class(figsize=(11, height), dpi=130, layout="constrained")
    grid = figure.add_gridspec(max(1, rows), 3, width_ratios=(1.15, 3.2, 1.5))
    name = _readable(Path(title).name)
    # A dollar in a file name is no formula.
    figure.suptitle(name, x=0.01, ha="left", fontsize=12, fontweight="bold", parse_math=False)
    _show_picture(figure.add_subplot(grid[: max(1, len(panels)), 0]), picture, caption)
    for row, panel in enumerate(panels):
        _draw_wave(figure.add_subplot(grid[row, 1]), panel, last=row == len(panels) - 1)
        _draw_spectrum(figure.add_subplot(grid[row, 2]), panel, last=row == len(panels) - 1)
    if action_units is not None:
        axis = figure.add_subplot(grid[rows - 1, 1])
        _draw_action_units(figure, axis, *action_units)
    if path is not None:
        _save(figure, path)
    return figure


def check_picture_name(path: str | Path) -> None:
    """Raise unless a picture can be drawn to a file of this name; for before long work.

    Raises:
        MissingExtraError: if matplotlib is not installed.
        InputError: if the suffix is no picture format.

    Example:
        >>> check_picture_name("me.png")
    """
    formats = _figure_class()().canvas.get_supported_filetypes()
    if Path(path).suffix.lower().lstrip(".") not in formats:
        raise InputError(
            f"cannot draw to {Path(path).name!r}; expected a name ending in .png, .pdf, .svg or "
            "the like"
        )


def _figure_class() -> type[Figure]:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("matplotlib", "plot") from None
    return Figure


def _show_picture(axis: Any, picture: np.ndarray | None, caption: str) -> None:
    axis.set_axis_off()
    if picture is not None:
        axis.imshow(picture)
    axis.set_title(_readable(caption.replace(", ", "\n")), fontsize=8, color=GREY, parse_math=False)


def _readable(text: str) -> str:
    """Bytes of a file name that are no text become a question mark."""
    return text.encode("utf-8", "replace").decode()


def _tidy(axis: Any) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8, colors=GREY)


def _draw_wave(axis: Any, panel: Panel, last: bool) -> None:
    """The wave; of a long recording only a stretch in which single cycles can be seen."""
    shown = SECONDS_SHOWN.get(panel.name, 60.0)
    span = panel.times[-1] - panel.times[0]
    first = panel.times[0] + max(0.0, (span - shown) / 2)
    inside = (panel.times >= first) & (panel.times <= first + shown)
    axis.plot(panel.times[inside], panel.values[inside], lw=1.1, color=COLOURS.get(panel.name))
    axis.margins(x=0)
    axis.set_yticks([])
    axis.set_ylabel(panel.name, fontsize=9)
    if math.isnan(panel.rate):
        words = "no rate"
    else:
        words = f"{panel.rate:.1f} / min,  quality {panel.quality:.2f}"
    part = f"   ({first:.0f}–{first + shown:.0f} s of {span:.0f} s)" if span > shown + 1 else ""
    axis.set_title(words + part, fontsize=10, loc="left")
    if last:
        axis.set_xlabel("time (s)", fontsize=8, color=GREY)
    _tidy(axis)


def _draw_spectrum(axis: Any, panel: Panel, last: bool) -> None:
    points = max(len(panel.values), 1 << 14)
    taper = np.hanning(len(panel.values))
    frequency, power = power_spectrum(panel.values * taper, panel.fs, points)
    inside = frequency <= panel.top * 1.1
    colour = COLOURS.get(panel.name)
    axis.fill_between(60 * frequency[inside], power[inside], color=colour, alpha=0.35, lw=0)
    axis.plot(60 * frequency[inside], power[inside], color=colour, lw=0.9)
    if not math.isnan(panel.rate):
        axis.axvline(panel.rate, color="black", lw=0.8, ls=":")
    axis.set_xlim(0, 66 * panel.top)
    axis.set_ylim(bottom=0)
    axis.set_yticks([])
    axis.set_title("spectrum", fontsize=8, color=GREY, loc="left")
    if last:
        axis.set_xlabel("per minute", fontsize=8, color=GREY)
    _tidy(axis)


def _draw_action_units(
    figure: Any, axis: Any, names: Sequence[str], times: np.ndarray, probabilities: np.ndarray
) -> None:
    edges = (times[0], times[-1] if times[-1] > times[0] else times[0] + 1)
    image = axis.imshow(
        probabilities.T,
        aspect="auto",
        interpolation="nearest",
        cmap="magma_r",
        vmin=0,
        vmax=1,
        extent=(*edges, len(names) - 0.5, -0.5),
    )
    axis.set_yticks(range(len(names)), names, fontsize=6)
    axis.set_xlabel("time (s)", fontsize=8, color=GREY)
    axis.set_title("action units", fontsize=10, loc="left")
    _tidy(axis)
    beside = axis.inset_axes((1.02, 0, 0.015, 1))
    bar = figure.colorbar(image, cax=beside)
    bar.set_label("probability", fontsize=8, color=GREY)
    bar.ax.tick_params(labelsize=7, colors=GREY)


def _save(figure: Figure, path: str | Path) -> None:
    with replace_atomically(path) as temporary, warnings.catch_warnings():
        # A file name may hold letters that the font has not; a box stands for them.
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(temporary)
