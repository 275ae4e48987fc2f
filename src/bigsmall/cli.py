"""The command line: arguments in, a few aligned lines out; nothing is computed here.

Every error that a user can cause is printed as one line on standard error, and the exit code is
then 2.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from bigsmall._version import __version__
from bigsmall.exceptions import BigSmallError, InputError, OutputError
from bigsmall.measurement import Estimate, Measurement
from bigsmall.plotting import check_picture_name


class _Group(click.Group):
    """Prints the library's own errors as one line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BigSmallError as error:
            _print(f"bigsmall: {' '.join(str(error).split())}", err=True)
            ctx.exit(2)
        except BrokenPipeError:
            # Whoever read our output has left; say no more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bigsmall")
def main() -> None:
    """Heart rate, respiration and facial action units from ordinary video."""


@main.command()
@click.argument("video")
@click.option(
    "--model",
    default="bigsmall-synthetic",
    show_default=True,
    help="A name, pos, chrom, green, or a file or folder with weights.",
)
@click.option("--crop", default="face", show_default=True, help="face, none, or x,y,width,height.")
@click.option("--detector", default="haar", show_default=True, help="haar or yunet.")
@click.option(
    "--protocol", default="default", show_default=True, help="default, or paper for the paper's."
)
@click.option("--fps", type=float, help="Frames per second, if the video does not say or lies.")
@click.option("--start", type=float, default=0.0, help="Seconds to skip.")
@click.option("--duration", type=float, help="Seconds to measure.")
@click.option("--json", "json_file", help="Write everything to this file.")
@click.option("--csv", "csv_file", help="Write waves and action units over time to this file.")
@click.option("--plot", "plot_file", help="Draw to this picture file.")
def measure(
    video: str,
    model: str,
    crop: str,
    detector: str,
    protocol: Any,
    fps: float | None,
    start: float,
    duration: float | None,
    json_file: str | None,
    csv_file: str | None,
    plot_file: str | None,
) -> None:
    """Measure pulse, respiration and action units in VIDEO (a file or a folder of images)."""
    _check_outputs(video, {".json": json_file, ".csv": csv_file, "": plot_file})
    from bigsmall.inference import measure as run

    result = run(
        video,
        model=model,
        fps=fps,
        crop=crop,
        protocol=protocol,
        start=start,
        duration=duration,
        detector=detector,
        progress=sys.stderr.isatty(),
    )
    _print(report(result))
    if json_file:
        result.save(json_file)
    if csv_file:
        result.save(csv_file)
    if plot_file:
        result.plot(plot_file)
    for path in filter(None, (json_file, csv_file, plot_file)):
        _print(f"wrote {path}")


@main.command()
@click.argument("out", metavar="OUT.mp4")
@click.option("--seconds", type=float, default=20.0, show_default=True)
@click.option("--fps", type=float, default=30.0, show_default=True)
@click.option("--size", default="480x360", show_default=True, help="Width x height, pixels.")
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Another seed, another person."
)
@click.option("--heart-rate", type=float, help="Beats per minute; drawn from the seed by default.")
@click.option("--respiratory-rate", type=float, help="Breaths per minute; likewise.")
def synth(
    out: str,
    seconds: float,
    fps: float,
    size: str,
    seed: int,
    heart_rate: float | None,
    respiratory_rate: float | None,
) -> None:
    """Render a person with known pulse and respiration into OUT.mp4, the truth into OUT.json."""
    from bigsmall.synthetic import Scene, write_clip

    width, height = _parse_size(size)
    given = {"heart_rate": heart_rate, "respiratory_rate": respiratory_rate}
    scene = Scene.random(
        seed,
        seconds=seconds,
        fps=fps,
        width=width,
        height=height,
        framing="portrait",
        **{name: value for name, value in given.items() if value is not None},
    )
    write_clip(out, scene, progress=sys.stderr.isatty())
    _print(
        f"wrote {out} and {Path(out).with_suffix('.json')}: {scene.seconds:g} s, heart rate "
        f"{scene.heart_rate:.1f}, respiratory rate {scene.respiratory_rate:.1f} per minute"
    )


def report(result: Measurement) -> str:
    """Return the answer as a few aligned lines."""
    used = result.used
    lines = [
        f"{used['source']}: {used['seconds']:.1f} s at {used['fps']:.1f} frames/s",
        *_rate_lines("heart rate", result.heart_rate),
        *_rate_lines("respiratory rate", result.respiratory_rate),
    ]
    units = result.action_units
    if units is not None:
        often = [(name, share) for name, share in units.share_present.items() if share >= 0.05]
        often.sort(key=lambda item: -item[1])
        words = ", ".join(f"{name} {100 * share:.0f} %" for name, share in often[:4]) or "none seen"
        lines.append(_line("action units", f"{words}  (share of frames)"))
        if units.note:
            lines.append(_line("", units.note))
    weights = used["weights"] if used["weights"] not in (None, used["model"]) else ""
    lines.append(
        _line("model", " ".join(filter(None, (used["model"], f"({weights})" * bool(weights)))))
    )
    lines.append(_line("crop, protocol", f"{_words(used['crop'])}, {used['protocol']}"))
    lines.extend(_line("note", note) for note in result.notes)
    return "\n".join(lines)


def _print(text: str, err: bool = False) -> None:
    """Print; bytes of a file name that are no text become a question mark."""
    click.echo(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"), err=err)


def _words(crop: str | Sequence[int]) -> str:
    return crop if isinstance(crop, str) else ",".join(map(str, crop))


def _line(name: str, text: str) -> str:
    return f"  {name:<18}{text}".rstrip()


def _rate_lines(name: str, estimate: Estimate | None) -> list[str]:
    if estimate is None:
        return []
    if estimate.value != estimate.value:
        return [_line(name, f"   –   {estimate.note}")]
    line = f"{estimate.value:6.1f} {estimate.unit:<12} quality {estimate.quality:.2f}"
    return [_line(name, line + (f"  ({estimate.note})" if estimate.note else ""))]


def _parse_size(size: str) -> tuple[int, int]:
    width, _, height = size.lower().partition("x")
    try:
        return int(width), int(height or width)
    except ValueError:
        raise InputError(f"size is {size!r}; expected width x height such as 480x360") from None


def _check_outputs(video: str, outputs: dict[str, str | None]) -> None:
    """Refuse a place that cannot be written before minutes of work, not after."""
    for suffix, name in outputs.items():
        if name is None:
            continue
        path = Path(name)
        if suffix and path.suffix.lower() != suffix:
            raise InputError(f"{name} does not end in {suffix}; expected such a name")
        if not suffix:
            check_picture_name(path)
        if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
            raise OutputError(f"cannot write {name}: its folder does not exist or is not writable")
        if path.exists() and not (path.is_file() and os.access(path, os.W_OK)):
            raise OutputError(f"cannot write {name}: it is write-protected or no plain file")
        if path.exists() and os.path.exists(video) and os.path.samefile(path, video):
            raise OutputError(f"{name} is the video itself; give the result another name")
